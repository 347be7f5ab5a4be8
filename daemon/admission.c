/*
 * admission: see admission.h.
 */
#include "daemon/admission.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "daemon/config.h"
#include "daemon/log.h"
#include "daemon/server.h"
#include "engine/base/alloc.h"
#include "engine/base/hash.h"

#define OWN_DESCRIPTORS 64 /* sessions with Postgres, mailboxes, the listener, files being read */
#define OWN_BY_THREAD   8

/* How many connections an address has. */
struct guest {
    struct table_link by_address;
    uint8_t address[16];
    size_t n;
};

struct admission {
    struct server *server;
    size_t descriptors;   /* that clients may have */
    pthread_mutex_t lock; /* over guests */
    struct table guests;
};

/* What is left when the daemon's own threads and sessions have theirs. */
static size_t descriptors_for_clients(const struct server *server)
{
    struct rlimit rl;
    size_t own = OWN_DESCRIPTORS + OWN_BY_THREAD * (server->nworkers + server->nloops);
    if (getrlimit(RLIMIT_NOFILE, &rl) != 0 || rl.rlim_cur == RLIM_INFINITY)
        return SIZE_MAX;
    return rl.rlim_cur > own ? rl.rlim_cur - own : 1;
}

static void compare_with_descriptors(const struct admission *a)
{
    const struct config *cfg = config_current();
    if ((size_t)cfg->listen_max_connections > a->descriptors)
        log_warn("listen.max_connections is %lld, but the limit of descriptors (ulimit -n, "
                 "LimitNOFILE=) has room for %zu connections",
                 (long long)cfg->listen_max_connections, a->descriptors);
    config_unref(cfg);
}

struct admission *admission_new(struct server *server)
{
    struct admission *a = NEW(struct admission);
    a->server = server;
    a->descriptors = descriptors_for_clients(server);
    compare_with_descriptors(a);
    pthread_mutex_init(&a->lock, NULL);
    table_init(&a->guests);
    return a;
}

void admission_free(struct admission *a)
{
    table_fini(&a->guests);
    pthread_mutex_destroy(&a->lock);
    free(a);
}

static bool is_counted(const struct peer *p)
{
    static const uint8_t none[16];
    return memcmp(p->address, none, sizeof none) != 0;
}

static struct guest *guest_find(struct admission *a, const struct peer *p)
{
    uint64_t hash = hash_bytes(p->address, sizeof p->address);
    for (struct table_link *t = table_first(&a->guests, hash); t; t = table_next(t)) {
        struct guest *g = TABLE_MEMBER(t, struct guest, by_address);
        if (memcmp(g->address, p->address, sizeof g->address) == 0)
            return g;
    }
    return NULL;
}

/* limit 0 = none. */
static bool guest_enter(struct admission *a, const struct peer *p, size_t limit)
{
    bool ok = true;
    if (!is_counted(p))
        return true;
    pthread_mutex_lock(&a->lock);
    struct guest *g = guest_find(a, p);
    if (!g) {
        g = NEW(struct guest);
        memcpy(g->address, p->address, sizeof g->address);
        table_add(&a->guests, &g->by_address, hash_bytes(g->address, sizeof g->address));
    }
    ok = limit == 0 || g->n < limit;
    g->n += ok;
    pthread_mutex_unlock(&a->lock);
    return ok;
}

static void guest_leave(struct admission *a, const struct peer *p)
{
    if (!is_counted(p))
        return;
    pthread_mutex_lock(&a->lock);
    struct guest *g = guest_find(a, p);
    assert(g && g->n > 0);
    if (--g->n == 0) {
        table_remove(&a->guests, &g->by_address);
        free(g);
    }
    pthread_mutex_unlock(&a->lock);
}

void admission_leave(struct admission *a, const struct peer *peer)
{
    guest_leave(a, peer);
    atomic_fetch_sub_explicit(&a->server->connections, 1, memory_order_relaxed);
}

bool admission_enter(struct admission *a, const struct peer *peer, struct err *err)
{
    const struct config *cfg = config_current();
    size_t max = (size_t)cfg->listen_max_connections;
    size_t max_here = (size_t)cfg->listen_max_per_address;
    config_unref(cfg);
    if (max > a->descriptors)
        max = a->descriptors;
    if (COUNTED(a->server->connections) >= max)
        return err_set(err, ERR_TOO_MANY_CONNECTIONS, "too many connections (limit %zu)", max);
    if (!guest_enter(a, peer, max_here))
        return err_set(err, ERR_TOO_MANY_CONNECTIONS,
                       "too many connections from this address (limit %zu)", max_here);
    COUNT(a->server->connections, 1);
    return true;
}
