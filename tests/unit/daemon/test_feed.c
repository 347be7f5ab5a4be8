/*
 * feed: plans, tables and seeds, with a hydrator and a worker made of arrays. What the worker is
 * told is written down as a line of text: "SEED p1 1|a" "LAST p1 100" "STALE p1" "STEP 110 +1:2|b".
 */
#include "tests/unit/daemon/stream.h"

#include "daemon/feed.h"
#include "daemon/log.h"

#define T    100u
#define U    200u
#define COLS "id:20:1,a:23:0,b:25:0"

struct worker {
    int no;
};

static struct worker the_worker;
static struct worker *const workers[] = {&the_worker};
static struct outbox out;
static struct feed feed;
static struct buf told;                /* lines since the last look */
static VEC(struct hydrate_job *) jobs; /* asked for and not answered */
static VEC(struct msg *) held;         /* seeds and steps the worker hasn't finished */
static bool slow;                      /* it finishes nothing */

/* ---- what the feed's surroundings do ------------------------------------------------------- */

int log_enabled(enum log_level level)
{
    (void)level;
    return 0;
}

void log_write(enum log_level level, const char *fmt, ...)
{
    (void)level, (void)fmt;
}

struct plan *plan_ref(struct plan *p)
{
    p->refs++;
    return p;
}

void plan_unref(struct plan *p)
{
    p->refs--;
}

static void finish(struct msg *m)
{
    if (m->kind == W_STEP)
        step_unref(((struct wmsg_step *)m)->step);
    else if (m->kind == W_SEED)
        step_unref(((struct wmsg_seed *)m)->part);
    if (m->kind != W_STEP)
        plan_unref(((struct wmsg_plan *)m)->plan);
    if (m->kind == W_LEAVES)
        free(((struct wmsg_leaves *)m)->leaves);
    free(m);
}

static void tell(struct msg *m)
{
    const char *key = m->kind == W_STEP ? "" : ((struct wmsg_plan *)m)->plan->spec->key;
    struct wmsg_seed *seed = (struct wmsg_seed *)m;
    struct step *step = ((struct wmsg_step *)m)->step;
    buf_adds(&told, told.len ? "; " : "");
    switch (m->kind) {
    case W_STEP:
        buf_addf(&told, "STEP %llu %s", (unsigned long long)step->lsn, show_step(step));
        break;
    case W_SEED:
        if (seed->last)
            buf_addf(&told, "LAST %s %llu", key, (unsigned long long)seed->lsn);
        else
            buf_addf(&told, "SEED %s %zu", key, seed->part->fragments.v[0].changes.n);
        break;
    case W_STALE: buf_addf(&told, "STALE %s", key); break;
    case W_LEAVES: buf_addf(&told, "LEAVES %s", key); break;
    case W_END: buf_addf(&told, "END %s %s", key, ((struct wmsg_end *)m)->err.sqlstate); break;
    case W_DROP: buf_addf(&told, "DROP %s", key); break;
    default: ck_abort_msg("message %d", m->kind);
    }
}

void worker_post(struct worker *w, struct msg *m)
{
    ck_assert_ptr_eq(w, &the_worker);
    tell(m);
    if (slow)
        VEC_PUSH(held, m);
    else
        finish(m);
}

static void expect(const char *want)
{
    ck_assert_str_eq(buf_cstr(&told), want);
    buf_reset(&told);
}

static void take_job(void *arg, struct msg *m)
{
    (void)arg;
    VEC_PUSH(jobs, (struct hydrate_job *)m);
}

/* ---- plans --------------------------------------------------------------------------------- */

struct test_plan {
    struct plan plan;
    struct plan_spec spec;
    struct plan_source source;
    uint32_t leaf;
    const char *names[3];
    struct column_type types[3];
};

static struct test_plan *make_plan(const char *key, uint32_t relid, const char *columns)
{
    struct test_plan *p = NEW(struct test_plan);
    p->leaf = relid;
    snprintf(p->spec.key, sizeof p->spec.key, "%s", key);
    p->spec.sources = &p->source;
    p->spec.nsources = 1;
    p->source = (struct plan_source){
        .table = relid, .leaves = &p->leaf, .nleaves = 1, .colnames = p->names, .cols = p->types};
    for (const char *c = columns; *c; c++) {
        uint32_t type = *c == 'a' ? OID_INT4 : *c == 'b' ? OID_TEXT : OID_INT8;
        p->names[p->source.ncols] = *c == 'a' ? "a" : *c == 'b' ? "b" : "id";
        p->types[p->source.ncols++] = (struct column_type){.type = type_native(type), .typmod = -1};
    }
    p->plan.refs = 1;
    p->plan.spec = &p->spec;
    p->plan.worker = &the_worker;
    return p;
}

static void add_plan(struct test_plan *p)
{
    feed_add_plan(&feed, plan_ref(&p->plan));
}

static void drop_plan(struct test_plan *p)
{
    feed_drop_plan(&feed, &p->plan);
    ck_assert_int_eq(p->plan.refs, 1);
    free(p);
}

/* ---- the hydrator -------------------------------------------------------------------------- */

/* The columns asked for: "a b". */
static char *asked(size_t job)
{
    static char text[100];
    text[0] = '\0';
    ck_assert_uint_lt(job, jobs.n);
    for (size_t i = 0; i < jobs.v[job]->tables[0].ncols; i++) {
        strcat(text, i ? " " : "");
        strcat(text, jobs.v[job]->tables[0].names[i]);
    }
    return text;
}

static struct hydrate_job *next_job(void)
{
    ck_assert_uint_gt(jobs.n, 0);
    struct hydrate_job *job = jobs.v[0];
    memmove(jobs.v, jobs.v + 1, --jobs.n * sizeof *jobs.v);
    return job;
}

/* Answers the oldest job: rows (NULL-terminated) in the layout, seen by a snapshot that shows all
 * xids below xmax. */
static void answer(char replident, const char *layout, const char *const *rows, uint64_t xmax,
                   lsn_t insert_lsn)
{
    struct hydrate_job *job = next_job();
    for (size_t i = 0; i < job->ntables; i++) {
        struct hydrate_table *t = &job->tables[i];
        t->store = store_new(make_layout(t->relid, replident, layout));
        for (size_t j = 0; rows[j]; j++)
            store_put(t->store, rows[j]);
    }
    job->snap.xmin = job->snap.xmax = xmax;
    job->snap.insert_lsn = insert_lsn;
    job->snap.postmaster_start = 77;
    feed_hydrated(&feed, job);
}

static void refuse(const char *sqlstate, bool permanent)
{
    struct hydrate_job *job = next_job();
    err_set(&job->tables[0].err, sqlstate, "no");
    job->tables[0].permanent = permanent;
    job->snap.postmaster_start = 77;
    feed_hydrated(&feed, job);
}

static const char *const two_rows[] = {"1|10|x", "2|20|y", NULL};
static const char *const no_rows[] = {NULL};

static void resume(lsn_t position)
{
    struct snapshot origin = {.xmin = 3, .xmax = 3};
    feed_resume(&feed, position, origin, 77);
}

static void setup(void)
{
    slow = false;
    memset(&out, 0, sizeof out);
    out.workers = workers;
    out.nworkers = 1;
    feed_init(&feed, &out);
    feed.limits = (struct feed_limits){.retry_min = 100, .retry_max = 1000, .seed_parts = 2};
    feed.ask = take_job;
    resume(100);
}

static void teardown(void)
{
    feed_fini(&feed);
    outbox_fini(&out);
    while (jobs.n)
        hydrate_job_free(next_job());
    VEC_FREE(jobs);
    VEC_FREE(held);
    buf_fini(&told);
}

static void run(uint64_t now)
{
    ck_assert(feed_run(&feed, now));
}

static void one_insert(uint32_t xid, lsn_t end, const char *row)
{
    send_begin(&feed.ing, xid);
    send_insert(&feed.ing, T, row);
    send_commit(&feed.ing, end);
    feed_flush(&feed);
}

/* A plan over T with all columns, live at 100. */
static struct test_plan *live_plan(const char *key)
{
    struct test_plan *p = make_plan(key, T, "iab");
    send_relation(&feed.ing, T, 'd', COLS);
    add_plan(p);
    run(1);
    answer('d', COLS, two_rows, 700, 100);
    run(2);
    buf_reset(&told);
    return p;
}

START_TEST(from_nothing_to_live)
{
    struct test_plan *p = make_plan("p1", T, "iab");
    send_relation(&feed.ing, T, 'd', COLS);
    add_plan(p);
    run(1);
    ck_assert_str_eq(asked(0), "id a b");
    expect("");
    one_insert(699, 110, "2|20|y"); /* in the snapshot */
    expect("");                     /* nobody reads it yet */
    one_insert(701, 120, "3|30|z"); /* not in it */
    answer('d', COLS, two_rows, 700, 125);
    run(2);
    expect(""); /* the stream isn't there yet */
    ingest_alive(&feed.ing, 125);
    run(3);
    expect("SEED p1 3; LAST p1 125");
    one_insert(702, 130, "4|40|w");
    expect("STEP 130 +1:4|40|w");
    run(4);
    ck_assert_uint_eq(jobs.n, 0);
    drop_plan(p);
    expect("DROP p1");
    ck_assert_ptr_null(leafmap_find(&feed.ing.map, T)->leaf);
    one_insert(703, 140, "5|50|v");
    expect("");
}
END_TEST

START_TEST(second_plan_is_seeded_from_the_store)
{
    struct test_plan *p = live_plan("p1"), *q = make_plan("p2", T, "b");
    add_plan(q);
    run(5);
    expect("SEED p2 2; LAST p2 100");
    ck_assert_uint_eq(jobs.n, 0);
    drop_plan(p);
    drop_plan(q);
}
END_TEST

START_TEST(more_columns_while_the_old_ones_are_served)
{
    struct test_plan *p = make_plan("p1", T, "a"), *q = make_plan("p2", T, "b");
    static const char *const narrow[] = {"1|10", "2|20", NULL};
    send_relation(&feed.ing, T, 'd', COLS);
    add_plan(p);
    run(1);
    ck_assert_str_eq(asked(0), "a");
    answer('d', "id:20:1,a:23:0", narrow, 700, 100);
    run(2);
    expect("SEED p1 2; LAST p1 100");
    add_plan(q);
    run(3);
    ck_assert_str_eq(asked(0), "b a");
    one_insert(700, 110, "3|30|z");
    expect("STEP 110 +1:3|30");
    answer('d', COLS, two_rows, 700, 105);
    one_insert(701, 120, "4|40|w");
    expect("STEP 120 +1:4|40");
    run(4);
    expect("SEED p2 4; LAST p2 120");
    one_insert(702, 130, "5|50|v");
    expect("STEP 130 +1:5|50|v");
    drop_plan(p);
    drop_plan(q);
}
END_TEST

START_TEST(rows_without_identity_are_not_kept)
{
    struct test_plan *p = make_plan("p1", T, "a"), *q = make_plan("p2", T, "a");
    static const char *const rows[] = {"7", "7", "8", NULL};
    send_relation(&feed.ing, T, 'n', "id:20:0,a:23:0,b:25:0");
    add_plan(p);
    run(1);
    answer('n', "a:23:0", rows, 700, 100);
    run(2);
    expect("SEED p1 2; LAST p1 100"); /* two different rows */
    ck_assert_ptr_null(leafmap_find(&feed.ing.map, T)->leaf->store);
    one_insert(700, 110, "5|7|x");
    expect("STEP 110 +1:7");
    add_plan(q); /* must be read again */
    run(3);
    ck_assert_uint_eq(jobs.n, 1);
    drop_plan(p);
    drop_plan(q);
}
END_TEST

/* After a rewrite the old row in the message isn't the one that the plan was given. */
START_TEST(old_rows_of_the_message_must_be_known)
{
    struct test_plan *p = make_plan("p1", T, "a");
    static const char *const rows[] = {"7", "7", "8", NULL};
    send_relation(&feed.ing, T, 'f', "id:20:1,a:23:1,b:25:1");
    add_plan(p);
    run(1);
    answer('f', "a:23:1", rows, 700, 100);
    run(2);
    expect("SEED p1 2; LAST p1 100");
    send_begin(&feed.ing, 700);
    send_delete(&feed.ing, T, 'O', "5|7|x");
    send_commit(&feed.ing, 110);
    feed_flush(&feed);
    expect("STEP 110 -1:7");
    send_begin(&feed.ing, 701);
    send_update(&feed.ing, T, 'O', "5|700|x", "5|701|x");
    expect("STALE p1");
    send_commit(&feed.ing, 120);
    run(3);
    ck_assert_uint_eq(jobs.n, 1);
    drop_plan(p);
}
END_TEST

START_TEST(session_lost)
{
    struct test_plan *p = live_plan("p1"), *q = make_plan("p2", U, "a");
    add_plan(q); /* waits, has no state yet */
    run(3);
    ck_assert_uint_eq(jobs.n, 1);
    feed_suspend(&feed);
    expect("STALE p1");
    run(4);
    ck_assert_uint_eq(jobs.n, 1);
    resume(200);
    answer('d', COLS, two_rows, 700, 100); /* of the old session: of no use */
    run(5);
    expect("");
    ck_assert_uint_eq(jobs.n, 2); /* T and U */
    send_relation(&feed.ing, T, 'd', COLS);
    answer('d', COLS, no_rows, 700, 100);
    run(6);
    expect("LAST p1 200");
    drop_plan(p);
    drop_plan(q);
}
END_TEST

START_TEST(failures)
{
    struct test_plan *p = make_plan("p1", T, "a"), *q = make_plan("p2", U, "a");
    add_plan(p);
    run(1000);
    refuse("55P03", false);
    run(1001);
    ck_assert_uint_eq(jobs.n, 0);
    ck_assert_uint_eq(feed.retry_at, 1100);
    run(1099);
    ck_assert_uint_eq(jobs.n, 0);
    run(1100);
    ck_assert_uint_eq(jobs.n, 1);
    refuse("55P03", false);
    run(1101);
    ck_assert_uint_eq(feed.retry_at, 1300); /* twice as long */
    run(1300);
    add_plan(q);
    refuse("0A000", true);
    expect("END p1 0A000");
    run(1301);
    ck_assert_uint_eq(jobs.n, 1);
    ck_assert_uint_eq(jobs.v[0]->tables[0].relid, U);
    drop_plan(p);
    drop_plan(q);
    expect("DROP p1; DROP p2");
}
END_TEST

START_TEST(other_postmaster)
{
    struct test_plan *p = make_plan("p1", T, "a");
    add_plan(p);
    run(1);
    jobs.v[0]->snap.xip = NULL;
    feed.postmaster_start = 78;
    answer('d', COLS, two_rows, 700, 100);
    run(2);
    expect("");
    drop_plan(p);
}
END_TEST

START_TEST(dropped_while_it_is_read)
{
    struct test_plan *p = make_plan("p1", T, "a"), *q = make_plan("p2", T, "a");
    add_plan(p);
    run(1);
    drop_plan(p);
    add_plan(q); /* the same table, a job of its own */
    run(2);
    ck_assert_uint_eq(jobs.n, 2);
    answer('d', COLS, two_rows, 700, 100);
    run(3);
    expect("DROP p1");
    answer('d', COLS, two_rows, 700, 100);
    run(4);
    expect("SEED p2 2; LAST p2 100");
    drop_plan(q);
}
END_TEST

START_TEST(schema_changed)
{
    struct test_plan *p = live_plan("p1"), *q = make_plan("p2", U, "a");
    const uint32_t relids[] = {T, U};
    add_plan(q);
    run(3);
    feed_schema_changed(&feed, relids, 2);
    expect("STALE p1");
    run(4);
    ck_assert_uint_eq(jobs.n, 2);
    answer('d', COLS, two_rows, 700, 100); /* U's: read before the change */
    run(5);
    expect("");
    answer('d', COLS, two_rows, 700, 100);
    run(6);
    expect("SEED p1 2; LAST p1 100");
    drop_plan(p);
    drop_plan(q);
}
END_TEST

/* A row that should be there isn't: the plan starts over. */
START_TEST(lost_in_mid_transaction)
{
    struct test_plan *p = live_plan("p1");
    send_begin(&feed.ing, 700);
    send_insert(&feed.ing, T, "3|30|z");
    send_delete(&feed.ing, T, 'K', "99|~|~");
    expect("STALE p1");
    send_commit(&feed.ing, 110);
    run(3);
    ck_assert_uint_eq(jobs.n, 1);
    answer('d', COLS, two_rows, 701, 105);
    run(4);
    expect("STEP 110 +1:3|30|z; SEED p1 2; LAST p1 110");
    drop_plan(p);
}
END_TEST

START_TEST(truncate_starts_over_without_reading)
{
    struct test_plan *p = live_plan("p1");
    feed.ing.max_txn_bytes = 1;
    send_begin(&feed.ing, 700);
    send_truncate(&feed.ing, T);
    send_insert(&feed.ing, T, "3|30|z");
    send_commit(&feed.ing, 110);
    expect("STALE p1");
    run(3);
    expect("STEP 110 ; SEED p1 1; LAST p1 110");
    ck_assert_uint_eq(jobs.n, 0);
    drop_plan(p);
}
END_TEST

START_TEST(seeds_are_bounded)
{
    struct test_plan *p = make_plan("p1", T, "a");
    enum {
        ROWS = 150000
    };
    add_plan(p);
    run(1);
    struct hydrate_job *job = next_job();
    struct store *s = store_new(make_layout(T, 'd', "id:20:1,a:23:0"));
    for (int i = 0; i < ROWS; i++) {
        char row[40];
        snprintf(row, sizeof row, "%d|%d", i, i);
        store_put(s, row);
    }
    job->tables[0].store = s;
    job->snap = (struct snapshot){.xmin = 700, .xmax = 700, .postmaster_start = 77};
    feed_hydrated(&feed, job);
    slow = true;
    ck_assert(!feed_run(&feed, 2));
    ck_assert_uint_eq(held.n, 2);
    ck_assert(!feed_run(&feed, 3));
    ck_assert_uint_eq(held.n, 2);
    size_t rows = 0, rounds = 0;
    for (bool done = false; !done || held.n; rounds++) {
        for (size_t i = 0; i < held.n; i++) {
            struct wmsg_seed *m = (struct wmsg_seed *)held.v[i];
            rows += m->part ? m->part->fragments.v[0].changes.n : 0;
            finish(held.v[i]);
        }
        held.n = 0;
        done = feed_run(&feed, 4);
    }
    ck_assert_uint_eq(rows, ROWS);
    ck_assert_uint_ge(rounds, 2);
    slow = false;
    drop_plan(p);
}
END_TEST

START_TEST(no_tables_at_all)
{
    struct test_plan *p = make_plan("p1", T, "a");
    p->spec.nsources = 0;
    add_plan(p);
    run(1);
    expect("LAST p1 100");
    drop_plan(p);
}
END_TEST

/* The plan that asked for the columns is gone, and the same is wanted again while the table is being
 * read without them. What comes back must not take them from under it. */
START_TEST(columns_wanted_again_while_the_table_is_read)
{
    struct test_plan *p = make_plan("p1", T, "a"), *q = make_plan("p2", T, "b");
    static const char *const narrow[] = {"1|10", "2|20", NULL}, *const other[] = {"1|x", "2|y",
                                                                                  NULL};
    send_relation(&feed.ing, T, 'd', COLS);
    add_plan(p);
    run(1);
    answer('d', "id:20:1,a:23:0", narrow, 700, 100);
    run(2);
    add_plan(q);
    drop_plan(p);
    buf_reset(&told);
    run(3);
    ck_assert_str_eq(asked(0), "b");
    p = make_plan("p3", T, "a");
    add_plan(p);
    run(4);
    expect("SEED p3 2; LAST p3 100");
    answer('d', "id:20:1,b:25:0", other, 700, 100);
    run(5);
    expect("");
    one_insert(700, 110, "3|30|z");
    expect("STEP 110 +1:3|30");
    run(feed.retry_at);
    ck_assert_str_eq(asked(0), "b a");
    static const char *const three[] = {"1|10|x", "2|20|y", "3|30|z", NULL};
    answer('d', COLS, three, 701, 105);
    run(feed.retry_at + 1000);
    expect("SEED p2 3; LAST p2 110");
    drop_plan(p);
    drop_plan(q);
}
END_TEST

/* A rewrite sends no rows. The next read finds other rows than the plans were seeded with. */
START_TEST(rewritten_before_it_is_read_again)
{
    struct test_plan *p = make_plan("p1", T, "a"), *q = make_plan("p2", T, "b");
    static const char *const narrow[] = {"1|10", "2|20", NULL};
    send_relation(&feed.ing, T, 'd', COLS);
    add_plan(p);
    run(1);
    answer('d', "id:20:1,a:23:0", narrow, 700, 100);
    run(2);
    expect("SEED p1 2; LAST p1 100");
    add_plan(q);
    run(3);
    struct hydrate_job *job = next_job();
    struct leaf_layout *l = make_layout(T, 'd', COLS);
    l->file = 1;
    job->tables[0].store = store_new(l);
    store_put(job->tables[0].store, "1|11|x");
    job->snap = (struct snapshot){.xmin = 700, .xmax = 700, .postmaster_start = 77};
    feed_hydrated(&feed, job);
    run(4);
    expect("STALE p1; SEED p1 1; LAST p1 100; SEED p2 1; LAST p2 100");
    drop_plan(p);
    drop_plan(q);
}
END_TEST

/* Each seed is of one store from its first part to its last. */
START_TEST(read_again_in_the_middle_of_a_seed)
{
    enum {
        ROWS = 200000
    };
    struct test_plan *p = make_plan("p1", T, "a"), *q = make_plan("p2", T, "b");
    add_plan(p);
    run(1);
    struct hydrate_job *job = next_job();
    struct store *s = store_new(make_layout(T, 'd', "id:20:1,a:23:0"));
    for (int i = 0; i < ROWS; i++) {
        char row[40];
        snprintf(row, sizeof row, "%d|%d", i, i);
        store_put(s, row);
    }
    job->tables[0].store = s;
    job->snap = (struct snapshot){.xmin = 700, .xmax = 700, .postmaster_start = 77};
    feed_hydrated(&feed, job);
    add_plan(q);
    slow = true;
    ck_assert(!feed_run(&feed, 2)); /* some parts of p1 are out, and more columns asked for */
    ck_assert_str_eq(asked(0), "b a");
    static const char *const rows[] = {"1|10|x", NULL};
    answer('d', COLS, rows, 700, 100);
    size_t of_p = 0;
    for (bool done = false; !done || held.n;) {
        for (size_t i = 0; i < held.n; i++) {
            struct wmsg_seed *m = (struct wmsg_seed *)held.v[i];
            if (m->part && m->plan == &p->plan)
                of_p += m->part->fragments.v[0].changes.n;
            finish(held.v[i]);
        }
        held.n = 0;
        done = feed_run(&feed, 3);
    }
    ck_assert_uint_eq(of_p, ROWS);
    slow = false;
    drop_plan(p);
    drop_plan(q);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("feed");
    TCase *tc = tcase_create("feed");
    tcase_set_timeout(tc, 60);
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, from_nothing_to_live);
    tcase_add_test(tc, second_plan_is_seeded_from_the_store);
    tcase_add_test(tc, more_columns_while_the_old_ones_are_served);
    tcase_add_test(tc, rows_without_identity_are_not_kept);
    tcase_add_test(tc, old_rows_of_the_message_must_be_known);
    tcase_add_test(tc, session_lost);
    tcase_add_test(tc, failures);
    tcase_add_test(tc, other_postmaster);
    tcase_add_test(tc, dropped_while_it_is_read);
    tcase_add_test(tc, schema_changed);
    tcase_add_test(tc, lost_in_mid_transaction);
    tcase_add_test(tc, truncate_starts_over_without_reading);
    tcase_add_test(tc, seeds_are_bounded);
    tcase_add_test(tc, no_tables_at_all);
    tcase_add_test(tc, columns_wanted_again_while_the_table_is_read);
    tcase_add_test(tc, rewritten_before_it_is_read_again);
    tcase_add_test(tc, read_again_in_the_middle_of_a_seed);
    suite_add_tcase(s, tc);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
