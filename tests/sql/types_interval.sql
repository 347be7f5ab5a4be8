-- interval, time, timetz: equality that is not spelling, order, arithmetic, constants, casts.
@schema
CREATE TABLE iv(id int PRIMARY KEY, i interval, k interval, t time, z timetz, ts timestamp, tz timestamptz, d date, f float8);
INSERT INTO iv VALUES
 (1, '1 day', '24:00:00', '12:34:56.789', '12:00:00+02', '2024-02-29 23:59:59.5', '2024-02-29 12:00:00+00', '2024-01-31', 1.5),
 (2, '24 hours', '1 day', '00:00', '10:00:00+00', '2024-01-31 00:00', '2024-03-31 00:30:00+00', '2024-02-29', 0.1),
 (3, '30 days', '1 mon', '24:00', '10:00:00+00', '1999-12-31 12:00', '0044-03-15 01:02:03+00 BC', '1999-12-31', -2),
 (4, '1 mon', NULL, NULL, NULL, NULL, NULL, NULL, NULL),
 (5, '-1 year 2 mons +3 days -04:05:06.7', '0', '23:59:59.999999', '23:59:59-05:30', '2000-01-01', '2000-01-01 00:00:00+00', '2000-01-01', 3),
 (6, NULL, '720:00:00', '06:00', '06:00:00-06', '2024-05-05 05:05:05', '2024-05-05 05:05:05+00', '2024-05-05', 1);
@queries
SELECT * FROM iv;
SELECT i, count(*) FROM iv WHERE i IS NOT NULL AND i < '25 hours' GROUP BY i HAVING min(id) > 1;
SELECT count(DISTINCT i), count(DISTINCT k), count(DISTINCT t), count(DISTINCT z) FROM iv;
SELECT count(*) FROM iv GROUP BY i;
SELECT z, count(*) FROM iv GROUP BY z;
SELECT a.id, b.id FROM iv a JOIN iv b ON a.i = b.k;
SELECT a.id, b.id FROM iv a JOIN iv b ON a.t = b.t AND a.z = b.z;
SELECT id, i FROM iv ORDER BY i DESC NULLS LAST, id LIMIT 3;
SELECT id, t FROM iv ORDER BY t, id LIMIT 3;
SELECT id, z FROM iv ORDER BY z DESC, id LIMIT 4;
SELECT id, i = k, i < k, i >= '1 day', i <> '1 mon', t > '12:00', z < '11:00:00+01' FROM iv;
SELECT id, i + k, i - k, -i, i * 2, i * f, 0.5::float8 * i FROM iv;
SELECT id, i / 3, i / f FROM iv WHERE f <> 0;
SELECT id, i / f FROM iv;
SELECT id, ts + i, ts - i, tz + i, tz - i, d + i, d - i, i + ts, i + tz FROM iv;
SELECT id, ts - timestamp '2024-01-01', tz - timestamptz '2000-01-01 00:00:00+00', age(ts, timestamp '2001-01-31') FROM iv;
SELECT id, ts + interval '1 month', d + interval '1 day 02:00' FROM iv;
SELECT id, justify_hours(i), justify_days(i), justify_interval(i) FROM iv;
SELECT id, t + i, t - i, t - time '01:00', z + i, d + t, d + z, t::interval, i::time, z::time, ts::time, tz::time FROM iv;
SELECT id, date_bin('15 minutes', ts, timestamp '2001-01-01'), make_interval(0, 0, 0, id, 0, 0, f), make_date(2024, id, 28) FROM iv;
SELECT id, i::text, t::text, z::text, k::varchar FROM iv;
SELECT DISTINCT i IS NULL, t IS NULL FROM iv;
SELECT i FROM iv WHERE i > '2 days' UNION SELECT k FROM iv WHERE k > '2 days' EXCEPT SELECT '1 mon' FROM iv;
SELECT id, greatest(t, '12:00'), least(z, '09:00+00'), coalesce(t, '01:02') FROM iv;
SELECT id FROM iv WHERE i IN ('1 day', '1 mon');
SELECT id FROM iv WHERE ts BETWEEN timestamp '2024-01-01' AND timestamp '2024-01-01' + interval '3 months';
SELECT id, CASE WHEN i > k THEN i ELSE k END FROM iv WHERE i <> k;
@changes
UPDATE iv SET i = '24:00:00' WHERE id = 1;
UPDATE iv SET i = '1 day' WHERE id = 1;
UPDATE iv SET i = k, k = i;
UPDATE iv SET t = t + '1 hour', z = '12:00:00+02' WHERE id > 2;
INSERT INTO iv SELECT 10 + g, make_interval(hours => 12 * g), make_interval(days => g), time '00:00' + make_interval(mins => g * 100), NULL, timestamp '2024-01-31' + make_interval(days => g), NULL, '2024-01-31'::date + g, g FROM generate_series(1, 8) g;
UPDATE iv SET f = 0 WHERE id = 2;
UPDATE iv SET f = 1 WHERE id = 2;
DELETE FROM iv WHERE id IN (1, 4, 12);
UPDATE iv SET i = NULL, ts = NULL WHERE id = 5;
DELETE FROM iv;
