/*
 * is_json: see is_json.h.
 */
#include "tests/fuzzers/is_json.h"

#include <jansson.h>
#include <string.h>

bool is_json(const char *text, size_t len, bool too_large)
{
    json_error_t why;
    int flags = JSON_DECODE_ANY | JSON_DECODE_INT_AS_REAL | JSON_ALLOW_NUL;
    json_t *j = json_loadb(text, len, flags, &why);
    json_decref(j);
    return j || (too_large && json_error_code(&why) == json_error_numeric_overflow);
}
