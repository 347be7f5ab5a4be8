/*
 * Limits that are reached: of memory, of one plan. Whoever asked for too much gets an error that names
 * the limit; the daemon lives, and every other view is what Postgres answers.
 *
 * Each test has a daemon of its own.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/e2e/harness.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define ALLOCATOR_TELLS 0 /* what is in use is summed up, and only between steps */
#else
#define ALLOCATOR_TELLS 1
#endif

static PGconn *db;

static void connect_db(void)
{
    db = cluster_connect(cluster);
}

static void disconnect_db(void)
{
    PQfinish(db);
}

static struct daemon_proc *daemon_with(const char *const *sets)
{
    return daemon_start(cluster->conninfo, sets, true);
}

/* A number of STATUS. */
static uint64_t status_of(struct client *c, const char *member)
{
    char key[64];
    client_send(c, "STATUS");
    char *line = client_expect_prefix(c, "STATUS ");
    snprintf(key, sizeof key, "\"%s\":", member);
    const char *at = strstr(line, key);
    if (!at)
        die("no %s in %s", member, line);
    uint64_t n = strtoull(at + strlen(key), NULL, 10);
    free(line);
    return n;
}

static void must_end_with(struct client *c, struct view *v, const char *sqlstate)
{
    c->timeout_ms = 60000;
    while (!v->error) {
        char *line = client_read_line(c);
        if (!line)
            die("%s: the connection ended", v->id);
        if (!client_apply(c, line))
            free(line);
    }
    if (!strstr(v->error, sqlstate))
        die("%s ended with %s, not %s", v->id, v->error, sqlstate);
}

START_TEST(a_result_beyond_all_memory_ends_its_plan_alone)
{
    static const char *const sets[] = {"limits.max_memory=160M", "limits.result_rows=1000000000",
                                       NULL};
    if (!ALLOCATOR_TELLS)
        return;
    struct daemon_proc *d = daemon_with(sets);
    sql_run(db, "CREATE TABLE many(id int PRIMARY KEY, t text);"
                "INSERT INTO many SELECT g, 'row ' || g FROM generate_series(1, 4000) g");
    struct client *c = client_connect(d->port);
    struct view *ok = client_subscribe(c, "ok", "SELECT count(*), max(t) FROM many");
    client_wait_snapshot(c, ok);
    struct view *all = client_subscribe(c, "all", "SELECT a.id, b.t FROM many a, many b");
    must_end_with(c, all, "53200");
    ck_assert_ptr_nonnull(strstr(all->error, "limits.max_memory"));
    /* One that fits until a single commit makes it large. */
    struct view *step = client_subscribe(
        c, "step", "SELECT a.id, b.t FROM many a, many b WHERE a.id > 100000 AND b.id > 100000");
    client_wait_snapshot(c, step);
    sql_run(db, "INSERT INTO many SELECT g, 'row ' || g FROM generate_series(100001, 104000) g");
    must_end_with(c, step, "53200");
    ck_assert_uint_eq(status_of(c, "plans_failed_for_memory"), 2);
    sql_run(db, "DELETE FROM many WHERE id %% 2 = 0");
    client_sync(c);
    view_must_equal(db, ok, "SELECT count(*), max(t) FROM many");
    for (int i = 0; status_of(c, "memory_used") > status_of(c, "memory_limit") / 2; i++) {
        if (i > 500)
            die("the memory of plans that have ended is not given back");
        usleep(20000);
    }
    struct view *again = client_subscribe(c, "again", "SELECT id FROM many WHERE id < 10");
    client_wait_snapshot(c, again);
    ck_assert_ptr_null(again->error);
    client_close(c);
    daemon_free(d);
}
END_TEST

START_TEST(growth_ends_the_largest_plan_and_no_other)
{
    static const char *const sets[] = {"limits.max_memory=96M", "limits.result_rows=1000000000",
                                       NULL};
    struct daemon_proc *d = daemon_with(sets);
    sql_run(db,
            "CREATE TABLE grow(id int PRIMARY KEY, t text); CREATE TABLE still(id int PRIMARY KEY);"
            "INSERT INTO still SELECT generate_series(1, 1000)");
    struct client *c = client_connect(d->port), *other = client_connect(d->port);
    struct view *grow = client_subscribe(c, "grow", "SELECT id, t FROM grow");
    client_wait_snapshot(c, grow);
    struct view *still = client_subscribe(other, "still", "SELECT id FROM still");
    client_wait_snapshot(other, still);
    for (int i = 0; i < 200 && !grow->error; i++) {
        sql_run(db, "INSERT INTO grow SELECT g, repeat('x', 200) FROM generate_series(%d, %d) g",
                i * 4000, i * 4000 + 3999);
        client_sync(other);
        client_drain(c, 0);
    }
    must_end_with(c, grow, "53200");
    sql_run(db, "DELETE FROM still WHERE id %% 3 = 0");
    client_sync(other);
    view_must_equal(db, still, "SELECT id FROM still");
    ck_assert_uint_eq(status_of(other, "plans"), 1);
    client_close(c);
    client_close(other);
    daemon_free(d);
}
END_TEST

START_TEST(without_memory_no_plan_is_made_and_all_else_goes_on)
{
    static const char *const sets[] = {"limits.max_memory=1k", NULL};
    if (!ALLOCATOR_TELLS)
        return;
    struct daemon_proc *d = daemon_with(sets);
    struct client *c = client_connect(d->port);
    struct view *v = client_subscribe(c, "v", "SELECT 1");
    must_end_with(c, v, "53200");
    client_send(c, "PING here");
    free(client_expect_prefix(c, "PONG here"));
    ck_assert_uint_eq(status_of(c, "plans"), 0);
    ck_assert_uint_eq(status_of(c, "subscriptions"), 0);
    client_close(c);
    daemon_free(d);
}
END_TEST

START_TEST(one_plan_has_its_own_limit)
{
    static const char *const sets[] = {"limits.plan_bytes=300k", NULL};
    struct daemon_proc *d = daemon_with(sets);
    sql_run(db, "CREATE TABLE one(id int PRIMARY KEY, t text);"
                "INSERT INTO one SELECT g, 'text ' || g FROM generate_series(1, 100) g");
    struct client *c = client_connect(d->port);
    struct view *v = client_subscribe(c, "v", "SELECT t, count(*) FROM one GROUP BY t");
    client_wait_snapshot(c, v);
    ck_assert_ptr_null(v->error);
    sql_run(db, "INSERT INTO one SELECT g, 'text ' || g FROM generate_series(101, 10000) g");
    must_end_with(c, v, "53200");
    ck_assert_ptr_nonnull(strstr(v->error, "limits.plan_bytes"));
    v = client_subscribe(c, "w", "SELECT t, count(*) FROM one GROUP BY t");
    must_end_with(c, v, "53200");
    struct view *small = client_subscribe(c, "s", "SELECT count(*) FROM one");
    client_wait_snapshot(c, small);
    ck_assert_ptr_null(small->error);
    client_close(c);
    daemon_free(d);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("limits");
    TCase *t = tcase_create("limits");
    tcase_set_timeout(t, 120);
    tcase_add_checked_fixture(t, connect_db, disconnect_db);
    tcase_add_test(t, a_result_beyond_all_memory_ends_its_plan_alone);
    tcase_add_test(t, growth_ends_the_largest_plan_and_no_other);
    tcase_add_test(t, without_memory_no_plan_is_made_and_all_else_goes_on);
    tcase_add_test(t, one_plan_has_its_own_limit);
    suite_add_tcase(s, t);
    return s;
}

int main(void)
{
    return harness_main(suite());
}
