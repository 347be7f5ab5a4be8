-- Expressions over every native type, NULLs among them; errors come and go.
@schema
CREATE TABLE x(id int PRIMARY KEY, b bool, c bool, s smallint, i int, j int, l bigint, m bigint,
    f real, d float8, e float8, n numeric, p numeric(8,3), t text, v varchar(12), h char(6));
INSERT INTO x VALUES
 (1, true, false, 1, 10, 3, 100, 7, 1.5, 2.25, -0.1, 1.50, 12.345, 'abc', 'abc', 'abc'),
 (2, NULL, true, -5, -7, 2, -100, 3, -0.1, 1e10, 3, -2.7, 0.001, 'ABC', 'aBc', 'ab'),
 (3, false, NULL, 0, 0, 1, 9007199254740993, 11, 'NaN', 'Infinity', 1, 123456789012345678901234567890.123, -1, '', '', ''),
 (4, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
 (5, true, true, 32767, 2147483647, -3, 4611686018427387904, -9, 3e38, 1e-300, 2, 0, 99999.999, 'a_c%d\e', 'x y', 'a b'),
 (6, false, false, 12, 42, 5, 42, 5, 0.5, -0.5, 0.5, 'NaN', 7, 'Grün ''q''', 'Grün', 'ü');
@queries
SELECT id, b AND c, b OR c, NOT b, b IS TRUE, b IS NOT TRUE, b IS FALSE, b IS UNKNOWN, b IS NOT UNKNOWN, b = c, b < c FROM x;
SELECT id, i = j, i <> j, i < j, i <= j, i > j, i >= j, s = i, i < l, s > l, l = m FROM x;
SELECT id, i IS DISTINCT FROM j, i IS NOT DISTINCT FROM NULL, t IS DISTINCT FROM v FROM x;
SELECT id, s::int + j, i::bigint + j, i::bigint - l / 4, s::int * j, i / j, i % j, l / m, l % m, -j, +j, abs(j), -l FROM x WHERE j <> 0;
SELECT id, i + 1 FROM x WHERE i < 2147483647;
SELECT id, f + d, f - d, f * 2::real, d / 3, d * e, -f, -d, abs(d), f = d, f < d, d = d, f <> f FROM x WHERE id <> 5;
SELECT id, n + p, n - p, n * p, p / 3, n / 7, p % 2.5, -n, abs(n), n = p, n < p, n > 1, round(p, 1), round(n), trunc(p, 2), ceil(p), floor(p), sign(p) FROM x;
SELECT id, n / p FROM x WHERE p <> 0;
SELECT id, i + n, l * p, s + n, i / n FROM x WHERE n <> 0;
SELECT id, t || v, t || h, h || t, length(t), length(h), char_length(v), lower(t), upper(v), t || i FROM x;
SELECT id, t LIKE 'a%', t LIKE '%c', t LIKE '_b_', v NOT LIKE 'a%', h LIKE 'a%', t LIKE 'a\_c\%%', t LIKE '%\\e', t LIKE '' FROM x;
SELECT id, t ILIKE 'A%', v ILIKE '%b%' FROM x;
SELECT id, substring(t, 2, 3), substr(v, 2), left(t, 2), right(t, -1), trim(h), btrim(t, 'a'), ltrim(v), rtrim(t, 'c'), replace(t, 'a', 'zz'), position('b' in t), strpos(v, 'b') FROM x;
SELECT id, t = v, t < v, h = v, h = 'abc', h = 'abc   '::char(6), h < t, t >= 'b' FROM x;
SELECT id, CASE WHEN b THEN 'yes' WHEN c THEN 'c' ELSE 'no' END, CASE i WHEN 10 THEN 1.5 WHEN 42 THEN 2 END, CASE WHEN i > 5 THEN i END FROM x;
SELECT id, COALESCE(i, j, 0), COALESCE(t, v, 'none'), NULLIF(i, 10), NULLIF(t, v), GREATEST(i, j, 4), LEAST(n, p), GREATEST(t, v), LEAST(d, e, f) FROM x;
SELECT id, i IN (10, 42), i NOT IN (10, NULL), t IN ('abc', 'ABC'), n IN (1.5, 0), i IN (j, 10, 2), l = ANY (ARRAY[100, 42]), s > ALL (ARRAY[-10, 0]) FROM x;
SELECT id, i BETWEEN 0 AND 20, i NOT BETWEEN j AND 20, i BETWEEN SYMMETRIC 20 AND 0, n BETWEEN 0 AND 2 FROM x;
SELECT id, i::text, l::text, n::text, p::text, b::text, d::text, f::text, h::text, s::text || 'x' FROM x;
SELECT id, i::smallint FROM x WHERE i < 30000;
SELECT id, i::float8, l::numeric, s::bigint, i::real, d::real, f::float8, b::int, i::bool, p::int, p::bigint, p::float8 FROM x WHERE id <> 5;
SELECT id, n::numeric(12,2) FROM x WHERE id <> 3;
SELECT id, t::varchar(2), t::char(4), v::text, h::text, h::varchar, h::char(2), 'z'::char(3) FROM x;
SELECT id, d::int, d::bigint, e::numeric FROM x WHERE id NOT IN (2, 3);
SELECT id, (i::text)::int, (n::text)::numeric, (d::text)::float8, (b::text)::bool, (l::text)::bigint FROM x;
SELECT id, 100 / i FROM x WHERE id > 6;
SELECT id, i * i FROM x WHERE id > 6;
SELECT id, s + s FROM x WHERE id > 6;
SELECT id, sqrt(d), power(d, 2), d ^ e, ln(e), exp(e) FROM x WHERE d > 0 AND d < 1000 AND e > 0;
SELECT id, i & j, i | j, i # j, ~i, i << 2, i >> 1 FROM x;
SELECT id, starts_with(t, 'a'), reverse(t), repeat(v, 2), ascii(t) FROM x WHERE s < 100;
SELECT id, lpad(t, 5, '*') FROM x;
SELECT id, mod(i, 4), mod(l, 4), div(p, 2), i % 4 = 1, gcd(i, 4), lcm(j, 2) FROM x WHERE id NOT IN (3);
SELECT 1, 'a', NULL, 1.50, true, 1e3, -7;
SELECT id FROM x WHERE b;
SELECT id FROM x WHERE NOT b;
SELECT id FROM x WHERE b IS NULL OR i > 5 AND t IS NOT NULL;
SELECT id FROM x WHERE NULL;
SELECT id, i FROM x WHERE (i > 0) = b;
refuse: SELECT random();
rerun: SELECT now() > '2020-01-01', id FROM x;
refuse: SELECT id FROM x FOR UPDATE;
refuse: SELECT clock_timestamp();
rerun: SELECT id, tableoid FROM x;
@changes
UPDATE x SET i = i - 1 WHERE i IS NOT NULL;
UPDATE x SET t = v, v = t;
UPDATE x SET b = c, c = b, n = n + 0.10;
INSERT INTO x(id, i, s) VALUES (7, 0, 1);
INSERT INTO x(id, i, s) VALUES (8, 100000, 30000);
UPDATE x SET i = 5 WHERE id = 7;
DELETE FROM x WHERE id = 8;
INSERT INTO x SELECT 100 + g, g % 3 = 0, g % 2 = 0, g, g * 3 - 30, g % 7 - 3, g * 1000, g % 5 + 1, g / 7.0, g / 3.0, g - 3.5, g / 16.0, g * 1.001, 'w' || g, 'v' || g % 4, 'h' || g % 3 FROM generate_series(1, 30) g;
UPDATE x SET j = 1 WHERE j = 0;
UPDATE x SET p = p * -1, d = -d, h = 'ab ' WHERE id % 3 = 0;
DELETE FROM x WHERE id BETWEEN 101 AND 110;
TRUNCATE x;
INSERT INTO x(id) VALUES (1);
