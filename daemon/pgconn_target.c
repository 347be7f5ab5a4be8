/*
 * pgconn_target: what a conninfo says of where to connect.
 */
#include "daemon/pgconn.h"

#include <string.h>

static bool is_secret(const char *keyword)
{
    return strcmp(keyword, "password") == 0 || strcmp(keyword, "passfile") == 0 ||
           strcmp(keyword, "sslpassword") == 0;
}

static const char *value_or_empty(const PQconninfoOption *o)
{
    return o->val ? o->val : "";
}

/* Both arrays list every option that libpq knows, in the same order. */
static bool are_alike(const PQconninfoOption *a, const PQconninfoOption *b)
{
    for (; a->keyword; a++, b++)
        if (!is_secret(a->keyword) && strcmp(value_or_empty(a), value_or_empty(b)) != 0)
            return false;
    return true;
}

bool pgconn_is_same_target(const char *one, const char *other)
{
    PQconninfoOption *a = PQconninfoParse(one, NULL), *b = PQconninfoParse(other, NULL);
    bool same = a && b ? are_alike(a, b) : strcmp(one, other) == 0;
    PQconninfoFree(a);
    PQconninfoFree(b);
    return same;
}
