/*
 * Random transactions against several views at once, each compared with Postgres after every
 * commit; and four writers at full speed with an invariant that must hold at every single delta.
 *
 * SEED=n runs a failure again. Few distinct keys, many NULLs: rows meet, groups empty and fill.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/e2e/harness.h"

/* ---- one writer, compared after every commit ----------------------------------------------- */

static const char *const VIEWS[] = {
    "SELECT * FROM ra",
    "SELECT k, v, s FROM rb WHERE v > 3 OR s LIKE 'a%'",
    "SELECT k, count(*), count(v), sum(v), avg(v), min(s), max(n) FROM ra GROUP BY k",
    "SELECT count(*), sum(n), min(v), max(v) FROM ra",
    "SELECT DISTINCT k, s FROM rb",
    "SELECT a.id, b.id, a.s, b.s FROM ra a JOIN rb b ON a.k = b.k",
    "SELECT a.id, b.id FROM ra a LEFT JOIN rb b ON a.k = b.k AND a.v < b.v",
    "SELECT a.id, b.id FROM ra a FULL JOIN rb b ON a.id = b.id",
    "SELECT a.k, a.v, b.v FROM ra a RIGHT JOIN rb b USING (k) WHERE b.v IS NOT NULL",
    "SELECT x.k, x.n, y.m FROM (SELECT k, count(*) n FROM ra GROUP BY k) x, "
    "(SELECT k, max(v) m FROM rb GROUP BY k) y WHERE x.k = y.k",
    "SELECT k, v FROM ra UNION SELECT k, v FROM rb",
    "SELECT k FROM ra UNION ALL SELECT v FROM rb",
    "SELECT id, k, v FROM ra ORDER BY v DESC NULLS LAST, id LIMIT 5 OFFSET 1",
    "SELECT k, sum(v) AS t FROM ra GROUP BY k HAVING count(*) > 1 ORDER BY t, k LIMIT 3",
    "SELECT count(DISTINCT v), sum(v) FILTER (WHERE k IS NOT NULL), avg(n) FROM rb",
    "SELECT a.id, CASE WHEN a.v > b.v THEN 'a' WHEN a.v < b.v THEN 'b' END, coalesce(a.s, b.s) "
    "FROM ra a CROSS JOIN rb b WHERE a.v + b.v < 6",
    "SELECT p.k, p.v FROM rparted p WHERE p.v IS DISTINCT FROM 2",
    "SELECT k % 3, count(*), sum(n) FROM rparted GROUP BY 1",
    "SELECT f.a, f.b, count(*) FROM rfull f GROUP BY f.a, f.b",
    "SELECT f.a, a.s FROM rfull f JOIN ra a ON a.k = f.a",
    "WITH t AS (SELECT k, sum(n) AS n FROM ra GROUP BY k) SELECT x.k, x.n, y.n FROM t x, t y "
    "WHERE x.n < y.n",
    "SELECT u.code, u.t FROM runiq u WHERE u.t IS NOT NULL",
    "SELECT s, n, n * 2, round(n, 1), n / 3 FROM rview",
};
enum {
    NVIEWS = sizeof VIEWS / sizeof *VIEWS
};

static const char SCHEMA[] =
    "CREATE TABLE ra(id int PRIMARY KEY, k int, v int, s text, n numeric(10,2));"
    "CREATE TABLE rb(id int PRIMARY KEY, k int, v int, s varchar(20), n numeric);"
    "CREATE TABLE rparted(id int, k int, v int, n numeric, PRIMARY KEY (id, k)) "
    "  PARTITION BY RANGE (k);"
    "CREATE TABLE rparted1 PARTITION OF rparted FOR VALUES FROM (MINVALUE) TO (3);"
    "CREATE TABLE rparted2(n numeric, v int, k int NOT NULL, id int NOT NULL, PRIMARY KEY (id, k));"
    "ALTER TABLE rparted ATTACH PARTITION rparted2 FOR VALUES FROM (3) TO (MAXVALUE);"
    "CREATE TABLE rfull(a int, b text); ALTER TABLE rfull REPLICA IDENTITY FULL;"
    "CREATE TABLE runiq(code text NOT NULL, t text, x int);"
    "CREATE UNIQUE INDEX runiq_code ON runiq(code);"
    "ALTER TABLE runiq REPLICA IDENTITY USING INDEX runiq_code;"
    "CREATE VIEW rview AS SELECT s, n FROM ra WHERE v IS NOT NULL";

static unsigned pick(unsigned *seed, unsigned n)
{
    return (unsigned)rand_r(seed) % n;
}

/* A small integer or NULL. */
static const char *num(unsigned *seed, char out[16])
{
    if (pick(seed, 6) == 0)
        return "NULL";
    snprintf(out, 16, "%u", pick(seed, 6));
    return out;
}

static const char *text(unsigned *seed)
{
    static const char *const words[] = {"NULL", "''",  "'a'", "'ab'", "'b \"q\" \\ \n'",
                                        "'é'",  "'a '"};
    return words[pick(seed, sizeof words / sizeof *words)];
}

static const char *dec(unsigned *seed, char out[16])
{
    static const char *const some[] = {"1.0", "1.00", "0.5", "-2.25", "NULL", "100"};
    snprintf(out, 16, "%s", some[pick(seed, sizeof some / sizeof *some)]);
    return out;
}

static void insert_one(PGconn *db, unsigned *seed, int id)
{
    char a[16], b[16], d[16];
    switch (pick(seed, 5)) {
    case 0:
    case 1: {
        const char *t = pick(seed, 2) ? "ra" : "rb";
        sql_run(db, "INSERT INTO %s VALUES (%d, %s, %s, %s, %s)", t, id, num(seed, a), num(seed, b),
                text(seed), dec(seed, d));
        break;
    }
    case 2:
        sql_run(db, "INSERT INTO rparted VALUES (%d, %u, %s, %s)", id, pick(seed, 6), num(seed, b),
                dec(seed, d));
        break;
    case 3: sql_run(db, "INSERT INTO rfull VALUES (%s, %s)", num(seed, a), text(seed)); break;
    case 4:
        /* Values large enough to be stored out of line now and then. */
        sql_run(db,
                "INSERT INTO runiq VALUES ('c%d', (SELECT string_agg(md5(g::text), '') FROM "
                "generate_series(1, %u) g), %s)",
                id, pick(seed, 4) == 0 ? 200 : 1, num(seed, a));
        break;
    }
}

static void update_some(PGconn *db, unsigned *seed, int id)
{
    char a[16];
    switch (pick(seed, 8)) {
    case 0: sql_run(db, "UPDATE ra SET v = %s WHERE k = %u", num(seed, a), pick(seed, 6)); break;
    case 1:
        sql_run(db, "UPDATE rb SET s = %s, k = %u WHERE id %% 7 = %u", text(seed), pick(seed, 6),
                pick(seed, 7));
        break;
    case 2: sql_run(db, "UPDATE ra SET id = %d WHERE id = (SELECT min(id) FROM ra)", id); break;
    case 3:
        sql_run(db, "UPDATE rparted SET k = (k + 2) %% 6 WHERE id %% 3 = %u", pick(seed, 3));
        break;
    case 4:
        sql_run(db, "UPDATE rfull SET b = b || 'x' WHERE a = %u AND length(b) < 4", pick(seed, 6));
        break;
    case 5: sql_run(db, "UPDATE runiq SET x = %s WHERE code < 'c5'", num(seed, a)); break;
    case 6:
        sql_run(db, "UPDATE runiq SET code = 'd%d' WHERE code = (SELECT max(code) FROM runiq)", id);
        break;
    case 7:
        sql_run(db, "UPDATE ra SET n = n + 0.01, s = NULL WHERE id %% 5 = %u", pick(seed, 5));
        break;
    }
}

static void delete_some(PGconn *db, unsigned *seed)
{
    static const char *const tables[] = {"ra", "rb", "rparted"};
    switch (pick(seed, 6)) {
    case 0: sql_run(db, "DELETE FROM rfull WHERE a = %u", pick(seed, 6)); break;
    case 1: sql_run(db, "DELETE FROM runiq WHERE x = %u", pick(seed, 6)); break;
    default:
        sql_run(db, "DELETE FROM %s WHERE id %% 11 = %u", tables[pick(seed, 3)], pick(seed, 11));
    }
}

static void rare_event(PGconn *db, unsigned *seed)
{
    switch (pick(seed, 4)) {
    case 0: sql_run(db, "TRUNCATE ra, rfull"); break;
    case 1: sql_run(db, "TRUNCATE rparted1"); break;
    case 2: sql_run(db, "DELETE FROM rb"); break;
    case 3: sql_run(db, "TRUNCATE runiq; INSERT INTO runiq VALUES ('c0', 'again', 1)"); break;
    }
}

static void random_statement(PGconn *db, unsigned *seed, int *next_id)
{
    unsigned r = pick(seed, 100);
    if (r < 55)
        insert_one(db, seed, (*next_id)++);
    else if (r < 80)
        update_some(db, seed, (*next_id)++);
    else if (r < 98)
        delete_some(db, seed);
    else
        rare_event(db, seed);
}

/* Savepoints that are rolled back, whole transactions that are, two-phase commits. */
static void random_transaction(PGconn *db, unsigned *seed, int *next_id)
{
    unsigned statements = 1 + pick(seed, 6), kind = pick(seed, 20);
    sql_run(db, "BEGIN");
    for (unsigned i = 0; i < statements; i++) {
        bool undone = pick(seed, 8) == 0;
        if (undone)
            sql_run(db, "SAVEPOINT s");
        random_statement(db, seed, next_id);
        if (undone)
            sql_run(db, "ROLLBACK TO s");
    }
    if (kind == 0)
        sql_run(db, "ROLLBACK");
    else
        sql_run(db, kind == 1 ? "PREPARE TRANSACTION 'p'" : "COMMIT");
    if (kind == 1)
        sql_run(db, "COMMIT PREPARED 'p'");
}

START_TEST(every_view_equals_postgres_after_every_commit)
{
    unsigned seed = harness_seed();
    int next_id = 1, transactions = harness_scale(300), comparisons = 0;
    PGconn *db = cluster_connect(cluster);
    struct client *c = client_connect(daemon_under_test->port);
    struct view *v[NVIEWS];
    sql_run(db, "%s", SCHEMA);
    for (int i = 0; i < 30; i++)
        random_statement(db, &seed, &next_id);
    for (int i = 0; i < NVIEWS; i++) {
        char id[16];
        snprintf(id, sizeof id, "v%d", i);
        v[i] = client_subscribe(c, id, VIEWS[i]);
    }
    for (int i = 0; i < NVIEWS; i++) {
        client_wait_snapshot(c, v[i]);
        if (v[i]->error)
            die("%s: %s", VIEWS[i], v[i]->error);
    }
    for (int t = 0; t < transactions; t++) {
        random_transaction(db, &seed, &next_id);
        client_sync(c);
        for (int i = 0; i < NVIEWS; i++, comparisons++)
            view_must_equal(db, v[i], VIEWS[i]);
    }
    fprintf(stderr, "%d transactions, %d comparisons, 0 differences\n", transactions, comparisons);
    client_close(c);
    PQfinish(db);
}
END_TEST

/* ---- four writers, an invariant at every delta ---------------------------------------------- */

enum {
    ACCOUNTS = 50,
    WRITERS = 4,
    BALANCE = 1000
};

struct writer {
    pthread_t thread;
    unsigned seed;
    int transfers;
};

static atomic_bool stop_writing;

/* Moves money between two accounts, sometimes in two rows at once, sometimes not after all. */
static void *write_transfers(void *arg)
{
    struct writer *w = arg;
    PGconn *db = cluster_connect(cluster);
    while (!atomic_load(&stop_writing)) {
        unsigned from = pick(&w->seed, ACCOUNTS), to = pick(&w->seed, ACCOUNTS);
        unsigned amount = 1 + pick(&w->seed, 20), fate = pick(&w->seed, 10);
        /* Lock in one order: deadlocks are not what is tested. */
        PGresult *res = PQexec(db, "BEGIN");
        PQclear(res);
        sql_run(db, "SELECT 1 FROM account WHERE id IN (%u, %u) ORDER BY id FOR UPDATE", from, to);
        sql_run(db, "UPDATE account SET balance = balance - %u WHERE id = %u", amount, from);
        sql_run(db, "UPDATE account SET balance = balance + %u WHERE id = %u", amount, to);
        sql_run(db, "%s", fate == 0 ? "ROLLBACK" : "COMMIT");
        w->transfers += fate != 0;
    }
    PQfinish(db);
    return NULL;
}

static const char *const BANK_VIEWS[] = {
    "SELECT sum(balance) FROM account",
    "SELECT id, balance FROM account",
    "SELECT branch, sum(balance), count(*) FROM account GROUP BY branch",
    "SELECT a.branch, sum(b.balance) FROM account a JOIN account b ON a.id = b.id GROUP BY 1",
};
enum {
    NBANK = sizeof BANK_VIEWS / sizeof *BANK_VIEWS
};

/* The sum over the last number (or the only one) of each row of the view. */
static long total_of(const struct view *v, size_t column)
{
    struct bag_cursor cur = {0};
    const struct bag_entry *e;
    long total = 0;
    while ((e = bag_next(&v->rows, &cur))) {
        const char *p = (const char *)e->bytes + 1;
        for (size_t i = 0; i < column; i++)
            p = strchr(p, ',') + 1;
        total += strtol(p, NULL, 10) * (long)e->weight;
    }
    return total;
}

static long invariant_checks;

static void check_invariant(struct client *c, struct view *v, void *arg)
{
    (void)c, (void)arg;
    static const size_t column[NBANK] = {0, 1, 1, 1};
    if (!v->has_snapshot || v->released)
        return;
    long total = total_of(v, column[v->id[1] - '0']);
    if (total != (long)ACCOUNTS * BALANCE)
        die("%s: the total is %ld at %llX", v->id, total, (unsigned long long)v->lsn);
    invariant_checks++;
}

/* One more client that subscribes to something, sees a few deltas, and goes. */
static void come_and_go(unsigned *seed)
{
    struct client *c = client_connect(daemon_under_test->port);
    unsigned which = pick(seed, NBANK);
    char id[8];
    snprintf(id, sizeof id, "b%u", which);
    c->after_event = check_invariant;
    struct view *v = client_subscribe(c, id, BANK_VIEWS[which]);
    if (pick(seed, 4)) /* else: leaves while the plan is being seeded */
        client_wait_snapshot(c, v);
    if (v->has_snapshot && which > 0 && pick(seed, 2))
        client_wait_deltas(c, v, 1 + pick(seed, 5));
    client_close(c);
}

START_TEST(a_transfer_never_shows_half_with_four_writers_and_subscribers_coming_and_going)
{
    unsigned seed = harness_seed();
    struct writer w[WRITERS];
    PGconn *db = cluster_connect(cluster);
    long transfers = 0;
    sql_run(db,
            "CREATE TABLE account(id int PRIMARY KEY, branch int, balance bigint);"
            "INSERT INTO account SELECT g, g %% 5, %d FROM generate_series(0, %d) g",
            BALANCE, ACCOUNTS - 1);
    for (int i = 0; i < WRITERS; i++) {
        w[i] = (struct writer){.seed = seed + (unsigned)i};
        pthread_create(&w[i].thread, NULL, write_transfers, &w[i]);
    }
    struct client *c = client_connect(daemon_under_test->port);
    struct view *v[NBANK];
    c->after_event = check_invariant;
    for (int i = 0; i < NBANK; i++) {
        char id[8];
        snprintf(id, sizeof id, "b%d", i);
        v[i] = client_subscribe(c, id, BANK_VIEWS[i]);
    }
    for (int i = 0; i < harness_scale(80); i++) {
        come_and_go(&seed);
        client_drain(c, 20);
    }
    atomic_store(&stop_writing, true);
    for (int i = 0; i < WRITERS; i++) {
        pthread_join(w[i].thread, NULL);
        transfers += w[i].transfers;
    }
    client_sync(c);
    for (int i = 0; i < NBANK; i++)
        view_must_equal(db, v[i], BANK_VIEWS[i]);
    fprintf(stderr, "%ld transfers, %ld checks of the invariant\n", transfers, invariant_checks);
    client_close(c);
    PQfinish(db);
}
END_TEST

/* With PROGRESS each, the accounts and their journal agree at every cut, though they are two plans.
 */
static void check_cut(struct client *c, long *last_total)
{
    struct view *a = client_view(c, "a"), *j = client_view(c, "j");
    if (!a->has_snapshot || !j->has_snapshot || !c->nprogress)
        return;
    long balances = total_of(a, 0), journal = total_of(j, 0);
    if (balances != journal)
        die("at %llX the balances are %ld, the journal says %ld", (unsigned long long)c->progress,
            balances, journal);
    *last_total = balances;
}

static void *write_journal(void *arg)
{
    struct writer *w = arg;
    PGconn *db = cluster_connect(cluster);
    while (!atomic_load(&stop_writing)) {
        unsigned amount = 1 + pick(&w->seed, 9), id = pick(&w->seed, 20);
        sql_run(db,
                "BEGIN; UPDATE acc2 SET balance = balance + %u WHERE id = %u; "
                "INSERT INTO journal(amount) VALUES (%u); COMMIT",
                amount, id, amount);
        w->transfers++;
    }
    PQfinish(db);
    return NULL;
}

START_TEST(progress_each_is_a_consistent_cut_over_two_plans)
{
    struct writer w = {.seed = harness_seed()};
    PGconn *db = cluster_connect(cluster);
    struct client *c = client_connect(daemon_under_test->port);
    long cuts = 0, total = 0;
    sql_run(db, "CREATE TABLE acc2(id int PRIMARY KEY, balance bigint);"
                "INSERT INTO acc2 SELECT g, 0 FROM generate_series(0, 19) g;"
                "CREATE TABLE journal(id bigserial PRIMARY KEY, amount bigint);"
                "INSERT INTO journal(amount) VALUES (0)");
    struct view *a = client_subscribe(c, "a", "SELECT sum(balance)::bigint FROM acc2");
    struct view *j = client_subscribe(c, "j", "SELECT sum(amount)::bigint FROM journal");
    client_wait_snapshot(c, a);
    client_wait_snapshot(c, j);
    client_send(c, "PROGRESS each");
    pthread_create(&w.thread, NULL, write_journal, &w);
    for (int i = 0; i < harness_scale(2000); i++) {
        char *line = client_read_line(c);
        unsigned before = c->nprogress;
        ck_assert_ptr_nonnull(line);
        ck_assert(client_apply(c, line));
        if (c->nprogress > before) {
            check_cut(c, &total);
            cuts++;
        }
    }
    atomic_store(&stop_writing, true);
    pthread_join(w.thread, NULL);
    fprintf(stderr, "%d commits, %ld cuts, total %ld\n", w.transfers, cuts, total);
    ck_assert_int_gt(cuts, 10);
    client_close(c);
    PQfinish(db);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("random");
    TCase *t = tcase_create("random");
    tcase_set_timeout(t, 600);
    tcase_add_test(t, every_view_equals_postgres_after_every_commit);
    tcase_add_test(t,
                   a_transfer_never_shows_half_with_four_writers_and_subscribers_coming_and_going);
    tcase_add_test(t, progress_each_is_a_consistent_cut_over_two_plans);
    suite_add_tcase(s, t);
    return s;
}

int main(void)
{
    static const char *const sets[] = {"engine.workers=2", NULL};
    harness_daemon_sets = sets;
    return harness_main(suite());
}
