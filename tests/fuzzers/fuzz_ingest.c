/*
 * From pgoutput to steps and stores: a stream of transactions over four tables, against a plain model.
 *
 * Each byte or two of the input is a change: rows come, change (keys too, with and without an
 * unchanged TOAST value) and go, tables are truncated, described anew with their columns in another
 * order, or sent what can't be (a row twice, one that isn't there, a column of another type). Laws:
 *
 * * after every commit each store holds what the model says;
 * * the changes of all steps, added up, are the model too, whether transactions are folded or not;
 * * rows are given up where the stream makes no sense, and never elsewhere.
 *
 * At the end comes a message of any bytes.
 */
#include <check.h>

#include "engine/host/bag.h"
#include "tests/fuzzers/input.h"

/* The unit tests' walsender in miniature, outside of check. */
#undef ck_assert
#undef ck_assert_msg
#undef ck_assert_int_eq
#define ck_assert              must
#define ck_assert_msg          must_say
#define ck_assert_int_eq(x, y) must((x) == (y))
#include "tests/unit/daemon/stream.h"

#define TABLES   4
#define ROWS_MAX 64

struct row {
    int id, a, b; /* a, b: -1 is NULL */
};

/* What the database holds, and what became of it on the other side. */
struct table {
    const char *layout; /* of the leaf */
    char replident;
    struct row rows[ROWS_MAX];
    int n;
    int order;     /* of the columns in the stream: a permutation */
    bool odd_type; /* the stream gives column a another type */
    bool damaged;  /* something was sent that can't be */
    bool lost, reseed;
    struct bag view; /* what the steps add up to */
};

static struct table tables[TABLES];
static struct ingest ing;
static lsn_t lsn;

static uint32_t oid_of(const struct table *t)
{
    return 100 + (uint32_t)(t - tables);
}

static struct leaf *leaf_of(const struct table *t)
{
    return leafmap_find(&ing.map, oid_of(t))->leaf;
}

/* ------------------------------------------------------------ the stream */

static const int orders[][3] = {{0, 1, 2}, {2, 0, 1}, {1, 2, 0}, {0, 2, 1}};

static void describe(const struct table *t)
{
    char id[16], a[16], b[16], *columns[] = {id, a, b};
    int full = t->replident == 'f';
    snprintf(id, sizeof id, "id:20:%d", t->replident != 'n');
    snprintf(a, sizeof a, "a:%d:%d", t->odd_type ? 20 : 23, full);
    snprintf(b, sizeof b, "b:25:%d", full);
    const int *o = orders[t->order];
    char text[64];
    snprintf(text, sizeof text, "%s,%s,%s", columns[o[0]], columns[o[1]], columns[o[2]]);
    send_relation(&ing, oid_of(t), t->replident, text);
}

/* The tuple in the stream's order; key_only: NULL but for the key. toast: b is unchanged. */
static const char *tuple(const struct table *t, const struct row *r, bool key_only, bool toast)
{
    static const char *const texts[] = {"", "x", "yy", "long long long long long long long"};
    static char out[2][128];
    static int which;
    char fields[3][48] = {"", "~", "~"};
    char *s = out[which ^= 1];
    snprintf(fields[0], sizeof fields[0], "%d", r->id);
    if (!key_only && r->a >= 0)
        snprintf(fields[1], sizeof fields[1], "%d", r->a);
    if (!key_only && r->b >= 0)
        snprintf(fields[2], sizeof fields[2], "%s", toast ? "^" : texts[r->b]);
    const int *o = orders[t->order];
    snprintf(s, sizeof out[0], "%s|%s|%s", fields[o[0]], fields[o[1]], fields[o[2]]);
    return s;
}

static struct row any_row(struct input *in)
{
    uint8_t c = in_byte(in);
    return (struct row){c & 7, (c >> 3 & 3) - 1, (c >> 5 & 7) % 5 - 1};
}

static int find_id(const struct table *t, int id)
{
    for (int i = 0; i < t->n; i++)
        if (t->rows[i].id == id)
            return i;
    return -1;
}

/* Without a key or with a whole row as its identity a row may be there twice. */
static bool may_insert(const struct table *t, const struct row *r)
{
    return t->n < ROWS_MAX && (t->replident != 'd' || find_id(t, r->id) < 0);
}

static void insert(struct table *t, struct input *in)
{
    struct row r = any_row(in);
    if (!may_insert(t, &r))
        return;
    t->rows[t->n++] = r;
    send_insert(&ing, oid_of(t), tuple(t, &r, false, false));
}

static void delete (struct table *t, struct input *in)
{
    if (!t->n || t->replident == 'n')
        return;
    int i = (int)in_below(in, (uint32_t)t->n);
    char kind = t->replident == 'f' ? 'O' : 'K';
    send_delete(&ing, oid_of(t), kind, tuple(t, &t->rows[i], kind == 'K', false));
    t->rows[i] = t->rows[--t->n];
}

static void update(struct table *t, struct input *in)
{
    struct row r = any_row(in), *old;
    if (!t->n || t->replident == 'n')
        return;
    old = &t->rows[in_below(in, (uint32_t)t->n)];
    bool toast = in_byte(in) & 1 && old->b > 0;
    if (toast)
        r.b = old->b;
    if (t->replident == 'd' && r.id != old->id && find_id(t, r.id) >= 0)
        r.id = old->id;
    char kind = t->replident == 'f' ? 'O' : r.id != old->id ? 'K' : '\0';
    const char *before = tuple(t, old, kind == 'K', false);
    send_update(&ing, oid_of(t), kind, before, tuple(t, &r, false, toast));
    *old = r;
}

static void truncate_table(struct table *t)
{
    if (t->replident == 'n')
        return;
    send_truncate(&ing, oid_of(t));
    t->n = 0;
}

/* A row that is there already, or the end of one that isn't. */
static void damage(struct table *t, struct input *in)
{
    struct row r = any_row(in);
    if (t->replident == 'n')
        return;
    int i = find_id(t, r.id);
    if (i >= 0 && t->replident == 'f')
        return;
    t->damaged = true;
    if (i >= 0)
        send_insert(&ing, oid_of(t), tuple(t, &t->rows[i], false, false));
    else
        send_delete(&ing, oid_of(t), t->replident == 'f' ? 'O' : 'K',
                    tuple(t, &r, t->replident == 'd', false));
}

/* Another description; with another type if the leaf needs that column. */
static void redescribe(struct table *t, struct input *in)
{
    uint8_t c = in_byte(in);
    t->order = c & 3;
    t->odd_type = c >= 240;
    describe(t);
}

/* ------------------------------------------------------------ the model */

static void add_model_row(const struct table *t, const struct row *r, int64_t weight,
                          struct bag *bag)
{
    static const char *const texts[] = {"", "x", "yy", "long long long long long long long"};
    char a[16] = "~|", line[64];
    if (strstr(t->layout, "a:23") == NULL)
        a[0] = '\0';
    else if (r->a >= 0)
        snprintf(a, sizeof a, "%d|", r->a);
    int n = snprintf(line, sizeof line, "%d|%s%s", r->id, a, r->b < 0 ? "~" : texts[r->b]);
    bag_add(bag, line, (size_t)n, weight);
}

static void add_row(const struct layout *l, const uint8_t *row, int64_t weight, struct bag *bag)
{
    struct buf b = {0};
    print_row(l, row, &b);
    bag_add(bag, b.data, b.len, weight);
    buf_fini(&b);
}

static void add_store(const struct store *s, int64_t weight, struct bag *bag)
{
    uint64_t cursor = 0;
    int64_t copies;
    const uint8_t *row;
    while ((row = store_next(s, &cursor, &copies)))
        add_row(store_leaf(s)->layout, row, weight * copies, bag);
}

static void add_bag(const struct bag *from, int64_t weight, struct bag *bag)
{
    struct bag_cursor c = {0};
    const struct bag_entry *e;
    while ((e = bag_next(from, &c)))
        bag_add(bag, e->bytes, e->len, weight * e->weight);
}

static void must_be_model(const struct table *t, struct bag *difference)
{
    for (int i = 0; i < t->n; i++)
        add_model_row(t, &t->rows[i], -1, difference);
    if (difference->nentries) {
        struct bag_cursor c = {0};
        const struct bag_entry *e = bag_next(difference, &c);
        must_say(false, "table %u: %+d %.*s", oid_of(t), (int)e->weight, (int)e->len,
                 (const char *)e->bytes);
    }
    bag_fini(difference);
}

/* The leaf is read again: layout and store as a hydration would bring them. */
static void read_again(struct table *t)
{
    struct leaf *leaf = leaf_of(t);
    struct leaf_layout *l = make_layout(oid_of(t), t->replident, t->layout);
    leaf->layout = leaf_layout_ref(l);
    struct store *s = store_new(l);
    for (int i = 0; i < t->n; i++) {
        static const char *const texts[] = {"", "x", "yy", "long long long long long long long"};
        char a[16] = "~|", line[64];
        const struct row *r = &t->rows[i];
        if (strstr(t->layout, "a:23") == NULL)
            a[0] = '\0';
        else if (r->a >= 0)
            snprintf(a, sizeof a, "%d|", r->a);
        snprintf(line, sizeof line, "%d|%s%s", r->id, a, r->b < 0 ? "~" : texts[r->b]);
        store_put(s, line);
    }
    leaf->store = s;
    if (t->replident == 'n') {
        store_free(s);
        leaf->store = NULL;
    }
}

/* ------------------------------------------------------------ what comes out */

static struct step *new_step(void *arg)
{
    (void)arg;
    return step_new();
}

static struct table *table_of(const struct leaf *leaf)
{
    return &tables[leaf->relid - 100];
}

static void lost_event(void *arg, struct leaf *leaf, const struct err *why)
{
    struct table *t = table_of(leaf);
    (void)arg;
    must_say(t->damaged || t->odd_type, "table %u: %s", leaf->relid, why->message);
    t->lost = true;
}

static void reseed_event(void *arg, struct leaf *leaf)
{
    (void)arg;
    table_of(leaf)->reseed = true;
}

static const struct ingest_events events = {new_step, lost_event, reseed_event, NULL};

static void take_step(void)
{
    struct step *s = ingest_take_step(&ing);
    for (size_t i = 0; s && i < s->fragments.n; i++) {
        const struct fragment *f = &s->fragments.v[i];
        for (size_t k = 0; k < f->changes.n; k++)
            add_row(f->leaf->layout, f->changes.v[k].row, f->changes.v[k].weight,
                    &tables[f->relid - 100].view);
    }
    step_unref(s);
}

static void start_view(struct table *t)
{
    bag_clear(&t->view);
    for (int i = 0; i < t->n; i++)
        add_model_row(t, &t->rows[i], 1, &t->view);
    t->lost = t->reseed = t->damaged = false;
}

static void look_at(struct table *t)
{
    struct leaf *leaf = leaf_of(t);
    struct bag difference = {0};
    if (leaf->store) {
        add_store(leaf->store, 1, &difference);
        must_be_model(t, &difference);
    }
    add_bag(&t->view, 1, &difference);
    must_be_model(t, &difference);
}

static void end_transaction(bool take)
{
    bool restart = false;
    send_commit(&ing, lsn += 8);
    must(ing.position == lsn && !ing.in_txn);
    for (int i = 0; i < TABLES; i++) {
        must_say(tables[i].lost || !tables[i].damaged, "damage to table %d went unnoticed", i);
        restart |= tables[i].lost || tables[i].reseed;
    }
    if (!take && !restart)
        return;
    take_step();
    for (int i = 0; i < TABLES; i++) {
        struct table *t = &tables[i];
        if (t->lost) {
            t->odd_type = false;
            describe(t);
            read_again(t);
        }
        if (t->lost || t->reseed)
            start_view(t);
        look_at(t);
    }
}

/* ------------------------------------------------------------ a run */

static void change(struct input *in)
{
    uint8_t c = in_byte(in);
    struct table *t = &tables[c % TABLES];
    if (t->lost) /* until the commit nobody follows it */
        return;
    switch (c / TABLES % 16) {
    case 0: truncate_table(t); break;
    case 1: redescribe(t, in); break;
    case 2: damage(t, in); break;
    case 3:
    case 4:
    case 5:
    case 6: delete (t, in); break;
    case 7:
    case 8:
    case 9:
    case 10: update(t, in); break;
    default: insert(t, in);
    }
}

static void set_up(void)
{
    static const struct table kinds[TABLES] = {
        {.layout = "id:20:1,a:23:0,b:25:0", .replident = 'd'},
        {.layout = "id:20:1,a:23:0,b:25:0", .replident = 'f'},
        {.layout = "id:20:1,b:25:0", .replident = 'd'},
        {.layout = "id:20:0,a:23:0,b:25:0", .replident = 'n'},
    };
    ingest_init(&ing, &events, NULL);
    lsn = 1000;
    for (int i = 0; i < TABLES; i++) {
        tables[i] = kinds[i];
        bag_init(&tables[i].view);
        describe(&tables[i]);
        struct leafmap_entry *e = leafmap_get(&ing.map, oid_of(&tables[i]));
        e->leaf = leaf_new(e->relid);
        e->leaf->users = 1;
        read_again(&tables[i]);
    }
}

/* Accepted or not; whatever is said of it after is not compared any more. */
static void send_anything(struct input *in)
{
    struct err err;
    size_t len = (size_t)(in->end - in->p);
    char *copy = exact_copy(in->p, len);
    for (int i = 0; i < TABLES; i++)
        tables[i].damaged = true;
    err_clear(&err);
    bool ok = ingest_message(&ing, copy, len, &err);
    must(ok == !err_is_set(&err));
    free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in = {data, data + size};
    static const size_t limits[] = {SIZE_MAX, SIZE_MAX, 8192, 1};
    uint8_t how = in_byte(&in);
    set_up();
    ing.max_txn_bytes = limits[how & 3];
    for (int i = 0; i < 200 && in.end - in.p > 8; i++) {
        uint8_t c = in_byte(&in);
        send_begin(&ing, 700 + (uint32_t)i);
        for (int k = c & 7; k >= 0 && in.end - in.p > 8; k--)
            change(&in);
        end_transaction(c & 8);
    }
    if (how & 4)
        send_begin(&ing, 1);
    send_anything(&in);
    for (int i = 0; i < TABLES; i++)
        bag_fini(&tables[i].view);
    ingest_fini(&ing);
    return 0;
}
