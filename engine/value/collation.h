/*
 * collation: the order of text. Called by value_cmp() and by the text functions of expr/.
 */
#ifndef PALIMPSEST_VALUE_COLLATION_H
#define PALIMPSEST_VALUE_COLLATION_H

#include "engine/value/value.h"

/* The order under a collation whose kind isn't UNSUPPORTED; NULL means C. Texts the locale holds
 * for equal are ordered by bytes, unless the collation isn't deterministic. */
int text_cmp(const struct collation *c, struct value a, struct value b);

/* Whether texts are equal under it, and a hash that equal ones share. For a collation that isn't
 * deterministic; bytes do for all others. */
bool text_same(const struct collation *c, struct value a, struct value b);
uint64_t text_hash(const struct collation *c, struct value v);

/* The version of ICU's rules for a locale, as Postgres records it; false: no such locale. */
#define ICU_VERSION_MAX 20
bool icu_version(const char *locale, char out[ICU_VERSION_MAX]);
/* Upper or lower case by ICU. */
struct value icu_change_case(const struct collation *c, struct value v, bool upper,
                             struct arena *a);
/* For collation.c. */
void *icu_open(const char *locale);
int icu_cmp(const struct collation *c, struct value a, struct value b);
uint64_t icu_hash(const struct collation *c, struct value v);

/* Length without the blanks at the end: what counts of a char(n). */
static inline uint32_t bpchar_len(struct value v)
{
    uint32_t n = v.len;
    while (n && v.p[n - 1] == ' ')
        n--;
    return n;
}

#endif
