/*
 * bench: what the measurements share: a clock, samples and their spread, a table on the terminal
 * and a JSON file. Every claim is a ratio against something measured in the same run.
 */
#ifndef TESTS_BENCH_BENCH_H
#define TESTS_BENCH_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/vec.h"

int64_t bench_ns(void); /* monotonic */
void bench_sleep_us(long us);

struct samples {
    VEC(double) v;
};

void samples_add(struct samples *s, double x);
void samples_clear(struct samples *s);
/* p in 0…1; sorts. 0 for no samples. */
double samples_at(struct samples *s, double p);

/* A heading, and one measured figure under it. ratio_of, goal: NAN where there is none; better is
 * a ratio at most the goal. */
void bench_section(const char *name);
void bench_row(const char *what, double value, const char *unit, double ratio, double goal,
               const char *against);
/* The same into the JSON file alone, for who prints a table of its own. */
void bench_record(const char *what, double value, const char *unit, double ratio, double goal,
                  const char *against);
void bench_note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* Writes everything so far; false with a message when the file can't be written. */
bool bench_write_json(const char *path);

#endif
