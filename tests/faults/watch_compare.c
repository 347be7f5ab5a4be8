/*
 * watch_compare: what every client holds against what Postgres answers. Part of the watch.
 *
 * Each statement is asked once for all who hold it. Where Postgres answers with an error the
 * subscription must have failed or be refused.
 */
#include <stdio.h>
#include <string.h>

#include "tests/e2e/client.h"
#include "tests/faults/watch_int.h"

struct judged {
    bool asked;
    size_t ncols;
    struct answer answer;
};

static void rows_of(const struct wsub *s, struct answer *a)
{
    struct bag_cursor cur = {0};
    const struct bag_entry *e;
    *a = (struct answer){.ok = true, .lines = xcalloc((size_t)s->rows.total, sizeof *a->lines)};
    while ((e = bag_next(&s->rows, &cur)))
        for (int64_t i = 0; i < e->weight; i++)
            a->lines[a->n++] = xstrndup((const char *)e->bytes, e->len);
}

/* Another number of columns only while DDL is not noticed by all. */
static const struct answer *judge(struct judged *j, PGconn *db, const struct wsub *s)
{
    if (j->asked && j->ncols != s->ncols) {
        answer_fini(&j->answer);
        j->asked = false;
    }
    if (!j->asked)
        judge_ask(db, s->st->sql, NULL, s->ncols, &j->answer);
    j->asked = true;
    j->ncols = s->ncols;
    return &j->answer;
}

static bool is_right(struct wclient *c, struct wsub *s, struct judged *j, PGconn *db, bool tell)
{
    const struct answer *want = judge(j, db, s);
    if (s->failed || !want->ok) {
        bool alike = s->failed && !want->ok;
        if (!alike && tell)
            wclient_wrong(c, s, "%s, but Postgres %s %s", s->failed ? "FAILED" : "a result",
                          want->ok ? "answers" : "fails:", want->ok ? "" : want->message);
        return alike;
    }
    struct answer have, copy = *want;
    struct buf why;
    buf_init(&why);
    rows_of(s, &have);
    bool differ = answer_diff(&copy, &have, &why);
    if (differ && tell)
        wclient_wrong(c, s, "the view is not what Postgres answers:\n%s", buf_cstr(&why));
    answer_fini(&have);
    buf_fini(&why);
    return !differ;
}

/* It was refused again and again: Postgres must refuse it too. */
static bool is_refused_rightly(struct wclient *c, const struct want *want, PGconn *db, bool tell)
{
    struct buf b;
    buf_init(&b);
    buf_addf(&b, "EXPLAIN %s", want->st->sql);
    bool answers = world_try(db, "%s", buf_cstr(&b));
    buf_fini(&b);
    if (answers && tell)
        wclient_wrong(c, NULL, "refused with %s, but Postgres answers: %s", want->refused,
                      want->st->sql);
    return !answers;
}

unsigned watch_compare(struct watch *w, PGconn *db, bool tell)
{
    struct judged *judged = xcalloc(nstatements, sizeof *judged);
    unsigned differ = 0;
    pthread_mutex_lock(&w->lock);
    for (size_t i = 0; i < w->clients.n; i++) {
        struct wclient *c = w->clients.v[i];
        for (size_t k = 0; k < c->wants.n; k++) {
            struct want *want = &c->wants.v[k];
            w->counts.compared += tell;
            if (want->sub && want->sub->accepted)
                differ += !is_right(c, want->sub, &judged[want->st - statements], db, tell);
            else
                differ += !is_refused_rightly(c, want, db, tell);
        }
    }
    pthread_mutex_unlock(&w->lock);
    for (size_t i = 0; i < nstatements; i++)
        if (judged[i].asked)
            answer_fini(&judged[i].answer);
    free(judged);
    return differ;
}
