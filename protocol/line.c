/*
 * line: the splitter of line.h.
 *
 * Bytes before start are lines already handed out; they are dropped at the next feed, not before,
 * because the caller still reads the last one.
 */
#include "protocol/line.h"

#include <assert.h>

#include "protocol/utf8.h"

void line_init(struct line_splitter *s, size_t limit)
{
    memset(s, 0, sizeof *s);
    s->limit = limit;
}

void line_fini(struct line_splitter *s)
{
    buf_fini(&s->in);
}

static void drop_taken(struct line_splitter *s)
{
    if (!s->start)
        return;
    buf_consume(&s->in, s->start);
    s->scanned -= s->start;
    s->start = 0;
}

char *line_room(struct line_splitter *s, size_t want)
{
    drop_taken(s);
    return buf_reserve(&s->in, want);
}

void line_added(struct line_splitter *s, size_t n)
{
    assert(n <= s->in.cap - s->in.len);
    s->in.len += n;
}

void line_feed(struct line_splitter *s, const char *data, size_t len)
{
    if (!len)
        return;
    memcpy(line_room(s, len), data, len);
    line_added(s, len);
}

static enum line_result too_long(const struct line_splitter *s, struct err *err)
{
    err_set(err, ERR_PROTOCOL, "line is longer than %zu bytes", s->limit);
    err_hint(err, "The limit is limits.line_bytes.");
    return LINE_BAD;
}

/* No \n in what is there. What can only be the start of a line that is too long isn't kept; one
 * byte more than the limit may still be a \r. */
static enum line_result half_line(struct line_splitter *s, struct err *err)
{
    s->scanned = s->in.len;
    if (!s->skipping && s->in.len - s->start <= s->limit + 1)
        return LINE_NONE;
    bool report = !s->skipping;
    s->skipping = true;
    s->in.len = s->start;
    s->scanned = s->start;
    return report ? too_long(s, err) : LINE_NONE;
}

static enum line_result check(const struct line_splitter *s, const char *line, size_t len,
                              struct err *err)
{
    if (len > s->limit)
        return too_long(s, err);
    if (memchr(line, '\0', len)) {
        err_set(err, ERR_PROTOCOL, "line contains a NUL byte");
        return LINE_BAD;
    }
    if (!utf8_valid(line, len)) {
        err_set(err, ERR_PROTOCOL, "line is not valid UTF-8");
        return LINE_BAD;
    }
    return LINE_READY;
}

enum line_result line_next(struct line_splitter *s, const char **line, size_t *len, struct err *err)
{
    for (;;) {
        size_t unseen = s->in.len - s->scanned;
        char *from = s->in.data + s->scanned;
        char *end = unseen ? memchr(from, '\n', unseen) : NULL;
        if (!end)
            return half_line(s, err);
        char *begin = s->in.data + s->start;
        s->start = s->scanned = (size_t)(end - s->in.data) + 1;
        if (s->skipping) {
            s->skipping = false;
            continue;
        }
        if (end > begin && end[-1] == '\r')
            end--;
        if (end == begin)
            continue;
        *line = begin;
        *len = (size_t)(end - begin);
        return check(s, *line, *len, err);
    }
}

size_t line_pending(const struct line_splitter *s)
{
    return s->in.len - s->start;
}

bool line_is_begun(const struct line_splitter *s)
{
    return s->skipping || line_pending(s) > 0;
}

void line_trim(struct line_splitter *s)
{
    if (line_pending(s))
        return;
    buf_fini(&s->in);
    s->start = s->scanned = 0;
}
