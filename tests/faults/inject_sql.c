/*
 * inject_sql: faults that are done with SQL. Part of inject.
 *
 * A command may fail, since writers hold locks and an earlier fault may have taken the server away:
 * then the fault did not happen, and what ends it doesn't mind.
 */
#include <stdio.h>

#include "tests/faults/inject.h"
#include "tests/faults/report.h"

/* DDL waits for a lock no longer than that, and is tried again. */
static void ddl(struct scene *s, const char *sql)
{
    for (int i = 0; i < 10; i++)
        if (world_try(scene_db(s), "SET lock_timeout = '300ms'; %s", sql))
            return;
    report_note("did not happen: %s", sql);
}

static void any(struct scene *s, const char *const *list, size_t n)
{
    const char *sql = list[rng_below(&s->rng, (unsigned)n)];
    report_note("%s", sql);
    ddl(s, sql);
}
#define ANY(s, list) any(s, list, sizeof(list) / sizeof *(list))

/* ---- publication and slot ------------------------------------------------------------------ */

void fault_publication_gone(struct scene *s)
{
    ddl(s, "DROP PUBLICATION palimpsest");
}

void fault_publication_back(struct scene *s)
{
    for (int i = 0; i < 100 && !statements_repair(scene_db(s)); i++)
        sleep_ms(50);
}

void fault_table_unpublished(struct scene *s)
{
    static const char *const list[] = {
        "ALTER PUBLICATION palimpsest DROP TABLE accounts",
        "ALTER PUBLICATION palimpsest DROP TABLE item",
        "ALTER PUBLICATION palimpsest DROP TABLE part_1a",
        "ALTER PUBLICATION palimpsest DROP TABLE savings, tag",
        "ALTER PUBLICATION palimpsest SET TABLE log, branches",
    };
    ANY(s, list);
}

void fault_inserts_only(struct scene *s)
{
    static const char *const list[] = {
        "ALTER PUBLICATION palimpsest SET (publish = 'insert')",
        "ALTER PUBLICATION palimpsest SET (publish = 'insert, update, delete')",
        "ALTER PUBLICATION palimpsest SET (publish_via_partition_root = true)",
    };
    ANY(s, list);
}

void fault_slot_dropped(struct scene *s)
{
    for (int i = 0; i < 20; i++) {
        (void)!world_try(scene_db(s), "SELECT pg_terminate_backend(active_pid) FROM "
                                      "pg_replication_slots WHERE active");
        if (world_try(s->db, "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots "
                             "WHERE NOT temporary"))
            return;
    }
}

/* ---- DDL ----------------------------------------------------------------------------------- */

void fault_ddl(struct scene *s)
{
    static const char *const list[] = {
        "ALTER TABLE item ADD COLUMN IF NOT EXISTS more int DEFAULT 7",
        "ALTER TABLE item DROP COLUMN IF EXISTS more",
        "CREATE INDEX ON item(k)",
        "ALTER TABLE accounts ADD COLUMN IF NOT EXISTS note text",
        "ALTER TABLE accounts DROP COLUMN IF EXISTS note",
        "ALTER TABLE part ADD COLUMN IF NOT EXISTS more text DEFAULT 'x'",
        "ALTER TABLE part DROP COLUMN IF EXISTS more",
        "ALTER TABLE shape DROP COLUMN IF EXISTS c",
        "ALTER TABLE shape DROP COLUMN IF EXISTS c, ADD COLUMN c int",
        "ALTER TABLE shape ALTER b TYPE varchar(50)",
        "ALTER TABLE shape ALTER b TYPE text",
        "ALTER TABLE shape ALTER b TYPE text USING upper(b)",
        "ALTER TABLE shape ALTER c TYPE bigint USING c + 1",
        "ALTER TABLE shape ALTER c TYPE int",
        "ALTER TABLE shape RENAME b TO z",
        "ALTER TABLE shape RENAME z TO b",
        "ALTER TABLE full_id ALTER b TYPE varchar(20)",
        "ALTER TABLE full_id ALTER b TYPE text USING 'b' || b",
    };
    for (int i = 0; i < 3; i++) {
        ANY(s, list);
        sleep_ms((unsigned)rng_between(&s->rng, 0, 60));
    }
}

/* A statement that names a column that isn't there is refused: not for good. */
void fault_ddl_back(struct scene *s)
{
    ddl(s, "DO $$ BEGIN IF EXISTS (SELECT FROM pg_attribute WHERE attrelid = 'shape'::regclass AND "
           "attname = 'z') THEN ALTER TABLE shape RENAME z TO b; END IF; END $$");
    ddl(s, "ALTER TABLE shape ADD COLUMN IF NOT EXISTS c int");
}

void fault_partitions(struct scene *s)
{
    static const char *const list[] = {
        "ALTER TABLE part DETACH PARTITION part_0",
        "ALTER TABLE part DETACH PARTITION part_1",
        "ALTER TABLE part_1 DETACH PARTITION part_1b",
        "CREATE TABLE part_more PARTITION OF part FOR VALUES IN (77)",
        "TRUNCATE part_1a",
        "TRUNCATE part_0; INSERT INTO part_0 VALUES (9, 0, 9, 'refilled')",
    };
    ANY(s, list);
}

static const char put_back[] =
    "DO $$ BEGIN "
    "IF to_regclass('part_more') IS NOT NULL THEN DROP TABLE part_more; END IF; "
    "IF NOT EXISTS (SELECT FROM pg_inherits WHERE inhrelid = 'part_0'::regclass) THEN "
    "  WITH d AS (DELETE FROM part WHERE region = 0 RETURNING *) INSERT INTO part_0 SELECT * FROM "
    "d "
    "  ON CONFLICT DO NOTHING; "
    "  ALTER TABLE part ATTACH PARTITION part_0 FOR VALUES IN (0); END IF; "
    "IF NOT EXISTS (SELECT FROM pg_inherits WHERE inhrelid = 'part_1'::regclass) THEN "
    "  DELETE FROM part WHERE region = 1; "
    "  ALTER TABLE part ATTACH PARTITION part_1 FOR VALUES IN (1); END IF; "
    "IF NOT EXISTS (SELECT FROM pg_inherits WHERE inhrelid = 'part_1b'::regclass) THEN "
    "  ALTER TABLE part_1 ATTACH PARTITION part_1b FOR VALUES FROM (70) TO (MAXVALUE); END IF; "
    "END $$";

void fault_partitions_back(struct scene *s)
{
    for (int i = 0; i < 50 && !world_try(scene_db(s), "SET lock_timeout = '1s'; %s", put_back); i++)
        sleep_ms(20);
}

void fault_identity(struct scene *s)
{
    static const char *const list[] = {
        "ALTER TABLE item REPLICA IDENTITY FULL",
        "ALTER TABLE accounts REPLICA IDENTITY FULL",
        "ALTER TABLE keyed REPLICA IDENTITY FULL",
        "ALTER TABLE part_0 REPLICA IDENTITY FULL",
        "ALTER TABLE keyed ADD PRIMARY KEY (code); ALTER TABLE keyed REPLICA IDENTITY DEFAULT",
    };
    ANY(s, list);
}

void fault_identity_back(struct scene *s)
{
    static const char *const list[] = {
        "ALTER TABLE item REPLICA IDENTITY DEFAULT",
        "ALTER TABLE accounts REPLICA IDENTITY DEFAULT",
        "ALTER TABLE keyed REPLICA IDENTITY USING INDEX keyed_code",
        "ALTER TABLE keyed DROP CONSTRAINT IF EXISTS keyed_pkey",
        "ALTER TABLE keyed ALTER code SET NOT NULL",
        "ALTER TABLE part_0 REPLICA IDENTITY DEFAULT",
    };
    for (size_t i = 0; i < sizeof list / sizeof *list; i++)
        ddl(s, list[i]);
}

void fault_rewritten(struct scene *s)
{
    static const char *const list[] = {
        "VACUUM FULL item",
        "VACUUM FULL accounts",
        "CLUSTER accounts USING accounts_pkey",
        "ALTER TABLE item ALTER k TYPE bigint; ALTER TABLE item ALTER k TYPE int",
        "ALTER TABLE savings ALTER balance TYPE bigint USING balance + 0",
        "ALTER TABLE tag ALTER label TYPE text USING label || ''",
        "ALTER TABLE full_id ADD COLUMN extra text DEFAULT clock_timestamp()::text; "
        "ALTER TABLE full_id DROP COLUMN extra",
    };
    const char *sql = list[rng_below(&s->rng, sizeof list / sizeof *list)];
    report_note("%s", sql);
    for (int i = 0; i < 10; i++) { /* VACUUM wants to be alone in its message */
        (void)!world_try(scene_db(s), "SET lock_timeout = '300ms'");
        if (world_try(s->db, "%s", sql))
            return;
    }
}

void fault_view_replaced(struct scene *s)
{
    static const char *const list[] = {
        "CREATE OR REPLACE VIEW shape_view AS SELECT id, a FROM shape WHERE id > 10",
        "CREATE OR REPLACE VIEW shape_view AS SELECT id, a FROM shape",
        "CREATE OR REPLACE VIEW shape_view AS SELECT id, a * 2 AS a FROM shape",
        "DROP VIEW shape_view; CREATE VIEW shape_view AS SELECT a, id FROM shape",
    };
    ANY(s, list);
    ANY(s, list);
}

void fault_recreated(struct scene *s)
{
    ddl(s, "BEGIN; DROP VIEW IF EXISTS shape_view; DROP TABLE shape; CREATE TABLE shape(id int "
           "PRIMARY "
           "KEY, a int, b text, c int); INSERT INTO shape SELECT g, g * 10, 'new', 1 FROM "
           "generate_series(1, 15) g; CREATE VIEW shape_view AS SELECT id, a FROM shape; COMMIT");
    (void)!world_try(s->db, "ROLLBACK");
}

/* ---- transactions -------------------------------------------------------------------------- */

/* More than postgres.transaction_bytes, in tables that are watched, partly taken back. */
void fault_large_transaction(struct scene *s)
{
    ddl(s,
        "BEGIN; INSERT INTO full_id SELECT 50, 'big', repeat(md5(g::text), 200) FROM "
        "generate_series(1, 500) g; UPDATE accounts SET balance = balance; UPDATE item SET n = n "
        "+ 1; DELETE FROM full_id WHERE a = 50; COMMIT");
    (void)!world_try(s->db, "ROLLBACK");
    ddl(s, "INSERT INTO part SELECT g, 3, g % 11, repeat('p', 200) FROM generate_series(1000, "
           "7000) g");
    sleep_ms((unsigned)rng_between(&s->rng, 0, 100));
    ddl(s, "DELETE FROM part WHERE id >= 1000");
}

void fault_truncate(struct scene *s)
{
    static const char *const list[] = {
        "TRUNCATE item",
        "TRUNCATE part",
        "TRUNCATE part_1",
        "TRUNCATE tag, full_id, keyed",
        "BEGIN; TRUNCATE item; INSERT INTO item SELECT g, g % 9, 1, 'again', repeat('z', 3000) "
        "FROM "
        "generate_series(1, 60) g; COMMIT",
        "BEGIN; INSERT INTO tag VALUES (7, 'x') ON CONFLICT DO NOTHING; TRUNCATE tag; ROLLBACK",
        "BEGIN; SAVEPOINT a; TRUNCATE keyed; ROLLBACK TO a; UPDATE keyed SET v = v + 1; COMMIT",
    };
    ANY(s, list);
    (void)!world_try(s->db, "ROLLBACK");
    ANY(s, list);
    (void)!world_try(s->db, "ROLLBACK");
}

void fault_subtransactions(struct scene *s)
{
    ddl(s, "DO $$ BEGIN FOR i IN 1..300 LOOP BEGIN UPDATE item SET n = n + 1 WHERE id = i % 150; "
           "INSERT INTO tag VALUES (i, 'sub'); IF i % 3 = 0 THEN RAISE division_by_zero; END IF; "
           "EXCEPTION WHEN OTHERS THEN NULL; END; END LOOP; DELETE FROM tag WHERE label = 'sub'; "
           "END $$");
}

void fault_prepare(struct scene *s)
{
    ddl(s, "BEGIN; INSERT INTO node VALUES (500, NULL), (501, 500); UPDATE accounts SET balance = "
           "balance - 5 WHERE id = 1; UPDATE accounts SET balance = balance + 5 WHERE id = 2; "
           "PREPARE TRANSACTION 'held'");
    (void)!world_try(s->db, "ROLLBACK");
}

void fault_prepared_ends(struct scene *s)
{
    const char *how = rng_chance(&s->rng, 70) ? "COMMIT" : "ROLLBACK";
    for (int i = 0; i < 100; i++) {
        if (world_try(scene_db(s), "%s PREPARED 'held'", how) ||
            world_ask(s->db, 1, "SELECT count(*) FROM pg_prepared_xacts") == 0)
            break;
        sleep_ms(20);
    }
    ddl(s, "DELETE FROM node WHERE id >= 500");
}

void fault_open_transaction(struct scene *s)
{
    s->held = world_connect(s->world);
    (void)!world_try(s->held,
                     "BEGIN; INSERT INTO node VALUES (600, NULL); UPDATE branches SET name "
                     "= name; SAVEPOINT a; DELETE FROM node WHERE id < 10; ROLLBACK TO a");
}

void fault_open_transaction_ends(struct scene *s)
{
    (void)!world_try(s->held, "INSERT INTO node VALUES (601, 600); COMMIT");
    PQfinish(s->held);
    s->held = NULL;
    ddl(s, "DELETE FROM node WHERE id >= 600");
}

/* Commits are decoded, and sent to the daemon, long before any snapshot shows them. */
void fault_no_standby(struct scene *s)
{
    (void)!world_try(scene_db(s), "ALTER SYSTEM SET synchronous_standby_names = 'nobody'");
    (void)!world_try(s->db, "SELECT pg_reload_conf()");
}

void fault_standby_back(struct scene *s)
{
    for (int i = 0; i < 100; i++) {
        if (world_try(scene_db(s), "ALTER SYSTEM RESET synchronous_standby_names") &&
            world_try(s->db, "SELECT pg_reload_conf()"))
            return;
        sleep_ms(50);
    }
}
