/*
 * is_json: whether a text is JSON, by jansson. A file of its own: jansson's names are also the engine's.
 */
#ifndef TESTS_FUZZERS_IS_JSON_H
#define TESTS_FUZZERS_IS_JSON_H

#include <stdbool.h>
#include <stddef.h>

/* At a number larger than it can hold jansson stops: what then is to be answered? */
bool is_json(const char *text, size_t len, bool too_large);

#endif
