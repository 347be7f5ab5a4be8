-- Set-returning functions and functions that return rows, which Postgres computes for us.
@schema
CREATE TYPE pair AS (a int, b text);
CREATE TABLE t(id int PRIMARY KEY, s text, j jsonb, n int, at timestamptz);
CREATE FUNCTION evens(n int) RETURNS SETOF int LANGUAGE sql IMMUTABLE AS 'SELECT 2 * g FROM generate_series(1, n) g';
CREATE FUNCTION parts(s text, OUT head text, OUT len int) RETURNS SETOF record LANGUAGE sql IMMUTABLE AS 'SELECT x, length(x) FROM string_to_table(s, '','') x';
CREATE FUNCTION split_at(s text, n int, OUT a text, OUT b text) LANGUAGE sql IMMUTABLE AS 'SELECT left(s, n), substr(s, n + 1)';
CREATE FUNCTION pairs(n int) RETURNS SETOF pair LANGUAGE sql IMMUTABLE AS 'SELECT g, ''p'' || g FROM generate_series(1, n) g';
CREATE FUNCTION tab(n int) RETURNS TABLE(x int, y numeric) LANGUAGE sql IMMUTABLE AS 'SELECT g, g / 2.0 FROM generate_series(1, n) g';
CREATE FUNCTION few(n int) RETURNS SETOF int LANGUAGE sql STABLE AS 'SELECT n';
INSERT INTO t VALUES (1, 'a,b c,d', '[{"a": 1, "b": "x"}, {"a": 2}]', 3, '2024-01-31 10:00Z'), (2, '', '[]', 0, NULL), (3, NULL, NULL, NULL, '2024-02-28 23:00Z'),
 (4, 'one two  three', '{"a": [1, {"b": 2}], "c": null}', 2, '2023-12-31 00:00Z'), (5, 'x1y22z333', '[{"a": null, "b": "q\"uo\\te, (x)"}]', 1, '2024-01-01 00:00Z');
@queries
SELECT id, w FROM t, regexp_split_to_table(s, '\s+') w;
SELECT id, w, k FROM t, regexp_split_to_table(s, ',') WITH ORDINALITY x(w, k);
SELECT w, count(*) FROM t, regexp_split_to_table(s, '[ ,]') w GROUP BY w;
SELECT id, w FROM t, string_to_table(s, ',') w;
SELECT id, w FROM t, string_to_table(s, NULL) w;
SELECT id, w FROM t, string_to_table(s, ' ', '') w;
SELECT id, m FROM t, regexp_matches(s, '\d+', 'g') m;
SELECT id, m FROM t LEFT JOIN LATERAL regexp_matches(s, '(\w)(\d+)', 'g') m ON true;
SELECT id, regexp_split_to_table(s, ',') FROM t;
SELECT id, regexp_split_to_table(s, ','), generate_series(1, n) FROM t;
SELECT id, regexp_matches(s, '[a-z]') FROM t;
SELECT id, e FROM t, evens(n) e;
SELECT id, evens(n) FROM t;
SELECT e FROM evens(4) e;
SELECT id, p.* FROM t, parts(s) p;
SELECT id, head FROM t, parts(s) WHERE len > 1;
SELECT id, a, b FROM t, split_at(s, n);
SELECT id, p.a, p.b FROM t LEFT JOIN LATERAL pairs(n) p ON p.a > 1;
SELECT id, x, y, o FROM t, tab(n) WITH ORDINALITY q(x, y, o);
SELECT id, x.* FROM t, jsonb_to_recordset(j) AS x(a int, b text) WHERE jsonb_typeof(j) = 'array';
SELECT id, x.a, x.b FROM (SELECT id, j FROM t WHERE id IN (1, 5)) s, jsonb_to_recordset(j) AS x(a numeric(5,1), b varchar(10));
SELECT id, x.* FROM (SELECT id, j FROM t WHERE id = 4) s, jsonb_to_record(j) AS x(a jsonb, c text);
SELECT id, x.* FROM (SELECT id, j FROM t WHERE id IN (1, 5)) s, jsonb_populate_recordset(NULL::pair, j) x;
SELECT id, v FROM t, jsonb_path_query(j, '$[*].a') v;
SELECT id, k, v FROM t, ROWS FROM (regexp_split_to_table(s, ','), evens(n)) WITH ORDINALITY x(k, v, o);
SELECT w, sum(id) FROM t, unnest(string_to_array(s, ' ')) w GROUP BY w;
SELECT id, l FROM t, unnest(to_tsvector('simple', s)) u(l, p, w);
SELECT d FROM t, generate_series(at, at + interval '3 days', interval '36 hours') d;
SELECT id FROM t WHERE 'b' IN (SELECT regexp_split_to_table(s, '[ ,]'));
SELECT id, (SELECT string_agg(w, '|' ORDER BY w) FROM regexp_split_to_table(s, ',') w) FROM t;
WITH RECURSIVE r(w, d) AS (SELECT s, 0 FROM t UNION ALL SELECT x, d + 1 FROM r, regexp_split_to_table(w, CASE d WHEN 0 THEN ',' ELSE ' ' END) x WHERE d < 2) SELECT w, d, count(*) FROM r GROUP BY w, d;
refuse: SELECT id, x FROM t, few(n) x;
@changes
INSERT INTO t VALUES (6, 'p,,q', '[{"a": 7, "b": ""}]', 4, '2024-03-31 00:00Z');
UPDATE t SET s = s || ',more 12' WHERE id < 5;
UPDATE t SET n = n + 1;
UPDATE t SET s = 'b' WHERE id = 2;
UPDATE t SET j = '[{"a": "no number"}]' WHERE id = 5;
UPDATE t SET j = '[{"a": 5}]' WHERE id = 5;
DELETE FROM t WHERE id IN (1, 3);
DELETE FROM t;
