-- Errors: where Postgres raises them, a plan is FAILED for as long; what its planner already fails on
-- is refused with its own error; what it never evaluates is none.
@schema
CREATE TABLE er0(id int PRIMARY KEY, k int, t text);
@queries
SELECT 10 / 0 FROM er0;
SELECT CASE WHEN id = 5 THEN 10 / 0 END FROM er0;
SELECT id FROM er0 WHERE false AND 1 / 0 > 1;
SELECT id FROM er0 WHERE id > 100 AND 1 / 0 > 1;
SELECT coalesce(1, 1 / 0) FROM er0;
SELECT coalesce(k, 1 / 0) FROM er0;
SELECT 10 / k FROM er0;
SELECT sum(10 / k) FROM er0 GROUP BY t;
SELECT 'x'::text::int FROM er0;
SELECT t::int FROM er0;
SELECT id FROM er0 ORDER BY 1 / k;
SELECT count(*) FROM er0 HAVING 1 / count(*) > 0;
SELECT count(*) FILTER (WHERE 1 / k > 0) FROM er0;
SELECT 1 / count(*) FROM er0;
SELECT a.id, 1 / b.k FROM er0 a JOIN er0 b ON a.id = b.id;
SELECT a.id, 1 / b.k FROM er0 a LEFT JOIN er0 b ON a.id = b.k;
SELECT DISTINCT 1 / k FROM er0;
SELECT id, (SELECT 1 / b.k FROM er0 b WHERE b.id = a.id) FROM er0 a;
SELECT id FROM er0 a WHERE EXISTS (SELECT 1 / 0 FROM er0 b WHERE b.id = a.id);
SELECT id, rank() OVER (ORDER BY 1 / k) FROM er0;
SELECT sum(1 / k) OVER (ORDER BY id) FROM er0;
SELECT * FROM (SELECT 1 / k AS x, id FROM er0) q WHERE id > 1;
SELECT id FROM (SELECT 1 / k AS x, id FROM er0) q;
WITH q AS (SELECT 1 / k AS x, id FROM er0) SELECT id FROM q;
SELECT 1 / k FROM er0 UNION SELECT id FROM er0;
SELECT (SELECT id FROM er0);
SELECT id, (SELECT k FROM er0) FROM er0;
SELECT id FROM er0 WHERE k = (SELECT k FROM er0 WHERE id > 1);
SELECT max(1 / k) FROM er0;
SELECT generate_series(1, k) / (k - 2) FROM er0;
@changes
INSERT INTO er0 VALUES (1, 1, '1');
INSERT INTO er0 VALUES (2, 0, '2');
UPDATE er0 SET k = 2 WHERE id = 2;
UPDATE er0 SET t = 'x' WHERE id = 1;
INSERT INTO er0 VALUES (3, NULL, NULL), (5, 3, '7');
UPDATE er0 SET k = 0 WHERE id = 5;
DELETE FROM er0 WHERE id < 3;
UPDATE er0 SET k = 1;
DELETE FROM er0;
