/*
 * expr: a scalar expression over one or two input rows, ready to be evaluated.
 *
 * Built by sql/ (from the analysed tree) with the constructors below, in the arena of a plan;
 * immutable afterwards and shared by threads. Columns are positions: (input, col). Evaluation goes
 * through a function pointer in each node; there is no interpreter loop to extend. Functions and
 * operators are found by their pg_proc OID in pgfuncs.def.
 *
 * An error while evaluating is data (a division by zero in a row): eval returns false with err set
 * and the operator counts the row as erroneous.
 *
 * To add a function: one line in pgfuncs.def and its implementation in the fn_*.c of its types.
 */
#ifndef PALIMPSEST_EXPR_EXPR_H
#define PALIMPSEST_EXPR_EXPR_H

#include "engine/value/row.h"

struct eval_ctx {
    const struct layout *layout[2]; /* of the input rows; borrowed */
    const uint8_t *row[2];
    struct arena *arena; /* for results; the caller resets it */
};

struct expr;
typedef bool eval_fn(const struct expr *e, struct eval_ctx *cx, struct value *out, struct err *err);

enum expr_kind {
    EXPR_COLUMN,
    EXPR_CONST,
    EXPR_FUNC, /* strict or not, by OID: functions, operators, casts, typmod coercions */
    EXPR_AND,
    EXPR_OR,
    EXPR_NOT,
    EXPR_IS_NULL,   /* flag: negated */
    EXPR_BOOL_TEST, /* IS [NOT] TRUE / FALSE / UNKNOWN */
    EXPR_DISTINCT,  /* IS [NOT] DISTINCT FROM; flag: negated. args compared by the = function */
    EXPR_ROW,       /* a record of the args; this and the next two: see eval_path.c */
    EXPR_APPEND,    /* a list of records and one more */
    EXPR_ON_PATH,   /* whether a record is in such a list */
    EXPR_SAME,      /* whether grouping would put both in one group: NULLs are equal; never NULL */
    EXPR_RAISE,     /* the error that Postgres would raise here; op: enum raise */
    EXPR_CASE,      /* args: when, then, when, then…, else (always present, maybe const NULL) */
    EXPR_COALESCE,
    EXPR_NULLIF,
    EXPR_MINMAX,   /* GREATEST / LEAST */
    EXPR_IN,       /* x op ANY/ALL (list): args[0] against args[1..]; flag: use_or */
    EXPR_IN_ARRAY, /* x op ANY/ALL (array): args[0] against the elements of args[1]; flag: use_or */
    EXPR_ARRAY,    /* ARRAY[args] */
    EXPR_ELEMENT,  /* args[0][args[1]][args[2]]… */
    EXPR_RELABEL,  /* same bytes, other type */
    EXPR_VIA_IO,   /* text form of one type read as another */
    EXPR_DELEGATED /* computed by Postgres; see delegate.h */
};

struct pgfunc;
struct delegate_call;

struct expr {
    enum expr_kind kind;
    struct column_type ct; /* of the result */
    eval_fn *eval;
    const struct expr **args; /* in the plan's arena */
    uint32_t nargs;
    bool flag;
    uint8_t input;             /* EXPR_COLUMN */
    uint8_t op;                /* EXPR_BOOL_TEST, EXPR_MINMAX, EXPR_RAISE: which one */
    uint32_t col;              /* EXPR_COLUMN */
    uint32_t rel;              /* EXPR_COLUMN: planner's relation identity, 0 once positional */
    struct value value;        /* EXPR_CONST */
    const struct pgfunc *func; /* EXPR_FUNC, EXPR_NULLIF, EXPR_DISTINCT, EXPR_IN[_ARRAY] */
    const struct collation *collation; /* input collation, NULL = none */
    const struct delegate_call *call;  /* EXPR_DELEGATED; in the plan's arena */
};

static inline bool expr_eval(const struct expr *e, struct eval_ctx *cx, struct value *out,
                             struct err *err)
{
    return e->eval(e, cx, out, err);
}

/* Constructors: allocate in a, copy the args array (not the args). Those that can refuse return
 * NULL with 0A000 and the construct's name. */
struct expr *expr_column(struct arena *a, int input, uint32_t col, struct column_type ct);
struct expr *expr_const(struct arena *a, struct value v, struct column_type ct); /* v is borrowed */
struct expr *expr_func(struct arena *a, uint32_t funcid, const char *name,
                       const struct expr *const *args, size_t nargs, struct column_type result,
                       const struct collation *input_collation, struct err *err);
struct expr *expr_bool(struct arena *a, enum expr_kind kind, const struct expr *const *args,
                       size_t nargs);
struct expr *expr_is_null(struct arena *a, const struct expr *arg, bool negated);
enum bool_test {
    IS_TRUE,
    IS_NOT_TRUE,
    IS_FALSE,
    IS_NOT_FALSE,
    IS_UNKNOWN,
    IS_NOT_UNKNOWN
};
struct expr *expr_bool_test(struct arena *a, const struct expr *arg, enum bool_test test);
/* eq_funcid: the function of the "=" operator. */
struct expr *expr_distinct(struct arena *a, uint32_t eq_funcid, const struct expr *x,
                           const struct expr *y, const struct collation *coll, bool negated,
                           struct err *err);
/* By the equality of the type, as keys are compared; both of one type that has one. */
struct expr *expr_same(struct arena *a, const struct expr *x, const struct expr *y);
enum raise {
    RAISE_MANY_ROWS /* 21000: more than one row from a subquery used as an expression */
};
struct expr *expr_raise(struct arena *a, enum raise what, struct column_type ct);
struct expr *expr_nullif(struct arena *a, uint32_t eq_funcid, const struct expr *x,
                         const struct expr *y, struct column_type result,
                         const struct collation *coll, struct err *err);
struct expr *expr_case(struct arena *a, const struct expr *const *args, size_t nargs,
                       struct column_type result);
struct expr *expr_coalesce(struct arena *a, const struct expr *const *args, size_t nargs,
                           struct column_type result);
struct expr *expr_minmax(struct arena *a, bool greatest, const struct expr *const *args,
                         size_t nargs, struct column_type result, const struct collation *coll,
                         struct err *err);
struct expr *expr_in(struct arena *a, uint32_t op_funcid, bool use_or, const struct expr *x,
                     const struct expr *const *list, size_t n, const struct collation *coll,
                     struct err *err);
/* The same over an array; a constant one becomes a list. */
struct expr *expr_in_array(struct arena *a, uint32_t op_funcid, bool use_or, const struct expr *x,
                           const struct expr *array, const struct collation *coll, struct err *err);
struct expr *expr_array(struct arena *a, const struct expr *const *items, size_t n,
                        struct column_type result, struct err *err);
/* An element by as many subscripts as the array has dimensions. */
struct expr *expr_element(struct arena *a, const struct expr *array,
                          const struct expr *const *subscripts, size_t n, struct column_type result,
                          struct err *err);
/* Refuses where the types are binary coercible in Postgres but print differently (regclass to oid).
 */
struct expr *expr_relabel(struct arena *a, const struct expr *arg, struct column_type result,
                          struct err *err);
struct expr *expr_via_io(struct arena *a, const struct expr *arg, struct column_type result,
                         struct err *err);
/* Whether the native version reads only what it prints itself. */
bool via_io_is_partial(const struct type *to);
/* The same, and for text that the native version can't read (see cast.c) what `other` says. */
const struct expr *expr_via_io_or(struct arena *a, const struct expr *via_io,
                                  const struct expr *other);

/* call has everything but its id and question, which are worked out here. */
struct expr *expr_delegated(struct arena *a, struct delegate_call *call,
                            const struct expr *const *args, size_t nargs,
                            struct column_type result);

/* Records with fields of these names, and lists of them. */
struct expr *expr_row(struct arena *a, const char *const *names, const struct expr *const *args,
                      size_t n);
struct expr *expr_append(struct arena *a, const struct expr *path, const struct expr *row);
struct expr *expr_on_path(struct arena *a, const struct expr *row, const struct expr *path);

/* A copy of e over other arguments (as many, of the same types). Whoever rewrites a tree goes
 * through here: the evaluation function may be specialised for the kinds of the arguments. */
struct expr *expr_with_args(struct arena *a, const struct expr *e, const struct expr *const *args);

/* Evaluates what is constant in a freshly built node; errors stay for run time, as in Postgres's
 * executor. Returns e or a constant in its place. */
const struct expr *expr_fold(struct arena *a, const struct expr *e);

/* True, false or NULL as a condition: NULL counts as false. */
static inline bool expr_holds(const struct expr *e, struct eval_ctx *cx, bool *holds,
                              struct err *err)
{
    struct value v;
    if (!e->eval(e, cx, &v, err))
        return false;
    *holds = !v.null && v.i;
    return true;
}

/* Appends SQL-like text: #n for column n of input 0, names where names is not NULL. */
void expr_print(const struct expr *e, const char *const *names, struct buf *b);

#endif
