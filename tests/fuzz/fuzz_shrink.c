/*
 * fuzz_shrink: fewer transactions, fewer rows, a smaller statement, for as long as it still fails.
 * See fuzz.h.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"

struct attempt {
    struct fuzz_case *c;
    int pick;
    enum outcome wanted;
    unsigned left;
};

static bool fails(struct attempt *a)
{
    if (!a->left)
        return false;
    a->left--;
    struct fuzz_counts counts = fuzz_shared->counts; /* attempts don't count */
    enum outcome outcome = fuzz_run(a->c, a->pick);
    fuzz_shared->counts = counts;
    if (outcome == OUTCOME_DIED)
        fuzz_revive();
    return outcome == a->wanted;
}

static bool fails_with(const struct node *root, void *arg)
{
    (void)root; /* it is the case's statement, changed in place */
    return fails(arg);
}

/* Drops items of a list of texts, in ever smaller pieces; `from` of them stay. */
static void drop_texts(struct attempt *a, struct gen_texts *t, size_t from)
{
    for (size_t piece = (t->list.n - from + 1) / 2; piece; piece /= 2)
        for (size_t at = t->list.n; at >= from + piece && a->left; at -= piece) {
            struct gen_texts was = {0};
            for (size_t i = 0; i < t->list.n; i++)
                VEC_PUSH(was.list, t->list.v[i]);
            memmove(&t->list.v[at - piece], &t->list.v[at], (t->list.n - at) * sizeof *t->list.v);
            t->list.n -= piece;
            if (!fails(a)) {
                memcpy(t->list.v, was.list.v, was.list.n * sizeof *t->list.v);
                t->list.n = was.list.n;
            }
            VEC_FREE(was.list);
        }
}

static void drop_changes(struct attempt *a)
{
    struct fuzz_case *c = a->c;
    for (size_t i = c->changes.n; i-- > 0 && a->left;) {
        struct fuzz_change was = c->changes.v[i];
        memmove(&c->changes.v[i], &c->changes.v[i + 1],
                (c->changes.n - i - 1) * sizeof *c->changes.v);
        c->changes.n--;
        if (fails(a)) {
            VEC_FREE(was.texts.list);
            continue;
        }
        memmove(&c->changes.v[i + 1], &c->changes.v[i], (c->changes.n - i) * sizeof *c->changes.v);
        c->changes.v[i] = was;
        c->changes.n++;
    }
    for (size_t i = 0; i < c->changes.n; i++)
        drop_texts(a, &c->changes.v[i].texts, 0);
}

static size_t tables_of(const struct fuzz_case *c)
{
    size_t n = 0;
    while (n < c->schema.list.n && strncmp(c->schema.list.v[n], "INSERT", 6) != 0)
        n++;
    return n;
}

static void print_case(const struct fuzz_case *c, int pick, FILE *out)
{
    struct buf b;
    fputs("@schema\n", out);
    for (size_t i = 0; i < c->schema.list.n; i++)
        fprintf(out, "%s;\n", c->schema.list.v[i]);
    buf_init(&b);
    node_print(c->statements.v[pick], &b);
    fprintf(out, "@queries\n%s;\n@changes\n", buf_cstr(&b));
    buf_fini(&b);
    for (size_t i = 0; i < c->changes.n; i++) {
        const struct gen_texts *t = &c->changes.v[i].texts;
        fputs(t->list.n > 1 ? "BEGIN; " : "", out);
        for (size_t k = 0; k < t->list.n; k++)
            fprintf(out, "%s;%s", t->list.v[k], k + 1 < t->list.n ? " " : "");
        fputs(t->list.n > 1 ? " COMMIT;\n" : "\n", out);
    }
}

void fuzz_shrink(struct fuzz_case *c, struct arena *arena, int statement, int change, FILE *out)
{
    struct attempt a = {c, statement, OUTCOME_WRONG, 400};
    for (size_t i = (size_t)(change + 1); i < c->changes.n; i++)
        VEC_FREE(c->changes.v[i].texts.list);
    if (c->changes.n > (size_t)(change + 1))
        c->changes.n = (size_t)(change + 1);
    enum outcome outcome = fuzz_run(c, statement);
    if (outcome == OUTCOME_DIED)
        fuzz_revive();
    if (outcome == OUTCOME_RIGHT || outcome == OUTCOME_INVALID) {
        fputs("not seen again by itself; as it was:\n", out);
    } else {
        a.wanted = outcome;
        drop_changes(&a);
        drop_texts(&a, &c->schema, tables_of(c));
        node_shrink(arena, c->statements.v[statement], fails_with, &a, 250);
        drop_changes(&a);
        drop_texts(&a, &c->schema, tables_of(c));
        a.left = 1;
        fails(&a); /* once more, for its report */
        fputs(fuzz_shared->report, out);
    }
    print_case(c, statement, out);
}
