/*
 * Allocations that fail, one after another, all along the way of every kind of request.
 *
 * The daemon runs with a library before malloc() (tests/alloc/shim.c, ALLOC_SHIM_LIB) in which this
 * program says what fails: the n-th from now on, once; or a few in a row; or all large ones. For each n the
 * same requests are made. Each has to be answered, by an error if need be, or the connection ends; the
 * daemon lives, and afterwards the views of an honest client are what Postgres answers.
 *
 * Without the library (a sanitizer has a malloc() of its own) there is nothing to do. make test takes a sample of the n, make test-alloc (ALLOC_STEP=1) each.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/alloc/shim.h"
#include "tests/e2e/harness.h"

static PGconn *db;
static struct shim *shim;

static const char *const HONEST[] = {
    "SELECT id, t FROM goods",
    "SELECT k, count(*), sum(n), string_agg(t, ',' ORDER BY id) FROM goods GROUP BY k",
    "SELECT a.id, b.t FROM goods a LEFT JOIN goods b ON a.n = b.id",
    "SELECT now() IS NULL, count(*) FROM goods",
};
enum {
    NHONEST = sizeof HONEST / sizeof *HONEST
};

struct judge {
    struct client *c;
    struct view *view[NHONEST];
    unsigned nid;
    unsigned ended; /* views that the daemon gave up */
};

static struct judge judge;

static void subscribe_again(unsigned i)
{
    char id[16];
    snprintf(id, sizeof id, "h%u", ++judge.nid);
    judge.view[i] = client_subscribe(judge.c, id, HONEST[i]);
    client_wait_snapshot(judge.c, judge.view[i]);
}

static void fail_nothing(void)
{
    atomic_store(&shim->fail_to, 0);
    atomic_store(&shim->least, 0);
}

/* The n-th from now on, and those behind it. */
static void make_fail(uint64_t n, uint64_t count, uint64_t least)
{
    atomic_store(&shim->failed, 0);
    atomic_store(&shim->least, least);
    uint64_t from = atomic_load(&shim->seen) + n;
    atomic_store(&shim->fail_at, from);
    atomic_store(&shim->fail_to, from + count);
}

static void join_again(void)
{
    if (judge.c)
        client_close(judge.c);
    judge.c = client_connect(daemon_under_test->port);
    judge.c->timeout_ms = 30000;
    for (unsigned i = 0; i < NHONEST; i++)
        subscribe_again(i);
}

/* As client_sync(), but an error means that it is to be asked again. */
static void sync_views(void)
{
    for (int tries = 0;; tries++) {
        char *line;
        client_send(judge.c, "SYNC");
        while ((line = client_read_line(judge.c)) && client_apply(judge.c, line))
            ;
        if (!line) { /* there was no memory for what it asked */
            join_again();
            continue;
        }
        bool done = strncmp(line, "SYNCED ", 7) == 0;
        if (!done && tries > 200)
            die("%s", line);
        free(line);
        if (done)
            return;
        usleep(100000);
    }
}

/* Postgres's sessions may have been lost on the way: until they are back a statement gets an error. */
static void must_be_right(void)
{
    sync_views();
    for (unsigned i = 0; i < NHONEST; i++) {
        for (int tries = 0; judge.view[i]->error && judge.view[i]->released; tries++) {
            if (tries > 200)
                die("%s: %s", HONEST[i], judge.view[i]->error);
            judge.ended++;
            usleep(tries ? 100000 : 0);
            subscribe_again(i);
        }
        view_must_equal(db, judge.view[i], HONEST[i]);
    }
}

/* Each request, and the lines one of which comes last. */
static const char *const REQUESTS[][3] = {
    {"SUBSCRIBE a SELECT id, n FROM goods WHERE k = 3", "SNAPSHOT a", "ERROR a"},
    {"{\"op\":\"subscribe\",\"id\":\"b\",\"sql\":\"SELECT t FROM goods WHERE n > $1 AND t <> $2\","
     "\"params\":[3,\"\\u00e4\"]}",
     "SNAPSHOT b", "ERROR b"},
    {"PROGRESS 50", "PROGRESS ", "ERROR -"},
    {"QUERY c SELECT k, max(t) FROM goods GROUP BY k ORDER BY 1", "RELEASED c", "ERROR c"},
    {"QUERY d SELECT md5(t) FROM goods WHERE id < 5", "RELEASED d", "ERROR d"},
    {"EXPLAIN e SELECT DISTINCT t FROM goods", "EXPLAIN e", "ERROR e"},
    {"LIST", "PLANS ", "ERROR -"},
    {"STATUS", "STATUS ", "ERROR -"},
    {"HELP", "HELP ", "ERROR -"},
    {"QUERY g SELECT a.id, b.t FROM goods a, goods b WHERE b.id < 20", "RELEASED g", "ERROR g"},
    {"SUBSCRIBE f SELECT now(), count(*) FROM goods", "SNAPSHOT f", "ERROR f"},
    {"SYNC", "SYNCED ", "ERROR -"},
    {"VERIFY b", "VERIFIED b", "ERROR b"},
    {"RELEASE a", "RELEASED a", "ERROR a"},
    {"NONSENSE", "ERROR -", "ERROR -"},
    {"PING end", "PONG end", "ERROR -"},
};

static bool begins(const char *line, const char *with)
{
    return strncmp(line, with, strlen(with)) == 0;
}

/* An answer comes, or the end of the connection; which one is not judged here. False: the end. */
static bool is_answered(struct client *c, const char *const *request)
{
    for (;;) {
        char *line = client_read_line(c);
        if (!line)
            return false;
        bool done = begins(line, request[1]) || begins(line, request[2]);
        free(line);
        if (done)
            return true;
    }
}

static void write_something(unsigned n)
{
    sql_run(db,
            "UPDATE goods SET n = n + 1, t = t || 'x' WHERE id = %u; "
            "DELETE FROM goods WHERE id = %u; INSERT INTO goods SELECT %u, %u, 5, 'new' "
            "ON CONFLICT DO NOTHING",
            1 + n % 50, 1 + n % 37, 1 + n % 37, n % 5);
}

static void make_requests(unsigned n)
{
    struct client *c = client_connect_raw(daemon_under_test->port);
    c->timeout_ms = 30000;
    for (size_t i = 0; i < sizeof REQUESTS / sizeof *REQUESTS; i++) {
        client_send(c, "%s", REQUESTS[i][0]);
        if (!is_answered(c, REQUESTS[i]))
            break;
        if (i == 1 || i == 10)
            write_something(n + (unsigned)i);
    }
    client_close(c);
}

static unsigned step(unsigned sample)
{
    const char *s = getenv("ALLOC_STEP");
    return s && *s ? (unsigned)strtoul(s, NULL, 10) : sample;
}

/* Every n, until the requests are through before it comes. */
static void fail_each(unsigned by, uint64_t count, uint64_t least)
{
    unsigned n = 0, rounds = 0;
    judge.ended = 0;
    for (;; n += by, rounds++) {
        make_fail(n, count, least);
        make_requests(n);
        bool came = atomic_load(&shim->failed) > 0;
        fail_nothing();
        if (daemon_has_ended(daemon_under_test)) {
            daemon_show_log(daemon_under_test);
            die("the daemon ended with allocation %u", n);
        }
        must_be_right();
        if (!came)
            break;
    }
    fprintf(stderr,
            "%u allocations, %u failed in turn, %llu in a row, of %llu bytes and more: %u views "
            "ended\n",
            n, rounds, (unsigned long long)count, (unsigned long long)least, judge.ended);
}

static void begin(void)
{
    db = cluster_connect(cluster);
    sql_run(
        db,
        "CREATE TABLE IF NOT EXISTS goods(id int PRIMARY KEY, k int, n int, t text);"
        "INSERT INTO goods SELECT g, g %% 5, g %% 11, 'text ' || g FROM generate_series(1, 400) g "
        "ON CONFLICT DO NOTHING");
    join_again();
}

static void end(void)
{
    client_close(judge.c);
    judge.c = NULL;
    PQfinish(db);
}

START_TEST(each_allocation_fails_once)
{
    fail_each(step(150), 1, 0);
}
END_TEST

START_TEST(several_in_a_row_fail)
{
    fail_each(step(400) * 3, 30, 0);
}
END_TEST

START_TEST(all_large_ones_fail)
{
    fail_each(step(10), 100000, 32768);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("alloc");
    TCase *t = tcase_create("alloc");
    tcase_set_timeout(t, 3000);
    tcase_add_checked_fixture(t, begin, end);
    tcase_add_test(t, each_allocation_fails_once);
    tcase_add_test(t, several_in_a_row_fail);
    tcase_add_test(t, all_large_ones_fail);
    suite_add_tcase(s, t);
    return s;
}

static void share_shim(char *path, size_t size)
{
    snprintf(path, size, "/tmp/palimpsest-shim.XXXXXX");
    int fd = mkstemp(path);
    if (fd < 0 || ftruncate(fd, sizeof *shim) != 0 || fchmod(fd, 0666) != 0)
        die("no shared file for the shim");
    shim = mmap(NULL, sizeof *shim, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    setenv("ALLOC_SHIM", path, 1);
}

int main(void)
{
    char path[64];
    const char *lib = getenv("ALLOC_SHIM_LIB");
    if (!lib || !*lib) {
        puts("100%: Checks: 0, Failures: 0, Errors: 0");
        return 0;
    }
    share_shim(path, sizeof path);
    daemon_preload = lib;
    harness_in_one_process = true;
    int status = harness_main(suite());
    unlink(path);
    return status;
}
