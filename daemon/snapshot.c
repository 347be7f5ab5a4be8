/*
 * snapshot: see snapshot.h.
 */
#include "daemon/snapshot.h"

#include <stdlib.h>

#include "engine/base/vec.h"

static int compare_xids(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

bool snapshot_parse(const char *s, struct snapshot *out)
{
    char *end;
    VEC(uint64_t) xip = {0};
    uint64_t xmin = strtoull(s, &end, 10);
    if (*end != ':')
        return false;
    uint64_t xmax = strtoull(end + 1, &end, 10);
    while ((*end == ':' || *end == ',') && end[1])
        VEC_PUSH(xip, strtoull(end + 1, &end, 10));
    if (xip.n)
        qsort(xip.v, xip.n, sizeof *xip.v, compare_xids);
    free(out->xip);
    out->xmin = xmin;
    out->xmax = xmax;
    out->xip = xip.v;
    out->nxip = xip.n;
    return true;
}
