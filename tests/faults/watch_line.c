/*
 * watch_line: what the daemon says, line by line. Part of the watch.
 */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "tests/faults/watch_int.h"

struct wsub *wsub_new(struct wclient *c, const struct statement *st, const char *id)
{
    struct wsub *s = NEW(struct wsub);
    snprintf(s->id, sizeof s->id, "%s", id);
    s->st = st;
    VEC_PUSH(c->subs, s);
    c->w->counts.subscriptions++;
    return s;
}

void wsub_free(struct wsub *s)
{
    if (!s)
        return;
    bag_fini(&s->rows);
    buf_fini(&s->story);
    free(s);
}

struct want *wclient_want_of(struct wclient *c, const struct wsub *s)
{
    for (size_t i = 0; i < c->wants.n; i++)
        if (c->wants.v[i].sub == s)
            return &c->wants.v[i];
    return NULL;
}

void wclient_forget_sub(struct wclient *c, const struct wsub *s)
{
    for (size_t i = 0; i < c->subs.n; i++)
        if (c->subs.v[i] == s) {
            c->subs.v[i] = c->subs.v[--c->subs.n];
            return;
        }
}

void wclient_drop_sub(struct wclient *c, struct wsub *s)
{
    struct want *want = wclient_want_of(c, s);
    if (want)
        want->sub = NULL;
    wclient_forget_sub(c, s);
    wsub_free(s);
}

static struct wsub *find(struct wclient *c, const char *id)
{
    for (size_t i = 0; i < c->subs.n; i++)
        if (strcmp(c->subs.v[i]->id, id) == 0)
            return c->subs.v[i];
    return NULL;
}

/* ---- lines about a subscription ------------------------------------------------------------ */

static void accepted(struct wclient *c, struct wsub *s, const char *json)
{
    json_t *o = json_loads(json, 0, NULL);
    if (!o)
        wclient_wrong(c, s, "ACCEPTED is no JSON: %s", json);
    if (s->accepted && !s->resync)
        wclient_wrong(c, s, "ACCEPTED twice");
    s->ncols = json_array_size(json_object_get(o, "columns"));
    s->accepted = true;
    json_decref(o);
}

static void block_header(struct wclient *c, struct wsub *s, bool snapshot, char *rest)
{
    char *save = NULL, *lsn_text = strtok_r(rest, " ", &save), *n = strtok_r(NULL, " ", &save);
    lsn_t lsn;
    if (!lsn_text || !n || !lsn_parse(lsn_text, strlen(lsn_text), &lsn)) {
        wclient_wrong(c, s, "a malformed header");
        return;
    }
    if (!s->accepted)
        wclient_wrong(c, s, "rows before ACCEPTED");
    wclient_begin_block(c, s, snapshot, lsn, strtoull(n, NULL, 10));
}

/* These say "not now"; the others that something is wrong with the statement. */
static bool passes(const char *state)
{
    return strncmp(state, "57P", 3) == 0 || strncmp(state, "53", 2) == 0;
}

static void ended(struct wclient *c, struct wsub *s, const char *rest)
{
    char state[6];
    struct want *want = wclient_want_of(c, s);
    snprintf(state, sizeof state, "%.5s", rest);
    if (s->releasing && strcmp(state, "42704") != 0)
        return; /* our RELEASE crosses it and will find nothing */
    c->w->counts.errors++;
    if (!passes(state))
        report_note("client %u: %s %s: %s", c->no, s->live ? "ended" : "refused", s->st->sql, rest);
    if (s->live && !c->w->allowed.ends && !passes(state))
        wclient_wrong(c, s, "ended: %s", rest);
    if (want) {
        want->refusals =
            strcmp(want->refused, state) == 0 && !passes(state) ? want->refusals + 1 : 1;
        snprintf(want->refused, sizeof want->refused, "%s", state);
        want->retry_at = now_ms() + 100;
    }
    wclient_drop_sub(c, s);
}

static void resync(struct wclient *c, struct wsub *s, const char *reason)
{
    static const char *const known[] = {"slow_consumer", "schema_changed", "since_too_old",
                                        "diverged", "timeline"};
    bool found = false;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        found |= strcmp(reason, known[i]) == 0;
    if (!found || (strcmp(reason, "diverged") == 0 && !c->w->allowed.unnoticed))
        wclient_wrong(c, s, "RESYNC %s", reason);
    buf_addf(&s->story, "    RESYNC %s\n", reason);
    s->resync = true;
    c->w->counts.too_old += strcmp(reason, "since_too_old") == 0;
    c->w->counts.resyncs += strcmp(reason, "since_too_old") != 0;
}

static void verified(struct wclient *c, struct wsub *s, bool diverged, const char *rest)
{
    if (!s->verifying)
        wclient_wrong(c, s, "VERIFIED, which nobody asked for");
    if (diverged && !c->w->allowed.unnoticed)
        wclient_wrong(c, s, "DIVERGED %s", rest);
    s->verifying = false;
    c->w->counts.verified++;
}

/* It could not be told; the subscription goes on. */
static bool is_about_verify(struct wclient *c, struct wsub *s, const char *rest)
{
    if (!s->verifying || !strstr(rest, "\"request\":\"VERIFY\""))
        return false;
    s->verifying = false;
    c->w->counts.unverified++;
    return true;
}

static bool about_sub(struct wclient *c, const char *keyword, struct wsub *s, char *rest)
{
    if (strcmp(keyword, "SNAPSHOT") == 0 || strcmp(keyword, "DELTA") == 0) {
        block_header(c, s, keyword[0] == 'S', rest);
    } else if (strcmp(keyword, "ACCEPTED") == 0) {
        accepted(c, s, rest);
    } else if (strcmp(keyword, "RESYNC") == 0) {
        resync(c, s, rest);
    } else if (strcmp(keyword, "FAILED") == 0) {
        buf_addf(&s->story, "    FAILED %.120s\n", rest);
        s->failed = true;
        s->resync = false;
        c->w->counts.failures++;
    } else if (strcmp(keyword, "VERIFIED") == 0 || strcmp(keyword, "DIVERGED") == 0) {
        verified(c, s, keyword[0] == 'D', rest);
    } else if (strcmp(keyword, "ERROR") == 0) {
        if (!is_about_verify(c, s, rest))
            ended(c, s, rest);
    } else if (strcmp(keyword, "RELEASED") == 0) {
        if (!s->releasing && !s->once)
            wclient_wrong(c, s, "released without being asked");
        wclient_drop_sub(c, s);
    } else {
        return false;
    }
    return true;
}

/* ---- lines about the connection ------------------------------------------------------------ */

static void progress(struct wclient *c, const char *text)
{
    lsn_t lsn;
    if (!lsn_parse(text, strlen(text), &lsn) || lsn < c->progress) {
        wclient_wrong(c, NULL, "PROGRESS %s after %llX", text, (unsigned long long)c->progress);
        return;
    }
    c->progress = lsn;
    c->w->counts.progress++;
    wclient_check_cut(c, lsn);
}

static void synced(struct wclient *c)
{
    if (!c->syncing)
        wclient_wrong(c, NULL, "SYNCED, which nobody asked for");
    c->syncing = false;
    c->synced = c->settling && c->w->settling;
    c->w->counts.syncs++;
    for (size_t i = 0; i < c->subs.n; i++)
        if (c->subs.v[i]->in_sync && c->subs.v[i]->resuming && !c->subs.v[i]->resync)
            wclient_resumed(c, c->subs.v[i]); /* nothing had changed */
    wclient_check_own_writes(c);
}

/* ERROR - …: SYNC can't be answered now, or the daemon stops. */
static void error_of_connection(struct wclient *c, const char *rest)
{
    if (strncmp(rest, "57P01", 5) == 0 && !c->syncing)
        c->told_end = true;
    else if (strncmp(rest, "57", 2) != 0) /* away, or somebody cancelled the question */
        wclient_wrong(c, NULL, "ERROR - %s", rest);
    c->syncing = false;
    c->sync_at = now_ms() + 50;
}

static bool about_connection(struct wclient *c, char *line)
{
    if (strncmp(line, "PROGRESS ", 9) == 0)
        progress(c, line + 9);
    else if (strncmp(line, "SYNCED ", 7) == 0)
        synced(c);
    else if (strncmp(line, "HELLO {", 7) == 0 && !c->greeted)
        c->greeted = true;
    else if (strncmp(line, "ERROR - ", 8) == 0)
        error_of_connection(c, line + 8);
    else
        return false;
    return true;
}

static void row(struct wclient *c, const char *line, size_t len)
{
    if (len < 3 || (line[0] != '+' && line[0] != '-') || line[1] != ' ') {
        wclient_wrong(c, c->block.sub, "a row was expected, not: %.200s", line);
        return;
    }
    buf_add(&c->block.lines, line, len);
    buf_addc(&c->block.lines, '\n');
    if (--c->block.left == 0)
        wclient_end_block(c);
}

/* A VERIFY that crossed the end of its subscription. */
static bool is_late_answer(const struct wclient *c, const char *keyword, const char *id,
                           const char *rest)
{
    if (strcmp(keyword, "ERROR") != 0 || strncmp(rest, "42704 ", 6) != 0)
        return false;
    for (unsigned i = 0; i < VERIFIES; i++)
        if (strcmp(c->asked_about[i], id) == 0)
            return true;
    return false;
}

void wclient_line(struct wclient *c, char *line, size_t len)
{
    char id[70], keyword[20];
    int skip = 0;
    line[len] = '\0';
    if (c->block.sub) {
        row(c, line, len);
        return;
    }
    if (about_connection(c, line))
        return;
    if (sscanf(line, "%19[A-Z] %69s%n", keyword, id, &skip) != 2) {
        wclient_wrong(c, NULL, "an unknown line: %.200s", line);
        return;
    }
    struct wsub *s = find(c, id);
    char *rest = line + skip + (line[skip] == ' ');
    if (is_late_answer(c, keyword, id, rest) && !(s && s->releasing))
        return;
    if (!s || !about_sub(c, keyword, s, rest))
        wclient_wrong(c, s, "a line for an id that isn't there, or unknown: %.200s", line);
}
