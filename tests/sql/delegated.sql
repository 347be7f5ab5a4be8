-- Functions, operators, casts and expression nodes that Postgres computes.
@schema
CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
CREATE TYPE pair AS (x int, y text);
CREATE DOMAIN posint AS int CHECK (VALUE > 0);
CREATE TABLE d (id int PRIMARY KEY, a int, n numeric, f float8, s text, v varchar(20), c char(8),
  ts timestamp, tz timestamptz, dt date, j jsonb, arr int[], m mood, p pair, r int4range, ip inet, bits varbit, b bytea);
CREATE TABLE e (id int PRIMARY KEY, d_id int, s text);
CREATE FUNCTION add_tax(numeric) RETURNS numeric IMMUTABLE LANGUAGE sql AS 'SELECT $1 * 1.19';
CREATE FUNCTION shout(t text, mark text DEFAULT '!') RETURNS text IMMUTABLE LANGUAGE plpgsql AS
  $$BEGIN IF t = 'boom' THEN RAISE EXCEPTION 'shouted at %', t USING ERRCODE = '22023'; END IF; RETURN upper(t) || mark; END$$;
CREATE FUNCTION twofold(a int, OUT twice int, OUT thrice int) IMMUTABLE LANGUAGE sql AS 'SELECT a * 2, a * 3';
CREATE FUNCTION total(VARIADIC v int[]) RETURNS bigint IMMUTABLE LANGUAGE sql AS 'SELECT sum(x) FROM unnest(v) x';
CREATE SCHEMA "odd Schema";
CREATE FUNCTION "odd Schema"."f'n"(int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT $1 + 1';
CREATE FUNCTION unsteady(int) RETURNS int VOLATILE LANGUAGE sql AS 'SELECT $1';
CREATE FUNCTION looks(int) RETURNS bigint STABLE LANGUAGE sql AS 'SELECT count(*) FROM e WHERE d_id = $1';
INSERT INTO d VALUES
 (1, 10, 1.50, 1.5, 'Hello World', 'abc', 'x', '2024-02-29 12:34:56.789', '2024-02-29 12:34:56+00', '2024-02-29', '{"k": [1, 2, {"z": null}], "s": "t"}', '{1,2,3}', 'ok', '(1,one)', '[1,5)', '10.0.0.1/8', B'1010', '\xdeadbeef'),
 (2, -7, 22.25, -0.0, 'quote '' and "double" \ back', 'ünï', 'yy', '1999-12-31 23:59:59', '1999-12-31 23:59:59+00', '1999-12-31', '[]', '{}', 'sad', '(2,"two, and")', 'empty', '::1', B'', '\x'),
 (3, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
 (4, 0, 0, 'NaN', '', '', '', 'infinity', '-infinity', 'infinity', '"x"', '{NULL,4}', 'happy', '(,)', '(,)', '192.168.1.0/24', B'1', '\x00'),
 (5, 2147483647, -1234567.891, 1e300, 'hello world', 'ABC', 'x', '2024-02-29 00:00:00', '2024-07-01 00:00:00+00', '2024-03-31', '{"k": 1}', '{{1,2},{3,4}}', 'ok', '(5,)', '[2,9]', '10.1.2.3', B'111', '\xff');
INSERT INTO e VALUES (1, 1, 'one'), (2, 1, 'two'), (3, 2, 'three'), (4, NULL, 'none');
@queries
SELECT id, initcap(s), reverse(s), md5(s), translate(s, 'lo', '01'), split_part(s, ' ', 1), s || a FROM d;
SELECT id, regexp_replace(s, '[aeiou]', '*', 'g'), regexp_match(s, '(\w+) (\w+)'), s ~* 'HELLO' AS re FROM d;
SELECT id, s SIMILAR TO '%(w|W)orld' AS sim, substring(s from '[a-z]+') AS sub, overlay(s placing 'XX' from 2 for 3) AS o FROM d;
SELECT id, to_char(ts, 'YYYY-MM-DD HH24:MI:SS.MS'), to_char(tz, 'Day DDD IYYY-IW TZ'), to_char(n, 'FM999,990.00') FROM d;
SELECT id, to_date(to_char(dt, 'YYYYMMDD'), 'YYYYMMDD') AS back FROM d WHERE isfinite(dt);
SELECT id, ts AT TIME ZONE 'Europe/Berlin' AS z, tz AT TIME ZONE 'America/New_York' AS w FROM d;
SELECT id, width_bucket(n, 0, 100, 7), scale(n), factorial(5), gcd(a, 15) FROM d WHERE a > -100;
SELECT id, arr[1], arr[2:3], array_length(arr, 1), arr || 9 AS app, cardinality(arr), 3 = ANY (arr) AS has, array_position(arr, 2) FROM d WHERE id < 5;
SELECT id, ARRAY[a, id] AS two, ARRAY[[a], [id]] AS nested, a = ANY (ARRAY[10, id, NULL]) AS is_in FROM d;
SELECT id, arr @> ARRAY[1] AS contains, arr && ARRAY[4, 5] AS overlap, arr = ARRAY[1, 2, 3] AS same FROM d;
SELECT id, array_to_string(arr, ','), string_to_array(s, ' '), to_json(arr), array_to_json(arr) FROM d;
SELECT id, r @> 3 AS has3, lower(r), upper(r), r * int4range(2, 4) AS inter, isempty(r), r && '[4,6)'::int4range AS ov FROM d;
SELECT id, j -> 'k' AS k, j ->> 's' AS s, j #> '{k,2}' AS deep, j @> '{"k": 1}' AS c, j ? 'k' AS has, jsonb_typeof(j) AS t, j['k'] AS sub FROM d;
SELECT id, jsonb_path_query_array(j, '$.k[*]') AS path, jsonb_set(j, '{new}', to_jsonb(a)) AS setted FROM d WHERE jsonb_typeof(j) = 'object';
SELECT id, jsonb_build_object('id', id, 'when', ts, 'm', m) AS o, json_build_array(s, f) AS l FROM d;
SELECT id, host(ip), masklen(ip), ip << '10.0.0.0/8'::inet AS inside, network(ip), set_masklen(ip, 4) FROM d;
SELECT id, m < 'happy'::mood AS less, m::text AS txt, m = 'ok' AS ok FROM d;
SELECT id, (p).x, (p).y, (p).x + 1 AS more, p IS NULL AS isnull, p IS NOT NULL AS isnotnull, p = ROW(1, 'one')::pair AS same FROM d;
SELECT id, ROW(a, s) AS r, ROW(id, a) IS NULL AS nn, (a, id) < (5, 3) AS lt, (id, a) >= (2, 0) AS ge, (s, id) > ('a', 1) AS sgt FROM d;
SELECT id, encode(b, 'base64'), length(b), b || '\x01'::bytea AS cat, get_byte(b || '\x07'::bytea, 0) FROM d;
SELECT id, bits & B'1100' AS anded FROM d WHERE length(bits) = 4;
SELECT id, extract(epoch FROM tz - '2000-01-01'::timestamptz) AS ep, age(ts, '2000-01-01'::timestamp) AS age, date_trunc('month', ts) + interval '1 mon' AS nm FROM d WHERE isfinite(ts) AND isfinite(tz);
SELECT id, make_interval(days => a) AS iv, make_date(2000, 1, id) AS md, justify_hours(interval '1 hour' * id) AS jh FROM d WHERE a BETWEEN -10 AND 100;
SELECT id, concat(s, '-', a, '-', ts) AS c, concat_ws('/', s, v, c) AS ws, format('%s is %I or %L', id, v, s) AS fm FROM d;
SELECT id, quote_literal(s), quote_ident(v), quote_nullable(a), s LIKE 'h%' AS lk, s ILIKE 'H%' AS il, starts_with(s, 'Hello') FROM d;
SELECT id, a::posint AS p FROM d WHERE a > 0;
SELECT id, s::varchar(3) AS v3, n::int AS i, f::text AS ft, c::text || '|' AS ct, a::bit(8) AS b8 FROM d WHERE f < 10;
SELECT id, add_tax(n) AS tax, shout(s) AS loud, shout(mark => '?', t => v) AS ask, "odd Schema"."f'n"(a) AS odd FROM d WHERE a < 1000;
SELECT id, (twofold(a)).thrice AS three, total(a, id, 3) AS t3, total(VARIADIC arr) AS tv FROM d WHERE id < 4;
SELECT id, make_time(hour => 1, sec => 3.5, min => id) AS t, make_date(day => id, month => 2, year => 2000) AS md FROM d WHERE id < 10;
SELECT id, CASE WHEN a <> 0 THEN shout(s, (100 / a)::text) ELSE 'zero' END AS lazy FROM d;
SELECT id, coalesce(shout(s), initcap(v), 'none') AS co, nullif(initcap(s), 'Hello World') AS nu FROM d;
SELECT count(*), initcap(s) AS k FROM d GROUP BY initcap(s);
SELECT shout(v) AS k, sum(add_tax(n)) AS t, max(reverse(s)) AS mx FROM d GROUP BY 1 HAVING bool_or(s ~ 'o');
SELECT DISTINCT lower(reverse(s)) AS k FROM d;
SELECT d.id, e.id AS eid FROM d JOIN e ON reverse(d.s) = reverse(e.s) OR shout(e.s) = 'ONE!';
SELECT d.id, e.id AS eid FROM d JOIN e ON d.id = e.d_id AND shout(e.s) ~ 'O';
SELECT d.id, e.id AS eid FROM d LEFT JOIN e ON d.id = e.d_id AND initcap(e.s) = 'One' AND reverse(d.s) <> reverse(e.s);
SELECT d.id, initcap(e.s) AS i FROM d LEFT JOIN e ON d.id = e.d_id;
SELECT to_jsonb(d) AS j, row_to_json(e.*) AS r FROM d, e WHERE d.id = e.d_id;
SELECT d.id, to_jsonb(e) AS j, e IS NULL AS nn, e.s FROM d LEFT JOIN e ON d.id = e.d_id;
SELECT d.*, e FROM e FULL JOIN d ON d.id = e.d_id AND e.s <> 'one';
SELECT count(e), count(d), count(DISTINCT e.s) FROM d LEFT JOIN (SELECT * FROM e WHERE s > 'o') e ON e.d_id = d.id WHERE e IS NULL OR e.id > 1;
SELECT row_to_json(q) AS j FROM (SELECT id, s AS name FROM e) q;
SELECT id, greatest(m, 'ok') AS g, least(ip, '10.0.0.5') AS l, greatest(r, '[3,4)') AS gr FROM d;
SELECT id, m IS DISTINCT FROM 'ok' AS dm, j IS DISTINCT FROM '[]' AS dj, ip IS NOT DISTINCT FROM '::1'::inet AS di FROM d;
SELECT id, xmlelement(NAME row, xmlattributes(id AS k), s) AS x, xmlforest(a AS "A", v) AS f FROM d WHERE s NOT LIKE '%\\%';
SELECT id FROM d WHERE regexp_replace(coalesce(s, ''), '\s', '', 'g') = 'HelloWorld' ORDER BY reverse(s), id;
SELECT id, upper(initcap(lower(reverse(s)))) AS nested, length(md5(reverse(s))) AS l FROM d ORDER BY md5(s) LIMIT 3;
SELECT id, s COLLATE "C" < 'a' AS cc, initcap(s COLLATE "C") AS ic, upper(s COLLATE "en-x-icu") AS icu, s COLLATE "en-x-icu" < 'i' AS lti FROM d;
SELECT id, ts::date AS d, tz::time AS t, dt::timestamptz AS z, ts::text AS x, s::bytea AS b FROM d WHERE s !~ '\\';
SELECT id, (s || ' ' || id)::tsvector @@ 'hello'::tsquery AS m, to_tsvector('simple', s) AS v FROM d WHERE id IN (1, 5);
SELECT id, num_nulls(a, s, m) AS nn, num_nonnulls(VARIADIC arr) AS nv FROM d WHERE id < 5;
rerun: SELECT id, pg_typeof(a)::text FROM d;
refuse: SELECT id, looks(id) FROM d;
rerun: SELECT id FROM d WHERE ts > now() - interval '1 day';
refuse: SELECT id, unsteady(a) FROM d;
@changes
INSERT INTO d (id, a, s, v) VALUES (6, 3, 'one', 'three'), (7, 3, 'one', 'three');
UPDATE d SET s = 'hello World', a = 11 WHERE id = 2;
DELETE FROM d WHERE id = 7;
INSERT INTO d (id, a, s) VALUES (8, 0, 'boom');
UPDATE d SET s = 'bang' WHERE id = 8;
UPDATE d SET s = 'boom' WHERE id IN (1, 8);
UPDATE d SET s = 'eno' WHERE id = 1;
DELETE FROM d WHERE id = 8;
UPDATE d SET arr = '{7,8,9}', j = '{"k": 1, "s": null}', m = 'sad', p = '(7,seven)', r = '[3,4)', ip = '10.9.9.9';
INSERT INTO e VALUES (5, 6, 'eno'), (6, 5, 'boom');
UPDATE e SET s = 'ONE' WHERE id = 6;
UPDATE d SET id = id + 100 WHERE id > 4;
UPDATE e SET d_id = 105 WHERE id > 3;
DELETE FROM e;
DELETE FROM d;
INSERT INTO d (id, a, s, n) VALUES (1, 1, 'again', 1.1);
