/*
 * sort_key: one column of an ORDER BY, by position.
 */
#ifndef PALIMPSEST_ARRANGE_SORT_KEY_H
#define PALIMPSEST_ARRANGE_SORT_KEY_H

#include <stdbool.h>
#include <stdint.h>

struct sort_key {
    uint32_t col; /* of the input row */
    bool desc;
    bool nulls_first;
};

#endif
