/*
 * handover and ring: which transactions a snapshot shows, what is kept and for how long, and that a
 * table read at a snapshot ends up as if it had been watched all the time.
 */
#include <time.h>

#include "tests/unit/daemon/stream.h"

#define T    100u
#define U    200u
#define COLS "id:20:1,a:23:0"

static struct snapshot snapshot(uint64_t xmin, uint64_t xmax, size_t n, const uint64_t *xip)
{
    struct snapshot s = {.xmin = xmin, .xmax = xmax, .nxip = n};
    s.xip = xmalloc((n + 1) * sizeof *s.xip);
    if (n)
        memcpy(s.xip, xip, n * sizeof *xip);
    return s;
}

START_TEST(visibility)
{
    const uint64_t xip[] = {891, 893, 900};
    struct snapshot s = snapshot(891, 905, 3, xip);
    ck_assert(snapshot_shows(&s, 890));
    ck_assert(!snapshot_shows(&s, 891));
    ck_assert(snapshot_shows(&s, 892));
    ck_assert(!snapshot_shows(&s, 893));
    ck_assert(!snapshot_shows(&s, 900));
    ck_assert(snapshot_shows(&s, 904));
    ck_assert(!snapshot_shows(&s, 905));
    ck_assert(!snapshot_shows(&s, 1000));
    snapshot_fini(&s);
}
END_TEST

START_TEST(wraparound)
{
    const uint64_t epoch = 3ULL << 32;
    const uint64_t xip[] = {epoch - 2, epoch + 4};
    struct snapshot s = snapshot(epoch - 2, epoch + 10, 2, xip);
    ck_assert_uint_eq(xid_widen(5, epoch + 10), epoch + 5);
    ck_assert_uint_eq(xid_widen(UINT32_MAX, epoch + 10), epoch - 1);
    ck_assert_uint_eq(xid_widen(12, epoch - 1), epoch + 12);
    ck_assert(!snapshot_shows(&s, UINT32_MAX - 1)); /* epoch - 2 */
    ck_assert(snapshot_shows(&s, UINT32_MAX));
    ck_assert(snapshot_shows(&s, UINT32_MAX - 5));
    ck_assert(snapshot_shows(&s, 3));
    ck_assert(!snapshot_shows(&s, 4));
    ck_assert(!snapshot_shows(&s, 10));
    snapshot_fini(&s);
}
END_TEST

START_TEST(origin)
{
    const uint64_t open[] = {50}, waiting[] = {48, 50}, later[] = {50, 61};
    struct snapshot o = snapshot(50, 60, 1, open);
    struct snapshot fine = snapshot(50, 70, 2, later), lacking = snapshot(48, 70, 2, waiting);
    struct snapshot early = snapshot(50, 58, 1, open);
    ck_assert(snapshot_covers(&fine, &o));
    ck_assert(!snapshot_covers(&lacking, &o)); /* 48 was there before the stream */
    ck_assert(!snapshot_covers(&early, &o));
    snapshot_fini(&o);
    snapshot_fini(&fine);
    snapshot_fini(&lacking);
    snapshot_fini(&early);
}
END_TEST

/* ---- ring ---------------------------------------------------------------------------------- */

static struct rawtx *transaction(uint64_t seq, uint32_t xid, size_t size)
{
    struct rawtx_builder b;
    char body[1000] = "";
    rawtx_builder_init(&b);
    rawtx_builder_add(&b, NULL, body, size, 1 << 20);
    struct rawtx *t = rawtx_builder_take(&b, seq, xid, seq * 10);
    rawtx_builder_fini(&b);
    return t;
}

START_TEST(ring_is_bounded)
{
    struct ring r;
    ring_init(&r, 10000, 50);
    for (uint32_t i = 1; i <= 200; i++) {
        ring_push(&r, transaction(i, i, 900));
        ck_assert_uint_le(r.body_bytes, 10000);
        ck_assert_uint_le(r.log.n, 50);
    }
    /* All still there are needed by a snapshot that shows none: the oldest has no body. */
    struct snapshot none = snapshot(1, 1, 0, NULL);
    struct rawtx *t = NULL;
    ck_assert(!ring_next_unseen(&r, &none, UINT64_MAX, &t));
    ck_assert_ptr_nonnull(t);
    ck_assert_uint_eq(t->xid, 151);
    ck_assert(!ring_reaches(&r, &none));
    /* One that shows all but the last. */
    const uint64_t last[] = {200};
    struct snapshot most = snapshot(200, 201, 1, last);
    t = NULL;
    ck_assert(ring_reaches(&r, &most));
    ck_assert(ring_next_unseen(&r, &most, UINT64_MAX, &t));
    ck_assert_uint_eq(t->xid, 200);
    ck_assert(!ring_next_unseen(&r, &most, UINT64_MAX, &t));
    ck_assert_ptr_null(t);
    ring_trim(&r, &most, 0);
    ck_assert_uint_eq(r.log.n, 1);
    ck_assert(!r.lost);
    ck_assert(ring_reaches(&r, &none));
    ring_push(&r, transaction(201, 201, 10));
    ck_assert_uint_eq(r.log.n, 2);
    ring_clear(&r);
    snapshot_fini(&none);
    snapshot_fini(&most);
}
END_TEST

START_TEST(ring_keeps_what_is_out)
{
    struct ring r;
    struct snapshot all = snapshot(100, 100, 0, NULL), none = snapshot(1, 1, 0, NULL);
    struct rawtx *t = NULL;
    ring_init(&r, 1 << 20, 1000);
    for (uint32_t i = 1; i <= 10; i++)
        ring_push(&r, transaction(i, i, 10));
    ring_trim(&r, &all, 6); /* a hydration began at 6: older ones must stay */
    ck_assert_uint_eq(r.log.n, 5);
    for (uint32_t i = 1; i <= 3; i++) {
        ck_assert(ring_next_unseen(&r, &none, 4, &t));
        ck_assert_uint_eq(t->seq, i);
    }
    ck_assert(!ring_next_unseen(&r, &none, 4, &t));
    ck_assert_ptr_null(t);
    ring_clear(&r);
    snapshot_fini(&all);
    snapshot_fini(&none);
}
END_TEST

START_TEST(too_large_for_the_ring)
{
    struct rawtx_builder b;
    char body[100] = "";
    rawtx_builder_init(&b);
    for (int i = 0; i < 20; i++)
        rawtx_builder_add(&b, NULL, body, sizeof body, 1000);
    ck_assert(b.overflow);
    struct rawtx *t = rawtx_builder_take(&b, 1, 1, 10);
    ck_assert(!t->whole);
    ck_assert_uint_eq(t->len, 0);
    ck_assert(!b.overflow);
    rawtx_free(t);
    rawtx_builder_fini(&b);
}
END_TEST

/* ---- hydrations ---------------------------------------------------------------------------- */

static void ignore_lost(void *arg, struct leaf *leaf, const struct err *why)
{
    (void)arg, (void)leaf, (void)why;
}

static void ignore_reseed(void *arg, struct leaf *leaf)
{
    (void)arg, (void)leaf;
}

static struct step *new_step_event(void *arg)
{
    (void)arg;
    return step_new();
}

static const struct ingest_events events = {new_step_event, ignore_lost, ignore_reseed, NULL};
static const struct snapshot nothing_before = {.xmin = 1, .xmax = 1};

static struct hydration *begin_reading(struct ingest *ing, uint32_t relid)
{
    struct leafmap_entry *e = leafmap_get(&ing->map, relid);
    if (!e->leaf)
        e->leaf = leaf_new(relid);
    struct hydration *h = hydration_new(ing->seq);
    hydration_add_leaf(h, e->leaf);
    h->next = ing->hydrations;
    ing->hydrations = h;
    return h;
}

static void insert_txn(struct ingest *ing, uint32_t xid, lsn_t end, const char *row)
{
    send_begin(ing, xid);
    send_insert(ing, T, row);
    send_commit(ing, end);
}

/* H1: decoded before it is visible, and before the table was wanted. */
START_TEST(ring_then_pending_then_live)
{
    struct ingest ing;
    struct err err;
    ingest_init(&ing, &events, NULL);
    send_relation(&ing, T, 'd', COLS);
    insert_txn(&ing, 10, 100, "1|1"); /* visible */
    insert_txn(&ing, 11, 110, "2|1"); /* decoded, not visible: from the ring */
    struct hydration *h = begin_reading(&ing, T);
    insert_txn(&ing, 12, 120, "3|1"); /* visible */
    insert_txn(&ing, 13, 130, "4|1"); /* pending */
    send_begin(&ing, 14);
    send_update(&ing, T, 0, NULL, "2|5");
    send_commit(&ing, 140);
    struct leaf *leaf = h->leaves.v[0];
    leaf->next = store_new(make_layout(T, 'd', COLS));
    store_put(leaf->next, "1|1");
    store_put(leaf->next, "3|1");
    store_put(leaf->next, "6|1"); /* 16 is visible and not decoded yet */
    const uint64_t xip[] = {11, 13, 14, 15};
    struct snapshot s = snapshot(11, 17, 4, xip);
    s.insert_lsn = 165;
    ck_assert(hydration_replay(h, s, &nothing_before, &ing.ring, &ing.map, &err));
    ck_assert_str_eq(show_store(leaf->next), "1|1 2|5 3|1 4|1 6|1");
    insert_txn(&ing, 15, 150, "5|1");
    ck_assert(!hydration_is_exact(h, ing.position));
    insert_txn(&ing, 16, 160, "6|1"); /* skipped */
    ck_assert(!hydration_is_exact(h, ing.position));
    insert_txn(&ing, 18, 170, "7|1");
    ck_assert(hydration_is_exact(h, ing.position));
    ck_assert_str_eq(show_store(leaf->next), "1|1 2|5 3|1 4|1 5|1 6|1 7|1");
    leaf_promote(leaf);
    ck_assert_ptr_null(leaf->next);
    ck_assert_str_eq(show_store(leaf->store), "1|1 2|5 3|1 4|1 5|1 6|1 7|1");
    ingest_fini(&ing);
}
END_TEST

/* A prepared transaction keeps its xid in xip for days, and comes with COMMIT PREPARED. */
START_TEST(old_xid_arrives_late)
{
    struct ingest ing;
    struct err err;
    ingest_init(&ing, &events, NULL);
    send_relation(&ing, T, 'd', COLS);
    struct hydration *h = begin_reading(&ing, T);
    struct leaf *leaf = h->leaves.v[0];
    leaf->next = store_new(make_layout(T, 'd', COLS));
    const uint64_t xip[] = {5};
    ck_assert(
        hydration_replay(h, snapshot(5, 1000, 1, xip), &nothing_before, &ing.ring, &ing.map, &err));
    insert_txn(&ing, 5, 2000, "1|1");
    insert_txn(&ing, 999, 2010, "2|2");
    ck_assert_str_eq(show_store(leaf->next), "1|1");
    ingest_fini(&ing);
}
END_TEST

START_TEST(truncate_while_reading)
{
    struct ingest ing;
    struct err err;
    ingest_init(&ing, &events, NULL);
    send_relation(&ing, T, 'd', COLS);
    struct hydration *h = begin_reading(&ing, T);
    insert_txn(&ing, 10, 100, "1|1");
    send_begin(&ing, 11);
    send_truncate(&ing, T);
    send_insert(&ing, T, "2|2");
    send_commit(&ing, 110);
    struct leaf *leaf = h->leaves.v[0];
    leaf->next = store_new(make_layout(T, 'd', COLS));
    store_put(leaf->next, "1|1");
    ck_assert(
        hydration_replay(h, snapshot(11, 11, 0, NULL), &nothing_before, &ing.ring, &ing.map, &err));
    ck_assert_str_eq(show_store(leaf->next), "2|2");
    send_begin(&ing, 12);
    send_truncate(&ing, T);
    send_commit(&ing, 120);
    ck_assert_str_eq(show_store(leaf->next), "");
    ingest_fini(&ing);
}
END_TEST

START_TEST(too_much_pending)
{
    struct ingest ing;
    struct err err;
    ingest_init(&ing, &events, NULL);
    ing.max_pending_bytes = 2000;
    send_relation(&ing, T, 'd', COLS);
    struct hydration *h = begin_reading(&ing, T);
    for (uint32_t i = 0; i < 100; i++) {
        char row[32];
        snprintf(row, sizeof row, "%u|1", i);
        insert_txn(&ing, 10 + i, 100 + i * 10, row);
        ck_assert_uint_le(h->pending.bytes, 4000);
    }
    ck_assert(h->doomed);
    h->leaves.v[0]->next = store_new(make_layout(T, 'd', COLS));
    ck_assert(!hydration_replay(h, snapshot(10, 10, 0, NULL), &nothing_before, &ing.ring, &ing.map,
                                &err));
    ingest_fini(&ing);
}
END_TEST

START_TEST(body_gone_and_needed)
{
    struct ingest ing;
    struct err err;
    ingest_init(&ing, &events, NULL);
    ring_init(&ing.ring, 300, 1000);
    send_relation(&ing, T, 'd', COLS);
    for (uint32_t i = 0; i < 20; i++)
        insert_txn(&ing, 10 + i, 100 + i * 10, "1|1");
    struct hydration *h = begin_reading(&ing, T);
    h->leaves.v[0]->next = store_new(make_layout(T, 'd', COLS));
    ck_assert(!hydration_replay(h, snapshot(10, 10, 0, NULL), &nothing_before, &ing.ring, &ing.map,
                                &err));
    ingest_fini(&ing);
}
END_TEST

/*
 * Random: transactions over few keys, a table read at a random moment with a snapshot that shows a
 * random part of what commits around it. The read rows are computed from the history by brute force;
 * in the end the hydrated store must equal the one that watched everything.
 */
struct history {
    uint32_t xid;
    int key, value; /* value 0 = delete */
};

#define HKEYS 12

static void send_change(struct ingest *ing, const struct history *h, const int *before)
{
    char row[32];
    snprintf(row, sizeof row, "%d|%d", h->key, h->value);
    if (!h->value)
        send_delete(ing, T, 'K', row);
    else if (before[h->key])
        send_update(ing, T, 0, NULL, row);
    else
        send_insert(ing, T, row);
}

/* A history in which each transaction touches one key that no other open one touches: as locks
 * would have it, so any part of the last few may be visible. */
static void random_handover(void)
{
    enum {
        N = 80,
        OPEN = 6
    };
    struct ingest ing;
    struct err err;
    struct history hist[N];
    int state[HKEYS] = {0}, at_snapshot[HKEYS] = {0};
    size_t start = (size_t)random() % 40, read = start + (size_t)random() % 20;
    VEC(uint64_t) xip = {0};
    ingest_init(&ing, &events, NULL);
    send_relation(&ing, T, 'd', COLS);
    struct leaf *watched = add_leaf(&ing, make_layout(T, 'd', COLS));
    struct hydration *h = NULL;
    for (size_t i = 0; i < N; i++) { /* commit order; xids in another order, nearby */
        hist[i].xid = (uint32_t)(UINT32_MAX - 40 + (i / 4 * 4 + (i * 3 + 1) % 4));
        hist[i].key = (int)(i % OPEN) * 2 + (int)(random() % 2);
    }
    /* The snapshot is taken at `read`: of those around it some are visible. */
    uint64_t base = (7ULL << 32) + UINT32_MAX - 40, xmin = base + N, xmax = base;
    bool shown[N];
    for (size_t i = 0; i < N; i++) {
        uint64_t xid = base + (i / 4 * 4 + (i * 3 + 1) % 4);
        bool near = i + 3 > read && i < read + 3;
        shown[i] = near ? random() % 2 : i < read;
        if (shown[i] && xid >= xmax)
            xmax = xid + 1;
    }
    for (size_t i = 0; i < N; i++) {
        uint64_t xid = base + (i / 4 * 4 + (i * 3 + 1) % 4);
        if (!shown[i] && xid < xmax) {
            VEC_PUSH(xip, xid);
            xmin = xid < xmin ? xid : xmin;
        }
    }
    if (xmin > xmax)
        xmin = xmax;
    for (size_t i = 0; i + 1 < xip.n; i++) /* few: sort by exchange */
        for (size_t j = i + 1; j < xip.n; j++)
            if (xip.v[j] < xip.v[i]) {
                uint64_t x = xip.v[i];
                xip.v[i] = xip.v[j];
                xip.v[j] = x;
            }
    struct snapshot snap = snapshot(xmin, xmax, xip.n, xip.v);
    snap.insert_lsn = (read + 3) * 10 + 1000;
    VEC_FREE(xip);
    struct ingest *in = &ing;
    for (size_t i = 0; i < N; i++) {
        if (i == start) {
            /* A second leaf structure for the same table: the first is the judge. */
            struct leafmap_entry *e = leafmap_get(&in->map, T);
            h = hydration_new(in->seq);
            hydration_add_leaf(h, e->leaf);
            h->next = in->hydrations;
            in->hydrations = h;
        }
        hist[i].value = state[hist[i].key] && random() % 3 == 0 ? 0 : 1 + (int)(random() % 9);
        if (!state[hist[i].key] && !hist[i].value)
            hist[i].value = 1;
        send_begin(in, hist[i].xid);
        send_change(in, &hist[i], state);
        send_commit(in, 1000 + i * 10);
        state[hist[i].key] = hist[i].value;
        if (shown[i])
            at_snapshot[hist[i].key] = hist[i].value;
        if (h && !h->back && i == read + 5) {
            struct store *s = store_new(make_layout(T, 'd', COLS));
            for (int k = 0; k < HKEYS; k++) {
                char row[32];
                snprintf(row, sizeof row, "%d|%d", k, at_snapshot[k]);
                if (at_snapshot[k])
                    store_put(s, row);
            }
            watched->next = s;
            ck_assert_msg(hydration_replay(h, snap, &nothing_before, &in->ring, &in->map, &err),
                          "%s", err.message);
            memset(&snap, 0, sizeof snap);
        }
    }
    ck_assert(h && hydration_is_exact(h, in->position));
    char *want = strdup(show_store(watched->store));
    ck_assert_str_eq(show_store(watched->next), want);
    free(want);
    ingest_fini(in);
}

START_TEST(random_histories)
{
    for (int i = 0; i < 400; i++)
        random_handover();
}
END_TEST

int main(void)
{
    const char *env = getenv("SEED");
    unsigned seed = env ? (unsigned)strtoul(env, NULL, 10) : (unsigned)time(NULL);
    fprintf(stderr, "SEED=%u\n", seed);
    srandom(seed);
    Suite *s = suite_create("handover");
    TCase *tc = tcase_create("handover");
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, visibility);
    tcase_add_test(tc, wraparound);
    tcase_add_test(tc, origin);
    tcase_add_test(tc, ring_is_bounded);
    tcase_add_test(tc, ring_keeps_what_is_out);
    tcase_add_test(tc, too_large_for_the_ring);
    tcase_add_test(tc, ring_then_pending_then_live);
    tcase_add_test(tc, old_xid_arrives_late);
    tcase_add_test(tc, truncate_while_reading);
    tcase_add_test(tc, too_much_pending);
    tcase_add_test(tc, body_gone_and_needed);
    tcase_add_test(tc, random_histories);
    suite_add_tcase(s, tc);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
