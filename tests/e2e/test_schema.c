/*
 * DDL on live tables: each change of a long list, under views of many shapes, each judged by Postgres.
 *
 * Every case has a schema of its own with the same tables in it, and the same statements live on them.
 * The cases run one after another while all are live, so that each also shows that the plans of all
 * others get not one line. After the change, and after further writes, each view must hold what
 * Postgres answers, or have ended with Postgres's own error. What came is held against what a client
 * is promised: nothing where nothing changed, a DELTA where the columns are the same, else RESYNC
 * schema_changed, ACCEPTED, SNAPSHOT.
 *
 * A run takes some of the cases, by its seed; with ALL=1 in the environment all of them, with ONLY=text
 * those that have it in them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tests/e2e/harness.h"

static PGconn *db;
static struct client *c;

/* ---- the cases ----------------------------------------------------------------------------- */

static const char setup_sql[] =
    "CREATE TABLE t(id int PRIMARY KEY, a int DEFAULT 1, b text, c varchar(10), z int);"
    "INSERT INTO t SELECT g, g %% 4, 'b' || g, 'c' || g, g FROM generate_series(1, 9) g;"
    "CREATE UNIQUE INDEX t_a ON t(id, a);"
    "CREATE TABLE u(id int PRIMARY KEY, t_id int, w numeric(10, 2));"
    "INSERT INTO u SELECT g, g, g * 1.5 FROM generate_series(1, 5) g;"
    "CREATE VIEW v AS SELECT id, a, b FROM t WHERE a > 0;"
    "CREATE VIEW vv AS SELECT a, count(*) AS n FROM v GROUP BY a;"
    "CREATE FUNCTION f(x int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT $1 * 10';"
    "CREATE TABLE p(id int, k int, a int, PRIMARY KEY (id, k)) PARTITION BY LIST (k);"
    "CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1);"
    "CREATE TABLE p2 PARTITION OF p FOR VALUES IN (2);"
    "CREATE TABLE p3(a int, k int NOT NULL, id int NOT NULL, PRIMARY KEY (id, k));"
    "INSERT INTO p SELECT g, g %% 2 + 1, g FROM generate_series(1, 6) g;"
    "INSERT INTO p3 VALUES (1, 3, 70), (2, 3, 71);"
    "CREATE TABLE par(id int PRIMARY KEY, x int); CREATE TABLE kid(PRIMARY KEY (id)) INHERITS "
    "(par);"
    "CREATE TABLE stray(id int PRIMARY KEY, x int);"
    "INSERT INTO par VALUES (1, 1); INSERT INTO kid VALUES (2, 2); INSERT INTO stray VALUES (3, 3);"
    "CREATE TABLE w(a int, b text); ALTER TABLE w REPLICA IDENTITY FULL;"
    "INSERT INTO w SELECT g %% 3, 'w' FROM generate_series(1, 6) g;"
    "CREATE TYPE mood AS ENUM ('sad', 'fine', 'glad'); CREATE DOMAIN small AS int CHECK (VALUE < "
    "100);"
    "CREATE TABLE e(id int PRIMARY KEY, m mood, s small);"
    "INSERT INTO e VALUES (1, 'sad', 1), (2, 'fine', 2), (3, 'glad', 3);"
    "CREATE TABLE other(id int PRIMARY KEY, a int); INSERT INTO other VALUES (1, 1), (2, 2)";

static const char *const statements[] = {
    "SELECT id, a, b FROM {t}",
    "SELECT * FROM {t}",
    "SELECT t.id, t.c, u.w FROM {t} t LEFT JOIN {u} u ON u.t_id = t.id",
    "SELECT a, count(*), min(b) FROM {t} GROUP BY a",
    "SELECT a, n FROM {vv}",
    "SELECT id, {f}(a) AS f FROM {t}",
    "SELECT id, a FROM {t} ORDER BY a DESC, id LIMIT 3",
    "SELECT id, a, ctid IS NULL AS r FROM {t}",
    "SELECT id, k, a FROM {p}",
    "SELECT k, count(*), ctid IS NULL AS r FROM {p} GROUP BY 1, 3",
    "SELECT id, x FROM {par}",
    "SELECT a, b, count(*) FROM {w} GROUP BY a, b",
    "SELECT id, m, s FROM {e} WHERE m <> 'sad'",
    "SELECT max(m) FROM {e}",
    "SELECT id, a FROM {other}",
};
#define NSTATEMENTS (sizeof statements / sizeof *statements)
#define STAR        1

static const char *const writes[] = {
    "INSERT INTO t(id, a, b) VALUES (50, 3, 'n'), (51, 0, 'm')",
    "UPDATE t SET a = 2 WHERE id = 3",
    "DELETE FROM t WHERE id = 4",
    "INSERT INTO u VALUES (60, 50, 9)",
    "INSERT INTO p(id, k, a) VALUES (30, 1, 5)",
    "UPDATE p SET a = 77 WHERE id = 2",
    "INSERT INTO p(id, k, a) VALUES (31, 3, 6)",
    "DELETE FROM p WHERE id = 5",
    "UPDATE par SET x = x + 10",
    "INSERT INTO w VALUES (1, 'x')",
    "UPDATE w SET a = 9 WHERE a = 2",
    "DELETE FROM w WHERE a = 0",
    "UPDATE e SET m = 'fine' WHERE id = 1",
    "UPDATE other SET a = a + 1 WHERE id = 2",
};

struct ddl {
    const char *sql;
    bool refused; /* the daemon may refuse with 0A000 what Postgres answers */
    bool widens;  /* "*" is more columns now; the plan stays what it was */
};

static const struct ddl ddls[] = {
    {"ALTER TABLE t ADD COLUMN d int", .widens = true},
    {"ALTER TABLE t ADD COLUMN d int DEFAULT 5 NOT NULL", .widens = true},
    {"ALTER TABLE t ADD COLUMN d text DEFAULT clock_timestamp()::text", .widens = true},
    {"ALTER TABLE t ADD COLUMN d int GENERATED ALWAYS AS (a * 2) STORED", .widens = true},
    {"ALTER TABLE t DROP COLUMN z"},
    {"ALTER TABLE t DROP COLUMN c"},
    {"ALTER TABLE t DROP COLUMN b CASCADE"},
    {"ALTER TABLE t DROP COLUMN z; ALTER TABLE t ADD COLUMN z int"},
    {"ALTER TABLE t RENAME COLUMN a TO a2"},
    {"ALTER TABLE t RENAME COLUMN z TO z2"},
    {"BEGIN; ALTER TABLE t RENAME a TO y; ALTER TABLE t RENAME z TO a; ALTER TABLE t RENAME y TO z;"
     "COMMIT"},
    {"ALTER TABLE t RENAME TO t2"},
    {"BEGIN; ALTER TABLE t RENAME TO t_old; CREATE TABLE t(id int PRIMARY KEY, a int, b text, "
     "c varchar(10), z int); INSERT INTO t SELECT id + 1, a, b, c, z FROM t_old; COMMIT"},
    {"CREATE SCHEMA {}_2; ALTER TABLE t SET SCHEMA {}_2"},
    {"ALTER TABLE t ALTER c TYPE varchar(20)"},
    {"ALTER TABLE t ALTER c TYPE text"},
    {"DROP VIEW vv, v; ALTER TABLE t ALTER a TYPE bigint"},
    {"ALTER TABLE t ALTER z TYPE int USING z * 100"},
    {"ALTER TABLE t ALTER c TYPE varchar(10) USING upper(c)"},
    {"DROP VIEW vv; DROP VIEW v; ALTER TABLE t ALTER a TYPE int USING a + 1;"
     "CREATE VIEW v AS SELECT id, a, b FROM t WHERE a > 0;"
     "CREATE VIEW vv AS SELECT a, count(*) AS n FROM v GROUP BY a"},
    {"ALTER TABLE t ALTER a SET NOT NULL; ALTER TABLE t ALTER a DROP NOT NULL"},
    {"ALTER TABLE t ALTER a SET DEFAULT 3; ALTER TABLE t ALTER a DROP DEFAULT"},
    {"ALTER TABLE t REPLICA IDENTITY FULL"},
    {"ALTER TABLE t REPLICA IDENTITY FULL; UPDATE t SET a = 3 WHERE id = 8;"
     "ALTER TABLE t REPLICA IDENTITY DEFAULT"},
    {"ALTER TABLE t ALTER a SET NOT NULL; ALTER TABLE t REPLICA IDENTITY USING INDEX t_a"},
    {"ALTER TABLE t ALTER a SET NOT NULL; ALTER TABLE t REPLICA IDENTITY USING INDEX t_a;"
     "UPDATE t SET a = 3 WHERE id = 7; ALTER TABLE t REPLICA IDENTITY DEFAULT; DROP INDEX t_a"},
    {"ALTER TABLE t REPLICA IDENTITY NOTHING", .refused = true},
    {"ALTER TABLE t DROP CONSTRAINT t_pkey", .refused = true},
    {"ALTER TABLE t DROP CONSTRAINT t_pkey; ALTER TABLE t ADD PRIMARY KEY (id)"},
    {"ALTER TABLE p ATTACH PARTITION p3 FOR VALUES IN (3)"},
    {"ALTER TABLE p DETACH PARTITION p1"},
    {"ALTER TABLE p DETACH PARTITION p1 CONCURRENTLY"},
    {"CREATE TABLE p4 PARTITION OF p FOR VALUES IN (3); INSERT INTO p VALUES (90, 3, 1)"},
    {"DROP TABLE p2"},
    {"TRUNCATE p1"},
    {"BEGIN; ALTER TABLE p DETACH PARTITION p2; ALTER TABLE p ATTACH PARTITION p3 FOR VALUES IN "
     "(3);"
     "INSERT INTO p VALUES (91, 3, 3); UPDATE p SET a = 8 WHERE id = 4; COMMIT"},
    {"ALTER TABLE stray INHERIT par"},
    {"ALTER TABLE kid NO INHERIT par"},
    {"CREATE OR REPLACE VIEW v AS SELECT id, a, b FROM t WHERE a > 1"},
    {"CREATE OR REPLACE VIEW vv AS SELECT a, count(*) + 100 AS n FROM v GROUP BY a"},
    {"DROP VIEW vv; CREATE VIEW vv AS SELECT a, count(*)::int AS n FROM v GROUP BY a"},
    {"ALTER VIEW vv RENAME TO vv2"},
    {"DROP VIEW v CASCADE"},
    {"CREATE OR REPLACE FUNCTION f(x int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT $1 * 11'"},
    {"DROP FUNCTION f; CREATE FUNCTION f(x int) RETURNS text IMMUTABLE LANGUAGE sql AS "
     "'SELECT $1 || $$!$$'"},
    {"DROP FUNCTION f(int)"},
    {"ALTER FUNCTION f(int) RENAME TO g"},
    {"ALTER FUNCTION f(int) VOLATILE", .refused = true},
    {"ALTER TYPE mood ADD VALUE 'furious' AFTER 'glad'"},
    {"ALTER TYPE mood RENAME VALUE 'fine' TO 'well'"},
    {"ALTER TYPE mood RENAME VALUE 'sad' TO 'blue'"},
    {"ALTER TYPE mood RENAME TO temper"},
    {"ALTER DOMAIN small DROP CONSTRAINT small_check; ALTER DOMAIN small SET NOT NULL"},
    {"DROP TABLE t CASCADE"},
    {"BEGIN; DROP TABLE u; CREATE TABLE u(id int PRIMARY KEY, t_id int, w numeric(10, 2));"
     "INSERT INTO u VALUES (1, 2, 3); COMMIT"},
    {"DROP TABLE w; CREATE TABLE w(a int PRIMARY KEY, b text); INSERT INTO w VALUES (4, 'new')"},
    {"VACUUM FULL t"},
    {"CLUSTER t USING t_pkey"},
    {"TRUNCATE t"},
    {"BEGIN; TRUNCATE t; INSERT INTO t(id, a) VALUES (1, 1); COMMIT"},
    {"ALTER TABLE t ENABLE ROW LEVEL SECURITY"},
    {"CREATE RULE r AS ON INSERT TO other DO ALSO NOTHING; DROP RULE r ON other"},
    {"GRANT SELECT ON t TO PUBLIC; REVOKE SELECT ON t FROM PUBLIC"},
    {"ALTER COLLATION pg_catalog.\"C.utf8\" OWNER TO CURRENT_USER; ANALYZE t; COMMENT ON TABLE t "
     "IS 'x'"},
    {"BEGIN; UPDATE w SET a = 5 WHERE a = 1; ALTER TABLE w ALTER a TYPE int USING a * 2;"
     "UPDATE w SET a = a + 1; INSERT INTO w VALUES (0, 'y'); COMMIT"},
    {"BEGIN; INSERT INTO t VALUES (20, 2, 'q', 'r', 1); ALTER TABLE t DROP COLUMN z;"
     "UPDATE t SET c = 'cc' WHERE id = 20; DELETE FROM t WHERE id = 1; COMMIT"},
};
#define NDDLS (sizeof ddls / sizeof *ddls)
#define CASES 8 /* of a run, about */

/* ---- one view ------------------------------------------------------------------------------ */

/* What a client has been sent so far. */
struct sent {
    unsigned snapshots, deltas, resyncs, accepts;
    bool ended;
    char *columns, *rows; /* owned */
};

struct shape {
    struct view *view;
    char *sql; /* owned */
    struct sent before;
};

struct trial {
    const struct ddl *ddl;
    char schema[16];
    struct shape shapes[NSTATEMENTS];
};

/* {x} becomes s.x, and {} s. */
static char *in_schema(const char *text, const char *schema)
{
    struct buf b = {0};
    for (const char *p = text; *p; p++) {
        if (*p == '{' && p[1] == '}')
            buf_adds(&b, schema);
        else if (*p == '{')
            buf_addf(&b, "%s.", schema);
        else if (*p != '}')
            buf_addc(&b, *p);
    }
    buf_addc(&b, '\0');
    return b.data;
}

static char *columns_of(const struct view *v)
{
    const char *from = strstr(v->accepted, "\"columns\"");
    const char *end = strstr(v->accepted, "\"order\"");
    return xstrndup(from, (size_t)(end - from));
}

static struct sent sent_to(const struct view *v)
{
    return (struct sent){.snapshots = v->snapshots,
                         .deltas = v->deltas,
                         .resyncs = v->resyncs,
                         .accepts = v->accepts,
                         .ended = v->released,
                         .columns = columns_of(v),
                         .rows = view_text(v)};
}

static void sent_fini(struct sent *s)
{
    free(s->columns);
    free(s->rows);
}

static bool was_sent_nothing(const struct view *v, const struct sent *before)
{
    return v->snapshots == before->snapshots && v->deltas == before->deltas &&
           v->resyncs == before->resyncs && v->accepts == before->accepts &&
           v->released == before->ended;
}

static void wrong(const struct trial *t, const struct shape *sh, const char *when, const char *what)
{
    struct buf have = {0};
    if (!sh->view->released)
        buf_adds(&have, view_text(sh->view));
    die("%s\n  %s, %s:\n  %s\n  snapshots %u, deltas %u, resyncs %u (%s), accepts %u, error %s\n%s",
        t->ddl->sql, sh->sql, when, what, sh->view->snapshots, sh->view->deltas, sh->view->resyncs,
        sh->view->reason, sh->view->accepts, sh->view->error ? sh->view->error : "none",
        have.len ? buf_cstr(&have) : "");
}

/* It ended: with the error that Postgres answers with, or one that it may be refused with. */
static void check_end(const struct trial *t, const struct shape *sh, const struct answer *a)
{
    const char *error = sh->view->error;
    bool refused = strncmp(error, "0A000", 5) == 0 || strncmp(error, "55000", 5) == 0;
    if (a->ok ? !(t->ddl->refused && refused) : strncmp(error, a->sqlstate, 5) != 0)
        wrong(t, sh, "after the change", a->ok ? "ended without cause" : a->sqlstate);
}

static void check_rows(const struct trial *t, const struct shape *sh, const char *when)
{
    struct answer want, have;
    struct buf diff = {0};
    judge_ask(db, sh->sql, NULL, sh->view->ncols, &want);
    if (sh->view->released) {
        check_end(t, sh, &want);
    } else if (!want.ok) {
        wrong(t, sh, when, want.sqlstate);
    } else {
        view_rows(sh->view, &have);
        if (answer_diff(&want, &have, &diff))
            wrong(t, sh, when, buf_cstr(&diff));
        answer_fini(&have);
    }
    answer_fini(&want);
    buf_fini(&diff);
}

/* Nothing, a DELTA, or RESYNC, ACCEPTED and SNAPSHOT: as little as will do. */
static void check_promise(const struct trial *t, const struct shape *sh)
{
    const struct view *v = sh->view;
    if (v->released)
        return;
    struct sent now = sent_to(v);
    bool same_columns = strcmp(now.columns, sh->before.columns) == 0;
    bool same_rows = strcmp(now.rows, sh->before.rows) == 0;
    if (same_columns && same_rows && !was_sent_nothing(v, &sh->before) && now.deltas == 0)
        wrong(t, sh, "after the change", "something was sent, and nothing has changed");
    if (same_columns && (now.resyncs || now.accepts > 1 || now.snapshots > 1))
        wrong(t, sh, "after the change", "a new SNAPSHOT for the same columns");
    if (!same_columns && (now.resyncs != 1 || now.accepts != 2 || now.snapshots != 2 ||
                          strcmp(v->reason, "schema_changed") != 0))
        wrong(t, sh, "after the change", "other columns without RESYNC, ACCEPTED, SNAPSHOT");
    sent_fini(&now);
}

/* ---- the run ------------------------------------------------------------------------------- */

static void begin_trial(struct trial *t, size_t no)
{
    t->ddl = &ddls[no];
    snprintf(t->schema, sizeof t->schema, "s%zu", no);
    sql_run(db, "CREATE SCHEMA %s; SET search_path = %s", t->schema, t->schema);
    sql_run(db, setup_sql);
    for (size_t i = 0; i < NSTATEMENTS; i++) {
        char id[24];
        struct shape *sh = &t->shapes[i];
        snprintf(id, sizeof id, "%s.%zu", t->schema, i);
        sh->sql = in_schema(statements[i], t->schema);
        sh->view = client_subscribe(c, id, sh->sql);
    }
}

static void check_others(const struct trial *trials, size_t n, const struct trial *but)
{
    for (size_t k = 0; k < n; k++)
        for (size_t i = 0; i < NSTATEMENTS; i++) {
            const struct shape *sh = &trials[k].shapes[i];
            if (&trials[k] > but && !was_sent_nothing(sh->view, &sh->before))
                wrong(but, sh, "after the change", "it reads nothing of what was changed");
        }
}

/* Statements of which each may stand alone: not all may run in a transaction. */
static void run_ddl(const struct trial *t)
{
    char *sql = in_schema(t->ddl->sql, t->schema), *save = NULL;
    sql_run(db, "SET search_path = %s", t->schema);
    for (char *one = strtok_r(sql, ";", &save); one; one = strtok_r(NULL, ";", &save)) {
        sql_run(db, "%s", one);
    }
    free(sql);
}

static void run_trial(struct trial *trials, size_t n, struct trial *t)
{
    run_ddl(t);
    client_sync(c);
    for (size_t i = 0; i < NSTATEMENTS; i++) {
        if (i == STAR && t->ddl->widens)
            continue;
        check_rows(t, &t->shapes[i], "after the change");
        check_promise(t, &t->shapes[i]);
    }
    check_others(trials, n, t);
    sql_run(db, "SET search_path = %s", t->schema);
    for (size_t i = 0; i < sizeof writes / sizeof *writes; i++)
        (void)sql_state(db, "%s", writes[i]);
    client_sync(c);
    for (size_t i = 0; i < NSTATEMENTS; i++)
        if (i != STAR || !t->ddl->widens)
            check_rows(t, &t->shapes[i], "after writes");
}

static bool is_chosen(const struct ddl *d)
{
    const char *only = getenv("ONLY");
    bool lucky = (size_t)rand() % NDDLS < CASES;
    return only ? strstr(d->sql, only) != NULL : getenv("ALL") || lucky;
}

START_TEST(every_change_of_the_schema_is_followed)
{
    static struct trial trials[NDDLS];
    size_t n = 0;
    srand(harness_seed());
    for (size_t i = 0; i < NDDLS; i++)
        if (is_chosen(&ddls[i]))
            begin_trial(&trials[n++], i);
    for (size_t k = 0; k < n; k++)
        for (size_t i = 0; i < NSTATEMENTS; i++) {
            client_wait_snapshot(c, trials[k].shapes[i].view);
            if (trials[k].shapes[i].view->error)
                wrong(&trials[k], &trials[k].shapes[i], "at first", "not accepted");
        }
    client_sync(c);
    for (size_t k = 0; k < n; k++)
        for (size_t i = 0; i < NSTATEMENTS; i++)
            trials[k].shapes[i].before = sent_to(trials[k].shapes[i].view);
    for (size_t k = 0; k < n; k++)
        run_trial(trials, n, &trials[k]);
    for (size_t k = 0; k < n; k++)
        for (size_t i = 0; i < NSTATEMENTS; i++) {
            sent_fini(&trials[k].shapes[i].before);
            free(trials[k].shapes[i].sql);
        }
}
END_TEST

static void begin(void)
{
    db = cluster_connect(cluster);
    sql_run(db, "SET client_min_messages = error");
    c = client_connect(daemon_under_test->port);
    c->timeout_ms = 30000;
}

static void end(void)
{
    client_close(c);
    PQfinish(db);
}

static Suite *suite(void)
{
    Suite *s = suite_create("schema");
    TCase *t = tcase_create("schema");
    tcase_set_timeout(t, 240);
    tcase_add_checked_fixture(t, begin, end);
    tcase_add_test(t, every_change_of_the_schema_is_followed);
    suite_add_tcase(s, t);
    return s;
}

int main(void)
{
    static const char *const settings[] = {"max_locks_per_transaction = 1000", NULL};
    static const char *const sets[] = {"limits.subscriptions_per_connection=2000", NULL};
    harness_pg_settings = settings;
    harness_daemon_sets = sets;
    return harness_main(suite());
}
