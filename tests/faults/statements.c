/*
 * statements: see statements.h.
 */
#include "tests/faults/statements.h"

#include "tests/e2e/cluster.h"
#include "tests/faults/world.h"

#define ALL_MONEY                                                                                  \
    "(SELECT id, branch, balance FROM accounts UNION ALL SELECT id, branch, balance FROM savings)"

const struct statement statements[] = {
    {"SELECT sum(balance) FROM " ALL_MONEY " m", MONEY_TOTAL},
    {"SELECT 'a' AS kind, id, branch, balance FROM accounts UNION ALL SELECT 's', id, branch, "
     "balance FROM savings",
     MONEY_TOTAL},
    {"SELECT branch, count(*), sum(balance) FROM " ALL_MONEY " m GROUP BY branch", MONEY_TOTAL},
    {"SELECT b.name, m.id, m.balance FROM " ALL_MONEY " m JOIN branches b ON b.id = m.branch",
     MONEY_TOTAL},
    {"SELECT count(*) FILTER (WHERE poor), sum(balance) FROM (SELECT balance < 50 AS poor, balance "
     "FROM " ALL_MONEY " m) q",
     MONEY_TOTAL},
    {"SELECT coalesce(a.id, s.id), coalesce(a.balance, 0) + coalesce(s.balance, 0) FROM accounts a "
     "FULL JOIN savings s ON s.id = a.id",
     MONEY_TOTAL},
    {"SELECT DISTINCT ON (b.id) b.id, sum(m.balance) OVER (PARTITION BY b.id) FROM branches b JOIN "
     "" ALL_MONEY " m ON m.branch = b.id ORDER BY b.id",
     MONEY_TOTAL},
    {"SELECT id, branch, balance FROM accounts", MONEY_ACCOUNTS},
    {"SELECT coalesce(sum(balance), 0) FROM accounts", MONEY_ACCOUNTS},
    {"SELECT branch, coalesce(sum(balance), 0) FROM savings GROUP BY branch", MONEY_SAVINGS},
    {"SELECT coalesce(sum(balance), 0) FROM savings", MONEY_SAVINGS},
    {"SELECT w, n FROM written", MONEY_WRITTEN},
    {"SELECT sum(balance), now() IS NULL, sum(balance) FROM " ALL_MONEY " m",
     MONEY_TOTAL}, /* rerun */
    {"SELECT id, balance FROM accounts ORDER BY balance DESC, id LIMIT 5", MONEY_NONE},

    {"SELECT id, k, n, t FROM item", MONEY_NONE},
    {"SELECT id, body FROM item WHERE k < 4", MONEY_NONE},
    {"SELECT id, md5(body) FROM item", MONEY_NONE},
    {"SELECT k, count(*), sum(n), min(t), max(n), avg(n) FROM item GROUP BY k", MONEY_NONE},
    {"SELECT k, count(*) FROM item GROUP BY k HAVING count(*) > 3", MONEY_NONE},
    {"SELECT count(*), count(DISTINCT k), sum(k) FROM item", MONEY_NONE},
    {"SELECT id, n FROM item ORDER BY n DESC NULLS LAST, id LIMIT 10", MONEY_NONE},
    {"SELECT id, n FROM item ORDER BY n, id LIMIT 7 OFFSET 5", MONEY_NONE},
    {"SELECT id, k, row_number() OVER (PARTITION BY k ORDER BY id) FROM item", MONEY_NONE},
    {"SELECT id, sum(k) OVER (ORDER BY id ROWS 3 PRECEDING) FROM item", MONEY_NONE},
    {"SELECT i.id, g.label, i.n FROM item i JOIN tag g ON g.item = i.id", MONEY_NONE},
    {"SELECT i.id, count(g.label) FROM item i LEFT JOIN tag g ON g.item = i.id GROUP BY i.id",
     MONEY_NONE},
    {"SELECT id FROM item i WHERE NOT EXISTS (SELECT FROM tag g WHERE g.item = i.id)", MONEY_NONE},
    {"SELECT id, (SELECT max(label) FROM tag g WHERE g.item = i.id) FROM item i", MONEY_NONE},
    {"SELECT string_agg(label, ',' ORDER BY label) FROM tag GROUP BY item", MONEY_NONE},
    {"SELECT DISTINCT k, t FROM item", MONEY_NONE},
    {"SELECT k FROM item UNION SELECT v FROM part", MONEY_NONE},
    {"SELECT k FROM item EXCEPT ALL SELECT v FROM part", MONEY_NONE},
    {"SELECT id, region, v, t FROM part", MONEY_NONE},
    {"SELECT region, count(*), sum(v) FROM part GROUP BY region", MONEY_NONE},
    {"SELECT p.id, p.region, i.t FROM part p LEFT JOIN item i ON i.id = p.id", MONEY_NONE},
    {"SELECT a, b, c FROM full_id", MONEY_NONE},
    {"SELECT a, count(*), max(b) FROM full_id GROUP BY a", MONEY_NONE},
    {"SELECT w, count(*), max(n) FROM log GROUP BY w", MONEY_NONE},
    {"SELECT code, v, body FROM keyed", MONEY_NONE},
    {"SELECT v, count(*) FROM keyed GROUP BY v", MONEY_NONE},
    {"WITH RECURSIVE r(id, depth) AS (SELECT id, 0 FROM node WHERE parent IS NULL UNION SELECT "
     "n.id, r.depth + 1 FROM node n JOIN r ON n.parent = r.id WHERE r.depth < 20) SELECT id, depth "
     "FROM r",
     MONEY_NONE},
    {"SELECT id, 100 / (k - 3) FROM item WHERE id <= 5", MONEY_NONE}, /* fails at times */
    {"SELECT count(*), now() IS NOT NULL FROM item", MONEY_NONE},     /* rerun */
    {"SELECT k, count(*), max(now()) > '2000-01-01' FROM part JOIN item USING (id) GROUP BY k",
     MONEY_NONE},
    {"SELECT id, a, b, c FROM shape", MONEY_NONE}, /* DDL changes these */
    {"SELECT * FROM shape_view", MONEY_NONE},
    {"SELECT count(*), max(id) FROM shape", MONEY_NONE},
};
const size_t nstatements = sizeof statements / sizeof statements[0];
const size_t nbank_statements = 14;

/* The table without an identity must be published by hand; then the daemon takes it as it is. */
static const char tables[] =
    "CREATE TABLE branches(id int PRIMARY KEY, name text);"
    "INSERT INTO branches SELECT g, 'branch ' || g FROM generate_series(0, 5) g;"
    "CREATE TABLE accounts(id int PRIMARY KEY, branch int NOT NULL, balance bigint NOT NULL);"
    "CREATE TABLE savings(id int PRIMARY KEY, branch int NOT NULL, balance bigint NOT NULL);"
    "CREATE TABLE written(w int PRIMARY KEY, n bigint);"
    "CREATE TABLE item(id int PRIMARY KEY, k int, n numeric(12,2), t text, body text);"
    "ALTER TABLE item ALTER body SET STORAGE EXTERNAL;"
    "CREATE TABLE tag(item int, label text, PRIMARY KEY(item, label));"
    "CREATE TABLE part(id int, region int, v int, t text, PRIMARY KEY(id, region)) PARTITION BY "
    "LIST(region);"
    "CREATE TABLE part_0 PARTITION OF part FOR VALUES IN (0);"
    "CREATE TABLE part_1 PARTITION OF part FOR VALUES IN (1) PARTITION BY RANGE(id);"
    "CREATE TABLE part_1a PARTITION OF part_1 FOR VALUES FROM (MINVALUE) TO (70);"
    "CREATE TABLE part_1b PARTITION OF part_1 FOR VALUES FROM (70) TO (MAXVALUE);"
    "CREATE TABLE part_rest PARTITION OF part DEFAULT;"
    "CREATE TABLE full_id(a int, b text, c text); ALTER TABLE full_id REPLICA IDENTITY FULL;"
    "CREATE TABLE log(w int, n bigint, what text); CREATE PUBLICATION palimpsest FOR TABLE log;"
    "CREATE TABLE keyed(code text NOT NULL, v int, body text);"
    "CREATE UNIQUE INDEX keyed_code ON keyed(code);"
    "ALTER TABLE keyed REPLICA IDENTITY USING INDEX keyed_code;"
    "CREATE TABLE node(id int PRIMARY KEY, parent int);"
    "CREATE TABLE shape(id int PRIMARY KEY, a int, b text, c int);"
    "CREATE VIEW shape_view AS SELECT id, a FROM shape;"
    "CREATE TABLE unseen(x int)";

void statements_make_tables(PGconn *db)
{
    sql_run(db, "%s", tables);
    sql_run(db, "INSERT INTO accounts SELECT g, g %% 6, 100 FROM generate_series(1, %d) g",
            BANK_ACCOUNTS);
    sql_run(
        db,
        "INSERT INTO item SELECT g, g %% 9, g * 1.5, 't' || g %% 20, repeat(g::text, g * 20) "
        "FROM generate_series(1, 100) g;"
        "INSERT INTO tag SELECT g, 'l' || g %% 7 FROM generate_series(1, 100) g;"
        "INSERT INTO part SELECT g, g %% 5, g %% 11, 'p' || g FROM generate_series(1, 120) g;"
        "INSERT INTO full_id SELECT g %% 10, 'b' || g %% 4, repeat('c', g * 50) FROM "
        "generate_series(1, 60) g;"
        "INSERT INTO keyed SELECT 'c' || g, g, repeat('k', g * 40) FROM generate_series(1, 60) g;"
        "INSERT INTO node SELECT g, nullif(g / 3, 0) FROM generate_series(1, 60) g;"
        "INSERT INTO shape SELECT g, g, 'x' || g, g FROM generate_series(1, 20) g");
}

bool statements_repair(PGconn *db)
{
    static const char *const steps[] = {
        "DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_publication WHERE pubname = 'palimpsest') THEN "
        "CREATE PUBLICATION palimpsest; END IF; END $$",
        "DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_publication_rel WHERE prrelid = "
        "'log'::regclass) THEN ALTER PUBLICATION palimpsest ADD TABLE log; END IF; END $$",
        "ALTER PUBLICATION palimpsest SET (publish = 'insert, update, delete, truncate', "
        "publish_via_partition_root = false)",
    };
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++)
        if (!world_try(db, "%s", steps[i]))
            return false;
    return true;
}
