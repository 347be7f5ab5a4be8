/*
 * fn_cmp: comparison of what lies in bytes: text, char(n), uuid, and opaque types by their text.
 *
 * Called through pgfuncs.def. Equality of text is that of its bytes under every deterministic
 * collation, and the collation's under others; order is value_cmp()'s under the collation of the call. The constructor has made sure
 * that the collation is one we can follow (see enum pgfunc_coll).
 *
 * Opaque types come as Postgres prints them: those listed for equality print equal values equally,
 * and some even sort as their text.
 */
#include "engine/expr/pgfuncs.h"

static int bytes_cmp(struct value a, struct value b)
{
    uint32_t n = a.len < b.len ? a.len : b.len;
    int r = n ? memcmp(a.p, b.p, n) : 0;
    return r ? r : (a.len > b.len) - (a.len < b.len);
}

static bool bytes_equal(struct value a, struct value b)
{
    return a.len == b.len && (!a.len || memcmp(a.p, b.p, a.len) == 0);
}

/* char(n) without the blanks it was padded with. */
static struct value unpadded(struct value v)
{
    while (v.len && v.p[v.len - 1] == ' ')
        v.len--;
    return v;
}

static int text_cmp(const struct expr *e, struct value a, struct value b)
{
    struct column_type ct = {type_native(OID_TEXT), -1, e->collation};
    return value_cmp(&ct, a, b);
}

FN(fn_bytes_eq)
{
    return fn_bool(out, bytes_equal(v[0], v[1]));
}
FN(fn_bytes_ne)
{
    return fn_bool(out, !bytes_equal(v[0], v[1]));
}
FN(fn_bytes_lt)
{
    return fn_bool(out, bytes_cmp(v[0], v[1]) < 0);
}
FN(fn_bytes_le)
{
    return fn_bool(out, bytes_cmp(v[0], v[1]) <= 0);
}
FN(fn_bytes_gt)
{
    return fn_bool(out, bytes_cmp(v[0], v[1]) > 0);
}
FN(fn_bytes_ge)
{
    return fn_bool(out, bytes_cmp(v[0], v[1]) >= 0);
}

static bool text_equal(const struct expr *e, struct value a, struct value b)
{
    return e->collation->deterministic ? bytes_equal(a, b) : text_cmp(e, a, b) == 0;
}

FN(fn_text_eq)
{
    return fn_bool(out, text_equal(e, v[0], v[1]));
}
FN(fn_text_ne)
{
    return fn_bool(out, !text_equal(e, v[0], v[1]));
}
FN(fn_text_lt)
{
    return fn_bool(out, text_cmp(e, v[0], v[1]) < 0);
}
FN(fn_text_le)
{
    return fn_bool(out, text_cmp(e, v[0], v[1]) <= 0);
}
FN(fn_text_gt)
{
    return fn_bool(out, text_cmp(e, v[0], v[1]) > 0);
}
FN(fn_text_ge)
{
    return fn_bool(out, text_cmp(e, v[0], v[1]) >= 0);
}

FN(fn_text_larger)
{
    *out = text_cmp(e, v[0], v[1]) > 0 ? v[0] : v[1];
    return true;
}

FN(fn_text_smaller)
{
    *out = text_cmp(e, v[0], v[1]) < 0 ? v[0] : v[1];
    return true;
}

FN(fn_bpchar_eq)
{
    return fn_bool(out, text_equal(e, unpadded(v[0]), unpadded(v[1])));
}
FN(fn_bpchar_ne)
{
    return fn_bool(out, !text_equal(e, unpadded(v[0]), unpadded(v[1])));
}
FN(fn_bpchar_lt)
{
    return fn_bool(out, text_cmp(e, unpadded(v[0]), unpadded(v[1])) < 0);
}
FN(fn_bpchar_le)
{
    return fn_bool(out, text_cmp(e, unpadded(v[0]), unpadded(v[1])) <= 0);
}
FN(fn_bpchar_gt)
{
    return fn_bool(out, text_cmp(e, unpadded(v[0]), unpadded(v[1])) > 0);
}
FN(fn_bpchar_ge)
{
    return fn_bool(out, text_cmp(e, unpadded(v[0]), unpadded(v[1])) >= 0);
}
