/*
 * plan: from an analysed statement to a circuit. The one door to sql/ and plan/.
 *
 * Where that can't be done, plan_spec_rerun() makes a spec by which Postgres is asked again
 * (plan_rerun.c).
 *
 *     node tree text ──sql/pgnode──▶ generic tree ──sql/bind──▶ logical plan ──plan/passes──▶
 *     optimised logical plan ──plan/canon──▶ key        ──plan/build──▶ circuit
 *
 * plan_spec_new() does all but the last step, on any thread; the spec is immutable and shared by
 * reference count. plan_build() makes a circuit from it, on the worker that will run it, as often as
 * needed (a rebuild makes a second one).
 */
#ifndef PALIMPSEST_PLAN_PLAN_H
#define PALIMPSEST_PLAN_PLAN_H

#include "engine/circuit/circuit.h"
#include "engine/sql/catalog.h"

/* One base table a plan reads. The same table read twice in a statement is one source. */
struct plan_source {
    uint32_t table; /* OID of the table named in the statement (a partition root, say) */
    const char *schema, *name;
    bool only;              /* FROM ONLY: what is below the table doesn't count, now or later */
    const uint32_t *leaves; /* OIDs of the ordinary tables that hold the rows; all replicated */
    size_t nleaves;
    /* The columns the plan needs, in source row order. Leaves may number theirs differently: names
     * are what maps them. */
    const char *const *colnames;
    const uint32_t
        *attnums; /* of the table named: by what it can be told that a column is another */
    const struct column_type *cols;
    size_t ncols;
    struct layout *layout; /* of the rows to push; owned */
};

/* A view the statement was read through, or a user's function that Postgres is asked for. Its
 * definition is part of the plan. Or a table whose rows are read as a whole: the list of its columns is. */
struct plan_view {
    uint32_t oid;
    bool columns;  /* it is a table: mark is empty */
    char mark[33]; /* the definition's MD5, in hexadecimal */
};

struct plan_column {
    const char *name;
    const char *type_name; /* as format_type(oid, typmod) prints it: given to plan_spec_new() */
    struct column_type ct;
};

/* The statement as Postgres can be asked it at any time. */
struct plan_question {
    const char *sql;           /* every name in it qualified; NULL: not filled in */
    const char *const *params; /* values of $1… as text; NULL element = NULL */
    const uint32_t *param_types;
    size_t nparams;
};

/* What of a value isn't determined by the statement and its tables. */
enum doubt {
    DOUBT_NONE,
    DOUBT_SPELLING, /* of a number: 1.0 or 1.00, 0 or -0 */
    DOUBT_DIGITS,   /* the last ones of a float */
    DOUBT_ALL
};

/* What of Postgres's answer is only one of several right ones; see plan/doubt.h. */
struct plan_doubt {
    const char *why;           /* it can be another altogether: a clause; NULL = it can't */
    const enum doubt *columns; /* of each visible column; NULL: of none */
    size_t ncolumns;
};

/* A statement that Postgres is asked again. */
struct plan_rerun {
    const char *what; /* why: the construct that can't be maintained by changes; a noun phrase */
    bool timed;       /* the answer depends on the time */
    bool ordered;     /* the order of its rows matters */
};

struct plan_spec {
    atomic_int refs;
    struct arena arena;          /* owns everything below */
    char key[17];                /* canonical key, 16 hex digits */
    const char *sql;             /* canonical SQL, for LIST */
    struct plan_column *columns; /* the visible ones: the first ncolumns of the output row */
    size_t ncolumns;
    /* The tables it reads; of a rerun without columns and layout. */
    struct plan_source *sources;
    size_t nsources;
    const struct plan_view *views; /* and functions; the caller's to fill in */
    size_t nviews;
    /* ORDER BY of the outermost query: the order of a SNAPSHOT's rows. Columns may be beyond
     * ncolumns (resjunk): they are in the output row but not shown. */
    struct sort_key *order;
    size_t norder;
    struct plan_question question;
    struct plan_doubt doubt;
    const struct plan_rerun *rerun; /* NULL: incremental, by root and physical, which it lacks */
    struct logical *root;           /* plan/logical.h */
    struct physical *physical;      /* plan/physical.h: what plan_build() replays */
};

/* What the caller learned from Postgres besides the tree. */
struct plan_input {
    const char *tree;              /* pg_proc.prosqlbody */
    const char *sql;               /* canonical SQL without the BEGIN ATOMIC frame */
    const char *const *type_names; /* format_type() of each result column, NULL-terminated */
    const struct value *params;    /* values of $1…: parsed, of type param_types[i] */
    const struct column_type *param_types;
    size_t nparams;
    const char *qualified; /* sql with every name qualified; for plan_spec_ask(), and a rerun */
    /* Where a recursion is taken for one that never ends; 0: the default. */
    int64_t recursion_depth, recursion_rows;
    const char *environment; /* whatever else changes the answer (time zone); part of the key */
};

/* NULL with err: 0A000 names the construct that can't be kept live; 42P10 and its kin as needed. */
struct plan_spec *plan_spec_new(const struct plan_input *in, const struct catalog *cat,
                                struct err *err);
/* The spec of the same statement for asking Postgres again; why is plan_spec_new()'s soft error. NULL
 * with err where that can't be done either. */
struct plan_spec *plan_spec_rerun(const struct plan_input *in, const struct catalog *cat,
                                  const struct err *why, struct err *err);
/* Fills in the question of a new spec that isn't a rerun's, which has it. */
void plan_spec_ask(struct plan_spec *s, const struct plan_input *in);
struct plan_spec *plan_spec_ref(const struct plan_spec *p);
void plan_spec_unref(const struct plan_spec *p);

/* sources[i] gets the circuit's source operator for spec->sources[i]. */
struct circuit *plan_build(const struct plan_spec *p, struct op **sources);

/* Appends EXPLAIN's lines, one per operator, '\n' after each: the circuit that would run. With a
 * running circuit, its held rows and bytes too; c may be NULL. */
void plan_explain(const struct plan_spec *p, const struct circuit *c, struct buf *b);

#endif
