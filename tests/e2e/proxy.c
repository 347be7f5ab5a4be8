/*
 * proxy: see proxy.h. One thread and poll(); everything is under one lock, which the thread lets go
 * of only while it waits.
 */
#include "tests/e2e/proxy.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "engine/base/alloc.h"
#include "engine/base/vec.h"

#define BUFFER     65536
#define DRIBBLE_MS 1

struct way { /* one direction */
    int from, to;
    char buf[BUFFER];
    size_t start, end;
    bool ended; /* from has sent its FIN, and it was passed on */
};

struct link {
    char name[64];       /* application_name; "" until it has been seen */
    struct way up, down; /* to the server, to the daemon */
    long budget;         /* bytes that a stall still lets through; -1 = no stall */
    bool half;           /* the daemon was sent a FIN: what the server says is dropped */
    bool old;
};

struct rule {
    char name[64];
    enum proxy_fault fault;
    long after;
};

struct proxy {
    pthread_t thread;
    pthread_mutex_t lock;
    int listener, wake;
    bool stop;
    char conninfo[200], socket[108];
    VEC(struct link *) links;
    VEC(int) orphans; /* sockets of the server's whose other end has been closed */
    VEC(struct rule) rules;
    char seen[256][64]; /* names of connections made */
    int nseen;
};

/* ---- rules ----------------------------------------------------------------------------------- */

static bool is_named(const struct link *l, const char *name)
{
    return !*name || strstr(l->name, name);
}

static enum proxy_fault fault_of(const struct proxy *p, const struct link *l)
{
    for (size_t i = p->rules.n; i > 0; i--)
        if (is_named(l, p->rules.v[i - 1].name))
            return p->rules.v[i - 1].fault;
    return PROXY_PASS;
}

static void apply_rule(struct link *l, const struct rule *r)
{
    if (is_named(l, r->name))
        l->budget = r->fault == PROXY_STALL ? r->after : -1;
}

/* ---- bytes ----------------------------------------------------------------------------------- */

/* The startup packet: length, version, then names and values. */
static void read_name(struct proxy *p, struct link *l)
{
    static const char key[] = "application_name";
    const char *hit = memmem(l->up.buf, l->up.end, key, sizeof key);
    if (!hit)
        return;
    snprintf(l->name, sizeof l->name, "%s", hit + sizeof key);
    if (p->nseen < 256)
        snprintf(p->seen[p->nseen++], sizeof p->seen[0], "%s", l->name);
    for (size_t i = 0; i < p->rules.n; i++)
        apply_rule(l, &p->rules.v[i]);
    l->old = fault_of(p, l) == PROXY_OLD;
}

static void make_old(struct way *w)
{
    static const char key[] = "server_version";
    char *hit = memmem(w->buf + w->start, w->end - w->start, key, sizeof key);
    if (hit)
        memcpy(hit + sizeof key, "13", 2);
}

/* False: the connection is over. */
static bool take(struct way *w)
{
    ssize_t n = read(w->from, w->buf + w->end, sizeof w->buf - w->end);
    if (n > 0)
        w->end += (size_t)n;
    else if (n == 0)
        w->ended = true;
    return n >= 0 || errno == EAGAIN;
}

static bool give(struct link *l, struct way *w, size_t most)
{
    size_t len = w->end - w->start;
    if (l->half && w == &l->down) {
        w->start = w->end = 0;
        return true;
    }
    ssize_t n = send(w->to, w->buf + w->start, len < most ? len : most, MSG_NOSIGNAL);
    if (n < 0)
        return errno == EAGAIN;
    w->start += (size_t)n;
    if (w == &l->down && l->budget > 0)
        l->budget -= n;
    if (w->start == w->end)
        w->start = w->end = 0;
    return true;
}

static bool pass(struct proxy *p, struct link *l, struct way *w, short revents)
{
    enum proxy_fault fault = fault_of(p, l);
    if (revents && w->end < sizeof w->buf && !w->ended && !take(w))
        return false;
    if (!*l->name && w == &l->up)
        read_name(p, l);
    if (l->old && w == &l->down)
        make_old(w);
    if (l->budget == 0)
        return true;
    size_t most = sizeof w->buf;
    if (w == &l->down && l->budget > 0)
        most = (size_t)l->budget;
    if (w == &l->down && fault == PROXY_DRIBBLE)
        most = 1;
    if (w->end > w->start && !give(l, w, most))
        return false;
    if (w->ended && w->start == w->end && !(l->half && w == &l->down))
        shutdown(w->to, SHUT_WR);
    return !(l->up.ended && l->down.ended);
}

/* ---- connections ----------------------------------------------------------------------------- */

static void close_link(struct proxy *p, size_t i)
{
    struct link *l = p->links.v[i];
    close(l->up.from);
    close(l->up.to);
    free(l);
    p->links.v[i] = p->links.v[--p->links.n];
}

static int connect_server(const struct proxy *p)
{
    struct sockaddr_un sa = {.sun_family = AF_UNIX};
    memcpy(sa.sun_path, p->socket, sizeof sa.sun_path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&sa, sizeof sa) == 0) {
        fcntl(fd, F_SETFL, O_NONBLOCK);
        return fd;
    }
    close(fd);
    return -1;
}

static void accept_one(struct proxy *p)
{
    int one = 1, fd = accept4(p->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    int server = fd < 0 ? -1 : connect_server(p);
    if (server < 0) {
        if (fd >= 0)
            close(fd);
        return;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    struct link *l = NEW(struct link);
    l->up.from = l->down.to = fd;
    l->up.to = l->down.from = server;
    l->budget = -1;
    VEC_PUSH(p->links, l);
}

static bool is_waiting(const struct link *l, const struct way *w)
{
    return l->budget != 0 && w->end > w->start;
}

/* What a stalled connection has received lies here, and then in the kernel. */
static short wanted(const struct link *l, const struct way *w)
{
    return w->ended || w->end == sizeof w->buf || (l->budget == 0 && w->end) ? 0 : POLLIN;
}

static void serve(struct proxy *p, struct pollfd *fds, size_t n)
{
    for (size_t i = n; i > 0; i--) {
        struct link *l = p->links.v[i - 1];
        if (!pass(p, l, &l->up, fds[2 * i].revents) ||
            !pass(p, l, &l->down, fds[2 * i + 1].revents))
            close_link(p, i - 1);
    }
    if (fds[0].revents)
        accept_one(p);
    uint64_t ignored;
    if (fds[1].revents)
        (void)!read(p->wake, &ignored, sizeof ignored);
}

static void *proxy_main(void *arg)
{
    struct proxy *p = arg;
    pthread_mutex_lock(&p->lock);
    while (!p->stop) {
        size_t n = p->links.n;
        bool busy = false;
        struct pollfd *fds = xcalloc(2 * n + 2, sizeof *fds);
        fds[0] = (struct pollfd){.fd = p->listener, .events = POLLIN};
        fds[1] = (struct pollfd){.fd = p->wake, .events = POLLIN};
        for (size_t i = 0; i < n; i++) {
            struct link *l = p->links.v[i];
            fds[2 * i + 2] = (struct pollfd){.fd = l->up.from, .events = wanted(l, &l->up)};
            fds[2 * i + 3] = (struct pollfd){.fd = l->down.from, .events = wanted(l, &l->down)};
            for (size_t k = 2; k < 4; k++)
                if (!fds[2 * i + k].events)
                    fds[2 * i + k].fd = -1;
            busy |= is_waiting(l, &l->up) || is_waiting(l, &l->down);
        }
        pthread_mutex_unlock(&p->lock);
        poll(fds, 2 * n + 2, busy ? DRIBBLE_MS : -1);
        pthread_mutex_lock(&p->lock);
        if (p->links.n == n) /* else somebody has closed some */
            serve(p, fds, n);
        free(fds);
    }
    pthread_mutex_unlock(&p->lock);
    return NULL;
}

/* ---- for the test ---------------------------------------------------------------------------- */

static void wake(struct proxy *p)
{
    uint64_t one = 1;
    (void)!write(p->wake, &one, sizeof one);
}

struct proxy *proxy_start(const struct cluster *c)
{
    struct proxy *p = NEW(struct proxy);
    struct sockaddr_in sa = {.sin_family = AF_INET};
    socklen_t len = sizeof sa;
    sa.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    pthread_mutex_init(&p->lock, NULL);
    p->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    p->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (bind(p->listener, (struct sockaddr *)&sa, sizeof sa) != 0 || listen(p->listener, 64) != 0 ||
        getsockname(p->listener, (struct sockaddr *)&sa, &len) != 0)
        die("the proxy can't listen: %s", strerror(errno));
    snprintf(p->socket, sizeof p->socket, "%.80s/.s.PGSQL.5432", c->dir);
    snprintf(p->conninfo, sizeof p->conninfo,
             "host=127.0.0.1 port=%d user=postgres dbname=postgres sslmode=disable "
             "gssencmode=disable",
             ntohs(sa.sin_port));
    if (pthread_create(&p->thread, NULL, proxy_main, p) != 0)
        die("the proxy has no thread");
    return p;
}

void proxy_free(struct proxy *p)
{
    pthread_mutex_lock(&p->lock);
    p->stop = true;
    pthread_mutex_unlock(&p->lock);
    wake(p);
    pthread_join(p->thread, NULL);
    while (p->links.n)
        close_link(p, 0);
    for (size_t i = 0; i < p->orphans.n; i++)
        close(p->orphans.v[i]);
    VEC_FREE(p->orphans);
    VEC_FREE(p->links);
    VEC_FREE(p->rules);
    close(p->listener);
    close(p->wake);
    free(p);
}

const char *proxy_conninfo(const struct proxy *p)
{
    return p->conninfo;
}

void proxy_set(struct proxy *p, const char *name, enum proxy_fault fault, long after)
{
    struct rule r = {.fault = fault, .after = after};
    snprintf(r.name, sizeof r.name, "%s", name);
    pthread_mutex_lock(&p->lock);
    VEC_PUSH(p->rules, r);
    for (size_t i = 0; i < p->links.n; i++)
        apply_rule(p->links.v[i], &r);
    pthread_mutex_unlock(&p->lock);
    wake(p);
}

void proxy_reset(struct proxy *p, const char *name)
{
    struct linger now = {.l_onoff = 1};
    pthread_mutex_lock(&p->lock);
    for (size_t i = p->links.n; i > 0; i--) {
        if (!is_named(p->links.v[i - 1], name))
            continue;
        setsockopt(p->links.v[i - 1]->up.from, SOL_SOCKET, SO_LINGER, &now, sizeof now);
        close_link(p, i - 1);
    }
    pthread_mutex_unlock(&p->lock);
    wake(p);
}

void proxy_half_close(struct proxy *p, const char *name)
{
    pthread_mutex_lock(&p->lock);
    for (size_t i = 0; i < p->links.n; i++) {
        struct link *l = p->links.v[i];
        if (!is_named(l, name))
            continue;
        shutdown(l->down.to, SHUT_WR);
        l->half = true;
    }
    pthread_mutex_unlock(&p->lock);
    wake(p);
}

void proxy_orphan(struct proxy *p, const char *name)
{
    pthread_mutex_lock(&p->lock);
    for (size_t i = p->links.n; i > 0; i--) {
        struct link *l = p->links.v[i - 1];
        if (!is_named(l, name))
            continue;
        VEC_PUSH(p->orphans, dup(l->up.to));
        close_link(p, i - 1);
    }
    pthread_mutex_unlock(&p->lock);
    wake(p);
}

int proxy_count(struct proxy *p, const char *name)
{
    int n = 0;
    pthread_mutex_lock(&p->lock);
    for (int i = 0; i < p->nseen; i++)
        n += strstr(p->seen[i], name) != NULL;
    pthread_mutex_unlock(&p->lock);
    return n;
}
