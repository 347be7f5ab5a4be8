/*
 * op_window_reach: how far a row that comes or goes is felt by each kind of window function, and how
 * far a function looks. See struct group_reach.
 *
 *     lag(x, 2)                           the 2 rows behind a change; looks 2 rows back
 *     sum(x) … ROWS 5 PRECEDING           the 5 rows behind it; looks 5 rows back
 *     row_number()                        all behind it; looks nowhere: it is told where it is
 *     rank(), running sums                all behind it; look all the way back
 *     ntile(4), sum(x) over all           everything
 *
 * What isn't known to be less reaches everything.
 */
#include "engine/expr/win_classes.h"
#include "engine/op/op_window_int.h"

#define FAR 1000000 /* from there on it is as well to take all */

static const struct group_reach everything = {GROUP_ALL, GROUP_ALL, GROUP_ALL, GROUP_ALL, false};

/* Of a function that looks so many rows back and ahead. */
static struct group_reach looking(int64_t back, int64_t ahead)
{
    return (struct group_reach){.before = ahead, .behind = back, .back = back, .ahead = ahead};
}

static struct group_reach reach_of_shift(const struct win_spec *spec)
{
    int64_t by = 1;
    if (spec->nargs > 1) {
        const struct expr *e = spec->args[1];
        if (e->kind != EXPR_CONST || e->value.i > FAR || e->value.i < -FAR)
            return everything;
        by = e->value.null ? 0 : e->value.i;
    }
    if (spec->cls == &win_lead)
        by = -by;
    return by >= 0 ? looking(by, 0) : looking(0, -by);
}

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static struct group_reach reach_of_rows(const struct win_frame *f)
{
    const struct win_bound *bounds[2] = {&f->start, &f->end};
    int64_t back = 0, ahead = 0;
    for (int i = 0; i < 2; i++) {
        int64_t offset = bounds[i]->offset.i > FAR ? GROUP_ALL : bounds[i]->offset.i;
        switch (bounds[i]->kind) {
        case BOUND_UNBOUNDED: *(i ? &ahead : &back) = GROUP_ALL; break;
        case BOUND_CURRENT: break;
        case BOUND_PRECEDING: back = larger(back, offset); break;
        case BOUND_FOLLOWING: ahead = larger(ahead, offset); break;
        }
    }
    return looking(back, ahead);
}

/* RANGE and GROUPS. */
static struct group_reach reach_of_peers(const struct win_frame *f)
{
    const struct win_bound *start = &f->start, *end = &f->end;
    bool plain = (start->kind == BOUND_UNBOUNDED || start->kind == BOUND_CURRENT) &&
                 (end->kind == BOUND_UNBOUNDED || end->kind == BOUND_CURRENT);
    if (!plain)
        return everything;
    return looking(start->kind == BOUND_UNBOUNDED ? GROUP_ALL : 0,
                   end->kind == BOUND_UNBOUNDED ? GROUP_ALL : 0);
}

static struct group_reach reach_of_frame(const struct win_frame *f)
{
    struct group_reach r = f->mode == FRAME_ROWS ? reach_of_rows(f) : reach_of_peers(f);
    r.peers = f->mode != FRAME_ROWS || f->exclude == EXCLUDE_GROUP || f->exclude == EXCLUDE_TIES;
    return r;
}

static struct group_reach reach_of_call(const struct window_call *c)
{
    const struct win_class *cls = c->win.cls;
    if (c->is_agg || cls->framed)
        return reach_of_frame(c->frame);
    if (cls == &win_row_number)
        return (struct group_reach){.behind = GROUP_ALL};
    if (cls == &win_rank || cls == &win_dense_rank)
        return (struct group_reach){.behind = GROUP_ALL, .back = GROUP_ALL};
    if (cls == &win_lag || cls == &win_lead)
        return reach_of_shift(&c->win);
    return everything;
}

struct group_reach window_reach(const struct window_call *calls, size_t n)
{
    struct group_reach all = {0};
    for (size_t i = 0; i < n; i++) {
        struct group_reach r = reach_of_call(&calls[i]);
        all.before = larger(all.before, r.before);
        all.behind = larger(all.behind, r.behind);
        all.back = larger(all.back, r.back);
        all.ahead = larger(all.ahead, r.ahead);
        all.peers |= r.peers;
    }
    return all;
}
