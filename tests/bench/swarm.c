/*
 * swarm: see swarm.h.
 */
#include "tests/bench/swarm.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "engine/base/alloc.h"
#include "tests/e2e/cluster.h"

#define INPUT    (1 << 20)
#define SOURCES  200 /* addresses we connect from */
#define PATIENCE 240000000000LL

struct member {
    int fd;
    size_t no;
    uint64_t block_left; /* lines of the block under way */
    uint64_t *block;     /* the counter that it counts in */
    struct view *into;   /* the view that it changes; NULL = nobody looks */
    struct buf half;     /* the beginning of a line whose end hasn't come */
    struct buf out;      /* what couldn't be sent */
    bool connecting, wants_out;
    VEC(struct view *) views; /* kept; owned */
};

/* ---- blocks -------------------------------------------------------------------------------- */

static struct view *find_view(const struct member *m, const char *id, size_t len)
{
    for (size_t i = 0; i < m->views.n; i++)
        if (strncmp(m->views.v[i]->id, id, len) == 0 && !m->views.v[i]->id[len])
            return m->views.v[i];
    return NULL;
}

static void block_done(struct swarm *s, struct member *m)
{
    (*m->block)++;
    s->last_ns = bench_ns();
    if (!s->marked)
        s->first_ns = s->last_ns;
    s->marked = true;
    m->into = NULL;
}

/* SNAPSHOT id lsn n, or DELTA id lsn n. */
static void begin_block(struct swarm *s, struct member *m, const char *line, size_t len)
{
    bool whole = *line == 'S';
    const char *id = line + (whole ? 9 : 6), *end = line + len, *n = end;
    while (n > id && n[-1] != ' ')
        n--;
    m->block_left = strtoull(n, NULL, 10);
    m->block = whole ? &s->counts.snapshots : &s->counts.deltas;
    if (m->views.n)
        m->into = find_view(m, id, (size_t)((const char *)memchr(id, ' ', len) - id));
    if (m->into && whole)
        bag_clear(&m->into->rows);
    if (m->into)
        m->into->has_snapshot = true;
    if (!m->block_left)
        block_done(s, m);
}

static void take_row(struct swarm *s, struct member *m, const char *line, size_t len)
{
    if (m->into && bag_add(&m->into->rows, line + 2, len - 2, *line == '+' ? 1 : -1) < 0)
        die("%s: a row is retracted that isn't there: %.*s", m->into->id, (int)len, line);
    if (s->ages && *line == '+' && m->block == &s->counts.deltas)
        samples_add(s->ages, (double)(bench_ns() - strtoll(line + 3, NULL, 10)) / 1000);
    if (--m->block_left == 0)
        block_done(s, m);
}

static bool begins(const char *line, size_t len, const char *word)
{
    size_t n = strlen(word);
    return len >= n && memcmp(line, word, n) == 0;
}

static void take_line(struct swarm *s, struct member *m, const char *line, size_t len)
{
    struct swarm_counts *c = &s->counts;
    if (m->block_left) {
        take_row(s, m, line, len);
    } else if (begins(line, len, "DELTA ") || begins(line, len, "SNAPSHOT ")) {
        begin_block(s, m, line, len);
    } else if (begins(line, len, "ERROR ")) {
        die("client %zu: %.*s", m->no, (int)len, line);
    } else {
        c->hellos += begins(line, len, "HELLO ");
        c->accepted += begins(line, len, "ACCEPTED ");
        c->syncs += begins(line, len, "SYNCED ");
    }
}

/* ---- sockets ------------------------------------------------------------------------------- */

static void take_input(struct swarm *s, struct member *m, const char *data, size_t len)
{
    const char *end = data + len, *nl;
    if (m->half.len && (nl = memchr(data, '\n', len))) {
        buf_add(&m->half, data, (size_t)(nl - data));
        take_line(s, m, m->half.data, m->half.len);
        buf_fini(&m->half);
        data = nl + 1;
    }
    while (data < end && (nl = memchr(data, '\n', (size_t)(end - data)))) {
        take_line(s, m, data, (size_t)(nl - data));
        data = nl + 1;
    }
    if (data < end)
        buf_add(&m->half, data, (size_t)(end - data));
}

static void want_out(struct swarm *s, struct member *m, bool want)
{
    struct epoll_event ev = {.events = EPOLLIN | (want ? EPOLLOUT : 0), .data.ptr = m};
    if (m->wants_out != want && epoll_ctl(s->epfd, EPOLL_CTL_MOD, m->fd, &ev) != 0)
        die("epoll_ctl: %s", strerror(errno));
    m->wants_out = want;
}

static void send_out(struct swarm *s, struct member *m)
{
    if (m->connecting)
        return;
    ssize_t n = m->out.len ? send(m->fd, m->out.data, m->out.len, MSG_NOSIGNAL) : 0;
    if (n < 0 && errno != EAGAIN)
        die("send: %s", strerror(errno));
    if (n > 0)
        buf_consume(&m->out, (size_t)n);
    if (!m->out.len)
        buf_fini(&m->out);
    want_out(s, m, m->out.len > 0);
}

static void read_in(struct swarm *s, struct member *m)
{
    ssize_t n = recv(m->fd, s->input, INPUT, 0);
    if (n > 0)
        take_input(s, m, s->input, (size_t)n);
    else if (n == 0 || errno != EAGAIN)
        die("client %zu was disconnected: %s", m->no, n ? strerror(errno) : "end of file");
}

void swarm_turn(struct swarm *s, int timeout_ms)
{
    struct epoll_event ev[512];
    int n = epoll_wait(s->epfd, ev, 512, timeout_ms);
    for (int i = 0; i < n; i++) {
        struct member *m = ev[i].data.ptr;
        m->connecting &= !(ev[i].events & EPOLLOUT);
        if (ev[i].events & (EPOLLIN | EPOLLERR | EPOLLHUP))
            read_in(s, m);
        if (ev[i].events & EPOLLOUT)
            send_out(s, m);
    }
}

void swarm_until(struct swarm *s, const uint64_t *counter, uint64_t n)
{
    int64_t t0 = bench_ns();
    while (*counter < n) {
        swarm_turn(s, 1000);
        if (bench_ns() - t0 > PATIENCE)
            die("%llu of %llu after %lld s", (unsigned long long)*counter, (unsigned long long)n,
                PATIENCE / 1000000000);
    }
}

void swarm_mark(struct swarm *s)
{
    s->marked = false;
    s->first_ns = s->last_ns = 0;
}

/* ---- members ------------------------------------------------------------------------------- */

static int connect_to(int port, size_t no)
{
    int on = 1;
    struct sockaddr_in from = {.sin_family = AF_INET}, to = from;
    from.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1 + (uint32_t)(no % SOURCES));
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    to.sin_port = htons((uint16_t)port);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        die("socket: %s", strerror(errno));
    setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
    if (bind(fd, (struct sockaddr *)&from, sizeof from) != 0)
        die("bind: %s", strerror(errno));
    if (connect(fd, (struct sockaddr *)&to, sizeof to) != 0 && errno != EINPROGRESS)
        die("connect: %s", strerror(errno));
    return fd;
}

size_t swarm_open(struct swarm *s)
{
    struct member *m = NEW(struct member);
    m->no = s->n;
    m->fd = connect_to(s->port, s->n);
    m->connecting = m->wants_out = true;
    struct epoll_event ev = {.events = EPOLLIN | EPOLLOUT, .data.ptr = m};
    if (epoll_ctl(s->epfd, EPOLL_CTL_ADD, m->fd, &ev) != 0)
        die("epoll_ctl: %s", strerror(errno));
    if (s->n == s->cap) {
        s->cap = s->cap ? s->cap * 2 : 1024;
        s->members = xrealloc(s->members, s->cap * sizeof *s->members);
    }
    s->members[s->n] = m;
    s->open++;
    return s->n++;
}

void swarm_close(struct swarm *s, size_t member)
{
    struct member *m = s->members[member];
    close(m->fd);
    for (size_t i = 0; i < m->views.n; i++) {
        bag_fini(&m->views.v[i]->rows);
        free(m->views.v[i]);
    }
    VEC_FREE(m->views);
    buf_fini(&m->half);
    buf_fini(&m->out);
    free(m);
    s->members[member] = NULL;
    s->open--;
}

void swarm_send(struct swarm *s, size_t member, const char *fmt, ...)
{
    struct member *m = s->members[member];
    char text[512];
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    if (n < 0 || (size_t)n >= sizeof text)
        die("too long a request");
    buf_add(&m->out, text, (size_t)n);
    buf_addc(&m->out, '\n');
    want_out(s, m, true);
}

struct view *swarm_keep(struct swarm *s, size_t member, const char *id, const char *sql,
                        size_t ncols)
{
    struct view *v = NEW(struct view);
    snprintf(v->id, sizeof v->id, "%s", id);
    v->ncols = ncols;
    bag_init(&v->rows);
    VEC_PUSH(s->members[member]->views, v);
    swarm_send(s, member, "SUBSCRIBE %s %s", id, sql);
    return v;
}

struct swarm *swarm_new(int port)
{
    struct swarm *s = NEW(struct swarm);
    struct rlimit rl;
    getrlimit(RLIMIT_NOFILE, &rl);
    rl.rlim_cur = rl.rlim_max;
    setrlimit(RLIMIT_NOFILE, &rl);
    s->port = port;
    s->epfd = epoll_create1(EPOLL_CLOEXEC);
    s->input = xmalloc(INPUT);
    return s;
}

void swarm_free(struct swarm *s)
{
    for (size_t i = 0; i < s->n; i++)
        if (s->members[i])
            swarm_close(s, i);
    close(s->epfd);
    free(s->members);
    free(s->input);
    free(s);
}
