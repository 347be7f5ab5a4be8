-- Every aggregate: statistics, arrays, strings, JSON; with DISTINCT, FILTER and ORDER BY inside.
@schema
CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
CREATE TYPE pair AS (a int, b text);
CREATE TABLE a(id int PRIMARY KEY, g int, s smallint, i int, l bigint, n numeric, p numeric(10,3), f real, d float8, e float8,
  b bool, t text, v varchar(10), c char(4), dt date, ts timestamp, u uuid, by bytea, ia int[], js json, co pair, md mood);
INSERT INTO a VALUES
 (1, 1, 1, 10, 100, 1.5, 1.250, 1.5, 2, 1, true, 'b', 'x', 'ab', '2024-01-01', '2024-01-01 10:00', '00000000-0000-0000-0000-000000000001', '\x01', '{1,2}', '{"k" : 1}', ROW(1,'x'), 'ok'),
 (2, 1, 2, -5, -7, 2.25, 0.001, 0.5, 4, 2, false, 'a', NULL, 'b', '2023-01-01', NULL, '00000000-0000-0000-0000-000000000002', '\x', '{3,4}', '[1, 2]', ROW(2,NULL), 'sad'),
 (3, 1, NULL, 10, 9223372036854775807, -3, NULL, NULL, NULL, 3, NULL, NULL, 'y', NULL, NULL, '2024-05-01', NULL, NULL, NULL, NULL, NULL, NULL),
 (4, 2, 4, NULL, NULL, NULL, 99.999, 4, 8, NULL, true, 'c d', 'x', 'ab', '2024-01-01', NULL, '00000000-0000-0000-0000-000000000001', '\xdeadbeef', '{5,6}', '"s"', ROW(1,'x'), 'happy'),
 (5, 2, 4, 7, 3, 10, 0.5, 2, 16, 4, true, '', 'zz', '', '1999-12-31', '2000-01-01', NULL, '\x00ff', '{7,8}', 'null', ROW(NULL,'q "'), 'sad'),
 (6, NULL, -4, 7, 3, 0.000001, 7, 8, 32, 5, false, 'null', '{', ',', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
CREATE TABLE big(id int PRIMARY KEY, g int, n numeric, l bigint, d float8);
INSERT INTO big VALUES (1, 1, 123456789012345678901234567890.123456789, 9223372036854775807, 1e300), (2, 1, -0.000000000000000000001, -9223372036854775808, -1e300),
 (3, 1, 1e40, 5000000000, 1e-300), (4, 2, 'NaN', 1, 'NaN'), (5, 2, 5, 2, 'Infinity'), (6, 3, 'Infinity', 3, '-Infinity'), (7, 3, '-Infinity', 4, 0);
CREATE TABLE void(x int, y float8, t text, n numeric, PRIMARY KEY (x));
@queries
SELECT var_pop(s), var_samp(s), variance(s), stddev_pop(s), stddev_samp(s), stddev(s) FROM a;
SELECT var_pop(i), var_samp(i), variance(i), stddev_pop(i), stddev_samp(i), stddev(i) FROM a;
SELECT var_pop(l), var_samp(l), variance(l), stddev_pop(l), stddev_samp(l), stddev(l) FROM a;
SELECT var_pop(n), var_samp(n), variance(n), stddev_pop(n), stddev_samp(n), stddev(n) FROM a;
SELECT var_pop(p), var_samp(p), variance(p), stddev_pop(p), stddev_samp(p), stddev(p) FROM a;
SELECT g, var_pop(i), var_samp(l), stddev(n), stddev_pop(p), variance(s) FROM a GROUP BY g;
SELECT var_pop(x), var_samp(x), stddev(x), var_pop(n), stddev_samp(n), var_pop(y), stddev(y) FROM void;
SELECT g, var_pop(n), var_samp(n), stddev(n), stddev_pop(n), var_pop(l), var_samp(l), stddev(l), stddev_pop(l) FROM big GROUP BY g;
SELECT var_pop(DISTINCT i), stddev(DISTINCT i), var_samp(DISTINCT n), var_samp(i) FILTER (WHERE b) FROM a;
SELECT g, var_pop(d), var_samp(e) FROM a WHERE id < 4 GROUP BY g;
SELECT g, var_pop(e), stddev_pop(e) FROM a WHERE id IN (1, 2, 5) GROUP BY g;
SELECT var_pop(d), var_samp(d) FROM a WHERE d IN (2, 4, 8, 16) AND id <> 5;
SELECT g, var_pop(f), var_samp(f) FROM a WHERE id IN (1, 2) GROUP BY g;
SELECT g, round(var_pop(d)::numeric, 9), round(var_samp(d)::numeric, 9), round(stddev_pop(d)::numeric, 9), round(stddev(d)::numeric, 9), round(variance(f)::numeric, 5), round(stddev(f)::numeric, 5) FROM a GROUP BY g;
SELECT round(corr(d, e)::numeric, 9), round(covar_pop(d, e)::numeric, 9), round(covar_samp(d, e)::numeric, 9) FROM a;
SELECT g, regr_count(d, e), round(regr_avgx(d, e)::numeric, 9), round(regr_avgy(d, e)::numeric, 9), round(regr_sxx(d, e)::numeric, 9), round(regr_syy(d, e)::numeric, 9), round(regr_sxy(d, e)::numeric, 9) FROM a GROUP BY g;
SELECT round(regr_slope(d, e)::numeric, 9), round(regr_intercept(d, e)::numeric, 9), round(regr_r2(d, e)::numeric, 9) FROM a;
SELECT g, corr(d, e), covar_samp(d, e), regr_slope(d, e), regr_intercept(d, e), regr_r2(d, e) FROM a WHERE id IN (1, 2, 3, 4) GROUP BY g;
SELECT regr_count(y, x), corr(y, x), regr_sxx(y, x), covar_pop(y, x), regr_avgx(y, x) FROM void;
SELECT regr_r2(1, e), regr_slope(1, e), regr_r2(d, 1), corr(1, e), regr_intercept(d, 1) FROM a;
SELECT regr_count(e, d) FILTER (WHERE b), covar_pop(DISTINCT e, e) FROM a WHERE id IN (1, 2);
SELECT g, var_pop(d), var_samp(d), stddev(d) FROM big WHERE g > 1 GROUP BY g;
SELECT g, regr_avgx(1, d), regr_sxx(1, d), regr_sxy(1, d), regr_syy(1, d), corr(l, d), regr_avgy(l, d) FROM big WHERE g > 1 GROUP BY g;
SELECT g, var_pop(d) FROM big GROUP BY g;
SELECT covar_pop(d, d) FROM big WHERE g = 1;
SELECT array_agg(i ORDER BY i, id) FROM a;
SELECT g, array_agg(i ORDER BY id), array_agg(id ORDER BY i, id), array_agg(id ORDER BY i DESC, id), array_agg(id ORDER BY i NULLS FIRST, id DESC), array_agg(id ORDER BY i DESC NULLS LAST, id) FROM a GROUP BY g;
SELECT g, array_agg(t ORDER BY id), array_agg(v ORDER BY id), array_agg(c ORDER BY id), array_agg(b ORDER BY id) FROM a GROUP BY g;
SELECT g, array_agg(n ORDER BY id), array_agg(p ORDER BY id), array_agg(f ORDER BY id), array_agg(d ORDER BY id), array_agg(l ORDER BY id), array_agg(s ORDER BY id) FROM a GROUP BY g;
SELECT g, array_agg(dt ORDER BY id), array_agg(ts ORDER BY id), array_agg(u ORDER BY id), array_agg(by ORDER BY id), array_agg(md ORDER BY id), array_agg(co ORDER BY id) FROM a GROUP BY g;
SELECT array_agg(DISTINCT i), array_agg(DISTINCT t), array_agg(DISTINCT g), array_agg(DISTINCT dt), array_agg(DISTINCT b) FROM a;
SELECT array_agg(DISTINCT i ORDER BY i DESC), array_agg(DISTINCT t ORDER BY t DESC NULLS LAST), array_agg(DISTINCT g ORDER BY g NULLS FIRST) FROM a;
SELECT g, array_agg(i ORDER BY id) FILTER (WHERE i > 0), array_agg(DISTINCT i) FILTER (WHERE b) FROM a GROUP BY g;
SELECT array_agg(i + 1 ORDER BY id), array_agg(upper(t) ORDER BY id), array_agg(i ORDER BY i % 3, id), array_agg(t ORDER BY length(t), id) FROM a;
SELECT array_agg(x) FROM void;
SELECT g, array_agg(g) FROM a GROUP BY g;
SELECT array_agg(NULL::int ORDER BY id), array_agg(1 ORDER BY id), array_agg('x'::text ORDER BY id) FROM a;
SELECT array_agg(ia ORDER BY id) FROM a WHERE ia IS NOT NULL;
SELECT array_agg(ia ORDER BY id) FROM a;
SELECT g, array_agg(ia ORDER BY id DESC) FROM a WHERE id IN (1, 2, 4, 5) GROUP BY g;
SELECT string_agg(t, ',' ORDER BY id), string_agg(t, ',' ORDER BY t), string_agg(t, ', ' ORDER BY t DESC, id), string_agg(v, '' ORDER BY v) FROM a;
SELECT g, string_agg(t, '-' ORDER BY id), string_agg(v, NULL ORDER BY id), string_agg(t, v ORDER BY id), string_agg(c, '|' ORDER BY id) FROM a GROUP BY g;
SELECT string_agg(DISTINCT t, ','), string_agg(DISTINCT v, '/'), string_agg(DISTINCT v, '/' ORDER BY v DESC) FROM a;
SELECT g, string_agg(t, ',' ORDER BY id) FILTER (WHERE b), string_agg(i::text, ',' ORDER BY i, id) FROM a GROUP BY g;
SELECT string_agg(t, ',') FROM void;
SELECT string_agg(t COLLATE "C", ',' ORDER BY t COLLATE "C") FROM a;
SELECT count(*), string_agg(t, '; ' ORDER BY t) AS names FROM a GROUP BY g HAVING string_agg(t, '; ' ORDER BY t) <> '';
SELECT json_agg(i ORDER BY id), json_agg(t ORDER BY id), json_agg(n ORDER BY id), json_agg(b ORDER BY id), json_agg(dt ORDER BY id), json_agg(ts ORDER BY id) FROM a;
SELECT g, json_agg(js ORDER BY id), json_agg(co ORDER BY id), json_agg(ia ORDER BY id), json_agg(u ORDER BY id), json_agg(md ORDER BY id) FROM a GROUP BY g;
SELECT json_agg(i ORDER BY id)::text, json_agg(js ORDER BY id)::text, json_agg(co ORDER BY id)::text, json_agg(ia ORDER BY id)::text, json_agg(t ORDER BY id)::text FROM a;
SELECT json_agg(DISTINCT i), json_agg(DISTINCT t ORDER BY t DESC), json_agg(i ORDER BY id) FILTER (WHERE i > 7) FROM a;
SELECT json_agg(x) FROM void;
SELECT json_object_agg(id, i ORDER BY id), json_object_agg(id, t ORDER BY id DESC)::text FROM a;
SELECT g, json_object_agg(id::text || 'k', n ORDER BY id), json_object_agg(i, id ORDER BY id) FILTER (WHERE i IS NOT NULL), json_object_agg(id, co ORDER BY id)::text FROM a GROUP BY g;
SELECT json_object_agg(t, i ORDER BY id) FROM a;
SELECT json_object_agg(dt, i ORDER BY id) FROM a WHERE dt IS NOT NULL;
SELECT json_object_agg(x, t) FROM void;
SELECT jsonb_agg(i ORDER BY id), jsonb_agg(t ORDER BY id), jsonb_agg(n ORDER BY id), jsonb_agg(d ORDER BY id), jsonb_agg(b ORDER BY id), jsonb_agg(dt ORDER BY id), jsonb_agg(f ORDER BY id) FROM a;
SELECT g, jsonb_agg(u ORDER BY id), jsonb_agg(md ORDER BY id), jsonb_agg(DISTINCT i), jsonb_agg(v ORDER BY v DESC) FILTER (WHERE b), jsonb_agg(to_jsonb(i) ORDER BY id) FROM a GROUP BY g;
SELECT jsonb_object_agg(id, t ORDER BY id), jsonb_object_agg(id * 100, n ORDER BY id DESC), jsonb_object_agg(v, i ORDER BY id) FILTER (WHERE v IS NOT NULL) FROM a;
SELECT g, jsonb_object_agg(coalesce(t, 'none'), d ORDER BY id), jsonb_object_agg(b, id ORDER BY id) FILTER (WHERE b IS NOT NULL), jsonb_object_agg(dt, l ORDER BY id) FILTER (WHERE dt IS NOT NULL) FROM a GROUP BY g;
SELECT jsonb_object_agg(t, i ORDER BY id) FROM a;
SELECT jsonb_agg(d ORDER BY d) FROM big WHERE d = d;
SELECT jsonb_agg(i ORDER BY id)::text, jsonb_object_agg(id, t ORDER BY id)::text FROM a;
SELECT bool_and(b), bool_or(b), every(b), bool_and(i > -100), bool_or(i > 100) FROM a;
SELECT bit_and(i), bit_or(i), bit_xor(i), bit_and(l), bit_or(l), bit_xor(l), bit_and(s), bit_or(s), bit_xor(s), bit_xor(DISTINCT s) FROM a;
SELECT count(DISTINCT (i)), count(t), count(b), count(js), count(ia) FROM a;
SELECT min(c), max(c), min(v), max(v), min(u::text), max(dt), min(ts), max(ts) FROM a;
SELECT sum(i ORDER BY id), count(i ORDER BY t), min(i ORDER BY l), avg(n ORDER BY d) FROM a;
SELECT sum(i ORDER BY 1 / (id - 7)) FROM a;
SELECT g, array_agg(i ORDER BY id), string_agg(t, ',' ORDER BY id), json_agg(n ORDER BY id), stddev(i), count(*) FROM a GROUP BY ROLLUP (g);
SELECT array_agg(s ORDER BY s) FROM (SELECT g, sum(i) AS s FROM a GROUP BY g) x;
SELECT (array_agg(id ORDER BY d DESC NULLS LAST, id))::text FROM a;
SELECT array_agg(q.n ORDER BY q.n) FROM (SELECT DISTINCT p AS n FROM a) q;
SELECT sum(i) / count(i), array_agg(t ORDER BY t)::text = '{x}' FROM a;
@changes
UPDATE a SET i = i + 1, n = n * 2;
UPDATE a SET g = 1 WHERE g IS NULL;
UPDATE a SET t = v, v = t;
UPDATE a SET ia = '{9}' WHERE id = 4;
UPDATE a SET ia = '{}' WHERE id = 4;
UPDATE a SET ia = '{10,11}' WHERE id = 4;
UPDATE a SET ia = '{1,1}' WHERE ia IS NULL;
INSERT INTO void VALUES (1, NULL, 'q', NULL), (2, 2, NULL, 1.10), (3, 4, 'r', 2.2);
UPDATE a SET d = id, e = id * 2;
INSERT INTO a(id, g, i, l, n, d, e, t) SELECT 100 + k, k % 3, k, k * 1000000007::bigint, k / 4.0, k, k * k, 'k' || k FROM generate_series(1, 40) k;
DELETE FROM big WHERE id IN (1, 4, 6);
UPDATE a SET i = NULL, t = NULL WHERE id > 120;
UPDATE a SET dt = '2020-02-02', js = '{"z":  [1,2]}', co = ROW(id, 'é'), md = 'happy', u = NULL;
DELETE FROM a WHERE id BETWEEN 101 AND 139;
UPDATE a SET t = 'dup', v = 'dup';
UPDATE a SET n = 'NaN' WHERE id = 5;
UPDATE a SET n = 1 WHERE id = 5;
UPDATE big SET d = 1, l = 1, n = 1;
UPDATE a SET id = id + 1000;
DELETE FROM a WHERE g = 2;
DELETE FROM a;
DELETE FROM big;
DELETE FROM void;
INSERT INTO a(id, g, i) VALUES (1, 1, 1);
