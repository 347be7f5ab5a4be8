/*
 * config_value: numbers with units and ranges. A number is whole and its unit, if any, follows it
 * directly ("16M", "250ms"); a bare number is in the type's base unit.
 */
#include "daemon/config_value.h"

#include <stdio.h>
#include <string.h>

#include "daemon/config.h"

struct unit {
    const char *name;
    int64_t factor;
};

static const struct unit no_units[] = {{"", 1}, {NULL, 0}};
static const struct unit byte_units[] = {
    {"", 1}, {"k", 1 << 10}, {"M", 1 << 20}, {"G", 1 << 30}, {NULL, 0}};
static const struct unit time_units[] = {{"", 1},        {"ms", 1},      {"s", 1000},
                                         {"min", 60000}, {"h", 3600000}, {NULL, 0}};

static const struct unit *units_of(enum config_type type)
{
    return type == CONFIG_BYTES ? byte_units : type == CONFIG_MSEC ? time_units : no_units;
}

/* Digits and a unit, without sign; false also when the product doesn't fit. */
static bool parse_number(const char *text, size_t len, const struct unit *units, int64_t *out)
{
    size_t i = 0;
    int64_t n = 0;
    for (; i < len && text[i] >= '0' && text[i] <= '9'; i++)
        if (__builtin_mul_overflow(n, 10, &n) || __builtin_add_overflow(n, text[i] - '0', &n))
            return false;
    if (i == 0)
        return false;
    for (const struct unit *u = units; u->name; u++)
        if (strlen(u->name) == len - i && memcmp(u->name, text + i, len - i) == 0)
            return !__builtin_mul_overflow(n, u->factor, out);
    return false;
}

static const char *examples(enum config_type type)
{
    return type == CONFIG_BYTES  ? "Write it like 65536, 64k, 16M or 1G."
           : type == CONFIG_MSEC ? "Write it like 250ms, 10s, 5min or 1h."
                                 : "Write a whole number.";
}

static bool number(enum config_type type, const char *text, const char *range, int64_t *out,
                   struct err *err)
{
    const struct unit *units = units_of(type);
    const char *dots = strstr(range, "..");
    int64_t least, greatest;
    if (!parse_number(text, strlen(text), units, out)) {
        err_set(err, ERR_CONFIG, "\"%s\" is not a %s", text, config_type_name(type, range));
        return err_hint(err, "%s", examples(type));
    }
    if (!parse_number(range, (size_t)(dots - range), units, &least) ||
        !parse_number(dots + 2, strlen(dots + 2), units, &greatest) || *out < least ||
        *out > greatest)
        return err_set(err, ERR_CONFIG, "%s is not in the range %s", text, range);
    return true;
}

static bool word(const char *text, const char *range, int64_t *out, struct err *err)
{
    size_t len = strlen(text);
    *out = 0;
    for (const char *p = range;; (*out)++) {
        size_t n = strcspn(p, "|");
        if (n == len && memcmp(p, text, n) == 0)
            return true;
        if (!p[n])
            return err_set(err, ERR_CONFIG, "\"%s\" is not one of %s", text, range);
        p += n + 1;
    }
}

bool config_value_parse(enum config_type type, const char *text, const char *range, int64_t *out,
                        struct err *err)
{
    if (type == CONFIG_BOOL)
        return word(text, "off|on", out, err);
    if (type == CONFIG_WORD)
        return word(text, range, out, err);
    return number(type, text, range, out, err);
}

const char *config_type_name(enum config_type type, const char *range)
{
    static const char *const names[] = {
        [CONFIG_INT] = "number",  [CONFIG_BYTES] = "size", [CONFIG_MSEC] = "duration",
        [CONFIG_BOOL] = "on|off", [CONFIG_TEXT] = "text",
    };
    return type == CONFIG_WORD ? range : names[type];
}
