/*
 * pgfuncs: looking up pgfuncs.def. The table is sorted by OID and constant.
 */
#include "engine/expr/pgfuncs.h"

static const struct pgfunc table[] = {
#define PGFUNC(oid, name, symbol, nargs, coll, fn) {oid, nargs, coll, fn, name, symbol},
#include "engine/expr/pgfuncs.def"
#undef PGFUNC
};

const struct pgfunc *pgfunc_lookup(uint32_t oid)
{
    size_t lo = 0, hi = sizeof table / sizeof table[0];
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (table[mid].oid < oid)
            lo = mid + 1;
        else
            hi = mid;
    }
    if (lo == sizeof table / sizeof table[0] || table[lo].oid != oid)
        return NULL;
    return &table[lo];
}
