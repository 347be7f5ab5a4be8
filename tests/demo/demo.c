/*
 * demo: the main job, live, on a private throw-away Postgres.
 *
 * Loads 600,000 rows, starts the daemon, subscribes through a plain TCP connection to the biggest
 * categories by total, commits a few times a second and shows each line as it passes. On a terminal
 * it goes on until Ctrl-C; otherwise it ends after 20 commits. Everything it started is stopped and
 * removed in the end.
 */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tests/e2e/client.h"
#include "tests/e2e/cluster.h"
#include "tests/e2e/daemon_proc.h"

#define ROWS       600000
#define CATEGORIES 1000
#define COMMITS    20  /* without a terminal */
#define PAUSE_MS   300 /* between commits */

static const char QUERY[] =
    "WITH per_category AS (SELECT category_id, COUNT(*) AS n, SUM(value) AS total FROM events "
    "GROUP BY category_id) SELECT category_id, n, total FROM per_category ORDER BY total DESC "
    "LIMIT 8";

static volatile sig_atomic_t interrupted;

static void on_signal(int sig)
{
    (void)sig;
    interrupted = 1;
}

/* From here on they end the loop. Before, cluster.c's handlers clean up at once. */
static void catch_signals(void)
{
    struct sigaction sa = {.sa_handler = on_signal};
    sigaction(SIGINT, &sa, NULL);
    sigaction(SIGTERM, &sa, NULL);
    sigaction(SIGHUP, &sa, NULL);
}

static double seconds(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static bool color;

static void say(const char *style, const char *prefix, const char *text)
{
    printf("%s%s%s%s\n", color ? style : "", prefix, text, color ? "\033[0m" : "");
    fflush(stdout);
}

static void send_line(struct client *c, const char *line)
{
    say("\033[36m", "> ", line);
    client_send(c, "%s", line);
}

/* Shows what comes within ms. False at the end of the connection. */
static bool show_lines(struct client *c, int ms)
{
    double end = seconds() + ms / 1000.0;
    for (;;) {
        bool eof;
        int left = (int)((end - seconds()) * 1000);
        char *line = client_try_line(c, left > 0 ? left : 0, &eof);
        if (!line)
            return !eof;
        say(line[0] == '-' ? "\033[31m" : line[0] == '+' ? "\033[32m" : "\033[1m", "< ", line);
        free(line);
        if (interrupted)
            return true;
    }
}

static void show_until(struct client *c, const char *prefix)
{
    for (;;) {
        char *line = client_read_line(c);
        if (!line)
            die("the daemon closed the connection");
        bool found = strncmp(line, prefix, strlen(prefix)) == 0;
        say("", "< ", line);
        free(line);
        if (found)
            return;
    }
}

static void load(PGconn *db)
{
    printf("-- loading %d rows into events(id, category_id, value)\n", ROWS);
    fflush(stdout);
    sql_run(db,
            "CREATE TABLE events(id bigint PRIMARY KEY, category_id int, value bigint);"
            "INSERT INTO events SELECT g, g * 7919 %% %d, g * 31 %% 1009 FROM "
            "generate_series(1::bigint, %d) "
            "g; ANALYZE events",
            CATEGORIES, ROWS);
    /* The categories that the demo keeps shuffling. */
    sql_run(db, "CREATE TABLE contenders AS SELECT row_number() OVER () - 1 AS i, category_id FROM "
                "(SELECT category_id FROM events GROUP BY 1 ORDER BY sum(value) DESC LIMIT 12) t");
}

/* One commit: new events for one of the contenders, or some of its old ones deleted. */
static void commit_once(PGconn *db, int n)
{
    char text[160];
    int contender = n * 5 % 12;
    if (n % 4 == 3)
        snprintf(text, sizeof text,
                 "DELETE FROM events WHERE id > %d AND category_id = (SELECT category_id FROM "
                 "contenders WHERE i = %d)",
                 ROWS, (contender + 7) % 12);
    else
        snprintf(text, sizeof text,
                 "INSERT INTO events SELECT %d + g, category_id, %d FROM contenders, "
                 "generate_series(1, 3) g WHERE i = %d",
                 ROWS + n * 10, 500 + n * 37 % 900, contender);
    say("\033[33m", "-- ", text);
    sql_run(db, "%s", text);
}

static void run(PGconn *db, struct client *c, int commits)
{
    for (int n = 0; !interrupted && (commits == 0 || n < commits); n++) {
        commit_once(db, n);
        if (!show_lines(c, PAUSE_MS))
            die("the daemon closed the connection");
    }
}

int main(void)
{
    char subscribe[sizeof QUERY + 32];
    bool tty = isatty(STDOUT_FILENO);
    color = tty;
    printf("-- starting a private Postgres\n");
    fflush(stdout);
    double t0 = seconds();
    struct cluster *cluster = cluster_start(NULL);
    PGconn *db = cluster_connect(cluster);
    load(db);
    struct daemon_proc *d = daemon_start(cluster->conninfo, NULL, true);
    printf("-- palimpsestd listens on 127.0.0.1:%d (%.1f s so far)\n", d->port, seconds() - t0);
    printf("-- try it from another terminal:   nc 127.0.0.1 %d   then type the lines after '>'\n",
           d->port);
    struct client *c = client_connect_raw(d->port);
    c->timeout_ms = 60000;
    show_until(c, "HELLO");
    snprintf(subscribe, sizeof subscribe, "SUBSCRIBE top %s", QUERY);
    send_line(c, subscribe);
    show_until(c, "SNAPSHOT");
    show_lines(c, PAUSE_MS);
    catch_signals();
    run(db, c, tty ? 0 : COMMITS);
    send_line(c, "QUIT");
    show_lines(c, 1000);
    client_close(c);
    daemon_free(d);
    PQfinish(db);
    cluster_free(cluster);
    printf("-- everything stopped and removed\n");
    return 0;
}
