/*
 * pgfuncs: the functions of Postgres that have a native version, by pg_proc OID.
 *
 * pgfuncs.def has a line for each pg_proc row; several rows share an implementation, as they do in
 * Postgres, and all integer-like types share theirs because they lie in value.i alike. The
 * implementations are in the fn_*.c of their types; they get the evaluated arguments and the node
 * they are called for, which knows collation and types.
 *
 * Every function of the table is strict: with a NULL argument the result is NULL, and fn is not
 * called. A function not in the table is refused when a plan is bound, never guessed.
 *
 * To add one: a line in pgfuncs.def and its FN() here by way of the same line; the implementation
 * in the fn_*.c of its types; cases in tests/unit/expr.
 */
#ifndef PALIMPSEST_EXPR_PGFUNCS_H
#define PALIMPSEST_EXPR_PGFUNCS_H

#include "engine/expr/expr.h"

typedef bool pgfunc_fn(const struct expr *e, struct eval_ctx *cx, const struct value *v,
                       struct value *out, struct err *err);

/* What a function needs of its input collation. */
enum pgfunc_coll {
    COLL_NONE,  /* nothing */
    COLL_EQ,    /* a deterministic one: equality is that of bytes */
    COLL_SAME,  /* its equality */
    COLL_ORDER, /* its order */
    COLL_CASE,  /* its upper and lower case */
    /* No more than the first argument's type does, which must have an equality, or an order. */
    COLL_TYPE_EQ,
    COLL_TYPE_ORDER
};

struct pgfunc {
    uint32_t oid;
    uint8_t nargs;
    uint8_t coll; /* enum pgfunc_coll */
    pgfunc_fn *fn;
    const char *name;   /* pg_proc.proname */
    const char *symbol; /* of its operator, NULL = none */
};

#define PGFUNC_MAX_ARGS 8

/* NULL when there is no native version. */
const struct pgfunc *pgfunc_lookup(uint32_t oid);

/* Every implementation of the table, declared. */
#define PGFUNC(oid, name, symbol, nargs, coll, fn) pgfunc_fn fn;
#include "engine/expr/pgfuncs.def"
#undef PGFUNC

/* How an implementation in fn_*.c begins. */
#define FN(name)                                                                                   \
    bool name(const struct expr *e __attribute__((unused)),                                        \
              struct eval_ctx *cx __attribute__((unused)), const struct value *v,                  \
              struct value *out, struct err *err __attribute__((unused)))

static inline bool fn_bool(struct value *out, bool b)
{
    *out = value_bool(b);
    return true;
}

static inline bool fn_int(struct value *out, int64_t i)
{
    *out = value_int(i);
    return true;
}

static inline bool fn_float(struct value *out, double f)
{
    *out = value_float(f);
    return true;
}

/* The operator's six comparisons from one three-way comparison. */
#define FN_COMPARISONS(prefix, three_way)                                                          \
    FN(prefix##_eq)                                                                                \
    {                                                                                              \
        return fn_bool(out, (three_way) == 0);                                                     \
    }                                                                                              \
    FN(prefix##_ne)                                                                                \
    {                                                                                              \
        return fn_bool(out, (three_way) != 0);                                                     \
    }                                                                                              \
    FN(prefix##_lt)                                                                                \
    {                                                                                              \
        return fn_bool(out, (three_way) < 0);                                                      \
    }                                                                                              \
    FN(prefix##_le)                                                                                \
    {                                                                                              \
        return fn_bool(out, (three_way) <= 0);                                                     \
    }                                                                                              \
    FN(prefix##_gt)                                                                                \
    {                                                                                              \
        return fn_bool(out, (three_way) > 0);                                                      \
    }                                                                                              \
    FN(prefix##_ge)                                                                                \
    {                                                                                              \
        return fn_bool(out, (three_way) >= 0);                                                     \
    }

/* "integer out of range" and its kin. */
bool int_out_of_range(struct err *err, enum type_kind kind);

#endif
