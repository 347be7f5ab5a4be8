/*
 * collation: which order a collation of Postgres's means here, and comparing under it.
 *
 * Three providers: 'c' is libc's, through a locale_t of our own (never the process's locale); 'b',
 * Postgres's builtin one, has only orders by code point; 'i' is ICU (collation_icu.c). Whether the
 * library here has the rules that Postgres's has is for the catalog loader to see.
 *
 * "C", "POSIX" and glibc's C.UTF-8 all order UTF-8 by code point, that is by bytes, and skip
 * strcoll. Collations are interned and never freed, as types are.
 */
#include "engine/value/collation.h"

#include <locale.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/alloc.h"

const struct collation collation_c = {
    .oid = 950, .name = "C", .kind = COLLATION_C, .deterministic = true, .ascii_case = true};

struct interned {
    struct collation collation;
    char provider;
    char *locale; /* owned */
    struct interned *next;
};

static pthread_mutex_t interned_lock = PTHREAD_MUTEX_INITIALIZER;
static struct interned *interned_list; /* owned, never freed */

static bool orders_by_bytes(char provider, const char *locale)
{
    static const char *const names[] = {"C", "POSIX", "C.UTF-8", "C.utf8"};
    if (provider == 'b')
        return true;
    for (size_t i = 0; provider == 'c' && i < sizeof names / sizeof *names; i++)
        if (strcmp(locale, names[i]) == 0)
            return true;
    return false;
}

static void open_locale(struct collation *c, char provider, const char *locale)
{
    c->ascii_case = provider != 'i' && (strcmp(locale, "C") == 0 || strcmp(locale, "POSIX") == 0);
    if (provider == 'c' && !c->ascii_case)
        c->lc = newlocale(LC_COLLATE_MASK | LC_CTYPE_MASK, locale, NULL);
    if (provider == 'i')
        c->icu = icu_open(locale);
    if (orders_by_bytes(provider, locale))
        c->kind = COLLATION_C;
    else if (c->icu)
        c->kind = COLLATION_ICU;
    else
        c->kind = c->lc ? COLLATION_LIBC : COLLATION_UNSUPPORTED;
}

static const struct collation *intern(uint32_t oid, const char *name, char provider,
                                      const char *locale, bool deterministic)
{
    for (struct interned *p = interned_list; p; p = p->next)
        if (p->collation.oid == oid && p->provider == provider &&
            p->collation.deterministic == deterministic && strcmp(p->locale, locale) == 0 &&
            strcmp(p->collation.name, name) == 0)
            return &p->collation;

    struct interned *p = NEW(struct interned);
    p->collation.oid = oid;
    p->collation.name = xstrdup(name);
    p->collation.deterministic = deterministic;
    p->provider = provider;
    p->locale = xstrdup(locale);
    p->collation.locale = p->locale;
    open_locale(&p->collation, provider, locale);
    p->next = interned_list;
    interned_list = p;
    return &p->collation;
}

const struct collation *collation_new(uint32_t oid, const char *name, char provider,
                                      const char *locale, bool deterministic)
{
    pthread_mutex_lock(&interned_lock);
    const struct collation *c = intern(oid, name, provider, locale ? locale : "", deterministic);
    pthread_mutex_unlock(&interned_lock);
    return c;
}

static int cmp_bytes(struct value a, struct value b)
{
    uint32_t n = a.len < b.len ? a.len : b.len;
    int c = n ? memcmp(a.p, b.p, n) : 0;
    return c ? c : (a.len > b.len) - (a.len < b.len);
}

/* strcoll_l() wants terminated strings; both copies share one buffer. */
static int cmp_libc(locale_t lc, struct value a, struct value b)
{
    char small[1024];
    size_t need = (size_t)a.len + b.len + 2;
    char *copy = need <= sizeof small ? small : xmalloc(need);
    char *x = copy, *y = copy + a.len + 1;
    if (a.len)
        memcpy(x, a.p, a.len);
    x[a.len] = '\0';
    if (b.len)
        memcpy(y, b.p, b.len);
    y[b.len] = '\0';
    int c = strcoll_l(x, y, lc);
    if (copy != small)
        free(copy);
    return c;
}

int text_cmp(const struct collation *c, struct value a, struct value b)
{
    if (c && (c->kind == COLLATION_LIBC || c->kind == COLLATION_ICU)) {
        if (a.len == b.len && (a.len == 0 || memcmp(a.p, b.p, a.len) == 0))
            return 0;
        int r = c->kind == COLLATION_ICU ? icu_cmp(c, a, b) : cmp_libc(c->lc, a, b);
        if (r || !c->deterministic)
            return r;
    }
    return cmp_bytes(a, b);
}

bool text_same(const struct collation *c, struct value a, struct value b)
{
    return text_cmp(c, a, b) == 0;
}

uint64_t text_hash(const struct collation *c, struct value v)
{
    return icu_hash(c, v);
}
