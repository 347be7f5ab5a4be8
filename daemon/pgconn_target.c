/*
 * pgconn_target: what a conninfo says of where to connect.
 *
 * It may list several hosts. libpq tries them in turn, but not after a time: one that takes a connection
 * and says nothing, or is no more and refuses nothing, is waited for, and at the next attempt first
 * again. So each attempt after a failure begins with the next one of the list.
 */
#include "daemon/pgconn_int.h"

#include <stdio.h>
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

/* ---- several hosts -------------------------------------------------------------------------- */

static size_t count(const char *list)
{
    size_t n = *list != '\0';
    for (; *list; list++)
        n += *list == ',';
    return n;
}

/* The list from its element `first` on, and then those before it. */
static void rotate(const char *list, size_t first, char *out, size_t size)
{
    const char *p = list;
    for (; first && *p; p++)
        first -= *p == ',';
    if (p == list)
        snprintf(out, size, "%s", list);
    else
        snprintf(out, size, "%s,%.*s", p, (int)(p - 1 - list), list);
}

static const char *find(const PQconninfoOption *o, const char *keyword)
{
    while (o->keyword && strcmp(o->keyword, keyword) != 0)
        o++;
    return o->keyword ? value_or_empty(o) : "";
}

bool pgconn_hosts_from(const char *conninfo, unsigned first, struct pgconn_hosts *out)
{
    PQconninfoOption *o = PQconninfoParse(conninfo, NULL);
    if (!o)
        return false;
    const char *host = find(o, "host"), *addr = find(o, "hostaddr"), *port = find(o, "port");
    size_t n = count(*addr ? addr : host);
    bool several = n > 1 && strlen(host) < sizeof out->host &&
                   strlen(addr) < sizeof out->hostaddr && strlen(port) < sizeof out->port;
    if (several) {
        rotate(host, first % n, out->host, sizeof out->host);
        rotate(addr, first % n, out->hostaddr, sizeof out->hostaddr);
        rotate(port, count(port) == n ? first % n : 0, out->port, sizeof out->port);
    }
    PQconninfoFree(o);
    return several;
}
