/*
 * bank: transfers, in the manner of Jepsen's bank test. Money moves between accounts, between an
 * account and the savings of the same or another id, with accounts closed and opened again, through
 * savepoints and rolled-back attempts: the total over both tables is BANK_TOTAL after every commit.
 *
 * Accounts always have rows; savings come and go. An UPDATE that waited for someone who closed
 * the account and opened it again doesn't find it (READ COMMITTED): then the transfer is off.
 */
#include <limits.h>
#include <stdio.h>

#include "tests/faults/statements.h"
#include "tests/faults/work.h"

static bool add_money(PGconn *db, int id, long amount)
{
    return world_change(db, "UPDATE accounts SET balance = balance + %ld WHERE id = %d", amount,
                        id) == 1;
}

static bool plain(PGconn *db, struct rng *r)
{
    int from = rng_between(r, 1, BANK_ACCOUNTS), to = rng_between(r, 1, BANK_ACCOUNTS);
    int amount = rng_between(r, 1, 40);
    return add_money(db, from, -amount) && add_money(db, to, amount);
}

static bool to_savings(PGconn *db, struct rng *r)
{
    int from = rng_between(r, 1, BANK_ACCOUNTS), to = rng_between(r, 1, BANK_ACCOUNTS);
    int amount = rng_between(r, 1, 40);
    return add_money(db, from, -amount) &&
           world_try(db,
                     "INSERT INTO savings AS s VALUES (%d, %d, %d) ON CONFLICT (id) DO UPDATE SET "
                     "balance = s.balance + excluded.balance",
                     to, to % 6, amount);
}

/* Savings are closed and paid out. */
static bool from_savings(PGconn *db, struct rng *r)
{
    char close[160];
    snprintf(close, sizeof close,
             "WITH gone AS (DELETE FROM savings WHERE id %% 7 = %d RETURNING balance) SELECT "
             "coalesce(sum(balance), 0) FROM gone",
             rng_between(r, 0, 6));
    long paid = world_ask(db, LONG_MIN, close);
    return paid != LONG_MIN && add_money(db, rng_between(r, 1, BANK_ACCOUNTS), paid);
}

/* The money stays, the branch changes. */
static bool to_branch(PGconn *db, struct rng *r)
{
    return world_try(db, "UPDATE accounts SET branch = %d WHERE id = %d", rng_between(r, 0, 5),
                     rng_between(r, 1, BANK_ACCOUNTS));
}

/* Closed and opened again under the same id, in one transaction. */
static bool reopen(PGconn *db, struct rng *r)
{
    int id = rng_between(r, 1, BANK_ACCOUNTS);
    char ask[100];
    snprintf(ask, sizeof ask, "SELECT balance FROM accounts WHERE id = %d FOR UPDATE", id);
    long balance = world_ask(db, LONG_MIN, ask);
    return balance != LONG_MIN && /* somebody else was just doing the same */
           world_change(db, "DELETE FROM accounts WHERE id = %d", id) == 1 &&
           world_try(db, "INSERT INTO accounts VALUES (%d, %d, %ld)", id, id % 6, balance);
}

/* What is tried in a savepoint and taken back must never be seen. */
static bool with_savepoint(PGconn *db, struct rng *r)
{
    return world_try(db, "SAVEPOINT s") && plain(db, r) && to_savings(db, r) &&
           world_try(db, "UPDATE accounts SET balance = 0 WHERE id < 20") &&
           world_try(db, "ROLLBACK TO s") && plain(db, r) && world_try(db, "RELEASE s");
}

/* Every row, twice: rows whose changes cancel out. */
static bool all_of_them(PGconn *db, struct rng *r)
{
    static const char add[] = "UPDATE accounts SET balance = balance + %d";
    int amount = rng_between(r, 1, 9);
    return world_change(db, add, -amount) == BANK_ACCOUNTS && plain(db, r) &&
           world_change(db, add, amount) == BANK_ACCOUNTS;
}

/* Emptied and filled again, in one transaction. */
static bool refilled(PGconn *db, struct rng *r)
{
    (void)r;
    return world_try(db, "LOCK TABLE accounts, savings IN ACCESS EXCLUSIVE MODE") &&
           world_try(db, "CREATE TEMP TABLE kept ON COMMIT DROP AS SELECT * FROM accounts") &&
           world_try(db, "TRUNCATE accounts") &&
           world_try(db, "INSERT INTO accounts SELECT * FROM kept");
}

bool bank_transfer(PGconn *db, struct rng *r)
{
    unsigned dice = rng_below(r, 100);
    return dice < 40   ? plain(db, r)
           : dice < 60 ? to_savings(db, r)
           : dice < 75 ? from_savings(db, r)
           : dice < 82 ? to_branch(db, r)
           : dice < 90 ? reopen(db, r)
           : dice < 97 ? with_savepoint(db, r)
           : dice < 99 ? all_of_them(db, r)
                       : refilled(db, r);
}
