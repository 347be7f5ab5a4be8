/*
 * statements: the tables of a run and what is subscribed to.
 *
 * Every statement has one answer at any moment (no clock, no order left open, no float sums), so
 * that views can be compared with Postgres, and with each other at the same LSN.
 */
#ifndef TESTS_FAULTS_STATEMENTS_H
#define TESTS_FAULTS_STATEMENTS_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BANK_ACCOUNTS 60
#define BANK_TOTAL    (BANK_ACCOUNTS * 100)
#define ITEMS         150

/* What the last column of all rows adds up to. */
enum money {
    MONEY_NONE,
    MONEY_TOTAL,    /* BANK_TOTAL, always */
    MONEY_ACCOUNTS, /* with MONEY_SAVINGS of the same moment it is BANK_TOTAL */
    MONEY_SAVINGS,
    MONEY_WRITTEN /* rows [writer,number]: what each writer has committed */
};

struct statement {
    const char *sql;
    enum money money;
};

extern const struct statement statements[];
extern const size_t nstatements;
/* The bank's statements come first. */
extern const size_t nbank_statements;

void statements_make_tables(PGconn *db);
/* What some faults leave behind is put right again; false: try again. */
bool statements_repair(PGconn *db);

#endif
