/*
 * numeric: the encoding, order and hash of exact decimals. Their text is in numeric_text.c,
 * arithmetic in numeric_arith.c, roundings and casts in numeric_round.c, running sums in
 * numeric_sum.c.
 */
#include "engine/value/numeric_rep.h"

#include <stdlib.h>

#include "engine/base/hash.h"

static const uint8_t nan_bytes[NUMERIC_HEADER] = {NUMERIC_NAN};
static const uint8_t pinf_bytes[NUMERIC_HEADER] = {NUMERIC_PINF};
static const uint8_t ninf_bytes[NUMERIC_HEADER] = {NUMERIC_NINF};
const struct value numeric_nan = {.p = nan_bytes, .len = NUMERIC_HEADER};
const struct value numeric_pinf = {.p = pinf_bytes, .len = NUMERIC_HEADER};
const struct value numeric_ninf = {.p = ninf_bytes, .len = NUMERIC_HEADER};

/* ------------------------------------------------------------ powers of ten and coefficients */

const int64_t num_pow10_64[19] = {(int64_t)1e0,  (int64_t)1e1,  (int64_t)1e2,  (int64_t)1e3,
                                  (int64_t)1e4,  (int64_t)1e5,  (int64_t)1e6,  (int64_t)1e7,
                                  (int64_t)1e8,  (int64_t)1e9,  (int64_t)1e10, (int64_t)1e11,
                                  (int64_t)1e12, (int64_t)1e13, (int64_t)1e14, (int64_t)1e15,
                                  (int64_t)1e16, (int64_t)1e17, (int64_t)1e18};

int128_t num_pow10(int n)
{
    if (n <= 18)
        return num_pow10_64[n];
    int128_t p = (int128_t)num_pow10_64[18] * num_pow10_64[n <= 36 ? n - 18 : 18];
    return n <= 36 ? p : p * 10;
}

bool num_scale_up(int128_t *c, int n)
{
    int128_t scaled;
    if (n == 0 || *c == 0)
        return true;
    if (n > NUMERIC_POW10_SMALL || __builtin_mul_overflow(*c, num_pow10(n), &scaled) ||
        !num_fits_small(scaled))
        return false;
    *c = scaled;
    return true;
}

int128_t num_div_round(int128_t c, int128_t d)
{
    int128_t q, r;
    if (c == (int64_t)c && d == (int64_t)d) { /* the 128-bit division is a slow library call */
        q = (int64_t)c / (int64_t)d;
        r = (int64_t)c % (int64_t)d;
    } else {
        q = c / d;
        r = c % d;
    }
    if (r < 0)
        r = -r;
    if (r >= d - r)
        q += c < 0 ? -1 : 1;
    return q;
}

int num_digits_small(int128_t c)
{
    uint128_t m = c < 0 ? -(uint128_t)c : (uint128_t)c;
    int n = 1;
    while (n <= NUMERIC_POW10_SMALL && m >= (uint128_t)num_pow10(n))
        n++;
    return n;
}

size_t num_digits_big(const mpz_t z)
{
    if (mpz_sgn(z) == 0)
        return 1;
    size_t n = mpz_sizeinbase(z, 10); /* exact, or one too many */
    if (n == 1)
        return 1;
    mpz_t p;
    mpz_init(p);
    mpz_ui_pow_ui(p, 10, n - 1);
    n -= mpz_cmpabs(z, p) < 0;
    mpz_clear(p);
    return n;
}

void num_load_big(mpz_t z, struct value v)
{
    mpz_import(z, v.len - NUMERIC_HEADER, -1, 1, 0, 0, v.p + NUMERIC_HEADER);
    if (num_kind(v) == NUMERIC_MINUS)
        mpz_neg(z, z);
}

void num_set_int128(mpz_t z, int128_t c)
{
    uint128_t m = c < 0 ? -(uint128_t)c : (uint128_t)c;
    mpz_set_ui(z, (uint64_t)(m >> 64));
    mpz_mul_2exp(z, z, 64);
    mpz_add_ui(z, z, (uint64_t)m);
    if (c < 0)
        mpz_neg(z, z);
}

void num_mul_pow10(mpz_t z, unsigned long n)
{
    if (n == 0 || mpz_sgn(z) == 0)
        return;
    mpz_t p;
    mpz_init(p);
    mpz_ui_pow_ui(p, 10, n);
    mpz_mul(z, z, p);
    mpz_clear(p);
}

void num_div_round_big(mpz_t z, const mpz_t d)
{
    mpz_t r;
    int sign = mpz_sgn(z);
    mpz_init(r);
    mpz_tdiv_qr(z, r, z, d);
    mpz_mul_2exp(r, r, 1);
    if (mpz_cmpabs(r, d) >= 0) {
        if (sign < 0)
            mpz_sub_ui(z, z, 1);
        else
            mpz_add_ui(z, z, 1);
    }
    mpz_clear(r);
}

void num_shift_round_big(mpz_t z, long n)
{
    if (n >= 0) {
        num_mul_pow10(z, (unsigned long)n);
        return;
    }
    /* More digits to drop than there are: less than a half remains. Spares a huge power. */
    if ((size_t)-n > mpz_sizeinbase(z, 10)) {
        mpz_set_ui(z, 0);
        return;
    }
    mpz_t p;
    mpz_init(p);
    mpz_ui_pow_ui(p, 10, (unsigned long)-n);
    num_div_round_big(z, p);
    mpz_clear(p);
}

/* ------------------------------------------------------------ encoding */

static uint8_t *put_header(struct arena *a, size_t magnitude_len, bool neg, int dscale)
{
    uint8_t *p = arena_alloc(a, NUMERIC_HEADER + magnitude_len);
    p[0] = neg ? NUMERIC_MINUS : NUMERIC_PLUS;
    p[1] = (uint8_t)dscale;
    p[2] = (uint8_t)(dscale >> 8);
    return p;
}

struct value numeric_from_int128(int128_t v, int dscale, struct arena *a)
{
    uint128_t m = v < 0 ? -(uint128_t)v : (uint128_t)v;
    uint64_t hi = (uint64_t)(m >> 64), lo = (uint64_t)m;
    size_t n = hi   ? 16 - (size_t)__builtin_clzll(hi) / 8
               : lo ? 8 - (size_t)__builtin_clzll(lo) / 8
                    : 0;
    uint8_t *p = put_header(a, n, v < 0, dscale);
    memcpy(p + NUMERIC_HEADER, &m, n);
    return value_bytes(p, NUMERIC_HEADER + n);
}

struct value numeric_from_int64(int64_t v, struct arena *a)
{
    return numeric_from_int128(v, 0, a);
}

bool num_overflows(struct err *err)
{
    return err_set(err, ERR_NUMERIC_OUT_OF_RANGE, "value overflows numeric format");
}

bool num_store_big(const mpz_t z, long dscale, struct arena *a, struct value *out, struct err *err)
{
    if (dscale > NUMERIC_DSCALE_MAX)
        return num_overflows(err);
    /* sizeinbase may say one digit too many: only then count them exactly. */
    if (mpz_sizeinbase(z, 10) > NUMERIC_INT_DIGITS + (size_t)dscale &&
        num_digits_big(z) > NUMERIC_INT_DIGITS + (size_t)dscale)
        return num_overflows(err);
    size_t n = mpz_sgn(z) ? (mpz_sizeinbase(z, 2) + 7) / 8 : 0;
    uint8_t *p = put_header(a, n, mpz_sgn(z) < 0, (int)dscale);
    mpz_export(p + NUMERIC_HEADER, NULL, -1, 1, 0, 0, z);
    *out = value_bytes(p, NUMERIC_HEADER + n);
    return true;
}

/* ------------------------------------------------------------ what it is */

bool numeric_is_nan(struct value v)
{
    return num_kind(v) == NUMERIC_NAN;
}

bool numeric_is_inf(struct value v)
{
    return num_kind(v) == NUMERIC_PINF || num_kind(v) == NUMERIC_NINF;
}

int numeric_sign(struct value v)
{
    switch (num_kind(v)) {
    case NUMERIC_PLUS: return v.len > NUMERIC_HEADER;
    case NUMERIC_PINF: return 1;
    case NUMERIC_MINUS:
    case NUMERIC_NINF: return -1;
    default: return 0;
    }
}

int numeric_dscale(struct value v)
{
    return num_dscale(v);
}

/* ------------------------------------------------------------ order and hash */

static int cmp_big(struct value a, struct value b)
{
    int diff = num_dscale(a) - num_dscale(b);
    mpz_t x, y;
    mpz_init(x);
    mpz_init(y);
    num_load_big(x, a);
    num_load_big(y, b);
    num_mul_pow10(diff < 0 ? x : y, (unsigned long)abs(diff));
    int c = mpz_cmp(x, y);
    mpz_clear(x);
    mpz_clear(y);
    return (c > 0) - (c < 0);
}

/* Where each kind stands in the order: -Infinity, finite, Infinity, NaN. */
static int kind_rank(struct value v)
{
    static const int rank[] = {[NUMERIC_NINF] = 0,
                               [NUMERIC_PLUS] = 1,
                               [NUMERIC_MINUS] = 1,
                               [NUMERIC_PINF] = 2,
                               [NUMERIC_NAN] = 3};
    return rank[num_kind(v)];
}

int numeric_cmp(struct value a, struct value b)
{
    if (num_is_special(a) || num_is_special(b))
        return kind_rank(a) - kind_rank(b);
    int sa = numeric_sign(a), sb = numeric_sign(b);
    if (sa != sb)
        return sa < sb ? -1 : 1;
    int128_t x, y;
    int diff = num_dscale(a) - num_dscale(b);
    if (num_load_small(a, &x) && num_load_small(b, &y) &&
        num_scale_up(diff < 0 ? &x : &y, abs(diff)))
        return (x > y) - (x < y);
    return cmp_big(a, b);
}

/*
 * The hash is the value modulo the prime 2^61 - 1, in which ten has an inverse: coefficient times
 * 10^-scale comes out the same at every scale.
 */
#define HASH_PRIME ((UINT64_C(1) << 61) - 1)
#define HASH_TENTH UINT64_C(2075258708292324556) /* 1/10 modulo the prime */

static uint64_t mod_mul(uint64_t x, uint64_t y)
{
    uint128_t m = (uint128_t)x * y;
    uint64_t r = (uint64_t)(m & HASH_PRIME) + (uint64_t)(m >> 61);
    return r >= HASH_PRIME ? r - HASH_PRIME : r;
}

static uint64_t mod_tenth_power(unsigned n)
{
    uint64_t r = 1, base = HASH_TENTH;
    for (; n; n >>= 1) {
        if (n & 1)
            r = mod_mul(r, base);
        base = mod_mul(base, base);
    }
    return r;
}

/* The magnitude modulo the prime, seven bytes at a time from the top. */
static uint64_t mod_magnitude(const uint8_t *p, size_t n)
{
    uint64_t r = 0;
    while (n) {
        size_t take = n % 7 ? n % 7 : 7;
        uint64_t chunk = 0;
        n -= take;
        memcpy(&chunk, p + n, take);
        r = mod_mul(r, UINT64_C(1) << 8 * take) + chunk;
        r = r >= HASH_PRIME ? r - HASH_PRIME : r;
    }
    return r;
}

uint64_t numeric_hash(struct value v)
{
    if (num_is_special(v))
        return hash_mix(0, (uint64_t)num_kind(v));
    uint64_t m = mod_magnitude(v.p + NUMERIC_HEADER, v.len - NUMERIC_HEADER);
    if (num_dscale(v))
        m = mod_mul(m, mod_tenth_power((unsigned)num_dscale(v)));
    return hash_mix((uint64_t)(num_kind(v) == NUMERIC_MINUS) + 1, m);
}
