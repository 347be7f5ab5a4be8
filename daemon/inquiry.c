/*
 * inquiry: see inquiry.h. From a statement's text to its spec.
 *
 *     describe: parameter and column types ── parameter values ── probe: node tree ──
 *     plan_spec_new(), or else plan_spec_rerun() ── can Postgres plan it?
 *
 * The statement becomes the body of a function that is never called and always rolled back: Postgres
 * parses and analyses it, and pg_proc.prosqlbody is the analysed tree. Nothing of the user's is ever
 * executed, except for the input functions of the parameters' types.
 */
#include "daemon/inquiry.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "daemon/catalog_load.h"
#include "daemon/config.h"
#include "daemon/memory.h"
#include "engine/base/hash.h"

/* What is known of the statement so far; everything in the arena. */
struct inquiry {
    struct pgconn *conn; /* borrowed */
    const struct analysis *job;
    struct err *err;
    struct arena arena;
    Oid *param_oids;
    const char **type_names;
    struct catalog_load catalog;
    struct plan_input input;
};

/* format_type() of each result column. */
static bool name_types(struct inquiry *q, const PGresult *desc)
{
    struct buf sql;
    int n = PQnfields(desc);
    q->type_names = ARENA_ARRAY(&q->arena, const char *, n + 1);
    if (n == 0)
        return true;
    buf_init(&sql);
    buf_adds(&sql, "SELECT");
    for (int i = 0; i < n; i++)
        buf_addf(&sql, "%s pg_catalog.format_type(%u, %d)", i ? "," : "", PQftype(desc, i),
                 PQfmod(desc, i));
    PGresult *res = pgconn_query(q->conn, buf_cstr(&sql), 0, NULL, NULL, q->err);
    buf_fini(&sql);
    for (int i = 0; res && i < n; i++)
        q->type_names[i] = arena_strdup(&q->arena, PQgetvalue(res, 0, i));
    PQclear(res);
    return res != NULL;
}

/*
 * libpq trusts few kinds of long messages: a description of some 7,500 parameters is taken for a sign that
 * it has lost its place in what the server sends, and the session ends. A statement has at least as many
 * marks as parameters, since Postgres wants each of them to have a type; more than a hundred it refuses.
 */
#define MARKS_MAX 7000

static bool has_few_marks(struct inquiry *q)
{
    size_t n = 0;
    for (const char *s = q->job->sql; (s = strchr(s, '$')); s++)
        n += s[1] >= '0' && s[1] <= '9';
    return n <= MARKS_MAX || err_set(q->err, "54023", "the statement has too many parameters");
}

static bool describe(struct inquiry *q)
{
    if (!has_few_marks(q))
        return false;
    PGresult *desc = pgconn_describe(q->conn, q->job->sql, q->err);
    if (!desc)
        return false;
    int n = PQnparams(desc);
    bool ok = (size_t)n == q->job->nparams;
    if (!ok)
        err_set(q->err, ERR_PROTOCOL, "the statement has %d parameters, and %zu values are given",
                n, q->job->nparams);
    q->param_oids = ARENA_ARRAY(&q->arena, Oid, n + 1);
    for (int i = 0; i < n; i++)
        q->param_oids[i] = PQparamtype(desc, i);
    ok = ok && name_types(q, desc);
    PQclear(desc);
    return ok;
}

/* Postgres reads the values as their types and prints them in the form that we read. */
static bool read_params(struct inquiry *q)
{
    size_t n = q->job->nparams;
    struct column_type *types = ARENA_ARRAY(&q->arena, struct column_type, n + 1);
    struct value *values = ARENA_ARRAY(&q->arena, struct value, n + 1);
    struct buf sql;
    if (n == 0)
        return true;
    buf_init(&sql);
    buf_adds(&sql, "SELECT");
    for (size_t i = 0; i < n; i++)
        buf_addf(&sql, "%s $%zu", i ? "," : "", i + 1);
    PGresult *res = pgconn_query(q->conn, buf_cstr(&sql), n, q->param_oids,
                                 (const char *const *)q->job->params, q->err);
    buf_fini(&sql);
    bool ok = res != NULL;
    for (size_t i = 0; ok && i < n; i++) {
        int col = (int)i;
        types[i] = (struct column_type){.typmod = -1};
        types[i].type = catalog_load_type(q->conn, q->param_oids[i], q->err);
        ok = types[i].type != NULL;
        if (!ok || PQgetisnull(res, 0, col)) {
            values[i] = value_null();
            continue;
        }
        size_t len = (size_t)PQgetlength(res, 0, col);
        const char *text = arena_strndup(&q->arena, PQgetvalue(res, 0, col), len);
        ok = value_parse(types[i].type, text, len, &q->arena, &values[i], q->err);
    }
    PQclear(res);
    q->input.params = values;
    q->input.param_types = types;
    q->input.nparams = n;
    return ok;
}

#define PROBE_HEAD "CREATE FUNCTION pg_temp.palimpsest_probe("
#define PROBE_BODY ") RETURNS SETOF record LANGUAGE sql BEGIN ATOMIC "
/* On a line of its own: the statement may end in a comment. */
#define PROBE_TAIL "\n; END"

/* Positions count characters of the user's statement. What can be prepared isn't a syntax error: it
 * is something that a function's body can't hold, such as SELECT INTO. */
static bool shift_position(struct inquiry *q, size_t head_chars)
{
    struct err *e = q->err;
    if (strcmp(e->sqlstate, "42601") == 0)
        memcpy(e->sqlstate, ERR_FEATURE_NOT_SUPPORTED, sizeof e->sqlstate);
    e->position -= e->position > (int)head_chars ? (int)head_chars : e->position;
    return false;
}

static bool make_probe(struct inquiry *q)
{
    struct buf sql;
    buf_init(&sql);
    buf_adds(&sql, PROBE_HEAD);
    for (size_t i = 0; i < q->job->nparams; i++) {
        PGresult *res = pgconn_queryf(q->conn, q->err,
                                      "SELECT pg_catalog.quote_ident(n.nspname), "
                                      "pg_catalog.quote_ident(t.typname) FROM pg_catalog.pg_type t "
                                      "JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace "
                                      "WHERE t.oid = %u",
                                      q->param_oids[i]);
        if (!res || PQntuples(res) != 1) {
            PQclear(res);
            buf_fini(&sql);
            return false;
        }
        buf_addf(&sql, "%s%s.%s", i ? ", " : "", PQgetvalue(res, 0, 0), PQgetvalue(res, 0, 1));
        PQclear(res);
    }
    buf_adds(&sql, PROBE_BODY);
    size_t head = sql.len;
    buf_adds(&sql, q->job->sql);
    buf_adds(&sql, PROBE_TAIL);
    bool ok = pgconn_exec(q->conn, buf_cstr(&sql), q->err) || shift_position(q, head);
    buf_fini(&sql);
    return ok;
}

/* "BEGIN ATOMIC\n SELECT …;\nEND" without its frame and line breaks; quoted text stays as it is. */
static const char *bare_sql(struct inquiry *q, const char *body)
{
    struct buf b;
    const char *s = strncmp(body, "BEGIN ATOMIC", 12) == 0 ? body + 12 : body;
    const char *end = s + strlen(s);
    char quote = 0;
    if (end - s >= 3 && strcmp(end - 3, "END") == 0)
        end -= 3;
    while (end > s && strchr(" \n;", end[-1]))
        end--;
    buf_init(&b);
    for (; s < end; s++) {
        bool blank = !quote && (*s == ' ' || *s == '\n');
        if (blank && (b.len == 0 || b.data[b.len - 1] == ' '))
            continue;
        buf_addc(&b, blank ? ' ' : *s);
        if (quote ? *s == quote : *s == '\'' || *s == '"')
            quote = quote ? 0 : *s;
    }
    const char *bare = arena_strndup(&q->arena, b.len ? b.data : "", b.len);
    buf_fini(&b);
    return bare;
}

/* The tree, and what is wrong with the publication: a statement that could only wait for the stream
 * for ever is told why at once. */
static const char probe_sql[] =
    "SELECT f.prosqlbody, pg_catalog.pg_get_function_sqlbody(f.oid), (SELECT CASE WHEN NOT "
    "(p.pubinsert AND p.pubupdate AND p.pubdelete AND p.pubtruncate) THEN "
    "'must publish insert, update, delete and truncate' WHEN p.pubviaroot THEN "
    "'must not set publish_via_partition_root' END FROM pg_catalog.pg_publication p "
    "WHERE p.pubname = $1), EXISTS (SELECT FROM pg_catalog.pg_publication p WHERE p.pubname = $1) "
    "OR "
    "pg_catalog.has_database_privilege(pg_catalog.current_database(), 'CREATE') "
    "FROM pg_catalog.pg_proc f WHERE f.proname = 'palimpsest_probe' AND "
    "f.pronamespace = pg_catalog.pg_my_temp_schema()";

static bool read_probe(struct inquiry *q)
{
    const char *const values[] = {q->catalog.publication};
    PGresult *res = pgconn_query_kept(q->conn, probe_sql, 1, values, q->err);
    if (!res)
        return false;
    bool ok = PQntuples(res) == 1 && !PQgetisnull(res, 0, 0);
    if (ok && !PQgetisnull(res, 0, 2)) {
        ok = err_set(q->err, "55000", "publication %s %s", q->catalog.publication,
                     PQgetvalue(res, 0, 2));
    } else if (ok && *PQgetvalue(res, 0, 3) != 't') {
        ok = err_set(q->err, "42501", "publication %s does not exist, and the role may not make it",
                     q->catalog.publication);
        err_hint(q->err, "Run: CREATE PUBLICATION \"%s\";", q->catalog.publication);
    } else if (ok) {
        q->input.tree = arena_strdup(&q->arena, PQgetvalue(res, 0, 0));
        q->input.sql = bare_sql(q, PQgetvalue(res, 0, 1));
    } else {
        err_set(q->err, ERR_FEATURE_NOT_SUPPORTED, "only a SELECT can be kept live");
    }
    PQclear(res);
    return ok;
}

/*
 * What is read through a view ends when the view is redefined; the same statement written without
 * the view goes on. So the views are part of the key.
 */
static void note_views(struct plan_spec *spec, const struct plan_view *views, size_t n)
{
    struct buf b = {0};
    buf_adds(&b, spec->key);
    for (size_t i = 0; i < n; i++)
        buf_addf(&b, " view %u", views[i].oid);
    snprintf(spec->key, sizeof spec->key, "%016" PRIx64, (uint64_t)XXH3_64bits(b.data, b.len));
    buf_fini(&b);
}

/* A row as a whole, in row_to_json(t) for instance, has other columns when the table gets one. Not to
 * miss it matters, which of the tables it is does not. */
static size_t rows_as_a_whole(const struct plan_spec *spec, const char *tree)
{
    return strstr(tree, ":varattno 0 ") ? spec->nsources : 0;
}

/* A plan whose functions are others now has given answers that are no longer those of Postgres. The
 * new definition makes another key (see struct delegate_call). */
static void watch_definitions(struct plan_spec *spec, const struct catalog_load *cl,
                              const char *tree)
{
    size_t n = cl->views.n + cl->functions.n, rows = rows_as_a_whole(spec, tree);
    struct plan_view *v = ARENA_ARRAY(&spec->arena, struct plan_view, n + rows);
    if (cl->views.n)
        memcpy(v, cl->views.v, cl->views.n * sizeof *v);
    if (cl->functions.n)
        memcpy(v + cl->views.n, cl->functions.v, cl->functions.n * sizeof *v);
    for (size_t i = 0; i < rows; i++)
        v[n++] = (struct plan_view){.oid = spec->sources[i].table, .columns = true};
    spec->views = v;
    spec->nviews = n;
}

/* The statement as Postgres prints it when no name can be seen without its schema: what a name means
 * now it means whenever it is run again. The bodies of functions go on being read with the role's own
 * path. */
static bool qualify(struct inquiry *q)
{
    static const char sql[] = "SELECT pg_catalog.pg_get_function_sqlbody(f.oid) "
                              "FROM pg_catalog.pg_proc f WHERE f.proname = 'palimpsest_probe' "
                              "AND f.pronamespace = pg_catalog.pg_my_temp_schema()";
    if (!pgconn_exec(q->conn, "SET LOCAL search_path = ''", q->err))
        return false;
    PGresult *res = pgconn_query_kept(q->conn, sql, 0, NULL, q->err);
    if (!res)
        return false;
    q->input.qualified = bare_sql(q, PQgetvalue(res, 0, 0));
    PQclear(res);
    return pgconn_exec(q->conn, "SET LOCAL search_path TO DEFAULT", q->err);
}

/* What can't be maintained by changes is asked again. */
static struct plan_spec *make_rerun(struct inquiry *q, const struct config *cfg)
{
    struct err why = *q->err;
    if (!cfg->engine_allow_rerun) {
        err_hint(q->err, "engine.allow_rerun is off.");
        return NULL;
    }
    return qualify(q) ? plan_spec_rerun(&q->input, &q->catalog.catalog, &why, q->err) : NULL;
}

/* For VERIFY. */
static bool make_question(struct inquiry *q, struct plan_spec *spec)
{
    if (spec->question.sql)
        return true;
    if (!qualify(q))
        return false;
    plan_spec_ask(spec, &q->input);
    return true;
}

static struct plan_spec *make_spec(struct inquiry *q, const struct config *cfg)
{
    q->input.type_names = q->type_names;
    q->input.environment = cfg->engine_timezone;
    q->input.recursion_depth = cfg->limits_recursion_depth;
    q->input.recursion_rows = cfg->limits_recursion_rows;
    struct plan_spec *spec = plan_spec_new(&q->input, &q->catalog.catalog, q->err);
    if (!spec && q->err->soft)
        spec = make_rerun(q, cfg);
    if (spec && q->catalog.views.n)
        note_views(spec, q->catalog.views.v, q->catalog.views.n);
    if (spec)
        watch_definitions(spec, &q->catalog, q->input.tree);
    return spec;
}

/* Postgres's planner calculates what is constant, and what fails there fails whatever the tables
 * hold: CASE WHEN id = 5 THEN 1 / 0 END, even if there is no such row. A full join may have no plan
 * at all. Its own error then is the answer. */
static bool can_be_planned(struct inquiry *q)
{
    struct buf sql;
    buf_init(&sql);
    buf_addf(&sql, "EXPLAIN %s", q->input.qualified ? q->input.qualified : q->job->sql);
    PGresult *res = pgconn_query(q->conn, buf_cstr(&sql), q->job->nparams, q->param_oids,
                                 (const char *const *)q->job->params, q->err);
    PQclear(res);
    buf_fini(&sql);
    if (!res)
        q->err->position = 0;
    return res != NULL;
}

/* Past white space, comments (they nest) and opening parentheses. */
static const char *skip_to_word(const char *s)
{
    for (;;) {
        if (*s && strchr(" \t\r\n\f\v(;", *s)) {
            s++;
        } else if (s[0] == '-' && s[1] == '-') {
            s += strcspn(s, "\r\n");
        } else if (s[0] == '/' && s[1] == '*') {
            int depth = 0;
            do {
                int step = s[0] == '/' && s[1] == '*' ? 1 : s[0] == '*' && s[1] == '/' ? -1 : 0;
                depth += step;
                s += step ? 2 : 1;
            } while (depth && *s);
        } else {
            return s;
        }
    }
}

/* Of a statement that Postgres has parsed: what does it begin with? Only to say so clearly; that
 * what is read is a SELECT, the tree shows. */
static bool check_kind(struct inquiry *q)
{
    static const char *const readable[] = {"SELECT", "WITH", "VALUES", "TABLE"};
    const char *word = skip_to_word(q->job->sql);
    size_t len = 0;
    char upper[40];
    while (len < sizeof upper - 1 && (word[len] | 32) >= 'a' && (word[len] | 32) <= 'z') {
        upper[len] = (char)(word[len] & ~32);
        len++;
    }
    upper[len] = '\0';
    if (!*word)
        return err_set(q->err, "42601", "the statement is empty");
    for (size_t i = 0; i < sizeof readable / sizeof *readable; i++) {
        if (strcmp(upper, readable[i]) == 0)
            return true;
    }
    return err_set(q->err, ERR_FEATURE_NOT_SUPPORTED, "%s can't be kept live: only a SELECT can",
                   len ? upper : "this statement");
}

/* All of it in one transaction that is rolled back, so that the catalog stands still meanwhile. */
static const struct plan_spec *find_out(struct inquiry *q, const struct config *cfg)
{
    struct plan_spec *spec = NULL;
    if (describe(q) && check_kind(q) && read_params(q) && make_probe(q) && read_probe(q))
        spec = make_spec(q, cfg);
    if (spec && !(can_be_planned(q) && make_question(q, spec))) {
        plan_spec_unref(spec);
        spec = NULL;
    }
    return spec;
}

/* What there is no memory for is refused; where the session stands then isn't known. */
static const struct plan_spec *find_out_guarded(struct inquiry *q, const struct config *cfg)
{
    struct alloc_guard g;
    if (ALLOC_GUARDED(&g)) {
        const struct plan_spec *spec = find_out(q, cfg);
        alloc_unguard(&g);
        return spec;
    }
    pgconn_close(q->conn);
    memory_refuse("the statement can't be analysed", q->err);
    return NULL;
}

const struct plan_spec *inquire(struct pgconn *conn, const struct analysis *job, struct err *err)
{
    struct inquiry q = {.conn = conn, .job = job, .err = err};
    PGresult *begun = pgconn_query_fresh(conn, "BEGIN", err);
    PQclear(begun);
    if (!begun)
        return NULL;
    const struct config *cfg = config_current();
    arena_init(&q.arena);
    catalog_load_init(&q.catalog, conn, cfg->postgres_publication);
    const struct plan_spec *spec = find_out_guarded(&q, cfg);
    pgconn_rollback(conn);
    catalog_load_fini(&q.catalog);
    arena_fini(&q.arena);
    config_unref(cfg);
    return spec;
}
