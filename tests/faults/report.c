/*
 * report: see report.h.
 */
#include "tests/faults/report.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char context[200] = "before the first round";
static atomic_uint wrong;

void report_context(uint64_t seed, unsigned round, const char *fault)
{
    pthread_mutex_lock(&lock);
    snprintf(context, sizeof context, "SEED=%llu round %u, %s", (unsigned long long)seed, round,
             fault);
    pthread_mutex_unlock(&lock);
}

void report_wrong(const char *fmt, ...)
{
    va_list ap;
    atomic_fetch_add(&wrong, 1);
    pthread_mutex_lock(&lock);
    printf("WRONG (%s): ", context);
    va_start(ap, fmt);
    vprintf(fmt, ap);
    va_end(ap);
    printf("\n");
    fflush(stdout);
    pthread_mutex_unlock(&lock);
}

unsigned report_count(void)
{
    return atomic_load(&wrong);
}

void report_note(const char *fmt, ...)
{
    va_list ap;
    const char *verbose = getenv("VERBOSE");
    if (!verbose || !*verbose)
        return;
    pthread_mutex_lock(&lock);
    va_start(ap, fmt);
    vprintf(fmt, ap);
    va_end(ap);
    printf("\n");
    fflush(stdout);
    pthread_mutex_unlock(&lock);
}

uint64_t now_ms(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

void sleep_ms(unsigned ms)
{
    struct timespec ts = {ms / 1000, (ms % 1000) * 1000000L};
    while (nanosleep(&ts, &ts) != 0)
        ;
}
