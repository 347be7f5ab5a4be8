/*
 * type: the table of native types and the interned others. See type.h.
 *
 * The interned list only grows, under one mutex: it is walked when a statement is bound, never
 * while rows flow. What an enum learns is published by a pointer. A type that changed in the catalog (a composite with another field) is another
 * entry; plans that hold the old one keep a valid pointer.
 */
#include "engine/value/type.h"

#include <pthread.h>
#include <stdatomic.h>
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
    {.oid = OID_NAME, .kind = TYPE_TEXT, .rep = REP_BYTES, .name = "name"},
    {.oid = OID_OID, .kind = TYPE_OID, .rep = REP_INT64, .name = "oid"},
    {.oid = OID_TIME, .kind = TYPE_TIME, .rep = REP_INT64, .name = "time without time zone"},
    {.oid = OID_TIMETZ, .kind = TYPE_TIMETZ, .rep = REP_FIXED16, .name = "time with time zone"},
    {.oid = OID_INTERVAL, .kind = TYPE_INTERVAL, .rep = REP_FIXED16, .name = "interval"},
    {.oid = OID_BYTEA, .kind = TYPE_BYTEA, .rep = REP_BYTES, .name = "bytea"},
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
            a->fields[i].collation != b->fields[i].collation ||
            strcmp(a->fields[i].name, b->fields[i].name) != 0)
            return false;
    return true;
}

/* Not by name: that depends on the search path of the session it was read in. The first one stays.
 */
static bool same_type(const struct type *a, const struct type *b)
{
    return a->oid == b->oid && a->kind == b->kind && a->json == b->json && a->delim == b->delim &&
           a->elem == b->elem && a->text_is_identity == b->text_is_identity &&
           a->order == b->order && a->collation == b->collation && same_fields(a, b);
}

static const struct type_field *copy_fields(const struct type *t)
{
    struct type_field *fields = t->nfields ? xcalloc(t->nfields, sizeof *fields) : NULL;
    for (size_t i = 0; i < t->nfields; i++)
        fields[i] = (struct type_field){xstrdup(t->fields[i].name), t->fields[i].type,
                                        t->fields[i].collation};
    return fields;
}

/* ------------------------------------------------------------ labels of enums */

struct label_table {
    const struct label_table *before; /* owned; NULL for the first */
    size_t n;
    struct {
        struct type_label label;
        int place;
    } v[];
};

/* Read by any thread while another one puts a new table in its place; the old one stays. */
struct enum_order {
    _Atomic(const struct label_table *) table;
};

static int place_of(const struct type *t, uint32_t oid)
{
    for (size_t i = 0; i < t->nlabels; i++)
        if (t->labels[i].oid == oid)
            return (int)i;
    return -1;
}

static bool has_label(const struct type *t, const struct type_label *label)
{
    for (size_t i = 0; i < t->nlabels; i++)
        if (strcmp(t->labels[i].name, label->name) == 0)
            return true;
    return false;
}

static void table_add(struct label_table *t, const struct type_label *label, int place)
{
    t->v[t->n].label = (struct type_label){xstrdup(label->name), label->len, label->oid};
    t->v[t->n++].place = place;
}

/* The labels of `now` in their order, then those of before that have another name now, at their
 * places: rows that bear them are still in some state until their table is read again. */
static const struct label_table *label_table_new(const struct type *now,
                                                 const struct label_table *before)
{
    size_t most = now->nlabels + (before ? before->n : 0);
    struct label_table *t = xcalloc(1, sizeof *t + most * sizeof t->v[0]);
    t->before = before;
    for (size_t i = 0; i < now->nlabels; i++)
        table_add(t, &now->labels[i], (int)i);
    for (size_t i = 0; before && i < before->n; i++)
        if (!has_label(now, &before->v[i].label))
            table_add(t, &before->v[i].label, place_of(now, before->v[i].label.oid));
    return t;
}

static bool knows_all(const struct label_table *t, const struct type *now)
{
    for (size_t i = 0; i < now->nlabels; i++)
        if (i >= t->n || t->v[i].label.oid != now->labels[i].oid ||
            strcmp(t->v[i].label.name, now->labels[i].name) != 0)
            return false;
    return true;
}

/* Under the lock. */
static void learn_labels(const struct type *known, const struct type *now)
{
    if (known->kind != TYPE_ENUM)
        return;
    const struct label_table *t = atomic_load(&known->enum_order->table);
    if (!knows_all(t, now))
        atomic_store(&known->enum_order->table, label_table_new(now, t));
}

static const struct label_table *labels_of(const struct type *t)
{
    return atomic_load_explicit(&t->enum_order->table, memory_order_acquire);
}

int type_enum_place(const struct type *t, const void *label, size_t len)
{
    const struct label_table *known = labels_of(t);
    for (size_t i = 0; i < known->n; i++)
        if (known->v[i].label.len == len && memcmp(known->v[i].label.name, label, len) == 0)
            return known->v[i].place;
    return -1;
}

const struct type_label *type_enum_label(const struct type *t, uint32_t oid)
{
    const struct label_table *known = labels_of(t);
    for (size_t i = 0; i < known->n; i++)
        if (known->v[i].label.oid == oid)
            return &known->v[i].label;
    return NULL;
}

/* ------------------------------------------------------------ interning */

static const struct type *intern(const struct type *like)
{
    for (struct interned *p = interned_list; p; p = p->next)
        if (same_type(&p->type, like)) {
            learn_labels(&p->type, like);
            return &p->type;
        }

    struct interned *p = NEW(struct interned);
    p->type = *like;
    p->type.rep = REP_BYTES;
    p->type.name = xstrdup(like->name);
    p->type.fields = copy_fields(like);
    p->type.labels = NULL;
    p->type.nlabels = 0;
    if (like->kind == TYPE_ENUM) {
        p->type.enum_order = NEW(struct enum_order);
        atomic_init(&p->type.enum_order->table, label_table_new(like, NULL));
    }
    p->next = interned_list;
    interned_list = p;
    return &p->type;
}

const struct type *type_new(const struct type *like)
{
    pthread_mutex_lock(&interned_lock);
    const struct type *t = intern(like);
    pthread_mutex_unlock(&interned_lock);
    return t;
}
