/*
 * line: cuts what a client sends into lines.
 *
 * Lines end in \n or \r\n. Empty lines are skipped, so that a person may press Enter. A line with a
 * NUL byte or invalid UTF-8, or longer than the limit, is an error of that line alone: it is
 * reported once and the connection goes on with the next one. A half line beyond the limit isn't
 * kept, so the splitter never holds more than the limit and what was fed last.
 *
 * Used by one connection, on its thread.
 */
#ifndef PALIMPSEST_PROTOCOL_LINE_H
#define PALIMPSEST_PROTOCOL_LINE_H

#include "engine/base/buf.h"
#include "engine/base/err.h"

enum line_result {
    LINE_NONE, /* no whole line: feed more */
    LINE_READY,
    LINE_BAD /* err says why; the line is gone */
};

struct line_splitter {
    struct buf in;
    size_t start;   /* of the line under way, in in */
    size_t scanned; /* no \n before it */
    size_t limit;   /* bytes of a line, without its end */
    bool skipping;  /* inside a line that was already reported as too long */
};

void line_init(struct line_splitter *s, size_t limit);
void line_fini(struct line_splitter *s);
/* Room for `want` bytes to read into; then line_added() says how many came. Lines handed out before
 * are gone after line_room() or line_feed(). */
char *line_room(struct line_splitter *s, size_t want);
void line_added(struct line_splitter *s, size_t n);
void line_feed(struct line_splitter *s, const char *data, size_t len);
/* The next line, without its end: borrowed, not NUL-terminated, never empty. */
enum line_result line_next(struct line_splitter *s, const char **line, size_t *len,
                           struct err *err);
/* Bytes that wait: whole lines not yet taken and the half one. */
size_t line_pending(const struct line_splitter *s);
/* After LINE_NONE: part of a line is there, or of one that is being skipped. */
bool line_is_begun(const struct line_splitter *s);
/* Gives the memory back when nothing waits: an idle connection keeps none. */
void line_trim(struct line_splitter *s);

#endif
