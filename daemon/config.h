/*
 * config: what the operator has chosen, as an immutable object that threads can hold.
 *
 * config_keys.def is the only list of keys: the fields below, the parser, --help and (checked by
 * tests/consistency.sh) the sample file and the man page follow it.
 *
 * Values come from, later over earlier: the defaults, the file ("section.key = value" lines, '#'
 * begins a comment line), the environment (PALIMPSEST_SECTION_KEY), the command line (--set and its
 * short forms). An unknown key or a bad value is an error that names its line; nothing is guessed.
 *
 * main loads it and publishes it; SIGHUP loads it again from the same places. A thread takes
 * config_current() when it begins something, reads its fields and gives it back; fields never
 * change.
 */
#ifndef PALIMPSEST_DAEMON_CONFIG_H
#define PALIMPSEST_DAEMON_CONFIG_H

#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>

#include "engine/base/err.h"

#define ERR_CONFIG "F0000"

enum config_key {
#define CONFIG(type, section, name, def, range, reload, text) CONFIG_##section##_##name,
#include "daemon/config_keys.def"
#undef CONFIG
    CONFIG_COUNT
};

typedef int64_t config_INT;
typedef int64_t config_BYTES;
typedef int64_t config_MSEC;
typedef bool config_BOOL;
typedef int config_WORD;
typedef const char *config_TEXT;

struct config {
    atomic_int refs;
#define CONFIG(type, section, name, def, range, reload, text) config_##type section##_##name;
#include "daemon/config_keys.def"
#undef CONFIG
    char *texts[CONFIG_COUNT]; /* owned: each value as it was written */
};

/* Where values come from. Borrowed: lives as long as the process (main's arguments). */
struct config_source {
    const char *file;        /* NULL = none */
    const char *const *sets; /* "section.key=value" */
    size_t nsets;
};

/* NULL with err (F0000). Zero for engine.workers and engine.io_threads is resolved: the fields hold
 * how many threads to start. */
struct config *config_load(const struct config_source *src, struct err *err);
/*
 * Loads again. What only a restart can change keeps the value of `old` and is set in refused; what
 * did change is set in changed. NULL with err: keep the old one.
 */
struct config *config_reload(const struct config *old, const struct config_source *src,
                             bool changed[CONFIG_COUNT], bool refused[CONFIG_COUNT],
                             struct err *err);

const struct config *config_ref(const struct config *c);
void config_unref(const struct config *c);

/* The configuration in force; takes over the caller's reference, any thread. */
void config_publish(struct config *c);
const struct config *config_current(void); /* a reference for the caller */

const char *config_key_name(enum config_key key); /* "limits.line_bytes" */
/* Every key with default, range and text, for --help. */
void config_print_keys(FILE *out);

/* One element of listen.address. */
struct listen_address {
    bool is_unix;
    char host[256]; /* name or address, without the brackets of IPv6; the path if is_unix */
    uint16_t port;
};

/* Cuts listen.address into at most max elements and returns how many; 0 with err. */
MUST_CHECK size_t listen_parse(const char *text, struct listen_address *out, size_t max,
                               struct err *err);
#define LISTEN_MAX 16

#endif
