/*
 * agg_ordered: the ordered-set aggregates percentile_disc, percentile_cont and mode.
 *
 * Law: over the group's values that aren't NULL, in the order of WITHIN GROUP (of its type, or the
 * other way round): the value at a position, between two of them, or the most frequent one, of equal
 * ones the first. NULL of no values. The fraction is a direct argument, one or an array of them: the
 * result then has that array's shape.
 * Cost: O(log n) a change and a fraction; mode walks over the group's distinct values.
 * Errors, as in orderedsetaggs.c: a single fraction is checked even if there are no values, those of
 * an array only if there are some.
 * Traps: values that are equal but spelled differently are one value to mode, shown by its first
 * spelling.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "engine/expr/agg_classes.h"
#include "engine/expr/ordset.h"
#include "engine/value/array_text.h"
#include "engine/value/interval.h"

static void ordered_add(const struct agg_spec *spec, void *state, const struct value *args,
                        int64_t weight)
{
    struct ordset_type t = ordset_of(&spec->args[0]);
    ordset_add(state, &t, args[0], weight);
}

static void ordered_fini(const struct agg_spec *spec, void *state)
{
    ordset_fini(state, rep_is_blob(spec->args[0].type->rep));
}

static size_t ordered_bytes(const struct agg_spec *spec, const void *state)
{
    return ordset_bytes(state, rep_is_blob(spec->args[0].type->rep));
}

static bool is_desc(const struct agg_spec *spec)
{
    return spec->nsort && spec->sort[0].desc;
}

/* The value at position k of the call's order. */
static struct value nth(const struct agg_spec *spec, const struct ordset *s, int64_t k)
{
    struct ordset_type t = ordset_of(&spec->args[0]);
    return ordset_nth(s, &t, is_desc(spec) ? ordset_total(s) - 1 - k : k);
}

/* ------------------------------------------------------------ percentiles */

static bool check_fraction(double p, struct err *err)
{
    return (p >= 0 && p <= 1) ||
           err_set(err, ERR_NUMERIC_OUT_OF_RANGE, "percentile value %g is not between 0 and 1", p);
}

/* A valid fraction of at least one value. */
typedef bool percentile_fn(const struct agg_spec *spec, const struct ordset *s, double p,
                           struct arena *a, struct value *out, struct err *err);

static bool disc(const struct agg_spec *spec, const struct ordset *s, double p, struct arena *a,
                 struct value *out, struct err *err)
{
    int64_t row = (int64_t)ceil(p * (double)ordset_total(s));
    (void)a, (void)err;
    *out = nth(spec, s, row > 0 ? row - 1 : 0);
    return true;
}

/* The positions on either side and how far it is from the first to the second. */
static double between(const struct ordset *s, double p, int64_t *first, int64_t *second)
{
    double at = p * (double)(ordset_total(s) - 1);
    *first = (int64_t)floor(at);
    *second = (int64_t)ceil(at);
    return at - (double)*first;
}

static bool cont_float(const struct agg_spec *spec, const struct ordset *s, double p,
                       struct arena *a, struct value *out, struct err *err)
{
    int64_t first, second;
    double share = between(s, p, &first, &second), lo = nth(spec, s, first).f;
    (void)a, (void)err;
    *out = value_float(lo);
    if (first != second)
        out->f = lo + share * (nth(spec, s, second).f - lo);
    return true;
}

static bool cont_interval(const struct agg_spec *spec, const struct ordset *s, double p,
                          struct arena *a, struct value *out, struct err *err)
{
    int64_t first, second;
    double share = between(s, p, &first, &second);
    struct interval lo = interval_load(nth(spec, s, first)), way;
    if (first != second) {
        if (!interval_sub(interval_load(nth(spec, s, second)), lo, &way, err) ||
            !interval_mul(way, share, &way, err) || !interval_add(way, lo, &lo, err))
            return false;
    }
    *out = interval_store(lo, a);
    return true;
}

static bool percentile(const struct agg_spec *spec, const void *state, const struct value *direct,
                       percentile_fn *fn, struct arena *a, struct value *out, struct err *err)
{
    *out = value_null();
    if (direct[0].null)
        return true;
    if (!check_fraction(direct[0].f, err))
        return false;
    return ordset_total(state) <= 0 || fn(spec, state, direct[0].f, a, out, err);
}

/* ------------------------------------------------------------ arrays of fractions */

struct fractions {
    const struct agg_spec *spec;
    const struct ordset *set;
    percentile_fn *fn;
    struct arena *a;
    const struct type *elem; /* of the result */
    char delim;
};

/* One fraction's text; its percentile is appended. */
static bool answer_fraction(const struct fractions *f, const char *s, size_t len, struct buf *b,
                            struct err *err)
{
    struct value v = value_null();
    double p;
    char text[64];
    if (len == 4 && strncasecmp(s, "NULL", 4) == 0) {
        buf_adds(b, "NULL");
        return true;
    }
    if (len >= sizeof text)
        len = sizeof text - 1;
    memcpy(text, s, len);
    text[len] = '\0';
    p = strtod(text, NULL);
    if (!check_fraction(p, err) || !f->fn(f->spec, f->set, p, f->a, &v, err))
        return false;
    array_text_add_value(b, f->elem, v, f->delim);
    return true;
}

/* Fractions are numbers, so their array's text has no quotes: each number is replaced by its
 * percentile and everything else stays. */
static bool answer_all(const struct fractions *f, const char *s, size_t len, struct buf *b,
                       struct err *err)
{
    const char *end = s + len, *brace = memchr(s, '{', len);
    const char *p = brace ? brace : end;
    buf_add(b, s, (size_t)(p - s)); /* bounds */
    while (p < end) {
        size_t n = strcspn(p, "{},");
        if (n > (size_t)(end - p))
            n = (size_t)(end - p);
        if (n && !answer_fraction(f, p, n, b, err))
            return false;
        p += n;
        if (p < end)
            buf_addc(b, *p == ',' ? f->delim : *p);
        p++;
    }
    return true;
}

static bool percentiles(const struct agg_spec *spec, const void *state, const struct value *direct,
                        percentile_fn *fn, const struct type *elem, struct arena *a,
                        struct value *out, struct err *err)
{
    struct fractions f = {spec, state, fn, a, elem, array_text_delim(spec->result.type)};
    struct buf text, b;
    *out = value_null();
    if (ordset_total(state) <= 0 || direct[0].null)
        return true;
    buf_init(&text);
    buf_init(&b);
    value_print(spec->direct[0].type, direct[0], &text);
    buf_cstr(&text);
    bool ok = answer_all(&f, text.data, text.len, &b, err) &&
              array_text_value(spec->result.type, &b, a, out, err);
    buf_fini(&text);
    buf_fini(&b);
    return ok;
}

/* ------------------------------------------------------------ mode */

struct counting {
    const struct column_type *ct;
    bool
        from_above; /* of equally frequent ones the last in the type's order is the first in the call's */
    struct value best, now;
    int64_t best_n, now_n;
};

static void settle(struct counting *c)
{
    if (c->now_n > c->best_n || (c->from_above && c->now_n == c->best_n)) {
        c->best = c->now;
        c->best_n = c->now_n;
    }
}

static bool count_value(void *ctx, struct value v, int64_t weight)
{
    struct counting *c = ctx;
    if (c->now_n && value_cmp(c->ct, c->now, v) == 0) {
        c->now_n += weight;
        return true;
    }
    settle(c);
    c->now = v;
    c->now_n = weight;
    return true;
}

static bool mode_result(const struct agg_spec *spec, const void *state, struct arena *a,
                        struct value *out, struct err *err)
{
    struct ordset_type t = ordset_of(&spec->args[0]);
    struct counting c = {.ct = &spec->args[0], .from_above = is_desc(spec), .best = value_null()};
    (void)a, (void)err;
    ordset_each(state, &t, count_value, &c);
    if (c.now_n)
        settle(&c);
    *out = c.best;
    return true;
}

/* ------------------------------------------------------------ classes */

static bool disc_finish(const struct agg_spec *spec, const void *state, const struct value *direct,
                        struct arena *a, struct value *out, struct err *err)
{
    return percentile(spec, state, direct, disc, a, out, err);
}

static bool cont_finish(const struct agg_spec *spec, const void *state, const struct value *direct,
                        struct arena *a, struct value *out, struct err *err)
{
    return percentile(spec, state, direct, cont_float, a, out, err);
}

static bool discs_finish(const struct agg_spec *spec, const void *state, const struct value *direct,
                         struct arena *a, struct value *out, struct err *err)
{
    return percentiles(spec, state, direct, disc, spec->args[0].type, a, out, err);
}

static bool conts_finish(const struct agg_spec *spec, const void *state, const struct value *direct,
                         struct arena *a, struct value *out, struct err *err)
{
    return percentiles(spec, state, direct, cont_float, spec->args[0].type, a, out, err);
}

static bool interval_finish(const struct agg_spec *spec, const void *state,
                            const struct value *direct, struct arena *a, struct value *out,
                            struct err *err)
{
    return percentile(spec, state, direct, cont_interval, a, out, err);
}

static bool intervals_finish(const struct agg_spec *spec, const void *state,
                             const struct value *direct, struct arena *a, struct value *out,
                             struct err *err)
{
    return percentiles(spec, state, direct, cont_interval, spec->args[0].type, a, out, err);
}

#define ORDERED(cname)                                                                             \
    .name = cname, .state_size = sizeof(struct ordset), .strict = true, .ordered = true,           \
    .add = ordered_add, .fini = ordered_fini, .bytes = ordered_bytes

const struct agg_class agg_percentile_disc = {ORDERED("percentile_disc"), .finish = disc_finish};
const struct agg_class agg_percentile_cont = {ORDERED("percentile_cont"), .finish = cont_finish};
const struct agg_class agg_percentiles_disc = {ORDERED("percentile_disc"), .finish = discs_finish};
const struct agg_class agg_percentiles_cont = {ORDERED("percentile_cont"), .finish = conts_finish};
const struct agg_class agg_mode = {ORDERED("mode"), .result = mode_result};
const struct agg_class agg_percentile_cont_interval = {ORDERED("percentile_cont"),
                                                       .finish = interval_finish};
const struct agg_class agg_percentiles_cont_interval = {ORDERED("percentile_cont"),
                                                        .finish = intervals_finish};
