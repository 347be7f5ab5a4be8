/*
 * fn_value: comparison of any two values of one type, by the type's own order.
 *
 * Called through pgfuncs.def for the types that have no faster version of their own. The type is
 * that of the first argument; expr.c has checked that it has an equality or an order.
 */
#include "engine/expr/pgfuncs.h"

static int compare(const struct expr *e, const struct value *v)
{
    struct column_type ct = {e->args[0]->ct.type, -1, e->collation};
    return value_cmp(&ct, v[0], v[1]);
}

static bool same(const struct expr *e, const struct value *v)
{
    struct column_type ct = {e->args[0]->ct.type, -1, e->collation};
    return value_same(&ct, v[0], v[1]);
}

FN(fn_value_eq)
{
    return fn_bool(out, same(e, v));
}
FN(fn_value_ne)
{
    return fn_bool(out, !same(e, v));
}
FN(fn_value_lt)
{
    return fn_bool(out, compare(e, v) < 0);
}
FN(fn_value_le)
{
    return fn_bool(out, compare(e, v) <= 0);
}
FN(fn_value_gt)
{
    return fn_bool(out, compare(e, v) > 0);
}
FN(fn_value_ge)
{
    return fn_bool(out, compare(e, v) >= 0);
}
FN(fn_value_cmp)
{
    int c = compare(e, v);
    return fn_int(out, (c > 0) - (c < 0));
}
FN(fn_value_smaller)
{
    *out = compare(e, v) < 0 ? v[0] : v[1];
    return true;
}
FN(fn_value_larger)
{
    *out = compare(e, v) > 0 ? v[0] : v[1];
    return true;
}
