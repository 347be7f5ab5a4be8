/*
 * bench: see bench.h.
 */
#include "tests/bench/bench.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static json_t *report;  /* section → list of rows */
static json_t *section; /* borrowed from report */

int64_t bench_ns(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec * 1000000000LL + ts.tv_nsec;
}

void bench_sleep_us(long us)
{
    struct timespec ts = {us / 1000000, (us % 1000000) * 1000};
    while (nanosleep(&ts, &ts) != 0 && errno == EINTR)
        ;
}

void samples_add(struct samples *s, double x)
{
    VEC_PUSH(s->v, x);
}

void samples_clear(struct samples *s)
{
    s->v.n = 0;
}

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double samples_at(struct samples *s, double p)
{
    if (!s->v.n)
        return 0;
    qsort(s->v.v, s->v.n, sizeof *s->v.v, compare_doubles);
    return s->v.v[(size_t)(p * (double)(s->v.n - 1) + 0.5)];
}

void bench_section(const char *name)
{
    if (!report)
        report = json_object();
    section = json_array();
    json_object_set_new(report, name, section);
    printf("\n%s\n", name);
    fflush(stdout);
}

void bench_record(const char *what, double value, const char *unit, double ratio, double goal,
                  const char *against)
{
    json_t *row = json_pack("{s:s, s:f, s:s}", "what", what, "value", value, "unit", unit);
    if (!isnan(ratio)) {
        json_object_set_new(row, "ratio", json_real(ratio));
        json_object_set_new(row, "against", json_string(against));
    }
    if (!isnan(goal))
        json_object_set_new(row, "goal", json_real(goal));
    json_array_append_new(section, row);
}

void bench_row(const char *what, double value, const char *unit, double ratio, double goal,
               const char *against)
{
    printf("  %-58s %12.4g %-8s", what, value, unit);
    if (!isnan(ratio))
        printf(" %7.2f x %s", ratio, against);
    if (!isnan(goal))
        printf("  (goal %.4g: %s)", goal, ratio <= goal ? "met" : "MISSED");
    putchar('\n');
    fflush(stdout);
    bench_record(what, value, unit, ratio, goal, against);
}

void bench_note(const char *fmt, ...)
{
    char text[512];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    printf("  %s\n", text);
    fflush(stdout);
    json_array_append_new(section, json_pack("{s:s}", "note", text));
}

bool bench_write_json(const char *path)
{
    if (json_dump_file(report, path, JSON_INDENT(1)) == 0)
        return true;
    fprintf(stderr, "can't write %s: %s\n", path, strerror(errno));
    return false;
}
