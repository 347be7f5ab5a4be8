/*
 * json: the writer of json.h. Its strings are read by clients, so they are escaped as little as
 * JSON allows.
 */
#include "protocol/json.h"

#include <assert.h>

static void add_escape(struct buf *b, unsigned char c)
{
    static const char hex[] = "0123456789abcdef";
    static const char shorts[] = "\bb\ff\nn\rr\tt\"\"\\\\";
    buf_addc(b, '\\');
    for (const char *p = shorts; *p; p += 2) {
        if ((unsigned char)*p == c) {
            buf_addc(b, p[1]);
            return;
        }
    }
    buf_add(b, "u00", 3);
    buf_addc(b, hex[c >> 4]);
    buf_addc(b, hex[c & 15]);
}

/* A string with its quotes. */
static void add_string(struct buf *b, const char *s)
{
    size_t done = 0, len = strlen(s);
    buf_addc(b, '"');
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)s[i];
        if (c >= 0x20 && c != '"' && c != '\\')
            continue;
        buf_add(b, s + done, i - done);
        add_escape(b, c);
        done = i + 1;
    }
    buf_add(b, s + done, len - done);
    buf_addc(b, '"');
}

struct json json_begin(struct buf *b)
{
    return (struct json){.b = b, .first = true};
}

/* The comma before an element and its key. */
static void lead(struct json *j, const char *key)
{
    if (!j->first)
        buf_addc(j->b, ',');
    j->first = false;
    if (key) {
        add_string(j->b, key);
        buf_addc(j->b, ':');
    }
}

void json_open(struct json *j, const char *key, char bracket)
{
    assert(j->depth < JSON_DEPTH_MAX);
    lead(j, key);
    buf_addc(j->b, bracket);
    j->closer[j->depth++] = bracket == '{' ? '}' : ']';
    j->first = true;
}

void json_close(struct json *j)
{
    assert(j->depth > 0);
    buf_addc(j->b, j->closer[--j->depth]);
    j->first = false;
}

void json_str(struct json *j, const char *key, const char *s)
{
    lead(j, key);
    if (s)
        add_string(j->b, s);
    else
        buf_adds(j->b, "null");
}

void json_int(struct json *j, const char *key, int64_t v)
{
    lead(j, key);
    buf_add_i64(j->b, v);
}

void json_uint(struct json *j, const char *key, uint64_t v)
{
    lead(j, key);
    if (v <= INT64_MAX)
        buf_add_i64(j->b, (int64_t)v);
    else
        buf_addf(j->b, "%llu", (unsigned long long)v);
}

void json_bool(struct json *j, const char *key, bool v)
{
    lead(j, key);
    buf_adds(j->b, v ? "true" : "false");
}

void json_raw(struct json *j, const char *key, const char *text)
{
    lead(j, key);
    buf_adds(j->b, text);
}

void json_lsn(struct json *j, const char *key, lsn_t lsn)
{
    char text[LSN_TEXT_MAX];
    lsn_print(lsn, text);
    json_str(j, key, lsn ? text : NULL);
}
