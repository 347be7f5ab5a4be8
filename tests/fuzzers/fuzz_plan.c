/*
 * From Postgres's node tree to a plan: a captured statement's tree, changed here and there.
 *
 * Two bytes choose the statement, then come edits, a few bytes each: a node becomes null, a member
 * leaves its list, a field goes, a number changes, a part of one tree stands in another. What can't
 * be changed is the type of an expression: that a function's arguments are of its types is
 * Postgres's word, which nothing here could check. Laws: a plan or an error; a plan can be built and
 * explained, and the same tree has the same key again.
 */
#include "engine/base/alloc.h"
#include "tests/fuzzers/input.h"
#include "tests/support/sqlfixture.h"

#define EDITS_MAX  8
#define RUNS_MAX   4096 /* then the fixture, whose arena grows, is read anew */
#define PLACES_MAX 8192

static struct fixture *fixture;
static int runs;

/* ------------------------------------------------------------ places in the text */

struct places {
    size_t v[PLACES_MAX];
    size_t n;
};

/* Where the character stands, unescaped. */
static void find(const struct buf *b, char c, struct places *out)
{
    out->n = 0;
    for (size_t i = 0; i < b->len && out->n < PLACES_MAX; i++) {
        if (b->data[i] == '\\')
            i++;
        else if (b->data[i] == c)
            out->v[out->n++] = i;
    }
}

/* Behind the bracket that closes the one at `start`. */
static size_t closing(const struct buf *b, size_t start)
{
    int depth = 0;
    for (size_t i = start; i < b->len; i++) {
        char c = b->data[i];
        if (c == '\\')
            i++;
        else if (c == '{' || c == '(')
            depth++;
        else if ((c == '}' || c == ')') && --depth == 0)
            return i + 1;
    }
    return b->len;
}

static void replace(struct buf *b, size_t at, size_t len, const char *by, size_t by_len)
{
    struct buf out = {0};
    buf_add(&out, b->data, at);
    buf_add(&out, by, by_len);
    buf_add(&out, b->data + at + len, b->len - at - len);
    buf_cstr(&out);
    buf_fini(b);
    *b = out;
}

/* ------------------------------------------------------------ edits */

static bool starts_with(const struct buf *b, size_t at, const char *s)
{
    size_t n = strlen(s);
    return b->len - at >= n && memcmp(b->data + at, s, n) == 0;
}

/* Those that say of what type something is, or which function it is. */
static bool is_typing(const struct buf *b, size_t at)
{
    static const char *const labels[] = {
        ":opno",         ":opfuncid",       ":funcid",       ":consttype",   ":constlen",
        ":constbyval",   ":constval",       ":opresulttype", ":aggfnoid",    ":winfnoid",
        ":vartype",      ":funcresulttype", ":resulttype",   ":constisnull", ":paramid",
        ":elemtype",     ":aggtype",        ":wintype",      ":casetype",    ":typeId",
        ":array_typeid", ":element_typeid", ":coalescetype", ":minmaxtype",  ":paramtype",
        ":aggargtypes"};
    for (size_t i = 0; i < sizeof labels / sizeof *labels; i++)
        if (starts_with(b, at, labels[i]))
            return true;
    return false;
}

static size_t token_end(const struct buf *b, size_t at)
{
    while (at < b->len && !strchr(" (){}\n", b->data[at]))
        at += b->data[at] == '\\' ? 2 : 1;
    return at < b->len ? at : b->len;
}

/* A node becomes null, or leaves its list. */
static void drop_node(struct input *in, struct buf *b)
{
    static struct places p;
    find(b, '{', &p);
    if (!p.n)
        return;
    size_t at = p.v[in_below(in, (uint32_t)p.n)], end = closing(b, at);
    bool null = in_byte(in) & 1;
    replace(b, at, end - at, "<>", null ? 2 : 0);
}

/* A list loses all its members, or becomes null. */
static void drop_list(struct input *in, struct buf *b)
{
    static struct places p;
    find(b, '(', &p);
    if (!p.n)
        return;
    size_t at = p.v[in_below(in, (uint32_t)p.n)], end = closing(b, at);
    bool null = in_byte(in) & 1;
    replace(b, at, end - at, null ? "<>" : "()", 2);
}

/* What stands behind a label becomes another word. */
static void change_word(struct input *in, struct buf *b)
{
    static const char *const words[] = {"0",  "1",  "2",     "3",    "-1",         "7",
                                        "99", "<>", "false", "true", "2147483647", "x"};
    static struct places p;
    find(b, ':', &p);
    if (!p.n)
        return;
    size_t at = p.v[in_below(in, (uint32_t)p.n)], from = token_end(b, at) + 1;
    const char *word = words[in_below(in, 12)];
    if (is_typing(b, at) || from >= b->len || strchr("({", b->data[from]))
        return;
    replace(b, from, token_end(b, from) - from, word, strlen(word));
}

/* A label becomes an unknown one: the field is missing. */
static void hide_field(struct input *in, struct buf *b)
{
    static struct places p;
    find(b, ':', &p);
    size_t at = p.n ? p.v[in_below(in, (uint32_t)p.n)] : 0;
    if (p.n && !is_typing(b, at))
        b->data[at + 1] = 'Z';
}

/* A node of one statement stands in the place of another's. It isn't constant, so that it is not
 * computed while the plan is made. */
static void graft(struct input *in, struct buf *b)
{
    static struct places p, q;
    uint32_t which = in_below(in, (uint32_t)fixture->statements.n);
    const char *tree = fixture->statements.v[which].tree;
    struct buf from = {.data = (char *)(uintptr_t)tree, .len = strlen(tree)};
    find(b, '{', &p);
    find(&from, '{', &q);
    if (!p.n || !q.n)
        return;
    size_t at = p.v[in_below(in, (uint32_t)p.n)], end = closing(b, at);
    size_t start = q.v[in_below(in, (uint32_t)q.n)], stop = closing(&from, start);
    char *part = xstrndup(tree + start, stop - start);
    if (strstr(part, "{VAR ") || strstr(part, "{RANGETBL") || strstr(part, "{SORTGROUP"))
        replace(b, at, end - at, part, stop - start);
    free(part);
}

static void edit(struct input *in, struct buf *b)
{
    static void (*const edits[])(struct input *, struct buf *) = {
        drop_node, drop_list, change_word, change_word, hide_field, graft};
    for (int i = 0; i < EDITS_MAX && in_more(in) && b->len < 100000; i++)
        edits[in_below(in, 6)](in, b);
}

/* ------------------------------------------------------------ plans */

static void use(struct plan_spec *p)
{
    struct op *sources[64];
    struct buf text = {0};
    must(strlen(p->key) == 16);
    plan_explain(p, NULL, &text);
    if (p->nsources <= 64) {
        struct circuit *c = plan_build(p, sources);
        plan_explain(p, c, &text);
        circuit_free(c);
    }
    buf_fini(&text);
}

static void plan(const struct fixture_statement *s)
{
    struct err err;
    err_clear(&err);
    struct plan_spec *p = fixture_plan(fixture, s, &err);
    must((p != NULL) == !err_is_set(&err));
    if (p) {
        struct plan_spec *again = fixture_plan(fixture, s, &err);
        must(again && strcmp(p->key, again->key) == 0);
        use(p);
        plan_spec_unref(again);
        plan_spec_unref(p);
        return;
    }
    must(strlen(err.sqlstate) == 5);
    if (!err.soft)
        return;
    struct err why = err;
    err_clear(&err);
    struct plan_spec *rerun = fixture_rerun(fixture, s, &why, &err);
    must((rerun != NULL) == !err_is_set(&err));
    if (rerun)
        plan_spec_unref(rerun);
}

static void need_fixture(void)
{
    if (fixture && runs++ % RUNS_MAX)
        return;
    if (fixture)
        fixture_free(fixture);
    fixture = fixture_load("tests/unit/sql/fixtures/pg15.txt");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in = {data, data + size};
    struct buf tree = {0};
    need_fixture();
    struct fixture_statement s =
        fixture->statements.v[(in_byte(&in) << 8 | in_byte(&in)) % fixture->statements.n];
    buf_adds(&tree, s.tree);
    buf_cstr(&tree);
    edit(&in, &tree);
    s.tree = buf_cstr(&tree);
    plan(&s);
    buf_fini(&tree);
    return 0;
}
