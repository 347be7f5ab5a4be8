/*
 * payload: see payload.h. The only thing here is the count.
 */
#include "engine/host/payload.h"

#include <stdlib.h>

#include "engine/base/alloc.h"

struct payload *payload_new(lsn_t lsn, uint64_t nrows, char *data, size_t len)
{
    struct payload *p = NEW(struct payload);
    atomic_init(&p->refs, 1);
    p->lsn = lsn;
    p->nrows = nrows;
    p->data = data;
    p->len = len;
    return p;
}

struct payload *payload_ref(struct payload *p)
{
    atomic_fetch_add_explicit(&p->refs, 1, memory_order_relaxed);
    return p;
}

void payload_unref(struct payload *p)
{
    if (p && atomic_fetch_sub_explicit(&p->refs, 1, memory_order_acq_rel) == 1) {
        free(p->data);
        free(p);
    }
}
