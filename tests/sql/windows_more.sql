-- Window functions with aggregates that keep an order, over dates and times, in and around subqueries.
@schema
CREATE TABLE m(id int PRIMARY KEY, g text, d date, ts timestamp, tz timestamptz, iv interval, t time, v int, n numeric, tags text[], j jsonb);
CREATE TABLE p(g text PRIMARY KEY, top int, floor int);
INSERT INTO m VALUES
 (1, 'a', '2020-01-30', '2020-01-30 10:00', '2020-01-30 10:00+00', '1 day', '10:00', 1, 1.5, '{x,y}', '{"a":1}'),
 (2, 'a', '2020-01-31', '2020-01-31 10:00', '2020-01-31 10:00+00', '2 days', '11:00', 2, 2.50, '{}', '[1,2]'),
 (3, 'a', '2020-02-29', '2020-02-29 23:59:59.5', '2020-02-29 23:59+00', '1 mon', '23:59:59', 3, NULL, NULL, NULL),
 (4, 'b', NULL, NULL, NULL, NULL, NULL, NULL, 0, '{z}', '1'),
 (5, 'b', '2020-03-01', '2020-03-01 00:00', '2020-03-01 00:00+00', '30 days', '00:00', 5, -1, '{x}', '"s"'),
 (6, NULL, '2019-12-31', '2019-12-31 12:00', '2019-12-31 12:00+00', '-1 day', '12:30', 6, 6, NULL, 'null'),
 (7, 'b', '2020-03-01', '2020-03-01 00:00', '2020-03-01 00:00+00', '720:00:00', '00:30', 2, 2, '{x,y}', '{"a":1}');
INSERT INTO p VALUES ('a', 2, 1), ('b', 1, 0), ('c', 5, 5);
@queries
SELECT id, sum(v) OVER (ORDER BY d RANGE BETWEEN '1 day' PRECEDING AND CURRENT ROW) FROM m;
SELECT id, sum(v) OVER (ORDER BY d RANGE BETWEEN '1 month' PRECEDING AND '1 day' FOLLOWING) FROM m;
SELECT id, sum(v) OVER (ORDER BY d DESC RANGE BETWEEN '1 month' PRECEDING AND '1 month' FOLLOWING) FROM m;
SELECT id, count(*) OVER (ORDER BY d NULLS FIRST RANGE BETWEEN '2 days' PRECEDING AND '2 days' FOLLOWING EXCLUDE CURRENT ROW) FROM m;
SELECT id, sum(v) OVER (ORDER BY ts RANGE BETWEEN '1 day' PRECEDING AND CURRENT ROW), sum(v) OVER (ORDER BY ts RANGE BETWEEN CURRENT ROW AND '36 hours' FOLLOWING) FROM m;
SELECT id, first_value(id) OVER (ORDER BY ts, id RANGE BETWEEN CURRENT ROW AND CURRENT ROW), sum(id) OVER (PARTITION BY g ORDER BY ts RANGE BETWEEN '1 mon 1 day' PRECEDING AND '1 second' PRECEDING) FROM m;
SELECT id, sum(v) OVER (ORDER BY tz RANGE BETWEEN '1 day' PRECEDING AND '1 day' FOLLOWING) FROM m;
SELECT id, sum(v) OVER (ORDER BY iv RANGE BETWEEN '1 day' PRECEDING AND '1 day' FOLLOWING) FROM m;
SELECT id, sum(v) OVER (ORDER BY t RANGE BETWEEN '1 hour' PRECEDING AND '30 minutes' FOLLOWING) FROM m;
SELECT id, rank() OVER (ORDER BY iv), dense_rank() OVER (ORDER BY t DESC), rank() OVER (PARTITION BY iv ORDER BY id) FROM m;
SELECT id, array_agg(v) OVER (ORDER BY id), array_agg(v) OVER (PARTITION BY g ORDER BY id DESC) FROM m;
SELECT id, array_agg(id) OVER (ORDER BY id ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING), array_agg(id) OVER (ORDER BY id ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING EXCLUDE CURRENT ROW) FROM m;
SELECT id, array_agg(id) FILTER (WHERE v > 1) OVER (ORDER BY id) FROM m;
SELECT id, string_agg(g, ',') OVER (ORDER BY id), string_agg(id::text, '-') OVER (PARTITION BY g ORDER BY v, id DESC) FROM m;
rerun: SELECT id, json_agg(v) OVER (ORDER BY id), jsonb_agg(g) OVER (ORDER BY id DESC) FROM m;
SELECT id, json_object_agg(id, v) OVER (ORDER BY id ROWS 1 PRECEDING) FROM m;
SELECT id, stddev(v) OVER (ORDER BY id), var_pop(v) OVER (ORDER BY id ROWS 2 PRECEDING), variance(n) OVER (ORDER BY id) FROM m;
SELECT id, round(corr(v, id) OVER (ORDER BY id)::numeric, 8), regr_count(v, id) OVER (ORDER BY id ROWS 2 PRECEDING) FROM m;
SELECT id, min(d) OVER (ORDER BY id), max(ts) OVER (ORDER BY id ROWS 1 PRECEDING), min(iv) OVER (ORDER BY id), max(iv) OVER (ORDER BY id), min(t) OVER (ORDER BY id) FROM m;
SELECT id, lag(d) OVER (ORDER BY id), lead(ts, 1, '2000-01-01') OVER (ORDER BY id), lag(iv) OVER (ORDER BY id), lag(tags) OVER (ORDER BY id), lead(j) OVER (ORDER BY id) FROM m;
SELECT id, d - lag(d) OVER (ORDER BY id), ts - lag(ts) OVER (PARTITION BY g ORDER BY id) FROM m;
SELECT id, sum(iv) OVER (ORDER BY id ROWS 1 PRECEDING), avg(iv) OVER (ORDER BY id) FROM m;
SELECT id, (SELECT count(*) FROM m b WHERE b.g = a.g), rank() OVER (ORDER BY (SELECT count(*) FROM m b WHERE b.g = a.g)) FROM m a;
SELECT id, rank() OVER (ORDER BY v) FROM m a WHERE EXISTS (SELECT 1 FROM p WHERE p.g = a.g);
SELECT id, v FROM m a WHERE v IN (SELECT first_value(v) OVER (PARTITION BY g ORDER BY id) FROM m);
SELECT p.g, (SELECT max(r) FROM (SELECT rank() OVER (ORDER BY v) AS r FROM m WHERE m.g = p.g) x) FROM p;
SELECT p.g, x.id, x.r FROM p CROSS JOIN LATERAL (SELECT id, row_number() OVER (ORDER BY v, id) AS r FROM m WHERE m.g = p.g) x;
SELECT p.g, x.id, x.r FROM p LEFT JOIN LATERAL (SELECT id, row_number() OVER (ORDER BY v, id) AS r FROM m WHERE m.g = p.g) x ON x.r <= p.top;
SELECT p.g, x.s FROM p, LATERAL (SELECT sum(v + p.floor) OVER (ORDER BY id) AS s FROM m WHERE m.v > p.floor) x;
SELECT p.g, x.c FROM p, LATERAL (SELECT count(*) FILTER (WHERE m.v > p.floor) OVER (PARTITION BY m.g ORDER BY id) AS c FROM m) x;
SELECT p.g, x.id FROM p, LATERAL (SELECT DISTINCT ON (m.v) m.id FROM m WHERE m.g >= p.g ORDER BY m.v, m.id) x;
SELECT p.g, x.id FROM p, LATERAL (SELECT m.id FROM m WHERE m.g = p.g ORDER BY m.v DESC NULLS LAST, m.id LIMIT 1 OFFSET 1) x;
SELECT p.g, x.id FROM p, LATERAL (SELECT m.id FROM m WHERE m.g = p.g ORDER BY m.d FETCH FIRST 1 ROW WITH TIES) x;
SELECT g, (SELECT id FROM m WHERE m.g = p.g ORDER BY v DESC NULLS LAST, id LIMIT 1) FROM p;
SELECT * FROM (SELECT id, g, row_number() OVER (PARTITION BY g ORDER BY v DESC NULLS LAST, id) AS r FROM m) x WHERE r <= 2;
SELECT * FROM (SELECT id, g, row_number() OVER (PARTITION BY g ORDER BY v, id) AS r FROM m) x WHERE r < 3;
SELECT * FROM (SELECT id, g, row_number() OVER (PARTITION BY g ORDER BY v, id) AS r FROM m) x WHERE r = 1;
SELECT * FROM (SELECT id, g, row_number() OVER (PARTITION BY g ORDER BY v, id) AS r FROM m) x WHERE 2 >= r AND g = 'a';
SELECT * FROM (SELECT id, g, row_number() OVER (PARTITION BY g ORDER BY v, id) AS r FROM m) x WHERE r = 2 AND id > 1;
SELECT * FROM (SELECT id, g, rank() OVER (PARTITION BY g ORDER BY d) AS r FROM m) x WHERE r <= 2;
SELECT * FROM (SELECT id, rank() OVER (ORDER BY d DESC) AS r, lag(id) OVER (ORDER BY d DESC, id) AS l FROM m) x WHERE r <= 2;
SELECT * FROM (SELECT id, row_number() OVER w AS r, sum(v) OVER w AS s, lead(id) OVER w AS l FROM m WINDOW w AS (ORDER BY d, id)) x WHERE r <= 3;
SELECT * FROM (SELECT id, row_number() OVER w AS r, sum(v) OVER (w ROWS UNBOUNDED PRECEDING) AS s, lag(id) OVER w AS l FROM m WINDOW w AS (ORDER BY d, id)) x WHERE r <= 3;
SELECT * FROM (SELECT id, dense_rank() OVER (ORDER BY d) AS r FROM m) x WHERE r <= 2;
SELECT * FROM (SELECT id, row_number() OVER (ORDER BY id) AS r FROM m) x WHERE r <= 0;
SELECT * FROM (SELECT id, row_number() OVER (ORDER BY id) AS r FROM m) x WHERE r <= 3 AND r > 1;
SELECT * FROM (SELECT id, row_number() OVER (ORDER BY id) AS r FROM m) x WHERE r <= NULL;
SELECT x.g, count(*) FROM (SELECT g, row_number() OVER (PARTITION BY g ORDER BY id) AS r FROM m) x JOIN p ON p.g = x.g AND x.r <= p.top GROUP BY x.g;
SELECT g, generate_series(1, 2) AS s, row_number() OVER (ORDER BY id) FROM m;
SELECT id, s, sum(s) OVER (PARTITION BY id ORDER BY s) FROM m, generate_series(1, v) s;
SELECT id, x, row_number() OVER (PARTITION BY id ORDER BY o) FROM m, unnest(tags) WITH ORDINALITY u(x, o);
WITH r AS (SELECT id, g, row_number() OVER (PARTITION BY g ORDER BY id) AS n FROM m) SELECT a.id, b.id FROM r a LEFT JOIN r b ON a.g = b.g AND a.n + 1 = b.n;
SELECT g, percentile_disc(0.5) WITHIN GROUP (ORDER BY v), rank() OVER (ORDER BY max(v)) FROM m GROUP BY g;
SELECT upper(g), count(*) OVER (PARTITION BY upper(g)), initcap(g) FROM m;
SELECT id, sum(width_bucket(v, 0, 10, 5)) OVER (PARTITION BY md5(g) ORDER BY id) FROM m;
@changes
INSERT INTO m VALUES (8, 'a', '2020-01-01', '2020-01-01', '2020-01-01', '1 hour', '01:00', 8, 8, '{q}', '{}');
UPDATE m SET v = 0 WHERE id = 1;
UPDATE m SET d = '2020-01-30', ts = '2020-03-01', iv = '1 day' WHERE id = 5;
UPDATE m SET g = 'b' WHERE id = 2;
UPDATE p SET top = 3 WHERE g = 'b';
UPDATE m SET v = 2 WHERE g = 'b';
DELETE FROM m WHERE id = 6;
INSERT INTO p VALUES ('d', 1, 1);
UPDATE m SET id = id + 10 WHERE id IN (1, 3);
UPDATE m SET v = NULL, n = NULL WHERE id = 7;
INSERT INTO m SELECT 100 + i, chr(97 + i % 3), date '2020-01-01' + i, timestamp '2020-01-01' + i * interval '7 hours', timestamptz '2020-01-01 00:00+00' + i * interval '5 hours', i * interval '3 hours', time '00:00' + i * interval '31 minutes', i % 5, i % 4, NULL, NULL FROM generate_series(1, 15) i;
DELETE FROM m WHERE v = 2;
DELETE FROM p WHERE g = 'a';
UPDATE m SET g = 'a';
DELETE FROM m WHERE id < 108;
DELETE FROM m;
