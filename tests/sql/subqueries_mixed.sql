-- Subqueries over types, functions, arrays and recursion: what is native and what is delegated.
@schema
CREATE TABLE a(id int PRIMARY KEY, x int, y int, j jsonb, tags text[], d date);
CREATE TABLE t(id int PRIMARY KEY, k int, v int, j jsonb, tags text[], ts timestamp);
INSERT INTO a VALUES (1,1,1,'{"a":1}','{p,q}','2024-01-01'),(2,2,NULL,'{"b":[1]}','{}','2024-01-02'),(3,NULL,3,NULL,NULL,NULL);
INSERT INTO t VALUES (1,1,1,'{"a":1,"c":2}','{p}','2024-01-01 10:00'),(2,1,2,'{"b":[1,2]}','{q,r}','2024-01-02 00:00'),(3,2,3,'{}','{}',NULL);
@queries
SELECT id FROM a WHERE EXISTS (SELECT 1 FROM t WHERE t.j @> a.j);
SELECT id FROM a WHERE NOT EXISTS (SELECT 1 FROM t WHERE t.tags && a.tags);
SELECT id, EXISTS (SELECT 1 FROM t WHERE t.j @> a.j) FROM a;
SELECT id, (SELECT count(*) FROM t WHERE t.j @> a.j AND t.k = a.x) FROM a;
SELECT id, (SELECT max(md5(t.k::text || a.x)) FROM t WHERE t.k >= a.x) FROM a;
SELECT id FROM a WHERE md5(x::text) IN (SELECT md5(k::text) FROM t);
SELECT id FROM a WHERE md5(x::text) NOT IN (SELECT md5(k::text) FROM t);
SELECT id, md5(x::text) IN (SELECT md5(k::text) FROM t) FROM a;
SELECT id, ARRAY(SELECT upper(tag) FROM unnest(a.tags) tag ORDER BY tag) FROM a;
SELECT id, (SELECT string_agg(tag, ',' ORDER BY tag DESC) FROM unnest(a.tags) tag) FROM a;
SELECT id, x.key, x.value FROM a, LATERAL jsonb_each(a.j) x;
SELECT a.id, q.n FROM a, LATERAL (SELECT count(*) AS n FROM jsonb_each(a.j) e JOIN t ON t.j ? e.key) q;
SELECT a.id, t.id FROM a LEFT JOIN t ON t.ts::date = a.d AND EXISTS (SELECT 1 FROM t s WHERE s.j ? 'a' AND s.k = t.k);
SELECT id FROM a WHERE j->>'a' = ANY (SELECT t.j->>'a' FROM t);
SELECT id FROM a WHERE d < ALL (SELECT ts FROM t WHERE ts IS NOT NULL);
SELECT id, (SELECT jsonb_build_object('n', count(*), 'x', a.x) FROM t WHERE t.k = a.x) FROM a;
SELECT id, (SELECT (t.j || a.j)->'c' FROM t WHERE t.id = a.id) FROM a;
SELECT id, 'p' = ANY (a.tags) OR EXISTS (SELECT 1 FROM unnest(a.tags) q WHERE q > 'q') FROM a;
SELECT id, (SELECT extract(day FROM max(ts) - a.d::timestamp) FROM t) FROM a;
SELECT id, (x, y) < (SELECT k, v FROM t WHERE t.id = a.id) FROM a;
SELECT id, ROW(x, y) = (SELECT k, v FROM t WHERE t.k = a.x ORDER BY id LIMIT 1) FROM a;
SELECT id, (x, y) = ANY (SELECT k, v FROM t) FROM a;
SELECT id, (x, y) >= ALL (SELECT k, v FROM t) FROM a;
rerun: SELECT id FROM a ORDER BY id LIMIT (SELECT count(*) FROM t WHERE k = 1);
SELECT id, (SELECT row_to_json(s) FROM (SELECT t.k, t.v FROM t WHERE t.id = a.id) s) FROM a;
rerun: SELECT id, (SELECT t FROM t WHERE t.id = a.id) FROM a;
SELECT id, (SELECT g FROM generate_series(1, (SELECT count(*)::int FROM t)) g ORDER BY g DESC LIMIT 1) FROM a;
SELECT id, (WITH RECURSIVE r(n) AS (SELECT a.x UNION ALL SELECT n + 1 FROM r WHERE n < 4) SELECT count(*) FROM r) FROM a;
WITH RECURSIVE r(n) AS (SELECT min(x) FROM a UNION SELECT t.v FROM t, r WHERE t.k = r.n AND EXISTS (SELECT 1 FROM a WHERE a.x = t.k)) SELECT n FROM r;
WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < (SELECT max(k) FROM t)) SELECT n FROM r;
WITH RECURSIVE r(n) AS (SELECT 1 UNION SELECT q.v FROM r, LATERAL (SELECT v FROM t WHERE t.k = r.n ORDER BY v LIMIT 1) q) SELECT n FROM r;
SELECT id, x < ANY (SELECT v FROM t WHERE t.k = a.x), y >= ALL (SELECT v FROM t), d > ANY (SELECT ts FROM t) FROM a;
SELECT id, x::bigint <= ALL (SELECT v FROM t), y::numeric > ANY (SELECT k FROM t), x::text < ALL (SELECT k::text FROM t) FROM a;
SELECT id FROM a WHERE x < ANY (SELECT v FROM t);
SELECT id FROM a WHERE NOT (x < ANY (SELECT v FROM t WHERE t.k > a.y));
SELECT k, count(*) FROM t GROUP BY k HAVING count(*) >= ALL (SELECT count(*) FROM t GROUP BY k);
@changes
UPDATE t SET j = '{"a":1,"b":[1]}', tags = '{p,q}' WHERE id = 3;
UPDATE a SET j = '{"c":2}', tags = '{r,s}', x = 2, y = 3 WHERE id = 3;
DELETE FROM t WHERE id = 1;
INSERT INTO t VALUES (4, 1, 2, '{"c":2}', NULL, '2024-01-01'), (5, 3, 4, '[]', '{s}', NULL);
DELETE FROM t;
