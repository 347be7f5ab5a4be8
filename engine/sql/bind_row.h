/*
 * bind_row: arrays and rows in expressions; rules of bind_expr's table. NULL with the error set.
 */
#ifndef PALIMPSEST_SQL_BIND_ROW_H
#define PALIMPSEST_SQL_BIND_ROW_H

#include "engine/sql/bind.h"

const struct expr *bind_array(struct binder *b, struct scope *sc, const struct pgnode *node);
const struct expr *bind_array_op(struct binder *b, struct scope *sc, const struct pgnode *node);
const struct expr *bind_null_test(struct binder *b, struct scope *sc, const struct pgnode *node);
const struct expr *bind_row(struct binder *b, struct scope *sc, const struct pgnode *node);
const struct expr *bind_row_compare(struct binder *b, struct scope *sc, const struct pgnode *node);
/* n, which is that FROM item, with the column that bind_whole_row() needs of it, if it does. */
struct logical *bind_presence(struct binder *b, struct scope *sc, int64_t rtindex,
                              struct logical *n);
/* All columns of the FROM item as one value of the VAR's type, OID_RECORD if it has none. */
const struct expr *bind_whole_row(struct binder *b, struct scope *sc, const struct rte *rte,
                                  const struct pgnode *var);

#endif
