/*
 * doubt_int: what doubt.c and doubt_value.c share. Nobody else includes it.
 */
#ifndef PALIMPSEST_PLAN_DOUBT_INT_H
#define PALIMPSEST_PLAN_DOUBT_INT_H

#include "engine/plan/logical.h"
#include "engine/plan/plan.h"

struct doubt_ids {
    struct logical_id *v;
    size_t n, cap;
};

struct doubt_column {
    uint32_t rel, no;
    enum doubt doubt;
};

/* One look at a plan; all in a scratch arena. */
struct doubting {
    struct arena *arena;
    const char *why;     /* all is in doubt, because of… */
    const char *because; /* the first value that is wholly in doubt is, because of… */
    struct {
        struct doubt_column *v; /* the doubtful ones */
        size_t n, cap;
    } columns;
    struct {
        const struct logical_cte **v;
        size_t n, cap;
    } ctes; /* looked at */
};

/* doubt.c */
void doubt_look(struct doubting *d, const struct logical *n);
/* Whether no two rows of n are equal on these columns. */
bool doubt_is_unique(struct doubting *d, const struct logical *n, const struct doubt_ids *ids);

/* doubt_value.c */
void doubt_all(struct doubting *d, const char *why);
enum doubt doubt_because(struct doubting *d, const char *why); /* DOUBT_ALL */
void doubt_note(struct doubting *d, uint32_t rel, uint32_t no, enum doubt doubt);
enum doubt doubt_of_column(const struct doubting *d, uint32_t rel, uint32_t no);
/* As far as the columns it is made of are in doubt. */
enum doubt doubt_of_expr(struct doubting *d, const struct expr *e);
/* Also for what is calculated: the C library's last digits needn't be those of the server's. */
enum doubt doubt_of_result(struct doubting *d, const struct expr *e);
/* Of a value that stands for all that are equal to it. */
enum doubt doubt_of_spelling(struct doubting *d, const struct column_type *ct);
/* total: its own order tells all rows of the group apart. */
enum doubt doubt_of_agg(struct doubting *d, const struct group_agg *g, bool total);
/* total: its window's order tells all rows apart. */
enum doubt doubt_of_window(struct doubting *d, const struct window_call *w, bool total);

#endif
