/*
 * bind_json: the SQL/JSON expressions of Postgres 16 and 17, delegated; rules of bind_expr's table.
 */
#ifndef PALIMPSEST_SQL_BIND_JSON_H
#define PALIMPSEST_SQL_BIND_JSON_H

#include "engine/sql/bind.h"

const struct expr *bind_json_value(struct binder *b, struct scope *sc, const struct pgnode *node);
const struct expr *bind_json_test(struct binder *b, struct scope *sc, const struct pgnode *node);
const struct expr *bind_json_made(struct binder *b, struct scope *sc, const struct pgnode *node);
const struct expr *bind_json_query(struct binder *b, struct scope *sc, const struct pgnode *node);

#endif
