/*
 * collation: the order of text. Called by value_cmp() and by the text functions of expr/.
 */
#ifndef PALIMPSEST_VALUE_COLLATION_H
#define PALIMPSEST_VALUE_COLLATION_H

#include "engine/value/value.h"

/* The order under a collation whose kind isn't UNSUPPORTED; NULL means C. Texts the locale holds
 * for equal are ordered by bytes. */
int text_cmp(const struct collation *c, struct value a, struct value b);

/* Length without the blanks at the end: what counts of a char(n). */
static inline uint32_t bpchar_len(struct value v)
{
    uint32_t n = v.len;
    while (n && v.p[n - 1] == ' ')
        n--;
    return n;
}

#endif
