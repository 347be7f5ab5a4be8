/*
 * From changes to lines: a view of random rows, its deltas and the net of any run of them.
 *
 * A layout of one to three columns (the last may be hidden), then changes until the bytes end. A
 * client that follows the protocol to the letter keeps the view from the lines alone. Laws:
 *
 * * a delta's retracts come first, each of a line that is there, and no line stands on both sides;
 * * what the client has is the SNAPSHOT of the view;
 * * the history's net of a run of deltas leads from the state before it to the one after it.
 */
#include "engine/base/alloc.h"
#include "engine/host/encode.h"
#include "engine/host/history.h"
#include "engine/value/datetime.h"
#include "tests/fuzzers/is_json.h"
#include "tests/fuzzers/types.h"

#define COLUMNS_MAX 3
#define ROWS_MAX    8 /* different rows that come and go */
#define STEPS_MAX   12

static struct arena arena;
static struct layout *layout;
static struct plan_spec spec;
static struct encoder encoder;
static struct bag view;
static const uint8_t *rows[ROWS_MAX];

static void copy_bag(const struct bag *from, struct bag *to)
{
    struct bag_cursor c = {0};
    const struct bag_entry *e;
    bag_init(to);
    while ((e = bag_next(from, &c)))
        bag_add(to, e->bytes, e->len, e->weight);
}

static bool same_bags(const struct bag *a, const struct bag *b)
{
    struct bag_cursor c = {0};
    const struct bag_entry *e;
    while ((e = bag_next(a, &c)))
        if (bag_weight(b, e->bytes, e->len) != e->weight)
            return false;
    return a->nentries == b->nentries;
}

/* What a client does with a block. */
static void follow(const struct payload *p, struct bag *lines)
{
    struct bag seen;
    uint64_t n = 0;
    bool asserts = false;
    bag_init(&seen);
    for (const char *s = p->data, *end = s + p->len; s < end; n++) {
        const char *nl = memchr(s, '\n', (size_t)(end - s));
        must(nl && nl - s > 2 && s[1] == ' ');
        size_t len = (size_t)(nl - s) - 2;
        must_say(is_json(s + 2, len), "%.*s", (int)len, s + 2);
        must(*s == '+' || (*s == '-' && !asserts));
        asserts |= *s == '+';
        must_say(*s == '-' || bag_weight(&seen, s + 2, len) >= 0, "both sides: %.*s", (int)len,
                 s + 2);
        bag_add(&seen, s + 2, len, *s == '+' ? 1 : -1);
        must_say(bag_add(lines, s + 2, len, *s == '+' ? 1 : -1) >= 0, "not there: %.*s", (int)len,
                 s + 2);
        s = nl + 1;
    }
    must(n == p->nrows);
    bag_fini(&seen);
}

/* ------------------------------------------------------------ set up */

static void make_layout(struct input *in)
{
    struct column_type cols[COLUMNS_MAX];
    static struct plan_column shown[COLUMNS_MAX];
    static struct sort_key order[1];
    size_t ntypes;
    const struct column_type *types = fuzz_types(&ntypes);
    uint8_t how = in_byte(in);
    size_t n = 1 + how % COLUMNS_MAX;
    for (size_t i = 0; i < n; i++) {
        cols[i] = types[in_below(in, (uint32_t)ntypes)];
        shown[i] = (struct plan_column){.name = "c", .ct = cols[i]};
    }
    layout = layout_new(cols, n);
    order[0] = (struct sort_key){(uint32_t)n - 1, how & 64, how & 32};
    spec = (struct plan_spec){.columns = shown,
                              .ncolumns = n > 1 && how & 128 ? n - 1 : n,
                              .order = order,
                              .norder = type_has_order(&cols[n - 1])};
    encoder_init(&encoder, &spec, layout);
}

static struct value make_value(struct input *in, const struct type *t)
{
    struct buf b = {0};
    struct value v = value_null();
    struct err err;
    if (in_byte(in) % 8) {
        fuzz_value_text(in, t, &b);
        const char *text = arena_strndup(&arena, b.len ? b.data : "", b.len);
        must(value_parse(t, text, b.len, &arena, &v, &err));
        buf_fini(&b);
    }
    return v;
}

static void make_rows(struct input *in)
{
    struct value v[COLUMNS_MAX];
    struct err err;
    for (int i = 0; i < ROWS_MAX; i++) {
        for (uint32_t k = 0; k < layout->ncols; k++)
            v[k] = make_value(in, layout->cols[k].ct.type);
        must(row_pack(layout, v, &arena, &rows[i], &err));
    }
}

/* ------------------------------------------------------------ a run */

/* Nothing goes that isn't there; a row changes once. */
static size_t make_changes(struct input *in, struct change *out)
{
    struct bag net;
    struct bag_cursor c = {0};
    const struct bag_entry *e;
    size_t n = 0;
    bag_init(&net);
    for (int i = in_byte(in) % 12; i >= 0; i--) {
        uint8_t b = in_byte(in);
        const uint8_t *row = rows[b % ROWS_MAX];
        int64_t weight = b / ROWS_MAX % 4 - 2;
        uint32_t len = row_len(layout, row);
        if (weight && bag_weight(&view, row, len) + bag_weight(&net, row, len) + weight >= 0)
            bag_add(&net, row, len, weight);
    }
    while ((e = bag_next(&net, &c))) {
        bag_add(&view, e->bytes, e->len, e->weight);
        out[n++] = (struct change){arena_memdup(&arena, e->bytes, e->len), e->weight};
    }
    bag_fini(&net);
    return n;
}

static void must_be_snapshot(const struct bag *lines, lsn_t lsn)
{
    struct payload *p = encode_snapshot(&encoder, &view, lsn);
    struct bag fresh;
    bag_init(&fresh);
    must(p->lsn == lsn && p->nrows == (uint64_t)view.total);
    follow(p, &fresh);
    must(same_bags(&fresh, lines));
    bag_fini(&fresh);
    payload_unref(p);
}

static void must_net(const struct history *h, const struct bag *states, const lsn_t *lsns, int now)
{
    for (int from = 0; from <= now; from++) {
        struct payload *p = history_net(h, lsns[from], lsns[now]);
        struct bag lines;
        if (!p) /* gone: the history is bounded */
            continue;
        copy_bag(&states[from], &lines);
        must(p->lsn == lsns[now]);
        follow(p, &lines);
        must(same_bags(&lines, &states[now]));
        bag_fini(&lines);
        payload_unref(p);
    }
}

static void run(struct input *in)
{
    struct change changes[ROWS_MAX];
    struct bag states[STEPS_MAX + 1];
    lsn_t lsns[STEPS_MAX + 1] = {100};
    struct history h;
    int now = 0;
    history_init(&h, in_byte(in) & 1 ? 1 << 20 : 300);
    bag_init(&states[0]);
    for (lsn_t lsn = 110; now < STEPS_MAX && in_more(in); lsn += 10) {
        size_t n = make_changes(in, changes);
        struct payload *p = encode_delta(&encoder, changes, n, lsn);
        if (!p) /* nothing that shows: nothing is said */
            continue;
        must(p->nrows && p->lsn == lsn);
        copy_bag(&states[now], &states[now + 1]);
        now++;
        lsns[now] = lsn;
        follow(p, &states[now]);
        history_add(&h, lsns[now - 1], p);
        payload_unref(p);
        must_be_snapshot(&states[now], lsn);
    }
    must_be_snapshot(&states[now], 1000);
    must_net(&h, states, lsns, now);
    for (int i = 0; i <= now; i++)
        bag_fini(&states[i]);
    history_fini(&h);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in = {data, data + size};
    arena_init(&arena);
    bag_init(&view);
    make_layout(&in);
    make_rows(&in);
    run(&in);
    bag_fini(&view);
    layout_unref(layout);
    arena_fini(&arena);
    return 0;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc, (void)argv;
    datetime_set_zone("Europe/Berlin");
    return 0;
}
