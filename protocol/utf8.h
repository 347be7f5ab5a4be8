/*
 * utf8: is it valid? As strict as Postgres: no overlong forms, no surrogates, nothing above
 * U+10FFFF.
 */
#ifndef PALIMPSEST_PROTOCOL_UTF8_H
#define PALIMPSEST_PROTOCOL_UTF8_H

#include <stdbool.h>
#include <stddef.h>

bool utf8_valid(const char *s, size_t len);

#endif
