/*
 * rawjson: replaces numbers by indices and lets jansson read the rest. See rawjson.h.
 *
 * The pass over the text knows two things only: where strings end, and what a number looks like.
 * Everything else, jansson judges.
 */
#include "protocol/rawjson.h"

#include <assert.h>
#include <string.h>

#include "engine/base/buf.h"

/* Length of the string literal that begins at p, its quotes included; to the end if it has none. */
static size_t string_len(const char *p, const char *end)
{
    const char *s = p + 1;
    while (s < end && *s != '"')
        s += *s == '\\' && s + 1 < end ? 2 : 1;
    return (size_t)(s < end ? s + 1 - p : end - p);
}

static size_t digits(const char *p, const char *end)
{
    const char *s = p;
    while (s < end && *s >= '0' && *s <= '9')
        s++;
    return (size_t)(s - p);
}

/* Length of the number at p as JSON's grammar has it, 0 if it isn't one. */
static size_t number_len(const char *p, const char *end)
{
    const char *s = p;
    size_t n;
    if (s < end && *s == '-')
        s++;
    n = digits(s, end);
    if (!n || (*s == '0' && n > 1))
        return 0;
    s += n;
    if (s < end && *s == '.') {
        n = digits(s + 1, end);
        if (!n)
            return 0;
        s += 1 + n;
    }
    if (s < end && (*s == 'e' || *s == 'E')) {
        const char *e = s + 1;
        if (e < end && (*e == '+' || *e == '-'))
            e++;
        n = digits(e, end);
        if (!n)
            return 0;
        s = e + n;
    }
    return (size_t)(s - p);
}

static bool is_number_start(char c)
{
    return c == '-' || (c >= '0' && c <= '9');
}

/* How many numbers there can be at most: each takes a byte, and a separator follows it. */
static size_t count_numbers(const char *p, const char *end)
{
    size_t n = 0;
    bool inside = false;
    while (p < end) {
        if (*p == '"') {
            p += string_len(p, end);
            inside = false;
            continue;
        }
        bool now = is_number_start(*p);
        n += now && !inside;
        inside = now || (inside && strchr("+.eE", *p));
        p++;
    }
    return n;
}

static bool replace(const char *p, const char *end, struct raw_numbers *numbers, size_t room,
                    struct buf *b, struct err *err)
{
    while (p < end) {
        size_t n = 1;
        if (*p == '"') {
            n = string_len(p, end);
            buf_add(b, p, n);
        } else if (!is_number_start(*p)) {
            buf_addc(b, *p);
        } else {
            n = number_len(p, end);
            /* "1-2" or "1.e" would come out as two adjacent indices, that is, as another number. */
            if (!n || (p + n < end && (is_number_start(p[n]) || strchr("+.eE", p[n]))))
                return err_set(err, ERR_PROTOCOL, "malformed JSON: invalid number");
            assert(numbers->n < room);
            buf_add_i64(b, (int64_t)numbers->n);
            numbers->v[numbers->n++] = (struct raw_number){p, n};
        }
        p += n;
    }
    return true;
}

json_t *raw_json_load(const char *text, size_t len, struct arena *a, struct raw_numbers *numbers,
                      struct err *err)
{
    struct buf b;
    json_t *root = NULL;
    json_error_t why;
    size_t room = count_numbers(text, text + len);
    numbers->n = 0;
    numbers->v = ARENA_ARRAY(a, struct raw_number, room);
    buf_init(&b);
    if (replace(text, text + len, numbers, room, &b, err)) {
        root = json_loadb(b.data, b.len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &why);
        if (!root) {
            /* What it quotes after "near" is the changed text: not the client's. */
            char *near = strstr(why.text, " near ");
            if (near)
                *near = '\0';
            err_set(err, ERR_PROTOCOL, "malformed JSON: %s", why.text);
        }
    }
    buf_fini(&b);
    return root;
}

const struct raw_number *raw_number_of(const struct raw_numbers *numbers, const json_t *integer)
{
    json_int_t i = json_integer_value(integer);
    assert(i >= 0 && (size_t)i < numbers->n);
    return &numbers->v[i];
}
