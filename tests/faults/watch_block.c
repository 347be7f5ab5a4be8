/*
 * watch_block: a block of rows is collected, then applied whole, with all that was promised of it
 * checked. Part of the watch.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "engine/base/hash.h"
#include "tests/faults/watch_int.h"

#define STORY 1500 /* bytes */

static const char *const kind_names[] = {"steady", "each", "bank", "slow", "churn"};

void wclient_wrong(struct wclient *c, struct wsub *s, const char *fmt, ...)
{
    struct buf b;
    va_list ap;
    buf_init(&b);
    va_start(ap, fmt);
    buf_addv(&b, fmt, ap);
    va_end(ap);
    report_wrong("client %u (%s%s), %s: %s\n    %s\n%s", c->no, kind_names[c->kind],
                 c->proxied ? ", proxied" : "", s ? s->id : "-", buf_cstr(&b), s ? s->st->sql : "",
                 s ? buf_cstr(&s->story) : "");
    buf_fini(&b);
}

static void tell_story(struct wsub *s, const char *what, lsn_t lsn, size_t rows)
{
    char text[LSN_TEXT_MAX];
    lsn_print(lsn, text);
    if (s->story.len > STORY)
        buf_consume(&s->story, s->story.len - STORY / 2);
    buf_addf(&s->story, "    %s %s %zu\n", what, text, rows);
}

void wclient_begin_block(struct wclient *c, struct wsub *s, bool snapshot, lsn_t lsn, size_t rows)
{
    tell_story(s, snapshot ? "SNAPSHOT" : "DELTA", lsn, rows);
    if (!snapshot && !s->live && !s->resuming)
        wclient_wrong(c, s, "a DELTA before the SNAPSHOT");
    if (!snapshot && s->resync)
        wclient_wrong(c, s, "a DELTA between RESYNC and its SNAPSHOT");
    if (lsn < s->lsn || (lsn == s->lsn && !snapshot))
        wclient_wrong(c, s, "the LSN does not grow: %" PRIX64 " after %" PRIX64, lsn, s->lsn);
    if (!snapshot && s->at_progress && lsn <= c->progress)
        wclient_wrong(c, s, "a DELTA from below PROGRESS %" PRIX64, c->progress);
    if (!snapshot && rows == 0 && !s->failed)
        wclient_wrong(c, s, "an empty DELTA");
    if (snapshot && s->live && !s->resync && !s->failed)
        wclient_wrong(c, s, "a SNAPSHOT that nothing announced");
    c->block = (struct block){
        .sub = s, .snapshot = snapshot, .lsn = lsn, .left = rows, .lines = c->block.lines};
    buf_reset(&c->block.lines);
    if (rows == 0)
        wclient_end_block(c);
}

/* The number before the closing bracket; null is 0. */
static int64_t last_number(const char *row, size_t len)
{
    size_t i = len ? len - 1 : 0;
    while (i && row[i - 1] != ',' && row[i - 1] != '[')
        i--;
    return strtoll(row + i, NULL, 10);
}

static void apply_row(struct wclient *c, struct wsub *s, struct bag *seen, const char *row,
                      size_t len, int weight)
{
    int64_t before = bag_weight(seen, row, len);
    if (before && (before > 0) != (weight > 0))
        wclient_wrong(c, s, "a row on both sides: %.*s", (int)len, row);
    bag_add(seen, row, len, weight);
    if (weight < 0 && bag_weight(&s->rows, row, len) <= 0) {
        wclient_wrong(c, s, "retracts what isn't there: %.*s", (int)len, row);
        return;
    }
    bag_add(&s->rows, row, len, weight);
    s->hash += hash_bytes(row, len) * (uint64_t)(int64_t)weight;
    if (s->st->money != MONEY_NONE && s->st->money != MONEY_WRITTEN)
        s->money += weight * last_number(row, len);
}

static void apply_lines(struct wclient *c, struct wsub *s, const struct buf *lines)
{
    struct bag seen;
    bool asserts = false;
    bag_init(&seen);
    for (size_t i = 0; i < lines->len;) {
        const char *line = lines->data + i;
        size_t len = (size_t)((const char *)memchr(line, '\n', lines->len - i) - line);
        int weight = line[0] == '+' ? 1 : -1;
        if (weight < 0 && (asserts || c->block.snapshot))
            wclient_wrong(c, s, "a retract %s", asserts ? "after an assert" : "in a SNAPSHOT");
        asserts |= weight > 0;
        apply_row(c, s, &seen, line + 2, len - 2, weight);
        i += len + 1;
    }
    bag_fini(&seen);
}

/* Two views of one statement at one LSN are the same, whoever holds them since when. */
static void check_twin(struct wclient *c, struct wsub *s)
{
    struct watch *w = c->w;
    uint64_t h = hash_mix(s->lsn, (uint64_t)(s->st - statements));
    struct twin *t = &w->twins[h % TWINS];
    if (w->allowed.unnoticed)
        return;
    if (t->lsn == s->lsn && t->st == s->st) {
        w->counts.twins++;
        if (t->hash != s->hash)
            wclient_wrong(c, s, "another client's view at %" PRIX64 " has other rows", s->lsn);
    }
    *t = (struct twin){s->lsn, s->st, s->hash};
}

static void check_total(struct wclient *c, struct wsub *s)
{
    if (s->st->money != MONEY_TOTAL || c->w->allowed.gaps)
        return;
    c->w->counts.totals++;
    if (s->money != BANK_TOTAL)
        wclient_wrong(c, s, "the money is %" PRId64 ", not %d", s->money, BANK_TOTAL);
}

void wclient_resumed(struct wclient *c, struct wsub *s)
{
    s->resuming = false;
    s->live = true;
    c->w->counts.resumed++;
}

void wclient_end_block(struct wclient *c)
{
    struct wsub *s = c->block.sub;
    struct watch_counts *n = &c->w->counts;
    if (c->block.snapshot) {
        bag_clear(&s->rows);
        s->hash = 0;
        s->money = 0;
        n->snapshots++;
    } else {
        n->deltas++;
        if (s->resuming)
            wclient_resumed(c, s);
    }
    for (size_t i = 0; i < c->block.lines.len; i++)
        n->rows += c->block.lines.data[i] == '\n';
    apply_lines(c, s, &c->block.lines);
    s->lsn = c->block.lsn;
    s->live = true;
    s->failed = s->resync = s->resuming = false;
    c->block.sub = NULL;
    check_total(c, s);
    check_twin(c, s);
}

/* ---- more than one view -------------------------------------------------------------------- */

static void check_pair(struct wclient *c, struct wsub *a, struct wsub *b)
{
    if (a->st->money != MONEY_ACCOUNTS || b->st->money != MONEY_SAVINGS || c->w->allowed.gaps)
        return;
    c->w->counts.cuts++;
    if (a->money + b->money != BANK_TOTAL)
        wclient_wrong(c, a,
                      "at PROGRESS %" PRIX64 " it and %s hold %" PRId64 " + %" PRId64 ", not %d",
                      c->progress, b->id, a->money, b->money, BANK_TOTAL);
}

void wclient_check_cut(struct wclient *c, lsn_t lsn)
{
    for (size_t i = 0; i < c->subs.n; i++) {
        struct wsub *s = c->subs.v[i];
        s->at_progress = s->live && !s->failed && !s->resync && !s->resuming;
        if (s->at_progress && s->lsn > lsn)
            wclient_wrong(c, s, "PROGRESS %" PRIX64 " after a block of %" PRIX64, lsn, s->lsn);
    }
    for (size_t i = 0; i < c->subs.n; i++)
        for (size_t k = 0; k < c->subs.n; k++)
            if (c->subs.v[i]->at_progress && c->subs.v[k]->at_progress)
                check_pair(c, c->subs.v[i], c->subs.v[k]);
}

static void check_written(struct wclient *c, struct wsub *s)
{
    unsigned long n[WRITERS] = {0};
    struct bag_cursor cur = {0};
    const struct bag_entry *e;
    while ((e = bag_next(&s->rows, &cur))) {
        char row[64];
        unsigned w;
        unsigned long number;
        snprintf(row, sizeof row, "%.*s", (int)e->len, (const char *)e->bytes);
        if (sscanf(row, "[%u,%lu]", &w, &number) == 2 && w < WRITERS)
            n[w] = number;
    }
    for (unsigned w = 0; w < WRITERS; w++) {
        c->w->counts.own_writes++;
        if (n[w] < c->expected[w])
            wclient_wrong(c, s, "SYNCED, but writer %u is at %lu and had committed %lu", w, n[w],
                          c->expected[w]);
    }
}

void wclient_check_own_writes(struct wclient *c)
{
    for (size_t i = 0; i < c->subs.n; i++) {
        struct wsub *s = c->subs.v[i];
        if (s->live && s->resync)
            wclient_wrong(c, s, "SYNCED while its SNAPSHOT is still to come");
        if (s->st->money == MONEY_WRITTEN && s->live && !s->failed && !s->resync && !s->once)
            check_written(c, s);
    }
}
