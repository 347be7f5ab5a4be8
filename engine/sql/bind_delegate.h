/*
 * bind_delegate: expression nodes as SQL for Postgres to evaluate, where there is no native version.
 *
 * Given the node and its bound arguments: binding is done once, by whoever tried the native version
 * first. All return NULL with the error set.
 */
#ifndef PALIMPSEST_SQL_BIND_DELEGATE_H
#define PALIMPSEST_SQL_BIND_DELEGATE_H

#include "engine/sql/bind.h"

/* FUNCEXPR; args in the order of the node's. */
const struct expr *delegated_func(struct binder *b, const struct pgnode *node,
                                  const struct expr *const *args, size_t n,
                                  struct column_type result);
/* OPEXPR, DISTINCTEXPR, NULLIFEXPR. */
const struct expr *delegated_op(struct binder *b, const struct pgnode *node,
                                const struct expr *const *args, size_t n,
                                struct column_type result);
/* SCALARARRAYOPEXPR over a value and an array. */
const struct expr *delegated_array_op(struct binder *b, const struct pgnode *node,
                                      const struct expr *x, const struct expr *array);
/* ARRAYEXPR. */
const struct expr *delegated_array(struct binder *b, const struct pgnode *node,
                                   const struct expr *const *v, size_t n,
                                   struct column_type result);
/* MINMAXEXPR. */
const struct expr *delegated_minmax(struct binder *b, const struct pgnode *node,
                                    const struct expr *const *args, size_t n,
                                    struct column_type result);
/* RELABELTYPE, COERCEVIAIO, ARRAYCOERCEEXPR, CONVERTROWTYPEEXPR, COERCETODOMAIN: a cast. */
const struct expr *delegated_cast(struct binder *b, const struct pgnode *node,
                                  const struct expr *arg, struct column_type result);
/* NULLTEST of a composite value. */
const struct expr *delegated_null_test(struct binder *b, const struct expr *arg, bool negated);
/* A row of these values: of the named composite type, or (OID_RECORD) a record whose fields have
 * these names, those of ROW(…) if names is NULL. */
const struct expr *delegated_row(struct binder *b, uint32_t type, const char *const *names,
                                 const struct expr *const *v, size_t n);
/* to_json(e), of type json. */
const struct expr *delegated_to_json(struct binder *b, const struct expr *e);
/* ROWCOMPAREEXPR. */
const struct expr *delegated_row_compare(struct binder *b, const struct pgnode *node,
                                         const struct expr *const *l, const struct expr *const *r,
                                         size_t n);

/* Nodes that are never native, bound with their arguments; one a tag. */
const struct expr *bind_field_select(struct binder *b, struct scope *sc, const struct pgnode *node);
const struct expr *bind_subscript(struct binder *b, struct scope *sc, const struct pgnode *node);
const struct expr *bind_cast(struct binder *b, struct scope *sc, const struct pgnode *node);
const struct expr *bind_xml(struct binder *b, struct scope *sc, const struct pgnode *node);

#endif
