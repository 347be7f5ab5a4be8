-- VALUES as a statement, in FROM, with columns of what is beside and around it.
@schema
CREATE TABLE t(id int PRIMARY KEY, a int, b text, n numeric);
INSERT INTO t VALUES (1, 10, 'x', 1.5), (2, NULL, 'y', 2), (3, 30, NULL, NULL), (4, 10, 'z', 0);
@queries
VALUES (1, 'one'), (2, 'two'), (NULL, NULL);
VALUES (1), (2.5), (NULL) ORDER BY 1 DESC;
VALUES (3), (1), (2) ORDER BY 1 LIMIT 2;
SELECT * FROM (VALUES (1, 'a'), (2, 'b')) v(x, y);
SELECT y, count(*) FROM (VALUES (1, 'a'), (2, 'b'), (3, 'a')) v(x, y) GROUP BY y;
SELECT t.id, v.y FROM t JOIN (VALUES (10, 'ten'), (30, 'thirty')) v(x, y) ON t.a = v.x;
SELECT t.id, v.y FROM t LEFT JOIN (VALUES (10, 'ten'), (10, 'dix')) v(x, y) ON t.a = v.x;
SELECT t.id, v.x FROM t, LATERAL (VALUES (t.a), (t.id)) v(x);
SELECT t.id, v.x, v.k FROM t LEFT JOIN LATERAL (VALUES (t.a, 'a'), (t.id, 'id')) v(x, k) ON v.x > 5;
SELECT t.id, v.x FROM t CROSS JOIN LATERAL (VALUES (t.a + 1, t.b), (NULL, 'none')) v(x, y) WHERE v.y IS NOT NULL;
SELECT t.id, (SELECT max(x) FROM (VALUES (t.a), (t.id), (5)) v(x)) FROM t;
SELECT t.id, (SELECT string_agg(x, ',' ORDER BY x) FROM (VALUES (t.b), ('m')) v(x)) FROM t;
SELECT id FROM t WHERE (id, a) IN (VALUES (1, 10), (3, 30), (4, 11));
SELECT id FROM t WHERE a NOT IN (VALUES (10), (20));
SELECT id FROM t WHERE EXISTS (SELECT 1 FROM (VALUES (t.a), (20)) v(x) WHERE x > 15);
SELECT x FROM (VALUES (1), (2)) v(x) UNION ALL VALUES (2), (3);
SELECT x FROM (VALUES (1), (2)) v(x) INTERSECT VALUES (2), (3);
SELECT * FROM (VALUES ((SELECT count(*) FROM t), 'rows'), ((SELECT max(a)::bigint FROM t), 'max')) v(n, what);
WITH v(x, y) AS (VALUES (1, 2), (3, 4)) SELECT p.x, q.y FROM v p JOIN v q ON p.x < q.y;
SELECT v.x, t.id FROM (VALUES (1), (2), (5)) v(x) LEFT JOIN t ON t.id = v.x;
SELECT 12 / x FROM (VALUES (1), (2), (3)) v(x);
SELECT t.id, v.q FROM t, LATERAL (VALUES (100 / t.n)) v(q);
@changes
INSERT INTO t VALUES (5, 20, 'x', 4);
UPDATE t SET a = id WHERE id = 2;
DELETE FROM t WHERE id = 4;
UPDATE t SET n = 3, b = 'w' WHERE id = 3;
UPDATE t SET a = NULL;
DELETE FROM t;
INSERT INTO t VALUES (1, 10, 'x', 0);
UPDATE t SET n = 1;
