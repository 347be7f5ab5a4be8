/*
 * request: one line from a client, as the command it means.
 *
 * The text form and the JSON form of a line give the same struct request; the first byte decides
 * which form it is. The parser knows nothing of connections: what it can tell from the line alone
 * it checks (spelling, the shape of an id, the types of members), what needs state (an id in use, a
 * limit) is the caller's.
 *
 * Everything in a request lies in the arena given, NUL-terminated, and lives as long as it. The
 * line must be valid UTF-8 without NUL bytes (line.h sees to that). Memory is bounded by the line's
 * length.
 */
#ifndef PALIMPSEST_PROTOCOL_REQUEST_H
#define PALIMPSEST_PROTOCOL_REQUEST_H

#include <stdint.h>

#include "engine/base/arena.h"
#include "engine/base/err.h"
#include "engine/base/lsn.h"

#define REQUEST_ID_MAX   64
#define REQUEST_WORD_MAX 256

enum verb {
#define VERB(name, arguments, members, help) VERB_##name,
#include "protocol/request.def"
#undef VERB
    VERB_COUNT
};

/* The value of $1, $2…: a parameter's text form as Postgres reads it. */
struct request_param {
    bool null;
    const char *text; /* NUL-terminated; NULL when null. A number keeps its spelling: 1.10 */
    size_t len;
};

enum progress_mode {
    PROGRESS_OFF,
    PROGRESS_EACH,
    PROGRESS_EVERY
};

struct request {
    enum verb verb;
    const char *id; /* NULL where the verb has none */

    /* SUBSCRIBE, QUERY, EXPLAIN. The statement without a trailing ';'. */
    const char *sql;
    size_t sql_len;
    const struct request_param *params;
    size_t nparams;
    bool has_since; /* SUBSCRIBE: the client holds the result as of this LSN */
    lsn_t since;
    uint32_t min_interval_ms; /* SUBSCRIBE: 0 to 86,400,000; 0 = none */

    bool has_lsn; /* SYNC */
    lsn_t lsn;
    enum progress_mode mode; /* PROGRESS */
    bool on;                 /* MARKS */
    uint32_t every_ms;       /* PROGRESS_EVERY: 1 to 86,400,000 */
    const char *word;        /* PING; NULL = none */
};

/*
 * Parses a line of at least one byte. False with err: 08P01 for a malformed line, 0A000 for what
 * the protocol has but this version doesn't. Then out->id is the id if one could be read, else
 * NULL.
 */
MUST_CHECK bool request_parse(const char *line, size_t len, struct arena *a, struct request *out,
                              struct err *err);

/* The three columns of request.def that people read: "RELEASE", "id", "end a subscription". */
const char *verb_name(enum verb v);
const char *verb_arguments(enum verb v);
const char *verb_help(enum verb v);

#endif
