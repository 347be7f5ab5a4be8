-- Casts between text and other types, beyond the forms they are printed in.
@schema
CREATE TYPE size AS ENUM ('small', 'large');
CREATE TABLE ca(id int PRIMARY KEY, d text, i text, e text, b text, t text, n text, x interval, j jsonb, a text);
INSERT INTO ca VALUES (1, '2024-01-31', '1 day', 'small', '\xde00', '10:00', '1', '1 day', '{"a": 1}', '{1,2}'), (2, 'Jan 8, 1999', '2 hours ago', 'large', 'abc\\d', '4:05 PM', ' 2 ', '-1 mon', '[]', '{}'),
 (3, '20240229', 'P1Y2M', 'small', '', '040506', '3', NULL, 'null', NULL), (4, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL), (5, '2024-05-05 BC', '1:30', 'large', '\x', '23:59:60', '-7', '00:00', '"s"', '[5:6]={7,8}');
@queries
SELECT id, d::date, d::timestamp, d::timestamptz FROM ca;
SELECT id, i::interval FROM ca;
SELECT id, e::size, e::size > 'small' FROM ca;
SELECT id, b::bytea FROM ca;
SELECT id, t::time, t::timetz FROM ca;
SELECT id, n::int, n::numeric, n::float8, n::oid::text FROM ca WHERE n::int > 0;
SELECT id, x::text, j::text, j::text::jsonb, e::name::text FROM ca;
SELECT id, a::int[], a::int[] @> '{2}' FROM ca;
SELECT d::date AS k, count(*) FROM ca GROUP BY d::date;
SELECT count(*) FROM ca GROUP BY i::interval;
SELECT ROW(id % 2, d), count(*) FROM ca GROUP BY ROW(id % 2, d);
SELECT id, tz AT TIME ZONE 'UTC', (tz AT TIME ZONE 'UTC') AT TIME ZONE 'utc', tz AT TIME ZONE 'Europe/Berlin' FROM (SELECT id, timestamptz '2024-03-31 00:30:00+00' + id * interval '30 min' AS tz FROM ca) q;
@changes
UPDATE ca SET d = 'March 3 2001', i = '3 weeks' WHERE id = 1;
UPDATE ca SET e = 'huge' WHERE id = 3;
UPDATE ca SET e = 'large' WHERE id = 3;
UPDATE ca SET d = 'no date' WHERE id = 5;
UPDATE ca SET d = '1.2.2003', t = '1 pm' WHERE id = 5;
INSERT INTO ca(id, d, i, n) SELECT 10 + g, '2024-01-' || g, g || ' min', g FROM generate_series(1, 9) g;
UPDATE ca SET n = 'x' WHERE id = 12;
DELETE FROM ca WHERE id > 11;
DELETE FROM ca;
