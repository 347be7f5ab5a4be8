-- Aggregates that Postgres computes from the rows of their group; users' own among them.
@schema
CREATE TABLE q(id int PRIMARY KEY, g int, r int4range, mr int4multirange, m money, bt bit(4), ip inet, x xml, ia int[], jb jsonb, n int, t text, d date, f float8, p point);
INSERT INTO q VALUES
 (1, 1, '[1,5)', '{[1,3),[7,9)}', 1.5, B'1010', '10.0.0.1', '<a/>', '{1,2}', '{"b": 1, "a": [1,  2]}', 3, 'x', '2024-01-01', 1.5, '(1,2)'),
 (2, 1, '[3,8)', NULL, -2, B'0110', '::1', NULL, '{0}', '[1, null]', 1, NULL, '2023-01-01', 'NaN', NULL),
 (3, 1, NULL, '{}', NULL, NULL, NULL, '<b>q "x"</b>', NULL, NULL, NULL, 'a,b', NULL, NULL, NULL),
 (4, 2, '[1,2)', '{[2,3)}', 10, B'1111', '192.168.1.0/24', 'txt', '{1,2}', '"s"', 7, 'é\', '2024-01-01', 2, '(0,0)'),
 (5, 2, 'empty', '{[5,6)}', 3, B'0001', '10.0.0.1', '<c/>', '{1,2,3}', '1.50', 7, 'x', NULL, 3, NULL),
 (6, NULL, '(,4]', NULL, 0.01, B'1000', NULL, NULL, '{}', 'null', 2, '', NULL, NULL, NULL);
CREATE FUNCTION cat2(text, text, text) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT coalesce($1, '') || '<' || coalesce($2, 'NULL') || $3 || '>' $$;
CREATE AGGREGATE concat_all(text, text) (sfunc = cat2, stype = text);
CREATE FUNCTION mulf(int, int) RETURNS int LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT $1 * $2 $$;
CREATE AGGREGATE product(int) (sfunc = mulf, stype = int, initcond = '1');
CREATE FUNCTION inc(bigint) RETURNS bigint LANGUAGE sql IMMUTABLE AS $$ SELECT $1 + 1 $$;
CREATE AGGREGATE howmany(*) (sfunc = inc, stype = bigint, initcond = '0');
CREATE FUNCTION shaky(int, int) RETURNS int LANGUAGE sql VOLATILE AS $$ SELECT $1 + $2 $$;
CREATE AGGREGATE shakysum(int) (sfunc = shaky, stype = int, initcond = '0');
CREATE FUNCTION invf(int, int) RETURNS int LANGUAGE sql IMMUTABLE AS $$ SELECT $1 + 100 / $2 $$;
CREATE AGGREGATE invsum(int) (sfunc = invf, stype = int, initcond = '0');
CREATE FUNCTION joinv(text, VARIADIC text[]) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT coalesce($1, '') || array_to_string($2, '+', '?') $$;
CREATE AGGREGATE joinall(VARIADIC text[]) (sfunc = joinv, stype = text);
@queries
SELECT range_agg(r), range_intersect_agg(r) FROM q;
SELECT g, range_agg(r), range_agg(mr), range_intersect_agg(mr) FROM q GROUP BY g;
SELECT g, sum(m), min(m), max(m) FROM q GROUP BY g;
SELECT g, bit_and(bt), bit_or(bt), bit_xor(bt) FROM q GROUP BY g;
SELECT g, min(ip), max(ip), min(ia), max(ia) FROM q GROUP BY g;
SELECT g, xmlagg(x ORDER BY id) FROM q GROUP BY g;
SELECT g, jsonb_agg(n ORDER BY id), jsonb_agg(jb ORDER BY id), jsonb_agg(t ORDER BY id), jsonb_agg(d ORDER BY id), jsonb_agg(ia ORDER BY id) FROM q GROUP BY g;
SELECT jsonb_object_agg(id, t ORDER BY id), jsonb_object_agg(coalesce(t, 'none'), jb ORDER BY id) FROM q;
SELECT g, jsonb_object_agg(t, n) FROM q GROUP BY g;
SELECT jsonb_agg(DISTINCT n), jsonb_agg(n ORDER BY n DESC, id), jsonb_agg(n ORDER BY id) FILTER (WHERE n > 1) FROM q;
SELECT g, concat_all(t, '!' ORDER BY id), concat_all(t, '!' ORDER BY t DESC NULLS LAST, id), concat_all(DISTINCT t, '?') FROM q GROUP BY g;
SELECT g, product(n), product(DISTINCT n), product(n) FILTER (WHERE id < 5), howmany(*) FROM q GROUP BY g;
SELECT product(n), howmany(*), invsum(n) FROM q;
SELECT g, product(n) * 2 + count(*) FROM q GROUP BY g HAVING product(n) > 1;
SELECT g, joinall(t, 'k' ORDER BY id), joinall(t, d::text, n::text ORDER BY id DESC) FROM q GROUP BY g;
SELECT g, array_agg(p ORDER BY id), array_agg(x ORDER BY id), json_agg(p ORDER BY id), array_agg(jb ORDER BY id) FROM q GROUP BY g;
SELECT g, percentile_disc(0.5) WITHIN GROUP (ORDER BY ip), mode() WITHIN GROUP (ORDER BY ia), percentile_disc(0.5) WITHIN GROUP (ORDER BY m DESC) FROM q GROUP BY g;
SELECT g, percentile_disc(coalesce(g, 0) / 2.0) WITHIN GROUP (ORDER BY ip) FROM q GROUP BY g;
SELECT g, rank(ip) WITHIN GROUP (ORDER BY ip), rank(n, ip) WITHIN GROUP (ORDER BY n, ip) FROM q GROUP BY g, n, ip;
SELECT g, range_agg(r), product(n), count(*) FROM q GROUP BY ROLLUP (g);
SELECT g, (SELECT product(n) FROM q y WHERE y.g = q.g AND y.id >= q.id) FROM q;
SELECT array_agg(i ORDER BY i USING >) FROM (SELECT n AS i FROM q) s;
SELECT sum(v) FROM (SELECT product(n) AS v FROM q GROUP BY g) s;
refuse: SELECT shakysum(n) FROM q;
@changes
UPDATE q SET n = n + 1, m = m * 2, bt = ~bt;
INSERT INTO q(id, g, r, n, t) VALUES (7, 2, '[100,200)', 5, 'neu'), (8, 3, NULL, NULL, NULL);
UPDATE q SET n = 0 WHERE id = 7;
UPDATE q SET n = 1 WHERE id = 7;
UPDATE q SET n = 2000000000 WHERE g = 2;
UPDATE q SET n = 2, t = 'same' WHERE g = 2;
UPDATE q SET g = 1;
DELETE FROM q WHERE id = 3;
UPDATE q SET r = NULL, mr = NULL, ip = NULL, ia = NULL, x = NULL, jb = NULL;
DELETE FROM q WHERE id < 6;
DELETE FROM q;
INSERT INTO q(id, g, r, n, t) VALUES (1, 1, '[1,2)', 4, 'x');
