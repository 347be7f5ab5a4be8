-- Aggregates that stand in a subquery but are over the columns of an outer query.
@schema
CREATE TABLE o(id int PRIMARY KEY, k int, x int, t text);
INSERT INTO o VALUES (1, 1, 10, 'a'), (2, 1, 20, 'b'), (3, 2, 30, NULL), (4, NULL, NULL, 'd');
CREATE TABLE i(id int PRIMARY KEY, k int, y int);
INSERT INTO i VALUES (1, 1, 100), (2, 2, 200), (3, 3, 300), (4, NULL, 30), (5, 1, 7);
@queries
SELECT k, (SELECT count(o.x)) FROM o GROUP BY k;
SELECT k, (SELECT sum(o.x) + max(i.y) FROM i) FROM o GROUP BY k;
SELECT k, (SELECT max(i.y) FROM i WHERE i.y > sum(o.x)) FROM o GROUP BY k;
SELECT k, (SELECT count(*) FROM i WHERE i.k = count(o.x)) FROM o GROUP BY k;
SELECT k FROM o GROUP BY k HAVING EXISTS (SELECT 1 FROM i WHERE i.y = sum(o.x));
SELECT k, sum(x) FROM o GROUP BY k HAVING sum(x) IN (SELECT i.y FROM i WHERE i.y >= max(o.x));
SELECT (SELECT max(i.y) FROM i WHERE i.k < (SELECT count(o.id))) FROM o;
SELECT k, (SELECT (SELECT max(i.y) + sum(o.x)) FROM i) FROM o GROUP BY k;
SELECT k, (SELECT string_agg(o.t, ',' ORDER BY o.id)) FROM o GROUP BY k;
SELECT k, grouping(k), (SELECT grouping(o.k) + max(i.y) FROM i) FROM o GROUP BY ROLLUP (k);
SELECT count(*), (SELECT count(o.t) FROM i LIMIT 1) FROM o;
SELECT k, (SELECT i.y FROM i WHERE i.id = count(o.id) AND i.k = min(o.k)) FROM o GROUP BY k;
SELECT k, (SELECT sum(o.x) FILTER (WHERE o.t > 'a') + i.y FROM i WHERE i.id = 1) FROM o GROUP BY k;
@changes
INSERT INTO o VALUES (5, 2, 170, 'z'), (6, 3, 5, 'y');
UPDATE i SET y = y / 10;
UPDATE o SET k = 1 WHERE k IS NULL;
UPDATE o SET x = 10;
DELETE FROM i WHERE k = 1;
DELETE FROM o WHERE k = 2;
DELETE FROM i;
INSERT INTO i VALUES (1, 1, 20), (2, 3, 10);
DELETE FROM o;
