/*
 * agg_moments: variance and stddev of floats; covariance, correlation and regression of pairs.
 *
 * Law: everything follows from the count and the sums of x, x², y, y² and xy. These are kept
 * exactly (exact_sum.h), so that a retraction leaves no trace, and the sums of squared deviations
 * are rounded once; from there the formulas are Postgres's, in doubles. Postgres updates its
 * deviations row by row (Youngs and Cramer) and rounds each time: where its result depends on the
 * order of the rows, ours may differ from it in the last digits.
 *
 * NaN and infinities can't be subtracted: they are counted. With one of them among the x, Postgres's
 * deviations of x and the products are NaN, and the sum is what adding them up gives. Finite values
 * whose sums are out of range are an error.
 *
 * regr_*(y, x) and corr take the dependent value first. State: 88 bytes, the sums on the heap.
 */
#include <math.h>
#include <stdlib.h>

#include "engine/base/alloc.h"
#include "engine/expr/agg_classes.h"
#include "engine/expr/exact_sum.h"

enum {
    SUM_X,
    SUM_XX,
    SUM_Y,
    SUM_YY,
    SUM_XY
};

struct special {
    int64_t nan, inf, neg_inf;
};

struct moments {
    int64_t n;
    struct special x, y;
    struct exact_sum *sums; /* owned; by SUM_, two of them for one variable; NULL at first */
};

static bool has_special(const struct special *s)
{
    return s->nan || s->inf || s->neg_inf;
}

/* Whether v is finite; else it is counted. */
static bool count_special(struct special *s, double v, int64_t weight)
{
    if (isnan(v))
        s->nan += weight;
    else if (isinf(v))
        *(v > 0 ? &s->inf : &s->neg_inf) += weight;
    else
        return true;
    return false;
}

static void need_sums(struct moments *m, size_t n)
{
    if (m->sums)
        return;
    m->sums = xcalloc(n, sizeof *m->sums);
    for (size_t i = 0; i < n; i++)
        exact_init(&m->sums[i]);
}

static void one_add(const struct agg_spec *spec, void *state, const struct value *args,
                    int64_t weight)
{
    struct moments *m = state;
    double x = args[0].f;
    (void)spec;
    need_sums(m, 2);
    m->n += weight;
    if (!count_special(&m->x, x, weight))
        return;
    exact_add(&m->sums[SUM_X], x, 1, weight);
    exact_add(&m->sums[SUM_XX], x, x, weight);
}

static void two_add(const struct agg_spec *spec, void *state, const struct value *args,
                    int64_t weight)
{
    struct moments *m = state;
    double y = args[0].f, x = args[1].f;
    (void)spec;
    need_sums(m, 5);
    m->n += weight;
    bool x_counts = count_special(&m->x, x, weight), y_counts = count_special(&m->y, y, weight);
    if (x_counts) {
        exact_add(&m->sums[SUM_X], x, 1, weight);
        exact_add(&m->sums[SUM_XX], x, x, weight);
    }
    if (y_counts) {
        exact_add(&m->sums[SUM_Y], y, 1, weight);
        exact_add(&m->sums[SUM_YY], y, y, weight);
    }
    if (x_counts && y_counts)
        exact_add(&m->sums[SUM_XY], x, y, weight);
}

static void sums_fini(struct moments *m, size_t n)
{
    for (size_t i = 0; m->sums && i < n; i++)
        exact_fini(&m->sums[i]);
    free(m->sums);
}

static size_t sums_bytes(const struct moments *m, size_t n)
{
    size_t bytes = m->sums ? n * sizeof *m->sums : 0;
    for (size_t i = 0; m->sums && i < n; i++)
        bytes += exact_bytes(&m->sums[i]);
    return bytes;
}

static void one_fini(const struct agg_spec *spec, void *state)
{
    (void)spec;
    sums_fini(state, 2);
}

static void two_fini(const struct agg_spec *spec, void *state)
{
    (void)spec;
    sums_fini(state, 5);
}

static size_t one_bytes(const struct agg_spec *spec, const void *state)
{
    (void)spec;
    return sums_bytes(state, 2);
}

static size_t two_bytes(const struct agg_spec *spec, const void *state)
{
    (void)spec;
    return sums_bytes(state, 5);
}

/* ------------------------------------------------------------ results */

static bool overflows(struct err *err)
{
    return err_set(err, ERR_NUMERIC_OUT_OF_RANGE, "value out of range: overflow");
}

/* The sum of one variable and of its squared deviations. */
static bool one_variable(const struct moments *m, const struct special *special, int which,
                         double *sum, double *squares, struct err *err)
{
    const struct exact_sum *s = &m->sums[which];
    *squares = NAN;
    if (special->nan || (special->inf && special->neg_inf))
        *sum = NAN;
    else if (special->inf || special->neg_inf)
        *sum = special->inf ? INFINITY : -INFINITY;
    else {
        *sum = exact_value(s);
        *squares = exact_deviation(s + 1, s, s, m->n);
        if (isinf(*sum) || isinf(*squares))
            return overflows(err);
    }
    return true;
}

enum one_of {
    VAR_POP,
    VAR_SAMP,
    STDDEV_POP,
    STDDEV_SAMP
};

static bool one_result(const void *state, enum one_of what, struct value *out, struct err *err)
{
    const struct moments *m = state;
    bool sample = what == VAR_SAMP || what == STDDEV_SAMP;
    double sum, squares, variance;
    *out = value_null();
    if (m->n <= (sample ? 1 : 0))
        return true;
    if (!one_variable(m, &m->x, SUM_X, &sum, &squares, err))
        return false;
    variance = squares / ((double)m->n - (sample ? 1 : 0));
    *out = value_float(what == VAR_POP || what == VAR_SAMP ? variance : sqrt(variance));
    return true;
}

/* What the formulas need of the pairs; as Postgres names them. */
struct pairs {
    double N, Sx, Sxx, Sy, Syy, Sxy;
};

static bool pairs_of(const struct moments *m, struct pairs *p, struct err *err)
{
    p->N = (double)m->n;
    if (!one_variable(m, &m->x, SUM_X, &p->Sx, &p->Sxx, err) ||
        !one_variable(m, &m->y, SUM_Y, &p->Sy, &p->Syy, err))
        return false;
    p->Sxy = NAN;
    if (has_special(&m->x) || has_special(&m->y))
        return true;
    p->Sxy = exact_deviation(&m->sums[SUM_XY], &m->sums[SUM_X], &m->sums[SUM_Y], m->n);
    return !isinf(p->Sxy) || overflows(err);
}

/* Of at least one pair; false: NULL. */
typedef bool pairs_fn(const struct pairs *p, double *out);

static bool pairs_result(const void *state, int64_t least, pairs_fn *fn, struct value *out,
                         struct err *err)
{
    const struct moments *m = state;
    struct pairs p;
    double d = 0;
    *out = value_null();
    if (m->n < least)
        return true;
    if (!pairs_of(m, &p, err))
        return false;
    if (fn(&p, &d))
        *out = value_float(d);
    return true;
}

static bool regr_sxx(const struct pairs *p, double *out)
{
    *out = p->Sxx;
    return true;
}

static bool regr_syy(const struct pairs *p, double *out)
{
    *out = p->Syy;
    return true;
}

static bool regr_sxy(const struct pairs *p, double *out)
{
    *out = p->Sxy;
    return true;
}

static bool regr_avgx(const struct pairs *p, double *out)
{
    *out = p->Sx / p->N;
    return true;
}

static bool regr_avgy(const struct pairs *p, double *out)
{
    *out = p->Sy / p->N;
    return true;
}

static bool covar_pop(const struct pairs *p, double *out)
{
    *out = p->Sxy / p->N;
    return true;
}

static bool covar_samp(const struct pairs *p, double *out)
{
    *out = p->Sxy / (p->N - 1);
    return true;
}

static bool corr(const struct pairs *p, double *out)
{
    *out = p->Sxy / sqrt(p->Sxx * p->Syy);
    return p->Sxx != 0 && p->Syy != 0;
}

static bool regr_r2(const struct pairs *p, double *out)
{
    *out = p->Syy == 0 ? 1 : (p->Sxy * p->Sxy) / (p->Sxx * p->Syy);
    return p->Sxx != 0;
}

static bool regr_slope(const struct pairs *p, double *out)
{
    *out = p->Sxy / p->Sxx;
    return p->Sxx != 0;
}

static bool regr_intercept(const struct pairs *p, double *out)
{
    *out = (p->Sy - p->Sx * p->Sxy / p->Sxx) / p->N;
    return p->Sxx != 0;
}

static bool regr_count_result(const struct agg_spec *spec, const void *state, struct arena *a,
                              struct value *out, struct err *err)
{
    const struct moments *m = state;
    (void)spec, (void)a, (void)err;
    *out = value_int(m->n);
    return true;
}

#define RESULT(fname, call)                                                                        \
    static bool fname##_result(const struct agg_spec *spec, const void *state, struct arena *a,    \
                               struct value *out, struct err *err)                                 \
    {                                                                                              \
        (void)spec, (void)a;                                                                       \
        return call;                                                                               \
    }

#define CLASS(fname, vars)                                                                         \
    {                                                                                              \
        .name = #fname, .state_size = sizeof(struct moments), .strict = true, .add = vars##_add,   \
        .result = fname##_result, .fini = vars##_fini, .bytes = vars##_bytes,                      \
    }

#define ONE(fname, what)                                                                           \
    RESULT(fname, one_result(state, what, out, err))                                               \
    const struct agg_class agg_##fname##_float = CLASS(fname, one)

#define PAIRS(fname, least)                                                                        \
    RESULT(fname, pairs_result(state, least, fname, out, err))                                     \
    const struct agg_class agg_##fname = CLASS(fname, two)

ONE(var_pop, VAR_POP);
ONE(var_samp, VAR_SAMP);
ONE(stddev_pop, STDDEV_POP);
ONE(stddev_samp, STDDEV_SAMP);

const struct agg_class agg_regr_count = CLASS(regr_count, two);
PAIRS(regr_sxx, 1);
PAIRS(regr_syy, 1);
PAIRS(regr_sxy, 1);
PAIRS(regr_avgx, 1);
PAIRS(regr_avgy, 1);
PAIRS(regr_r2, 1);
PAIRS(regr_slope, 1);
PAIRS(regr_intercept, 1);
PAIRS(covar_pop, 1);
PAIRS(covar_samp, 2);
PAIRS(corr, 1);
