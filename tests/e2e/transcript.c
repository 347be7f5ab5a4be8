/*
 * transcript: see transcript.h. Matching goes in two steps: does the shape fit, with any LSN for an
 * LSN and any key for a key; and do the values found fit those found before.
 */
#include "tests/e2e/transcript.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/buf.h"
#include "engine/base/lsn.h"
#include "tests/e2e/client.h"
#include "tests/e2e/cluster.h"

#define ANY     "…"
#define KEY_LEN 16

/* ---- reading the file ---------------------------------------------------------------------- */

enum section {
    OUTSIDE,
    SETUP,
    TRANSCRIPT,
    OTHER
};

static enum section section_of(const char *fence)
{
    if (strcmp(fence, "```transcript") == 0)
        return TRANSCRIPT;
    return strcmp(fence, "```sql setup") == 0 ? SETUP : OTHER;
}

static void add_line(struct transcript_file *f, int no, const char *line)
{
    if (!strchr("><$", line[0]) || line[1] != ' ')
        die("%s:%d: a transcript's lines begin with \"> \", \"< \" or \"$ \"", f->path, no);
    struct transcript_line l = {no, line[0], xstrdup(line + 2)};
    struct transcript *t = &f->transcripts.v[f->transcripts.n - 1];
    VEC_PUSH(t->lines, l);
}

struct transcript_file *transcript_read(const char *path)
{
    struct transcript_file *f = NEW(struct transcript_file);
    struct buf setup = {0};
    char line[4096];
    enum section in = OUTSIDE;
    FILE *in_file = fopen(path, "r");
    if (!in_file)
        die("%s: can't be read; tests run at the top of the source tree", path);
    f->path = xstrdup(path);
    for (int no = 1; fgets(line, sizeof line, in_file); no++) {
        line[strcspn(line, "\n")] = '\0';
        if (strncmp(line, "```", 3) == 0) {
            in = in == OUTSIDE ? section_of(line) : OUTSIDE;
            if (in == TRANSCRIPT)
                VEC_PUSH(f->transcripts, (struct transcript){0});
        } else if (in == TRANSCRIPT) {
            add_line(f, no, line);
        } else if (in == SETUP) {
            buf_addf(&setup, "%s\n", line);
        }
    }
    fclose(in_file);
    f->setup = xstrdup(buf_cstr(&setup));
    buf_fini(&setup);
    return f;
}

void transcript_free(struct transcript_file *f)
{
    for (size_t i = 0; i < f->transcripts.n; i++) {
        struct transcript *t = &f->transcripts.v[i];
        for (size_t k = 0; k < t->lines.n; k++)
            free(t->lines.v[k].text);
        VEC_FREE(t->lines);
    }
    VEC_FREE(f->transcripts);
    free(f->setup);
    free(f->path);
    free(f);
}

/* ---- matching a line ----------------------------------------------------------------------- */

static size_t hex_len(const char *s)
{
    size_t n = 0;
    while (isxdigit((unsigned char)s[n]))
        n++;
    return n;
}

static bool ends_value(char c)
{
    return c == '\0' || c == ' ' || c == '"';
}

/* Length of an LSN or a plan's key that is all of a word at s, whose predecessor is before. */
static size_t value_len(char before, const char *s)
{
    if (!ends_value(before))
        return 0;
    size_t n = hex_len(s);
    if (n == KEY_LEN && ends_value(s[n]))
        return n;
    if (n == 0 || n > 8 || s[n] != '/')
        return 0;
    size_t m = hex_len(s + n + 1);
    return m > 0 && m <= 8 && ends_value(s[n + 1 + m]) ? n + 1 + m : 0;
}

static void put_name(struct transcript_names *names, const char *written, size_t wlen,
                     const char *actual, size_t alen)
{
    struct transcript_name n = {0};
    memcpy(n.written, written, wlen);
    memcpy(n.actual, actual, alen);
    VEC_PUSH(names->v, n);
}

/* The shape alone. found gets the values in the pattern's order; it is cut back on the way out of a
 * wrong turn. */
static bool fits(char before, const char *p, const char *s, struct transcript_names *found)
{
    size_t any = strlen(ANY), mark = found->v.n;
    if (strncmp(p, ANY, any) == 0) {
        for (;; s++) {
            if (fits('.', p + any, s, found))
                return true;
            if (!*s)
                return false;
        }
    }
    size_t wlen = value_len(before, p), alen = wlen ? value_len(before, s) : 0;
    if (wlen && alen && (wlen == KEY_LEN) == (alen == KEY_LEN)) {
        put_name(found, p, wlen, s, alen);
        if (fits(p[wlen - 1], p + wlen, s + alen, found))
            return true;
        found->v.n = mark;
        return false;
    }
    if (*p != *s || wlen)
        return false;
    return !*p || fits(*p, p + 1, s + 1, found);
}

/* Two names agree if equal spellings mean equal values and greater LSNs aren't less. */
static bool agree(const struct transcript_name *a, const struct transcript_name *b)
{
    lsn_t wa, wb, va, vb;
    if (strcmp(a->written, b->written) == 0)
        return strcmp(a->actual, b->actual) == 0;
    if (!lsn_parse(a->written, strlen(a->written), &wa) ||
        !lsn_parse(b->written, strlen(b->written), &wb))
        return true;
    if (!lsn_parse(a->actual, strlen(a->actual), &va) ||
        !lsn_parse(b->actual, strlen(b->actual), &vb))
        return false;
    return wa < wb ? va <= vb : va >= vb;
}

bool transcript_match(struct transcript_names *names, const char *pattern, const char *line)
{
    struct transcript_names found = {0};
    bool ok = fits('\0', pattern, line, &found);
    size_t before = names->v.n;
    for (size_t i = 0; ok && i < found.v.n; i++) {
        for (size_t k = 0; ok && k < names->v.n; k++)
            ok = agree(&names->v.v[k], &found.v.v[i]);
        VEC_PUSH(names->v, found.v.v[i]);
    }
    if (!ok)
        names->v.n = before;
    VEC_FREE(found.v);
    return ok;
}

/* ---- playing ------------------------------------------------------------------------------- */

struct player {
    const struct transcript_file *file;
    struct transcript_line *lines; /* a copy of the array: deltas may change places */
    size_t n, at;
    struct client *client;
    struct transcript_names names;
    bool skipping; /* after "…": lines may come that aren't the next one */
    bool ordered;  /* a statement has an ORDER BY */
};

static void wrong(const struct player *p, const struct transcript_line *l, const char *got)
{
    die("%s:%d: expected: %s\n    received: %s", p->file->path, l->no, l->text,
        got ? got : "the end of the connection");
}

static char payload_sign(const char *line)
{
    return *line && strchr("+-", *line) && line[1] == ' ' ? *line : '\0';
}

/* A request with the LSNs that it takes from earlier lines. */
static void play_request(struct player *p, const char *text)
{
    struct buf out = {0};
    char before = '\0';
    for (const char *s = text; *s;) {
        size_t len = value_len(before, s);
        const char *actual = NULL;
        for (size_t i = 0; len && i < p->names.v.n; i++)
            if (strlen(p->names.v.v[i].written) == len &&
                memcmp(p->names.v.v[i].written, s, len) == 0)
                actual = p->names.v.v[i].actual;
        if (actual)
            buf_adds(&out, actual);
        else
            buf_add(&out, s, len = 1);
        before = s[len - 1];
        s += len;
    }
    buf_addc(&out, '\n');
    client_send_bytes(p->client, out.data, out.len);
    buf_fini(&out);
}

/* The lines of one sign that follow each other, in any order. */
static void play_rows(struct player *p)
{
    size_t from = p->at, to = from;
    char sign = payload_sign(p->lines[from].text);
    while (to < p->n && p->lines[to].sign == '<' && payload_sign(p->lines[to].text) == sign)
        to++;
    for (size_t i = from; i < to; i++) {
        char *got = client_read_line(p->client);
        size_t k = i;
        while (!p->ordered && k < to && got && strcmp(p->lines[k].text, got) != 0)
            k++;
        if (k == to || !got || strcmp(p->lines[k].text, got) != 0)
            wrong(p, &p->lines[i], got);
        struct transcript_line moved = p->lines[k];
        p->lines[k] = p->lines[i];
        p->lines[i] = moved;
        free(got);
    }
    p->at = to;
}

static size_t block_end(const struct player *p, size_t at)
{
    do
        at++;
    while (at < p->n && p->lines[at].sign == '<' && payload_sign(p->lines[at].text));
    return at;
}

/* If a delta of another id came first and the next block is that one, puts it first. */
static bool change_places(struct player *p, const char *got)
{
    size_t first = p->at, second = block_end(p, first);
    if (second >= p->n || p->lines[second].sign != '<' || strncmp(got, "DELTA ", 6) != 0 ||
        strncmp(p->lines[first].text, "DELTA ", 6) != 0 ||
        !transcript_match(&p->names, p->lines[second].text, got))
        return false;
    size_t end = block_end(p, second), n1 = second - first, n2 = end - second;
    struct transcript_line *copy = xmalloc(n1 * sizeof *copy);
    memcpy(copy, p->lines + first, n1 * sizeof *copy);
    memmove(p->lines + first, p->lines + second, n2 * sizeof *copy);
    memcpy(p->lines + first + n2, copy, n1 * sizeof *copy);
    free(copy);
    return true;
}

static void play_line(struct player *p)
{
    const struct transcript_line *l = &p->lines[p->at];
    for (;;) {
        char *got = client_read_line(p->client);
        bool ok = got && (transcript_match(&p->names, l->text, got) ||
                          (!p->skipping && change_places(p, got)));
        if (!ok && (!got || !p->skipping))
            wrong(p, l, got);
        free(got);
        if (ok)
            break;
    }
    p->skipping = false;
    p->at++;
}

static void play_next(struct player *p, PGconn *db)
{
    const struct transcript_line *l = &p->lines[p->at];
    if (l->sign == '>') {
        play_request(p, l->text);
        p->at++;
    } else if (l->sign == '$') {
        sql_run(db, "%s", l->text);
        p->at++;
    } else if (strcmp(l->text, ANY) == 0) {
        p->skipping = true;
        p->at++;
    } else if (payload_sign(l->text)) {
        play_rows(p);
    } else {
        play_line(p);
    }
}

void transcript_play(const struct transcript_file *f, size_t i, int port, PGconn *db)
{
    const struct transcript *t = &f->transcripts.v[i];
    struct player p = {.file = f, .n = t->lines.n, .client = client_connect_raw(port)};
    p.lines = xmalloc(p.n * sizeof *p.lines);
    memcpy(p.lines, t->lines.v, p.n * sizeof *p.lines);
    for (size_t k = 0; k < p.n; k++)
        p.ordered |= p.lines[k].sign == '>' && strstr(p.lines[k].text, "ORDER BY");
    while (p.at < p.n)
        play_next(&p, db);
    VEC_FREE(p.names.v);
    free(p.lines);
    client_close(p.client);
}
