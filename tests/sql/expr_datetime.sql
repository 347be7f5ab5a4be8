-- Postgres's chapter on dates and times: arithmetic, intervals, AT TIME ZONE, extract, date_trunc,
-- to_char, age, OVERLAPS, infinities, and the ends of the ranges.
@schema
CREATE TABLE ed(id int PRIMARY KEY, d date, e date, ts timestamp, us timestamp, tz timestamptz, tm time, tt timetz, iv interval, jv interval, k int, z text);
INSERT INTO ed VALUES (1, '2024-02-29', '2023-12-31', '2024-02-29 12:34:56.789', '2023-12-31 23:59:59', '2024-03-31 00:30:00+00', '12:34:56', '12:34:56+02', '1 day', '24 hours', 1, 'Europe/Berlin'),
 (2, '2000-01-01', '2000-01-01', '2000-01-01', '2000-01-01 00:00:01', '2000-01-01 00:00+00', '00:00', '00:00+00', '1 mon 2 days 03:04:05.6', '-3 days', 2, 'UTC'), (3, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
 (4, '0044-03-15 BC', '1582-10-15', '1969-12-31 23:59:59.999999', '0001-01-01', '1883-11-18 12:00:00+00', '23:59:59.999999', '23:59:59-08', '-1 year -2 mons', '100 years', -5, 'America/New_York'), (5, '2024-12-31', '2024-01-31', '2024-10-27 02:30:00', '2024-03-31 02:30:00', '2024-10-27 01:30:00+00', '24:00', '01:00+05:30', '00:00', '30 days', 12, 'Asia/Tokyo');
@queries
SELECT id, d = e, d < e, d > '2020-01-01', ts < us, ts = us, tz > '2024-01-01', d < ts FROM ed;
SELECT id, d + 1, d - 7, d + k, e - d FROM ed;
SELECT id, d + iv, d - iv, ts + iv, ts - jv, tz + iv, tz - jv FROM ed;
SELECT id, ts - us, tz - '2000-01-01 00:00+00'::timestamptz, tm - '01:00'::time FROM ed;
SELECT id, iv + jv, iv - jv, iv * 2, iv / 3, -iv, iv * 1.5, jv / 0.7 FROM ed;
SELECT id, iv = jv, iv < jv, iv > '1 day', jv = interval '1 month' FROM ed;
SELECT count(*), sum(k) FROM ed GROUP BY iv;
SELECT min(iv), max(jv), sum(iv), avg(jv) FROM ed;
SELECT id FROM ed ORDER BY iv, id;
SELECT a.id, b.id FROM ed a JOIN ed b ON a.iv = b.jv;
SELECT id, tm + iv, tm - jv, tm < '12:00', tm = '00:00' FROM ed WHERE id <> 4;
rerun: SELECT id, tt, tt < '12:00+00', tm::timetz, tt::time FROM ed;
SELECT tm, count(*) FROM ed GROUP BY tm;
SELECT min(tm), max(tm), min(tt) FROM ed;
SELECT id, d + tm, d + tt FROM ed;
SELECT id, extract(year FROM d), extract(month FROM d), extract(day FROM d), extract(dow FROM d), extract(isodow FROM d), extract(doy FROM d), extract(week FROM d), extract(quarter FROM d), extract(isoyear FROM d) FROM ed;
SELECT id, extract(epoch FROM d), extract(century FROM d), extract(decade FROM d), extract(millennium FROM d), extract(julian FROM d) FROM ed;
SELECT id, extract(hour FROM ts), extract(minute FROM ts), extract(second FROM ts), extract(milliseconds FROM ts), extract(microseconds FROM ts), extract(epoch FROM ts), extract(year FROM ts), extract(month FROM us) FROM ed;
SELECT id, extract(epoch FROM tz), extract(hour FROM tz), extract(day FROM tz), extract(timezone FROM tz), extract(timezone_hour FROM tz) FROM ed;
SELECT id, extract(epoch FROM iv), extract(month FROM iv), extract(day FROM iv), extract(hour FROM iv), extract(year FROM jv), extract(second FROM iv) FROM ed;
SELECT id, extract(hour FROM tm), extract(second FROM tm), extract(epoch FROM tm), extract(minute FROM tt), extract(timezone FROM tt) FROM ed;
SELECT id, date_part('year', ts), date_part('epoch', tz), date_part('dow', d), date_part('hour', iv), date_part('minute', tm) FROM ed;
SELECT id, date_trunc('year', ts), date_trunc('quarter', ts), date_trunc('month', ts), date_trunc('week', ts), date_trunc('day', ts), date_trunc('hour', ts), date_trunc('minute', ts), date_trunc('second', ts) FROM ed;
SELECT id, date_trunc('day', tz), date_trunc('month', d), date_trunc('hour', iv), date_trunc('day', tz, 'America/New_York'), date_trunc('decade', ts), date_trunc('century', us) FROM ed;
SELECT id, date_bin('15 min', ts, '2001-01-01'), date_bin('2 days', tz, '2001-01-01 00:00+00') FROM ed;
SELECT id, age(ts, us), age(tz, '2000-01-01 00:00+00'), age(d, e) FROM ed;
SELECT id, tz AT TIME ZONE 'Europe/Berlin', ts AT TIME ZONE 'Europe/Berlin', us AT TIME ZONE 'Europe/Berlin', tz AT TIME ZONE 'UTC' FROM ed;
rerun: SELECT id, tz AT TIME ZONE z, ts AT TIME ZONE z, tz AT TIME ZONE interval '-3 hours', tt AT TIME ZONE 'UTC' FROM ed;
SELECT id, ts AT TIME ZONE 'America/New_York' AT TIME ZONE 'Asia/Tokyo' FROM ed;
SELECT id, to_char(ts, 'YYYY-MM-DD HH24:MI:SS.US'), to_char(d, 'Dy DD Mon YYYY'), to_char(tz, 'FMDay, FMMonth FMDD HH12:MI AM'), to_char(iv, 'DDD HH24:MI'), to_char(ts, 'IYYY-IW-ID Q J') FROM ed;
SELECT id, to_date('2024-0' || k, 'YYYY-MM'), to_timestamp('05 Dec 2000', 'DD Mon YYYY'), to_timestamp(k * 1000) FROM ed WHERE k IN (1, 2);
SELECT id, make_date(2000 + k, 1, 1), make_time(k, 0, 1.5), make_timestamp(2000, 1, 1, k, 2, 3.5), make_interval(years => k, hours => 2), make_timestamptz(2000, 1, 1, 0, 0, 0) FROM ed WHERE k > 0;
SELECT id, (d, e) OVERLAPS ('2000-01-01'::date, '2010-01-01'::date), (ts, iv) OVERLAPS (us, jv) FROM ed WHERE id IN (1, 2, 5);
SELECT id, isfinite(d), isfinite(ts), isfinite(iv) FROM ed;
SELECT id, justify_days(iv), justify_hours(jv), justify_interval(iv + jv) FROM ed;
SELECT id, d::timestamp, ts::date, d::timestamptz, tz::date, tz::timestamp, ts::timestamptz FROM ed;
SELECT id, ts::time, tz::time, tz::timetz, iv::time, tm::interval FROM ed WHERE id <> 4;
SELECT id, d::text, ts::text, tz::text, tm::text, tt::text, iv::text, jv::text FROM ed;
SELECT id, ('2024-01-0' || k)::date, (k || ' days')::interval FROM ed WHERE k BETWEEN 1 AND 9;
SELECT id, ts::timestamp(0), tz::timestamptz(1), tm::time(2), iv::interval(0), iv::interval day to hour FROM ed;
SELECT d, count(*) FROM ed GROUP BY d;
SELECT date_trunc('month', ts), count(*), max(us) FROM ed GROUP BY date_trunc('month', ts) ORDER BY 1;
SELECT extract(year FROM d) AS y, count(*) FROM ed GROUP BY y HAVING count(*) > 0 ORDER BY y DESC;
SELECT id, tz FROM ed ORDER BY tz DESC NULLS LAST, id LIMIT 3;
SELECT a.id, b.id FROM ed a JOIN ed b ON a.d = b.ts::date;
SELECT a.id, b.id FROM ed a LEFT JOIN ed b ON a.d BETWEEN b.e AND b.d AND a.id <> b.id;
SELECT a.id, b.id FROM ed a JOIN ed b ON a.ts BETWEEN b.us - interval '1 year' AND b.us + interval '1 year';
SELECT id FROM ed WHERE ts >= '2024-01-01' AND ts < timestamp '2024-01-01' + interval '1 year';
SELECT id, count(*) OVER (ORDER BY ts RANGE BETWEEN interval '1 year' PRECEDING AND CURRENT ROW) FROM ed;
rerun: SELECT id, g FROM ed, generate_series(d, d + 2, interval '1 day') g WHERE id = 1;
SELECT min(d), max(d), min(ts), max(ts), min(tz), max(tz) FROM ed;
SELECT id, d + interval '5000000 years' FROM ed WHERE id > 100;
SELECT id, ts + iv * 10000 FROM ed;
refuse: SELECT id, clock_timestamp() > tz FROM ed;
@changes
UPDATE ed SET d = e, e = d, ts = us, us = ts;
UPDATE ed SET iv = jv, jv = iv WHERE id <> 3;
UPDATE ed SET iv = '24 hours' WHERE id = 1;
UPDATE ed SET tz = '2024-10-27 00:59:59.999999+00', ts = '2024-03-31 02:59:59' WHERE id = 2;
INSERT INTO ed(id, d, ts, tz, iv, jv, k) VALUES (6, 'infinity', 'infinity', 'infinity', '1 year', '12 mons', 3), (7, '-infinity', '-infinity', '-infinity', '360 days', '-1 mon 30 days', 4);
UPDATE ed SET k = k + 1, z = 'Asia/Kolkata' WHERE id IN (1, 2, 4, 5);
DELETE FROM ed WHERE id IN (6, 7);
UPDATE ed SET tm = '06:00', tt = '06:00+02' WHERE id > 1;
UPDATE ed SET iv = '400000 days' WHERE id = 5;
UPDATE ed SET iv = '1 day' WHERE id = 5;
INSERT INTO ed SELECT 20 + g, date '2024-01-25' + g, date '2024-02-01' - g, timestamp '2024-03-31 00:15' + g * interval '30 min', timestamp '2023-12-31 23:00' + g * interval '20 min', timestamptz '2024-10-27 00:00+00' + g * interval '15 min', time '22:00' + g * interval '1 h', '10:00+01', g * interval '8 hours', g * interval '1 day', g, CASE g % 2 WHEN 0 THEN 'Europe/London' ELSE 'America/Sao_Paulo' END FROM generate_series(1, 9) g;
DELETE FROM ed WHERE id < 5;
UPDATE ed SET d = NULL, ts = NULL WHERE id % 3 = 0;
DELETE FROM ed;
