/*
 * delegate_call: see delegate_call.h.
 *
 * The question about a call f(a, b):
 *
 *     SELECT f(x.a1::integer, x.a2::text) FROM unnest($1::text[], $2::text[])
 *     WITH ORDINALITY AS x(a1, a2, o) ORDER BY x.o
 *
 * Arguments travel as text and are cast back, which for any type goes through its input function,
 * but where the database has a cast of its own from text: then as an array of their type.
 */
#include "engine/expr/delegate_call.h"

#include "engine/base/hash.h"

/* ------------------------------------------------------------ the memo's key */

static bool is_bytes(const struct type *t)
{
    return t->rep == REP_BYTES || t->rep == REP_FIXED16;
}

void delegate_key(const struct expr *e, const struct value *v, struct buf *key)
{
    buf_add(key, e->call->id, sizeof e->call->id);
    for (uint32_t i = 0; i < e->nargs; i++) {
        buf_addc(key, v[i].null);
        if (v[i].null)
            continue;
        if (is_bytes(e->args[i]->ct.type)) {
            buf_add(key, &v[i].len, sizeof v[i].len);
            buf_add(key, v[i].p, v[i].len);
        } else {
            buf_add(key, &v[i].i, sizeof v[i].i);
        }
    }
}

/* Past the value at p; its bytes are not copied. */
static const uint8_t *read_value(const struct type *t, const uint8_t *p, struct value *v)
{
    *v = value_null();
    if (*p++)
        return p;
    v->null = false;
    if (!is_bytes(t)) {
        memcpy(&v->i, p, sizeof v->i);
        return p + sizeof v->i;
    }
    memcpy(&v->len, p, sizeof v->len);
    v->p = p + sizeof v->len;
    return v->p + v->len;
}

struct delegate_text delegate_key_text(const struct expr *e, const uint8_t *key, uint32_t k,
                                       struct arena *a)
{
    const uint8_t *p = key + sizeof e->call->id;
    struct value v = value_null();
    for (uint32_t i = 0; i <= k; i++)
        p = read_value(e->args[i]->ct.type, p, &v);
    return delegate_text_of(e->args[k]->ct.type, value_dup(e->args[k]->ct.type, v, a), a);
}

/* ------------------------------------------------------------ text */

struct delegate_text delegate_text_of(const struct type *t, struct value v, struct arena *a)
{
    struct delegate_text text = {.null = v.null};
    struct buf b = {0};
    if (v.null)
        return text;
    value_print(t, v, &b);
    text.len = (uint32_t)b.len;
    text.p = arena_memdup(a, b.data, b.len);
    buf_fini(&b);
    return text;
}

void delegate_array(struct buf *b, const struct delegate_text *v, size_t n)
{
    buf_addc(b, '{');
    for (size_t i = 0; i < n; i++) {
        if (i)
            buf_addc(b, ',');
        if (v[i].null) {
            buf_adds(b, "NULL");
            continue;
        }
        buf_addc(b, '"');
        for (uint32_t k = 0; k < v[i].len; k++) {
            if (v[i].p[k] == '"' || v[i].p[k] == '\\')
                buf_addc(b, '\\');
            buf_addc(b, v[i].p[k]);
        }
        buf_addc(b, '"');
    }
    buf_addc(b, '}');
}

/* ------------------------------------------------------------ moments */

static bool has_word(const uint8_t *p, size_t len, const char *word)
{
    size_t n = strlen(word), i = 0;
    for (size_t at = 0; at + n <= len; at++) {
        for (i = 0; i < n && (p[at + i] | 0x20) == (uint8_t)word[i]; i++)
            ;
        if (i == n)
            return true;
    }
    return false;
}

bool delegate_is_timeless(const struct expr *e, const struct value *v, struct err *err)
{
    static const char *const words[] = {"now", "today", "tomorrow", "yesterday"};
    for (uint32_t i = 0; i < e->nargs; i++) {
        if (v[i].null || !is_bytes(e->args[i]->ct.type))
            continue;
        for (size_t k = 0; k < sizeof words / sizeof *words; k++)
            if (has_word(v[i].p, v[i].len, words[k]))
                return err_set(err, ERR_FEATURE_NOT_SUPPORTED,
                               "a text that means another moment every time (\"%s\") can't be "
                               "kept live as a date or time",
                               words[k]);
    }
    return true;
}

/* ------------------------------------------------------------ SQL */

/* The expression, its arguments named by a format for their number. */
static void add_expression(struct buf *b, const struct delegate_call *call, bool numbered)
{
    for (size_t i = 0; i < call->nparts; i++) {
        buf_adds(b, call->parts[i].text);
        if (call->parts[i].arg >= 0)
            buf_addf(b, numbered ? "$%d" : "x.a%d", call->parts[i].arg + 1);
    }
}

static void add_rows(struct buf *b, const struct delegate_call *call, size_t nargs)
{
    buf_adds(b, " FROM unnest(");
    for (size_t i = 0; i < nargs; i++)
        buf_addf(b, "%s$%zu::%s", i ? ", " : "", i + 1, call->arrays[i]);
    buf_adds(b, ") WITH ORDINALITY AS x(");
    for (size_t i = 0; i < nargs; i++)
        buf_addf(b, "a%zu, ", i + 1);
    buf_adds(b, "o)");
}

static void add_question(struct buf *b, const struct delegate_call *call, size_t nargs)
{
    buf_adds(b, "SELECT ");
    add_expression(b, call, false);
    if (!nargs)
        return;
    add_rows(b, call, nargs);
    buf_adds(b, " ORDER BY x.o");
}

#define QUOTE "$palimpsest$"

static bool can_be_quoted(const struct delegate_call *call)
{
    for (size_t i = 0; i < call->nparts; i++)
        if (strstr(call->parts[i].text, QUOTE))
            return false;
    return true;
}

bool delegate_question_each(const struct expr *e, struct buf *setup, struct buf *sql)
{
    const struct delegate_call *call = e->call;
    if (!call->result || !e->nargs || !can_be_quoted(call))
        return false;
    buf_adds(setup, "CREATE FUNCTION pg_temp.palimpsest_try(");
    for (uint32_t i = 0; i < e->nargs; i++)
        buf_addf(setup, "a%u %.*s, ", i + 1, (int)strlen(call->arrays[i]) - 2, call->arrays[i]);
    buf_addf(setup,
             "OUT v %s, OUT s text, OUT m text, OUT d text, OUT h text) LANGUAGE plpgsql AS " QUOTE
             " BEGIN v := ",
             call->result);
    add_expression(setup, call, true);
    buf_adds(setup, "; EXCEPTION WHEN OTHERS THEN GET STACKED DIAGNOSTICS "
                    "s = RETURNED_SQLSTATE, m = MESSAGE_TEXT, d = PG_EXCEPTION_DETAIL, "
                    "h = PG_EXCEPTION_HINT; END " QUOTE);
    buf_adds(sql, "SELECT r.*");
    add_rows(sql, call, e->nargs);
    buf_adds(sql, ", LATERAL pg_temp.palimpsest_try(");
    for (uint32_t i = 0; i < e->nargs; i++)
        buf_addf(sql, "%sx.a%u", i ? ", " : "", i + 1);
    buf_adds(sql, ") AS r ORDER BY x.o");
    return true;
}

void delegate_call_finish(struct delegate_call *call, const struct expr *const *args, size_t nargs,
                          const struct column_type *result, struct arena *a)
{
    struct buf b = {0};
    add_question(&b, call, nargs);
    call->sql = arena_strndup(a, b.data, b.len);
    /* The values of the key are told apart by type, and so are results. */
    buf_addf(&b, " %s %u", call->marks ? call->marks : "", result->type->oid);
    for (size_t i = 0; i < nargs; i++)
        buf_addf(&b, " %u", args[i]->ct.type->oid);
    XXH128_hash_t h = XXH3_128bits(b.data, b.len);
    call->id[0] = h.low64;
    call->id[1] = h.high64;
    buf_fini(&b);
}
