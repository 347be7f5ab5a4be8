/*
 * bare: START_REPLICATION and a loop over PQgetCopyData. See bare.h.
 */
#include "tests/bench/bare.h"

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/alloc.h"
#include "tests/bench/bench.h"

#define MAX_COMMITS 100000

struct bare {
    PGconn *conn;
    pthread_t thread;
    atomic_bool stop;
    atomic_uint_least64_t commits;
    int64_t when[MAX_COMMITS];
};

static void put64(char *p, uint64_t v)
{
    for (int i = 7; i >= 0; i--, v >>= 8)
        p[i] = (char)(v & 0xff);
}

static uint64_t get64(const char *p)
{
    uint64_t v = 0;
    for (int i = 0; i < 8; i++)
        v = v << 8 | (unsigned char)p[i];
    return v;
}

static void confirm(struct bare *b, uint64_t lsn)
{
    char msg[34] = {'r'};
    put64(msg + 1, lsn);
    put64(msg + 9, lsn);
    put64(msg + 17, lsn);
    PQputCopyData(b->conn, msg, sizeof msg);
    PQflush(b->conn);
}

static void take(struct bare *b, const char *msg, int len)
{
    if (msg[0] == 'k' && len >= 18 && msg[17])
        confirm(b, get64(msg + 1));
    if (msg[0] != 'w' || len < 26 || msg[25] != 'C')
        return;
    uint64_t n = atomic_load(&b->commits);
    b->when[n % MAX_COMMITS] = bench_ns();
    atomic_store(&b->commits, n + 1);
}

static void *read_stream(void *arg)
{
    struct bare *b = arg;
    struct pollfd p = {.fd = PQsocket(b->conn), .events = POLLIN};
    while (!atomic_load(&b->stop)) {
        char *msg;
        int len;
        while ((len = PQgetCopyData(b->conn, &msg, 1)) > 0) {
            take(b, msg, len);
            PQfreemem(msg);
        }
        if (len < 0)
            break;
        poll(&p, 1, 50);
        PQconsumeInput(b->conn);
    }
    return NULL;
}

struct bare *bare_start(const struct cluster *c, const char *publication)
{
    struct bare *b = NEW(struct bare);
    char conninfo[320], slot[64];
    snprintf(conninfo, sizeof conninfo, "%s replication=database", c->conninfo);
    snprintf(slot, sizeof slot, "bench_bare_%lld", (long long)bench_ns());
    b->conn = PQconnectdb(conninfo);
    if (PQstatus(b->conn) != CONNECTION_OK)
        die("replication: %s", PQerrorMessage(b->conn));
    sql_run(b->conn, "CREATE_REPLICATION_SLOT %s TEMPORARY LOGICAL pgoutput NOEXPORT_SNAPSHOT",
            slot);
    char text[256];
    snprintf(text, sizeof text,
             "START_REPLICATION SLOT %s LOGICAL 0/0 (proto_version '1', publication_names '%s')",
             slot, publication);
    PGresult *res = PQexec(b->conn, text);
    if (PQresultStatus(res) != PGRES_COPY_BOTH)
        die("START_REPLICATION: %s", PQerrorMessage(b->conn));
    PQclear(res);
    pthread_create(&b->thread, NULL, read_stream, b);
    return b;
}

int64_t bare_commit_time(struct bare *b, uint64_t n)
{
    while (atomic_load(&b->commits) < n)
        bench_sleep_us(20);
    return b->when[(n - 1) % MAX_COMMITS];
}

uint64_t bare_commits(struct bare *b)
{
    return atomic_load(&b->commits);
}

void bare_stop(struct bare *b)
{
    atomic_store(&b->stop, true);
    pthread_join(b->thread, NULL);
    PQfinish(b->conn);
    free(b);
}
