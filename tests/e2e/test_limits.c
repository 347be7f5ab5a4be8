/*
 * Limits that are reached: of memory, of one plan, of queues, of descriptors; and a log that can't be
 * written. Whoever asked for too much gets an error that names
 * the limit; the daemon lives, and every other view is what Postgres answers.
 *
 * Each test has a daemon of its own.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
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
    ck_assert_uint_eq(client_status(c, "plans_failed_for_memory"), 2);
    sql_run(db, "DELETE FROM many WHERE id %% 2 = 0");
    client_sync(c);
    view_must_equal(db, ok, "SELECT count(*), max(t) FROM many");
    for (int i = 0; client_status(c, "memory_used") > client_status(c, "memory_limit") / 2; i++) {
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
    static const char *const sets[] = {"limits.max_memory=32M", "postgres.ring_bytes=1M", NULL};
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
        client_drain(c, 1);
    }
    must_end_with(c, grow, "53200");
    sql_run(db, "DELETE FROM still WHERE id %% 3 = 0");
    client_sync(other);
    view_must_equal(db, still, "SELECT id FROM still");
    ck_assert_uint_eq(client_status(other, "plans"), 1);
    client_close(c);
    client_close(other);
    daemon_free(d);
}
END_TEST

START_TEST(a_system_that_gives_no_more_memory_ends_a_plan_not_the_daemon)
{
    static const char *const sets[] = {"limits.max_memory=100G", "limits.result_rows=1000000000",
                                       NULL};
    if (!ALLOCATOR_TELLS)
        return;
    daemon_max_address_space = (rlim_t)900 << 20;
    struct daemon_proc *d = daemon_with(sets);
    daemon_max_address_space = 0;
    sql_run(db, "CREATE TABLE short(id int PRIMARY KEY);"
                "INSERT INTO short SELECT generate_series(1, 4000)");
    struct client *c = client_connect(d->port);
    struct view *ok = client_subscribe(c, "ok", "SELECT count(*) FROM short");
    client_wait_snapshot(c, ok);
    for (int i = 0; i < 2; i++) {
        char id[16];
        snprintf(id, sizeof id, "all%d", i);
        must_end_with(c, client_subscribe(c, id, "SELECT a.id, b.id FROM short a, short b"),
                      "53200");
        sql_run(db, "DELETE FROM short WHERE id %% 101 = %d", i);
        client_sync(c);
        view_must_equal(db, ok, "SELECT count(*) FROM short");
        struct view *more;
        for (int tries = 0;; tries++) { /* the reserve is taken again */
            snprintf(id, sizeof id, "m%d.%d", i, tries);
            more = client_subscribe(c, id, "SELECT id FROM short WHERE id < 10");
            client_wait_snapshot(c, more);
            if (!more->error)
                break;
            if (tries > 200)
                die("memory stays short: %s", more->error);
            usleep(20000);
        }
    }
    client_close(c);
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
    ck_assert_uint_eq(client_status(c, "plans"), 0);
    ck_assert_uint_eq(client_status(c, "subscriptions"), 0);
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

/* ---- limits of clients --------------------------------------------------------------------- */

START_TEST(subscriptions_of_all_clients_have_a_limit)
{
    static const char *const sets[] = {"limits.subscriptions=3", NULL};
    struct daemon_proc *d = daemon_with(sets);
    struct client *a = client_connect(d->port), *b = client_connect(d->port);
    for (int i = 0; i < 3; i++) {
        char id[8];
        snprintf(id, sizeof id, "s%d", i);
        client_wait_snapshot(i % 2 ? a : b, client_subscribe(i % 2 ? a : b, id, "SELECT 1"));
    }
    must_end_with(a, client_subscribe(a, "more", "SELECT 1"), "53400");
    client_send(b, "RELEASE s0");
    free(client_expect_prefix(b, "RELEASED s0"));
    struct view *v = client_subscribe(a, "again", "SELECT 1");
    client_wait_snapshot(a, v);
    ck_assert_ptr_null(v->error);
    client_close(a);
    client_close(b);
    daemon_free(d);
}
END_TEST

static void must_be_closed(struct client *c)
{
    c->timeout_ms = 20000;
    char *line;
    while ((line = client_read_line(c)))
        free(line);
    client_close(c);
}

START_TEST(a_line_has_to_end_and_a_connection_has_to_ask_in_time)
{
    static const char *const sets[] = {"limits.line_time=1s", "limits.first_request_ms=1s", NULL};
    struct daemon_proc *d = daemon_with(sets);
    struct client *idle = client_connect(d->port), *half = client_connect(d->port);
    struct client *quiet = client_connect(d->port), *again = client_connect(d->port);
    client_send(quiet, "PING");
    free(client_expect_prefix(quiet, "PONG"));
    client_send_bytes(half, "PI", 2);
    client_send(again, "PING 1");
    client_send_bytes(again, "PING 2", 6); /* and no end */
    free(client_expect_prefix(half, "ERROR - 08P01"));
    must_be_closed(half);
    free(client_expect_prefix(idle, "ERROR - 57P05"));
    must_be_closed(idle);
    free(client_expect_prefix(again, "PONG 1"));
    free(client_expect_prefix(again, "ERROR - 08P01"));
    must_be_closed(again);
    client_send(quiet, "PING still"); /* whoever has asked once may be silent for ever */
    free(client_expect_prefix(quiet, "PONG still"));
    client_close(quiet);
    daemon_free(d);
}
END_TEST

START_TEST(all_queues_together_have_a_limit)
{
    static const char *const sets[] = {"limits.output_total_bytes=4M", "limits.output_bytes=1G",
                                       NULL};
    enum {
        SLOW = 8
    };
    struct client *slow[SLOW];
    struct view *view[SLOW];
    struct daemon_proc *d = daemon_with(sets);
    sql_run(db, "CREATE TABLE queued(id int PRIMARY KEY, t text);"
                "INSERT INTO queued SELECT g, repeat('x', 300) FROM generate_series(1, 1000) g");
    for (int i = 0; i < SLOW; i++) {
        slow[i] = client_connect(d->port);
        view[i] = client_subscribe(slow[i], "v", "SELECT id, t FROM queued");
        client_wait_snapshot(slow[i], view[i]);
    }
    struct client *c = client_connect(d->port);
    uint64_t most = 0;
    for (int i = 0; i < 40; i++) { /* 600 kB each */
        sql_run(db, "UPDATE queued SET t = repeat(chr(97 + %d), 300)", i % 26);
        client_sync(c);
        uint64_t now = client_status(c, "output_queued");
        most = now > most ? now : most;
    }
    ck_assert_uint_gt(client_status(c, "times_lagged"), 0);
    /* Each may be one block over its share. */
    ck_assert_uint_lt(most, (4u << 20) + SLOW * 700000u);
    for (int i = 0; i < SLOW; i++) {
        slow[i]->timeout_ms = 30000;
        client_sync(slow[i]);
        view_must_equal(db, view[i], "SELECT id, t FROM queued");
        client_close(slow[i]);
    }
    ck_assert_uint_lt(client_status(c, "output_queued"), 1000);
    client_close(c);
    daemon_free(d);
}
END_TEST

START_TEST(descriptors_are_kept_for_the_daemon_itself)
{
    enum {
        MANY = 120
    };
    struct client *many[MANY];
    daemon_max_descriptors = 150;
    struct daemon_proc *d = daemon_with(NULL);
    daemon_max_descriptors = 0;
    ck_assert(daemon_log_contains(d, "limit of descriptors"));
    sql_run(db, "CREATE TABLE fds(id int PRIMARY KEY); INSERT INTO fds VALUES (1)");
    struct client *c = client_connect(d->port);
    client_send(c, "PING");
    free(client_expect_prefix(c, "PONG"));
    int refused = 0;
    for (int i = 0; i < MANY; i++) {
        many[i] = client_connect(d->port);
        client_send(many[i], "PING");
        char *line = client_read_line(many[i]);
        refused += line && strncmp(line, "ERROR - 53300", 13) == 0;
        free(line);
    }
    ck_assert_int_gt(refused, 0);
    /* The session that reads tables is opened only now. */
    struct view *v = client_subscribe(c, "v", "SELECT id FROM fds");
    client_wait_snapshot(c, v);
    sql_run(db, "INSERT INTO fds VALUES (2)");
    client_sync(c);
    view_must_equal(db, v, "SELECT id FROM fds");
    for (int i = 0; i < MANY; i++)
        client_close(many[i]);
    client_close(c);
    daemon_free(d);
}
END_TEST

/* ---- a log that can't be written ----------------------------------------------------------- */

/* A daemon with this stderr, on a Unix socket. */
static pid_t run_with_stderr(int err, const char *listen)
{
    pid_t pid = fork();
    if (pid != 0)
        return pid;
    const char *program = getenv("PALIMPSESTD");
    if (err >= 0)
        dup2(err, 2);
    else
        close(2);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    execl(program, program, "--listen", listen, "--postgres", cluster->conninfo, "--set",
          "log.level=debug", (char *)NULL);
    _exit(127);
}

static struct client *connect_unix(const char *path)
{
    struct sockaddr_un sun = {.sun_family = AF_UNIX};
    struct client *c = NEW(struct client);
    ck_assert_uint_lt(strlen(path), sizeof sun.sun_path);
    strcpy(sun.sun_path, path);
    c->timeout_ms = 10000;
    c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    for (int i = 0; connect(c->fd, (struct sockaddr *)&sun, sizeof sun) != 0; i++) {
        if (i > 1000)
            die("%s doesn't listen", path);
        usleep(10000);
    }
    free(client_expect_prefix(c, "HELLO"));
    return c;
}

static void must_serve_without_log(int err)
{
    char path[160], listen[200];
    snprintf(path, sizeof path, "%s/nolog.sock", cluster->dir);
    snprintf(listen, sizeof listen, "unix:%s", path);
    pid_t pid = run_with_stderr(err, listen);
    struct client *c = connect_unix(path);
    for (int i = 0; i < 400; i++) { /* each is a line of the log, and more than a pipe takes */
        client_send(c, "QUERY q%d SELECT %d, '%0200d'", i, i, i);
        char want[24];
        snprintf(want, sizeof want, "RELEASED q%d", i);
        for (bool done = false; !done;) {
            char *line = client_read_line(c);
            done = strcmp(line, want) == 0;
            if (strncmp(line, "ERROR", 5) == 0) { /* not connected to Postgres yet */
                usleep(20000);
                done = true;
            }
            free(line);
        }
    }
    client_close(c);
    int status;
    kill(pid, SIGTERM);
    waitpid(pid, &status, 0);
    ck_assert_int_eq(status, 0);
}

START_TEST(a_log_that_cannot_be_written_delays_nobody)
{
    int full = open("/dev/full", O_WRONLY), stuck[2];
    must_serve_without_log(full);
    must_serve_without_log(-1);
    ck_assert_int_eq(pipe(stuck), 0); /* nobody reads it */
    must_serve_without_log(stuck[1]);
    close(stuck[0]); /* nobody ever will */
    must_serve_without_log(stuck[1]);
    close(stuck[1]);
    close(full);
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
    tcase_add_test(t, a_system_that_gives_no_more_memory_ends_a_plan_not_the_daemon);
    tcase_add_test(t, without_memory_no_plan_is_made_and_all_else_goes_on);
    tcase_add_test(t, one_plan_has_its_own_limit);
    tcase_add_test(t, subscriptions_of_all_clients_have_a_limit);
    tcase_add_test(t, a_line_has_to_end_and_a_connection_has_to_ask_in_time);
    tcase_add_test(t, all_queues_together_have_a_limit);
    tcase_add_test(t, descriptors_are_kept_for_the_daemon_itself);
    tcase_add_test(t, a_log_that_cannot_be_written_delays_nobody);
    suite_add_tcase(s, t);
    return s;
}

int main(void)
{
    return harness_main(suite());
}
