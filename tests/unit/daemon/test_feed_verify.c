/*
 * feed_verify: of which LSNs Postgres's answer is said to be, which answers are thrown away, who is
 * told what, and what becomes of a plan that is wrong. The worker is told "RECORD p1", "CHECK p1
 * 120..130" (from the first to below the second, "-": until now), "DIVERGED p1"; those who ask hear
 * "1:same", "1:differs", "1:57P03".
 */
#include "tests/unit/daemon/stream.h"

#include "daemon/feed.h"
#include "daemon/log.h"
#include "daemon/rerun.h"

#define T    100u
#define U    200u
#define COLS "id:20:1"

struct worker {
    int no;
};

static struct worker the_worker;
static struct worker *const workers[] = {&the_worker};
static struct outbox out;
static struct feed feed;
static struct buf told;
static VEC(struct hydrate_job *) reading;
static VEC(struct rerun_job *) asked;
static int errors_logged;

/* ---- what the feed's surroundings do ------------------------------------------------------- */

int log_enabled(enum log_level level)
{
    (void)level;
    return 1;
}

void log_write(enum log_level level, const char *fmt, ...)
{
    (void)fmt;
    errors_logged += level == LOG_LEVEL_ERROR;
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

static void say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static void say(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    buf_adds(&told, told.len ? "; " : "");
    buf_addv(&told, fmt, ap);
    va_end(ap);
}

static void say_check(const struct wmsg_check *m)
{
    const char *key = m->plan->spec->key;
    if (m->until == LSN_MAX)
        say("CHECK %s %llu..-", key, (unsigned long long)m->shown);
    else
        say("CHECK %s %llu..%llu", key, (unsigned long long)m->shown, (unsigned long long)m->until);
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
    switch (m->kind) {
    case W_SEED: step_unref(((struct wmsg_seed *)m)->part); break;
    case W_RECORD: say("RECORD %s", plan->spec->key); break;
    case W_CHECK: say_check((struct wmsg_check *)m); break;
    case W_DIVERGED: say("DIVERGED %s", plan->spec->key); break;
    case W_STALE: say("STALE %s", plan->spec->key); break;
    case W_FORGET: say("FORGET %s", plan->spec->key); break;
    case W_DROP: break;
    default: ck_abort_msg("message %d", m->kind);
    }
    plan_unref(plan);
    free(m);
}

static void tell(void *arg, const struct feed_asker *who, const struct verdict *v)
{
    (void)arg;
    say("%d:%s", (int)who->sub,
        v->kind == VERDICT_SAME      ? "same"
        : v->kind == VERDICT_DIFFERS ? "differs"
                                     : v->err.sqlstate);
}

static void expect(const char *want)
{
    ck_assert_str_eq(buf_cstr(&told), want);
    buf_reset(&told);
}

static void take_reading(void *arg, struct msg *m)
{
    (void)arg;
    VEC_PUSH(reading, (struct hydrate_job *)m);
}

static void take_asked(void *arg, struct msg *m)
{
    (void)arg;
    VEC_PUSH(asked, (struct rerun_job *)m);
}

/* ---- plans --------------------------------------------------------------------------------- */

struct test_plan {
    struct plan plan;
    struct plan_spec spec;
    struct plan_source source;
    uint32_t leaf;
    const char *name;
    struct column_type type;
};

static void run(uint64_t now)
{
    ck_assert(feed_run(&feed, now));
}

/* The table is read: one row. */
static void hydrate(void)
{
    ck_assert_uint_eq(reading.n, 1);
    struct hydrate_job *job = reading.v[--reading.n];
    for (size_t i = 0; i < job->ntables; i++) {
        job->tables[i].store = store_new(make_layout(job->tables[i].relid, 'd', COLS));
        store_put(job->tables[i].store, "1");
    }
    job->snap.xmin = job->snap.xmax = 1000;
    job->snap.insert_lsn = feed.ing.position;
    job->snap.postmaster_start = 77;
    feed_hydrated(&feed, job);
}

/* A plan over the table, seeded; 3 ms have gone by. */
static struct test_plan *live_plan(const char *key, uint32_t relid)
{
    struct test_plan *p = NEW(struct test_plan);
    p->leaf = relid;
    p->name = "id";
    p->type = (struct column_type){.type = type_native(OID_INT8), .typmod = -1};
    snprintf(p->spec.key, sizeof p->spec.key, "%s", key);
    p->spec.sql = "x";
    p->spec.sources = &p->source;
    p->spec.nsources = 1;
    p->source = (struct plan_source){.table = relid,
                                     .leaves = &p->leaf,
                                     .nleaves = 1,
                                     .colnames = &p->name,
                                     .cols = &p->type,
                                     .ncols = 1};
    p->plan.refs = 1;
    p->plan.spec = &p->spec;
    p->plan.worker = &the_worker;
    feed_add_plan(&feed, plan_ref(&p->plan));
    run(1);
    if (reading.n) /* no other plan has it yet */
        hydrate();
    run(2);
    buf_reset(&told);
    return p;
}

static void drop_plan(struct test_plan *p)
{
    feed_drop_plan(&feed, &p->plan);
    ck_assert_int_eq(p->plan.refs, 1);
    free(p);
}

static void verify(struct test_plan *p, uint64_t who)
{
    struct feed_asker asker = {.sub = who};
    feed_verify(&feed, &p->plan, &asker);
}

/* The statement is answered in a snapshot that shows all xids below xmax but one. */
static void answer(enum rerun_outcome outcome, uint64_t xmax, uint64_t hidden, lsn_t insert_lsn)
{
    ck_assert_uint_eq(asked.n, 1);
    struct rerun_job *job = asked.v[--asked.n];
    ck_assert(job->check && job->n == 1 && job->items[0].bare);
    job->items[0].outcome = outcome;
    if (outcome != RERUN_ROWS)
        err_set(&job->items[0].err, outcome == RERUN_ENDED ? "42P01" : "57014", "no");
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

static void checked(struct test_plan *p, enum verdict_kind kind)
{
    struct verdict v = {.kind = kind, .lsn = 1};
    feed_checked(&feed, &p->plan, &v);
}

static void insert_into(uint32_t table, uint32_t xid, lsn_t end)
{
    char row[20];
    snprintf(row, sizeof row, "%u", xid);
    send_begin(&feed.ing, xid);
    send_insert(&feed.ing, table, row);
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
    errors_logged = 0;
    feed_init(&feed, &out);
    feed.limits = (struct feed_limits){.retry_min = 100, .retry_max = 1000, .seed_parts = 2};
    feed.ask = take_reading;
    feed.ask_check = take_asked;
    feed.tell = tell;
    resume(100);
}

static void teardown(void)
{
    feed_fini(&feed);
    outbox_fini(&out);
    while (reading.n)
        hydrate_job_free(reading.v[--reading.n]);
    while (asked.n)
        rerun_job_free(asked.v[--asked.n]);
    VEC_FREE(reading);
    VEC_FREE(asked);
    buf_fini(&told);
}

/* ---- of which LSN -------------------------------------------------------------------------- */

START_TEST(nothing_has_changed_since)
{
    struct test_plan *p = live_plan("p1", T);
    verify(p, 1);
    run(3);
    expect("RECORD p1");
    answer(RERUN_ROWS, 1001, 0, 105);
    run(4);
    expect(""); /* the stream isn't there yet */
    ingest_alive(&feed.ing, 110);
    run(5);
    expect("CHECK p1 100..-");
    checked(p, VERDICT_SAME);
    expect("1:same");
    run(6);
    ck_assert_uint_eq(asked.n, 0);
    ck_assert_uint_eq(feed.check.stats.verifications, 1);
    drop_plan(p);
}
END_TEST

START_TEST(the_answer_is_that_of_before_a_commit_it_does_not_show)
{
    struct test_plan *p = live_plan("p1", T);
    verify(p, 1);
    run(3);
    insert_into(U, 1001, 110);
    insert_into(T, 1002, 120);
    insert_into(T, 1003, 130);
    insert_into(T, 1004, 140);
    answer(RERUN_ROWS, 1003, 0, 140);
    run(4);
    expect("RECORD p1; CHECK p1 120..130");
    checked(p, VERDICT_SAME);
    expect("1:same");
    drop_plan(p);
}
END_TEST

START_TEST(what_is_no_prefix_is_asked_again)
{
    struct test_plan *p = live_plan("p1", T);
    verify(p, 1);
    run(3);
    insert_into(T, 1002, 110);
    insert_into(T, 1001, 120);
    answer(RERUN_ROWS, 1003, 1002, 120);
    run(4);
    run(10);
    expect("RECORD p1; FORGET p1; RECORD p1");
    answer(RERUN_ROWS, 1003, 0, 120);
    run(11);
    expect("CHECK p1 120..-");
    checked(p, VERDICT_AGAIN); /* the worker can't go back that far */
    run(20);
    expect("RECORD p1");
    answer(RERUN_AGAIN, 1003, 0, 120);
    run(21);
    run(30);
    expect("FORGET p1; RECORD p1");
    answer(RERUN_ROWS, 1003, 0, 120);
    run(31);
    checked(p, VERDICT_SAME);
    expect("CHECK p1 120..-; 1:same");
    drop_plan(p);
}
END_TEST

START_TEST(it_is_not_tried_for_ever)
{
    struct test_plan *p = live_plan("p1", T);
    verify(p, 1);
    uint64_t now = 3, tries = 0;
    while (!strstr(buf_cstr(&told), "1:57014") && tries < 1000) {
        run(now += 1000);
        if (asked.n) {
            tries++;
            answer(RERUN_AGAIN, 1000, 0, 100);
        }
    }
    ck_assert_uint_gt(tries, 10);
    ck_assert_uint_lt(tries, 100);
    run(now + 1000);
    ck_assert_uint_eq(asked.n, 0);
    drop_plan(p);
}
END_TEST

/* ---- who asks ------------------------------------------------------------------------------ */

START_TEST(who_asks_meanwhile_gets_an_answer_of_his_own)
{
    struct test_plan *p = live_plan("p1", T), *q = live_plan("q1", U);
    verify(p, 1);
    verify(p, 2);
    run(3);
    verify(p, 3);
    verify(q, 4);
    answer(RERUN_ROWS, 1000, 0, 100);
    run(4);
    expect("RECORD p1; CHECK p1 100..-");
    checked(p, VERDICT_SAME);
    expect("1:same; 2:same");
    run(5);
    expect("RECORD q1"); /* in turn */
    answer(RERUN_ROWS, 1000, 0, 100);
    run(6);
    checked(q, VERDICT_SAME);
    run(7);
    expect("CHECK q1 100..-; 4:same; RECORD p1");
    answer(RERUN_ENDED, 1000, 0, 100);
    run(8);
    expect("3:42P01; FORGET p1");
    drop_plan(p);
    drop_plan(q);
}
END_TEST

START_TEST(nobody_waits_for_a_server_that_is_gone_or_a_plan_that_is)
{
    struct test_plan *p = live_plan("p1", T);
    verify(p, 1);
    run(3);
    verify(p, 2);
    buf_reset(&told);
    feed_suspend(&feed);
    expect("1:57P03; 2:57P03; STALE p1");
    verify(p, 3);
    expect("3:57P03");
    resume(100);
    answer(RERUN_ROWS, 1000, 0, 100); /* of the session before */
    run(4);
    hydrate();
    run(5);
    buf_reset(&told);
    verify(p, 4);
    run(6);
    expect("RECORD p1");
    feed_drop_plan(&feed, &p->plan);
    expect("4:57014");
    answer(RERUN_ROWS, 1000, 0, 100);
    run(7);
    expect("");
    ck_assert_int_eq(p->plan.refs, 1);
    free(p);
}
END_TEST

START_TEST(a_timeout_says_nothing_of_the_plan)
{
    struct test_plan *p = live_plan("p1", T);
    verify(p, 1);
    run(3);
    answer(RERUN_FAILED, 1000, 0, 100);
    run(4);
    expect("RECORD p1; 1:57014; FORGET p1");
    ck_assert_uint_eq(feed.check.stats.verifications, 0);
    drop_plan(p);
}
END_TEST

/* ---- what is wrong ------------------------------------------------------------------------- */

/* Until it is found wrong, or whatever kind says. */
static void verify_as(struct test_plan *p, enum verdict_kind kind, uint64_t now)
{
    run(now);
    answer(RERUN_ROWS, 1000, 0, 100);
    run(now + 1);
    checked(p, kind);
}

START_TEST(a_wrong_plan_is_built_from_tables_read_again)
{
    struct test_plan *p = live_plan("p1", T), *q = live_plan("q1", T);
    verify(p, 1);
    verify_as(p, VERDICT_DIFFERS, 3);
    expect("RECORD p1; CHECK p1 100..-; 1:differs; DIVERGED p1; STALE p1; STALE q1");
    ck_assert_int_eq(errors_logged, 1);
    run(5);
    hydrate();
    run(6); /* it is looked at once more, unasked */
    verify_as(p, VERDICT_SAME, 7);
    expect("RECORD p1; CHECK p1 100..-");
    ck_assert_uint_eq(feed.check.stats.divergences, 1);
    ck_assert_str_eq(feed.check.stats.last_plan, "p1");
    run(20);
    ck_assert_uint_eq(asked.n, 0);
    drop_plan(p);
    drop_plan(q);
}
END_TEST

START_TEST(what_stays_wrong_is_not_built_again_until_it_was_right)
{
    struct test_plan *p = live_plan("p1", T);
    verify(p, 1);
    verify_as(p, VERDICT_DIFFERS, 3);
    run(5);
    hydrate();
    run(6);
    verify_as(p, VERDICT_DIFFERS, 7);
    ck_assert_int_eq(errors_logged, 2);
    buf_reset(&told);
    verify(p, 2);
    verify_as(p, VERDICT_DIFFERS, 9);
    expect("RECORD p1; CHECK p1 100..-; 2:differs");
    ck_assert_int_eq(errors_logged, 2);
    ck_assert_uint_eq(feed.check.stats.divergences, 1);
    verify(p, 3);
    verify_as(p, VERDICT_SAME, 11);
    buf_reset(&told);
    verify(p, 4);
    verify_as(p, VERDICT_DIFFERS, 13);
    expect("RECORD p1; CHECK p1 100..-; 4:differs; DIVERGED p1; STALE p1");
    ck_assert_uint_eq(feed.check.stats.divergences, 2);
    drop_plan(p);
}
END_TEST

START_TEST(the_audit_goes_round)
{
    struct test_plan *p = live_plan("p1", T), *q = live_plan("q1", U);
    feed.limits.audit_interval = 100;
    run(10);
    ck_assert_uint_eq(feed.retry_at, 110);
    run(109);
    expect("");
    run(110);
    answer(RERUN_ROWS, 1000, 0, 100);
    run(111);
    checked(p, VERDICT_SAME);
    expect("RECORD p1; CHECK p1 100..-");
    run(210);
    answer(RERUN_ROWS, 1000, 0, 100);
    run(211);
    checked(q, VERDICT_UNSURE);
    expect("RECORD q1; CHECK q1 100..-");
    ck_assert_uint_eq(feed.check.stats.audits, 1);
    ck_assert_uint_eq(feed.check.stats.audits_skipped, 1);
    feed_suspend(&feed);
    resume(100);
    buf_reset(&told);
    run(310); /* its plan isn't there */
    expect("");
    ck_assert_uint_eq(feed.check.stats.audits_skipped, 2);
    feed.limits.audit_interval = 0;
    run(1000);
    ck_assert_uint_eq(feed.check.audit_at, 0);
    drop_plan(p);
    drop_plan(q);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("feed_verify");
    TCase *t = tcase_create("feed_verify");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, nothing_has_changed_since);
    tcase_add_test(t, the_answer_is_that_of_before_a_commit_it_does_not_show);
    tcase_add_test(t, what_is_no_prefix_is_asked_again);
    tcase_add_test(t, it_is_not_tried_for_ever);
    tcase_add_test(t, who_asks_meanwhile_gets_an_answer_of_his_own);
    tcase_add_test(t, nobody_waits_for_a_server_that_is_gone_or_a_plan_that_is);
    tcase_add_test(t, a_timeout_says_nothing_of_the_plan);
    tcase_add_test(t, a_wrong_plan_is_built_from_tables_read_again);
    tcase_add_test(t, what_stays_wrong_is_not_built_again_until_it_was_right);
    tcase_add_test(t, the_audit_goes_round);
    suite_add_tcase(s, t);
    SRunner *sr = srunner_create(s);
    srunner_run_all(sr, CK_NORMAL);
    int failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed != 0;
}
