/*
 * win_rank: the window functions that only count rows and peers: row_number, rank, dense_rank,
 * percent_rank, cume_dist, ntile.
 *
 * Where ORDER BY leaves the order of peers open Postgres numbers them as they come; here the rows'
 * bytes decide, so that a row keeps its number while nothing before it changes.
 */
#include "engine/expr/win_classes.h"

static size_t group_start(const struct win_ctx *x)
{
    return x->part->start[x->part->group[x->at]];
}

static bool row_number(const struct win_spec *spec, struct win_ctx *x, struct value *out,
                       struct err *err)
{
    (void)spec, (void)err;
    *out = value_int(x->part->base + (int64_t)x->at + 1);
    return true;
}

static bool rank_of(const struct win_spec *spec, struct win_ctx *x, struct value *out,
                    struct err *err)
{
    (void)spec, (void)err;
    *out = value_int(x->part->base + (int64_t)group_start(x) + 1);
    return true;
}

static bool dense_rank(const struct win_spec *spec, struct win_ctx *x, struct value *out,
                       struct err *err)
{
    (void)spec, (void)err;
    *out = value_int((int64_t)x->part->group[x->at] + 1);
    return true;
}

static bool percent_rank(const struct win_spec *spec, struct win_ctx *x, struct value *out,
                         struct err *err)
{
    (void)spec, (void)err;
    size_t n = x->part->n;
    *out = value_float(n > 1 ? (double)group_start(x) / (double)(n - 1) : 0);
    return true;
}

static bool cume_dist(const struct win_spec *spec, struct win_ctx *x, struct value *out,
                      struct err *err)
{
    (void)spec, (void)err;
    size_t end = x->part->start[x->part->group[x->at] + 1];
    *out = value_float((double)end / (double)x->part->n);
    return true;
}

/* ------------------------------------------------------------ ntile */

enum {
    TILE,     /* the current bucket's number; 0: not begun */
    FILLED,   /* rows in it so far */
    SIZE,     /* rows it takes */
    OVERSIZED /* how many buckets, from the first, take one row more than the others */
};

/* The number of buckets is that of the partition's first row; while it is NULL so is the result. */
static bool ntile_begin(const struct win_spec *spec, struct win_ctx *x, bool *begun,
                        struct err *err)
{
    struct value buckets;
    if (!win_arg(spec, x, 0, x->at, &buckets, err))
        return false;
    *begun = !buckets.null;
    if (buckets.null)
        return true;
    if (buckets.i <= 0)
        return err_set(err, "22014", "argument of ntile must be greater than zero");
    int64_t n = (int64_t)x->part->n, even = n / buckets.i;
    x->state[TILE] = 1;
    x->state[OVERSIZED] = even ? n % buckets.i : 0;
    x->state[SIZE] = even ? even + (x->state[OVERSIZED] != 0) : 1;
    return true;
}

static bool ntile(const struct win_spec *spec, struct win_ctx *x, struct value *out,
                  struct err *err)
{
    int64_t *s = x->state;
    bool begun = true;
    if (!s[TILE] && !ntile_begin(spec, x, &begun, err))
        return false;
    *out = value_null();
    if (!begun)
        return true;
    if (++s[FILLED] > s[SIZE]) {
        if (s[OVERSIZED] && s[TILE] == s[OVERSIZED]) {
            s[OVERSIZED] = 0;
            s[SIZE]--;
        }
        s[TILE]++;
        s[FILLED] = 1;
    }
    *out = value_int(s[TILE]);
    return true;
}

const struct win_class win_row_number = {.name = "row_number", .eval = row_number};
const struct win_class win_rank = {.name = "rank", .eval = rank_of};
const struct win_class win_dense_rank = {.name = "dense_rank", .eval = dense_rank};
const struct win_class win_percent_rank = {.name = "percent_rank", .eval = percent_rank};
const struct win_class win_cume_dist = {.name = "cume_dist", .eval = cume_dist};
const struct win_class win_ntile = {.name = "ntile", .eval = ntile};
