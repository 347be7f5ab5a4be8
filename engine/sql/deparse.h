/*
 * deparse: puts a delegated expression into SQL, piece by piece, for sql/bind_delegate.
 *
 *     struct deparse d;
 *     deparse_init(&d, b);
 *     deparse_function(&d, funcid);
 *     deparse_text(&d, "(");
 *     deparse_arg(&d, x, collation);
 *     deparse_text(&d, ")");
 *     return deparse_finish(&d, result);     // EXPR_DELEGATED, or NULL with the error set
 *
 * Whatever the SQL says is said unambiguously: names with their schema, every argument cast to the
 * type it has in the tree, with the input collation of the node, so that Postgres finds the same
 * functions in the analysis of the question as it did in that of the statement. Constants are written
 * out; an argument that is itself delegated becomes part of the SQL, since a function's arguments are
 * always evaluated; everything else is a placeholder, whose value travels with the question.
 *
 * Refused here, softly: what isn't immutable, but for what depends only on settings that the daemon
 * pins (see deparse_pinned.c); types whose text depends on the catalog (regclass and its kin) or
 * that can't be read back. The first refusal sticks, the rest is ignored.
 */
#ifndef PALIMPSEST_SQL_DEPARSE_H
#define PALIMPSEST_SQL_DEPARSE_H

#include "engine/expr/delegate.h"
#include "engine/sql/bind.h"

struct deparse_parts {
    struct delegate_part *v;
    size_t n, cap;
};

struct deparse {
    struct binder *b;
    bool failed;
    uint32_t cost; /* as in struct delegate_call */
    bool timeless; /* texts are read as dates or times: those that name a moment won't do */
    struct buf text, label, marks;
    struct deparse_parts parts;
    struct exprs args;
    const char **arrays; /* by argument */
    size_t narrays;
};

void deparse_init(struct deparse *d, struct binder *b);
void deparse_text(struct deparse *d, const char *sql);
void deparse_textf(struct deparse *d, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void deparse_quoted(struct deparse *d, const char *s, char quote);
/* e, cast to its type; with the node's input collation (0: none) where the type has one. */
void deparse_arg(struct deparse *d, const struct expr *e, uint32_t collation);
/* deparse_arg() of several, a comma between them. */
void deparse_args(struct deparse *d, const struct expr *const *v, size_t n, uint32_t collation);
/* The function's name, having checked that it may be called. */
void deparse_function(struct deparse *d, uint32_t funcid);
/* The operator's symbol, having checked its function. */
void deparse_operator(struct deparse *d, uint32_t opno, uint32_t funcid);
/* The type's name. */
void deparse_type(struct deparse *d, uint32_t type, int32_t typmod);
/* Whether values of the type can travel as text; else it is refused. */
void deparse_check_type(struct deparse *d, const struct type *t);
void deparse_field(struct deparse *d, uint32_t type, uint32_t funcid, int no);
/* The call of a FUNCEXPR over its bound arguments (bind_delegate.c). */
void deparse_call(struct deparse *d, const struct pgnode *node, const struct expr *const *args,
                  size_t n);
/* Whether a text read as this type may name a moment: 'now', 'today'. */
bool deparse_holds_time(const struct type *t);
/* Only the check that values of the type can be read back. */
void deparse_check_type(struct deparse *d, const struct type *t);
/* Only the check. */
void deparse_check_function(struct deparse *d, uint32_t funcid);
/* What the expression does, for people; several are listed. */
void deparse_label(struct deparse *d, const char *label);
void deparse_refuse(struct deparse *d, const char *what);
/* Frees what isn't in the arena; to be called always. */
const struct expr *deparse_finish(struct deparse *d, struct column_type result);

/* Whether a stable function of pg_catalog depends on nothing but pinned settings. */
bool deparse_is_pinned(const char *name, uint32_t funcid);

#endif
