-- enum, name, oid, "char", bytea, bit, macaddr, money, domains: equality and order by the type.
@schema
CREATE TYPE size AS ENUM ('small', 'medium', 'large', 'x-large');
CREATE DOMAIN posint AS int CHECK (value > 0);
CREATE DOMAIN sizedom AS size;
CREATE TABLE sm(id int PRIMARY KEY, e size, n name, o oid, c "char", b bytea, bi bit(4), vb varbit, m macaddr, mo money, p posint, sd sizedom, r regclass);
INSERT INTO sm VALUES
 (1, 'large', 'beta', 7, 'x', '\xdeadbeef', B'0101', B'01', '08:00:2b:01:02:03', 12.5, 5, 'small', 'pg_class'),
 (2, 'small', 'alpha', 4294967295, 'y', '\x', B'1010', B'', '08:00:2b:01:02:04', -3, 6, 'x-large', 'pg_type'),
 (3, 'medium', 'Alpha', 3000000000, '', '\x00ff', B'0000', B'0100', 'ff:ff:ff:ff:ff:ff', 0, 5, 'large', NULL),
 (4, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
 (5, 'large', 'alpha', 7, 'x', '\xdeadbe', B'0101', B'010', '08:00:2b:01:02:03', 12.5, 1, 'small', 'pg_class');
@queries
SELECT * FROM sm;
SELECT e, count(*) FROM sm GROUP BY e;
SELECT id, e FROM sm ORDER BY e, id LIMIT 3;
SELECT id, sd FROM sm ORDER BY sd DESC NULLS LAST, id LIMIT 2;
SELECT id FROM sm WHERE e > 'small';
SELECT id FROM sm WHERE e IN ('small', 'x-large') OR sd::size = 'small';
SELECT id, e = 'large', e < sd::size, e::text, coalesce(e, 'small'), greatest(e, 'medium') FROM sm;
SELECT a.id, b.id FROM sm a JOIN sm b ON a.e = b.sd::size;
SELECT n, count(*) FROM sm GROUP BY n;
SELECT id, n FROM sm ORDER BY n DESC, id LIMIT 3;
SELECT id, n = 'alpha', n < 'b', n || 'x', n::text, length(n::text) FROM sm;
SELECT o, count(*) FROM sm GROUP BY o;
SELECT id, o FROM sm ORDER BY o, id LIMIT 3;
SELECT id, o > 10::oid, o::bigint FROM sm;
SELECT c, count(*) FROM sm GROUP BY c;
SELECT id, c FROM sm ORDER BY c, id LIMIT 2;
SELECT b, count(*) FROM sm GROUP BY b;
SELECT id, b FROM sm ORDER BY b, id LIMIT 4;
SELECT id, b > '\xde', b || '\x01', length(b), octet_length(b) FROM sm;
SELECT bi, vb, count(*) FROM sm GROUP BY bi, vb;
SELECT id, vb FROM sm ORDER BY vb, id LIMIT 4;
SELECT id, m FROM sm ORDER BY m DESC, id LIMIT 3;
SELECT DISTINCT m, mo FROM sm;
SELECT a.id, b.id FROM sm a JOIN sm b ON a.m = b.m AND a.b <> b.b;
SELECT p, count(*), sum(p) FROM sm GROUP BY p;
SELECT id, p + 1, p::text FROM sm WHERE p > 4;
SELECT e FROM sm UNION SELECT sd FROM sm;
SELECT id, CASE e WHEN 'large' THEN 1 WHEN 'small' THEN 0 END FROM sm;
SELECT id, encode(b, 'hex'), encode(b || b || b || b || b || b || b || b || b || b || b || b || b || b || b || b || b || b || b || b, 'base64'), encode(b, 'escape'), lpad(n::text, 6, 'xy'), rpad(n::text, 3), translate(n::text, 'aph', 'x'), to_hex(id * 77) FROM sm;
@changes
UPDATE sm SET e = 'medium', b = '\xff' WHERE id = 1;
INSERT INTO sm(id, e, sd, n, o, b) SELECT 10 + g, CASE WHEN g % 2 = 0 THEN 'small'::size ELSE 'x-large' END, 'medium', 'n' || g, g, decode(lpad(to_hex(g), 2, '0'), 'hex') FROM generate_series(1, 6) g;
UPDATE sm SET sd = e, e = sd;
UPDATE sm SET vb = B'1' || vb, c = 'z', m = NULL WHERE id < 4;
DELETE FROM sm WHERE e = 'small';
UPDATE sm SET e = NULL WHERE id = 5;
DELETE FROM sm;
