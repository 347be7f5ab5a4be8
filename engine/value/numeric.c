/*
 * numeric: the encoding, text, order and hash of exact decimals. Arithmetic is in numeric_arith.c,
 * roundings and casts in numeric_round.c, running sums in numeric_sum.c.
 */
#include "engine/value/numeric_rep.h"

#include <ctype.h>
#include <stdlib.h>

#include "engine/base/alloc.h"
#include "engine/base/hash.h"

static const uint8_t nan_bytes[NUMERIC_HEADER] = {NUMERIC_NAN};
static const uint8_t pinf_bytes[NUMERIC_HEADER] = {NUMERIC_PINF};
static const uint8_t ninf_bytes[NUMERIC_HEADER] = {NUMERIC_NINF};
const struct value numeric_nan = {.p = nan_bytes, .len = NUMERIC_HEADER};
const struct value numeric_pinf = {.p = pinf_bytes, .len = NUMERIC_HEADER};
const struct value numeric_ninf = {.p = ninf_bytes, .len = NUMERIC_HEADER};

/* ------------------------------------------------------------ powers of ten and coefficients */

#define E9 1000000000LL
static const int64_t pow10_64[19] = {
    1,         10,         100,         1000,         10000,         100000,
    1000000,   10000000,   100000000,   E9,           E9 * 10,       E9 * 100,
    E9 * 1000, E9 * 10000, E9 * 100000, E9 * 1000000, E9 * 10000000, E9 * 100000000,
    E9 *E9};

int128_t num_pow10(int n)
{
    if (n <= 18)
        return pow10_64[n];
    int128_t p = (int128_t)pow10_64[18] * pow10_64[n <= 36 ? n - 18 : 18];
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

static bool overflows(struct err *err)
{
    return err_set(err, ERR_NUMERIC_OUT_OF_RANGE, "value overflows numeric format");
}

bool num_store_big(const mpz_t z, long dscale, struct arena *a, struct value *out, struct err *err)
{
    if (dscale > NUMERIC_DSCALE_MAX)
        return overflows(err);
    /* sizeinbase may say one digit too many: only then count them exactly. */
    if (mpz_sizeinbase(z, 10) > NUMERIC_INT_DIGITS + (size_t)dscale &&
        num_digits_big(z) > NUMERIC_INT_DIGITS + (size_t)dscale)
        return overflows(err);
    size_t n = mpz_sgn(z) ? (mpz_sizeinbase(z, 2) + 7) / 8 : 0;
    uint8_t *p = put_header(a, n, mpz_sgn(z) < 0, (int)dscale);
    mpz_export(p + NUMERIC_HEADER, NULL, -1, 1, 0, 0, z);
    *out = value_bytes(p, NUMERIC_HEADER + n);
    return true;
}

/* ------------------------------------------------------------ text in */

struct scanned {
    const char *digits; /* start of digits and point */
    size_t len;
    size_t ndigits;
    long decimals;
    long exponent;
    bool neg;
};

static bool has_word(const char *s, size_t len, const char *word)
{
    size_t n = strlen(word);
    return len == n && strncasecmp(s, word, n) == 0;
}

static bool scan_special(const char *s, size_t len, struct value *out)
{
    bool sign = len && (*s == '+' || *s == '-'), neg = sign && *s == '-';
    if (has_word(s, len, "NaN"))
        *out = numeric_nan;
    else if (has_word(s + sign, len - sign, "Infinity") || has_word(s + sign, len - sign, "inf"))
        *out = neg ? numeric_ninf : numeric_pinf;
    else
        return false;
    return true;
}

/* The exponent's value, held at a bound far beyond every limit. */
static bool scan_exponent(const char *s, size_t len, long *exponent)
{
    bool neg = len && *s == '-';
    size_t i = len && (*s == '-' || *s == '+');
    if (i == len)
        return false;
    for (*exponent = 0; i < len; i++) {
        if (s[i] < '0' || s[i] > '9')
            return false;
        if (*exponent < 100000000)
            *exponent = *exponent * 10 + (s[i] - '0');
    }
    if (neg)
        *exponent = -*exponent;
    return true;
}

static bool scan(const char *s, size_t len, struct scanned *sc)
{
    size_t i = len && (*s == '+' || *s == '-');
    bool point = false;
    memset(sc, 0, sizeof *sc);
    sc->neg = i && *s == '-';
    sc->digits = s + i;
    for (; i < len; i++) {
        if (s[i] >= '0' && s[i] <= '9') {
            sc->ndigits++;
            sc->decimals += point;
        } else if (s[i] == '.' && !point) {
            point = true;
        } else {
            break;
        }
    }
    sc->len = (size_t)(s + i - sc->digits);
    if (!sc->ndigits)
        return false;
    if (i == len)
        return true;
    return (s[i] == 'e' || s[i] == 'E') && scan_exponent(s + i + 1, len - i - 1, &sc->exponent);
}

static int128_t read_small(const struct scanned *sc)
{
    uint64_t m = 0;
    int128_t c = 0;
    int pending = 0; /* digits in m */
    for (size_t i = 0; i < sc->len; i++) {
        unsigned d = (unsigned)sc->digits[i] - '0';
        if (d > 9) /* the point */
            continue;
        if (pending == 18) {
            c = c * pow10_64[18] + m;
            m = 0;
            pending = 0;
        }
        m = m * 10 + d;
        pending++;
    }
    c = c ? c * pow10_64[pending] + m : m;
    return sc->neg ? -c : c;
}

static bool read_big(const struct scanned *sc, struct arena *a, struct value *out, struct err *err)
{
    char *digits = xmalloc(sc->ndigits + 1);
    size_t n = 0;
    for (size_t i = 0; i < sc->len; i++)
        if (sc->digits[i] != '.')
            digits[n++] = sc->digits[i];
    digits[n] = '\0';
    mpz_t z;
    mpz_init_set_str(z, digits, 10);
    free(digits);
    if (sc->neg)
        mpz_neg(z, z);

    long dscale = sc->decimals - sc->exponent;
    bool ok;
    if (mpz_sgn(z) && -dscale > NUMERIC_INT_DIGITS) {
        ok = overflows(err);
    } else {
        if (dscale < 0)
            num_mul_pow10(z, (unsigned long)-dscale);
        ok = num_store_big(z, dscale < 0 ? 0 : dscale, a, out, err);
    }
    mpz_clear(z);
    return ok;
}

bool numeric_parse(const char *s, size_t len, struct arena *a, struct value *out, struct err *err)
{
    struct scanned sc;
    const char *whole = s;
    size_t whole_len = len;
    while (len && isspace((unsigned char)*s))
        s++, len--;
    while (len && isspace((unsigned char)s[len - 1]))
        len--;
    if (!scan(s, len, &sc)) {
        if (scan_special(s, len, out))
            return true;
        return err_set(err, ERR_INVALID_TEXT, "invalid input syntax for type numeric: \"%.*s\"",
                       (int)whole_len, whole);
    }
    if (sc.ndigits <= NUMERIC_POW10_SMALL && sc.exponent == 0) {
        *out = numeric_from_int128(read_small(&sc), (int)sc.decimals, a);
        return true;
    }
    return read_big(&sc, a, out, err);
}

/* ------------------------------------------------------------ text out */

/* Writes exactly n digits, with zeros in front, ending before end. */
static void put_digits(char *end, uint64_t u, int n)
{
    while (n--) {
        *--end = (char)('0' + u % 10);
        u /= 10;
    }
}

/* The decimal digits of m (no zeros in front, "0" for zero) into out[40]; their number. */
static size_t small_digits(uint128_t m, char *out)
{
    char tmp[40], *end = tmp + sizeof tmp, *p = end;
    while (m > UINT64_MAX) {
        put_digits(p, (uint64_t)(m % (uint64_t)pow10_64[18]), 18);
        p -= 18;
        m /= (uint64_t)pow10_64[18];
    }
    uint64_t u = (uint64_t)m;
    do {
        *--p = (char)('0' + u % 10);
        u /= 10;
    } while (u);
    memcpy(out, p, (size_t)(end - p));
    return (size_t)(end - p);
}

static void print_coefficient(bool neg, const char *digits, size_t n, size_t dscale, struct buf *b)
{
    char *p = buf_reserve(b, n + dscale + 3), *start = p;
    if (neg)
        *p++ = '-';
    if (n > dscale) {
        memcpy(p, digits, n - dscale);
        p += n - dscale;
        digits += n - dscale;
        n = dscale;
    } else {
        *p++ = '0';
    }
    if (dscale) {
        *p++ = '.';
        memset(p, '0', dscale - n);
        p += dscale - n;
        memcpy(p, digits, n);
        p += n;
    }
    b->len += (size_t)(p - start);
}

static void print_big(struct value v, struct buf *b)
{
    mpz_t z;
    mpz_init(z);
    num_load_big(z, v);
    char *digits = xmalloc(mpz_sizeinbase(z, 10) + 2);
    mpz_abs(z, z);
    mpz_get_str(digits, 10, z);
    print_coefficient(num_kind(v) == NUMERIC_MINUS, digits, strlen(digits), (size_t)num_dscale(v),
                      b);
    free(digits);
    mpz_clear(z);
}

void numeric_print(struct value v, struct buf *b)
{
    static const char *const names[] = {
        [NUMERIC_NAN] = "NaN", [NUMERIC_PINF] = "Infinity", [NUMERIC_NINF] = "-Infinity"};
    int128_t c;
    char digits[40];
    if (num_is_special(v)) {
        buf_adds(b, names[num_kind(v)]);
    } else if (num_load_small(v, &c)) {
        size_t n = small_digits(c < 0 ? -(uint128_t)c : (uint128_t)c, digits);
        print_coefficient(c < 0, digits, n, (size_t)num_dscale(v), b);
    } else {
        print_big(v, b);
    }
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
