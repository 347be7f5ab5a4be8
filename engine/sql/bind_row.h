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
/* All columns of the FROM item as one value of that type, OID_RECORD if it has none of its own. */
const struct expr *bind_whole_row(struct binder *b, struct scope *sc, const struct rte *rte,
                                  uint32_t type);

#endif
