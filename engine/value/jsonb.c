/*
 * jsonb: see jsonb.h. Comparison walks both texts side by side.
 *
 * Postgres compares containers by their size before their content, and a scalar on its own as an
 * array of one that is less than a real array of one; hence an empty array is less than any scalar,
 * at the top only.
 *
 * Equality needs no recursion: canonical texts are equal token by token, numbers by their value. Order
 * does; deeper than DEPTH_MAX, which Postgres's own limits nearly rule out, it is some order, the
 * same for every pair, that agrees with equality.
 */
#include "engine/value/jsonb.h"

#include <string.h>

#include "engine/base/hash.h"
#include "engine/value/collation.h"
#include "engine/value/numeric.h"

#define DEPTH_MAX 1000

enum jsonb_kind jsonb_kind_of(struct value v)
{
    switch (v.len ? v.p[0] : 'n') {
    case 'n': return JSONB_NULL;
    case '"': return JSONB_STRING;
    case 't':
    case 'f': return JSONB_BOOL;
    case '[': return JSONB_ARRAY;
    case '{': return JSONB_OBJECT;
    default: return JSONB_NUMBER;
    }
}

/* ------------------------------------------------------------ walking */

static const uint8_t *skip_string(const uint8_t *p, const uint8_t *end)
{
    for (p++; p < end && *p != '"'; p++)
        p += *p == '\\' && p + 1 < end;
    return p < end ? p + 1 : end;
}

static const uint8_t *skip_value(const uint8_t *p, const uint8_t *end)
{
    int depth = 0;
    if (p < end && *p == '"')
        return skip_string(p, end);
    while (p < end) {
        if (*p == '"') {
            p = skip_string(p, end);
            continue;
        }
        if (*p == '[' || *p == '{')
            depth++;
        else if ((*p == ']' || *p == '}') && depth-- == 1)
            return p + 1;
        else if (depth <= 0 && (*p == ',' || *p == ']' || *p == '}'))
            return p;
        p++;
    }
    return p;
}

void jsonb_open(struct value v, struct jsonb_iter *out)
{
    enum jsonb_kind kind = jsonb_kind_of(v);
    *out = (struct jsonb_iter){v.p, v.p + v.len, kind == JSONB_OBJECT};
    if (kind < JSONB_ARRAY)
        out->p = out->end;
    else
        out->p++;
}

/* What stands between the quotes. */
static struct value inside(struct value v)
{
    return v.len >= 2 ? value_bytes(v.p + 1, v.len - 2) : value_bytes(v.p, 0);
}

static void skip_blanks(struct jsonb_iter *it)
{
    while (it->p < it->end && (*it->p == ' ' || *it->p == ',' || *it->p == ':'))
        it->p++;
}

bool jsonb_next(struct jsonb_iter *it, struct value *key, struct value *member)
{
    skip_blanks(it);
    if (it->p == it->end || *it->p == ']' || *it->p == '}')
        return false;
    *key = value_null();
    if (it->is_object) {
        const uint8_t *start = it->p;
        it->p = skip_string(it->p, it->end);
        *key = inside(value_bytes(start, (size_t)(it->p - start)));
        skip_blanks(it);
    }
    const uint8_t *start = it->p;
    it->p = skip_value(it->p, it->end);
    *member = value_bytes(start, (size_t)(it->p - start));
    return true;
}

uint32_t jsonb_count(struct value v)
{
    struct jsonb_iter it;
    struct value key, member;
    uint32_t n = 0;
    jsonb_open(v, &it);
    while (jsonb_next(&it, &key, &member))
        n++;
    return n;
}

/* ------------------------------------------------------------ strings */

static unsigned hex4(const uint8_t *p)
{
    unsigned n = 0;
    for (int i = 0; i < 4; i++) {
        unsigned c = p[i];
        n = n << 4 | ((c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10) & 15);
    }
    return n;
}

/* The character after a backslash, whose place is moved on; only control characters stand there as
 * a code. */
static uint8_t unescaped(const uint8_t **p, const uint8_t *end)
{
    uint8_t c = **p;
    switch (c) {
    case 'b': return '\b';
    case 'f': return '\f';
    case 'n': return '\n';
    case 'r': return '\r';
    case 't': return '\t';
    case 'u':
        if (end - *p < 5)
            return c;
        *p += 4;
        return (uint8_t)hex4(*p - 3);
    default: return c;
    }
}

/* Between the quotes. */
static struct value plain(struct value v, struct arena *a)
{
    if (!v.len || !memchr(v.p, '\\', v.len))
        return v;
    uint8_t *copy = arena_alloc(a, v.len);
    uint32_t n = 0;
    for (const uint8_t *p = v.p, *end = v.p + v.len; p < end; p++) {
        if (*p == '\\' && p + 1 < end) {
            p++;
            copy[n++] = unescaped(&p, end);
        } else {
            copy[n++] = *p;
        }
    }
    return value_bytes(copy, n);
}

struct value jsonb_string(struct value v, struct arena *a)
{
    return plain(inside(v), a);
}

static bool same_text(struct value a, struct value b)
{
    return a.len == b.len && (!a.len || memcmp(a.p, b.p, a.len) == 0);
}

/* Both are between the quotes. */
static int cmp_strings(const struct collation *c, struct value a, struct value b)
{
    struct arena arena;
    if (same_text(a, b))
        return 0;
    arena_init(&arena);
    int r = text_cmp(c, plain(a, &arena), plain(b, &arena));
    arena_fini(&arena);
    return r;
}

/* ------------------------------------------------------------ order */

static int cmp_numbers(struct value a, struct value b)
{
    struct arena arena;
    struct value x, y;
    struct err err;
    int r = 0;
    if (same_text(a, b))
        return 0;
    arena_init(&arena);
    if (numeric_parse((const char *)a.p, a.len, &arena, &x, &err) &&
        numeric_parse((const char *)b.p, b.len, &arena, &y, &err))
        r = numeric_cmp(x, y);
    arena_fini(&arena);
    return r;
}

static int sign(int64_t d)
{
    return (d > 0) - (d < 0);
}

/* The next string, number, word or bracket of a text. False: no more. */
static bool next_token(struct jsonb_iter *it, struct value *out)
{
    while (it->p < it->end && (*it->p == ' ' || *it->p == ',' || *it->p == ':'))
        it->p++;
    const uint8_t *start = it->p;
    if (start == it->end)
        return false;
    if (*start == '"')
        it->p = skip_string(start, it->end);
    else if (strchr("[]{}", *start))
        it->p++;
    else
        while (it->p < it->end && !strchr(" ,:[]{}\"", *it->p))
            it->p++;
    *out = value_bytes(start, (size_t)(it->p - start));
    return true;
}

static bool is_number(struct value token)
{
    return token.p[0] == '-' || (token.p[0] >= '0' && token.p[0] <= '9');
}

/* Token by token, so that documents may be nested as deeply as they like. It is 0 where they are
 * equal; otherwise it is an order, but not Postgres's. */
static int cmp_tokens(struct value a, struct value b)
{
    struct jsonb_iter x = {a.p, a.p + a.len, false}, y = {b.p, b.p + b.len, false};
    struct value p, q;
    for (;;) {
        bool more = next_token(&x, &p), other = next_token(&y, &q);
        if (!more || !other)
            return more - other;
        int r = is_number(p) && is_number(q) ? cmp_numbers(p, q) : text_cmp(NULL, p, q);
        if (r)
            return r;
    }
}

static int cmp_values(const struct collation *c, struct value a, struct value b, int depth);

static int cmp_containers(const struct collation *c, struct value a, struct value b, int depth)
{
    struct jsonb_iter x, y;
    struct value akey, bkey, amember, bmember;
    int r = sign((int64_t)jsonb_count(a) - jsonb_count(b));
    if (depth == DEPTH_MAX)
        return r ? r : cmp_tokens(a, b);
    jsonb_open(a, &x);
    jsonb_open(b, &y);
    while (!r && jsonb_next(&x, &akey, &amember) && jsonb_next(&y, &bkey, &bmember)) {
        if (!akey.null)
            r = cmp_strings(c, akey, bkey);
        if (!r)
            r = cmp_values(c, amember, bmember, depth + 1);
    }
    return r;
}

static int cmp_values(const struct collation *c, struct value a, struct value b, int depth)
{
    enum jsonb_kind kind = jsonb_kind_of(a), other = jsonb_kind_of(b);
    if (kind != other)
        return sign((int)kind - (int)other);
    switch (kind) {
    case JSONB_NULL: return 0;
    case JSONB_STRING: return cmp_strings(c, inside(a), inside(b));
    case JSONB_NUMBER: return cmp_numbers(a, b);
    case JSONB_BOOL: return (a.p[0] == 't') - (b.p[0] == 't');
    case JSONB_ARRAY:
    case JSONB_OBJECT: break;
    }
    return cmp_containers(c, a, b, depth);
}

int jsonb_cmp(const struct collation *c, struct value a, struct value b)
{
    bool a_is_array = jsonb_kind_of(a) == JSONB_ARRAY, b_is_array = jsonb_kind_of(b) == JSONB_ARRAY;
    if (a_is_array && jsonb_kind_of(b) < JSONB_ARRAY)
        return jsonb_count(a) ? 1 : -1;
    if (b_is_array && jsonb_kind_of(a) < JSONB_ARRAY)
        return jsonb_count(b) ? -1 : 1;
    return cmp_values(c, a, b, 0);
}

bool jsonb_same(struct value a, struct value b)
{
    return same_text(a, b) || cmp_tokens(a, b) == 0;
}

static uint64_t hash_number(struct value v)
{
    struct arena arena;
    struct value n;
    struct err err;
    uint64_t h = 0;
    arena_init(&arena);
    if (numeric_parse((const char *)v.p, v.len, &arena, &n, &err))
        h = numeric_hash(n);
    arena_fini(&arena);
    return h;
}

uint64_t jsonb_hash(struct value v)
{
    struct jsonb_iter it = {v.p, v.p + v.len, false};
    struct value token;
    uint64_t h = 0x6a736f6e;
    while (next_token(&it, &token))
        h = hash_mix(h, is_number(token) ? hash_number(token) : hash_bytes(token.p, token.len));
    return h;
}

/* ------------------------------------------------------------ looking up */

bool jsonb_field(struct value v, struct value key, struct value *out)
{
    struct jsonb_iter it;
    struct value k;
    struct arena arena;
    bool found = false;
    if (jsonb_kind_of(v) != JSONB_OBJECT)
        return false;
    arena_init(&arena);
    jsonb_open(v, &it);
    while (!found && jsonb_next(&it, &k, out))
        found = same_text(plain(k, &arena), key);
    arena_fini(&arena);
    return found;
}

bool jsonb_element(struct value v, int64_t index, struct value *out)
{
    struct jsonb_iter it;
    struct value key;
    if (jsonb_kind_of(v) != JSONB_ARRAY)
        return false;
    if (index < 0)
        index += jsonb_count(v);
    jsonb_open(v, &it);
    for (int64_t i = 0; index >= 0 && jsonb_next(&it, &key, out); i++)
        if (i == index)
            return true;
    return false;
}
