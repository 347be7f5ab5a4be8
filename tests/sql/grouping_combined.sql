-- Grouping within subqueries and around them, with windows, DISTINCT ON and set-returning functions.
@schema
CREATE TABLE o(id int PRIMARY KEY, k int, x int, t text);
INSERT INTO o VALUES (1, 1, 10, 'a'), (2, 1, 20, 'b'), (3, 2, 30, NULL), (4, NULL, NULL, 'd');
CREATE TABLE i(id int PRIMARY KEY, k int, y int);
INSERT INTO i VALUES (1, 1, 100), (2, 2, 200), (3, 3, 300), (4, NULL, 30), (5, 1, 7);
@queries
SELECT id, (SELECT max(s) FROM (SELECT sum(y) AS s FROM i WHERE i.k = o.k GROUP BY ROLLUP (y)) z) FROM o;
SELECT id, z.* FROM o, LATERAL (SELECT i.y, count(*) AS n, grouping(i.y) AS gr FROM i WHERE i.k = o.k GROUP BY ROLLUP (i.y)) z;
SELECT id, z.* FROM o LEFT JOIN LATERAL (SELECT i.y, sum(i.y + o.x) AS s FROM i WHERE i.k = o.k GROUP BY CUBE (i.y)) z ON true;
SELECT id, (SELECT array_agg(y ORDER BY y DESC) FROM i WHERE i.k = o.k), (SELECT string_agg(y::text, ',' ORDER BY id) FROM i WHERE i.k = o.k) FROM o;
SELECT id, (SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY y) FROM i WHERE i.k = o.k) FROM o;
SELECT id, (SELECT rank(o.x) WITHIN GROUP (ORDER BY y) FROM i WHERE i.k = o.k) FROM o;
SELECT id, (SELECT percentile_disc(o.k / 4.0) WITHIN GROUP (ORDER BY y) FROM i) FROM o;
SELECT id, (SELECT jsonb_agg(y ORDER BY y) FROM i WHERE i.k = o.k) FROM o;
SELECT id, (SELECT count(*) FROM i WHERE i.k = o.k GROUP BY ()) FROM o;
SELECT id, (SELECT string_agg(t || y::text, ',' ORDER BY i.id) FROM i WHERE i.k = o.k) FROM o;
SELECT k, grouping(k), rank() OVER (ORDER BY grouping(k), count(*), k), sum(count(*)) OVER (PARTITION BY grouping(k)) FROM o GROUP BY ROLLUP (k);
SELECT k, count(*) FROM o GROUP BY ROLLUP (k) HAVING count(*) > (SELECT count(*) FROM i WHERE i.k = o.k);
SELECT k, (SELECT max(y) FROM i WHERE i.k = o.k) FROM o GROUP BY ROLLUP (k);
SELECT k, count(*) FILTER (WHERE EXISTS (SELECT 1 FROM i WHERE i.k = o.k)), sum((SELECT max(y) FROM i WHERE i.k = o.k)) FROM o GROUP BY ROLLUP (k);
SELECT (SELECT max(y) FROM i WHERE i.k = o.k) AS m, count(*) FROM o GROUP BY 1;
SELECT (SELECT max(y) FROM i WHERE i.k = o.k) AS m, count(*) FROM o GROUP BY ROLLUP (1);
SELECT DISTINCT ON (k) k, count(*) FROM o GROUP BY CUBE (k, t) ORDER BY k, count(*) DESC;
SELECT id, stddev(x) OVER (ORDER BY id ROWS 1 PRECEDING), string_agg(t, ',') OVER (ORDER BY id), json_agg(x) OVER (ORDER BY id) FROM o;
SELECT unnest(array_agg(x ORDER BY x)) FROM o;
SELECT k, unnest(array_agg(x ORDER BY x)) FROM o GROUP BY k;
SELECT k IN (SELECT k FROM i), count(*) FROM o GROUP BY ROLLUP (k IN (SELECT k FROM i));
SELECT grouping(k) FROM o GROUP BY k HAVING (SELECT grouping(o.k)) = 0;
SELECT count(*) FROM o HAVING count(*) > 2;
SELECT 1 FROM o HAVING true;
SELECT sum(x) FROM o HAVING sum(x) IN (SELECT y FROM i);
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
