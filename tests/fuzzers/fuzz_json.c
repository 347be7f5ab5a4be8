/*
 * JSON: any text, as the value of a json column; taken apart by the set-returning functions.
 *
 * Byte 0 chooses the function. Laws, of any text: nothing is read beyond its end, and leaving out white
 * space twice is the same as once. Of a text that is JSON: so it is without its white space, and so
 * is every part; an array's elements put together again are the array, an object's members the
 * object.
 */
#include "engine/expr/srf.h"
#include "engine/value/json.h"
#include "protocol/utf8.h"
#include "tests/fuzzers/is_json.h"
#include "tests/fuzzers/types.h"

static struct arena arena;

static struct column_type type_of(uint32_t oid)
{
    size_t n, i = 0;
    const struct column_type *types = fuzz_types(&n);
    while (types[i].type->oid != oid)
        i++;
    return types[i];
}

static void compact(const char *s, size_t len, struct buf *out)
{
    struct buf again = {0};
    json_add_compact(out, s, len);
    must(out->len <= len);
    json_add_compact(&again, out->data, out->len);
    must(again.len == out->len && (!again.len || memcmp(again.data, out->data, again.len) == 0));
    buf_fini(&again);
}

/* "[1,2]" or {"a":1} from the rows; the keys are unescaped, so they are escaped again. */
static void put_together(const struct srf_rows *rows, struct buf *out)
{
    bool object = rows->ncols == 2;
    buf_addc(out, object ? '{' : '[');
    for (size_t i = 0; i < rows->n; i++) {
        const struct value *v = rows->v + i * rows->ncols;
        if (i)
            buf_addc(out, ',');
        if (object) {
            json_add_string(out, (const char *)v->p, v->len);
            buf_addc(out, ':');
            v++;
        }
        must(is_json((const char *)v->p, v->len, false));
        json_add_compact(out, (const char *)v->p, v->len);
    }
    buf_addc(out, object ? '}' : ']');
}

/* Keys may have been spelled with other escapes than ours. */
static void must_be_whole(const struct srf_rows *rows, const struct buf *text)
{
    struct buf b = {0};
    put_together(rows, &b);
    must_say(is_json(b.data, b.len, false), "%.*s", (int)b.len, b.data);
    must_say(memchr(text->data, '\\', text->len) ||
                 (b.len == text->len && memcmp(b.data, text->data, b.len) == 0),
             "%.*s\n%.*s", (int)text->len, text->data, (int)b.len, b.data);
    buf_fini(&b);
}

static void take_apart(uint32_t oid, const char *s, size_t len, bool valid, const struct buf *text)
{
    const struct srf *srf = srf_lookup(oid);
    struct column_type json = type_of(srf->name[4] == 'b' ? OID_JSONB : OID_JSON);
    struct column_type cols[2] = {type_of(OID_TEXT), json};
    bool pairs = strstr(srf->name, "each") != NULL, as_text = strstr(srf->name, "text") != NULL;
    const struct expr *arg = expr_const(&arena, value_bytes(s, len), json);
    struct srf_call call = {.srf = srf,
                            .name = srf->name,
                            .args = &arg,
                            .nargs = 1,
                            .cols = cols,
                            .ncols = pairs ? 2 : 1};
    struct eval_ctx cx = {.arena = &arena};
    struct srf_rows rows;
    struct err err;
    err_clear(&err);
    bool ok = srf_eval(&call, &cx, &rows, &err);
    must(ok == !err_is_set(&err));
    for (size_t i = 0; ok && i < rows.n * rows.ncols; i++)
        must(rows.v[i].null || !rows.v[i].len || !valid ||
             utf8_valid((const char *)rows.v[i].p, rows.v[i].len));
    if (ok && valid && !as_text && strstr(srf->name, "keys") == NULL)
        must_be_whole(&rows, text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint32_t functions[] = {3219, 3465, 3208, 3931, 3932,
                                         3955, 3957, 3958, 3959, 3969};
    struct input in = {data, data + size};
    uint32_t oid = functions[in_below(&in, sizeof functions / sizeof *functions)];
    size_t len = (size_t)(in.end - in.p);
    char *s = exact_copy(in.p, len);
    struct buf text = {0};
    arena_init(&arena);
    bool valid = utf8_valid(s, len) && !memchr(s, '\0', len) && is_json(s, len, false);
    compact(s, len, &text);
    must(!valid || is_json(text.data, text.len, false));
    if (srf_lookup(oid))
        take_apart(oid, s, len, valid, &text);
    buf_fini(&text);
    arena_fini(&arena);
    free(s);
    return 0;
}
