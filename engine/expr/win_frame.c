/*
 * win_frame: see win_frame.h.
 */
#include "engine/expr/win_frame.h"

/* ------------------------------------------------------------ bounds by number */

/* The place `b` away from `at` among n; as an end, the one behind it. What lies outside is brought to
 * the nearest place there is. */
static size_t moved(const struct win_bound *b, size_t at, size_t n, bool end)
{
    uint64_t by = (uint64_t)b->offset.i;
    switch (b->kind) {
    case BOUND_UNBOUNDED: return end ? n : 0;
    case BOUND_CURRENT: return at + end;
    case BOUND_PRECEDING: return by > at ? 0 : at - (size_t)by + end;
    case BOUND_FOLLOWING: return by >= n - at ? n : at + (size_t)by + end;
    }
    return n;
}

/* ------------------------------------------------------------ bounds by distance */

struct key {
    struct value v, current;
};

static struct value key_of(const struct win_cursor *c, size_t row)
{
    return row_get(c->part->layout, c->part->rows[row], c->order->col);
}

/* Whether a row lies before the bound (as a start), or not behind it (as an end). NULLs are in range
 * of each other and nothing else. */
static bool is_passed(const struct win_cursor *c, const struct win_bound *b, bool end,
                      const struct key *k, bool *passed, struct arena *scratch, struct err *err)
{
    bool sub = (b->kind == BOUND_PRECEDING) != c->order->desc, in;
    bool less = end != c->order->desc;
    if (k->v.null || k->current.null) {
        bool v_first = k->v.null == c->order->nulls_first;
        bool apart = k->v.null != k->current.null;
        *passed = apart ? v_first : end;
        return true;
    }
    if (!b->in_range(k->v, k->current, b->offset, sub, less, &in, scratch, err))
        return false;
    *passed = end ? in : !in;
    return true;
}

static bool by_distance(const struct win_cursor *c, const struct win_bound *b, bool end, size_t at,
                        size_t *place, struct arena *scratch, struct err *err)
{
    struct key k = {.current = key_of(c, at)};
    while (*place < c->part->n) {
        bool passed;
        k.v = key_of(c, *place);
        if (!is_passed(c, b, end, &k, &passed, scratch, err))
            return false;
        if (!passed)
            break;
        ++*place;
    }
    return true;
}

static bool bound_at(const struct win_cursor *c, const struct win_bound *b, bool end, size_t at,
                     size_t *place, struct arena *scratch, struct err *err)
{
    const struct win_part *p = c->part;
    if (c->frame->mode == FRAME_ROWS)
        *place = moved(b, at, p->n, end);
    else if (b->in_range)
        return by_distance(c, b, end, at, place, scratch, err);
    else
        *place = p->start[moved(b, p->group[at], p->ngroups, end)];
    return true;
}

/* ------------------------------------------------------------ what is left out */

static void add_span(struct win_rows *out, size_t from, size_t to)
{
    if (from < to)
        out->span[out->n++] = (struct win_span){from, to};
}

bool win_frame_at(struct win_cursor *c, size_t at, struct arena *scratch, struct win_rows *out,
                  struct err *err)
{
    const struct win_frame *f = c->frame;
    size_t from = at, to = at + 1; /* the hole */
    if (!bound_at(c, &f->start, false, at, &c->start, scratch, err) ||
        !bound_at(c, &f->end, true, at, &c->end, scratch, err))
        return false;
    out->n = 0;
    if (f->exclude == EXCLUDE_NOTHING) {
        add_span(out, c->start, c->end);
        return true;
    }
    if (f->exclude != EXCLUDE_CURRENT_ROW) {
        from = c->part->start[c->part->group[at]];
        to = c->part->start[c->part->group[at] + 1];
    }
    add_span(out, c->start, c->end < from ? c->end : from);
    if (f->exclude == EXCLUDE_TIES && c->start <= at && at < c->end)
        add_span(out, at, at + 1);
    add_span(out, c->start > to ? c->start : to, c->end);
    return true;
}

/* ------------------------------------------------------------ looks */

static void print_bound(const struct win_bound *b, bool end, struct buf *b_out)
{
    if (b->kind == BOUND_CURRENT) {
        buf_adds(b_out, "current row");
        return;
    }
    if (b->kind == BOUND_UNBOUNDED)
        buf_adds(b_out, "unbounded");
    else
        value_print(b->offset_ct.type, b->offset, b_out);
    bool back = b->kind == BOUND_UNBOUNDED ? !end : b->kind == BOUND_PRECEDING;
    buf_adds(b_out, back ? " preceding" : " following");
}

void win_frame_print(const struct win_frame *f, struct buf *b)
{
    static const char *const modes[] = {"rows", "range", "groups"};
    static const char *const holes[] = {"", " exclude current row", " exclude group",
                                        " exclude ties"};
    buf_addf(b, "%s between ", modes[f->mode]);
    print_bound(&f->start, false, b);
    buf_adds(b, " and ");
    print_bound(&f->end, true, b);
    buf_adds(b, holes[f->exclude]);
}
