/*
 * log: one line an event on stderr.
 *
 * Under systemd (JOURNAL_STREAM is set) a line begins with the priority in angle brackets and the
 * journal adds the time; else with time and level. A line is cut at LOG_LINE_MAX bytes, line breaks
 * and control characters in it are shown as \n and \xNN, so an event can't forge another one. A
 * line is one write(), so threads never mix theirs. A stderr that takes nothing (a full disk, a pipe
 * whose reader has stopped) delays nobody: what it doesn't take is dropped, and counted in a line when it
 * takes some again. Nothing secret is logged: callers never pass a
 * conninfo or a password.
 */
#ifndef PALIMPSEST_DAEMON_LOG_H
#define PALIMPSEST_DAEMON_LOG_H

#include <stdint.h>

#define LOG_LINE_MAX 2048

enum log_level {
    LOG_LEVEL_ERROR,
    LOG_LEVEL_WARN,
    LOG_LEVEL_INFO,
    LOG_LEVEL_DEBUG
};

/* Called once at start, before there are threads. */
void log_init(void);
/* What is less urgent than this is dropped. May be called at any time, from any thread. */
void log_set_level(enum log_level level);

void log_write(enum log_level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
int log_enabled(enum log_level level);

/*
 * A trouble that is met again at every attempt is one line: logged when it is another one than the
 * last time, else every ten minutes, saying how often. One thread's.
 */
struct log_repeat {
    uint64_t hash;  /* of the text; 0 = there is no trouble */
    uint64_t at;    /* ms: when it was logged last */
    unsigned times; /* since then */
};

void log_repeat(struct log_repeat *r, enum log_level level, uint64_t now_ms, const char *text);
/* The trouble is over: the same text is news again. */
void log_repeat_end(struct log_repeat *r);

/* clang-format off */
#define log_debug(...) (log_enabled(LOG_LEVEL_DEBUG) ? log_write(LOG_LEVEL_DEBUG, __VA_ARGS__) : (void)0)
#define log_info(...)  (log_enabled(LOG_LEVEL_INFO) ? log_write(LOG_LEVEL_INFO, __VA_ARGS__) : (void)0)
#define log_warn(...)  (log_enabled(LOG_LEVEL_WARN) ? log_write(LOG_LEVEL_WARN, __VA_ARGS__) : (void)0)
#define log_error(...) log_write(LOG_LEVEL_ERROR, __VA_ARGS__)
/* clang-format on */

#endif
