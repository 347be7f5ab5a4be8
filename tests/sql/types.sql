-- Every type as to_json gives it; dates and times; equality that is not spelling.
@schema
CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
CREATE TYPE pair AS (a int, b text);
CREATE DOMAIN posint AS int CHECK (value > 0);
CREATE TABLE ty(id int PRIMARY KEY, d date, e date, ts timestamp, us timestamp, tz timestamptz, u uuid, j json, jb jsonb,
  ia int[], ta text[], na numeric[][], iv interval, tm time, by bytea, en mood, co pair, dom posint, ip inet, r int4range,
  mny money, bits bit(4), xm text, nm name, o oid, c "char");
INSERT INTO ty VALUES (1, '2024-02-29', '2024-03-01', '2024-02-29 23:59:59.123456', '2000-01-01', '2024-07-01 12:00:00+02',
 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '{"a" : 1,  "b": [1, 2 ], "s": "x \" y"}', '{"z": 1, "a": null}', '{1,NULL,3}', '{"a b","c\"d",NULL,"",NULL}',
 '{{1.0,2.50},{NULL,3}}', '1 day 02:03:04', '12:34:56', '\xdeadbeef', 'ok', ROW(1, 'x,y'), 5, '10.0.0.1/8', '[1,5)', 12.5, B'1010', 'plain', 'nm', 42, 'q');
INSERT INTO ty(id) VALUES (2);
INSERT INTO ty VALUES (3, 'infinity', '-infinity', 'infinity', '0044-03-15 BC', '-infinity', 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A12', '[]', '[1.0, 1.00, "é"]',
 '[2:3]={7,8}', '{}', '{}', '-3 mons', '00:00', '', 'sad', ROW(NULL, NULL), 1, '::1', 'empty', -1, B'0000', E'tab\t nl\n bs\\ ctl\x01 é', '', 0, 'x');
@queries
SELECT * FROM ty;
SELECT id, d, e, d = e, d < e, d > '2024-01-01', d <> e FROM ty;
SELECT id, d + 1, d - 1 FROM ty WHERE d > '-infinity' AND d < 'infinity';
SELECT id, e - d FROM ty WHERE id = 1;
SELECT id, ts < us, ts = us, ts::date, d::timestamp, ts > d, tz > '2024-01-01' FROM ty;
SELECT id, tz, tz::timestamp, ts::timestamptz, tz::date FROM ty;
SELECT id, u, u = 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', u > 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11' FROM ty;
SELECT min(d), max(d), min(ts), max(tz), count(DISTINCT u), min(xm), max(xm) FROM ty;
SELECT d, count(*) FROM ty GROUP BY d;
SELECT u, count(*) FROM ty GROUP BY u;
SELECT tz, count(*) FROM ty GROUP BY tz ORDER BY tz DESC LIMIT 2;
SELECT a.id, b.id FROM ty a JOIN ty b ON a.d = b.d;
SELECT a.id, b.id FROM ty a JOIN ty b ON a.ts = b.tz::timestamp;
SELECT id, coalesce(ia, '{}') FROM ty;
SELECT id, CASE WHEN id = 1 THEN jb END FROM ty WHERE id < 3;
SELECT DISTINCT d, u, xm FROM ty;
SELECT id, d::text, ts::text, u::text FROM ty;
@changes
UPDATE ty SET d = e, e = d;
UPDATE ty SET jb = jb, j = '{"b":  2}', ia = '{}' WHERE id = 1;
UPDATE ty SET en = 'happy', co = ROW(7, 'é'), tm = '01:02:03.5', iv = '1 year' WHERE id = 2;
UPDATE ty SET tz = tz, ts = '1999-12-31 23:59:59.5', u = 'ffffffff-ffff-ffff-ffff-ffffffffffff' WHERE id = 2;
INSERT INTO ty(id, d, tz, ts, xm) SELECT 10 + g, date '2024-01-30' + g, timestamptz '2024-03-31 00:30:00+00' + g * interval '30 min', timestamp '1969-12-31 23:00' + g * interval '1 min', repeat('x', g) FROM generate_series(1, 10) g;
DELETE FROM ty WHERE id IN (1, 12);
UPDATE ty SET xm = repeat('long text ', 2000) WHERE id = 3;
UPDATE ty SET d = '2025-01-01' WHERE id = 3;
DELETE FROM ty;
