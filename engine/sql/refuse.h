/*
 * refuse: everything a statement may hold that can't be kept live, each with its name. SQLSTATE
 * 0A000.
 *
 * Wrong is worse than refused: what the binder doesn't know exactly it hands to one of these. All
 * return false, for `return refuse(…)`.
 *
 * There are two kinds of no. refuse() is final: nothing tells when the answer changes, or asking
 * changes something (volatile functions, row locks, tables that are not in the stream). err_soft()
 * says that we can't maintain the answer by changes; Postgres can be asked again instead
 * (sql/rerun.h).
 *
 * To accept a construct: take its line out of the table in refuse.c and bind it.
 */
#ifndef PALIMPSEST_SQL_REFUSE_H
#define PALIMPSEST_SQL_REFUSE_H

#include "engine/sql/catalog.h"
#include "engine/sql/pgnode.h"

/* "<what> can't be kept live", in no way; what is a noun phrase. */
bool refuse(struct err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* What a query's own flags and clauses say before anything in it is looked at. */
MUST_CHECK bool refuse_check_query(const struct pgnode *query, struct err *err);
/* A FROM item of a kind that has no rule; or one with TABLESAMPLE. */
MUST_CHECK bool refuse_check_rte(const struct pgnode *rte, struct err *err);
/* Tables by kind: foreign, unlogged, temporary, materialized views, system catalogs, row security. */
MUST_CHECK bool refuse_check_table(const struct cat_table *t, struct err *err);
/* A function without a native version. */
bool refuse_function(const char *name, char volatility, struct err *err);
/* Expression nodes the binder has no rule for, sublinks among them. */
bool refuse_expr(const struct pgnode *node, struct err *err);
bool refuse_system_column(int attno, struct err *err);

#endif
