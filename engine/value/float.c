/*
 * float: shortest text of a float4 or float8, and reading it.
 *
 * The digits are found by the Schubfach method (R. Giulietti, "The Schubfach way to render
 * doubles"): scale the number and the two ends of its rounding interval by a 128-bit power of ten,
 * then look for the decimal with the fewest digits in between. Postgres never uses an end of the
 * interval itself, even where reading would round it back (1e23 prints as 9.999999999999999e+22),
 * and so don't we.
 *
 * The powers of ten are computed with GMP at the first use: 617 of them, exact, rounded up.
 */
#include "engine/value/float.h"

#include <errno.h>
#include <gmp.h>
#include <locale.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/alloc.h"

#define POW10_MIN (-292)
#define POW10_MAX 324

struct pow10 {
    uint64_t hi, lo; /* normalised: the top bit of hi is set */
};

static struct pow10 pow10_table[POW10_MAX - POW10_MIN + 1];
static locale_t c_locale;
static pthread_once_t tables_once = PTHREAD_ONCE_INIT;

static void compute_pow10(int e, struct pow10 *out)
{
    mpz_t n, g;
    mpz_init(n);
    mpz_init(g);
    mpz_ui_pow_ui(n, 10, (unsigned long)abs(e));
    size_t bits = mpz_sizeinbase(n, 2);
    if (e < 0) {
        mpz_setbit(g, bits + 127);
        mpz_cdiv_q(g, g, n);
    } else if (bits <= 128) {
        mpz_mul_2exp(g, n, 128 - bits);
    } else {
        mpz_cdiv_q_2exp(g, n, bits - 128);
    }
    mpz_fdiv_r_2exp(n, g, 64);
    out->lo = mpz_get_ui(n);
    mpz_fdiv_q_2exp(g, g, 64);
    out->hi = mpz_get_ui(g);
    mpz_clear(n);
    mpz_clear(g);
}

static void make_tables(void)
{
    for (int e = POW10_MIN; e <= POW10_MAX; e++)
        compute_pow10(e, &pow10_table[e - POW10_MIN]);
    c_locale = newlocale(LC_ALL_MASK, "C", NULL);
}

/* floor(e log2 10), floor(e log10 2), floor(log10(3/4 2^e)), right for the exponents of doubles. */
static int floor_log2_pow10(int e)
{
    return (e * 1741647) >> 19;
}
static int floor_log10_pow2(int e)
{
    return (e * 1262611) >> 22;
}
static int floor_log10_3_4_pow2(int e)
{
    return (e * 1262611 - 524031) >> 22;
}

/* The upper bits of g * c; the lowest bit is set if anything was cut off. */
static uint64_t mul_round_to_odd(struct pow10 g, uint64_t c)
{
    unsigned __int128 low = (unsigned __int128)g.lo * c;
    unsigned __int128 high = (unsigned __int128)g.hi * c + (uint64_t)(low >> 64);
    return (uint64_t)(high >> 64) | ((uint64_t)high > 1);
}

struct decimal {
    uint64_t digits;
    int exponent; /* of ten */
};

/* c * 2^q, with asymmetric set where the next smaller number is only half as far as the next
 * larger one. */
static struct decimal shortest(uint64_t c, int q, bool asymmetric)
{
    int k = asymmetric ? floor_log10_3_4_pow2(q) : floor_log10_pow2(q);
    int h = q + floor_log2_pow10(-k) + 1;
    struct pow10 g = pow10_table[-k - POW10_MIN];
    uint64_t center = mul_round_to_odd(g, c << 2 << h);
    uint64_t lower = mul_round_to_odd(g, ((c << 2) - (asymmetric ? 1 : 2)) << h) + 1;
    uint64_t upper = mul_round_to_odd(g, ((c << 2) + 2) << h) - 1;
    uint64_t s = center / 4;
    if (s >= 10) {
        uint64_t ten = s / 10;
        bool below = lower <= 40 * ten, above = 40 * ten + 40 <= upper;
        if (below != above)
            return (struct decimal){ten + above, k + 1};
    }
    bool below = lower <= 4 * s, above = 4 * s + 4 <= upper;
    if (below != above)
        return (struct decimal){s + above, k};
    uint64_t mid = 4 * s + 2;
    return (struct decimal){s + (center > mid || (center == mid && (s & 1))), k};
}

static struct decimal shortest_double(double d)
{
    uint64_t bits;
    memcpy(&bits, &d, sizeof bits);
    uint64_t fraction = bits & ((UINT64_C(1) << 52) - 1);
    int e = (int)(bits >> 52 & 0x7FF);
    return e ? shortest(fraction | UINT64_C(1) << 52, e - 1075, fraction == 0 && e > 1)
             : shortest(fraction, -1074, false);
}

static struct decimal shortest_float(float f)
{
    uint32_t bits;
    memcpy(&bits, &f, sizeof bits);
    uint32_t fraction = bits & ((1u << 23) - 1);
    int e = (int)(bits >> 23 & 0xFF);
    return e ? shortest(fraction | 1u << 23, e - 150, fraction == 0 && e > 1)
             : shortest(fraction, -149, false);
}

static size_t print_digits(uint64_t u, char *out)
{
    char tmp[20];
    size_t n = 0;
    do {
        tmp[n++] = (char)('0' + u % 10);
        u /= 10;
    } while (u);
    for (size_t i = 0; i < n; i++)
        out[i] = tmp[n - 1 - i];
    return n;
}

static size_t print_scientific(const char *digits, size_t n, int exponent, char *out)
{
    char *p = out;
    *p++ = digits[0];
    if (n > 1) {
        *p++ = '.';
        memcpy(p, digits + 1, n - 1);
        p += n - 1;
    }
    unsigned e = (unsigned)abs(exponent);
    *p++ = 'e';
    *p++ = exponent < 0 ? '-' : '+';
    if (e >= 100)
        *p++ = (char)('0' + e / 100);
    *p++ = (char)('0' + e / 10 % 10);
    *p++ = (char)('0' + e % 10);
    return (size_t)(p - out);
}

/* point: how many of the digits stand before the point, or minus the zeros right after it. */
static size_t print_plain(const char *digits, size_t n, int point, char *out)
{
    char *p = out;
    for (int i = 0; i < point; i++)
        *p++ = (size_t)i < n ? digits[i] : '0';
    if (point >= (int)n)
        return (size_t)(p - out);
    if (point <= 0)
        *p++ = '0';
    *p++ = '.';
    for (int i = point; i < 0; i++)
        *p++ = '0';
    for (size_t i = point > 0 ? (size_t)point : 0; i < n; i++)
        *p++ = digits[i];
    return (size_t)(p - out);
}

static size_t print_special(double d, char *out)
{
    const char *s = isnan(d) ? "NaN" : d > 0 ? "Infinity" : "-Infinity";
    size_t n = strlen(s);
    memcpy(out, s, n);
    return n;
}

size_t float_print(double d, bool is_float4, char out[FLOAT_TEXT_MAX])
{
    if (!isfinite(d))
        return print_special(d, out);
    size_t sign = signbit(d) != 0;
    if (sign) {
        *out++ = '-';
        d = -d;
    }
    /* Integers in the range that is printed plainly are their own shortest text. */
    int plain_digits = is_float4 ? 6 : 15;
    if (d < (is_float4 ? 1e6 : 1e15) && d == (double)(uint64_t)d)
        return sign + print_digits((uint64_t)d, out);

    pthread_once(&tables_once, make_tables);
    struct decimal dec = is_float4 ? shortest_float((float)d) : shortest_double(d);
    while (dec.digits % 10 == 0) {
        dec.digits /= 10;
        dec.exponent++;
    }
    char digits[20];
    size_t n = print_digits(dec.digits, digits);
    int exponent = dec.exponent + (int)n - 1;
    if (exponent < -4 || exponent >= plain_digits)
        return sign + print_scientific(digits, n, exponent, out);
    return sign + print_plain(digits, n, exponent + 1, out);
}

/* Up to 15 digits with at most 22 after the point, no exponent: one exact division of doubles. */
static bool parse_simple(const char *s, size_t len, double *out)
{
    static const double powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                    1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                    1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    size_t i = 0, digits = 0, decimals = 0;
    bool neg = len && s[0] == '-', point = false;
    uint64_t m = 0;
    for (i = neg; i < len; i++) {
        unsigned c = (unsigned)s[i] - '0';
        if (c <= 9) {
            m = m * 10 + c;
            digits++;
            decimals += point;
        } else if (s[i] == '.' && !point) {
            point = true;
        } else {
            return false;
        }
        if (digits > 15)
            return false;
    }
    if (!digits)
        return false;
    double d = (double)m / powers[decimals];
    *out = neg ? -d : d;
    return true;
}

static bool is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool parse_general(const char *text, bool is_float4, double *out, struct err *err)
{
    const char *type = is_float4 ? "real" : "double precision";
    char *end;
    pthread_once(&tables_once, make_tables);
    errno = 0;
    double d = is_float4 ? (double)strtof_l(text, &end, c_locale) : strtod_l(text, &end, c_locale);
    bool range = errno == ERANGE && (d == 0 || isinf(d));
    if (end == text)
        return err_set(err, ERR_INVALID_TEXT, "invalid input syntax for type %s: \"%s\"", type,
                       text);
    if (range)
        return err_set(err, ERR_NUMERIC_OUT_OF_RANGE, "\"%.*s\" is out of range for type %s",
                       (int)(end - text), text, type);
    while (is_blank(*end))
        end++;
    if (*end)
        return err_set(err, ERR_INVALID_TEXT, "invalid input syntax for type %s: \"%s\"", type,
                       text);
    *out = isnan(d) ? (double)NAN : d;
    return true;
}

bool float_parse(const char *s, size_t len, bool is_float4, double *out, struct err *err)
{
    if (!is_float4 && len <= 17 && parse_simple(s, len, out))
        return true;
    char small[128];
    char *text = len < sizeof small ? small : xmalloc(len + 1);
    memcpy(text, s, len);
    text[len] = '\0';
    bool ok = parse_general(text, is_float4, out, err);
    if (text != small)
        free(text);
    return ok;
}

uint64_t float_key(double d)
{
    uint64_t bits;
    if (d == 0) /* -0 too */
        return 0;
    if (isnan(d))
        return UINT64_C(0x7FF8000000000000);
    memcpy(&bits, &d, sizeof bits);
    return bits;
}
