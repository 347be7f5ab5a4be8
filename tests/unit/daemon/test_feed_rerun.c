/*
 * feed_rerun and prefix: when a statement is asked again, as of which LSN its answer is, and which
 * answers are thrown away. The worker's news are written down: "TOUCHED r1 120",
 * "ANSWER r1 120 until 130" ("until -": no end known), "FAILED …", "STALE r1".
 */
#include "tests/unit/daemon/stream.h"

#include "daemon/feed.h"
#include "daemon/log.h"
#include "daemon/rerun.h"

#define T    100u
#define U    200u
#define COLS "id:20:1,a:23:0"

struct worker {
    int no;
};

static struct worker the_worker;
static struct worker *const workers[] = {&the_worker};
static struct outbox out;
static struct feed feed;
static struct buf told;
static VEC(struct hydrate_job *) publishing;
static VEC(struct rerun_job *) asked;

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

static void tell_answer(const struct wmsg_answer *m)
{
    buf_addf(&told, "%s %s %llu until ", err_is_set(&m->err) ? "FAILED" : "ANSWER",
             m->plan->spec->key, (unsigned long long)m->lsn);
    if (m->until == LSN_MAX)
        buf_addc(&told, '-');
    else
        buf_addf(&told, "%llu", (unsigned long long)m->until);
}

void worker_post(struct worker *w, struct msg *m)
{
    struct plan *plan = ((struct wmsg_plan *)m)->plan;
    (void)w;
    if (m->kind == W_STEP) {
        step_unref(((struct wmsg_step *)m)->step);
        free(m);
        return;
    }
    buf_adds(&told, told.len ? "; " : "");
    switch (m->kind) {
    case W_TOUCHED:
        buf_addf(&told, "TOUCHED %s %llu", plan->spec->key,
                 (unsigned long long)((struct wmsg_touched *)m)->lsn);
        break;
    case W_ANSWER: tell_answer((struct wmsg_answer *)m); break;
    case W_STALE: buf_addf(&told, "STALE %s", plan->spec->key); break;
    case W_END:
        buf_addf(&told, "END %s %s", plan->spec->key, ((struct wmsg_end *)m)->err.sqlstate);
        break;
    case W_DROP: buf_addf(&told, "DROP %s", plan->spec->key); break;
    default: ck_abort_msg("message %d", m->kind);
    }
    plan_unref(plan);
    free(m);
}

static void expect(const char *want)
{
    ck_assert_str_eq(buf_cstr(&told), want);
    buf_reset(&told);
}

static void take_publishing(void *arg, struct msg *m)
{
    (void)arg;
    VEC_PUSH(publishing, (struct hydrate_job *)m);
}

static void take_asked(void *arg, struct msg *m)
{
    (void)arg;
    VEC_PUSH(asked, (struct rerun_job *)m);
}

/* ---- plans, answers ------------------------------------------------------------------------ */

struct test_plan {
    struct plan plan;
    struct plan_spec spec;
    struct plan_source source;
    struct plan_rerun rerun;
    uint32_t leaf;
};

static struct test_plan *add_plan(const char *key, uint32_t relid)
{
    struct test_plan *p = NEW(struct test_plan);
    p->leaf = relid;
    snprintf(p->spec.key, sizeof p->spec.key, "%s", key);
    p->rerun.what = p->spec.question.sql = "x";
    p->spec.rerun = &p->rerun;
    p->spec.sources = &p->source;
    p->spec.nsources = 1;
    p->source = (struct plan_source){.table = relid, .leaves = &p->leaf, .nleaves = 1};
    p->plan.refs = 1;
    p->plan.spec = &p->spec;
    p->plan.worker = &the_worker;
    feed_add_plan(&feed, plan_ref(&p->plan));
    return p;
}

static void drop_plan(struct test_plan *p)
{
    feed_drop_plan(&feed, &p->plan);
    ck_assert_int_eq(p->plan.refs, 1);
    free(p);
}

static void publish(const char *sqlstate)
{
    ck_assert_uint_eq(publishing.n, 1);
    struct hydrate_job *job = publishing.v[--publishing.n];
    ck_assert(job->publish);
    if (sqlstate) {
        err_set(&job->tables[0].err, sqlstate, "no");
        job->tables[0].permanent = true;
    }
    feed_hydrated(&feed, job);
}

static void run(uint64_t now)
{
    ck_assert(feed_run(&feed, now));
}

/* The statements asked are answered in a snapshot that shows all xids below xmax but one. */
static void answer(enum rerun_outcome outcome, uint64_t xmax, uint64_t hidden, lsn_t insert_lsn)
{
    ck_assert_uint_eq(asked.n, 1);
    struct rerun_job *job = asked.v[--asked.n];
    for (size_t i = 0; i < job->n; i++) {
        job->items[i].outcome = outcome;
        if (outcome != RERUN_ROWS)
            err_set(&job->items[i].err, outcome == RERUN_ENDED ? "42P01" : "22012", "no");
    }
    job->snap.xmin = hidden ? hidden : xmax;
    job->snap.xmax = xmax;
    if (hidden) {
        job->snap.xip = xmalloc(sizeof hidden);
        job->snap.xip[0] = hidden;
        job->snap.nxip = 1;
    }
    job->snap.insert_lsn = insert_lsn;
    job->snap.postmaster_start = 77;
    feed_answered(&feed, job);
}

static void insert_into(uint32_t table, uint32_t xid, lsn_t end)
{
    send_begin(&feed.ing, xid);
    send_insert(&feed.ing, table, "1|1");
    send_commit(&feed.ing, end);
    feed_flush(&feed);
}

static void resume(lsn_t position)
{
    struct snapshot origin = {.xmin = 3, .xmax = 3};
    feed_resume(&feed, position, origin, 77);
    send_relation(&feed.ing, T, 'd', COLS);
    send_relation(&feed.ing, U, 'd', COLS);
}

static void setup(void)
{
    memset(&out, 0, sizeof out);
    out.workers = workers;
    out.nworkers = 1;
    feed_init(&feed, &out);
    feed.limits = (struct feed_limits){
        .retry_min = 100, .retry_max = 1000, .rerun_interval = 5000, .seed_parts = 2};
    feed.ask = take_publishing;
    feed.ask_rerun = take_asked;
    resume(100);
}

static void teardown(void)
{
    feed_fini(&feed);
    outbox_fini(&out);
    while (publishing.n)
        hydrate_job_free(publishing.v[--publishing.n]);
    while (asked.n)
        rerun_job_free(asked.v[--asked.n]);
    VEC_FREE(publishing);
    VEC_FREE(asked);
    buf_fini(&told);
}

/* A plan over T, answered at 100. */
static struct test_plan *live_plan(const char *key)
{
    struct test_plan *p = add_plan(key, T);
    run(1);
    publish(NULL);
    run(2);
    answer(RERUN_ROWS, 700, 0, 100);
    run(3);
    buf_reset(&told);
    return p;
}

/* ---- prefixes ------------------------------------------------------------------------------ */

START_TEST(prefixes)
{
    uint64_t xip[] = {703};
    struct snapshot s = {.xmin = 703, .xmax = 710, .xip = xip, .nxip = 1};
    const struct touch fine[] = {{10, 700}, {20, 705}, {30, 703}, {40, 712}};
    const struct touch torn[] = {{10, 700}, {20, 703}, {30, 705}};
    lsn_t shown, hidden;
    ck_assert(prefix_of(fine, 4, &s, &shown, &hidden));
    ck_assert_uint_eq(shown, 20);
    ck_assert_uint_eq(hidden, 30);
    ck_assert(prefix_of(fine, 2, &s, &shown, &hidden));
    ck_assert_uint_eq(hidden, LSN_MAX);
    ck_assert(!prefix_of(torn, 3, &s, &shown, &hidden));
    ck_assert(prefix_of(torn, 0, &s, &shown, &hidden));
    ck_assert_uint_eq(shown, 0);
}
END_TEST

/* ---- answers ------------------------------------------------------------------------------- */

START_TEST(a_first_answer_bears_the_position_of_the_stream)
{
    struct test_plan *p = add_plan("r1", T);
    run(1);
    ck_assert_uint_eq(asked.n, 0); /* not published yet */
    insert_into(T, 699, 110);      /* nobody knows an answer that this would change */
    publish(NULL);
    run(2);
    answer(RERUN_ROWS, 700, 0, 125);
    run(3);
    expect(""); /* the stream isn't there yet */
    ingest_alive(&feed.ing, 130);
    run(4);
    expect("ANSWER r1 130 until -");
    run(5);
    ck_assert_uint_eq(asked.n, 0);
    drop_plan(p);
    expect("DROP r1");
}
END_TEST

START_TEST(a_touch_is_told_at_once_and_answered_later)
{
    struct test_plan *p = live_plan("r1");
    insert_into(U, 700, 110);
    expect("");
    insert_into(T, 701, 120);
    expect("TOUCHED r1 120");
    insert_into(T, 702, 130);
    expect("");
    run(4);
    insert_into(T, 703, 140);
    answer(RERUN_ROWS, 703, 0, 135);
    run(5);
    expect("ANSWER r1 130 until 140");
    ck_assert_uint_eq(asked.n, 1);
    insert_into(T, 704, 150);
    answer(RERUN_ROWS, 705, 0, 150);
    run(6);
    expect("ANSWER r1 150 until -");
    insert_into(T, 705, 160);
    expect("TOUCHED r1 160");
    drop_plan(p);
}
END_TEST

START_TEST(what_is_no_prefix_is_thrown_away)
{
    struct test_plan *p = live_plan("r1");
    insert_into(T, 702, 110); /* committed first, shown last */
    insert_into(T, 701, 120);
    expect("TOUCHED r1 110");
    run(4);
    answer(RERUN_ROWS, 703, 702, 120);
    run(5);
    expect("");
    run(10);
    answer(RERUN_ROWS, 703, 701, 120);
    run(11);
    expect("ANSWER r1 110 until 120");
    run(12);
    answer(RERUN_ROWS, 703, 701, 130); /* nothing new to see */
    ingest_alive(&feed.ing, 130);
    run(13);
    expect("");
    run(30);
    answer(RERUN_ROWS, 703, 0, 130);
    run(31);
    expect("ANSWER r1 120 until -");
    drop_plan(p);
}
END_TEST

START_TEST(a_commit_decoded_before_the_plan_began_must_be_shown)
{
    insert_into(T, 650, 105);
    struct test_plan *p = add_plan("r1", T);
    run(1);
    publish(NULL);
    run(2);
    answer(RERUN_ROWS, 700, 650, 105);
    run(3);
    expect("");
    run(10);
    answer(RERUN_ROWS, 700, 0, 105);
    run(11);
    expect("ANSWER r1 105 until -");
    drop_plan(p);
}
END_TEST

/* The watch's snapshot is later than that of the answer under way: what it shows is not what the
 * answer shows. Without the ring's memory the answer would pass for that of 105, and 650 be lost. */
START_TEST(a_commit_shown_meanwhile_may_be_missing_from_the_answer_all_the_same)
{
    insert_into(T, 650, 105);
    struct test_plan *p = add_plan("r1", T);
    run(1);
    publish(NULL);
    run(2);
    struct snapshot later = {.xmin = 700, .xmax = 700, .postmaster_start = 77};
    feed_visible(&feed, &later);
    answer(RERUN_ROWS, 700, 650, 105);
    run(3);
    expect("");
    run(10);
    feed_visible(&feed, &later); /* whose question is put later sees it too */
    answer(RERUN_ROWS, 701, 0, 105);
    run(11);
    expect("ANSWER r1 105 until -");
    drop_plan(p);
}
END_TEST

START_TEST(plans_are_asked_together)
{
    struct test_plan *p = live_plan("r1"), *q = add_plan("r2", U);
    insert_into(T, 701, 110);
    run(4);
    ck_assert_uint_eq(asked.v[0]->n, 1); /* r2's table isn't published */
    publish(NULL);
    answer(RERUN_ROWS, 702, 0, 110);
    run(5);
    expect("TOUCHED r1 110; ANSWER r1 110 until -");
    answer(RERUN_ROWS, 702, 0, 110);
    run(6);
    expect("ANSWER r2 110 until -");
    send_begin(&feed.ing, 703);
    send_insert(&feed.ing, T, "3|3");
    send_insert(&feed.ing, U, "3|3");
    send_commit(&feed.ing, 120);
    expect("TOUCHED r1 120; TOUCHED r2 120");
    run(7);
    ck_assert_uint_eq(asked.v[0]->n, 2);
    answer(RERUN_FAILED, 704, 0, 120);
    run(8);
    expect("FAILED r1 120 until -; FAILED r2 120 until -");
    drop_plan(p);
    drop_plan(q);
}
END_TEST

START_TEST(what_has_lost_its_footing_is_asked_again)
{
    struct test_plan *p = live_plan("r1");
    uint32_t changed[] = {T};
    insert_into(T, 701, 110);
    run(4);
    buf_reset(&told);
    feed_schema_changed(&feed, changed, 1);
    expect("STALE r1");
    answer(RERUN_ROWS, 702, 0, 110); /* of before */
    run(5);
    expect("");
    publish(NULL);
    run(6);
    feed_suspend(&feed);
    resume(200);
    answer(RERUN_ROWS, 702, 0, 110); /* of the session before */
    run(7);
    publish(NULL);
    run(8);
    expect("");
    answer(RERUN_ROWS, 702, 0, 200);
    run(9);
    expect("ANSWER r1 200 until -");
    feed_suspend(&feed);
    expect("STALE r1");
    drop_plan(p);
}
END_TEST

START_TEST(ends)
{
    struct test_plan *p = add_plan("r1", T);
    run(1);
    publish("42501");
    expect("END r1 42501");
    drop_plan(p);
    buf_reset(&told);
    p = live_plan("r2");
    insert_into(T, 701, 110);
    run(4);
    answer(RERUN_ENDED, 702, 0, 110);
    run(5);
    expect("TOUCHED r2 110; END r2 42P01");
    insert_into(T, 702, 120);
    drop_plan(p);
}
END_TEST

START_TEST(time_is_a_reason_too)
{
    struct test_plan *p = add_plan("r1", T);
    p->rerun.timed = true;
    run(1);
    publish(NULL);
    run(2);
    answer(RERUN_ROWS, 700, 0, 100);
    run(3);
    expect("ANSWER r1 100 until -");
    run(5002);
    ck_assert_uint_eq(asked.n, 0);
    run(5003);
    ck_assert(asked.v[0]->timed);
    ingest_alive(&feed.ing, 150);
    answer(RERUN_ROWS, 700, 0, 150);
    run(5004);
    expect("ANSWER r1 150 until -");
    drop_plan(p);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("feed_rerun");
    TCase *t = tcase_create("feed_rerun");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, prefixes);
    tcase_add_test(t, a_first_answer_bears_the_position_of_the_stream);
    tcase_add_test(t, a_touch_is_told_at_once_and_answered_later);
    tcase_add_test(t, what_is_no_prefix_is_thrown_away);
    tcase_add_test(t, a_commit_decoded_before_the_plan_began_must_be_shown);
    tcase_add_test(t, a_commit_shown_meanwhile_may_be_missing_from_the_answer_all_the_same);
    tcase_add_test(t, plans_are_asked_together);
    tcase_add_test(t, what_has_lost_its_footing_is_asked_again);
    tcase_add_test(t, ends);
    tcase_add_test(t, time_is_a_reason_too);
    suite_add_tcase(s, t);
    return s;
}

int main(void)
{
    SRunner *r = srunner_create(suite());
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? 1 : 0;
}
