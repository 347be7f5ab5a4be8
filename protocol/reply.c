/*
 * reply: the writers of reply.h, one function a line of the protocol.
 */
#include "protocol/reply.h"

#include <assert.h>

#include "protocol/json.h"
#include "protocol/request.h"

static void add_lsn(struct buf *b, lsn_t lsn)
{
    char text[LSN_TEXT_MAX];
    int len = lsn_print(lsn, text);
    buf_add(b, text, (size_t)len);
}

static void add_word_id(struct buf *b, const char *word, const char *id)
{
    buf_adds(b, word);
    buf_addc(b, ' ');
    buf_adds(b, id);
}

void reply_hello(struct buf *b, const char *server_version)
{
    buf_adds(b, "HELLO ");
    struct json j = json_begin(b);
    json_open(&j, NULL, '{');
    json_str(&j, "server", "palimpsestd");
    json_str(&j, "version", server_version);
    json_int(&j, "protocol", PROTOCOL_VERSION);
    json_close(&j);
    buf_addc(b, '\n');
}

void reply_accepted(struct buf *b, const char *id, const char *plan, const char *reason,
                    const struct reply_column *columns, size_t ncolumns,
                    const struct reply_order *order, size_t norder)
{
    add_word_id(b, "ACCEPTED", id);
    buf_addc(b, ' ');
    struct json j = json_begin(b);
    json_open(&j, NULL, '{');
    json_str(&j, "plan", plan);
    json_str(&j, "mode", reason ? "rerun" : "incremental");
    if (reason)
        json_str(&j, "reason", reason);
    json_open(&j, "columns", '[');
    for (size_t i = 0; i < ncolumns; i++) {
        json_open(&j, NULL, '{');
        json_str(&j, "name", columns[i].name);
        json_str(&j, "type", columns[i].type);
        json_close(&j);
    }
    json_close(&j);
    json_open(&j, "order", '[');
    for (size_t i = 0; i < norder; i++) {
        json_open(&j, NULL, '{');
        json_str(&j, "column", order[i].column);
        json_bool(&j, "desc", order[i].desc);
        json_bool(&j, "nulls_first", order[i].nulls_first);
        json_close(&j);
    }
    json_close(&j);
    json_close(&j);
    buf_addc(b, '\n');
}

void reply_delta_rest(struct buf *b, lsn_t lsn, uint64_t n)
{
    buf_addc(b, ' ');
    add_lsn(b, lsn);
    buf_addc(b, ' ');
    buf_add_i64(b, (int64_t)n);
    buf_addc(b, '\n');
}

void reply_delta_id(struct buf *b, const char *id, size_t id_len)
{
    buf_add(b, "DELTA ", 6);
    buf_add(b, id, id_len);
}

static void add_header(struct buf *b, const char *word, const char *id, lsn_t lsn, uint64_t n)
{
    add_word_id(b, word, id);
    reply_delta_rest(b, lsn, n);
}

void reply_snapshot(struct buf *b, const char *id, lsn_t lsn, uint64_t n)
{
    add_header(b, "SNAPSHOT", id, lsn, n);
}

void reply_delta(struct buf *b, const char *id, lsn_t lsn, uint64_t n)
{
    add_header(b, "DELTA", id, lsn, n);
}

static void add_word_lsn(struct buf *b, const char *word, lsn_t lsn)
{
    buf_adds(b, word);
    buf_addc(b, ' ');
    add_lsn(b, lsn);
    buf_addc(b, '\n');
}

void reply_progress(struct buf *b, lsn_t lsn)
{
    add_word_lsn(b, "PROGRESS", lsn);
}

void reply_synced(struct buf *b, lsn_t lsn)
{
    add_word_lsn(b, "SYNCED", lsn);
}

void reply_mark(struct buf *b, lsn_t lsn, const char *token, size_t len)
{
    char text[LSN_TEXT_MAX];
    lsn_print(lsn, text);
    buf_addf(b, "MARK %s ", text);
    buf_add(b, token, len);
    buf_addc(b, '\n');
}

void reply_released(struct buf *b, const char *id)
{
    add_word_id(b, "RELEASED", id);
    buf_addc(b, '\n');
}

void reply_pong(struct buf *b, const char *word)
{
    buf_adds(b, "PONG");
    if (word) {
        buf_addc(b, ' ');
        buf_adds(b, word);
    }
    buf_addc(b, '\n');
}

void reply_bye(struct buf *b)
{
    buf_adds(b, "BYE\n");
}

void reply_resync(struct buf *b, const char *id, enum resync_reason reason)
{
    static const char *const words[] = {
        [RESYNC_SLOW_CONSUMER] = "slow_consumer", [RESYNC_SCHEMA_CHANGED] = "schema_changed",
        [RESYNC_SINCE_TOO_OLD] = "since_too_old", [RESYNC_DIVERGED] = "diverged",
        [RESYNC_TIMELINE] = "timeline",
    };
    add_word_id(b, "RESYNC", id);
    buf_addc(b, ' ');
    buf_adds(b, words[reason]);
    buf_addc(b, '\n');
}

void reply_verified(struct buf *b, const char *id, lsn_t lsn, uint64_t rows)
{
    add_word_id(b, "VERIFIED", id);
    buf_addc(b, ' ');
    add_lsn(b, lsn);
    buf_addf(b, " %llu\n", (unsigned long long)rows);
}

void reply_diverged(struct buf *b, const char *id, lsn_t lsn, const struct reply_diverged *d)
{
    add_word_id(b, "DIVERGED", id);
    buf_addc(b, ' ');
    add_lsn(b, lsn);
    buf_addc(b, ' ');
    struct json j = json_begin(b);
    json_open(&j, NULL, '{');
    json_uint(&j, "missing", d->missing);
    json_uint(&j, "extra", d->extra);
    if (d->missing_rows)
        json_raw(&j, "missing_rows", d->missing_rows);
    if (d->extra_rows)
        json_raw(&j, "extra_rows", d->extra_rows);
    if (d->plan_error[0])
        json_str(&j, "plan_error", d->plan_error);
    if (d->postgres_error[0])
        json_str(&j, "postgres_error", d->postgres_error);
    json_close(&j);
    buf_addc(b, '\n');
}

static void add_err_members(struct json *j, const struct err *e)
{
    json_str(j, "message", e->message);
    if (e->position > 0)
        json_int(j, "position", e->position);
    if (e->hint[0])
        json_str(j, "hint", e->hint);
    if (e->detail[0])
        json_str(j, "detail", e->detail);
}

static void add_error(struct buf *b, const char *id, const struct err *e, const char *request)
{
    assert(err_is_set(e));
    add_word_id(b, "ERROR", id ? id : "-");
    buf_addc(b, ' ');
    buf_adds(b, e->sqlstate);
    buf_addc(b, ' ');
    struct json j = json_begin(b);
    json_open(&j, NULL, '{');
    add_err_members(&j, e);
    if (request)
        json_str(&j, "request", request);
    json_close(&j);
    buf_addc(b, '\n');
}

void reply_error(struct buf *b, const char *id, const struct err *e)
{
    add_error(b, id, e, NULL);
}

void reply_unverified(struct buf *b, const char *id, const struct err *e)
{
    add_error(b, id, e, "VERIFY");
}

void reply_failed(struct buf *b, const char *id, lsn_t lsn, const struct err *e)
{
    assert(err_is_set(e));
    add_word_id(b, "FAILED", id);
    buf_addc(b, ' ');
    add_lsn(b, lsn);
    buf_addc(b, ' ');
    struct json j = json_begin(b);
    json_open(&j, NULL, '{');
    json_str(&j, "sqlstate", e->sqlstate);
    add_err_members(&j, e);
    json_close(&j);
    buf_addc(b, '\n');
}

void reply_explain(struct buf *b, const char *id, const char *text, size_t len)
{
    const char *end = text + len;
    int64_t n = 0;
    for (const char *p = text; p < end && (p = memchr(p, '\n', (size_t)(end - p))); p++)
        n++;
    assert(len == 0 || end[-1] == '\n');
    add_word_id(b, "EXPLAIN", id);
    buf_addc(b, ' ');
    buf_add_i64(b, n);
    buf_addc(b, '\n');
    while (text < end) {
        const char *next = (const char *)memchr(text, '\n', (size_t)(end - text)) + 1;
        buf_adds(b, "* ");
        buf_add(b, text, (size_t)(next - text));
        text = next;
    }
}

void reply_help(struct buf *b)
{
    buf_addf(b, "HELP %d\n", VERB_COUNT);
    for (enum verb v = 0; v < VERB_COUNT; v++)
        buf_addf(b, "* %s%s%s: %s\n", verb_name(v), *verb_arguments(v) ? " " : "",
                 verb_arguments(v), verb_help(v));
}

void reply_status(struct buf *b, const char *json, size_t len)
{
    buf_adds(b, "STATUS ");
    buf_add(b, json, len);
    buf_addc(b, '\n');
}

void reply_list(struct buf *b, size_t n)
{
    buf_addf(b, "PLANS %zu\n", n);
}

void reply_list_plan(struct buf *b, const struct reply_plan *p)
{
    buf_adds(b, "* ");
    struct json j = json_begin(b);
    json_open(&j, NULL, '{');
    json_str(&j, "plan", p->plan);
    json_str(&j, "sql", p->sql);
    json_str(&j, "mode", p->mode);
    json_str(&j, "state", p->state);
    json_uint(&j, "subscribers", p->subscribers);
    json_uint(&j, "rows", p->rows);
    json_uint(&j, "bytes", p->bytes);
    json_lsn(&j, "lsn", p->lsn);
    json_close(&j);
    buf_addc(b, '\n');
}
