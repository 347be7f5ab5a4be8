/*
 * config_value: the types of configuration values, as text and back. Used by config.c only.
 */
#ifndef PALIMPSEST_DAEMON_CONFIG_VALUE_H
#define PALIMPSEST_DAEMON_CONFIG_VALUE_H

#include <stdint.h>

#include "engine/base/err.h"

enum config_type {
    CONFIG_INT,
    CONFIG_BYTES,
    CONFIG_MSEC,
    CONFIG_BOOL,
    CONFIG_WORD,
    CONFIG_TEXT
};

/* Reads a value of any type but TEXT. range is config_keys.def's; the message doesn't name the key.
 */
MUST_CHECK bool config_value_parse(enum config_type type, const char *text, const char *range,
                                   int64_t *out, struct err *err);
/* What a value of this type may look like, for --help: "number", "on|off". */
const char *config_type_name(enum config_type type, const char *range);

#endif
