/*
 * encode: see encode.h. Each row is printed once, however often it occurs or whoever subscribes.
 */
#include "engine/host/encode.h"

#include <stdlib.h>
#include <string.h>

#include "engine/base/alloc.h"
#include "engine/host/answer.h"

/* Two different rows can print alike when a column is hidden or when its spelling is not kept (the
 * white space of json). */
static bool column_loses_spelling(const struct type *t)
{
    return t->kind == TYPE_OPAQUE && t->json != JSON_STRING;
}

void encoder_init(struct encoder *e, const struct plan_spec *spec, const struct layout *layout)
{
    e->spec = spec;
    e->layout = layout;
    if (!layout) { /* the place of a row doesn't show */
        e->lines_may_coincide = spec->rerun->ordered;
        return;
    }
    e->lines_may_coincide = layout->ncols > spec->ncolumns;
    for (size_t i = 0; i < spec->ncolumns; i++)
        e->lines_may_coincide |= column_loses_spelling(spec->columns[i].ct.type);
}

static void add_row_json(const struct encoder *e, const uint8_t *row, struct buf *b)
{
    if (!e->layout) {
        buf_add(b, answer_text(row), answer_head(row).len);
        return;
    }
    buf_addc(b, '[');
    for (uint32_t i = 0; i < e->spec->ncolumns; i++) {
        if (i)
            buf_addc(b, ',');
        value_to_json(e->layout->cols[i].ct.type, row_get(e->layout, row, i), b);
    }
    buf_addc(b, ']');
}

/* The line just written at `start`, again for each further copy. */
static void repeat_line(struct buf *b, size_t start, uint64_t times)
{
    size_t len = b->len - start;
    for (uint64_t i = 1; i < times; i++) {
        buf_reserve(b, len);
        memcpy(b->data + b->len, b->data + start, len);
        b->len += len;
    }
}

static void add_row_lines(const struct encoder *e, char sign, const uint8_t *row, uint64_t times,
                          struct buf *b)
{
    size_t start = b->len;
    buf_addc(b, sign);
    buf_addc(b, ' ');
    add_row_json(e, row, b);
    buf_addc(b, '\n');
    repeat_line(b, start, times);
}

/* What is being put together is the largest thing there may be: it goes if there is no memory for it. */
struct draft {
    struct buf b;
    const struct bag_entry **rows; /* owned; NULL if none */
    struct bag lines;
    struct alloc_cleanup cleanup;
};

static void draft_drop(void *arg)
{
    struct draft *d = arg;
    buf_fini(&d->b);
    free(d->rows);
    bag_fini(&d->lines);
}

static void draft_begin(struct draft *d)
{
    memset(d, 0, sizeof *d);
    alloc_cleanup(&d->cleanup, draft_drop, d);
}

static struct payload *draft_finish(struct draft *d, uint64_t nrows, lsn_t lsn)
{
    size_t len;
    char *data = buf_take(&d->b, &len);
    struct payload *p = payload_new(lsn, nrows, data, len);
    alloc_cleanup_done(&d->cleanup);
    draft_drop(d);
    return p;
}

static struct payload *encode_delta_netted(const struct encoder *e, const struct change *changes,
                                           size_t n, lsn_t lsn)
{
    struct draft d;
    draft_begin(&d);
    for (size_t i = 0; i < n; i++) {
        buf_reset(&d.b);
        add_row_json(e, changes[i].row, &d.b);
        bag_add(&d.lines, d.b.data, d.b.len, changes[i].weight);
    }
    struct payload *p = d.lines.nentries ? encode_lines(&d.lines, lsn) : NULL;
    alloc_cleanup_done(&d.cleanup);
    draft_drop(&d);
    return p;
}

struct payload *encode_delta(const struct encoder *e, const struct change *changes, size_t n,
                             lsn_t lsn)
{
    struct draft d;
    uint64_t nrows = 0;
    if (n == 0)
        return NULL;
    if (e->lines_may_coincide)
        return encode_delta_netted(e, changes, n, lsn);
    draft_begin(&d);
    for (size_t i = 0; i < n; i++)
        if (changes[i].weight < 0) {
            add_row_lines(e, '-', changes[i].row, (uint64_t)-changes[i].weight, &d.b);
            nrows += (uint64_t)-changes[i].weight;
        }
    for (size_t i = 0; i < n; i++)
        if (changes[i].weight > 0) {
            add_row_lines(e, '+', changes[i].row, (uint64_t)changes[i].weight, &d.b);
            nrows += (uint64_t)changes[i].weight;
        }
    return draft_finish(&d, nrows, lsn);
}

struct order_ctx {
    const struct plan_spec *spec;
    const struct layout *layout;
};

static int compare_key(const struct order_ctx *cx, const struct sort_key *k, const uint8_t *a,
                       const uint8_t *b)
{
    struct value x = row_get(cx->layout, a, k->col), y = row_get(cx->layout, b, k->col);
    if (x.null || y.null) {
        if (x.null && y.null)
            return 0;
        return x.null == k->nulls_first ? -1 : 1;
    }
    int c = value_cmp(&cx->layout->cols[k->col].ct, x, y);
    return k->desc ? -c : c;
}

/* By the sort keys, then by bytes: any order of ties is right, but it must be stable. */
static int compare_entries(const void *pa, const void *pb, void *arg)
{
    const struct order_ctx *cx = arg;
    const struct bag_entry *a = *(const struct bag_entry *const *)pa;
    const struct bag_entry *b = *(const struct bag_entry *const *)pb;
    for (size_t i = 0; i < cx->spec->norder; i++) {
        int c = compare_key(cx, &cx->spec->order[i], a->bytes, b->bytes);
        if (c)
            return c;
    }
    int c = memcmp(a->bytes, b->bytes, a->len < b->len ? a->len : b->len);
    return c ? c : (a->len > b->len) - (a->len < b->len);
}

static int compare_places(const void *pa, const void *pb)
{
    const struct bag_entry *a = *(const struct bag_entry *const *)pa;
    const struct bag_entry *b = *(const struct bag_entry *const *)pb;
    uint64_t x = answer_head(a->bytes).place, y = answer_head(b->bytes).place;
    return (x > y) - (x < y);
}

static void sort_rows(const struct encoder *e, const struct bag_entry **rows, size_t n)
{
    struct order_ctx cx = {.spec = e->spec, .layout = e->layout};
    if (!n)
        return;
    if (!e->layout && e->spec->rerun->ordered)
        qsort(rows, n, sizeof *rows, compare_places);
    else if (e->layout && e->spec->norder)
        qsort_r(rows, n, sizeof *rows, compare_entries, &cx);
}

struct payload *encode_snapshot(const struct encoder *e, const struct bag *view, lsn_t lsn)
{
    struct draft d;
    struct bag_cursor c = {0};
    const struct bag_entry *entry;
    size_t n = 0;
    draft_begin(&d);
    d.rows = xmalloc_data(view->nentries * sizeof *d.rows);
    while ((entry = bag_next(view, &c)))
        d.rows[n++] = entry;
    sort_rows(e, d.rows, n);
    for (size_t i = 0; i < n; i++)
        add_row_lines(e, '+', d.rows[i]->bytes, (uint64_t)d.rows[i]->weight, &d.b);
    return draft_finish(&d, (uint64_t)view->total, lsn);
}

static void collect_lines(const struct payload *p, struct bag *lines, int64_t sign)
{
    const char *s = p->data, *end = p->data + p->len;
    while (s < end) {
        const char *nl = memchr(s, '\n', (size_t)(end - s));
        bag_add(lines, s + 2, (size_t)(nl - s) - 2, *s == '+' ? sign : -sign);
        s = nl + 1;
    }
}

void encode_collect_lines(const struct payload *p, struct bag *lines)
{
    collect_lines(p, lines, 1);
}

struct payload *encode_difference(const struct payload *from, const struct payload *to, lsn_t lsn)
{
    struct bag lines;
    bag_init(&lines);
    collect_lines(to, &lines, 1);
    collect_lines(from, &lines, -1);
    struct payload *net = encode_lines(&lines, lsn);
    bag_fini(&lines);
    return net;
}

void encode_take_out(const struct encoder *e, const struct bag *view, struct bag *lines)
{
    struct bag_cursor c = {0};
    const struct bag_entry *entry;
    struct buf line;
    buf_init(&line);
    while ((entry = bag_next(view, &c))) {
        buf_reset(&line);
        add_row_json(e, entry->bytes, &line);
        bag_add(lines, line.data, line.len, -entry->weight);
    }
    buf_fini(&line);
}

static uint64_t add_signed_lines(const struct bag *lines, int sign, struct buf *b)
{
    struct bag_cursor c = {0};
    const struct bag_entry *entry;
    uint64_t nrows = 0;
    while ((entry = bag_next(lines, &c))) {
        if ((entry->weight < 0) != (sign < 0))
            continue;
        uint64_t times = (uint64_t)(sign * entry->weight);
        size_t start = b->len;
        buf_add(b, sign < 0 ? "- " : "+ ", 2);
        buf_add(b, entry->bytes, entry->len);
        buf_addc(b, '\n');
        repeat_line(b, start, times);
        nrows += times;
    }
    return nrows;
}

struct payload *encode_lines(const struct bag *lines, lsn_t lsn)
{
    struct draft d;
    draft_begin(&d);
    uint64_t nrows = add_signed_lines(lines, -1, &d.b);
    nrows += add_signed_lines(lines, 1, &d.b);
    return draft_finish(&d, nrows, lsn);
}
