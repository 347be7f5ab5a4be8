/*
 * Statements that Postgres is asked again: exact as of the LSN they bear, together with views that are
 * kept by changes; under load, through errors and DDL.
 *
 * `now() IS NULL` makes a statement one of them whatever else becomes incremental, and `ctid IS NULL`
 * one that doesn't depend on the time besides.
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

static struct view *rerun(const char *id, const char *sql)
{
    struct view *v = client_live(c, id, sql);
    ck_assert_ptr_nonnull(strstr(v->accepted, "\"mode\":\"rerun\",\"reason\":\""));
    return v;
}

static void must_equal(struct view *v, const char *sql)
{
    client_sync(c);
    view_must_equal(db, v, sql);
}

/* ---- results ------------------------------------------------------------------------------- */

START_TEST(it_says_why_and_is_listed_as_what_it_is)
{
    sql_run(db, "CREATE TABLE why(id int PRIMARY KEY)");
    struct view *v = rerun("v", "SELECT id FROM why WHERE now() IS NOT NULL");
    ck_assert_ptr_nonnull(strstr(v->accepted, "\"reason\":\"function now(), which is not"));
    client_send(c, "EXPLAIN e SELECT id FROM why WHERE now() IS NOT NULL");
    free(client_expect_prefix(c, "EXPLAIN e 3"));
    free(client_expect_prefix(c, "* rerun by Postgres, because of function now()"));
    free(client_expect_prefix(c, "* after changes of public.why"));
    free(client_expect_prefix(c, "* and as time goes by"));
    client_send(c, "LIST");
    free(client_expect_prefix(c, "PLANS "));
    char *line = client_expect_prefix(c, "* ");
    ck_assert_ptr_nonnull(strstr(line, "\"mode\":\"rerun\""));
    free(line);
}
END_TEST

START_TEST(columns_without_names_equal_names_and_many_columns)
{
    struct buf b = {0};
    sql_run(db, "CREATE TABLE wide(id int PRIMARY KEY, j jsonb);"
                "INSERT INTO wide VALUES (1, '{\"a\": [1, 2]}'), (2, NULL)");
    buf_adds(&b, "SELECT now() IS NULL, id, id, id AS \"?column?\", j");
    for (int i = 0; i < 250; i++)
        buf_addf(&b, ", id + %d", i);
    buf_adds(&b, " FROM wide");
    const char *sql = buf_cstr(&b);
    struct view *v = rerun("v", sql);
    ck_assert_uint_eq(v->ncols, 255);
    char *text = view_text(v);
    ck_assert_ptr_nonnull(strstr(text, "[false,1,1,1,{\"a\":[1,2]},1,2,3,4,"));
    ck_assert_ptr_nonnull(strstr(text, ",249,250]\n[false,2,2,2,null,2,3,"));
    ck_assert_int_eq(v->rows.total, 2);
    free(text);
    buf_fini(&b);
}
END_TEST

START_TEST(rows_come_in_the_statements_order)
{
    const char *sql =
        "SELECT id, now() IS NULL FROM ord ORDER BY t COLLATE \"C\" DESC NULLS LAST, id";
    sql_run(db, "CREATE TABLE ord(id int PRIMARY KEY, t text);"
                "INSERT INTO ord SELECT g, chr(65 + g %% 7) FROM generate_series(1, 30) g");
    struct view *v = rerun("v", sql);
    ck_assert_ptr_nonnull(strstr(v->accepted, "\"desc\":true,\"nulls_first\":false"));
    sql_run(db, "INSERT INTO ord VALUES (40, 'ZZ'), (41, NULL)");
    must_equal(v, sql);
    ck_assert_uint_eq(v->last_asserts, 2); /* though all others have moved */
    ck_assert_uint_eq(v->last_retracts, 0);
    struct view *late = rerun("late", sql);
    char *want = judge_text_ordered(db, sql, 2);
    ck_assert_str_eq(buf_cstr(&late->ordered), want);
    free(want);
}
END_TEST

START_TEST(parameters_have_the_types_that_postgres_gave_them)
{
    sql_run(db, "CREATE TABLE par(id int PRIMARY KEY, n numeric, t text);"
                "INSERT INTO par SELECT g, g * 1.5, 'x' || g FROM generate_series(1, 5) g");
    struct view *v = client_subscribe_json(
        c, "v",
        "SELECT id, $2 || t, now() IS NULL FROM par WHERE n < $1 AND ($3::int IS NULL OR id > $3)",
        "[\"4.50\",\"a'b\\\\\",null]");
    client_wait_snapshot(c, v);
    ck_assert_msg(!v->error, "%s", v->error);
    must_equal(v, "SELECT id, 'a''b\\' || t, false FROM par WHERE n < 4.50");
    sql_run(db, "UPDATE par SET n = 1");
    must_equal(v, "SELECT id, 'a''b\\' || t, false FROM par WHERE n < 4.50");
}
END_TEST

START_TEST(names_mean_what_they_meant)
{
    const char *sql = "SELECT id, now() IS NULL FROM public.meant";
    sql_run(db,
            "CREATE SCHEMA IF NOT EXISTS postgres; CREATE TABLE public.meant(id int PRIMARY KEY);"
            "INSERT INTO public.meant VALUES (1)");
    struct view *v = rerun("v", "SELECT id, now() IS NULL FROM meant");
    /* A schema before public in the role's search path. */
    sql_run(db, "CREATE TABLE postgres.meant(id int PRIMARY KEY);"
                "INSERT INTO postgres.meant VALUES (9); INSERT INTO public.meant VALUES (2)");
    must_equal(v, sql);
    sql_run(db, "DROP SCHEMA postgres CASCADE");
}
END_TEST

START_TEST(query_answers_once)
{
    sql_run(db, "CREATE TABLE once(id int PRIMARY KEY); INSERT INTO once VALUES (1)");
    client_send(c, "QUERY q SELECT id, now() IS NULL FROM once");
    free(client_expect_prefix(c, "ACCEPTED q {"));
    char *line = client_expect_prefix(c, "SNAPSHOT q ");
    ck_assert_ptr_nonnull(strstr(line, " 1"));
    free(line);
    free(client_expect_prefix(c, "+ [1,false]"));
    free(client_expect_prefix(c, "RELEASED q"));
    client_send(c, "QUERY q SELECT 1 / (id - 1), now() IS NULL FROM once");
    free(client_expect_prefix(c, "ACCEPTED q {"));
    free(client_expect_prefix(c, "ERROR q 22012"));
}
END_TEST

START_TEST(time_goes_by)
{
    struct view *v = rerun("v", "SELECT extract(epoch from now())");
    unsigned before = v->deltas;
    client_wait_deltas(c, v, before + 3);
    ck_assert_uint_eq(v->rows.total, 1);
    struct view *still = rerun("still", "SELECT current_user, current_date > '2000-01-01'");
    client_drain(c, 500);
    ck_assert_uint_eq(still->deltas, 0);
}
END_TEST

/* ---- errors -------------------------------------------------------------------------------- */

START_TEST(an_error_lasts_as_long_as_its_row)
{
    const char *sql = "SELECT 10 / d, now() IS NULL FROM divs";
    sql_run(db, "CREATE TABLE divs(id int PRIMARY KEY, d int); INSERT INTO divs VALUES (1, 5)");
    struct view *v = rerun("v", sql);
    sql_run(db, "INSERT INTO divs VALUES (2, 0)");
    client_sync(c);
    ck_assert(v->failed);
    ck_assert_ptr_nonnull(strstr(v->error, "22012"));
    sql_run(db, "INSERT INTO divs VALUES (3, 2)");
    client_sync(c);
    ck_assert_uint_eq(v->deltas, 0);
    sql_run(db, "DELETE FROM divs WHERE id = 2");
    must_equal(v, sql);
    ck_assert_uint_eq(v->deltas, 1);
    sql_run(db, "INSERT INTO divs VALUES (4, 0)");
    client_sync(c);
    struct view *late = client_subscribe(c, "late", sql);
    client_drain(c, 200);
    ck_assert(late->failed);
    ck_assert(!late->has_snapshot);
    sql_run(db, "DELETE FROM divs WHERE id = 4");
    must_equal(late, sql);
    view_must_equal(db, v, sql);
}
END_TEST

START_TEST(what_may_not_be_asked_is_refused)
{
    static const char *const refused[] = {
        "SELECT random()",
        "SELECT id FROM refu WHERE id > random()",
        "SELECT nextval('refu_s')",
        "SELECT count(*) OVER (), clock_timestamp() FROM refu",
        "SELECT relname, now() FROM pg_class",
        "SELECT now(), id FROM refu FOR SHARE",
        "WITH d AS (DELETE FROM refu RETURNING id) SELECT id FROM d",
        "SELECT now(), last_value FROM refu_s",
        "SELECT refu_count(), now()",
        "SELECT now(), id FROM refu_u",
        "SELECT now(), id FROM refu_m",
        "SELECT txid_current_if_assigned()",
        "SELECT pg_stat_get_numscans(1)",
        "SELECT now(), refu_agg(id) FROM refu",
    };
    sql_run(db, "CREATE TABLE refu(id int PRIMARY KEY); CREATE SEQUENCE refu_s;"
                "CREATE UNLOGGED TABLE refu_u(id int PRIMARY KEY);"
                "CREATE MATERIALIZED VIEW refu_m AS SELECT id FROM refu;"
                "CREATE FUNCTION refu_count() RETURNS bigint STABLE LANGUAGE sql AS "
                "'SELECT count(*) FROM refu';"
                "CREATE FUNCTION refu_step(int, int) RETURNS int VOLATILE LANGUAGE sql AS "
                "'SELECT $1 + $2';"
                "CREATE AGGREGATE refu_agg(int) (SFUNC = refu_step, STYPE = int, INITCOND = '0')");
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        client_send(c, "SUBSCRIBE r %s", refused[i]);
        char *line = client_read_line(c);
        ck_assert_msg(strncmp(line, "ERROR r 0A000", 13) == 0, "%s: %s", refused[i], line);
        free(line);
    }
}
END_TEST

START_TEST(it_can_be_forbidden)
{
    static const char *const sets[] = {"engine.allow_rerun=off", "postgres.publication=forbids",
                                       NULL};
    struct daemon_proc *d = daemon_start(cluster->conninfo, sets, true);
    struct client *other = client_connect(d->port);
    client_send(other, "SUBSCRIBE v SELECT now()");
    char *line = client_read_line(other);
    ck_assert_ptr_nonnull(strstr(line, "ERROR v 0A000"));
    ck_assert_ptr_nonnull(strstr(line, "function now()"));
    ck_assert_ptr_nonnull(strstr(line, "engine.allow_rerun is off"));
    free(line);
    client_close(other);
    daemon_free(d);
}
END_TEST

/* ---- exactness ----------------------------------------------------------------------------- */

static void set_sync_standby(const char *name)
{
    sql_run(db, "SET synchronous_commit = local");
    sql_run(db, "ALTER SYSTEM SET synchronous_standby_names = '%s'", name);
    sql_run(db, "SELECT pg_reload_conf()");
    usleep(200000);
}

START_TEST(an_answer_without_a_commit_that_came_before_is_thrown_away)
{
    const char *sql = "SELECT id, now() IS NULL FROM hidden";
    sql_run(db, "CREATE TABLE hidden(id int PRIMARY KEY); INSERT INTO hidden VALUES (1)");
    struct view *inc = client_live(c, "inc", "SELECT id FROM hidden"), *v = rerun("v", sql);
    PGconn *writer = cluster_connect(cluster);
    set_sync_standby("nobody");
    sql_run(writer, "SET synchronous_commit = on");
    ck_assert_int_eq(PQsendQuery(writer, "INSERT INTO hidden VALUES (2)"), 1);
    client_wait_deltas(c, inc, 1); /* in the WAL, and no snapshot shows it */
    sql_run(db, "INSERT INTO hidden VALUES (3)");
    client_wait_deltas(c, inc, 2);
    struct view *late = client_subscribe(c, "late", "SELECT count(*), now() IS NULL FROM hidden");
    client_drain(c, 500);
    ck_assert_uint_eq(v->deltas, 0);
    ck_assert(!late->has_snapshot);
    set_sync_standby("");
    PQclear(PQgetResult(writer));
    client_wait_snapshot(c, late);
    must_equal(v, sql);
    view_must_equal(db, late, "SELECT count(*), false FROM hidden");
    PQfinish(writer);
}
END_TEST

static atomic_bool stop_writing;

struct writer {
    pthread_t thread;
    unsigned seed;
    int commits;
};

/* In three threads: without sql_state(), which keeps its result. */
static bool transfer(PGconn *conn, int from, int to, int amount)
{
    char sql[400];
    snprintf(sql, sizeof sql,
             "BEGIN; UPDATE acct SET balance = balance - %d WHERE id = %d;"
             "UPDATE acct SET balance = balance + %d WHERE id = %d;"
             "INSERT INTO moves(amount) VALUES (%d); COMMIT",
             amount, from, amount, to, amount);
    PGresult *res = PQexec(conn, sql);
    bool ok = PQresultStatus(res) == PGRES_COMMAND_OK;
    PQclear(res);
    if (!ok) /* a deadlock */
        PQclear(PQexec(conn, "ROLLBACK"));
    return ok;
}

static void *write_accounts(void *arg)
{
    struct writer *w = arg;
    PGconn *conn = cluster_connect(cluster);
    while (!atomic_load(&stop_writing)) {
        int from = rand_r(&w->seed) % 20, to = rand_r(&w->seed) % 20;
        w->commits += transfer(conn, from, to, rand_r(&w->seed) % 9);
    }
    PQfinish(conn);
    return NULL;
}

#define WRITERS 3

static struct writer writers[WRITERS];

static void start_writers(void)
{
    sql_run(db, "DROP TABLE IF EXISTS acct, moves;"
                "CREATE TABLE acct(id int PRIMARY KEY, balance bigint);"
                "INSERT INTO acct SELECT g, 100 FROM generate_series(0, 19) g;"
                "CREATE TABLE moves(id bigserial PRIMARY KEY, amount bigint);"
                "INSERT INTO moves(amount) VALUES (0)");
    atomic_store(&stop_writing, false);
}

static void run_writers(void)
{
    unsigned seed = harness_seed();
    for (int i = 0; i < WRITERS; i++) {
        writers[i] = (struct writer){.seed = seed + (unsigned)i};
        pthread_create(&writers[i].thread, NULL, write_accounts, &writers[i]);
    }
}

static int stop_writers(void)
{
    int commits = 0;
    atomic_store(&stop_writing, true);
    for (int i = 0; i < WRITERS; i++) {
        pthread_join(writers[i].thread, NULL);
        commits += writers[i].commits;
    }
    return commits;
}

static const char *const statements[] = {
    "SELECT id, balance, now() IS NULL FROM acct",
    "SELECT id, balance FROM acct",
    "SELECT sum(balance), count(*), now() IS NULL FROM acct",
    "SELECT sum(amount), now() IS NULL FROM moves",
    "SELECT a.balance, a.id, now() IS NULL FROM acct a ORDER BY a.balance DESC, a.id LIMIT 5",
};
#define NSTATEMENTS (sizeof statements / sizeof *statements)

/* Transfers keep the sum: every state of the view has it. */
static void check_sum(struct client *cl, struct view *v, void *arg)
{
    (void)cl, (void)arg;
    if (!v || strcmp(v->id, "v2") != 0 || !v->rows.total)
        return;
    char *text = view_text(v);
    ck_assert_str_eq(text, "[2000,20,false]\n");
    free(text);
}

START_TEST(sync_is_answered_under_load_and_late_joiners_are_exact)
{
    struct view *v[NSTATEMENTS], *late = NULL;
    start_writers();
    for (size_t i = 0; i < NSTATEMENTS; i++) {
        char id[8];
        snprintf(id, sizeof id, "v%zu", i);
        v[i] = client_live(c, id, statements[i]);
    }
    c->after_event = check_sum;
    run_writers();
    lsn_t last = 0;
    for (int i = 0; i < harness_scale(40); i++) {
        char id[16];
        lsn_t lsn = client_sync(c);
        ck_assert_uint_ge(lsn, last);
        last = lsn;
        snprintf(id, sizeof id, "late%d", i);
        late = client_live(c, id, statements[i % NSTATEMENTS]);
        ck_assert_ptr_nonnull(late);
        if (i % 3 == 0) {
            client_send(c, "RELEASE %s", id);
            free(client_expect_prefix(c, "RELEASED "));
            late->released = true;
        }
    }
    int commits = stop_writers();
    client_sync(c);
    for (size_t i = 0; i < c->views.n; i++) {
        struct view *w = c->views.v[i];
        size_t which = strncmp(w->id, "late", 4) == 0 ? (size_t)atoi(w->id + 4) % NSTATEMENTS
                                                      : (size_t)atoi(w->id + 1);
        if (!w->released && w->has_snapshot)
            view_must_equal(db, w, statements[which]);
    }
    fprintf(stderr, "%d commits; deltas: %u rerun, %u incremental\n", commits, v[0]->deltas,
            v[1]->deltas);
    ck_assert_uint_gt(v[0]->deltas, 1); /* how many is a matter of the machine's load */
}
END_TEST

/* The rows of both without the column that only makes the one a rerun. */
static void check_cut(void)
{
    char *inc = view_text(client_view(c, "inc")), *again = view_text(client_view(c, "again"));
    char *a = view_text(client_view(c, "sum")), *m = view_text(client_view(c, "isum"));
    ck_assert_msg(strcmp(inc, again) == 0, "at %llX\n%s\nand\n%s", (unsigned long long)c->progress,
                  inc, again);
    ck_assert_msg(strcmp(a, m) == 0, "at %llX %s and %s", (unsigned long long)c->progress, a, m);
    free(inc);
    free(again);
    free(a);
    free(m);
}

START_TEST(progress_is_a_consistent_cut_over_reruns_and_changes)
{
    unsigned cuts = 0;
    start_writers();
    client_live(c, "inc", "SELECT id, balance, false FROM acct");
    client_live(c, "again", "SELECT id, balance, now() IS NULL FROM acct");
    client_live(c, "sum", "SELECT sum(amount)::bigint, now() IS NULL FROM moves");
    client_live(c, "isum", "SELECT sum(amount)::bigint, false FROM moves");
    client_send(c, "PROGRESS each");
    run_writers();
    for (int i = 0; i < harness_scale(3000); i++) {
        unsigned before = c->nprogress;
        char *line = client_read_line(c);
        ck_assert_ptr_nonnull(line);
        ck_assert(client_apply(c, line));
        if (c->nprogress == before)
            continue;
        check_cut();
        cuts++;
    }
    int commits = stop_writers();
    client_sync(c);
    check_cut();
    fprintf(stderr, "%d commits, %u cuts\n", commits, cuts);
    ck_assert_uint_gt(cuts, 10);
}
END_TEST

/* ---- DDL ----------------------------------------------------------------------------------- */

START_TEST(truncate_rewrites_and_partitions_are_noticed)
{
    const char *sql = "SELECT *, ctid IS NULL FROM ddl", *psql = "SELECT id, ctid IS NULL FROM pt";
    sql_run(db,
            "CREATE TABLE ddl(id int PRIMARY KEY, a int); INSERT INTO ddl VALUES (1, 1), (2, 2);"
            "CREATE TABLE pt(id int, k int) PARTITION BY LIST (k);"
            "CREATE TABLE pt1 PARTITION OF pt FOR VALUES IN (1);"
            "ALTER TABLE pt1 REPLICA IDENTITY FULL;"
            "CREATE TABLE pt2(id int, k int); ALTER TABLE pt2 REPLICA IDENTITY FULL;"
            "INSERT INTO pt VALUES (1, 1); INSERT INTO pt2 VALUES (2, 2)");
    struct view *v = rerun("v", sql), *p = rerun("p", psql);
    sql_run(db, "TRUNCATE ddl");
    must_equal(v, sql);
    sql_run(db, "INSERT INTO ddl VALUES (3, 3)");
    must_equal(v, sql);
    unsigned deltas = v->deltas;
    sql_run(db, "ALTER TABLE ddl ALTER a TYPE int USING a + 10");
    client_wait_deltas(c, v, deltas + 1);
    must_equal(v, sql);
    deltas = p->deltas;
    sql_run(db, "ALTER TABLE pt ATTACH PARTITION pt2 FOR VALUES IN (2)");
    client_wait_deltas(c, p, deltas + 1);
    must_equal(p, psql);
    sql_run(db, "INSERT INTO pt VALUES (5, 2)");
    must_equal(p, psql);
    deltas = p->deltas;
    sql_run(db, "ALTER TABLE pt DETACH PARTITION pt1");
    client_wait_deltas(c, p, deltas + 1);
    must_equal(p, psql);
}
END_TEST

START_TEST(a_statement_that_no_longer_holds_ends)
{
    sql_run(db,
            "CREATE TABLE gone(id int PRIMARY KEY, a int); CREATE TABLE stays(id int PRIMARY KEY);"
            "INSERT INTO gone VALUES (1, 1); INSERT INTO stays VALUES (1);"
            "CREATE VIEW gone_view AS SELECT id, ctid IS NULL AS n FROM stays");
    struct view *a = rerun("a", "SELECT a, ctid IS NULL FROM gone"),
                *b = rerun("b", "SELECT id, ctid IS NULL FROM gone"),
                *s = rerun("s", "SELECT id, ctid IS NULL FROM stays"),
                *w = rerun("w", "SELECT id, n FROM gone_view");
    sql_run(db, "ALTER TABLE gone DROP COLUMN a; INSERT INTO gone VALUES (2)");
    while (!a->released)
        ck_assert(client_apply(c, client_read_line(c)));
    ck_assert_ptr_nonnull(strstr(a->error, "42703"));
    must_equal(b, "SELECT id, ctid IS NULL FROM gone");
    struct view *r = rerun("r", "SELECT id, ctid IS NULL FROM stays WHERE id > 0");
    sql_run(db, "CREATE TABLE \"old \"\"\\name\"(id int PRIMARY KEY)");
    struct view *o = rerun("o", "SELECT id, ctid IS NULL FROM \"old \"\"\\name\"");
    sql_run(db, "INSERT INTO \"old \"\"\\name\" VALUES (7)");
    must_equal(o, "SELECT id, false FROM \"old \"\"\\name\"");
    ck_assert(!r->released);
    sql_run(db,
            "ALTER TABLE \"old \"\"\\name\" RENAME TO young;"
            "CREATE TABLE \"old \"\"\\name\"(id int PRIMARY KEY); INSERT INTO young VALUES (8)");
    while (o->rows.total > 0) /* the table of that name is another one, and empty */
        ck_assert(client_apply(c, client_read_line(c)));
    sql_run(db, "DROP TABLE gone");
    while (!b->released)
        ck_assert(client_apply(c, client_read_line(c)));
    sql_run(
        db,
        "CREATE OR REPLACE VIEW gone_view AS SELECT id + 1 AS id, ctid IS NULL AS n FROM stays");
    client_wait_deltas(c, w, 1);
    must_equal(w, "SELECT id, n FROM gone_view");
    sql_run(db, "INSERT INTO stays VALUES (2)");
    must_equal(w, "SELECT id, n FROM gone_view");
    must_equal(s, "SELECT id, ctid IS NULL FROM stays");
}
END_TEST

START_TEST(a_lock_is_waited_for)
{
    const char *sql = "SELECT id, ctid IS NULL FROM locked";
    sql_run(db, "CREATE TABLE locked(id int PRIMARY KEY); INSERT INTO locked VALUES (1);"
                "CREATE TABLE unlocked(id int PRIMARY KEY)");
    struct view *v = rerun("v", sql), *u = rerun("u", "SELECT id, ctid IS NULL FROM unlocked");
    PGconn *other = cluster_connect(cluster);
    sql_run(other, "BEGIN; LOCK TABLE locked IN ACCESS EXCLUSIVE MODE;"
                   "INSERT INTO locked VALUES (2)");
    sql_run(db, "INSERT INTO unlocked VALUES (1)");
    client_wait_deltas(c, u, 1);
    usleep(700000);
    ck_assert(!v->failed);
    sql_run(other, "COMMIT");
    must_equal(v, sql);
    PQfinish(other);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("rerun");
    TCase *t = tcase_create("rerun");
    tcase_set_timeout(t, 300);
    tcase_add_checked_fixture(t, begin, end);
    tcase_add_test(t, it_says_why_and_is_listed_as_what_it_is);
    tcase_add_test(t, columns_without_names_equal_names_and_many_columns);
    tcase_add_test(t, rows_come_in_the_statements_order);
    tcase_add_test(t, parameters_have_the_types_that_postgres_gave_them);
    tcase_add_test(t, names_mean_what_they_meant);
    tcase_add_test(t, query_answers_once);
    tcase_add_test(t, time_goes_by);
    tcase_add_test(t, an_error_lasts_as_long_as_its_row);
    tcase_add_test(t, what_may_not_be_asked_is_refused);
    tcase_add_test(t, it_can_be_forbidden);
    tcase_add_test(t, an_answer_without_a_commit_that_came_before_is_thrown_away);
    tcase_add_test(t, sync_is_answered_under_load_and_late_joiners_are_exact);
    tcase_add_test(t, progress_is_a_consistent_cut_over_reruns_and_changes);
    tcase_add_test(t, truncate_rewrites_and_partitions_are_noticed);
    tcase_add_test(t, a_statement_that_no_longer_holds_ends);
    tcase_add_test(t, a_lock_is_waited_for);
    suite_add_tcase(s, t);
    return s;
}

int main(void)
{
    static const char *const sets[] = {"engine.workers=2", "engine.rerun_interval=300ms",
                                       "postgres.lock_timeout=200ms", NULL};
    harness_daemon_sets = sets;
    return harness_main(suite());
}
