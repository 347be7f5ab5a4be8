/*
 * compare: see compare.h.
 */
#include "engine/host/compare.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/alloc.h"

#define NEAR         1e-9
#define SAMPLE_ROWS  3
#define SAMPLE_BYTES 1024    /* of one row; a longer one isn't shown */
#define PAIRS_MAX    4000000 /* comparisons of two rows */

/* ---- verdicts ------------------------------------------------------------------------------ */

void verdict_fini(struct verdict *v)
{
    free(v->missing_rows);
    free(v->extra_rows);
    v->missing_rows = v->extra_rows = NULL;
}

struct verdict verdict_copy(const struct verdict *v)
{
    struct verdict copy = *v;
    copy.missing_rows = v->missing_rows ? xstrdup(v->missing_rows) : NULL;
    copy.extra_rows = v->extra_rows ? xstrdup(v->extra_rows) : NULL;
    return copy;
}

/* ---- the fields of a row ------------------------------------------------------------------- */

struct field {
    const char *p;
    size_t len;
};

/* The next member of a JSON array without white space; pos begins behind the bracket. */
static bool next_field(const char *s, size_t len, size_t *pos, struct field *out)
{
    size_t at = *pos, depth = 0;
    bool quoted = false;
    if (at >= len || (s[at] == ']' && at + 1 == len))
        return false;
    for (; at < len; at++) {
        char c = s[at];
        if (quoted) {
            at += c == '\\';
            quoted = c != '"';
        } else if (c == '"') {
            quoted = true;
        } else if (c == '[' || c == '{') {
            depth++;
        } else if ((c == ',' && !depth) || (c == ']' && !depth)) {
            break;
        } else if (c == ']' || c == '}') {
            depth--;
        }
    }
    *out = (struct field){s + *pos, at - *pos};
    *pos = at + 1;
    return true;
}

static enum doubt doubt_of(const struct plan_doubt *d, size_t column)
{
    return d->columns && column < d->ncolumns ? d->columns[column] : DOUBT_NONE;
}

/* ---- rows side by side --------------------------------------------------------------------- */

/* "-0.500" is "-0.5", "-0.0" is "0". */
static void normalise(struct field f, struct buf *b)
{
    buf_reset(b);
    buf_add(b, f.p, f.len);
    bool fraction = memchr(f.p, '.', f.len) && !memchr(f.p, 'e', f.len);
    while (fraction && b->len && (b->data[b->len - 1] == '0' || b->data[b->len - 1] == '.')) {
        fraction = b->data[b->len - 1] != '.';
        b->len--;
    }
    if (b->len == 2 && memcmp(b->data, "-0", 2) == 0) {
        b->data[0] = '0';
        b->len = 1;
    }
}

static bool is_near(struct field a, struct field b)
{
    char x[64], y[64], *xe, *ye;
    if (a.len >= sizeof x || b.len >= sizeof y)
        return false;
    memcpy(x, a.p, a.len);
    memcpy(y, b.p, b.len);
    x[a.len] = y[b.len] = '\0';
    double p = strtod(x, &xe), q = strtod(y, &ye);
    if (xe == x || ye == y || *xe || *ye) /* null, "NaN" */
        return false;
    return fabs(p - q) <= NEAR * fmax(1, fmax(fabs(p), fabs(q)));
}

/* One entry of what is left, while its partners are looked for. */
struct side {
    const struct bag_entry *entry;
    int64_t copies; /* not yet paired */
    struct buf key; /* the row without what is in doubt; spellings made one */
};

static void make_key(const struct bag_entry *e, const struct plan_doubt *d, struct buf *out)
{
    const char *s = (const char *)e->bytes;
    struct buf one = {0};
    struct field f;
    size_t pos = 1;
    for (size_t i = 0; next_field(s, e->len, &pos, &f); i++) {
        if (doubt_of(d, i) == DOUBT_SPELLING) {
            normalise(f, &one);
            buf_add(out, one.data, one.len);
        } else if (doubt_of(d, i) == DOUBT_NONE) {
            buf_add(out, f.p, f.len);
        }
        buf_addc(out, ',');
    }
    buf_fini(&one);
}

static bool are_near(const struct bag_entry *a, const struct bag_entry *b,
                     const struct plan_doubt *d)
{
    const char *s = (const char *)a->bytes, *t = (const char *)b->bytes;
    size_t p = 1, q = 1;
    struct field f, g;
    for (size_t i = 0; next_field(s, a->len, &p, &f) && next_field(t, b->len, &q, &g); i++) {
        bool equal = f.len == g.len && memcmp(f.p, g.p, f.len) == 0;
        if (doubt_of(d, i) == DOUBT_DIGITS && !equal && !is_near(f, g))
            return false;
    }
    return true;
}

static int compare_keys(const void *pa, const void *pb)
{
    const struct buf *a = &((const struct side *)pa)->key, *b = &((const struct side *)pb)->key;
    size_t n = a->len < b->len ? a->len : b->len;
    int c = n ? memcmp(a->data, b->data, n) : 0;
    return c ? c : (a->len > b->len) - (a->len < b->len);
}

/* The entries of one sign, by key. */
static struct side *collect(const struct bag *left, int sign, const struct plan_doubt *d, size_t *n)
{
    struct side *v = xcalloc(left->nentries ? left->nentries : 1, sizeof *v);
    struct bag_cursor c = {0};
    const struct bag_entry *e;
    *n = 0;
    while ((e = bag_next(left, &c))) {
        if ((e->weight < 0) != (sign < 0))
            continue;
        v[*n].entry = e;
        v[*n].copies = sign * e->weight;
        make_key(e, d, &v[(*n)++].key);
    }
    qsort(v, *n, sizeof *v, compare_keys);
    return v;
}

/* a with as many of b[0..n), which have its key, as are near. */
static void pair_one(struct side *a, struct side *b, size_t n, const struct plan_doubt *d,
                     size_t *budget)
{
    for (size_t i = 0; i < n && a->copies && *budget; i++) {
        (*budget)--;
        if (!b[i].copies || !are_near(a->entry, b[i].entry, d))
            continue;
        int64_t k = a->copies < b[i].copies ? a->copies : b[i].copies;
        a->copies -= k;
        b[i].copies -= k;
    }
}

static void pair_all(struct side *a, size_t na, struct side *b, size_t nb,
                     const struct plan_doubt *d)
{
    size_t budget = PAIRS_MAX, from = 0;
    for (size_t i = 0; i < na; i++) {
        while (from < nb && compare_keys(&b[from], &a[i]) < 0)
            from++;
        size_t to = from;
        while (to < nb && compare_keys(&b[to], &a[i]) == 0)
            to++;
        pair_one(&a[i], b + from, to - from, d, &budget);
    }
}

/* What has found no partner, as the new content of left. */
static void keep_unpaired(struct bag *rest, struct side *v, size_t n, int sign)
{
    for (size_t i = 0; i < n; i++) {
        if (v[i].copies)
            bag_add(rest, v[i].entry->bytes, v[i].entry->len, sign * v[i].copies);
        buf_fini(&v[i].key);
    }
    free(v);
}

void compare_near(struct bag *left, const struct plan_doubt *doubt)
{
    struct bag rest;
    size_t na, nb;
    struct side *a = collect(left, 1, doubt, &na), *b = collect(left, -1, doubt, &nb);
    bag_init(&rest);
    pair_all(a, na, b, nb, doubt);
    keep_unpaired(&rest, a, na, 1);
    keep_unpaired(&rest, b, nb, -1);
    bag_fini(left);
    *left = rest;
}

/* ---- judging ------------------------------------------------------------------------------- */

/* The first few rows of that sign as a JSON array, malloc'd. */
static char *sample(const struct bag *left, int sign)
{
    struct bag_cursor c = {0};
    const struct bag_entry *e;
    struct buf b = {0};
    size_t n = 0, len;
    buf_addc(&b, '[');
    while (n < SAMPLE_ROWS && (e = bag_next(left, &c))) {
        if ((e->weight < 0) != (sign < 0) || e->len > SAMPLE_BYTES)
            continue;
        if (n++)
            buf_addc(&b, ',');
        buf_add(&b, e->bytes, e->len);
    }
    buf_addc(&b, ']');
    buf_addc(&b, '\0');
    char *text = buf_take(&b, &len);
    if (n)
        return text;
    free(text);
    return NULL;
}

static void count(const struct bag *left, struct verdict *out)
{
    struct bag_cursor c = {0};
    const struct bag_entry *e;
    while ((e = bag_next(left, &c))) {
        if (e->weight > 0)
            out->missing += (uint64_t)e->weight;
        else
            out->extra += (uint64_t)-e->weight;
    }
}

void compare_judge(struct bag *left, const struct plan_doubt *doubt, uint64_t rows,
                   struct verdict *out)
{
    if (left->nentries && !doubt->why && doubt->columns)
        compare_near(left, doubt);
    out->rows = rows;
    out->kind = left->nentries ? VERDICT_DIFFERS : VERDICT_SAME;
    if (!left->nentries)
        return;
    if (doubt->why) {
        out->kind = VERDICT_UNSURE;
        err_set(&out->err, ERR_FEATURE_NOT_SUPPORTED,
                "this can't be verified: Postgres's answer is one of several right ones, because "
                "of %s",
                doubt->why);
        return;
    }
    count(left, out);
    out->missing_rows = sample(left, 1);
    out->extra_rows = sample(left, -1);
}
