/*
 * lsn: positions in Postgres's WAL, and their text form "16/B3748C0" (as pg_lsn prints them).
 */
#ifndef PALIMPSEST_BASE_LSN_H
#define PALIMPSEST_BASE_LSN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint64_t lsn_t; /* 0 = none */

#define LSN_MAX UINT64_MAX /* no position lies beyond it */

#define LSN_TEXT_MAX 18 /* "FFFFFFFF/FFFFFFFF" and NUL */

/* Writes the text form and returns its length. */
int lsn_print(lsn_t lsn, char out[LSN_TEXT_MAX]);
bool lsn_parse(const char *s, size_t len, lsn_t *out);

#endif
