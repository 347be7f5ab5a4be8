/*
 * catalog_types: types and collations of the catalog as the engine knows them.
 *
 * Domains are their base type. What is not native becomes an opaque type with the shape that
 * to_json() gives it (json_categorize_type in src/backend/utils/adt/json.c): arrays and composites
 * are followed into their parts, to a bounded depth.
 */
#include <gnu/libc-version.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/catalog_load.h"
#include "engine/base/alloc.h"
#include "engine/value/collation.h"

#define MAX_DEPTH             20
#define FIRST_NORMAL_OID      16384
#define OID_INT2VECTOR        22
#define OID_OIDVECTOR         30
#define OID_DEFAULT_COLLATION 100

static const struct type *load_type(struct pgconn *conn, uint32_t oid, int depth, struct err *err);

/* Built-in types whose equal values always print alike, and how they are ordered. */
static const struct {
    uint32_t oid;
    enum text_order order;
} prints_equal_alike[] = {
    {OID_CHAR, ORDER_BYTES},    {28 /* xid */, ORDER_NONE},        {29 /* cid */, ORDER_NONE},
    {OID_CIDR, ORDER_NETWORK},  {OID_MACADDR8, ORDER_BYTES},       {OID_MONEY, ORDER_MONEY},
    {OID_MACADDR, ORDER_BYTES}, {OID_INET, ORDER_NETWORK},         {OID_BIT, ORDER_BYTES},
    {OID_VARBIT, ORDER_BYTES},  {2205 /* regclass */, ORDER_NONE}, {2206 /* regtype */, ORDER_NONE},
    {OID_PG_LSN, ORDER_HEX},    {3614 /* tsvector */, ORDER_NONE}, {3615 /* tsquery */, ORDER_NONE},
    {OID_XID8, ORDER_UNSIGNED}};

static void set_text_equality(struct type *t)
{
    for (size_t i = 0; i < sizeof prints_equal_alike / sizeof *prints_equal_alike; i++)
        if (prints_equal_alike[i].oid == t->oid) {
            t->text_is_identity = true;
            t->order = prints_equal_alike[i].order;
        }
}

static bool element_is_identity(const struct type *t)
{
    switch (t->kind) {
    case TYPE_FLOAT4:
    case TYPE_FLOAT8:
    case TYPE_NUMERIC:
    case TYPE_BPCHAR:
    case TYPE_INTERVAL:
    /* Texts may have a collation under which different ones are equal. */
    case TYPE_TEXT: return false;
    case TYPE_OPAQUE: return t->text_is_identity;
    default: return true;
    }
}

/* The name doesn't depend on the search path: sessions have different ones, and a type is interned
 * by all that is known of it. */
struct type_row {
    uint32_t base, elem, relid;
    char typtype;
    bool is_array, casts_to_json;
};

static PGresult *ask_type(struct pgconn *conn, uint32_t oid, struct err *err)
{
    return pgconn_queryf(
        conn, err,
        "SELECT CASE WHEN n.nspname = 'pg_catalog' THEN pg_catalog.format_type(t.oid, NULL) "
        "ELSE pg_catalog.concat(n.nspname, '.', t.typname) END, t.typtype, t.typbasetype, "
        "t.typelem, "
        "t.typrelid, t.typdelim, t.typelem <> 0 AND t.typlen = -1 AND t.typsubscript = "
        "'pg_catalog.array_subscript_handler'::regproc, "
        "EXISTS (SELECT 1 FROM pg_catalog.pg_cast c WHERE c.castsource = t.oid AND c.casttarget = "
        "114 AND c.castmethod = 'f'), "
        "(SELECT e.typdelim FROM pg_catalog.pg_type e WHERE e.oid = t.typelem) "
        "FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace "
        "WHERE t.oid = %u",
        oid);
}

/* Of the OID as text; 0 is none. */
static bool load_collation(struct pgconn *conn, const char *oid, const struct collation **out,
                           struct err *err)
{
    uint32_t n = (uint32_t)strtoul(oid, NULL, 10);
    *out = n ? catalog_load_collation(conn, n, err) : NULL;
    return !n || *out;
}

/* Strings in it compare by the database's collation. */
static bool load_jsonb(struct pgconn *conn, struct type *t, struct err *err)
{
    t->order = ORDER_JSONB;
    t->collation = catalog_load_collation(conn, OID_DEFAULT_COLLATION, err);
    return t->collation != NULL;
}

static PGresult *ask_range(struct pgconn *conn, uint32_t oid, struct err *err)
{
    return pgconn_queryf(conn, err,
                         "SELECT r.rngsubtype, r.rngtypid, r.rngcollation, o.opcdefault "
                         "FROM pg_catalog.pg_range r JOIN pg_catalog.pg_opclass o ON "
                         "o.oid = r.rngsubopc WHERE %u IN (r.rngtypid, r.rngmultitypid)",
                         oid);
}

/* A range over an operator class of its own is in an order we don't know. */
static bool load_range(struct pgconn *conn, bool multi, struct type *t, int depth, struct err *err)
{
    PGresult *res = ask_range(conn, t->oid, err);
    if (!res)
        return false;
    bool ok = true;
    if (PQntuples(res) == 1 && *PQgetvalue(res, 0, 3) == 't') {
        uint32_t part = (uint32_t)strtoul(PQgetvalue(res, 0, multi ? 1 : 0), NULL, 10);
        t->order = multi ? ORDER_MULTIRANGE : ORDER_RANGE;
        t->elem = load_type(conn, part, depth + 1, err);
        ok = t->elem && load_collation(conn, PQgetvalue(res, 0, 2), &t->collation, err);
        t->text_is_identity = ok && element_is_identity(t->elem);
    }
    PQclear(res);
    return ok;
}

static bool load_fields(struct pgconn *conn, uint32_t relid, struct type *t, int depth,
                        struct err *err)
{
    PGresult *res =
        pgconn_queryf(conn, err,
                      "SELECT attname, atttypid, attcollation FROM pg_catalog.pg_attribute WHERE "
                      "attrelid = %u AND attnum > 0 AND NOT attisdropped ORDER BY attnum",
                      relid);
    if (!res)
        return false;
    size_t n = (size_t)PQntuples(res);
    struct type_field *fields = xcalloc(n, sizeof *fields);
    bool ok = true;
    for (size_t i = 0; ok && i < n; i++) {
        fields[i].name = xstrdup(PQgetvalue(res, (int)i, 0));
        uint32_t oid = (uint32_t)strtoul(PQgetvalue(res, (int)i, 1), NULL, 10);
        fields[i].type = load_type(conn, oid, depth + 1, err);
        ok = fields[i].type &&
             load_collation(conn, PQgetvalue(res, (int)i, 2), &fields[i].collation, err);
        t->nfields = i + 1;
    }
    t->fields = fields;
    PQclear(res);
    return ok;
}

static bool load_labels(struct pgconn *conn, struct type *t, struct err *err)
{
    PGresult *res = pgconn_queryf(conn, err,
                                  "SELECT enumlabel, oid FROM pg_catalog.pg_enum WHERE "
                                  "enumtypid = %u ORDER BY enumsortorder",
                                  t->oid);
    if (!res)
        return false;
    t->nlabels = (size_t)PQntuples(res);
    struct type_label *labels = xcalloc(t->nlabels, sizeof *labels);
    for (size_t i = 0; i < t->nlabels; i++)
        labels[i] = (struct type_label){xstrdup(PQgetvalue(res, (int)i, 0)),
                                        (uint32_t)PQgetlength(res, (int)i, 0),
                                        (uint32_t)strtoul(PQgetvalue(res, (int)i, 1), NULL, 10)};
    t->kind = TYPE_ENUM;
    t->labels = labels;
    PQclear(res);
    return true;
}

/* What was only needed to intern it. */
static void free_parts(struct type *t)
{
    for (size_t i = 0; i < t->nlabels; i++)
        free((char *)(uintptr_t)t->labels[i].name);
    free((void *)(uintptr_t)t->labels);
    for (size_t i = 0; i < t->nfields; i++)
        free((char *)(uintptr_t)t->fields[i].name);
    free((void *)(uintptr_t)t->fields);
}

/* Fills in how the type is shown and compared. */
static bool shape(struct pgconn *conn, const struct type_row *row, struct type *t, int depth,
                  struct err *err)
{
    if (t->oid == OID_JSON || t->oid == OID_JSONB) {
        t->json = JSON_INLINE;
        return t->oid == OID_JSON || load_jsonb(conn, t, err);
    } else if (t->oid == OID_INT2VECTOR || t->oid == OID_OIDVECTOR) {
        t->json = JSON_UNKNOWN; /* an array to to_json(), but not in its text form */
    } else if (row->is_array) {
        t->json = JSON_ARRAY;
        t->order = ORDER_ARRAY;
        t->elem = load_type(conn, row->elem, depth + 1, err);
        if (!t->elem)
            return false;
        t->text_is_identity = element_is_identity(t->elem);
        if (t->elem->kind == TYPE_OPAQUE && t->elem->json == JSON_UNKNOWN)
            t->json = JSON_UNKNOWN;
    } else if (row->typtype == 'c') {
        t->json = JSON_COMPOSITE;
        t->order = ORDER_RECORD;
        return load_fields(conn, row->relid, t, depth, err);
    } else if (t->oid >= FIRST_NORMAL_OID && row->casts_to_json) {
        t->json = JSON_UNKNOWN;
    } else if (row->typtype == 'e') {
        return load_labels(conn, t, err);
    } else if (row->typtype == 'r' || row->typtype == 'm') {
        return load_range(conn, row->typtype == 'm', t, depth, err);
    } else {
        set_text_equality(t);
    }
    return true;
}

static const struct type *make_type(struct pgconn *conn, uint32_t oid, const PGresult *res,
                                    int depth, struct err *err)
{
    struct type_row row = {
        .base = (uint32_t)strtoul(PQgetvalue(res, 0, 2), NULL, 10),
        .elem = (uint32_t)strtoul(PQgetvalue(res, 0, 3), NULL, 10),
        .relid = (uint32_t)strtoul(PQgetvalue(res, 0, 4), NULL, 10),
        .typtype = *PQgetvalue(res, 0, 1),
        .is_array = *PQgetvalue(res, 0, 6) == 't',
        .casts_to_json = *PQgetvalue(res, 0, 7) == 't',
    };
    if (row.typtype == 'd')
        return load_type(conn, row.base, depth + 1, err);
    struct type t = {
        .oid = oid,
        .kind = TYPE_OPAQUE,
        .rep = REP_BYTES,
        .name = PQgetvalue(res, 0, 0),
        .json = JSON_STRING,
        .delim = row.is_array ? *PQgetvalue(res, 0, 8) : ',',
    };
    bool ok = shape(conn, &row, &t, depth, err);
    const struct type *made = ok ? type_new(&t) : NULL;
    free_parts(&t);
    return made;
}

static const struct type *load_type(struct pgconn *conn, uint32_t oid, int depth, struct err *err)
{
    const struct type *native = type_native(oid);
    if (native)
        return native;
    if (depth > MAX_DEPTH) {
        err_soft(err, "a type nested more than %d deep", MAX_DEPTH);
        return NULL;
    }
    PGresult *res = ask_type(conn, oid, err);
    if (!res)
        return NULL;
    const struct type *t = NULL;
    if (PQntuples(res) == 1)
        t = make_type(conn, oid, res, depth, err);
    else
        err_set(err, ERR_UNDEFINED_OBJECT, "type with OID %u does not exist", oid);
    PQclear(res);
    return t;
}

const struct type *catalog_load_type(struct pgconn *conn, uint32_t oid, struct err *err)
{
    return load_type(conn, oid, 0, err);
}

/* The locale's column has had several names: ask for the row as JSON and take what is there. */
static PGresult *ask_collation(struct pgconn *conn, uint32_t oid, struct err *err)
{
    if (oid == OID_DEFAULT_COLLATION)
        return pgconn_queryf(
            conn, err,
            "SELECT 'default', COALESCE(j ->> 'datlocprovider', 'c'), "
            "CASE WHEN COALESCE(j ->> 'datlocprovider', 'c') = 'c' THEN j ->> 'datcollate' "
            "ELSE COALESCE(j ->> 'datlocale', j ->> 'daticulocale') END, true, %s, "
            "j ->> 'daticurules' "
            "FROM (SELECT d.oid, pg_catalog.to_jsonb(d) AS j FROM pg_catalog.pg_database d "
            "WHERE d.datname = pg_catalog.current_database()) q",
            conn->server_version >= 150000 ? "pg_catalog.pg_database_collation_actual_version(oid)"
                                           : "NULL");
    return pgconn_queryf(
        conn, err,
        "SELECT j ->> 'collname', j ->> 'collprovider', "
        "CASE WHEN j ->> 'collprovider' = 'c' THEN j ->> 'collcollate' "
        "ELSE COALESCE(j ->> 'colllocale', j ->> 'colliculocale', j ->> 'collcollate') END, "
        "(j ->> 'collisdeterministic')::bool, pg_catalog.pg_collation_actual_version(oid), "
        "j ->> 'collicurules' "
        "FROM (SELECT c.oid, pg_catalog.to_jsonb(c) AS j FROM pg_catalog.pg_collation c WHERE "
        "c.oid = %u) "
        "q",
        oid);
}

/* The order of text is that of the server's C library, or ICU. Where ours is of another version, and
 * may have another order, the collation is one we don't know. Rules of its own aren't known here. */
static char provider_here(const PGresult *res)
{
    char provider = *PQgetvalue(res, 0, 1), version[ICU_VERSION_MAX];
    const char *locale = PQgetvalue(res, 0, 2), *theirs = PQgetvalue(res, 0, 4);
    bool unknown = PQgetisnull(res, 0, 4);
    if (provider == 'c' && !unknown && strcmp(theirs, gnu_get_libc_version()) != 0)
        return 'x';
    if (provider == 'i' && (unknown || !PQgetisnull(res, 0, 5) || !icu_version(locale, version) ||
                            strcmp(theirs, version) != 0))
        return 'x';
    return provider;
}

const struct collation *catalog_load_collation(struct pgconn *conn, uint32_t oid, struct err *err)
{
    PGresult *res = ask_collation(conn, oid, err);
    const struct collation *c = NULL;
    if (!res)
        return NULL;
    if (PQntuples(res) == 1)
        c = collation_new(oid, PQgetvalue(res, 0, 0), provider_here(res), PQgetvalue(res, 0, 2),
                          *PQgetvalue(res, 0, 3) == 't');
    else
        err_set(err, ERR_UNDEFINED_OBJECT, "collation with OID %u does not exist", oid);
    PQclear(res);
    return c;
}
