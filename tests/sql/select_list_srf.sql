-- Set-returning functions in the select list: in lockstep, nested, within expressions, with what
-- takes effect before and after them.
@schema
CREATE TABLE t(id int PRIMARY KEY, n int, m int, tags text[], nums int[], j jsonb);
INSERT INTO t VALUES (1, 3, 2, '{a,b}', '{1,2,3}', '["x", "y"]'), (2, 0, 1, '{}', '{4}', '[]'),
 (3, NULL, 4, NULL, '{5,5}', NULL), (4, 1, NULL, '{b,c,NULL}', NULL, '[null, 1]'), (5, 3, 2, '{a}', '{}', '["x"]');
@queries
SELECT generate_series(1, 3);
SELECT generate_series(1, 3), 'x' AS c;
SELECT id, generate_series(1, n) FROM t;
SELECT id, generate_series(1, n) AS a, generate_series(1, m) AS b FROM t;
SELECT id, generate_series(1, n), generate_series(1, n) FROM t;
SELECT id, generate_series(1, n) * 10 + m FROM t;
SELECT id, generate_series(1, n) + generate_series(1, m) FROM t;
SELECT generate_series(1, generate_series(1, n)) FROM t;
SELECT id, generate_series(1, generate_series(1, n)), generate_series(1, m) FROM t;
SELECT id, generate_series(1, generate_series(1, n) + 1) + generate_series(10, 11) FROM t;
SELECT id, unnest(tags) FROM t;
SELECT id, unnest(tags), unnest(nums) FROM t;
SELECT id, coalesce(upper(x), '-') FROM (SELECT id, unnest(tags) AS x FROM t) s;
SELECT id, x FROM (SELECT id, n, unnest(tags) AS x FROM t) s WHERE x = 'b';
SELECT id, x FROM (SELECT id, n, unnest(tags) AS x FROM t) s WHERE n > 1;
SELECT x, count(*) FROM (SELECT unnest(tags) AS x FROM t) s GROUP BY x;
SELECT unnest(tags) AS x, count(*) FROM t GROUP BY x;
SELECT unnest(tags) AS x, count(*), sum(n) FROM t GROUP BY 1 HAVING count(*) > 1;
SELECT unnest(nums) % 2 AS odd, m, count(*) FROM t GROUP BY 1, 2;
SELECT m, generate_series(1, count(*)) FROM t GROUP BY m;
SELECT m, generate_series(1, count(*)) AS g, sum(n) FROM t GROUP BY m ORDER BY m, g;
SELECT generate_series(1, max(n)) FROM t;
SELECT generate_series(1, 2) AS g, count(*) FROM t GROUP BY g;
SELECT unnest(tags) AS x, unnest(nums) AS y, count(*) FROM t GROUP BY x, y;
SELECT unnest(tags) AS x, generate_series(1, count(*)) AS k FROM t GROUP BY x;
SELECT DISTINCT unnest(tags) FROM t;
SELECT DISTINCT m, unnest(nums) FROM t;
SELECT DISTINCT unnest(tags) AS x FROM t ORDER BY x LIMIT 2;
SELECT unnest(tags) AS x, id FROM t ORDER BY x, id;
SELECT unnest(tags) AS x, id FROM t ORDER BY x DESC NULLS LAST, id LIMIT 3;
SELECT id, unnest(nums) FROM t ORDER BY id LIMIT 2;
SELECT id, unnest(nums) FROM t ORDER BY id DESC LIMIT 3 OFFSET 1;
SELECT unnest(nums) FROM t ORDER BY id LIMIT 4;
SELECT id, generate_series(3, 1, -1) FROM t ORDER BY id LIMIT 4;
SELECT id, generate_series(1, generate_series(1, 3)) FROM t ORDER BY id LIMIT 4;
SELECT generate_series(1, 10) LIMIT 3;
SELECT generate_series(1, 10) OFFSET 7;
SELECT generate_series(1, 3) ORDER BY 1 DESC;
SELECT id FROM t ORDER BY generate_series(1, n), id;
SELECT generate_series(1, 2) UNION ALL SELECT generate_series(2, 3);
SELECT generate_series(1, 2) UNION SELECT generate_series(2, 3);
SELECT n FROM t EXCEPT SELECT generate_series(0, 1);
SELECT id, jsonb_array_elements_text(j) FROM t;
SELECT id, jsonb_array_elements(j), jsonb_array_elements_text(j) FROM t;
SELECT a.id, b.g FROM t a JOIN (SELECT id, generate_series(1, n) AS g FROM t) b ON a.id = b.g;
SELECT g, h FROM generate_series(1, 2) g, (SELECT generate_series(3, 4) AS h) s;
WITH c AS (SELECT id, generate_series(1, n) AS g FROM t) SELECT x.id, y.id, x.g FROM c x JOIN c y USING (g) WHERE x.id < y.id;
SELECT generate_series(1, 2) WHERE false;
SELECT id, generate_series(1, n) FROM t WHERE id > 1 AND n < 3;
@changes
INSERT INTO t VALUES (6, 2, 5, '{z,a}', '{2}', '[[1]]');
UPDATE t SET n = n + 1;
UPDATE t SET n = 2 WHERE id = 3;
UPDATE t SET tags = tags || '{a,b}'::text[];
UPDATE t SET nums = '{7,8}', m = NULL WHERE id IN (1, 4);
UPDATE t SET tags = '{}' WHERE id = 1;
UPDATE t SET j = '1' WHERE id = 2;
UPDATE t SET j = '[2]' WHERE id = 2;
UPDATE t SET id = id + 10 WHERE id IN (2, 5);
DELETE FROM t WHERE id = 4;
DELETE FROM t;
INSERT INTO t VALUES (1, 1, 1, '{q}', '{1}', '["q"]');
