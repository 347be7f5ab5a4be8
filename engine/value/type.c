/*
 * type: the table of native types and the interned opaque ones. See type.h.
 *
 * The interned list only grows, under one mutex: it is walked when a statement is bound, never
 * while rows flow. A type that changed in the catalog (a composite with another field) is another
 * entry; plans that hold the old one keep a valid pointer.
 */
#include "engine/value/type.h"

#include <pthread.h>
#include <string.h>

#include "engine/base/alloc.h"

static const struct type native[] = {
    {.oid = OID_BOOL, .kind = TYPE_BOOL, .rep = REP_BOOL, .name = "boolean"},
    {.oid = OID_INT2, .kind = TYPE_INT2, .rep = REP_INT32, .name = "smallint"},
    {.oid = OID_INT4, .kind = TYPE_INT4, .rep = REP_INT32, .name = "integer"},
    {.oid = OID_INT8, .kind = TYPE_INT8, .rep = REP_INT64, .name = "bigint"},
    {.oid = OID_FLOAT4, .kind = TYPE_FLOAT4, .rep = REP_FLOAT32, .name = "real"},
    {.oid = OID_FLOAT8, .kind = TYPE_FLOAT8, .rep = REP_FLOAT64, .name = "double precision"},
    {.oid = OID_NUMERIC, .kind = TYPE_NUMERIC, .rep = REP_BYTES, .name = "numeric"},
    {.oid = OID_TEXT, .kind = TYPE_TEXT, .rep = REP_BYTES, .name = "text"},
    {.oid = OID_VARCHAR, .kind = TYPE_TEXT, .rep = REP_BYTES, .name = "character varying"},
    {.oid = OID_BPCHAR, .kind = TYPE_BPCHAR, .rep = REP_BYTES, .name = "character"},
    {.oid = OID_DATE, .kind = TYPE_DATE, .rep = REP_INT32, .name = "date"},
    {.oid = OID_TIMESTAMP,
     .kind = TYPE_TIMESTAMP,
     .rep = REP_INT64,
     .name = "timestamp without time zone"},
    {.oid = OID_TIMESTAMPTZ,
     .kind = TYPE_TIMESTAMPTZ,
     .rep = REP_INT64,
     .name = "timestamp with time zone"},
    {.oid = OID_UUID, .kind = TYPE_UUID, .rep = REP_FIXED16, .name = "uuid"},
};

const struct type *type_native(uint32_t oid)
{
    for (size_t i = 0; i < sizeof native / sizeof *native; i++)
        if (native[i].oid == oid)
            return &native[i];
    return NULL;
}

struct interned {
    struct type type;
    struct interned *next;
};

static pthread_mutex_t interned_lock = PTHREAD_MUTEX_INITIALIZER;
static struct interned *interned_list; /* owned, never freed */

static bool same_fields(const struct type *a, const struct type *b)
{
    if (a->nfields != b->nfields)
        return false;
    for (size_t i = 0; i < a->nfields; i++)
        if (a->fields[i].type != b->fields[i].type ||
            strcmp(a->fields[i].name, b->fields[i].name) != 0)
            return false;
    return true;
}

/* Not by name: that depends on the search path of the session it was read in. The first one stays.
 */
static bool same_type(const struct type *a, const struct type *b)
{
    return a->oid == b->oid && a->json == b->json && a->delim == b->delim && a->elem == b->elem &&
           a->text_is_identity == b->text_is_identity && same_fields(a, b);
}

static const struct type *intern(const struct type *like)
{
    for (struct interned *p = interned_list; p; p = p->next)
        if (same_type(&p->type, like))
            return &p->type;

    struct interned *p = NEW(struct interned);
    struct type_field *fields = NULL;
    if (like->nfields) {
        fields = xcalloc(like->nfields, sizeof *fields);
        for (size_t i = 0; i < like->nfields; i++)
            fields[i] = (struct type_field){xstrdup(like->fields[i].name), like->fields[i].type};
    }
    p->type = *like;
    p->type.kind = TYPE_OPAQUE;
    p->type.rep = REP_BYTES;
    p->type.name = xstrdup(like->name);
    p->type.fields = fields;
    p->next = interned_list;
    interned_list = p;
    return &p->type;
}

const struct type *type_new_opaque(const struct type *like)
{
    pthread_mutex_lock(&interned_lock);
    const struct type *t = intern(like);
    pthread_mutex_unlock(&interned_lock);
    return t;
}
