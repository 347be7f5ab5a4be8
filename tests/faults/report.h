/*
 * report: what went wrong, said at once with all that is needed to run it again, and counted.
 *
 * Any thread may report; the text is printed whole. The context (seed, round, fault) is set by the
 * main thread between rounds.
 */
#ifndef TESTS_FAULTS_REPORT_H
#define TESTS_FAULTS_REPORT_H

#include <stdbool.h>
#include <stdint.h>

void report_context(uint64_t seed, unsigned round, const char *fault);
/* A promise of the daemon is broken. Ends with a newline of its own. */
void report_wrong(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* Since the program began. */
unsigned report_count(void);
/* For VERBOSE=1: what is going on. */
void report_note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

uint64_t now_ms(void);
void sleep_ms(unsigned ms);

#endif
