/*
 * is_json: whether a text is JSON, by jansson. A file of its own: jansson's names are also the engine's.
 */
#ifndef TESTS_FUZZERS_IS_JSON_H
#define TESTS_FUZZERS_IS_JSON_H

#include <stdbool.h>
#include <stddef.h>

/* Numbers may be larger than jansson can hold. */
bool is_json(const char *text, size_t len);

#endif
