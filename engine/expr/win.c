/*
 * win: which class computes a window function, by pg_proc OID.
 */
#include "engine/expr/win_classes.h"

static const struct {
    uint32_t oid;
    uint8_t nargs;
    const struct win_class *cls;
} table[] = {
    {3100, 0, &win_row_number},   {3101, 0, &win_rank},       {3102, 0, &win_dense_rank},
    {3103, 0, &win_percent_rank}, {3104, 0, &win_cume_dist},  {3105, 1, &win_ntile},
    {3106, 1, &win_lag},          {3107, 2, &win_lag},        {3108, 3, &win_lag},
    {3109, 1, &win_lead},         {3110, 2, &win_lead},       {3111, 3, &win_lead},
    {3112, 1, &win_first_value},  {3113, 1, &win_last_value}, {3114, 2, &win_nth_value},
};

const struct win_class *win_lookup(uint32_t winfnoid, size_t nargs)
{
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (table[i].oid == winfnoid && table[i].nargs == nargs)
            return table[i].cls;
    return NULL;
}
