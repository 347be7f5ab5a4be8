/*
 * What any client can send: bytes in pieces of any size → lines → requests.
 *
 * Byte 0 chooses the limit of a line, byte 1 the sizes of the pieces; the rest is the stream.
 * Laws:
 *
 * * the lines don't depend on how the bytes were cut into pieces, and are what the plain reading of
 *   line.h's rules gives; never more than the limit and one piece is held;
 * * a request that is refused has an error that is one line of the protocol, whatever was in it;
 * * a request that was understood, written in the JSON form, is understood as the same.
 */
#include <jansson.h>

#include "protocol/json.h"
#include "protocol/line.h"
#include "protocol/reply.h"
#include "protocol/request.h"
#include "protocol/utf8.h"
#include "tests/fuzzers/input.h"

#define PIECE_MAX 64

/* ------------------------------------------------------------ requests */

/* One line of valid UTF-8 that ends in a JSON object. */
static void must_be_reply(const struct buf *b, const char *sqlstate)
{
    json_error_t why;
    must(b->len && b->data[b->len - 1] == '\n');
    must(!memchr(b->data, '\n', b->len - 1) && !memchr(b->data, '\0', b->len));
    must_say(utf8_valid(b->data, b->len), "%.*s", (int)b->len, b->data);
    const char *brace = memchr(b->data, '{', b->len);
    must_say(brace, "%.*s", (int)b->len, b->data);
    json_t *object = json_loadb(brace, b->len - (size_t)(brace - b->data), 0, &why);
    must_say(object, "%.*s: %s", (int)b->len, b->data, why.text);
    json_decref(object);
    must(strlen(sqlstate) == 5);
}

static void look_at_error(const struct request *r, const struct err *e)
{
    struct buf b;
    buf_init(&b);
    must(err_is_set(e));
    reply_error(&b, r->id, e);
    must_be_reply(&b, e->sqlstate);
    buf_fini(&b);
}

static void write_params(struct json *j, const struct request *r)
{
    json_open(j, "params", '[');
    for (size_t i = 0; i < r->nparams; i++)
        json_str(j, NULL, r->params[i].null ? NULL : r->params[i].text);
    json_close(j);
}

/* One ';' at the end is taken off again. */
static void write_sql(struct json *j, const char *sql)
{
    struct buf b;
    buf_init(&b);
    buf_adds(&b, sql);
    buf_addc(&b, ';');
    json_str(j, "sql", buf_cstr(&b));
    buf_fini(&b);
}

/* json_lsn() writes 0/0 as null. */
static void write_lsn(struct json *j, const char *key, lsn_t lsn)
{
    char text[LSN_TEXT_MAX];
    lsn_print(lsn, text);
    json_str(j, key, text);
}

/* The JSON form of what was understood. */
static void write_json(const struct request *r, struct buf *b)
{
    static const char *const modes[] = {"off", "each"};
    struct json j = json_begin(b);
    json_open(&j, NULL, '{');
    json_str(&j, "op", verb_name(r->verb));
    if (r->id)
        json_str(&j, "id", r->id);
    if (r->sql)
        write_sql(&j, r->sql);
    if (r->nparams)
        write_params(&j, r);
    if (r->word)
        json_str(&j, "word", r->word);
    if (r->has_lsn)
        write_lsn(&j, "lsn", r->lsn);
    if (r->has_since)
        write_lsn(&j, "since", r->since);
    if (r->min_interval_ms)
        json_uint(&j, "min_interval_ms", r->min_interval_ms);
    if (r->verb == VERB_MARKS)
        json_str(&j, "mode", r->on ? "on" : "off");
    if (r->verb == VERB_PROGRESS && r->mode == PROGRESS_EVERY)
        json_uint(&j, "mode", r->every_ms);
    else if (r->verb == VERB_PROGRESS)
        json_str(&j, "mode", modes[r->mode]);
    json_close(&j);
}

static bool same_text(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

static void must_be_same(const struct request *a, const struct request *b)
{
    must(a->verb == b->verb && same_text(a->id, b->id) && same_text(a->word, b->word));
    must(a->sql_len == b->sql_len && same_text(a->sql, b->sql));
    must(a->has_lsn == b->has_lsn && a->lsn == b->lsn);
    must(a->has_since == b->has_since && a->since == b->since);
    must(a->min_interval_ms == b->min_interval_ms && a->on == b->on);
    must(a->mode == b->mode && (a->mode != PROGRESS_EVERY || a->every_ms == b->every_ms));
    must(a->nparams == b->nparams);
    for (size_t i = 0; i < a->nparams; i++) {
        must(a->params[i].null == b->params[i].null);
        must(same_text(a->params[i].text, b->params[i].text));
        must(a->params[i].null || strlen(a->params[i].text) == a->params[i].len);
    }
}

static void say_again(const struct request *r)
{
    struct arena a;
    struct buf b;
    struct request again;
    struct err err;
    arena_init(&a);
    buf_init(&b);
    write_json(r, &b);
    bool ok = request_parse(b.data, b.len, &a, &again, &err);
    must_say(ok, "%.*s: %s", (int)b.len, b.data, err.message);
    must_be_same(r, &again);
    buf_fini(&b);
    arena_fini(&a);
}

static void look_at_line(const char *line, size_t len)
{
    struct arena a;
    struct request r;
    struct err err;
    char *copy = exact_copy(line, len);
    arena_init(&a);
    err_clear(&err);
    if (request_parse(copy, len, &a, &r, &err)) {
        must(!r.id || (*r.id && strlen(r.id) <= REQUEST_ID_MAX));
        must(!r.sql || (r.sql_len && strlen(r.sql) == r.sql_len));
        if (r.verb != VERB_AUTH)
            say_again(&r);
    } else {
        look_at_error(&r, &err);
    }
    must_say(a.bytes <= 8192 + 64 * len, "%zu bytes for a line of %zu", a.bytes, len);
    arena_fini(&a);
    free(copy);
}

/* ------------------------------------------------------------ lines */

/* What line_next() is to give, one entry a line: "=text" or "!", each with a \n. */
static void add_line(size_t limit, const uint8_t *p, const uint8_t *end, struct buf *out)
{
    size_t len = (size_t)(end - p);
    bool too_long = len > limit + 1 || (len == limit + 1 && end[-1] != '\r');
    if (!too_long && len && end[-1] == '\r')
        len--;
    if (!len)
        return;
    if (too_long || memchr(p, '\0', len) || !utf8_valid((const char *)p, len)) {
        buf_adds(out, "!\n");
        return;
    }
    buf_addc(out, '=');
    buf_add(out, p, len);
    buf_addc(out, '\n');
}

static void expect_lines(const struct input *stream, size_t limit, struct buf *out)
{
    const uint8_t *p = stream->p;
    while (p < stream->end) {
        const uint8_t *end = memchr(p, '\n', (size_t)(stream->end - p));
        if (!end) {
            /* A half line is reported as soon as it can't become a good one. */
            if ((size_t)(stream->end - p) > limit + 1)
                buf_adds(out, "!\n");
            return;
        }
        add_line(limit, p, end, out);
        p = end + 1;
    }
}

static void take_lines(struct line_splitter *s, struct buf *out)
{
    const char *line;
    size_t len;
    struct err err;
    enum line_result result;
    while ((result = line_next(s, &line, &len, &err)) != LINE_NONE) {
        if (result == LINE_BAD) {
            must(strcmp(err.sqlstate, ERR_PROTOCOL) == 0);
            buf_adds(out, "!\n");
            continue;
        }
        must(len && len <= s->limit);
        buf_addc(out, '=');
        buf_add(out, line, len);
        buf_addc(out, '\n');
        look_at_line(line, len);
    }
}

static void read_stream(struct input in, size_t limit, uint8_t cuts, struct buf *out)
{
    struct line_splitter s;
    line_init(&s, limit);
    for (unsigned step = cuts; in.p < in.end; step = step * 5 + 1) {
        size_t n = cuts ? 1 + step % PIECE_MAX : (size_t)(in.end - in.p);
        size_t left = (size_t)(in.end - in.p);
        n = n < left ? n : left;
        line_feed(&s, (const char *)in.p, n);
        take_lines(&s, out);
        must(line_pending(&s) <= limit + 1);
        if (step % 3 == 0)
            line_trim(&s);
        in.p += n;
    }
    line_fini(&s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const size_t limits[] = {1 << 20, 16, 100, 1};
    struct input in = {data, data + size};
    size_t limit = limits[in_below(&in, 4)];
    uint8_t cuts = in_byte(&in);
    struct buf want, got;
    buf_init(&want);
    buf_init(&got);
    expect_lines(&in, limit, &want);
    read_stream(in, limit, cuts, &got);
    must_say(got.len == want.len && (!got.len || memcmp(got.data, want.data, got.len) == 0),
             "got\n%.*swant\n%.*s", (int)got.len, got.data, (int)want.len, want.data);
    buf_fini(&want);
    buf_fini(&got);
    return 0;
}
