/*
 * numeric_sum: an exact running sum of numerics that values can be taken out of again.
 *
 * State: sum = (acc + big) * 10^-scale. Values go to acc, an __int128; when that would overflow it
 * is emptied into big, a GMP integer made then. scale is the largest display scale seen since the
 * sum was last empty. How many values of each display scale are in it is counted, since the result
 * shows the largest one present; with it gone the sum has that many digits fewer, exactly.
 *
 * NaN and the infinities are only counted.
 */
#include <stdlib.h>

#include "engine/base/alloc.h"
#include "engine/value/numeric_rep.h"

struct scale_count {
    int64_t n; /* never 0 */
    int dscale;
};

struct numeric_sum {
    int128_t acc;
    mpz_ptr big; /* owned, NULL while not needed */
    int scale;
    uint32_t nscales;
    struct scale_count *scales; /* owned; no order, mostly one */
    int64_t special[5];         /* by numeric_kind: how many NaN, Infinity, -Infinity */
};

struct numeric_sum *numeric_sum_new(void)
{
    return NEW(struct numeric_sum);
}

static void drop_big(struct numeric_sum *s)
{
    if (s->big) {
        mpz_clear(s->big);
        free(s->big);
        s->big = NULL;
    }
}

void numeric_sum_free(struct numeric_sum *s)
{
    if (!s)
        return;
    drop_big(s);
    free(s->scales);
    free(s);
}

size_t numeric_sum_bytes(const struct numeric_sum *s)
{
    size_t big = s->big ? sizeof(mpz_t) + mpz_size(s->big) * sizeof(mp_limb_t) : 0;
    return sizeof *s + s->nscales * sizeof *s->scales + big;
}

static mpz_ptr need_big(struct numeric_sum *s)
{
    if (!s->big) {
        s->big = xmalloc(sizeof(mpz_t));
        mpz_init(s->big);
    }
    return s->big;
}

static void empty_acc(struct numeric_sum *s)
{
    mpz_t z;
    mpz_init(z);
    num_set_int128(z, s->acc);
    mpz_ptr big = need_big(s);
    mpz_add(big, big, z);
    mpz_clear(z);
    s->acc = 0;
}

static void raise_scale(struct numeric_sum *s, int dscale)
{
    int by = dscale - s->scale;
    if (!num_scale_up(&s->acc, by))
        empty_acc(s);
    if (s->big) {
        /* What empty_acc() moved is still at the old scale, like the rest of big. */
        num_mul_pow10(s->big, (unsigned long)by);
    }
    s->scale = dscale;
}

static void count_scale(struct numeric_sum *s, int dscale, int64_t weight)
{
    uint32_t i = 0;
    while (i < s->nscales && s->scales[i].dscale != dscale)
        i++;
    if (i == s->nscales) {
        s->scales = xrealloc(s->scales, (s->nscales + 1) * sizeof *s->scales);
        s->scales[s->nscales++] = (struct scale_count){0, dscale};
    }
    s->scales[i].n += weight;
    if (s->scales[i].n == 0)
        s->scales[i] = s->scales[--s->nscales];
}

static void add_big(struct numeric_sum *s, struct value v, int64_t weight)
{
    mpz_t z;
    mpz_init(z);
    num_load_big(z, v);
    num_mul_pow10(z, (unsigned long)(s->scale - num_dscale(v)));
    mpz_mul_si(z, z, weight);
    mpz_ptr big = need_big(s);
    mpz_add(big, big, z);
    mpz_clear(z);
}

static void start_over_if_zero(struct numeric_sum *s)
{
    if (s->big) /* what is in there and what is in acc may cancel out */
        empty_acc(s);
    if (s->acc != 0 || (s->big && mpz_sgn(s->big) != 0))
        return;
    s->scale = 0;
    drop_big(s);
}

void numeric_sum_add(struct numeric_sum *s, struct value v, int64_t weight)
{
    if (num_is_special(v)) {
        s->special[num_kind(v)] += weight;
        return;
    }
    int dscale = num_dscale(v);
    if (dscale > s->scale)
        raise_scale(s, dscale);
    int128_t c, product, sum;
    if (!num_load_small(v, &c) || !num_scale_up(&c, s->scale - dscale) ||
        __builtin_mul_overflow(c, weight, &product)) {
        add_big(s, v, weight);
    } else if (!__builtin_add_overflow(s->acc, product, &sum) && num_fits_small(sum)) {
        s->acc = sum;
    } else {
        empty_acc(s);
        if (num_fits_small(product))
            s->acc = product;
        else
            add_big(s, v, weight);
    }
    count_scale(s, dscale, weight);
    /* Within a step a value may be taken out before it is put in: five of 1.5 in and five of 2.5 out
     * leave no count, but a sum. Only of nothing it is zero too. */
    if (s->nscales == 0)
        start_over_if_zero(s);
}

static int max_scale(const struct numeric_sum *s)
{
    int max = 0;
    for (uint32_t i = 0; i < s->nscales; i++)
        if (s->scales[i].dscale > max)
            max = s->scales[i].dscale;
    return max;
}

static bool special_result(const struct numeric_sum *s, struct value *out)
{
    bool nan = s->special[NUMERIC_NAN] != 0;
    bool pinf = s->special[NUMERIC_PINF] != 0, ninf = s->special[NUMERIC_NINF] != 0;
    if (nan || (pinf && ninf))
        *out = numeric_nan;
    else if (pinf)
        *out = numeric_pinf;
    else if (ninf)
        *out = numeric_ninf;
    return nan || pinf || ninf;
}

bool numeric_sum_result(const struct numeric_sum *s, struct arena *a, struct value *out,
                        struct err *err)
{
    if (special_result(s, out))
        return true;
    int dscale = max_scale(s), drop = s->scale - dscale;
    if (!s->big && drop <= NUMERIC_POW10_SMALL) {
        *out =
            numeric_from_int128(drop ? num_div_round(s->acc, num_pow10(drop)) : s->acc, dscale, a);
        return true;
    }
    mpz_t z;
    mpz_init(z);
    num_set_int128(z, s->acc);
    if (s->big)
        mpz_add(z, z, s->big);
    num_shift_round_big(z, -(long)drop);
    bool ok = num_store_big(z, dscale, a, out, err);
    mpz_clear(z);
    return ok;
}

bool numeric_sum_avg(const struct numeric_sum *s, int64_t n, struct arena *a, struct value *out,
                     struct err *err)
{
    struct value sum;
    return numeric_sum_result(s, a, &sum, err) &&
           numeric_div(sum, numeric_from_int64(n, a), a, out, err);
}
