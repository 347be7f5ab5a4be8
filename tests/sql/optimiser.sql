-- What the optimiser rewrites: constants along equalities, disjunctions, equal parts built once.
@schema
CREATE TABLE nation(id int PRIMARY KEY, name text, region int);
CREATE TABLE supplier(id int PRIMARY KEY, nation int, name text);
CREATE TABLE customer(id int PRIMARY KEY, nation int, name text);
CREATE TABLE sale(id int PRIMARY KEY, supplier int, customer int, amount numeric, kind text, size int);
INSERT INTO nation VALUES (1, 'F', 1), (2, 'G', 1), (3, 'H', 2), (4, NULL, 2);
INSERT INTO supplier VALUES (1, 1, 's1'), (2, 2, 's2'), (3, 3, 's3'), (4, NULL, 's4');
INSERT INTO customer VALUES (1, 2, 'c1'), (2, 1, 'c2'), (3, 3, 'c3'), (4, 4, 'c4');
INSERT INTO sale SELECT i, i % 5, i % 4 + 1, i * 1.5, CASE i % 3 WHEN 0 THEN 'a' WHEN 1 THEN 'b' END, i % 7 FROM generate_series(1, 40) i;
CREATE VIEW paid AS SELECT supplier, sum(amount) AS total, count(*) AS n FROM sale GROUP BY supplier;
@queries
SELECT c.name, s.amount FROM customer c JOIN sale s ON s.customer = c.id WHERE c.id = 2;
SELECT c.name, s.amount FROM customer c LEFT JOIN sale s ON s.customer = c.id WHERE c.id = 2;
SELECT c.name, s.amount FROM customer c LEFT JOIN sale s ON s.customer = c.id AND c.id = 2;
SELECT c.name, s.amount FROM customer c LEFT JOIN sale s ON s.customer = c.id AND s.size = c.nation WHERE c.nation = 2;
SELECT c.name, s.amount FROM sale s RIGHT JOIN customer c ON s.customer = c.id WHERE c.id = 7;
SELECT c.name, s.amount, u.name FROM customer c, sale s, supplier u WHERE c.id = s.customer AND s.supplier = u.id AND u.id = 1 AND c.nation = u.nation;
SELECT c.name, x.n FROM customer c LEFT JOIN (SELECT customer, count(*) AS n FROM sale GROUP BY customer) x ON x.customer = c.id WHERE c.id = 3;
SELECT * FROM customer c FULL JOIN supplier u ON c.id = u.id WHERE c.id = 2;
SELECT a.name, b.name, sum(s.amount) FROM sale s, supplier u, customer c, nation a, nation b WHERE u.id = s.supplier AND c.id = s.customer AND u.nation = a.id AND c.nation = b.id AND ((a.name = 'F' AND b.name = 'G') OR (a.name = 'G' AND b.name = 'F')) GROUP BY a.name, b.name;
SELECT s.id, u.name FROM sale s, supplier u WHERE (u.id = s.supplier AND s.kind = 'a' AND s.size < 3) OR (u.id = s.supplier AND s.kind = 'b' AND u.nation = 2);
SELECT s.id, u.name FROM sale s, supplier u WHERE (u.id = s.supplier AND s.kind = 'a') OR u.id = s.supplier;
SELECT s.id, u.name FROM sale s LEFT JOIN supplier u ON (u.id = s.supplier AND u.nation = 1 AND s.kind = 'a') OR (u.id = s.supplier AND u.nation = 2 AND s.kind = 'b');
SELECT s.id FROM sale s WHERE (s.kind = 'a' AND s.size = 1) OR (s.size = 1 AND s.kind = 'b') OR (s.size = 1 AND s.amount IS NULL);
SELECT s.id FROM sale s WHERE (s.size = 1 AND 10 / s.size > 3) OR (s.size = 2 AND 10 / s.size > 3);
SELECT a.supplier, a.total, b.total FROM paid a JOIN paid b ON a.total < b.total;
SELECT a.supplier, a.total - b.total FROM paid a JOIN paid b ON a.supplier = b.supplier + 1;
SELECT supplier, total FROM paid UNION ALL SELECT supplier, total FROM paid;
SELECT supplier, total FROM paid EXCEPT SELECT supplier, total FROM paid WHERE n > 7;
SELECT * FROM (SELECT id, size + 1 AS z FROM sale WHERE kind = 'a') x JOIN (SELECT id, size + 1 AS z FROM sale WHERE kind = 'a') y ON x.z = y.z AND x.id < y.id;
SELECT u.name, c.name FROM supplier u, customer c WHERE u.nation = c.nation AND u.nation = 2 AND c.id = u.id;
@changes
UPDATE customer SET nation = 2 WHERE id = 2;
UPDATE sale SET customer = 2 WHERE id % 4 = 0;
UPDATE customer SET id = 7 WHERE id = 2;
INSERT INTO sale VALUES (100, 1, 7, NULL, NULL, 1), (101, NULL, 7, 0, 'a', 1), (102, 2, NULL, -1, 'b', 2);
UPDATE nation SET name = CASE name WHEN 'F' THEN 'G' ELSE 'F' END WHERE id < 3;
UPDATE supplier SET id = 5 WHERE id = 1;
UPDATE sale SET size = 3 - size WHERE size IN (1, 2);
DELETE FROM sale WHERE supplier = 2;
DELETE FROM customer WHERE id = 7;
INSERT INTO customer VALUES (2, 2, 'again');
UPDATE nation SET name = NULL;
TRUNCATE sale;
INSERT INTO sale VALUES (1, 2, 2, 5, 'a', 1);
