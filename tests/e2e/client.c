/*
 * client: socket, lines, and the views' promises checked as the lines come in. See client.h.
 */
#include "tests/e2e/client.h"

#include <arpa/inet.h>
#include <errno.h>
#include <jansson.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "engine/base/alloc.h"
#include "tests/e2e/cluster.h"

static int64_t now_ms(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

/* ---- lines --------------------------------------------------------------------------------- */

struct client *client_connect_raw(int port)
{
    struct client *c = NEW(struct client);
    struct sockaddr_in sa = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    int one = 1;
    sa.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    c->timeout_ms = 10000;
    if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&sa, sizeof sa) != 0)
        die("connect to port %d: %s", port, strerror(errno));
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return c;
}

struct client *client_connect(int port)
{
    struct client *c = client_connect_raw(port);
    char *hello = client_read_line(c);
    if (!hello || strncmp(hello, "HELLO {", 7) != 0)
        die("no HELLO but: %s", hello ? hello : "end of connection");
    free(hello);
    return c;
}

static void view_free(struct view *v)
{
    free(v->accepted);
    free(v->error);
    free(v->broken);
    bag_fini(&v->rows);
    buf_fini(&v->ordered);
    buf_fini(&v->last_block);
    free(v);
}

void client_close(struct client *c)
{
    if (c->fd >= 0)
        close(c->fd);
    for (size_t i = 0; i < c->views.n; i++)
        view_free(c->views.v[i]);
    VEC_FREE(c->views);
    buf_fini(&c->in);
    free(c);
}

void client_send_bytes(struct client *c, const void *p, size_t len)
{
    const char *s = p;
    while (len) {
        ssize_t n = send(c->fd, s, len, MSG_NOSIGNAL);
        if (n < 0)
            die("send: %s", strerror(errno));
        s += n;
        len -= (size_t)n;
    }
}

void client_send(struct client *c, const char *fmt, ...)
{
    struct buf b;
    va_list ap;
    buf_init(&b);
    va_start(ap, fmt);
    buf_addv(&b, fmt, ap);
    va_end(ap);
    buf_addc(&b, '\n');
    client_send_bytes(c, b.data, b.len);
    buf_fini(&b);
}

static char *take_line(struct client *c)
{
    char *start = c->in.data + c->in_start;
    size_t left = c->in.len - c->in_start;
    char *nl = left ? memchr(start, '\n', left) : NULL;
    if (!nl)
        return NULL;
    c->in_start += (size_t)(nl - start) + 1;
    return xstrndup(start, (size_t)(nl - start));
}

char *client_try_line(struct client *c, int ms, bool *eof)
{
    int64_t end = now_ms() + ms;
    char *line;
    if (eof)
        *eof = false;
    while (!(line = take_line(c))) {
        int64_t left = end - now_ms();
        struct pollfd p = {.fd = c->fd, .events = POLLIN};
        int r = poll(&p, 1, left > 0 ? (int)left : 0);
        if (r == 0 || (r < 0 && errno == EINTR)) /* a signal is the caller's business */
            return NULL;
        buf_consume(&c->in, c->in_start);
        c->in_start = 0;
        char *room = buf_reserve(&c->in, 65536);
        ssize_t n = recv(c->fd, room, 65536, 0);
        if (n <= 0) {
            if (eof)
                *eof = true;
            return NULL;
        }
        c->in.len += (size_t)n;
    }
    return line;
}

char *client_read_line(struct client *c)
{
    bool eof;
    char *line = client_try_line(c, c->timeout_ms, &eof);
    if (!line && !eof)
        die("nothing from the daemon for %d ms", c->timeout_ms);
    return line;
}

/* ---- views --------------------------------------------------------------------------------- */

struct view *client_view(struct client *c, const char *id)
{
    for (size_t i = c->views.n; i-- > 0;)
        if (strcmp(c->views.v[i]->id, id) == 0)
            return c->views.v[i];
    return NULL;
}

static struct view *view_new(struct client *c, const char *id)
{
    struct view *v = NEW(struct view);
    snprintf(v->id, sizeof v->id, "%s", id);
    VEC_PUSH(c->views, v);
    return v;
}

struct view *client_subscribe(struct client *c, const char *id, const char *sql)
{
    struct view *v = view_new(c, id);
    client_send(c, "SUBSCRIBE %s %s", id, sql);
    return v;
}

struct view *client_subscribe_with(struct client *c, const char *id, const char *sql,
                                   const char *members)
{
    struct view *v = view_new(c, id);
    json_t *o = json_pack("{s:s, s:s, s:s}", "op", "subscribe", "id", id, "sql", sql);
    char *text = json_dumps(o, JSON_COMPACT);
    text[strlen(text) - 1] = '\0';
    client_send(c, "%s%s%s}", text, members ? "," : "", members ? members : "");
    free(text);
    json_decref(o);
    return v;
}

struct view *client_subscribe_json(struct client *c, const char *id, const char *sql,
                                   const char *params)
{
    struct buf b;
    buf_init(&b);
    buf_addf(&b, "\"params\":%s", params ? params : "null");
    struct view *v = client_subscribe_with(c, id, sql, buf_cstr(&b));
    buf_fini(&b);
    return v;
}

static void copy_rows(struct bag *to, const struct bag *from)
{
    struct bag_cursor cursor = {0};
    const struct bag_entry *e;
    while ((e = bag_next(from, &cursor)))
        bag_add(to, e->bytes, e->len, e->weight);
}

struct view *client_resume(struct client *c, const char *id, const char *sql,
                           const struct view *held, lsn_t since)
{
    char text[LSN_TEXT_MAX], members[64];
    lsn_print(since, text);
    snprintf(members, sizeof members, "\"since\":\"%s\"", text);
    struct view *v = client_subscribe_with(c, id, sql, members);
    copy_rows(&v->rows, &held->rows);
    v->ncols = held->ncols;
    v->has_snapshot = true;
    return v;
}

static size_t count_columns(const char *accepted)
{
    json_t *o = json_loads(accepted, 0, NULL);
    size_t n = json_array_size(json_object_get(o, "columns"));
    json_decref(o);
    return n;
}

static void broken(struct client *c, struct view *v, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static void broken(struct client *c, struct view *v, const char *fmt, ...)
{
    struct buf b;
    size_t len;
    va_list ap;
    buf_init(&b);
    va_start(ap, fmt);
    buf_addv(&b, fmt, ap);
    va_end(ap);
    if (!c->tolerant)
        die("%s: %s", v->id, buf_cstr(&b));
    buf_addc(&b, '\0');
    if (v->broken)
        buf_fini(&b);
    else
        v->broken = buf_take(&b, &len);
}

static void must_grow(struct client *c, struct view *v, lsn_t lsn, bool may_be_equal)
{
    if (lsn < v->lsn || (lsn == v->lsn && !may_be_equal))
        broken(c, v, "LSN went from %llX to %llX", (unsigned long long)v->lsn,
               (unsigned long long)lsn);
    v->lsn = lsn;
}

static void apply_row(struct client *c, struct view *v, struct bag *block, const char *line,
                      bool *asserts_began)
{
    if ((line[0] != '+' && line[0] != '-') || line[1] != ' ')
        die("%s: a row was expected, not: %s", v->id, line);
    int weight = line[0] == '+' ? 1 : -1;
    if (weight > 0)
        *asserts_began = true;
    else if (*asserts_began)
        broken(c, v, "a retract after an assert: %s", line);
    size_t len = strlen(line + 2);
    int64_t before = bag_weight(block, line + 2, len);
    if (before && (before > 0) != (weight > 0))
        broken(c, v, "a row on both sides: %s", line);
    bag_add(block, line + 2, len, weight);
    if (bag_weight(&v->rows, line + 2, len) + weight < 0)
        broken(c, v, "retracts what isn't there: %s", line);
    else
        bag_add(&v->rows, line + 2, len, weight);
}

static void read_block(struct client *c, struct view *v, size_t n, bool snapshot)
{
    struct bag block;
    bool asserts = false;
    bag_init(&block);
    buf_reset(&v->ordered);
    buf_reset(&v->last_block);
    v->last_retracts = v->last_asserts = 0;
    if (snapshot)
        bag_clear(&v->rows);
    for (size_t i = 0; i < n; i++) {
        char *line = client_read_line(c);
        if (!line)
            die("%s: the connection ended inside a block", v->id);
        apply_row(c, v, &block, line, &asserts);
        *(line[0] == '+' ? &v->last_asserts : &v->last_retracts) += 1;
        struct buf *keep = snapshot ? &v->ordered : &v->last_block;
        buf_adds(keep, snapshot ? line + 2 : line);
        buf_addc(keep, '\n');
        free(line);
    }
    if (snapshot && v->last_retracts)
        die("%s: a retract in a SNAPSHOT", v->id);
    bag_fini(&block);
}

static void apply_block(struct client *c, struct view *v, const char *lsn_text, const char *count,
                        bool snapshot)
{
    lsn_t lsn;
    if (!lsn_parse(lsn_text, strlen(lsn_text), &lsn))
        die("%s: bad LSN %s", v->id, lsn_text);
    if (!snapshot && !v->has_snapshot)
        die("%s: a DELTA before the SNAPSHOT", v->id);
    must_grow(c, v, lsn, snapshot && v->resyncs > 0);
    read_block(c, v, (size_t)strtoull(count, NULL, 10), snapshot);
    bool recovered = v->failed; /* told even if nothing differs */
    v->failed = false;
    if (snapshot) {
        v->has_snapshot = true;
        v->snapshots++;
    } else {
        if (v->last_asserts + v->last_retracts == 0 && !recovered)
            broken(c, v, "an empty DELTA");
        v->deltas++;
    }
}

static void note_error(struct view *v, const char *json, bool failed)
{
    free(v->error);
    v->error = xstrdup(json);
    v->failed = failed;
    if (!failed)
        v->released = true;
}

static bool apply_to_view(struct client *c, const char *keyword, char *id, char *rest)
{
    struct view *v = client_view(c, id);
    char *save = NULL;
    if (!v)
        return false;
    if (v->released)
        die("a line for %s after its release: %s", id, keyword);
    if (strcmp(keyword, "ACCEPTED") == 0) {
        free(v->accepted);
        v->accepted = xstrdup(rest);
        v->ncols = count_columns(rest);
        v->accepts++;
    } else if (strcmp(keyword, "SNAPSHOT") == 0 || strcmp(keyword, "DELTA") == 0) {
        char *lsn = strtok_r(rest, " ", &save), *n = strtok_r(NULL, " ", &save);
        if (!lsn || !n)
            die("bad header for %s", id);
        apply_block(c, v, lsn, n, keyword[0] == 'S');
    } else if (strcmp(keyword, "RESYNC") == 0) {
        v->resyncs++;
        snprintf(v->reason, sizeof v->reason, "%s", rest);
        if (strcmp(rest, "timeline") == 0) /* LSNs begin anew */
            v->lsn = c->progress = 0;
    } else if (strcmp(keyword, "FAILED") == 0) {
        note_error(v, rest, true);
    } else if (strcmp(keyword, "ERROR") == 0) {
        note_error(v, rest, false);
    } else if (strcmp(keyword, "RELEASED") == 0) {
        v->released = true;
    } else {
        return false;
    }
    if (c->after_event)
        c->after_event(c, v, c->after_arg);
    return true;
}

bool client_apply(struct client *c, char *line)
{
    char *save = NULL, copy[128];
    if (strncmp(line, "PROGRESS ", 9) == 0) {
        lsn_t lsn;
        if (!lsn_parse(line + 9, strlen(line + 9), &lsn) || lsn < c->progress)
            die("bad progress: %s (after %llX)", line, (unsigned long long)c->progress);
        c->progress = lsn;
        c->nprogress++;
        free(line);
        return true;
    }
    snprintf(copy, sizeof copy, "%s", line);
    char *keyword = strtok_r(copy, " ", &save), *id = strtok_r(NULL, " ", &save);
    if (!keyword || !id)
        return false;
    size_t skip = strlen(keyword) + 1 + strlen(id);
    char *rest = line + skip + (line[skip] == ' ');
    if (!apply_to_view(c, keyword, id, rest))
        return false;
    free(line);
    return true;
}

char *client_expect_prefix(struct client *c, const char *prefix)
{
    for (;;) {
        char *line = client_read_line(c);
        if (!line)
            die("the connection ended; expected %s", prefix);
        if (strncmp(line, prefix, strlen(prefix)) == 0)
            return line;
        if (!client_apply(c, line))
            die("expected %s…, got: %s", prefix, line);
    }
}

static void read_one(struct client *c, const char *waiting_for)
{
    char *line = client_read_line(c);
    if (!line)
        die("the connection ended while waiting for %s", waiting_for);
    if (!client_apply(c, line))
        die("unexpected line while waiting for %s: %s", waiting_for, line);
}

void client_wait_snapshot(struct client *c, struct view *v)
{
    while (!v->has_snapshot && !v->error)
        read_one(c, "a snapshot");
}

struct view *client_live(struct client *c, const char *id, const char *sql)
{
    struct view *v = client_subscribe(c, id, sql);
    client_wait_snapshot(c, v);
    if (v->error)
        die("%s: %s", sql, v->error);
    return v;
}

void client_wait_deltas(struct client *c, struct view *v, unsigned deltas)
{
    while (v->deltas < deltas)
        read_one(c, "a delta");
}

lsn_t client_sync(struct client *c)
{
    lsn_t lsn = 0;
    client_send(c, "SYNC");
    char *line = client_expect_prefix(c, "SYNCED ");
    if (!lsn_parse(line + 7, strlen(line + 7), &lsn))
        die("bad %s", line);
    free(line);
    return lsn;
}

void client_drain(struct client *c, int ms)
{
    int64_t end = now_ms() + ms;
    while (now_ms() < end) {
        char *line = client_try_line(c, (int)(end - now_ms()), NULL);
        if (line && !client_apply(c, line))
            die("unexpected line: %s", line);
    }
}

uint64_t client_status(struct client *c, const char *member)
{
    char key[64];
    client_send(c, "STATUS");
    char *line = client_expect_prefix(c, "STATUS ");
    snprintf(key, sizeof key, "\"%s\":", member);
    const char *at = strstr(line, key);
    if (!at)
        die("no %s in %s", member, line);
    uint64_t n = strtoull(at + strlen(key), NULL, 10);
    free(line);
    return n;
}
