-- Makes the fixtures of test_pgoutput.c and test_pgcopy.c anew: run from this directory in an empty
-- database of a server with wal_level = logical, as a superuser:
--     psql -qX -v ON_ERROR_STOP=1 -d DATABASE -f capture.sql
-- OIDs, xids and LSNs differ from run to run, so pgoutput.expected has to be read and replaced too.
\pset format unaligned
\pset tuples_only on
SET client_encoding = 'UTF8';
CREATE TYPE mood AS ENUM ('low', 'high');
CREATE DOMAIN small AS numeric(6, 2);
CREATE TABLE full_t (id int, note text, wide text);
CREATE TABLE key_t (id bigint PRIMARY KEY, note text, wide text);
CREATE TABLE index_t (a int NOT NULL, b varchar(10) NOT NULL, c small, gone int, m mood);
CREATE TABLE log_t (at timestamptz, v double precision);
CREATE TABLE part (id int PRIMARY KEY, v char(3)) PARTITION BY RANGE (id);
CREATE TABLE part_1 PARTITION OF part FOR VALUES FROM (0) TO (10);
CREATE TABLE part_2 PARTITION OF part FOR VALUES FROM (10) TO (20);
CREATE TABLE "Näme ""q""" (id int PRIMARY KEY, "Ä b" text);
ALTER TABLE full_t REPLICA IDENTITY FULL;
ALTER TABLE full_t ALTER wide SET STORAGE EXTERNAL;
ALTER TABLE key_t ALTER wide SET STORAGE EXTERNAL;
ALTER TABLE index_t DROP gone;
CREATE UNIQUE INDEX index_t_key ON index_t (b, a);
ALTER TABLE index_t REPLICA IDENTITY USING INDEX index_t_key;
CREATE PUBLICATION capture FOR TABLE full_t, key_t, index_t, part, "Näme ""q""";
CREATE PUBLICATION capture_log FOR TABLE log_t WITH (publish = 'insert, truncate');
SELECT FROM pg_create_logical_replication_slot('palimpsest_capture', 'pgoutput');
SELECT FROM pg_create_logical_replication_slot('palimpsest_capture_bin', 'pgoutput');

-- old rows: whole, by key, by index; NULLs, empty strings; a TOAST value that is left as it was
INSERT INTO full_t VALUES (1, 'a', repeat('x', 3000)), (1, NULL, ''), (NULL, NULL, NULL);
UPDATE full_t SET note = 'b' WHERE note = 'a';
DELETE FROM full_t WHERE wide = '';
INSERT INTO key_t VALUES (1, 'a', repeat('y', 3000));
UPDATE key_t SET note = 'b';
UPDATE key_t SET id = 2;
UPDATE key_t SET wide = 'short', note = NULL;
DELETE FROM key_t;
INSERT INTO index_t VALUES (1, 'one', 1.5, 'low'), (2, 'two', NULL, 'high');
UPDATE index_t SET c = c + 0.25;
UPDATE index_t SET b = 'uno' WHERE a = 1;
DELETE FROM index_t WHERE a = 2;
INSERT INTO "Näme ""q""" VALUES (1, E'tab\tline\nbackslash\\ ü 😀');
-- one transaction of several tables, with a rolled-back savepoint
BEGIN;
INSERT INTO part VALUES (1, 'x'), (11, 'y');
SAVEPOINT s;
INSERT INTO part VALUES (2, 'no');
ROLLBACK TO s;
UPDATE part SET id = 12 WHERE id = 1;
INSERT INTO log_t VALUES ('2024-02-03 04:05:06.789+00', 0.1), ('infinity', 'NaN');
COMMIT;
-- the same table in another shape
BEGIN;
ALTER TABLE index_t ADD d int DEFAULT 7;
ALTER TABLE index_t REPLICA IDENTITY FULL;
UPDATE index_t SET d = 8;
COMMIT;
-- TRUNCATE of one, of several, of a partition
TRUNCATE log_t;
TRUNCATE full_t, key_t RESTART IDENTITY CASCADE;
TRUNCATE part_2;
-- logical messages
SELECT FROM pg_logical_emit_message(false, 'palimpsest', 'now');
BEGIN;
INSERT INTO key_t VALUES (3, NULL, NULL);
SELECT FROM pg_logical_emit_message(true, 'palimpsest', '');
SELECT FROM pg_logical_emit_message(true, '', E'two\nlines'::bytea);
COMMIT;
-- a transaction that came from elsewhere
SELECT FROM pg_replication_origin_create('palimpsest_elsewhere');
SELECT FROM pg_replication_origin_session_setup('palimpsest_elsewhere');
BEGIN;
SELECT FROM pg_replication_origin_xact_setup('AB/CDEF0123', '2024-01-01 00:00:00+00');
INSERT INTO key_t VALUES (4, 'from elsewhere', NULL);
COMMIT;
SELECT FROM pg_replication_origin_session_reset();
SELECT FROM pg_replication_origin_drop('palimpsest_elsewhere');

SET timezone = 'UTC';
\o pgoutput.hex
SELECT encode(data, 'hex') FROM pg_logical_slot_get_binary_changes('palimpsest_capture', NULL, NULL,
    'proto_version', '1', 'publication_names', 'capture,capture_log', 'messages', 'true');
\o pgoutput_binary.hex
SELECT encode(data, 'hex') FROM pg_logical_slot_get_binary_changes('palimpsest_capture_bin', NULL, NULL,
    'proto_version', '1', 'publication_names', 'capture_log', 'binary', 'true');
\o
SELECT FROM pg_drop_replication_slot('palimpsest_capture');
SELECT FROM pg_drop_replication_slot('palimpsest_capture_bin');

-- COPY: every character up to 127 alone and beside others, what looks like an escape or a NULL
CREATE TABLE copy_t (n serial, a text, b text, c text);
INSERT INTO copy_t (a, b, c) SELECT chr(i), 'x' || chr(i) || '7', chr(i) || chr(i) FROM generate_series(1, 127) i;
INSERT INTO copy_t (a, b, c) VALUES (NULL, '', '\N'), ('N', '\\N', '\'), ('\.', '.', E'\t'),
    (NULL, NULL, NULL), ('', '', ''), ('ü😀', '\x41\101', repeat('\', 9));
\o copy.txt
COPY (SELECT a, b, c FROM copy_t ORDER BY n) TO STDOUT;
\o copy.hex
COPY (SELECT encode(convert_to(a, 'UTF8'), 'hex'), encode(convert_to(b, 'UTF8'), 'hex'),
    encode(convert_to(c, 'UTF8'), 'hex') FROM copy_t ORDER BY n) TO STDOUT;
\o
