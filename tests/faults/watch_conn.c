/*
 * watch_conn: one client's connection: its socket, what it asks for, what it does next. Part of the
 * watch. Nothing here waits.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "engine/base/alloc.h"
#include "tests/faults/watch_int.h"

#define READ_MAX  65536
#define SLOW_READ 1500 /* bytes at a time */
#define CHURN_IDS 8

/* ---- what it wants ------------------------------------------------------------------------- */

static const struct statement *any_statement(struct watch *w, bool bank)
{
    bool only = bank || w->bank_only;
    return &statements[rng_below(&w->rng, (unsigned)(only ? nbank_statements : nstatements))];
}

static void want(struct wclient *c, const struct statement *st)
{
    for (size_t i = 0; i < c->wants.n; i++)
        if (c->wants.v[i].st == st)
            return;
    VEC_PUSH(c->wants, ((struct want){.st = st}));
}

/* The bank's halves and its writers, and whatever else. */
static void want_bank(struct wclient *c)
{
    for (size_t i = 0; i < nbank_statements; i++)
        if (statements[i].money > MONEY_TOTAL || rng_chance(&c->w->rng, 40))
            want(c, &statements[i]);
}

struct wclient *wclient_new(struct watch *w, enum client_kind kind, bool proxied)
{
    struct wclient *c = NEW(struct wclient);
    c->w = w;
    c->no = w->next_no++;
    c->kind = kind;
    c->proxied = proxied;
    c->fd = -1;
    if (kind == CLIENT_BANK)
        want_bank(c);
    for (int n = rng_between(&w->rng, 2, 7); n > 0; n--)
        want(c, any_statement(w, kind == CLIENT_BANK));
    VEC_PUSH(w->clients, c);
    return c;
}

static void unwant(struct wclient *c, size_t i)
{
    wsub_free(c->wants.v[i].kept);
    c->wants.v[i] = c->wants.v[--c->wants.n];
}

/* ---- connecting ---------------------------------------------------------------------------- */

static void connect_now(struct wclient *c)
{
    struct sockaddr_in sa = {.sin_family = AF_INET};
    int one = 1, small = 4096;
    int port = c->proxied ? net_port(c->w->world->client_net) : atomic_load(&c->w->world->port);
    sa.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    sa.sin_port = htons((uint16_t)port);
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (c->kind == CLIENT_SLOW) /* or the kernel's buffers hide how slow it is */
        setsockopt(c->fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    c->connect_at = now_ms() + 50;
    if (connect(c->fd, (struct sockaddr *)&sa, sizeof sa) != 0 && errno != EINPROGRESS) {
        close(c->fd);
        c->fd = -1;
        return;
    }
    c->w->counts.connections++;
    c->greeted = c->syncing = c->told_end = false;
    c->progress = 0;
    if (c->kind == CLIENT_EACH || c->kind == CLIENT_BANK)
        wclient_send(c, "PROGRESS each");
    else if (rng_chance(&c->w->rng, 30))
        wclient_send(c, "PROGRESS 20");
}

/* What it holds at the end of a connection it may go on from. */
static void keep_views(struct wclient *c)
{
    for (size_t i = 0; i < c->wants.n; i++) {
        struct want *w = &c->wants.v[i];
        struct wsub *s = w->sub;
        if (!s || !s->live || s->failed || s->resync || s == c->block.sub ||
            rng_chance(&c->w->rng, 30))
            continue;
        wsub_free(w->kept);
        w->kept = s;
        w->sub = NULL;
        wclient_forget_sub(c, s);
    }
}

void wclient_disconnect(struct wclient *c)
{
    keep_views(c);
    if (c->fd >= 0)
        close(c->fd);
    c->fd = -1;
    c->greeted = c->syncing = c->synced = false;
    c->block.sub = NULL;
    buf_reset(&c->in);
    buf_reset(&c->out);
    while (c->subs.n)
        wclient_drop_sub(c, c->subs.v[0]);
    for (size_t i = 0; i < c->wants.n; i++)
        c->wants.v[i].refusals = 0;
}

void wclient_lost(struct wclient *c, const char *how)
{
    c->w->counts.disconnects++;
    if (!c->w->allowed.disconnects && c->greeted)
        wclient_wrong(c, NULL, "disconnected: %s", how);
    wclient_disconnect(c);
    c->connect_at = now_ms() + 50;
}

void wclient_free(struct wclient *c)
{
    wclient_disconnect(c);
    while (c->wants.n)
        unwant(c, 0);
    VEC_FREE(c->wants);
    VEC_FREE(c->subs);
    buf_fini(&c->in);
    buf_fini(&c->out);
    buf_fini(&c->block.lines);
    free(c);
}

/* ---- asking -------------------------------------------------------------------------------- */

void wclient_send(struct wclient *c, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    buf_addv(&c->out, fmt, ap);
    va_end(ap);
    buf_addc(&c->out, '\n');
}

static bool id_is_free(const struct wclient *c, const char *id)
{
    for (size_t i = 0; i < c->subs.n; i++)
        if (strcmp(c->subs.v[i]->id, id) == 0)
            return false;
    return true;
}

/* A churner takes ids again as soon as they are free. */
static void choose_id(struct wclient *c, char *id, size_t size)
{
    if (c->kind == CLIENT_CHURN)
        for (int i = 0; i < CHURN_IDS; i++) {
            snprintf(id, size, "again-%d", i);
            if (id_is_free(c, id))
                return;
        }
    snprintf(id, size, "s%u", c->next_id++);
}

static void go_on(struct wclient *c, struct want *want, const char *id)
{
    char lsn[LSN_TEXT_MAX];
    struct wsub *s = want->sub = want->kept;
    want->kept = NULL;
    snprintf(s->id, sizeof s->id, "%s", id);
    s->accepted = s->live = s->in_sync = s->verifying = s->at_progress = s->releasing = false;
    s->resuming = true;
    lsn_print(s->lsn, lsn);
    buf_addf(&s->story, "    since %s\n", lsn);
    VEC_PUSH(c->subs, s);
    wclient_send(c, "{\"op\":\"subscribe\",\"id\":\"%s\",\"sql\":\"%s\",\"since\":\"%s\"}", id,
                 want->st->sql, lsn); /* no statement has anything to escape */
}

static void ask(struct wclient *c, struct want *want)
{
    char id[24];
    choose_id(c, id, sizeof id);
    if (want->kept) {
        go_on(c, want, id);
        return;
    }
    want->sub = wsub_new(c, want->st, id);
    wclient_send(c, "SUBSCRIBE %s %s", id, want->st->sql);
}

static void ask_what_is_missing(struct wclient *c, uint64_t now)
{
    for (size_t i = 0; i < c->wants.n; i++)
        if (!c->wants.v[i].sub && now >= c->wants.v[i].retry_at)
            ask(c, &c->wants.v[i]);
}

static void release(struct wclient *c, size_t i)
{
    struct wsub *s = c->wants.v[i].sub;
    if (s) {
        s->releasing = true;
        wclient_send(c, "RELEASE %s", s->id);
    }
    unwant(c, i);
}

static void query(struct wclient *c)
{
    char id[24];
    choose_id(c, id, sizeof id);
    struct wsub *s = wsub_new(c, any_statement(c->w, false), id);
    s->once = true;
    wclient_send(c, "QUERY %s %s", id, s->st->sql);
}

static void churn(struct wclient *c)
{
    struct rng *r = &c->w->rng;
    unsigned dice = rng_below(r, 100);
    if (dice < 3)
        wclient_disconnect(c);
    else if (dice < 40 && c->wants.n < 8)
        want(c, any_statement(c->w, false));
    else if (dice < 75 && c->wants.n)
        release(c, rng_below(r, (unsigned)c->wants.n));
    else
        query(c);
}

static void sync_now(struct wclient *c)
{
    for (unsigned i = 0; i < WRITERS; i++)
        c->expected[i] = work_written(i);
    for (size_t i = 0; i < c->subs.n; i++)
        c->subs.v[i]->in_sync = c->subs.v[i]->accepted;
    c->syncing = true;
    c->settling = false;
    wclient_send(c, "SYNC");
}

static void verify(struct wclient *c)
{
    struct wsub *s = c->subs.n ? c->subs.v[rng_below(&c->w->rng, (unsigned)c->subs.n)] : NULL;
    if (!s || !s->live || s->verifying || s->releasing || s->once)
        return;
    s->verifying = true;
    memcpy(c->asked_about[c->nverifies++ % VERIFIES], s->id, sizeof s->id);
    wclient_send(c, "VERIFY %s", s->id);
}

static void act(struct wclient *c, uint64_t now)
{
    struct rng *r = &c->w->rng;
    ask_what_is_missing(c, now);
    if (c->w->settling) {
        if (!c->synced && !c->syncing && now >= c->sync_at && wclient_is_ready(c)) {
            sync_now(c);
            c->settling = true;
        }
        return;
    }
    if (c->kind == CLIENT_CHURN && now >= c->act_at) {
        c->act_at = now + (uint64_t)rng_between(r, 5, 80);
        churn(c);
    }
    if (now >= c->verify_at) {
        c->verify_at = now + (uint64_t)rng_between(r, 100, 2000);
        verify(c);
    }
    if (c->kind == CLIENT_BANK && !c->syncing && now >= c->sync_at) {
        c->sync_at = now + (uint64_t)rng_between(r, 5, 150);
        sync_now(c);
    }
}

bool wclient_is_ready(const struct wclient *c)
{
    if (!c->greeted)
        return false;
    for (size_t i = 0; i < c->wants.n; i++) {
        const struct want *w = &c->wants.v[i];
        const struct wsub *s = w->sub;
        bool there = s && !s->resync && (s->live || s->failed || (s->resuming && s->accepted));
        if (!there && w->refusals < 3)
            return false;
    }
    for (size_t i = 0; i < c->subs.n; i++)
        if (c->subs.v[i]->once || c->subs.v[i]->releasing || c->subs.v[i]->verifying)
            return false;
    return true;
}

/* ---- bytes --------------------------------------------------------------------------------- */

void wclient_prepare(struct wclient *c, struct pollfd *p, uint64_t now)
{
    if (c->fd < 0 && now >= c->connect_at)
        connect_now(c);
    if (c->greeted)
        act(c, now);
    *p = (struct pollfd){.fd = c->fd};
    if (c->w->settling || now >= c->read_at)
        p->events |= POLLIN;
    if (c->out.len)
        p->events |= POLLOUT;
}

static void take_lines(struct wclient *c)
{
    size_t start = 0;
    char *nl;
    while (c->in.len > start && (nl = memchr(c->in.data + start, '\n', c->in.len - start))) {
        char *line = c->in.data + start;
        start += (size_t)(nl - line) + 1;
        wclient_line(c, line, (size_t)(nl - line));
    }
    buf_consume(&c->in, start);
}

static void receive(struct wclient *c, uint64_t now)
{
    bool slow = c->kind == CLIENT_SLOW && !c->w->settling;
    char *room = buf_reserve(&c->in, READ_MAX);
    ssize_t n = recv(c->fd, room, slow ? SLOW_READ : READ_MAX, 0);
    if (slow)
        c->read_at = now + (uint64_t)rng_between(&c->w->rng, 1, 60);
    if (n > 0) {
        c->in.len += (size_t)n;
        take_lines(c);
    } else if (n == 0) {
        wclient_lost(c, "closed by the daemon");
    } else if (errno != EAGAIN && errno != EINTR) {
        wclient_lost(c, strerror(errno));
    }
}

void wclient_serve(struct wclient *c, const struct pollfd *p, uint64_t now)
{
    if (c->fd < 0 || p->fd != c->fd)
        return;
    if (c->out.len && (p->revents & POLLOUT)) {
        ssize_t n = send(c->fd, c->out.data, c->out.len, MSG_NOSIGNAL);
        if (n > 0)
            buf_consume(&c->out, (size_t)n);
    }
    if (p->revents & (POLLIN | POLLERR | POLLHUP))
        receive(c, now);
}
