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
        must_say(is_json(s + 2, len, true), "%.*s", (int)len, s + 2);
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

/* The states that there were, and up to which LSN each is known to be the answer. */
struct past {
    struct bag lines[STEPS_MAX + 1];
    lsn_t lsn[STEPS_MAX + 1], holds[STEPS_MAX + 1];
    int now;
};

/* From the state at `since`, or from none where nobody knows it. */
static void must_net(const struct history *h, const struct past *past, lsn_t since, int state,
                     bool unbounded)
{
    size_t first;
    bool known = since <= past->holds[state], found = history_find(h, since, &first);
    struct bag lines;
    must_say(known || !found, "state of %d", (int)since);
    must_say(!known || !unbounded || found, "no state of %d", (int)since);
    if (!found)
        return;
    struct payload *p = history_net(h, since, past->lsn[past->now]);
    must(p);
    copy_bag(&past->lines[state], &lines);
    must(p->lsn == past->lsn[past->now]);
    follow(p, &lines);
    must(same_bags(&lines, &past->lines[past->now]));
    bag_fini(&lines);
    payload_unref(p);
}

static void must_net_from_all(const struct history *h, const struct past *past, bool unbounded)
{
    for (int i = 0; i < past->now; i++)
        for (lsn_t since = past->lsn[i]; since < past->lsn[i + 1]; since += 5)
            must_net(h, past, since, i, unbounded);
    must_net(h, past, past->lsn[past->now], past->now, unbounded);
}

/* The delta is one commit's, or that of several: then the state before it is known as of itself. */
static void step(struct input *in, struct history *h, struct past *past, struct payload *p)
{
    int i = past->now++;
    past->holds[i] = in_byte(in) & 1 ? p->lsn - 1 : past->lsn[i];
    past->lsn[i + 1] = past->holds[i + 1] = p->lsn;
    copy_bag(&past->lines[i], &past->lines[i + 1]);
    follow(p, &past->lines[i + 1]);
    history_add(h, past->lsn[i], past->holds[i], p);
    must_be_snapshot(&past->lines[i + 1], p->lsn);
}

static void run(struct input *in)
{
    struct change changes[ROWS_MAX];
    struct past past = {.lsn = {100}, .holds = {100}};
    struct history h;
    bool unbounded = in_byte(in) & 1;
    history_init(&h, unbounded ? 1 << 20 : 300);
    history_start(&h, 100);
    for (lsn_t lsn = 110; past.now < STEPS_MAX && in_more(in); lsn += 10) {
        size_t n = make_changes(in, changes);
        struct payload *p = encode_delta(&encoder, changes, n, lsn);
        if (!p) /* nothing that shows: nothing is said */
            continue;
        must(p->nrows && p->lsn == lsn);
        step(in, &h, &past, p);
        payload_unref(p);
    }
    must_be_snapshot(&past.lines[past.now], 1000);
    must_net_from_all(&h, &past, unbounded);
    for (int i = 0; i <= past.now; i++)
        bag_fini(&past.lines[i]);
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
