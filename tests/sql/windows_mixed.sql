-- Windows in views, over joins, partitions, sets and series, with parameters, and with errors that come and go.
@schema
CREATE TABLE w(id int PRIMARY KEY, g text, a int, b bigint, n numeric, f float8, d date, s text, c char(4));
CREATE VIEW vw AS SELECT id, g, row_number() OVER (PARTITION BY g ORDER BY id) AS rn, sum(a) OVER (PARTITION BY g) AS t FROM w;
CREATE TABLE pt(k int, v int, PRIMARY KEY (k, v)) PARTITION BY RANGE (k);
CREATE TABLE pt1 PARTITION OF pt FOR VALUES FROM (0) TO (10);
CREATE TABLE pt2 PARTITION OF pt FOR VALUES FROM (10) TO (20);
INSERT INTO w VALUES (1, 'p', 1, 10, 1.0, 0.5, '2020-01-01', 'aa','a'), (2, 'p', 1, 20, 1.00, NULL, '2020-01-03', 'b','a '),
 (3, 'p', 2, NULL, 2.5, 'NaN', NULL, 'c',NULL), (4, 'p', NULL, 40, NULL, 1, '2019-12-31', NULL,'b'), (5, 'q', 5, 50, 3, 2, '2020-02-01', 'aa','c'),
 (6, 'q', 5, 60, -3, -2, '2020-02-01', 'd','a'), (7, NULL, 7, 70, 0, 0, NULL, '','');
INSERT INTO pt VALUES (1,1),(1,2),(11,1),(12,5);
@queries
params [2]: SELECT id, sum(a) OVER (ORDER BY id ROWS BETWEEN $1 PRECEDING AND CURRENT ROW) FROM w;
params [1, 2]: SELECT id, sum(a) OVER (ORDER BY id ROWS BETWEEN $1 PRECEDING AND $2 + 1 FOLLOWING) FROM w;
params [2]: SELECT id, sum(a) OVER (ORDER BY a RANGE BETWEEN $1 PRECEDING AND CURRENT ROW) FROM w;
params ["1.5"]: SELECT id, sum(a) OVER (ORDER BY n RANGE BETWEEN $1 PRECEDING AND CURRENT ROW) FROM w;
params ["1 day"]: SELECT id, sum(a) OVER (ORDER BY d RANGE BETWEEN $1 PRECEDING AND CURRENT ROW) FROM w;
params [3]: SELECT id, ntile($1) OVER (ORDER BY id), lag(a, $1) OVER (ORDER BY id), nth_value(a, $1) OVER (ORDER BY id) FROM w;
params [-1]: SELECT id, sum(a) OVER (ORDER BY a RANGE BETWEEN $1 PRECEDING AND CURRENT ROW) FROM w WHERE g = 'zz';
SELECT * FROM vw;
SELECT * FROM vw WHERE rn = 1;
SELECT * FROM vw WHERE g = 'p';
SELECT a.id, b.id FROM vw a JOIN vw b ON a.g = b.g AND a.rn + 1 = b.rn;
SELECT g, max(rn) FROM vw GROUP BY g;
SELECT k, v, row_number() OVER (PARTITION BY k ORDER BY v) FROM pt;
SELECT k, count(*), sum(count(*)) OVER (ORDER BY k) FROM pt GROUP BY k;
SELECT id, count(*) OVER (PARTITION BY n), sum(id) OVER (PARTITION BY c), count(*) OVER (PARTITION BY f) FROM w;
SELECT id, rank() OVER (ORDER BY c), dense_rank() OVER (ORDER BY n), rank() OVER (ORDER BY f DESC) FROM w;
SELECT id, ntile(a - 1) OVER (PARTITION BY id) FROM w WHERE a IS NOT NULL;
SELECT id, nth_value(id, a - 1) OVER (ORDER BY id) FROM w WHERE a IS NOT NULL;
SELECT x.id, x.r FROM (SELECT id, rank() OVER (ORDER BY sum DESC NULLS LAST, id) AS r FROM (SELECT id, sum(a) OVER (PARTITION BY g ORDER BY id) AS sum FROM w) y) x WHERE x.r < 4;
SELECT g, a, sum(sum(a)) OVER (PARTITION BY g ORDER BY a), count(*) FILTER (WHERE b > 20), first_value(count(*)) OVER (PARTITION BY g ORDER BY a) FROM w GROUP BY g, a;
SELECT upper(g) u, count(*), rank() OVER (PARTITION BY upper(g) IS NULL ORDER BY count(*), upper(g)) FROM w GROUP BY upper(g);
SELECT w.id, p.k, count(*) OVER (PARTITION BY p.k) FROM w LEFT JOIN pt p ON p.v = w.a;
SELECT w.id, p.k, row_number() OVER (PARTITION BY w.id ORDER BY p.k, p.v) r FROM w FULL JOIN pt p ON p.v = w.a ORDER BY r DESC, w.id, p.k FETCH FIRST 2 ROWS WITH TIES;
SELECT DISTINCT ON (r) r, id FROM (SELECT id, rank() OVER (ORDER BY a) r FROM w) x ORDER BY r, id DESC;
SELECT id FROM w WHERE id IN (SELECT id FROM (SELECT id, row_number() OVER (PARTITION BY g ORDER BY id DESC) AS r FROM w) x WHERE r = 1);
SELECT id, (SELECT r FROM (SELECT id, row_number() OVER (ORDER BY id DESC) AS r FROM w) y WHERE y.id = w.id) FROM w;
SELECT id, CASE WHEN a > 0 THEN sum(10 / a) OVER (PARTITION BY id) END FROM w;
SELECT id, sum(10 / a) FILTER (WHERE a <> 0) OVER (ORDER BY id) FROM w;
SELECT id, avg(n) OVER (ORDER BY id ROWS 1 PRECEDING), sum(n) OVER (ORDER BY id ROWS 1 PRECEDING), avg(b) OVER (PARTITION BY g ORDER BY id ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING) FROM w;
SELECT id, lag(id, 1, -1) OVER w1, lead(id) OVER w2, sum(a) OVER (w1 ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING), rank() OVER w2 FROM w WINDOW w1 AS (PARTITION BY g ORDER BY id), w2 AS (PARTITION BY g ORDER BY id DESC);
SELECT id, sum(a) OVER w - lag(sum) OVER (ORDER BY id) FROM (SELECT id, g, a, sum(a) OVER (PARTITION BY g) AS sum FROM w) x WINDOW w AS (ORDER BY id);
SELECT id, max(id) OVER (PARTITION BY g ORDER BY id GROUPS BETWEEN CURRENT ROW AND 1 FOLLOWING), min(s) OVER (ORDER BY id RANGE BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING EXCLUDE GROUP) FROM w;
WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 5) SELECT n, sum(n) OVER (ORDER BY n) FROM r;
SELECT * FROM generate_series(1, 3) g(i), LATERAL (SELECT id, row_number() OVER (ORDER BY id) AS r FROM w WHERE a >= i) x WHERE x.r <= 2;
SELECT id, array_agg(a) OVER (PARTITION BY g ORDER BY id ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING EXCLUDE GROUP), count(DISTINCT_A.g) OVER () FROM w JOIN (SELECT DISTINCT g FROM w) DISTINCT_A USING (g);
SELECT id, row_number() OVER (PARTITION BY 1 ORDER BY 'x'::text, id) FROM w;
SELECT id, count(*) OVER (ORDER BY a NULLS FIRST), count(*) OVER (ORDER BY a DESC NULLS LAST), count(*) OVER (ORDER BY a NULLS FIRST, id DESC) FROM w;
@changes
INSERT INTO w VALUES (8, 'q', 2, 5, 1.000, '-0', '2020-01-02', 'x', 'b ');
UPDATE w SET a = 1 WHERE id = 5;
UPDATE w SET a = 2 WHERE a = 1;
UPDATE w SET g = 'q' WHERE id IN (1, 3);
INSERT INTO pt VALUES (5, 5), (15, 2);
UPDATE w SET a = 0 WHERE id = 2;
UPDATE w SET a = 3 WHERE id = 2;
DELETE FROM w WHERE g IS NULL;
DELETE FROM pt WHERE k < 5;
INSERT INTO w SELECT 20 + i, chr(112 + i % 4), i % 5 + 2, i, i % 4, i % 3, date '2020-01-01' + i % 5, chr(97 + i % 4), chr(97 + i % 3) FROM generate_series(1, 25) i;
UPDATE w SET id = id + 100 WHERE id % 7 = 0;
UPDATE w SET n = n + 0.00, a = a + 1 WHERE g = 'q';
DELETE FROM w WHERE id % 2 = 0;
TRUNCATE pt;
DELETE FROM w;
