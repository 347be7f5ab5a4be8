/*
 * watch: the thread that serves all clients, and what the main thread asks of it. See watch.h.
 */
#include <stdio.h>
#include <string.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/e2e/cluster.h"
#include "tests/faults/watch_int.h"

static void turn(struct watch *w)
{
    struct pollfd fds[256];
    uint64_t now = now_ms();
    pthread_mutex_lock(&w->lock);
    size_t n = w->clients.n;
    for (size_t i = 0; i < n; i++)
        wclient_prepare(w->clients.v[i], &fds[i], now);
    pthread_mutex_unlock(&w->lock);
    poll(fds, n, 3);
    pthread_mutex_lock(&w->lock);
    for (size_t i = 0; i < n && i < w->clients.n; i++) /* another one's poll result is not served */
        wclient_serve(w->clients.v[i], &fds[i], now_ms());
    pthread_mutex_unlock(&w->lock);
}

static void *watch_thread(void *arg)
{
    struct watch *w = arg;
    for (bool stop = false; !stop;) {
        turn(w);
        pthread_mutex_lock(&w->lock);
        stop = w->stop;
        pthread_mutex_unlock(&w->lock);
    }
    return NULL;
}

struct watch *watch_start(struct world *world, uint64_t seed, bool bank_only)
{
    struct watch *w = NEW(struct watch);
    w->world = world;
    w->rng = rng_from(seed, 2);
    w->bank_only = bank_only;
    w->twins = xcalloc(TWINS, sizeof *w->twins);
    pthread_mutex_init(&w->lock, NULL);
    if (pthread_create(&w->thread, NULL, watch_thread, w) != 0)
        die("no thread for the clients");
    return w;
}

void watch_free(struct watch *w)
{
    pthread_mutex_lock(&w->lock);
    w->stop = true;
    pthread_mutex_unlock(&w->lock);
    pthread_join(w->thread, NULL);
    for (size_t i = 0; i < w->clients.n; i++)
        wclient_free(w->clients.v[i]);
    VEC_FREE(w->clients);
    pthread_mutex_destroy(&w->lock);
    free(w->twins);
    free(w);
}

/* At least one of each kind; a third of those there go. */
void watch_shuffle(struct watch *w, unsigned n)
{
    unsigned of_kind[CLIENT_KINDS] = {0};
    pthread_mutex_lock(&w->lock);
    for (size_t i = w->clients.n; i-- > 0;)
        if (rng_chance(&w->rng, 33) || n == 0) {
            wclient_free(w->clients.v[i]);
            w->clients.v[i] = w->clients.v[--w->clients.n];
        } else {
            of_kind[w->clients.v[i]->kind]++;
        }
    for (int k = 0; k < CLIENT_KINDS && n; k++)
        if (!of_kind[k])
            wclient_new(w, (enum client_kind)k, rng_chance(&w->rng, 50));
    while (w->clients.n < n)
        wclient_new(w, (enum client_kind)rng_below(&w->rng, CLIENT_KINDS), rng_chance(&w->rng, 50));
    pthread_mutex_unlock(&w->lock);
}

void watch_allow(struct watch *w, const struct watch_allowance *a)
{
    pthread_mutex_lock(&w->lock);
    w->allowed = *a;
    pthread_mutex_unlock(&w->lock);
}

void watch_disconnect_all(struct watch *w)
{
    pthread_mutex_lock(&w->lock);
    for (size_t i = 0; i < w->clients.n; i++)
        wclient_disconnect(w->clients.v[i]);
    pthread_mutex_unlock(&w->lock);
}

void watch_storm(struct watch *w, unsigned n)
{
    struct sockaddr_in sa = {.sin_family = AF_INET};
    int fds[64];
    sa.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    sa.sin_port = htons((uint16_t)atomic_load(&w->world->port));
    for (unsigned i = 0; i < n; i++) {
        int *fd = &fds[i % 64];
        if (i >= 64)
            close(*fd);
        *fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        (void)!connect(*fd, (struct sockaddr *)&sa, sizeof sa);
        (void)!send(*fd, "SUBSCRIBE x SELECT 1\nSTATU", 26, MSG_NOSIGNAL);
    }
    for (unsigned i = 0; i < 64 && i < n; i++)
        close(fds[i]);
}

static bool all_synced(struct watch *w, bool tell)
{
    bool all = true;
    pthread_mutex_lock(&w->lock);
    for (size_t i = 0; i < w->clients.n; i++) {
        struct wclient *c = w->clients.v[i];
        all &= c->synced;
        if (c->synced || !tell)
            continue;
        wclient_wrong(c, NULL, "not settled: %s, %s", c->greeted ? "connected" : "not connected",
                      wclient_is_ready(c) ? c->syncing ? "SYNC unanswered" : "SYNC refused"
                                          : "subscriptions missing");
        for (size_t k = 0; k < c->wants.n; k++) {
            const struct wsub *s = c->wants.v[k].sub;
            if (!s || !s->live || s->resync)
                wclient_wrong(c, c->wants.v[k].sub,
                              "waited for in vain (%s, refused %u times: %s): %s",
                              !s            ? "not there"
                              : s->resync   ? "RESYNC"
                              : s->accepted ? "accepted"
                                            : "asked",
                              c->wants.v[k].refusals, c->wants.v[k].refused, c->wants.v[k].st->sql);
        }
    }
    pthread_mutex_unlock(&w->lock);
    return all;
}

bool watch_settle(struct watch *w, unsigned ms)
{
    uint64_t end = now_ms() + ms;
    pthread_mutex_lock(&w->lock);
    w->settling = true;
    for (size_t i = 0; i < w->clients.n; i++)
        w->clients.v[i]->synced = false;
    pthread_mutex_unlock(&w->lock);
    while (!all_synced(w, false)) {
        if (now_ms() > end) {
            all_synced(w, true);
            return false;
        }
        sleep_ms(3);
    }
    return true;
}

void watch_go_on(struct watch *w)
{
    pthread_mutex_lock(&w->lock);
    w->settling = false;
    pthread_mutex_unlock(&w->lock);
}

struct watch_counts watch_counts(struct watch *w)
{
    pthread_mutex_lock(&w->lock);
    struct watch_counts n = w->counts;
    pthread_mutex_unlock(&w->lock);
    return n;
}
