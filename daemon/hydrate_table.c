/*
 * hydrate_table: one locked table, from its columns in the catalog to a filled store.
 *
 * Kept are the columns wanted and those that identify a row in the stream, by ascending number.
 * The catalog is read in the transaction that copies, so it describes just the rows that come.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/catalog_load.h"
#include "daemon/hydrate_int.h"
#include "daemon/memory.h"
#include "engine/base/buf.h"
#include "protocol/pgcopy.h"

/* ---- columns ------------------------------------------------------------------------------- */

enum {
    COL_ATTNUM,
    COL_ATTNAME,
    COL_TYPE,
    COL_TYPMOD,
    COL_GENERATED,
    COL_DOMAIN,
    COL_KEY,
    COL_REPLIDENT,
    COL_FILE,
    COL_NAME
};

static PGresult *look_up(struct pgconn *c, uint32_t relid, struct err *err)
{
    return pgconn_queryf(
        c, err,
        "SELECT a.attnum, a.attname, a.atttypid, a.atttypmod, a.attgenerated <> '', "
        "t.typtype = 'd', coalesce(a.attnum = ANY ((i.indkey::pg_catalog.int2[])"
        "[0:i.indnkeyatts - 1]), false), c.relreplident, "
        "c.relfilenode, " QUOTED_NAME
        " FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
        "LEFT JOIN pg_catalog.pg_index i ON " IDENTITY_INDEX
        " LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 "
        "AND NOT a.attisdropped LEFT JOIN pg_catalog.pg_type t ON t.oid = a.atttypid "
        "WHERE c.oid = %u ORDER BY a.attnum",
        relid);
}

static bool is_true(const PGresult *res, int row, int col)
{
    return PQgetvalue(res, row, col)[0] == 't';
}

/* The number of the column among those wanted; ncols if it isn't. */
static size_t wanted(const struct hydrate_table *t, const char *name)
{
    size_t i = 0;
    while (i < t->ncols && strcmp(t->names[i], name) != 0)
        i++;
    return i;
}

/*
 * The type of a kept column: as wanted, if that is what it still is. Columns that only identify get
 * the catalog's; they are compared by their bytes, so they need no collation. A domain's own typmod
 * is not the column's, there is nothing to compare.
 */
static bool column_type(struct pgconn *c, struct reading *r, const PGresult *res, int row,
                        struct column_type *out)
{
    const char *name = PQgetvalue(res, row, COL_ATTNAME);
    uint32_t oid = (uint32_t)strtoul(PQgetvalue(res, row, COL_TYPE), NULL, 10);
    int32_t typmod = (int32_t)strtol(PQgetvalue(res, row, COL_TYPMOD), NULL, 10);
    size_t w = wanted(r->t, name);
    r->t->bad_column = w < r->t->ncols ? r->t->names[w] : NULL; /* until it is found good */
    if (is_true(res, row, COL_GENERATED))
        return reading_refuse(r, ERR_FEATURE_NOT_SUPPORTED,
                              "column \"%s\" of table %s is generated: it is not in the WAL stream",
                              name, r->name);
    const struct type *type = catalog_load_type(c, oid, &r->t->err);
    if (!type)
        return reading_fail(r);
    *out = (struct column_type){.type = type, .typmod = typmod};
    if (w == r->t->ncols)
        return true;
    *out = r->t->types[w];
    if (out->type != type || (out->typmod != typmod && !is_true(res, row, COL_DOMAIN)))
        return reading_refuse(r, ERR_FEATURE_NOT_SUPPORTED,
                              "column \"%s\" of table %s has changed its type", name, r->name);
    r->t->bad_column = NULL;
    return true;
}

static bool has_wanted(struct reading *r, const PGresult *res)
{
    for (size_t i = 0; i < r->t->ncols; i++) {
        bool found = false;
        for (int row = 0; row < PQntuples(res) && !found; row++)
            found = strcmp(PQgetvalue(res, row, COL_ATTNAME), r->t->names[i]) == 0;
        if (found)
            continue;
        r->t->bad_column = r->t->names[i];
        return reading_refuse(r, "42703", "column \"%s\" of table %s does not exist",
                              r->t->names[i], r->name);
    }
    return true;
}

/* Makes the layout from the rows of look_up(). */
static struct leaf_layout *make_layout(struct pgconn *c, struct reading *r, const PGresult *res)
{
    size_t max = (size_t)PQntuples(res);
    struct leaf_layout *l = NEW(struct leaf_layout);
    struct column_type *types = xcalloc(max, sizeof *types);
    atomic_init(&l->refs, 1);
    l->relid = r->t->relid;
    l->replident = PQgetvalue(res, 0, COL_REPLIDENT)[0];
    l->file = (uint32_t)strtoul(PQgetvalue(res, 0, COL_FILE), NULL, 10);
    l->attnums = xcalloc(max, sizeof *l->attnums);
    l->names = xcalloc(max, sizeof *l->names);
    l->typeids = xcalloc(max, sizeof *l->typeids);
    l->key = xcalloc(max, sizeof *l->key);
    bool ok = true;
    for (int row = 0; ok && row < (int)max; row++) {
        const char *name = PQgetvalue(res, row, COL_ATTNAME);
        bool key = is_true(res, row, COL_KEY);
        if (PQgetisnull(res, row, COL_ATTNUM) || (!key && wanted(r->t, name) == r->t->ncols))
            continue;
        ok = column_type(c, r, res, row, &types[l->ncols]);
        if (key)
            l->key[l->nkey++] = l->ncols;
        l->attnums[l->ncols] = (int16_t)atoi(PQgetvalue(res, row, COL_ATTNUM));
        l->typeids[l->ncols] = (uint32_t)strtoul(PQgetvalue(res, row, COL_TYPE), NULL, 10);
        l->names[l->ncols++] = xstrdup(name);
    }
    if (ok)
        l->layout = layout_new(types, l->ncols);
    free(types);
    if (ok)
        return l;
    leaf_layout_unref(l);
    return NULL;
}

struct leaf_layout *hydrate_layout(struct pgconn *c, struct reading *r)
{
    struct leaf_layout *l = NULL;
    PGresult *res = look_up(c, r->t->relid, &r->t->err);
    if (!res) {
        reading_fail(r);
        return NULL;
    }
    if (PQntuples(res) == 0 || strcmp(PQgetvalue(res, 0, COL_NAME), r->name) != 0) {
        err_set(&r->t->err, "55000", "table %s was renamed or dropped meanwhile", r->name);
        reading_fail(r);
    } else if (has_wanted(r, res)) {
        l = make_layout(c, r, res);
    }
    PQclear(res);
    return l;
}

/* ---- rows ---------------------------------------------------------------------------------- */

#define ROWS_AT_A_TIME 256 /* rows whose values share an arena */

struct copying {
    struct reading *r;
    struct leaf_layout *leaf; /* borrowed */
    struct store *store;      /* borrowed */
    struct arena arena;       /* of a few hundred rows */
    struct pg_field *fields;  /* owned, as are the values: one a column */
    struct value *values;
    bool refused; /* there is no memory for it: waiting would bring none */
};

static void copy_statement(struct buf *sql, const struct leaf_layout *l, const char *table)
{
    if (l->ncols == 0) {
        buf_addf(sql, "COPY (SELECT FROM ONLY %s) TO STDOUT", table);
        return;
    }
    buf_addf(sql, "COPY %s (", table);
    for (uint32_t i = 0; i < l->ncols; i++) {
        if (i)
            buf_adds(sql, ", ");
        pg_quote_name(sql, l->names[i]);
    }
    buf_adds(sql, ") TO STDOUT");
}

static bool take_row(struct copying *cp, char *line, size_t len, struct err *err)
{
    const struct layout *l = cp->leaf->layout;
    const uint8_t *row;
    if (!pgcopy_split(line, len, cp->fields, l->ncols, err))
        return false;
    for (uint32_t i = 0; i < l->ncols; i++) {
        const struct pg_field *f = &cp->fields[i];
        if (f->kind == PG_NULL) {
            cp->values[i] = value_null();
        } else if (!value_parse(l->cols[i].ct.type, f->data, f->len, &cp->arena, &cp->values[i],
                                err)) {
            return err_detail(err, "Column \"%s\" of table %s.", cp->leaf->names[i], cp->r->name);
        }
    }
    if (!row_pack(l, cp->values, &cp->arena, &row, err))
        return err_detail(err, "Table %s.", cp->r->name);
    if (!store_insert(cp->store, row))
        return err_set(err, "XX002", "two rows of table %s have the same replica identity",
                       cp->r->name);
    return true;
}

static bool take_rows(struct pgconn *c, struct copying *cp, struct err *err)
{
    char *line;
    size_t len;
    uint64_t rows = 0;
    for (;;) {
        if (!pgconn_copy_row(c, &line, &len, err))
            return false;
        if (len == 0)
            return true;
        if (!take_row(cp, line, len, err))
            break;
        if (++rows % ROWS_AT_A_TIME)
            continue;
        arena_reset(&cp->arena);
        if (!memory_admit("reading a table stopped", err)) {
            cp->refused = true;
            break;
        }
        if (pgstop_is_triggered(c->stop)) {
            err_set(err, ERR_ADMIN_SHUTDOWN, "stopped while reading table %s", cp->r->name);
            break;
        }
    }
    /* The rest of the rows is still to come: no other way out of it. */
    pgconn_close(c);
    return false;
}

static bool take_rows_guarded(struct pgconn *c, struct copying *cp, struct err *err)
{
    struct alloc_guard g;
    if (ALLOC_GUARDED(&g)) {
        bool ok = take_rows(c, cp, err);
        alloc_unguard(&g);
        return ok;
    }
    pgconn_close(c);
    cp->refused = true;
    memory_refuse("reading a table stopped", err);
    return false;
}

static bool copy_into(struct pgconn *c, struct copying *cp)
{
    struct buf sql = {0};
    struct err *err = &cp->r->t->err;
    copy_statement(&sql, cp->leaf, cp->r->name);
    bool ok = pgconn_copy_begin(c, buf_cstr(&sql), err) && take_rows_guarded(c, cp, err);
    buf_fini(&sql);
    return ok;
}

bool hydrate_copy(struct pgconn *c, struct reading *r)
{
    struct leaf_layout *leaf = hydrate_layout(c, r);
    if (!leaf)
        return false;
    struct copying cp = {.r = r, .leaf = leaf, .store = store_new(leaf)};
    cp.fields = xcalloc(leaf->ncols + 1, sizeof *cp.fields);
    cp.values = xcalloc(leaf->ncols + 1, sizeof *cp.values);
    arena_init(&cp.arena);
    bool ok = copy_into(c, &cp);
    arena_fini(&cp.arena);
    free(cp.fields);
    free(cp.values);
    if (ok) {
        r->t->store = cp.store;
        return true;
    }
    store_free(cp.store);
    reading_fail(r);
    r->t->permanent |= cp.refused;
    if (cp.refused)
        err_detail(&r->t->err, "Table %s.", r->name);
    return false;
}
