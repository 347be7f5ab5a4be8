/*
 * json: writes JSON into a buffer, on one line, in the order it is called.
 *
 *     struct json j = json_begin(b);            {"a":1,"b":["x",null]}
 *     json_open(&j, NULL, '{');
 *     json_int(&j, "a", 1);
 *     json_open(&j, "b", '[');
 *     json_str(&j, NULL, "x");
 *     json_str(&j, NULL, NULL);
 *     json_close(&j);
 *     json_close(&j);
 *
 * The key is NULL inside an array and at the top. Strings must be valid UTF-8; control characters,
 * quotes and backslashes are escaped, everything else is as it is.
 */
#ifndef PALIMPSEST_PROTOCOL_JSON_H
#define PALIMPSEST_PROTOCOL_JSON_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/buf.h"
#include "engine/base/lsn.h"

#define JSON_DEPTH_MAX 8

struct json {
    struct buf *b; /* borrowed */
    int depth;
    bool first;                  /* nothing written yet at this level */
    char closer[JSON_DEPTH_MAX]; /* of each open level */
};

struct json json_begin(struct buf *b);
void json_open(struct json *j, const char *key, char bracket); /* '{' or '[' */
void json_close(struct json *j);
void json_str(struct json *j, const char *key, const char *s); /* NULL = null */
void json_int(struct json *j, const char *key, int64_t v);
void json_uint(struct json *j, const char *key, uint64_t v);
/* The text is JSON already. */
void json_raw(struct json *j, const char *key, const char *text);
void json_bool(struct json *j, const char *key, bool v);
void json_lsn(struct json *j, const char *key, lsn_t lsn); /* a string; 0 = null */

#endif
