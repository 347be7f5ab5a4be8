-- Values that are equal but spelled differently: what shows is a spelling that is there.
@schema
CREATE TABLE s(id int PRIMARY KEY, n numeric, f float8, c char(5), v int);
INSERT INTO s VALUES (1, 1.0, 0, 'a', 1), (2, 2.50, 1, 'b', 2);
CREATE TABLE r(id int PRIMARY KEY, n numeric);
INSERT INTO r VALUES (1, 2.5), (2, 7.0);
@queries
SELECT n, count(*), sum(v) FROM s GROUP BY n;
SELECT DISTINCT n FROM s;
SELECT DISTINCT n, f FROM s;
SELECT f, count(*) FROM s GROUP BY f;
SELECT c, count(*) FROM s GROUP BY c;
SELECT sum(DISTINCT n), avg(DISTINCT n), count(DISTINCT n) FROM s;
SELECT array_agg(DISTINCT n), array_agg(DISTINCT f) FROM s;
SELECT n FROM s EXCEPT SELECT n FROM r;
SELECT n FROM s EXCEPT ALL SELECT n FROM r;
SELECT n, v, count(*) FROM s GROUP BY ROLLUP (n, v);
SELECT n FROM s UNION SELECT n FROM s;
SELECT min(n), max(n), min(f), max(f) FROM s WHERE id = 1;
@changes
UPDATE s SET n = 1.00 WHERE id = 1;
UPDATE s SET f = '-0' WHERE id = 1;
UPDATE s SET n = 2.5000 WHERE id = 2;
UPDATE s SET n = 1.000 WHERE id = 2;
UPDATE s SET n = 1.000 WHERE id = 1;
UPDATE s SET n = 7, f = 0;
UPDATE r SET n = 7.00 WHERE id = 2;
UPDATE s SET n = 7.000;
DELETE FROM r WHERE id = 2;
UPDATE s SET n = 2.50;
DELETE FROM s WHERE id = 1;
UPDATE s SET n = 2.5;
DELETE FROM s;
