/*
 * Clients that mean ill, or don't know what they are talking to. Whatever they do, after it an honest
 * client's view is what Postgres answers, and the daemon is as it was before: connections,
 * subscriptions, plans, descriptors and threads.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "tests/e2e/harness.h"

#define HONEST   "SELECT id, n FROM honest"
#define CALM_MS  20000
#define SESSIONS 4

static PGconn *db;
static struct client *honest;
static struct view *view;

/* What must be the same again. */
struct counts {
    uint64_t connections, subscriptions, plans;
    size_t descriptors, threads;
};

static struct counts before;

static struct counts count(void)
{
    return (struct counts){
        .connections = client_status(honest, "connections"),
        .subscriptions = client_status(honest, "subscriptions"),
        .plans = client_status(honest, "plans"),
        .descriptors = daemon_descriptors(daemon_under_test),
        .threads = daemon_threads(daemon_under_test),
    };
}

static void begin(void)
{
    db = cluster_connect(cluster);
    honest = client_connect(daemon_under_test->port);
    honest->timeout_ms = 30000;
    sql_run(db, "CREATE TABLE IF NOT EXISTS honest(id serial PRIMARY KEY, n int);"
                "CREATE TABLE IF NOT EXISTS target(id int PRIMARY KEY, t text);"
                "INSERT INTO target SELECT g, repeat('x', 100) FROM generate_series(1, 20000) g "
                "ON CONFLICT DO NOTHING");
    view = client_subscribe(honest, "honest", HONEST);
    client_wait_snapshot(honest, view);
    if (view->error)
        die("%s", view->error);
    /* All sessions with Postgres that there will be. */
    struct client *c = client_connect(daemon_under_test->port);
    client_wait_snapshot(c, client_subscribe(c, "a", "SELECT now(), count(*) FROM target"));
    client_wait_snapshot(c, client_subscribe(c, "b", "SELECT md5(t) FROM target WHERE id < 9"));
    client_close(c);
    usleep(200000);
    before = count();
    for (int i = 0; before.connections > 1 || before.plans > 1; i++) {
        if (i > 500)
            die("there are other clients");
        usleep(20000);
        before = count();
    }
}

static void be_honest(void)
{
    sql_run(db,
            "INSERT INTO honest(n) SELECT g FROM generate_series(1, 10) g;"
            "UPDATE honest SET n = n + 1 WHERE id %% 7 = 0; DELETE FROM honest WHERE id %% 3 = 0");
    client_sync(honest);
    view_must_equal(db, view, HONEST);
}

/* The daemon's sessions with Postgres come and go: one for each worker, and a few. */
static bool is_as_before(const struct counts *now)
{
    return now->connections == before.connections && now->subscriptions == before.subscriptions &&
           now->plans == before.plans && now->descriptors <= before.descriptors + SESSIONS &&
           now->threads == before.threads;
}

static void must_be_as_before(void)
{
    be_honest();
    struct counts now = count();
    for (int ms = 0; !is_as_before(&now); ms += 20) {
        if (ms > CALM_MS)
            die("connections %lu, subscriptions %lu, plans %lu, descriptors %zu, threads %zu; "
                "before: "
                "%lu, %lu, %lu, %zu, %zu",
                now.connections, now.subscriptions, now.plans, now.descriptors, now.threads,
                before.connections, before.subscriptions, before.plans, before.descriptors,
                before.threads);
        usleep(20000);
        now = count();
    }
}

static void end(void)
{
    client_close(honest);
    PQfinish(db);
}

static uint64_t now_ms(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

static struct client *enter(void)
{
    struct client *c = client_connect(daemon_under_test->port);
    c->timeout_ms = 60000;
    return c;
}

/* Gone without a word: the daemon's next write is answered by a reset. */
static void reset(struct client *c)
{
    struct linger l = {.l_onoff = 1, .l_linger = 0};
    setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &l, sizeof l);
    client_close(c);
}

static unsigned pick(unsigned n)
{
    return (unsigned)random() % n;
}

static void send_text(struct client *c, const char *s)
{
    client_send_bytes(c, s, strlen(s));
}

static const char *const STATEMENTS[] = {
    "SELECT id, t FROM target",
    "SELECT count(*) FROM target",
    "SELECT t, count(*) FROM target GROUP BY t",
    "SELECT a.id FROM target a JOIN target b ON a.id = b.id + 1 WHERE a.id < 100",
    "SELECT now(), count(*) FROM target",
    "SELECT md5(t) FROM target WHERE id < 50",
    "SELECT 1 / (id - 1) FROM target WHERE id < 3",
    "SELECT nonsense",
};

static const char *some_statement(void)
{
    return STATEMENTS[pick(sizeof STATEMENTS / sizeof *STATEMENTS)];
}

/* Reads whatever comes until the answer to a PING; returns the number of lines. */
static int read_all(struct client *c)
{
    int n = 0;
    client_send(c, "PING the-end");
    for (;;) {
        char *line = client_read_line(c);
        bool done = !line || strcmp(line, "PONG the-end") == 0;
        free(line);
        if (done)
            return n;
        n++;
    }
}

/* ---- going away ---------------------------------------------------------------------------- */

START_TEST(disconnects_in_every_state)
{
    for (int i = 0; i < harness_scale(150); i++) {
        struct client *c = enter();
        client_send(c, "%s a %s",
                    pick(4)   ? "SUBSCRIBE"
                    : pick(2) ? "QUERY"
                              : "EXPLAIN",
                    some_statement());
        if (pick(2))
            client_send(c, "SUBSCRIBE b %s\nPROGRESS each\nSYNC", some_statement());
        if (pick(8) == 0)
            send_text(c, "PING half a li");
        usleep(pick(3) ? pick(3000) : pick(60000));
        if (pick(3) == 0)
            shutdown(c->fd, pick(2) ? SHUT_WR : SHUT_RD);
        if (i % 10 == 0)
            sql_run(db, "UPDATE target SET t = t || 'y' WHERE id %% 100 = %u", pick(100));
        if (pick(2))
            reset(c);
        else
            client_close(c);
    }
    must_be_as_before();
}
END_TEST

START_TEST(releases_at_any_moment)
{
    struct client *c = enter();
    for (int i = 0; i < harness_scale(150); i++) {
        client_send(c, "SUBSCRIBE r%d %s", i, some_statement());
        usleep(pick(2) ? pick(1000) : pick(40000));
        client_send(c, "RELEASE r%d", i);
    }
    read_all(c);
    /* Ids taken and given back at random, most of it wrong. */
    for (int i = 0; i < harness_scale(1000); i++) {
        unsigned id = pick(5);
        switch (pick(5)) {
        case 0: client_send(c, "SUBSCRIBE x%u %s", id, some_statement()); break;
        case 1: client_send(c, "QUERY x%u SELECT count(*) FROM target", id); break;
        case 2: client_send(c, "EXPLAIN x%u SELECT count(*) FROM target", id); break;
        default: client_send(c, "RELEASE x%u", id); break;
        }
        if (i % 50 == 0)
            read_all(c);
    }
    for (unsigned id = 0; id < 5; id++)
        client_send(c, "RELEASE x%u", id);
    read_all(c);
    client_close(c);
    must_be_as_before();
}
END_TEST

/* ---- not reading, not writing -------------------------------------------------------------- */

START_TEST(readers_that_never_read)
{
    enum {
        MANY = 10
    };
    struct client *c[MANY];
    for (int i = 0; i < MANY; i++) {
        c[i] = enter();
        client_send(c[i], "SUBSCRIBE v SELECT id, t FROM target");
        for (int k = 0; k < 10; k++)
            client_send(c[i], "QUERY q%d SELECT id, t FROM target", k);
    }
    for (int i = 0; i < 4; i++) {
        sql_run(db, "UPDATE target SET t = repeat(chr(97 + %d), 100)", i);
        be_honest();
    }
    /* limits.output_bytes is 1M here; the first block may be larger, and payloads are shared. */
    ck_assert_uint_lt(client_status(honest, "output_queued"), MANY * (3u << 20));
    for (int i = 0; i < MANY; i++) {
        if (i % 2)
            reset(c[i]);
        else
            client_close(c[i]);
    }
    must_be_as_before();
}
END_TEST

/* Sends as much as the daemon takes, reads nothing meanwhile. Returns the number of requests sent whole. */
static int push_requests(struct client *c, const char *request, int most)
{
    size_t len = strlen(request);
    struct buf b = {0};
    for (int i = 0; i < most; i++)
        buf_add(&b, request, len);
    size_t sent = 0;
    while (sent < b.len) {
        struct pollfd p = {.fd = c->fd, .events = POLLOUT};
        if (poll(&p, 1, 500) <= 0)
            break;
        ssize_t n = send(c->fd, b.data + sent, b.len - sent, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n > 0)
            sent += (size_t)n;
    }
    buf_fini(&b);
    if (sent % len) /* the rest of it, when there is room */
        client_send_bytes(c, request + sent % len, 0);
    return (int)(sent / len);
}

START_TEST(a_million_requests_and_no_reading)
{
    struct client *c = enter();
    long rss = daemon_rss_kb(daemon_under_test);
    int sent = push_requests(c, "PING 0123456789012345678901234567890123456789\n", 1000000);
    be_honest();
    ck_assert_int_lt(sent, 1000000);
    ck_assert_int_gt(sent, 1000);
    ck_assert_int_lt(daemon_rss_kb(daemon_under_test) - rss, 32 << 10);
    for (int i = 0; i < sent; i++) {
        char *line = client_read_line(c);
        ck_assert_int_eq(strncmp(line, "PONG 0123", 9), 0);
        free(line);
    }
    reset(c);
    must_be_as_before();
}
END_TEST

START_TEST(lines_that_never_end)
{
    enum {
        MANY = 8
    };
    struct client *c[MANY];
    char *junk = malloc(1 << 20);
    memset(junk, 'x', 1 << 20);
    long rss = daemon_rss_kb(daemon_under_test);
    for (int i = 0; i < MANY; i++) {
        c[i] = enter();
        for (int k = 0; k < 8; k++)
            client_send_bytes(c[i], junk, 1 << 20);
    }
    be_honest();
    ck_assert_int_lt(daemon_rss_kb(daemon_under_test) - rss, 48 << 10);
    for (int i = 0; i < MANY; i++) {
        send_text(c[i], "\nPING on\n");
        free(client_expect_prefix(c[i], "ERROR - 08P01"));
        free(client_expect_prefix(c[i], "PONG on"));
        client_close(c[i]);
    }
    free(junk);
    must_be_as_before();
}
END_TEST

START_TEST(one_byte_at_a_time_from_many)
{
    enum {
        MANY = 20
    };
    static const char request[] = "SUBSCRIBE slow SELECT count(*) FROM target\n";
    struct client *c[MANY];
    for (int i = 0; i < MANY; i++)
        c[i] = enter();
    for (const char *p = request; *p; p++)
        for (int i = 0; i < MANY; i++)
            client_send_bytes(c[i], p, 1);
    be_honest();
    for (int i = 0; i < MANY; i++) {
        free(client_expect_prefix(c[i], "ACCEPTED slow"));
        free(client_expect_prefix(c[i], "SNAPSHOT slow"));
        client_close(c[i]);
    }
    must_be_as_before();
}
END_TEST

/* ---- bytes that are no requests ------------------------------------------------------------ */

START_TEST(other_protocols)
{
    static const struct {
        const char *bytes;
        size_t len;
    } others[] = {
        {"\x16\x03\x01\x00\xc8\x01\x00\x00\xc4\x03\x03\x0a\x0b\x0c", 14}, /* TLS ClientHello */
        {"\x00\x00\x00\x54\x00\x03\x00\x00user\0me\0\0", 17},             /* Postgres */
        {"\x00\x00\x00\x08\x04\xd2\x16\x2f", 8},                          /* Postgres: SSL? */
        {"GET / HTTP/1.1\r\nHost: localhost\r\nAccept: */*\r\n\r\n", 49},
        {"SSH-2.0-OpenSSH_9.2\r\n", 21},
        {"*1\r\n$4\r\nPING\r\n", 14},
        {"\xff\xfb\x01\xff\xfb\x03\xff\xfd\x0f\r\n", 11}, /* telnet negotiates */
    };
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        struct client *c = enter();
        client_send_bytes(c, others[i].bytes, others[i].len);
        send_text(c, "\n");
        read_all(c);
        client_close(c);
        c = enter(); /* and without an end of line */
        client_send_bytes(c, others[i].bytes, others[i].len);
        reset(c);
    }
    must_be_as_before();
}
END_TEST

START_TEST(odd_ends_of_lines_and_odd_bytes)
{
    struct client *c = enter();
    send_text(c, "\n\n\r\n\r\r\n\rPING 1\r\nPING 2\r\r\nPING 3\n\r\n");
    client_send_bytes(c, "PI\0NG\nPING \xc0\x80\nPING \xed\xa0\x80\nPING \xf5\x80\x80\x80\n", 30);
    client_send_bytes(c, "\0\0\0\0\n", 5);
    ck_assert_int_gt(read_all(c), 4);
    for (int i = 0; i < harness_scale(400); i++) { /* noise */
        unsigned char noise[200];
        for (size_t k = 0; k < sizeof noise; k++)
            noise[k] = (unsigned char)pick(256);
        client_send_bytes(c, noise, sizeof noise);
    }
    send_text(c, "\n");
    read_all(c);
    client_close(c);
    must_be_as_before();
}
END_TEST

/* n times what, then to, then n times back. */
static char *nested(const char *head, const char *open, int n, const char *core, const char *close,
                    const char *tail)
{
    struct buf b = {0};
    buf_adds(&b, head);
    for (int i = 0; i < n; i++)
        buf_adds(&b, open);
    buf_adds(&b, core);
    for (int i = 0; i < n; i++)
        buf_adds(&b, close);
    buf_adds(&b, tail);
    size_t len;
    (void)buf_cstr(&b);
    return buf_take(&b, &len);
}

START_TEST(deep_json)
{
    struct client *c = enter();
    static const char *const forms[][2] = {{"[", "]"}, {"{\"a\":", "}"}};
    for (int i = 0; i < 2; i++) {
        char *deep =
            nested("{\"op\":\"query\",\"id\":\"j\",\"sql\":\"SELECT 1\",\"params\":", forms[i][0],
                   60000, "1", forms[i][1], "}");
        client_send(c, "%s", deep);
        free(client_expect_prefix(c, "ERROR "));
        free(deep);
        deep = nested("", forms[i][0], 60000, "", "", ""); /* never closed */
        client_send(c, "%s", deep);
        free(client_expect_prefix(c, "ERROR "));
        free(deep);
    }
    client_close(c);
    must_be_as_before();
}
END_TEST

/* ---- statements ---------------------------------------------------------------------------- */

START_TEST(nested_statements)
{
    static const struct {
        const char *head, *open, *core, *close, *tail;
    } forms[] = {
        {"SELECT ", "(", "1", ")", ""},
        {"SELECT ", "-(", "1", ")", ""},
        {"SELECT id FROM target WHERE id = 1", " OR id = 7", "", "", ""},
        {"SELECT id FROM target WHERE ", "NOT (id = 3 AND ", "true", ")", ""},
        {"SELECT id FROM target", " UNION ALL SELECT id FROM target", "", "", ""},
        {"SELECT id FROM target", " EXCEPT SELECT 1", "", "", ""},
        {"", "SELECT * FROM (", "SELECT id FROM target", ") AS s", ""},
        {"SELECT ", "(SELECT ", "count(*) FROM target", ")", ""},
        {"SELECT id FROM target t WHERE ", "EXISTS (SELECT FROM target s WHERE s.id = t.id AND ",
         "true", ")", ""},
        {"SELECT ", "CASE WHEN true THEN ", "1", " ELSE 2 END", ""},
        {"SELECT ", "ARRAY[", "1", "]", ""},
        {"SELECT ", "coalesce(1, ", "2", ")", ""},
        {"SELECT '' ", " || 'x'", "", "", ""},
        {"SELECT 1 FROM target t0", " CROSS JOIN (SELECT 1) x", "", "", ""},
    };
    static const int depths[] = {150, 10000};
    struct client *c = enter();
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
        for (size_t k = 0; k < sizeof depths / sizeof *depths; k++) {
            char *sql = nested(forms[i].head, forms[i].open, depths[k], forms[i].core,
                               forms[i].close, forms[i].tail);
            client_send(c, "EXPLAIN deep %s", sql);
            free(sql);
            char *line = client_read_line(c);
            if (!line ||
                (strncmp(line, "EXPLAIN deep ", 13) != 0 && strncmp(line, "ERROR deep ", 11) != 0))
                die("%s…: %s", forms[i].head, line ? line : "the end");
            free(line);
            read_all(c);
        }
    client_close(c);
    must_be_as_before();
}
END_TEST

START_TEST(giant_statements)
{
    struct client *c = enter();
    char *text = malloc(1000001);
    memset(text, 'a', 1000000);
    text[1000000] = '\0';
    client_send(c, "QUERY g SELECT length('%s')", text);
    free(client_expect_prefix(c, "ACCEPTED g"));
    free(client_expect_prefix(c, "SNAPSHOT g"));
    free(client_expect_prefix(c, "+ [1000000]"));
    free(client_expect_prefix(c, "RELEASED g"));
    struct buf b = {0};
    buf_adds(&b, "{\"op\":\"query\",\"id\":\"p\",\"sql\":\"SELECT 1 WHERE 1 IN ($1::int");
    for (int i = 2; i <= 10000; i++)
        buf_addf(&b, ",$%d::int", i);
    buf_adds(&b, ")\",\"params\":[1");
    for (int i = 2; i <= 10000; i++)
        buf_addf(&b, ",%d", i);
    buf_adds(&b, "]}");
    client_send(c, "%s", buf_cstr(&b));
    free(client_expect_prefix(c, "ERROR p 54023"));
    /* Nobody else is told that Postgres can't be reached. */
    client_send(c, "QUERY n SELECT 1");
    free(client_expect_prefix(c, "ACCEPTED n"));
    buf_fini(&b);
    free(text);
    client_close(c);
    must_be_as_before();
}
END_TEST

START_TEST(storms_of_questions)
{
    enum {
        MANY = 8,
        EACH = 40
    };
    struct client *c[MANY];
    for (int i = 0; i < MANY; i++) {
        c[i] = enter();
        for (int k = 0; k < EACH; k++)
            client_send(c[i], "%s s%d SELECT count(*) + %d FROM target WHERE id %% %d = 0",
                        k % 2 ? "QUERY" : "EXPLAIN", k, i, k + 2);
    }
    be_honest();
    for (int i = 0; i < MANY; i++) {
        if (i % 3 == 0) {
            reset(c[i]);
            continue;
        }
        client_send(c[i], "QUIT");
        int answered = 0;
        for (char *line; (line = client_read_line(c[i])); free(line))
            answered += strncmp(line, "RELEASED ", 9) == 0 || strncmp(line, "EXPLAIN ", 8) == 0;
        ck_assert_int_eq(answered, EACH);
        client_close(c[i]);
    }
    must_be_as_before();
}
END_TEST

/* ---- connections --------------------------------------------------------------------------- */

START_TEST(a_flood_of_connections)
{
    enum {
        MANY = 300
    };
    struct client *c[MANY];
    uint64_t worst = 0;
    for (int i = 0; i < MANY; i++) { /* listen.max_connections is 60 here */
        c[i] = client_connect_raw(daemon_under_test->port);
        if (i % 20)
            continue;
        uint64_t t0 = now_ms();
        client_send(honest, "PING");
        free(client_expect_prefix(honest, "PONG"));
        worst = now_ms() - t0 > worst ? now_ms() - t0 : worst;
    }
    int refused = 0;
    for (int i = 0; i < MANY; i++) {
        free(client_expect_prefix(c[i], "HELLO"));
        bool eof = false;
        char *line = client_try_line(c[i], 0, &eof);
        refused += line && strncmp(line, "ERROR - 53300", 13) == 0;
        free(line);
    }
    be_honest();
    ck_assert_int_ge(refused, MANY - 60);
    if (worst > 500)
        die("an honest client waited %lu ms", worst);
    for (int i = 0; i < MANY; i++) {
        if (i % 2)
            reset(c[i]);
        else
            client_close(c[i]);
    }
    must_be_as_before();
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("malice");
    TCase *t = tcase_create("malice");
    tcase_set_timeout(t, 120);
    tcase_add_checked_fixture(t, begin, end);
    tcase_add_test(t, disconnects_in_every_state);
    tcase_add_test(t, releases_at_any_moment);
    tcase_add_test(t, readers_that_never_read);
    tcase_add_test(t, a_million_requests_and_no_reading);
    tcase_add_test(t, lines_that_never_end);
    tcase_add_test(t, one_byte_at_a_time_from_many);
    tcase_add_test(t, other_protocols);
    tcase_add_test(t, odd_ends_of_lines_and_odd_bytes);
    tcase_add_test(t, deep_json);
    tcase_add_test(t, nested_statements);
    tcase_add_test(t, giant_statements);
    tcase_add_test(t, storms_of_questions);
    tcase_add_test(t, a_flood_of_connections);
    suite_add_tcase(s, t);
    return s;
}

int main(void)
{
    static const char *const sets[] = {"listen.max_connections=60", "limits.output_bytes=1M",
                                       "engine.linger=0", "limits.line_bytes=2M", NULL};
    harness_daemon_sets = sets;
    srandom(harness_seed());
    return harness_main(suite());
}
