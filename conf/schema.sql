-- What palimpsestd needs in a database: a role, its rights, a publication. For the DBA to read, adapt
-- and run once in each database, as a superuser or the owner of the database:
--
--     psql -d shop -v role=palimpsest -v publication=palimpsest -v schema=public -f schema.sql
--
-- It may be run again. The server needs wal_level = logical (and a restart after changing that), one
-- free slot in max_replication_slots and one free process in max_wal_senders.
--
-- In pg_hba.conf the role needs a line for this database; the word "replication" in the database
-- column is about physical replication and not needed. Allow it from the daemon's machine only:
--
--     host  shop  palimpsest  192.0.2.7/32  scram-sha-256

\set ON_ERROR_STOP on
\if :{?role} \else \set role palimpsest \endif
\if :{?publication} \else \set publication palimpsest \endif
\if :{?schema} \else \set schema public \endif

-- The role. REPLICATION lets it read the WAL stream of every table in the publication. Give it a
-- password with \password, or let the daemon log in by peer or certificate.
SELECT NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = :'role') AS missing \gset
\if :missing
CREATE ROLE :"role" LOGIN REPLICATION;
\endif

-- What it may read is what every client of the daemon may read. TEMPORARY is for the temporary
-- function by which Postgres analyses a statement; it is always rolled back.
SELECT pg_catalog.format('GRANT CONNECT, TEMPORARY ON DATABASE %I TO %I',
                         pg_catalog.current_database(), :'role') \gexec
GRANT USAGE ON SCHEMA :"schema" TO :"role";
GRANT SELECT ON ALL TABLES IN SCHEMA :"schema" TO :"role";
ALTER DEFAULT PRIVILEGES IN SCHEMA :"schema" GRANT SELECT ON TABLES TO :"role";

-- The publication. It begins empty: a table in a publication needs a replica identity, or the UPDATEs
-- and DELETEs of your application begin to fail. Add tables like this, one transaction each; the lock
-- waits for writers that are under way, of whose transactions the stream would miss a part:
--
--     BEGIN;
--     SET LOCAL lock_timeout = '2s';
--     LOCK TABLE public.events IN SHARE ROW EXCLUSIVE MODE;
--     ALTER PUBLICATION palimpsest ADD TABLE public.events;
--     COMMIT;
--
-- Leave publish_via_partition_root off, and use neither row filters nor column lists.
-- To let the daemon add tables by itself as they are first used, make the role owner of the
-- publication and member of the role that owns the tables:
--
--     ALTER PUBLICATION palimpsest OWNER TO palimpsest;
--     GRANT CREATE ON DATABASE shop TO palimpsest;
--     GRANT shop_owner TO palimpsest;
SELECT NOT EXISTS (SELECT FROM pg_catalog.pg_publication WHERE pubname = :'publication') AS missing \gset
\if :missing
CREATE PUBLICATION :"publication";
\endif
