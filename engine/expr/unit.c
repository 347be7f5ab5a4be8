/*
 * unit: see unit.h.
 */
#include "engine/expr/unit.h"

#include <math.h>
#include <strings.h>

#include "engine/value/datetime.h"

#define NAME_MAX_LEN 10

static const struct {
    const char *name;
    enum unit unit;
} names[] = {
    {"c", UNIT_CENTURY},
    {"cent", UNIT_CENTURY},
    {"centuries", UNIT_CENTURY},
    {"century", UNIT_CENTURY},
    {"d", UNIT_DAY},
    {"day", UNIT_DAY},
    {"days", UNIT_DAY},
    {"dec", UNIT_DECADE},
    {"decade", UNIT_DECADE},
    {"decades", UNIT_DECADE},
    {"decs", UNIT_DECADE},
    {"dow", UNIT_DOW},
    {"doy", UNIT_DOY},
    {"epoch", UNIT_EPOCH},
    {"h", UNIT_HOUR},
    {"hour", UNIT_HOUR},
    {"hours", UNIT_HOUR},
    {"hr", UNIT_HOUR},
    {"hrs", UNIT_HOUR},
    {"isodow", UNIT_ISODOW},
    {"isoyear", UNIT_ISOYEAR},
    {"j", UNIT_JULIAN},
    {"jd", UNIT_JULIAN},
    {"julian", UNIT_JULIAN},
    {"m", UNIT_MINUTE},
    {"microsecon", UNIT_MICROSECONDS},
    {"mil", UNIT_MILLENNIUM},
    {"millennia", UNIT_MILLENNIUM},
    {"millennium", UNIT_MILLENNIUM},
    {"millisecon", UNIT_MILLISECONDS},
    {"mils", UNIT_MILLENNIUM},
    {"min", UNIT_MINUTE},
    {"mins", UNIT_MINUTE},
    {"minute", UNIT_MINUTE},
    {"minutes", UNIT_MINUTE},
    {"mon", UNIT_MONTH},
    {"mons", UNIT_MONTH},
    {"month", UNIT_MONTH},
    {"months", UNIT_MONTH},
    {"ms", UNIT_MILLISECONDS},
    {"msec", UNIT_MILLISECONDS},
    {"mseconds", UNIT_MILLISECONDS},
    {"msecs", UNIT_MILLISECONDS},
    {"qtr", UNIT_QUARTER},
    {"quarter", UNIT_QUARTER},
    {"s", UNIT_SECOND},
    {"sec", UNIT_SECOND},
    {"second", UNIT_SECOND},
    {"seconds", UNIT_SECOND},
    {"secs", UNIT_SECOND},
    {"timezone", UNIT_TIMEZONE},
    {"timezone_h", UNIT_TIMEZONE_HOUR},
    {"timezone_m", UNIT_TIMEZONE_MINUTE},
    {"us", UNIT_MICROSECONDS},
    {"usec", UNIT_MICROSECONDS},
    {"useconds", UNIT_MICROSECONDS},
    {"usecs", UNIT_MICROSECONDS},
    {"w", UNIT_WEEK},
    {"week", UNIT_WEEK},
    {"weeks", UNIT_WEEK},
    {"y", UNIT_YEAR},
    {"year", UNIT_YEAR},
    {"years", UNIT_YEAR},
    {"yr", UNIT_YEAR},
    {"yrs", UNIT_YEAR},
};

static int shown_len(struct value name)
{
    return name.len > 63 ? 63 : (int)name.len;
}

/* Postgres shows the name in lower case. */
static bool complain(struct value name, const char *sqlstate, const char *what, uint32_t type,
                     struct err *err)
{
    char lower[64];
    int n = shown_len(name);
    for (int i = 0; i < n; i++)
        lower[i] = (char)(name.p[i] >= 'A' && name.p[i] <= 'Z' ? name.p[i] + 32 : name.p[i]);
    return err_set(err, sqlstate, "unit \"%.*s\" not %s for type %s", n, lower, what,
                   type_native(type)->name);
}

bool unit_find(struct value name, uint32_t type, enum unit *unit, struct err *err)
{
    size_t len = name.len > NAME_MAX_LEN ? NAME_MAX_LEN : name.len;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strlen(names[i].name) == len &&
            strncasecmp(names[i].name, (const char *)name.p, len) == 0) {
            *unit = names[i].unit;
            return true;
        }
    return complain(name, "22023", "recognized", type, err);
}

bool unit_unsupported(struct value name, uint32_t type, struct err *err)
{
    return complain(name, ERR_FEATURE_NOT_SUPPORTED, "supported", type, err);
}

bool unit_find_trunc(struct value name, uint32_t type, enum unit *unit, struct err *err)
{
    if (!unit_find(name, type, unit, err))
        return false;
    if (*unit > UNIT_MILLENNIUM && *unit < UNIT_TIMEZONE)
        return complain(name, "22023", "recognized", type, err);
    return *unit <= UNIT_MILLENNIUM || unit_unsupported(name, type, err);
}

/* An epoch in microseconds beyond 64 bits: Postgres divides, with the few digits that numeric
 * division keeps of so large a quotient. */
static bool long_epoch(struct part_number p, struct arena *a, struct value *out, struct err *err)
{
    return numeric_div(numeric_from_int128(p.value, 0, a), numeric_from_int64(USECS_PER_SEC, a), a,
                       out, err) &&
           numeric_round(*out, 6, a, out, err);
}

bool part_numeric(struct part_number p, struct arena *a, struct value *out, struct err *err)
{
    if (p.infinite)
        return numeric_parse(p.negative ? "-Infinity" : "Infinity", p.negative ? 9 : 8, a, out,
                             err);
    if (p.value != (int64_t)p.value)
        return long_epoch(p, a, out, err);
    *out = p.null ? value_null() : numeric_from_int128(p.value, p.scale, a);
    return true;
}

bool part_float(struct part_number p, struct value *out)
{
    if (p.null) {
        *out = value_null();
        return true;
    }
    if (p.infinite)
        return fn_float(out, p.negative ? -INFINITY : INFINITY);
    return fn_float(out, (double)p.value / (p.scale == 6 ? 1e6 : p.scale == 3 ? 1e3 : 1));
}
