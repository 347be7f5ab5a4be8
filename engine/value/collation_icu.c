/*
 * collation_icu: order, equality and case by ICU. Called by collation.c and by the text functions.
 *
 * A collator is opened once and only read afterwards, which ICU allows from any number of threads.
 * Equality under a nondeterministic collation is that of the collator ('a' = 'A' where it ignores
 * case); such texts have the same sort key, which is what is hashed.
 */
#include "engine/value/collation.h"

#include <stdlib.h>
#include <string.h>
#include <unicode/ucol.h>
#include <unicode/ustring.h>

#include "engine/base/alloc.h"
#include "engine/base/hash.h"

void *icu_open(const char *locale)
{
    UErrorCode status = U_ZERO_ERROR;
    UCollator *c = ucol_open(locale, &status);
    if (U_SUCCESS(status))
        return c;
    ucol_close(c);
    return NULL;
}

bool icu_version(const char *locale, char out[ICU_VERSION_MAX])
{
    UVersionInfo version;
    UCollator *c = icu_open(locale);
    if (!c)
        return false;
    ucol_getVersion(c, version);
    u_versionToString(version, out);
    ucol_close(c);
    return true;
}

int icu_cmp(const struct collation *c, struct value a, struct value b)
{
    UErrorCode status = U_ZERO_ERROR;
    return (int)ucol_strcollUTF8(c->icu, a.len ? (const char *)a.p : "", (int32_t)a.len,
                                 b.len ? (const char *)b.p : "", (int32_t)b.len, &status);
}

/* UTF-16, to be freed; *len is its length. */
static UChar *to_utf16(struct value v, int32_t *len)
{
    UErrorCode status = U_ZERO_ERROR;
    UChar *s = xmalloc(((size_t)v.len + 1) * sizeof *s);
    u_strFromUTF8WithSub(s, (int32_t)v.len + 1, len, (const char *)v.p, (int32_t)v.len, 0xFFFD,
                         NULL, &status);
    return s;
}

uint64_t icu_hash(const struct collation *c, struct value v)
{
    int32_t len = 0;
    if (!v.len)
        return hash_bytes(NULL, 0);
    UChar *s = to_utf16(v, &len);
    int32_t n = ucol_getSortKey(c->icu, s, len, NULL, 0);
    uint8_t *key = xmalloc((size_t)n + 1);
    ucol_getSortKey(c->icu, s, len, key, n);
    uint64_t h = hash_bytes(key, (size_t)n);
    free(key);
    free(s);
    return h;
}

struct value icu_change_case(const struct collation *c, struct value v, bool upper, struct arena *a)
{
    UErrorCode status = U_ZERO_ERROR;
    int32_t len = 0, n, bytes = 0;
    if (!v.len)
        return v;
    UChar *s = to_utf16(v, &len);
    int32_t cap = 3 * len + 1; /* no character becomes more than three */
    UChar *changed = xmalloc((size_t)cap * sizeof *changed);
    n = upper ? u_strToUpper(changed, cap, s, len, c->locale, &status)
              : u_strToLower(changed, cap, s, len, c->locale, &status);
    char *out = arena_alloc(a, 3 * (size_t)n + 1);
    u_strToUTF8(out, 3 * n + 1, &bytes, changed, n, &status);
    free(changed);
    free(s);
    return value_bytes(out, (size_t)bytes);
}
