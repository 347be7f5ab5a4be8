/*
 * VERIFY and the audit: views are what Postgres answers, at the LSN that is told, also under load; and
 * those that were made wrong are found out, said so, and healed.
 *
 * What makes a view wrong is a function that is marked immutable and reads a table; or, in a daemon
 * that is built for it (daemon/faults.h), a change that is taken in twice, or a row that is forgotten.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/alloc.h"
#include "tests/e2e/harness.h"

static PGconn *db;
static struct client *c;

static void begin(void)
{
    db = cluster_connect(cluster);
    c = client_connect(daemon_under_test->port);
    c->timeout_ms = 30000;
}

static void end(void)
{
    client_close(c);
    PQfinish(db);
}

/* The answer to VERIFY, from behind "VERIFIED v 0/1234 " on; the LSN in *lsn. */
static uint64_t verified(struct client *of, const char *id, lsn_t *lsn)
{
    char prefix[80];
    snprintf(prefix, sizeof prefix, "VERIFIED %s ", id);
    client_send(of, "VERIFY %s", id);
    char *line = client_expect_prefix(of, prefix), *rest = line + strlen(prefix);
    char *space = strchr(rest, ' ');
    ck_assert_ptr_nonnull(space);
    ck_assert(lsn_parse(rest, (size_t)(space - rest), lsn));
    uint64_t n = strtoull(space + 1, NULL, 10);
    free(line);
    return n;
}

static void must_be_verified(struct client *of, struct view *v)
{
    lsn_t lsn;
    uint64_t n = verified(of, v->id, &lsn);
    ck_assert_uint_eq(n, (uint64_t)v->rows.total);
    ck_assert_uint_ge(lsn, v->lsn);
}

/* VERIFY is answered with an ERROR that contains the text; the subscription goes on. */
static void must_be_unsure(const char *id, const char *sqlstate, const char *text)
{
    char prefix[80];
    snprintf(prefix, sizeof prefix, "ERROR %s %s ", id, sqlstate);
    client_send(c, "VERIFY %s", id);
    char *line = client_expect_prefix(c, prefix);
    ck_assert_msg(strstr(line, text) != NULL, "%s", line);
    free(line);
}

static long number_in_status(struct client *of, const char *member)
{
    char key[60];
    snprintf(key, sizeof key, "\"%s\":", member);
    client_send(of, "STATUS");
    char *line = client_expect_prefix(of, "STATUS ");
    char *at = strstr(line, key);
    ck_assert_msg(at != NULL, "%s in %s", member, line);
    long n = strtol(at + strlen(key), NULL, 10);
    free(line);
    return n;
}

/* STATUS follows within a moment. */
static void wait_for_status(struct client *of, const char *member, long n)
{
    for (int i = 0; i < 200 && number_in_status(of, member) != n; i++)
        client_drain(of, 20);
    ck_assert_int_eq(number_in_status(of, member), n);
}

/* ---- what is right ------------------------------------------------------------------------- */

START_TEST(what_is_right_is_said_to_be)
{
    static const char *const statements[] = {
        "SELECT * FROM ok_t",
        "SELECT g, count(*), sum(n), min(t) FROM ok_t GROUP BY g",
        "SELECT a.id, b.t FROM ok_t a JOIN ok_t b ON a.g = b.id WHERE a.id % 3 = 1",
        "SELECT id, t FROM ok_t ORDER BY t DESC, id LIMIT 7",
        "SELECT sum(f), avg(f), g FROM ok_t GROUP BY g",
        "SELECT id, rank() OVER (PARTITION BY g ORDER BY n) FROM ok_t",
        "SELECT 1 AS one",
        "SELECT DISTINCT n FROM ok_t",
        "SELECT id FROM ok_t WHERE ctid IS NULL", /* rerun */
        "SELECT count(*), now() IS NULL FROM ok_t",
        "SELECT upper(t) || id, reverse(t) FROM ok_t WHERE t ~ '[13]'", /* delegated */
    };
    sql_run(db, "CREATE TABLE ok_t(id int PRIMARY KEY, g int, n numeric, f float8, t text);"
                "INSERT INTO ok_t SELECT i, i %% 5, i * 1.5, i / 7.0, 'x' || i "
                "FROM generate_series(1, 200) i");
    for (size_t i = 0; i < sizeof statements / sizeof *statements; i++) {
        char id[20];
        snprintf(id, sizeof id, "v%zu", i);
        must_be_verified(c, client_live(c, id, statements[i]));
    }
    sql_run(db,
            "UPDATE ok_t SET g = g + 1, n = n * 3 WHERE id %% 2 = 0; DELETE FROM ok_t WHERE g = 3");
    client_sync(c);
    for (size_t i = 0; i < sizeof statements / sizeof *statements; i++) {
        char id[20];
        snprintf(id, sizeof id, "v%zu", i);
        must_be_verified(c, client_view(c, id));
    }
    ck_assert_int_eq(number_in_status(c, "divergences"), 0);
}
END_TEST

START_TEST(ids_that_are_unknown_and_plans_that_are_not_there_yet)
{
    sql_run(db, "CREATE TABLE early(id int PRIMARY KEY); INSERT INTO early VALUES (1), (2)");
    client_send(c, "VERIFY nobody");
    free(client_expect_prefix(c, "ERROR nobody 42704 "));
    struct view *v = client_subscribe(c, "v", "SELECT id FROM early");
    client_send(c, "VERIFY v\nVERIFY v\nVERIFY v"); /* at once */
    for (int i = 0; i < 3; i++)
        free(client_expect_prefix(c, "VERIFIED v "));
    client_wait_snapshot(c, v);
    client_send(c, "VERIFY v\nRELEASE v\nPING done");
    free(client_expect_prefix(c, "RELEASED v"));
    free(client_expect_prefix(c, "PONG done"));
    client_send(c, "SUBSCRIBE e SELECT no_such_thing\nVERIFY e");
    free(client_expect_prefix(c, "ERROR e 42703"));
    client_send(c, "PING done");
    free(client_expect_prefix(c, "PONG done"));
}
END_TEST

START_TEST(an_error_is_verified_as_one)
{
    lsn_t lsn;
    sql_run(db, "CREATE TABLE errs(id int PRIMARY KEY, d int); INSERT INTO errs VALUES (1, 0)");
    client_subscribe(c, "v", "SELECT 1 / d FROM errs");
    client_subscribe(c, "r", "SELECT 1 / d FROM errs WHERE ctid IS NOT NULL");
    client_sync(c);
    ck_assert(client_view(c, "v")->failed && client_view(c, "r")->failed);
    ck_assert_uint_eq(verified(c, "v", &lsn), 0);
    ck_assert_uint_eq(verified(c, "r", &lsn), 0);
    sql_run(db, "UPDATE errs SET d = 2");
    client_sync(c);
    must_be_verified(c, client_view(c, "v"));
    must_be_verified(c, client_view(c, "r"));
}
END_TEST

START_TEST(a_table_that_stays_locked_is_waited_for)
{
    sql_run(db, "CREATE TABLE lockd(id int PRIMARY KEY); INSERT INTO lockd VALUES (1)");
    struct view *v = client_live(c, "v", "SELECT id FROM lockd");
    PGconn *other = cluster_connect(cluster);
    sql_run(other, "BEGIN; LOCK TABLE lockd IN ACCESS EXCLUSIVE MODE");
    client_send(c, "VERIFY v");
    client_drain(c, 500);
    sql_run(other, "INSERT INTO lockd VALUES (2); COMMIT");
    free(client_expect_prefix(c, "VERIFIED v "));
    client_sync(c);
    must_be_verified(c, v);
    PQfinish(other);
}
END_TEST

/* ---- what is wrong ------------------------------------------------------------------------- */

#define LIAR                                                                                       \
    "CREATE TABLE %1$s_rate(r int); INSERT INTO %1$s_rate VALUES (10);"                            \
    "CREATE FUNCTION %1$s(int) RETURNS int IMMUTABLE LANGUAGE sql AS "                             \
    "'SELECT $1 * r FROM public.%1$s_rate';"                                                       \
    "CREATE TABLE %1$s_t(id int PRIMARY KEY); INSERT INTO %1$s_t SELECT generate_series(1, 5)"

/* A view by the function, in two connections; then the function changes its mind. */
static struct view *make_wrong(const char *name, char *sql, size_t size)
{
    sql_run(db, LIAR, name);
    snprintf(sql, size, "SELECT id, %s(id) FROM %s_t", name, name);
    struct view *v = client_live(c, "v", sql);
    must_be_verified(c, v);
    sql_run(db, "UPDATE %s_rate SET r = 20", name);
    sql_run(db, "DELETE FROM %s_t WHERE id = 5", name);
    client_sync(c);
    return v;
}

START_TEST(a_view_that_is_wrong_is_found_out_and_healed)
{
    char sql[100];
    struct view *v = make_wrong("liar", sql, sizeof sql);
    struct client *c2 = client_connect(daemon_under_test->port);
    struct view *w = client_live(c2, "w", sql),
                *other = client_live(c2, "o", "SELECT id FROM liar_t");
    long before = number_in_status(c, "divergences");
    lsn_t wrong = v->lsn;
    client_send(c, "VERIFY v");
    char *line = client_expect_prefix(c, "DIVERGED v ");
    ck_assert_msg(strstr(line, "{\"missing\":4,\"extra\":4,\"missing_rows\":[[") != NULL, "%s",
                  line);
    ck_assert_ptr_nonnull(strstr(line, "\"extra_rows\":[["));
    free(line);
    while (!v->resyncs || v->snapshots < 2)
        ck_assert(client_apply(c, client_read_line(c)));
    view_must_equal(db, v, sql);
    must_be_verified(c, v);
    client_sync(c2);
    ck_assert_uint_eq(w->resyncs, 1);
    ck_assert_uint_eq(w->snapshots, 2);
    ck_assert_uint_eq(w->deltas, 0);
    view_must_equal(db, w, sql);
    ck_assert_uint_eq(other->resyncs, 0);
    wait_for_status(c, "divergences", before + 1);
    ck_assert(daemon_log_contains(daemon_under_test, "4 rows missing, 4 too many"));
    /* Who comes back with a state of before isn't led on from it. */
    struct client *back = client_connect(daemon_under_test->port);
    char lsn[LSN_TEXT_MAX];
    lsn_print(wrong, lsn);
    client_send(back, "{\"op\":\"subscribe\",\"id\":\"b\",\"sql\":\"%s\",\"since\":\"%s\"}", sql,
                lsn);
    free(client_expect_prefix(back, "ACCEPTED b "));
    free(client_expect_prefix(back, "RESYNC b since_too_old"));
    client_close(back);
    /* Deltas go on from there. */
    sql_run(db, "INSERT INTO liar_t VALUES (77)");
    client_sync(c2);
    view_must_equal(db, w, sql);
    ck_assert_uint_eq(w->deltas, 1);
    client_close(c2);
}
END_TEST

START_TEST(the_audit_finds_it_by_itself)
{
    static const char *const sets[] = {"engine.audit_interval=30ms", "postgres.publication=audits",
                                       NULL};
    char sql[100];
    struct daemon_proc *d = daemon_start(cluster->conninfo, sets, true);
    struct client *mine = c;
    c = client_connect(d->port);
    struct view *v = make_wrong("sly", sql, sizeof sql);
    while (v->snapshots < 2)
        ck_assert(client_apply(c, client_read_line(c)));
    ck_assert_uint_eq(v->resyncs, 1);
    view_must_equal(db, v, sql);
    while (number_in_status(c, "audits") < 5)
        client_drain(c, 50);
    ck_assert_int_eq(number_in_status(c, "divergences"), 1);
    ck_assert_uint_eq(v->resyncs, 1);
    ck_assert(daemon_log_contains(d, "is right again"));
    client_close(c);
    c = mine;
    daemon_free(d);
}
END_TEST

/* The function gives another value in each session: no rebuild makes it right. */
START_TEST(what_cannot_be_healed_is_built_anew_once)
{
    sql_run(db, "CREATE FUNCTION moody(int) RETURNS int IMMUTABLE LANGUAGE sql AS "
                "'SELECT pg_backend_pid()';"
                "CREATE TABLE moody_t(id int PRIMARY KEY); INSERT INTO moody_t VALUES (1), (2)");
    struct view *v = client_live(c, "v", "SELECT id, moody(id) FROM moody_t");
    long before = number_in_status(c, "divergences");
    for (int i = 0; i < 4; i++) {
        client_send(c, "VERIFY v");
        free(client_expect_prefix(c, "DIVERGED v "));
        while (!daemon_log_contains(daemon_under_test, "is still not what Postgres answers"))
            client_drain(c, 20);
    }
    client_sync(c);
    wait_for_status(c, "divergences", before + 1);
    ck_assert_uint_eq(v->resyncs, 0); /* it is no other than before */
    ck_assert_uint_eq(v->snapshots, 1);
    sql_run(db, "INSERT INTO moody_t VALUES (3)");
    client_sync(c);
    ck_assert_int_eq(v->rows.total, 3);
}
END_TEST

/* A daemon that can be made wrong, in a directory of its own for the orders. */
static struct daemon_proc *start_faulty(char *dir, const char *const *sets)
{
    const char *program = getenv("PALIMPSESTD");
    char *usual = xstrdup(program && *program ? program : "build/palimpsestd"), path[4096];
    snprintf(path, sizeof path, "%s-faults", usual);
    ck_assert_ptr_nonnull(mkdtemp(dir));
    setenv("PALIMPSEST_FAULTS", dir, 1);
    setenv("PALIMPSESTD", path, 1);
    struct daemon_proc *d = daemon_start(cluster->conninfo, sets, true);
    setenv("PALIMPSESTD", usual, 1);
    free(usual);
    return d;
}

static void order_fault(const char *dir, const char *name)
{
    char path[200];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    fclose(fopen(path, "w"));
}

static bool is_pending(const char *dir, const char *name)
{
    char path[200];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    return access(path, F_OK) == 0;
}

START_TEST(corrupted_state_is_found_out_and_healed)
{
    static const char *const sets[] = {"postgres.publication=broken", NULL};
    const char *sql = "SELECT g, count(*) FROM brk GROUP BY g", *all = "SELECT id FROM brk";
    char dir[] = "/tmp/palimpsest-faults-XXXXXX";
    struct daemon_proc *d = start_faulty(dir, sets);
    struct client *mine = c;
    c = client_connect(d->port);
    sql_run(db, "CREATE TABLE brk(id int PRIMARY KEY, g int);"
                "INSERT INTO brk SELECT i, i %% 3 FROM generate_series(1, 30) i");
    struct view *v = client_live(c, "v", sql);
    /* a plan's state, and with it what its subscribers have been told */
    order_fault(dir, "weight");
    sql_run(db, "INSERT INTO brk VALUES (100, 0)");
    client_sync(c);
    ck_assert(!is_pending(dir, "weight"));
    client_send(c, "VERIFY v");
    char *line = client_expect_prefix(c, "DIVERGED v ");
    ck_assert_msg(strstr(line, "{\"missing\":1,\"extra\":1,\"missing_rows\":[[0,11]],"
                               "\"extra_rows\":[[0,12]]}") != NULL,
                  "%s", line);
    free(line);
    while (v->snapshots < 2)
        ck_assert(client_apply(c, client_read_line(c)));
    ck_assert_uint_eq(v->resyncs, 1);
    view_must_equal(db, v, sql);
    must_be_verified(c, v);
    /* a table's rows: no plan is wrong until one is built from them */
    order_fault(dir, "row");
    sql_run(db, "INSERT INTO brk VALUES (200, 1)");
    client_sync(c);
    ck_assert(!is_pending(dir, "row"));
    must_be_verified(c, v);
    struct view *w = client_live(c, "w", all);
    ck_assert_int_eq(w->rows.total, 31);
    client_send(c, "VERIFY w");
    free(client_expect_prefix(c, "DIVERGED w "));
    while (w->snapshots < 2)
        ck_assert(client_apply(c, client_read_line(c)));
    view_must_equal(db, w, all);
    must_be_verified(c, w);
    sql_run(db, "UPDATE brk SET g = 2 WHERE id = 200");
    client_sync(c);
    view_must_equal(db, w, all);
    view_must_equal(db, v, sql);
    ck_assert_uint_eq(v->resyncs, 1);
    client_close(c);
    c = mine;
    daemon_free(d);
    rmdir(dir);
}
END_TEST

/* Nobody asks. */
START_TEST(the_audit_finds_corrupted_state)
{
    static const char *const sets[] = {"engine.audit_interval=50ms", "postgres.publication=audited",
                                       NULL};
    char dir[] = "/tmp/palimpsest-faults-XXXXXX";
    struct daemon_proc *d = start_faulty(dir, sets);
    struct client *other = client_connect(d->port);
    sql_run(db, "CREATE TABLE brk2(id int PRIMARY KEY); INSERT INTO brk2 VALUES (1)");
    struct view *v = client_live(other, "v", "SELECT id FROM brk2");
    order_fault(dir, "weight");
    sql_run(db, "INSERT INTO brk2 VALUES (2)");
    while (v->snapshots < 2)
        ck_assert(client_apply(other, client_read_line(other)));
    ck_assert_uint_eq(v->resyncs, 1);
    view_must_equal(db, v, "SELECT id FROM brk2");
    ck_assert(daemon_log_contains(d, "is not what Postgres answers"));
    client_close(other);
    daemon_free(d);
    rmdir(dir);
}
END_TEST

/* ---- what isn't determined ----------------------------------------------------------------- */

START_TEST(several_right_answers_are_no_divergence)
{
    sql_run(db, "CREATE TABLE dbt(id int PRIMARY KEY, g int, n numeric, f float8);"
                "INSERT INTO dbt SELECT i, i %% 3, CASE WHEN i %% 2 = 0 THEN 1.0 ELSE 1.00 END, "
                "(i %% 7) * 0.1 + 1e-3 * i FROM generate_series(1, 500) i");
    struct view *f = client_live(c, "f", "SELECT g, sum(f), avg(f), stddev(f) FROM dbt GROUP BY g");
    struct view *n = client_live(c, "n", "SELECT n, count(*) FROM dbt GROUP BY n");
    client_live(c, "l", "SELECT id, g FROM dbt ORDER BY g LIMIT 5");
    client_live(c, "a", "SELECT array_agg(id) FROM dbt");
    struct view *w = client_live(c, "w", "SELECT g, max(f) FROM dbt GROUP BY g HAVING sum(f) > 1");
    /* The rows lie elsewhere now: another order, other digits, another one first. */
    for (int i = 0; i < 3; i++)
        sql_run(db, "UPDATE dbt SET f = f WHERE id %% 4 = %d", i);
    sql_run(db, "UPDATE dbt SET g = g WHERE id < 100");
    sql_run(db, "VACUUM dbt");
    sql_run(db, "UPDATE dbt SET n = n WHERE id > 400");
    client_sync(c);
    must_be_verified(c, f);
    must_be_verified(c, n);
    must_be_verified(c, w);
    must_be_unsure("a", "0A000", "order of its rows");
    must_be_unsure("l", "0A000", "LIMIT");
    ck_assert_int_eq(number_in_status(c, "divergences"), 0);
}
END_TEST

/* ---- under load ---------------------------------------------------------------------------- */

static atomic_bool writing;

static void *write_on(void *arg)
{
    PGconn *conn = cluster_connect(cluster);
    unsigned seed = (unsigned)(uintptr_t)arg;
    while (atomic_load(&writing)) {
        int id = rand_r(&seed) % 300, n = rand_r(&seed) % 1000;
        switch (rand_r(&seed) % 4) {
        case 0: sql_run(conn, "DELETE FROM load_t WHERE id = %d", id); break;
        case 1: sql_run(conn, "UPDATE load_t SET n = %d WHERE g = %d", n, id % 10); break;
        default:
            sql_run(conn,
                    "INSERT INTO load_t VALUES (%d, %d, %d) ON CONFLICT (id) DO UPDATE SET n = "
                    "excluded.n, g = excluded.g",
                    id, id % 10, n);
        }
        usleep(rand_r(&seed) % 3000);
    }
    PQfinish(conn);
    return NULL;
}

/* How many rows each view had from which LSN on. */
struct point {
    const struct view *v;
    lsn_t lsn;
    int64_t rows;
};
static VEC(struct point) points;

static void note_point(struct client *of, struct view *v, void *arg)
{
    (void)of, (void)arg;
    if (v->has_snapshot)
        VEC_PUSH(points, ((struct point){v, v->lsn, v->rows.total}));
}

static int64_t rows_at(const struct view *v, lsn_t lsn)
{
    int64_t rows = -1;
    for (size_t i = 0; i < points.n; i++)
        if (points.v[i].v == v && points.v[i].lsn <= lsn)
            rows = points.v[i].rows;
    return rows;
}

START_TEST(under_load_all_is_right_at_its_lsn)
{
    static const char *const statements[] = {
        "SELECT id, n FROM load_t WHERE n > 500",
        "SELECT g, n % 7, count(*), sum(n) FROM load_t GROUP BY g, n % 7",
        "SELECT a.id, b.id FROM load_t a JOIN load_t b ON a.n = b.n AND a.id < b.id",
        "SELECT DISTINCT n FROM load_t",
        "SELECT id, n FROM load_t WHERE n > 900 AND ctid IS NOT NULL", /* rerun */
    };
    enum {
        N = sizeof statements / sizeof *statements,
        WRITERS = 4
    };
    pthread_t writers[WRITERS];
    struct view *v[N];
    int rounds = harness_scale(40);
    c->after_event = note_point;
    sql_run(db, "CREATE TABLE load_t(id int PRIMARY KEY, g int, n int)");
    for (size_t i = 0; i < N; i++) {
        char id[20];
        snprintf(id, sizeof id, "v%zu", i);
        v[i] = client_live(c, id, statements[i]);
    }
    atomic_store(&writing, true);
    for (size_t i = 0; i < WRITERS; i++)
        pthread_create(&writers[i], NULL, write_on, (void *)(uintptr_t)(harness_seed() + i));
    for (int r = 0; r < rounds; r++)
        for (size_t i = 0; i < N; i++) {
            lsn_t lsn;
            uint64_t n = verified(c, v[i]->id, &lsn);
            if (v[i]->lsn < lsn) /* what leads up to it may be under way */
                client_sync(c);
            ck_assert_msg((int64_t)n == rows_at(v[i], lsn), "%s: %ld rows, not %ld", statements[i],
                          (long)n, (long)rows_at(v[i], lsn));
        }
    atomic_store(&writing, false);
    for (size_t i = 0; i < WRITERS; i++)
        pthread_join(writers[i], NULL);
    client_sync(c);
    for (size_t i = 0; i < N; i++)
        view_must_equal(db, v[i], statements[i]);
    ck_assert_int_eq(number_in_status(c, "divergences"), 0);
    c->after_event = NULL;
    VEC_FREE(points);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("verify");
    TCase *t = tcase_create("verify");
    tcase_set_timeout(t, 300);
    tcase_add_checked_fixture(t, begin, end);
    tcase_add_test(t, what_is_right_is_said_to_be);
    tcase_add_test(t, ids_that_are_unknown_and_plans_that_are_not_there_yet);
    tcase_add_test(t, an_error_is_verified_as_one);
    tcase_add_test(t, a_table_that_stays_locked_is_waited_for);
    tcase_add_test(t, several_right_answers_are_no_divergence);
    tcase_add_test(t, under_load_all_is_right_at_its_lsn);
    tcase_add_test(t, a_view_that_is_wrong_is_found_out_and_healed);
    tcase_add_test(t, the_audit_finds_it_by_itself);
    tcase_add_test(t, corrupted_state_is_found_out_and_healed);
    tcase_add_test(t, the_audit_finds_corrupted_state);
    tcase_add_test(t, what_cannot_be_healed_is_built_anew_once);
    suite_add_tcase(s, t);
    return s;
}

int main(void)
{
    static const char *const sets[] = {"engine.workers=2", NULL};
    harness_daemon_sets = sets;
    return harness_main(suite());
}
