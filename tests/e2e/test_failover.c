/*
 * Failover: a physical standby is promoted and takes the primary's place. With asynchronous
 * replication it lacks what the primary committed last, and clients were told of that: so they are told
 * RESYNC timeline, and get what is there now.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/e2e/harness.h"

static PGconn *db;

static void point_at(const char *link, const struct cluster *to)
{
    unlink(link);
    ck_assert_int_eq(symlink(to->dir, link), 0);
}

static void wait_until_replayed(struct cluster *standby)
{
    PGconn *s = cluster_connect(standby);
    char *lsn = sql_value(db, "SELECT pg_current_wal_flush_lsn()");
    for (int i = 0; i < 400; i++) {
        char *done = sql_value(s, "SELECT pg_last_wal_replay_lsn() >= '%s'", lsn);
        bool yes = strcmp(done, "t") == 0;
        free(done);
        if (yes)
            break;
        usleep(25000);
    }
    free(lsn);
    PQfinish(s);
}

static void promote(struct cluster *standby, const char *link)
{
    PGconn *s = cluster_connect(standby);
    sql_run(s, "SELECT pg_promote()");
    point_at(link, standby);
    PQfinish(s);
}

static const char sum_sql[] = "SELECT k, count(*) FROM acct GROUP BY k";
static const char row_sql[] = "SELECT id, k FROM acct";
static const char rerun_sql[] = "SELECT max(id), ctid IS NULL AS r FROM acct GROUP BY 2";

START_TEST(a_standby_that_lacks_the_last_commits_takes_over)
{
    char link[200], conninfo[300];
    struct cluster *standby = cluster_start_standby(cluster);
    snprintf(link, sizeof link, "%s.link", cluster->dir);
    snprintf(conninfo, sizeof conninfo, "host=%s user=postgres dbname=postgres", link);
    point_at(link, cluster);
    struct daemon_proc *d = daemon_start(conninfo, NULL, true);
    struct client *c = client_connect(d->port);
    c->timeout_ms = 60000;
    sql_run(db, "CREATE TABLE acct(id int PRIMARY KEY, k int);"
                "INSERT INTO acct SELECT g, g %% 3 FROM generate_series(1, 20) g");
    struct view *sum = client_live(c, "sum", sum_sql), *row = client_live(c, "row", row_sql),
                *rerun = client_live(c, "rerun", rerun_sql);
    wait_until_replayed(standby);
    cluster_stop_fast(standby);
    sql_run(db, "INSERT INTO acct SELECT g, 7 FROM generate_series(100, 120) g;"
                "UPDATE acct SET k = 8 WHERE id = 1");
    client_sync(c);
    client_send(c, "PROGRESS each");
    view_must_equal(db, row, row_sql);
    PQfinish(db);
    db = NULL;
    cluster_kill(cluster);
    cluster_run(standby);
    promote(standby, link);
    while (sum->snapshots < 2 || row->snapshots < 2 || rerun->snapshots < 2)
        client_drain(c, 50);
    PGconn *now = cluster_connect(standby);
    const struct view *views[] = {sum, row, rerun};
    const char *const sqls[] = {sum_sql, row_sql, rerun_sql};
    for (int i = 0; i < 3; i++) {
        view_must_equal(now, views[i], sqls[i]);
        ck_assert_str_eq(views[i]->reason, "timeline");
        ck_assert_uint_eq(views[i]->accepts, 1); /* the columns are what they were */
        ck_assert_uint_eq(views[i]->resyncs, 1);
    }
    sql_run(now, "INSERT INTO acct VALUES (200, 9); DELETE FROM acct WHERE id = 2");
    client_sync(c);
    for (int i = 0; i < 3; i++)
        view_must_equal(now, views[i], sqls[i]);
    ck_assert_uint_gt(sum->deltas, 0);
    unsigned stated = c->nprogress;
    sql_run(now, "DELETE FROM acct WHERE id = 3");
    while (c->nprogress == stated)
        client_drain(c, 20);
    client_close(c);
    daemon_free(d);
    unlink(link);
    PQfinish(now);
    cluster_free(standby);
    cluster_run(cluster);
    db = cluster_connect(cluster);
}
END_TEST

static void begin(void)
{
    db = cluster_connect(cluster);
}

static void end(void)
{
    PQfinish(db);
}

static Suite *suite(void)
{
    Suite *s = suite_create("failover");
    TCase *t = tcase_create("failover");
    tcase_set_timeout(t, 240);
    tcase_add_checked_fixture(t, begin, end);
    tcase_add_test(t, a_standby_that_lacks_the_last_commits_takes_over);
    suite_add_tcase(s, t);
    return s;
}

int main(void)
{
    harness_in_one_process = true;
    return harness_main(suite());
}
