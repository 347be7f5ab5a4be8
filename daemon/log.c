/*
 * log: the writer of log.h. A line is formatted into a buffer of its own and leaves in one write().
 *
 * stderr is shared with others (a shell, a supervisor), so it isn't made non-blocking; instead it is
 * asked whether it takes a line before it is given one, under a lock so that no two threads get the
 * same answer. A pipe that says yes has a page of room, more than a line. What it doesn't take is
 * counted, and the number is the first thing it hears when it takes something again.
 */
#include "daemon/log.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
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
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned long lost; /* lines; under lock */

/* Else the next descriptor, a client's perhaps, would be taken for stderr. */
static void open_missing_descriptors(void)
{
    int fd;
    do
        fd = open("/dev/null", O_RDWR);
    while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd >= 0)
        close(fd);
}

void log_init(void)
{
    const char *stream = getenv("JOURNAL_STREAM");
    to_journal = stream && *stream;
    open_missing_descriptors();
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

static size_t put_line(char *line, enum log_level level, const char *text)
{
    size_t n = put_prefix(line, LOG_LINE_MAX, level);
    n += put_text(line + n, LOG_LINE_MAX - 1 - n, text);
    line[n++] = '\n';
    return n;
}

static bool write_out(const char *line, size_t n)
{
    struct pollfd p = {.fd = STDERR_FILENO, .events = POLLOUT};
    return poll(&p, 1, 0) > 0 && (p.revents & POLLOUT) &&
           write(STDERR_FILENO, line, n) == (ssize_t)n;
}

static void say_what_was_lost(void)
{
    char text[64], line[LOG_LINE_MAX];
    if (lost == 0)
        return;
    snprintf(text, sizeof text, "%lu lines of the log could not be written", lost);
    if (write_out(line, put_line(line, LOG_LEVEL_WARN, text)))
        lost = 0;
}

void log_write(enum log_level level, const char *fmt, ...)
{
    char text[LOG_LINE_MAX], line[LOG_LINE_MAX];
    int saved = errno;
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    size_t n = put_line(line, level, text);
    pthread_mutex_lock(&lock);
    say_what_was_lost();
    if (lost > 0 || !write_out(line, n))
        lost++;
    pthread_mutex_unlock(&lock);
    errno = saved;
}
