/*
 * delegate: what the engine asks Postgres while a circuit runs.
 *
 * Immutable functions, operators and casts that have no native version are computed by Postgres:
 * arguments travel as text in arrays, one question for many rows, results come back as text. The
 * engine does no I/O: whoever runs circuits on a thread makes a delegator over a host that can ask
 * (the daemon's is a libpq session), and enters it; from then on everything on that thread may ask.
 *
 *     delegate_ask()       any question: a SELECT over array parameters, rows of text back
 *     EXPR_DELEGATED       a call within an expression: looked up in the delegator's memo by the
 *                          values of its arguments, asked for if it isn't there
 *     delegate_collect()   evaluates expressions over many rows beforehand, so that what they will
 *                          ask is asked in one go
 *
 * Evaluation stays as lazy as Postgres's: collecting evaluates as far as it can, notes the calls that
 * a row really comes to, asks for all of them at once, and goes on from there. So it takes as many
 * questions as calls are nested in each other, however many rows there are.
 *
 * Two kinds of failure. That Postgres answers a row with an error is data: the call fails for that
 * row, as it would there. That Postgres doesn't answer (the session is lost, out of resources, too
 * slow) says nothing of the data: delegate_is_lost() is true from then on, every call fails at once,
 * and what the circuit made of it is void. The circuit stops there and says so; its owner builds it
 * anew.
 *
 * Who asks questions of its own: arguments as columns of struct delegate_text, cast in the SQL from
 * text to their type; DELEGATE_FAILED is for the asker to narrow down (ask for less at a time).
 */
#ifndef PALIMPSEST_EXPR_DELEGATE_H
#define PALIMPSEST_EXPR_DELEGATE_H

#include "engine/expr/expr.h"

/* A value in its text form. */
struct delegate_text {
    const char *p;
    uint32_t len;
    bool null;
};

struct delegate_question {
    const char *sql; /* one SELECT; $1…$nargs are array literals: unnest($1::text[], …) */
    const struct delegate_text *const *args; /* nargs columns of nrows values */
    size_t nargs, nrows;
};

struct delegate_answer {
    size_t nrows, ncols;
    const struct delegate_text *cells; /* row by row */
};

enum delegate_outcome {
    DELEGATE_ANSWERED,
    DELEGATE_FAILED, /* Postgres's own error, in err */
    DELEGATE_LOST    /* no answer; the circuit is void */
};

/* Parameters are text and never NULL. Answer and texts go to the arena. */
struct delegate_host {
    void *ctx;
    enum delegate_outcome (*ask)(void *ctx, const char *sql, size_t nparams,
                                 const char *const *params, struct arena *a,
                                 struct delegate_answer *out, struct err *err);
    /* The same, with something made for it beforehand and gone afterwards. NULL: can't be done. */
    enum delegate_outcome (*ask_with)(void *ctx, const char *setup, const char *sql, size_t nparams,
                                      const char *const *params, struct arena *a,
                                      struct delegate_answer *out, struct err *err);
};

struct delegator;

struct delegator *delegator_new(const struct delegate_host *host, size_t memo_bytes);
void delegator_free(struct delegator *d);
size_t delegator_bytes(const struct delegator *d); /* of the memo */
/* The memo is empty again. Between steps. */
void delegator_forget(struct delegator *d);
/* The calling thread's from now on; NULL: none. */
void delegator_enter(struct delegator *d);

enum delegate_outcome delegate_ask(const struct delegate_question *q, struct arena *a,
                                   struct delegate_answer *out, struct err *err);
/* Whether a question has gone unanswered since the last delegate_begin(). */
bool delegate_is_lost(void);
/* A circuit's step begins. */
void delegate_begin(void);

/* Appends a text array's literal. */
void delegate_array(struct buf *b, const struct delegate_text *v, size_t n);
/* v as it travels; the text goes to the arena. */
struct delegate_text delegate_text_of(const struct type *t, struct value v, struct arena *a);

/* ------------------------------------------------------------ calls within expressions */

/* SQL text and behind it the place of an argument; -1 in the last part, behind which there is none. */
struct delegate_part {
    const char *text;
    int32_t arg;
};

/* One SQL expression over arguments; in the plan's arena. */
struct delegate_call {
    uint64_t id[2];    /* of the whole of it: the memo's key begins with it */
    const char *label; /* for people: "lower, initcap" */
    const struct delegate_part *parts;
    size_t nparts;
    const char *const *arrays; /* by argument: the array type it travels in, "text[]" mostly */
    const char *sql;           /* the question */
    const char *result;        /* its type in SQL; NULL: a record of no named type */
    const char *marks;         /* what the users' functions in it are now: part of the identity */
    uint32_t cost;             /* Postgres's estimate for one row, in calls of a simple function */
    /* Texts are read as dates or times: those that name a moment ("today") fail. */
    bool timeless;
};

/* Whether there is a delegated call in e. */
bool expr_is_delegated(const struct expr *e);

/* Expressions over the rows of a delta: what they will ask. */
struct delegate_task {
    const struct expr *e;
    const struct layout *layout[2];
    const uint8_t *row[2];
};
/* Evaluates them all for their questions' sake, errors and results aside. Values that the memo gave
 * before are no longer valid. False: lost. */
bool delegate_collect(const struct delegate_task *tasks, size_t n);

#endif
