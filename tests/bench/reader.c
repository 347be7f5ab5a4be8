/*
 * reader: see reader.h.
 */
#include "tests/bench/reader.h"

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "engine/base/alloc.h"
#include "tests/bench/bench.h"
#include "tests/e2e/client.h"
#include "tests/e2e/cluster.h"

#define MAX_DELTAS 400000

struct delta_reader {
    struct client *client;
    pthread_t thread;
    atomic_bool stop;
    atomic_uint_least64_t deltas, lsn, syncs;
    uint64_t rows_left; /* of the block being read */
    uint64_t block_lsn;
    bool snapshot_seen;
    int64_t when[MAX_DELTAS];
};

static void block_done(struct delta_reader *r)
{
    uint64_t n = atomic_load(&r->deltas);
    r->when[n % MAX_DELTAS] = bench_ns();
    atomic_store(&r->lsn, r->block_lsn);
    atomic_store(&r->deltas, n + 1);
}

static void take_line(struct delta_reader *r, const char *line, size_t len)
{
    if (r->rows_left) {
        if (--r->rows_left == 0)
            block_done(r);
        return;
    }
    if (len > 6 && memcmp(line, "DELTA ", 6) == 0) {
        unsigned hi, lo;
        unsigned long long n;
        if (sscanf(line, "DELTA %*s %X/%X %llu", &hi, &lo, &n) != 3)
            die("bad line from the daemon");
        r->block_lsn = (uint64_t)hi << 32 | lo;
        r->rows_left = n;
    } else if (len > 7 && memcmp(line, "SYNCED ", 7) == 0) {
        atomic_fetch_add(&r->syncs, 1);
    }
}

static void take_input(struct delta_reader *r, struct buf *in)
{
    size_t start = 0;
    char *nl;
    while ((nl = memchr(in->data + start, '\n', in->len - start))) {
        *nl = '\0';
        take_line(r, in->data + start, (size_t)(nl - in->data) - start);
        start = (size_t)(nl - in->data) + 1;
    }
    buf_consume(in, start);
}

static void *read_socket(void *arg)
{
    struct delta_reader *r = arg;
    struct buf *in = &r->client->in;
    struct pollfd p = {.fd = r->client->fd, .events = POLLIN};
    while (!atomic_load(&r->stop)) {
        if (poll(&p, 1, 50) <= 0)
            continue;
        ssize_t n = recv(r->client->fd, buf_reserve(in, 262144), 262144, 0);
        if (n <= 0)
            die("the daemon closed the connection");
        in->len += (size_t)n;
        take_input(r, in);
    }
    return NULL;
}

struct delta_reader *delta_reader_start(int port, const char *sql, int64_t *snapshot_ns)
{
    struct delta_reader *r = NEW(struct delta_reader);
    r->client = client_connect(port);
    r->client->timeout_ms = 300000;
    int64_t t0 = bench_ns();
    struct view *v = client_subscribe(r->client, "bench", sql);
    client_wait_snapshot(r->client, v);
    if (v->error)
        die("%s: %s", sql, v->error);
    if (snapshot_ns)
        *snapshot_ns = bench_ns() - t0;
    buf_consume(&r->client->in, r->client->in_start);
    r->client->in_start = 0;
    pthread_create(&r->thread, NULL, read_socket, r);
    return r;
}

uint64_t delta_reader_count(struct delta_reader *r)
{
    return atomic_load(&r->deltas);
}

int64_t delta_reader_time(struct delta_reader *r, uint64_t n)
{
    int64_t t0 = bench_ns();
    while (atomic_load(&r->deltas) < n) {
        bench_sleep_us(20);
        if (bench_ns() - t0 > 60000000000LL)
            die("delta %llu did not come within a minute", (unsigned long long)n);
    }
    return r->when[(n - 1) % MAX_DELTAS];
}

uint64_t delta_reader_lsn(struct delta_reader *r)
{
    return atomic_load(&r->lsn);
}

void delta_reader_sync(struct delta_reader *r)
{
    client_send(r->client, "SYNC");
}

uint64_t delta_reader_syncs(struct delta_reader *r)
{
    return atomic_load(&r->syncs);
}

void delta_reader_stop(struct delta_reader *r)
{
    atomic_store(&r->stop, true);
    pthread_join(r->thread, NULL);
    client_close(r->client);
    free(r);
}
