/*
 * compare: a view held against what Postgres answers, both as multisets of rows in JSON.
 *
 * What is left of the answer when the view's rows are taken from it is the verdict: rows of positive
 * weight are missing in the view, rows of negative weight are too many in it. A view that has moved
 * on since the answer is taken back by collecting the deltas since (encode_collect_lines()).
 *
 * Postgres's own answer need not be the only right one (plan/doubt.h). Where that concerns numbers
 * only, rows that differ in nothing else are laid side by side: by value where spellings may differ,
 * and within a relative 1e-9 where the last digits may.
 */
#ifndef PALIMPSEST_HOST_COMPARE_H
#define PALIMPSEST_HOST_COMPARE_H

#include "engine/base/buf.h"
#include "engine/base/lsn.h"
#include "engine/host/bag.h"
#include "engine/plan/plan.h"

enum verdict_kind {
    VERDICT_SAME,
    VERDICT_DIFFERS,
    VERDICT_UNSURE, /* it can't be told: err */
    VERDICT_AGAIN   /* it can't be told now */
};

struct verdict {
    enum verdict_kind kind;
    lsn_t lsn;
    uint64_t rows;                   /* SAME */
    uint64_t missing, extra;         /* DIFFERS: rows that only Postgres has, only the view has */
    char *missing_rows, *extra_rows; /* owned; some of them, as JSON arrays; NULL = none */
    /* DIFFERS: SQLSTATE of the failed plan, of Postgres's error; "" = none. */
    char plan_error[6], postgres_error[6];
    struct err err; /* UNSURE */
};

void verdict_fini(struct verdict *v);
/* A copy with texts of its own. */
struct verdict verdict_copy(const struct verdict *v);

/* Takes out of left what its two sides differ in only as far as the doubt allows. */
void compare_near(struct bag *left, const struct plan_doubt *doubt);
/*
 * What is left (text of rows by weight) becomes the verdict on a plan, all but its LSN: SAME with this
 * many rows if it is empty. rows: of the answer.
 */
void compare_judge(struct bag *left, const struct plan_doubt *doubt, uint64_t rows,
                   struct verdict *out);

#endif
