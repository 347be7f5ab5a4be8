-- Aggregates over the types that aren't numbers or text.
@schema
CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
CREATE TABLE y(id int PRIMARY KEY, g int, iv interval, tm time, tz timetz, md mood, o oid, nm name, by bytea, b bool, u uuid, ts timestamptz, c "char");
INSERT INTO y VALUES
 (1, 1, '1 day 02:00', '10:00', '10:00+02', 'ok', 5, 'n1', '\x01', true, '00000000-0000-0000-0000-00000000000a', '2024-01-01 00:00+00', 'a'),
 (2, 1, '25:00', '09:30:00.5', '09:00+01', 'sad', 7, 'n2', '\x', false, NULL, NULL, 'b'),
 (3, 1, '1 mon', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
 (4, 2, '-3 days', '23:59:59', '00:00-12', 'happy', 4000000000, 'a', '\xff00', true, '00000000-0000-0000-0000-000000000001', '2023-01-01 00:00+00', 'c'),
 (5, 2, NULL, '00:00', '12:00+00', 'happy', 7, 'zz', '\x01', true, '00000000-0000-0000-0000-000000000001', '2023-01-01 00:00+00', ''),
 (6, NULL, '2 years 1 day 00:00:01', '10:00', NULL, 'sad', 1, 'zz', '\x0102', NULL, NULL, NULL, 'a');
@queries
SELECT sum(iv), avg(iv), min(iv), max(iv), count(iv), count(DISTINCT iv) FROM y;
SELECT g, sum(iv), avg(iv) FROM y GROUP BY g;
SELECT g, sum(iv) FILTER (WHERE b), sum(DISTINCT iv), avg(DISTINCT iv) FROM y GROUP BY g;
SELECT g, min(tm), max(tm), min(tz), max(tz), min(md), max(md), min(o), max(o) FROM y GROUP BY g;
SELECT min(u::text), max(ts), min(ts), max(nm::text) FROM y;
SELECT g, array_agg(iv ORDER BY iv, id), array_agg(tm ORDER BY tm DESC, id), array_agg(md ORDER BY md, id), array_agg(o ORDER BY o DESC, id), array_agg(nm ORDER BY id), array_agg(tz ORDER BY id) FROM y GROUP BY g;
SELECT array_agg(DISTINCT md), array_agg(DISTINCT o), array_agg(DISTINCT tm), array_agg(DISTINCT md ORDER BY md DESC) FROM y;
SELECT g, array_agg(by ORDER BY by), string_agg(by, '\x2c' ORDER BY id), string_agg(by, by ORDER BY id DESC), string_agg(DISTINCT by, '\xee') FROM y GROUP BY g;
SELECT g, json_agg(iv ORDER BY id), json_agg(tm ORDER BY id), json_agg(md ORDER BY id), json_agg(by ORDER BY id), json_agg(ts ORDER BY id), json_agg(o ORDER BY id), json_agg(nm ORDER BY id) FROM y GROUP BY g;
SELECT json_object_agg(md, iv ORDER BY id) FROM y WHERE md IS NOT NULL;
SELECT json_object_agg(o, tm ORDER BY id), json_object_agg(id, tz ORDER BY id) FROM y WHERE o IS NOT NULL;
SELECT g, percentile_cont(0.5) WITHIN GROUP (ORDER BY iv), percentile_cont(0.3) WITHIN GROUP (ORDER BY iv DESC) FROM y GROUP BY g;
SELECT g, percentile_disc(0.5) WITHIN GROUP (ORDER BY tm), percentile_disc(0.5) WITHIN GROUP (ORDER BY md), mode() WITHIN GROUP (ORDER BY md), mode() WITHIN GROUP (ORDER BY o), mode() WITHIN GROUP (ORDER BY ts) FROM y GROUP BY g;
SELECT rank('ok') WITHIN GROUP (ORDER BY md), cume_dist('1 day') WITHIN GROUP (ORDER BY iv), dense_rank('10:00') WITHIN GROUP (ORDER BY tm) FROM y;
SELECT md, count(*), max(iv) FROM y GROUP BY ROLLUP (md);
@changes
UPDATE y SET iv = iv + '1 hour', tm = tm + '30 min';
UPDATE y SET md = 'ok' WHERE id > 3;
UPDATE y SET iv = '178000000 years' WHERE g = 1;
UPDATE y SET iv = '1 hour', g = 1;
INSERT INTO y(id, g, iv, tm, md, o, by) SELECT 10 + k, k % 3, k * interval '7 hours 3 sec', time '00:00' + k * interval '11 min', (ARRAY['sad','ok','happy']::mood[])[1 + k % 3], k, decode(lpad(to_hex(k), 2, '0'), 'hex') FROM generate_series(1, 20) k;
DELETE FROM y WHERE id % 2 = 0;
UPDATE y SET iv = NULL, tm = NULL, md = NULL, by = NULL;
DELETE FROM y;
