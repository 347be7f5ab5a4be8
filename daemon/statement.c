/*
 * statement: see statement.h.
 */
#include "daemon/statement.h"

#include <stdlib.h>
#include <string.h>

#include "engine/base/alloc.h"
#include "engine/base/hash.h"

static uint64_t hash_request(const struct request *r)
{
    uint64_t h = hash_bytes(r->sql, r->sql_len);
    for (size_t i = 0; i < r->nparams; i++)
        h = hash_mix(h, r->params[i].null ? 1 : hash_bytes(r->params[i].text, r->params[i].len));
    return h;
}

static bool is_text(const char *have, const char *text, size_t len)
{
    return strlen(have) == len && memcmp(have, text, len) == 0;
}

static bool says(const struct statement *st, const struct request *r)
{
    if (!is_text(st->sql, r->sql, r->sql_len) || st->nparams != r->nparams)
        return false;
    for (size_t i = 0; i < r->nparams; i++) {
        const char *have = st->params[i];
        if (r->params[i].null ? have != NULL
                              : !have || !is_text(have, r->params[i].text, r->params[i].len))
            return false;
    }
    return true;
}

static struct statement *statement_new(struct table *t, const struct request *r, uint64_t hash)
{
    struct statement *st = NEW(struct statement);
    st->table = t;
    st->refs = 1;
    st->sql = xstrndup(r->sql, r->sql_len);
    st->nparams = r->nparams;
    st->params = r->nparams ? xcalloc(r->nparams, sizeof *st->params) : NULL;
    for (size_t i = 0; i < r->nparams; i++)
        if (!r->params[i].null)
            st->params[i] = xstrndup(r->params[i].text, r->params[i].len);
    table_add(t, &st->by_text, hash);
    return st;
}

struct statement *statement_intern(struct table *t, const struct request *r)
{
    uint64_t hash = hash_request(r);
    for (struct table_link *l = table_first(t, hash); l; l = table_next(l)) {
        struct statement *st = TABLE_MEMBER(l, struct statement, by_text);
        if (says(st, r))
            return statement_ref(st);
    }
    return statement_new(t, r, hash);
}

struct statement *statement_ref(struct statement *st)
{
    st->refs++;
    return st;
}

void statement_unref(struct statement *st)
{
    if (!st || --st->refs)
        return;
    table_remove(st->table, &st->by_text);
    for (size_t i = 0; i < st->nparams; i++)
        free(st->params[i]);
    free(st->params);
    free(st->sql);
    free(st);
}
