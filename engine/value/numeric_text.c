/*
 * numeric_text: numerics from text, by the rules of Postgres's numeric_in, and to text.
 *
 * Up to 37 digits are read and printed natively; more, or an exponent, go through GMP.
 */
#include <ctype.h>
#include <stdlib.h>

#include "engine/base/alloc.h"
#include "engine/value/numeric_rep.h"

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
            c = c * num_pow10_64[18] + m;
            m = 0;
            pending = 0;
        }
        m = m * 10 + d;
        pending++;
    }
    c = c ? c * num_pow10_64[pending] + m : m;
    return sc->neg ? -c : c;
}

static bool read_big(const struct scanned *sc, struct arena *a, struct value *out, struct err *err)
{
    char *digits = xmalloc(sc->ndigits + 1);
    size_t n = 0;
    for (size_t i = 0; i < sc->len; i++)
        if (sc->digits[i] != '.' && (n || sc->digits[i] != '0'))
            digits[n++] = sc->digits[i];
    if (n > NUMERIC_INT_DIGITS + NUMERIC_DSCALE_MAX) { /* wherever the point is */
        free(digits);
        return num_overflows(err);
    }
    if (n == 0)
        digits[n++] = '0';
    digits[n] = '\0';
    mpz_t z;
    mpz_init_set_str(z, digits, 10);
    free(digits);
    if (sc->neg)
        mpz_neg(z, z);

    long dscale = sc->decimals - sc->exponent;
    bool ok;
    if (mpz_sgn(z) && -dscale > NUMERIC_INT_DIGITS) {
        ok = num_overflows(err);
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
        put_digits(p, (uint64_t)(m % (uint64_t)num_pow10_64[18]), 18);
        p -= 18;
        m /= (uint64_t)num_pow10_64[18];
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
