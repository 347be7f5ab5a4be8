/*
 * log: the writer of log.h. A line is formatted into a buffer of its own and leaves in one write(),
 * so there is no lock; the level is the only shared state.
 */
#include "daemon/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static atomic_int max_level = LOG_LEVEL_INFO;
static bool to_journal;

void log_init(void)
{
    const char *stream = getenv("JOURNAL_STREAM");
    to_journal = stream && *stream;
}

void log_set_level(enum log_level level)
{
    atomic_store_explicit(&max_level, level, memory_order_relaxed);
}

int log_enabled(enum log_level level)
{
    return (int)level <= atomic_load_explicit(&max_level, memory_order_relaxed);
}

/* "2026-01-31T12:00:00.123Z error: " or, for the journal, "<3>". */
static size_t put_prefix(char *out, size_t size, enum log_level level)
{
    static const char *const names[] = {"error", "warn", "info", "debug"};
    static const int priorities[] = {3, 4, 6, 7};
    struct timespec now;
    struct tm tm;
    char time[32];
    if (to_journal)
        return (size_t)snprintf(out, size, "<%d>", priorities[level]);
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &tm);
    strftime(time, sizeof time, "%Y-%m-%dT%H:%M:%S", &tm);
    return (size_t)snprintf(out, size, "%s.%03ldZ %s: ", time, now.tv_nsec / 1000000, names[level]);
}

/* Copies text so that it stays one line; returns the length written. */
static size_t put_text(char *out, size_t size, const char *text)
{
    size_t n = 0;
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        if (size - n < 5)
            break;
        if (c == '\n')
            n += (size_t)sprintf(out + n, "\\n");
        else if (c < 0x20 || c == 0x7F)
            n += (size_t)sprintf(out + n, "\\x%02X", c);
        else
            out[n++] = (char)c;
    }
    return n;
}

void log_write(enum log_level level, const char *fmt, ...)
{
    char text[LOG_LINE_MAX], line[LOG_LINE_MAX];
    int saved = errno;
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    size_t n = put_prefix(line, sizeof line, level);
    n += put_text(line + n, sizeof line - 1 - n, text);
    line[n++] = '\n';
    /* When stderr can't take it there is nobody to tell. */
    ssize_t ignored = write(STDERR_FILENO, line, n);
    (void)ignored;
    errno = saved;
}
