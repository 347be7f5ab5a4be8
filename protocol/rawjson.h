/*
 * rawjson: jansson, with numbers as they were spelled.
 *
 * jansson turns numbers into int64 or double, so 1.10 would lose its scale and 12345678901234567890
 * its digits; Postgres must get the parameter that the client wrote. So each number of the text is
 * replaced by an index before jansson sees it (always a JSON integer), and the caller looks the
 * spelling up. Memory is bounded by the text's length.
 */
#ifndef PALIMPSEST_PROTOCOL_RAWJSON_H
#define PALIMPSEST_PROTOCOL_RAWJSON_H

#include <jansson.h>

#include "engine/base/arena.h"
#include "engine/base/err.h"

struct raw_number {
    const char *text; /* borrowed from the line */
    size_t len;
};

struct raw_numbers {
    struct raw_number *v; /* in the arena */
    size_t n;
};

/* NULL with 08P01. Duplicate members and \u0000 are refused. The caller drops the reference. */
json_t *raw_json_load(const char *text, size_t len, struct arena *a, struct raw_numbers *numbers,
                      struct err *err);
/* integer: a number inside what raw_json_load() returned. */
const struct raw_number *raw_number_of(const struct raw_numbers *numbers, const json_t *integer);

#endif
