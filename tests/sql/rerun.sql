-- Statements that Postgres is asked again: each must be accepted, in whatever mode.
@schema
CREATE TABLE rr (id int PRIMARY KEY, g int, v numeric(10,2), t text, ts timestamptz);
INSERT INTO rr SELECT i, i % 3, i * 1.5, 'row ' || i, '2024-01-01'::timestamptz + i * interval '1 day' FROM generate_series(1, 20) i;
CREATE TABLE other (id int PRIMARY KEY, rr_id int, j jsonb);
INSERT INTO other SELECT i, i % 7, jsonb_build_object('a', i, 'b', jsonb_build_array(i, null, 'x  y')) FROM generate_series(1, 10) i;
CREATE VIEW rr_view AS SELECT g, rank() OVER (PARTITION BY g ORDER BY v DESC) AS r, id FROM rr;
CREATE TABLE part (id int, k int, PRIMARY KEY (id, k)) PARTITION BY LIST (k);
CREATE TABLE part1 PARTITION OF part FOR VALUES IN (1);
CREATE TABLE part2 PARTITION OF part FOR VALUES IN (2);
INSERT INTO part VALUES (1, 1), (2, 2), (3, 1);
CREATE TABLE gen (id int PRIMARY KEY, a int, twice int GENERATED ALWAYS AS (a * 2) STORED);
INSERT INTO gen (id, a) SELECT g, g % 4 FROM generate_series(1, 9) g;
CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');

@queries
rerun: SELECT now() > '2020-01-01' AS later, id FROM rr;
rerun: SELECT current_user, count(*) FROM rr;
rerun: SELECT id, age(ts) > interval '1 day' FROM rr ORDER BY id DESC;
SELECT * FROM rr_view;
SELECT id, id, v AS id, NULL, 'x' FROM rr ORDER BY v DESC;
SELECT id, (SELECT count(*) FROM other WHERE rr_id = rr.id) FROM rr;
rerun: SELECT o.id, o.j, o.j -> 'b', row(o.id, o.j) FROM other o WHERE current_date > '2020-01-01';
rerun: SELECT 10 / (g - 1) FROM rr WHERE now() IS NOT NULL;
rerun: SELECT to_char(now(), 'YYYY') >= '2024';
rerun: SELECT FROM rr WHERE now() IS NOT NULL;
rerun: SELECT k, count(*), now() IS NULL FROM part GROUP BY k;
rerun: WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < (SELECT count(*) FROM other)) SELECT n, current_date IS NULL FROM r;
rerun: SELECT row_to_json(rr) FROM rr WHERE now() IS NOT NULL;
rerun: SELECT id, now() IS NULL FROM rr ORDER BY t LIMIT (SELECT 1 + count(*) / 4 FROM other);
rerun: SELECT twice, count(*) FROM gen GROUP BY twice;
rerun: SELECT id, tableoid::regclass, ctid IS NOT NULL FROM gen ORDER BY twice DESC, id;
rerun: SELECT id, xmlforest(id AS no, t) FROM rr WHERE id < 8;
rerun: SELECT rr.id, x.* FROM rr, xmltable('/a/b' PASSING (('<a><b>' || id || '</b></a>')::xml) COLUMNS n int PATH '.') x;
rerun: SELECT enum_range(NULL::mood), count(*) FROM gen;
rerun: SELECT q, row_to_json(q) FROM (SELECT id AS one, a AS two FROM gen WHERE now() IS NOT NULL) q;
rerun: SELECT q, row_to_json(q) FROM (SELECT id AS eins, a AS zwei FROM gen WHERE now() IS NOT NULL) q;
rerun: SELECT string_agg(a::text, ',' ORDER BY id) FILTER (WHERE now() IS NOT NULL) FROM gen;
refuse: SELECT random();
refuse: SELECT id, random() FROM rr;
refuse: SELECT now(), count(*) FROM pg_class;
refuse: SELECT now(), id FROM rr FOR UPDATE;
refuse: SELECT now(), id FROM rr TABLESAMPLE SYSTEM (10);
refuse: SELECT now(), 't'::text::regclass;
refuse: SELECT xmax, now() FROM rr;
refuse: SELECT txid_current_snapshot();
refuse: SELECT pg_backend_pid();

@changes
INSERT INTO rr VALUES (21, 1, 3.00, 'new', now());
UPDATE rr SET g = 2 WHERE g = 1;
UPDATE rr SET v = v + 1 WHERE id < 5;
DELETE FROM other WHERE id > 3;
INSERT INTO part VALUES (9, 2);
UPDATE part SET k = 3 - k;
DELETE FROM rr WHERE id % 2 = 0;
UPDATE rr SET g = 1 WHERE id = 1;
DELETE FROM rr WHERE id = 1;
UPDATE other SET j = j || '{"c": " d "}';
TRUNCATE other;
INSERT INTO other VALUES (1, 3, '[1, 2]');
DELETE FROM rr;
TRUNCATE part1;
INSERT INTO gen (id, a) VALUES (10, 77), (11, NULL);
UPDATE gen SET a = 5 WHERE a = 1;
DELETE FROM gen WHERE id > 3;
