-- Ranges, multiranges, addresses, money, pg_lsn, text search: equality and order by the type.
@schema
CREATE TYPE textrange AS RANGE (subtype = text, collation = "C");
CREATE TABLE rg(id int PRIMARY KEY, i int4range, n numrange, d daterange, t tstzrange, x textrange, m int4multirange, nm nummultirange, a inet, c cidr, o money, l pg_lsn, v tsvector, q tsquery, ia int4range[], w xid8);
INSERT INTO rg VALUES
 (1, '[1,5)', '[1.0,2.5]', '[2024-01-01,2024-02-01)', '[2024-01-01 00:00+00,)', '[a,"b c"]', '{[1,3),[5,9)}', '{[1.0,2.0]}', '10.0.0.1/8', '10.0.0.0/8', 12.5, '16/B374D848', 'a:1 b:2', 'a & b', '{"[1,3)","(,5)"}', '7'),
 (2, '[1,4]', '[1.00,2.50]', '[2024-01-01,2024-01-31]', '(,2024-01-01 00:00+00)', '(a,b)', '{[1,3),[5,9)}', '{[1,2]}', '10.0.0.1', '10.0.0.0/16', -3.25, '0/0', 'b:2 a:1', 'a & b', '{}', '100'),
 (3, 'empty', '(1,2.5]', 'empty', 'empty', 'empty', '{}', '{}', '::1', '::/0', 0, 'FFFFFFFF/1', '', NULL, '{empty}', '18446744073709551615'),
 (4, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
 (5, '(,)', '(,2.5)', '(,2024-01-01)', '[2024-01-01 00:00+00,2024-01-01 00:00+00]', '["",)', '{(,)}', '{[1,2],(3,)}', '192.168.0.0/24', '192.168.0.0/24', 1000000.99, '1/0', 'z', 'a | !b', '{NULL}', '9'),
 (6, '[1,)', '[1,2.5)', '[2024-01-01,infinity]', '[2024-01-01 00:00+00,2025-01-01 00:00+00)', '["a,b","b(c)"]', '{[1,3)}', '{(1,2)}', '2001:db8::/32', '10.0.0.0/8', -1000, 'A/FF', 'a', '''a b'':*', '{"[1,3)"}', '9');
@queries
SELECT * FROM rg;
SELECT i, count(*) FROM rg GROUP BY i;
SELECT count(*) FROM rg GROUP BY n;
SELECT d, count(*) FROM rg GROUP BY d;
SELECT count(*) FROM rg GROUP BY nm;
SELECT m, count(*) FROM rg GROUP BY m;
SELECT c, count(*) FROM rg GROUP BY c;
SELECT v, q, count(*) FROM rg GROUP BY v, q;
SELECT count(DISTINCT a), count(DISTINCT o), count(DISTINCT l), count(DISTINCT x), count(DISTINCT w), count(DISTINCT ia) FROM rg;
SELECT id, i FROM rg ORDER BY i, id LIMIT 5;
SELECT id, n FROM rg ORDER BY n DESC, id LIMIT 6;
SELECT id, t FROM rg ORDER BY t, id LIMIT 5;
SELECT id, x FROM rg ORDER BY x, id LIMIT 5;
SELECT id, m, nm FROM rg ORDER BY m, nm DESC, id LIMIT 5;
SELECT id, a FROM rg ORDER BY a, id LIMIT 5;
SELECT id, c FROM rg ORDER BY c DESC NULLS LAST, id LIMIT 5;
SELECT id, o FROM rg ORDER BY o, id LIMIT 5;
SELECT id, l FROM rg ORDER BY l, id LIMIT 5;
SELECT id, w FROM rg ORDER BY w DESC, id LIMIT 5;
SELECT id, ia FROM rg ORDER BY ia, id LIMIT 5;
SELECT a.id, b.id FROM rg a JOIN rg b ON a.n = b.n AND a.a <> b.a;
SELECT a.id, b.id FROM rg a JOIN rg b ON a.i < b.i;
SELECT id, i = '[1,4]'::int4range, n > '[1,2)', d = 'empty', t <> '[2024-01-01,)', x = '[a,"b c"]', ia = '{"[1,3)"}' FROM rg;
SELECT id, a = '10.0.0.1', a < '10.0.0.2/16', c = '10.0.0.0/8', l > '1/0', l = '0/0' FROM rg;
SELECT DISTINCT i, m FROM rg;
SELECT id, i::text, n::text, coalesce(n, 'empty') FROM rg;
SELECT i FROM rg UNION SELECT '[1,5)'::int4range EXCEPT SELECT 'empty';
@changes
UPDATE rg SET i = '[0,9]', n = '[1.000,2.5]' WHERE id = 5;
UPDATE rg SET a = c, o = o * 2, l = l;
INSERT INTO rg(id, i, n, d, a, o, l) SELECT 10 + g, int4range(g % 3, g + 3), numrange(g / 2.0, NULL), daterange('2024-01-01', '2024-01-01'::date + g), ('10.0.' || g || '.0/2' || g)::inet, g - 4, ('0/' || g)::pg_lsn FROM generate_series(1, 8) g;
UPDATE rg SET m = '{[2,3)}', nm = NULL WHERE id < 4;
DELETE FROM rg WHERE id IN (1, 3, 12);
DELETE FROM rg;
