/*
 * agg_interval: sum and avg of intervals.
 *
 * Law: months, days and time are summed apart, in words wide enough that no sum overflows on the
 * way; only a sum that is itself out of range is an error (Postgres also fails on a partial one,
 * which depends on the order of the rows). avg is the sum divided as interval / count is.
 */
#include "engine/expr/agg_classes.h"
#include "engine/value/interval.h"

struct interval_sum {
    int64_t n;
    uint64_t time[2]; /* in two's complement, lowest word first */
    int64_t day, month;
};

static void interval_sum_add(const struct agg_spec *spec, void *state, const struct value *args,
                             int64_t weight)
{
    struct interval_sum *s = state;
    struct interval iv = interval_load(args[0]);
    unsigned __int128 time = (unsigned __int128)s->time[1] << 64 | s->time[0];
    (void)spec;
    time += (unsigned __int128)((__int128)iv.time * weight);
    s->time[0] = (uint64_t)time;
    s->time[1] = (uint64_t)(time >> 64);
    s->n += weight;
    s->day += iv.day * weight;
    s->month += iv.month * weight;
}

static bool total(const struct interval_sum *s, struct interval *out, struct err *err)
{
    __int128 time = (__int128)((unsigned __int128)s->time[1] << 64 | s->time[0]);
    if (time != (int64_t)time || s->day != (int32_t)s->day || s->month != (int32_t)s->month)
        return err_set(err, "22008", "interval out of range");
    *out = (struct interval){(int64_t)time, (int32_t)s->day, (int32_t)s->month};
    return true;
}

static bool sum_result(const struct agg_spec *spec, const void *state, struct arena *a,
                       struct value *out, struct err *err)
{
    const struct interval_sum *s = state;
    struct interval sum;
    (void)spec;
    *out = value_null();
    if (s->n <= 0)
        return true;
    if (!total(s, &sum, err))
        return false;
    *out = interval_store(sum, a);
    return true;
}

static bool avg_result(const struct agg_spec *spec, const void *state, struct arena *a,
                       struct value *out, struct err *err)
{
    const struct interval_sum *s = state;
    struct interval sum, avg;
    (void)spec;
    *out = value_null();
    if (s->n <= 0)
        return true;
    if (!total(s, &sum, err) || !interval_div(sum, (double)s->n, &avg, err))
        return false;
    *out = interval_store(avg, a);
    return true;
}

#define INTERVAL_CLASS(cname, result_fn)                                                           \
    {                                                                                              \
        .name = cname, .state_size = sizeof(struct interval_sum), .strict = true,                  \
        .add = interval_sum_add, .result = result_fn,                                              \
    }

const struct agg_class agg_sum_interval = INTERVAL_CLASS("sum", sum_result);
const struct agg_class agg_avg_interval = INTERVAL_CLASS("avg", avg_result);
