/*
 * reply: every line the daemon sends, written into a buffer.
 *
 * PROTOCOL.md says what they mean. A writer appends whole lines; payload lines ("+ …", "- …") come
 * from the engine, already encoded, and follow a header written here. To add a line: a writer here
 * and its description in PROTOCOL.md.
 */
#ifndef PALIMPSEST_PROTOCOL_REPLY_H
#define PALIMPSEST_PROTOCOL_REPLY_H

#include <stdint.h>

#include "engine/base/buf.h"
#include "engine/base/err.h"
#include "engine/base/lsn.h"

#define PROTOCOL_VERSION 1

void reply_hello(struct buf *b, const char *server_version);

struct reply_column {
    const char *name;
    const char *type; /* as format_type() prints it */
};

struct reply_order {
    const char *column; /* NULL: sorted by something that isn't shown; sent as null */
    bool desc;
    bool nulls_first;
};

/* plan: the canonical key in hexadecimal; reason: NULL, or why it is not maintained by changes. */
void reply_accepted(struct buf *b, const char *id, const char *plan, const char *reason,
                    const struct reply_column *columns, size_t ncolumns,
                    const struct reply_order *order, size_t norder);

/* Headers; n payload lines must follow. */
void reply_snapshot(struct buf *b, const char *id, lsn_t lsn, uint64_t n);
void reply_delta(struct buf *b, const char *id, lsn_t lsn, uint64_t n);
/* The same in two parts, for a block that goes to many: the second is the same for all of them. */
void reply_delta_id(struct buf *b, const char *id, size_t id_len);
void reply_delta_rest(struct buf *b, lsn_t lsn, uint64_t n);

void reply_progress(struct buf *b, lsn_t lsn);
void reply_synced(struct buf *b, lsn_t lsn);
void reply_mark(struct buf *b, lsn_t lsn, const char *token, size_t len);
void reply_released(struct buf *b, const char *id);
void reply_pong(struct buf *b, const char *word); /* word: NULL = none */
void reply_bye(struct buf *b);

enum resync_reason {
    RESYNC_SLOW_CONSUMER,
    RESYNC_SCHEMA_CHANGED,
    RESYNC_SINCE_TOO_OLD,
    RESYNC_DIVERGED,
    RESYNC_TIMELINE
};
void reply_resync(struct buf *b, const char *id, enum resync_reason reason);

/* e must be set. id NULL: "ERROR - …". */
void reply_error(struct buf *b, const char *id, const struct err *e);
void reply_failed(struct buf *b, const char *id, lsn_t lsn, const struct err *e);

/* Answers to VERIFY. */
void reply_verified(struct buf *b, const char *id, lsn_t lsn, uint64_t rows);
struct reply_diverged {
    uint64_t missing, extra;                 /* rows */
    const char *missing_rows, *extra_rows;   /* some of them, JSON arrays; NULL = none */
    const char *plan_error, *postgres_error; /* SQLSTATEs; "" = none */
};
void reply_diverged(struct buf *b, const char *id, lsn_t lsn, const struct reply_diverged *d);
/* An ERROR of the request: the subscription goes on. */
void reply_unverified(struct buf *b, const char *id, const struct err *e);

/* Blocks. text: lines ending in \n, without "* ". */
void reply_explain(struct buf *b, const char *id, const char *text, size_t len);
void reply_help(struct buf *b);
/* STATUS {json}: the JSON object is the caller's (see json.h). */
void reply_status(struct buf *b, const char *json, size_t len);

struct reply_plan {
    const char *plan, *sql, *mode, *state;
    uint64_t subscribers, rows, bytes;
    lsn_t lsn; /* 0: none yet; sent as null */
};
/* PLANS n; then reply_list_plan() n times. */
void reply_list(struct buf *b, size_t n);
void reply_list_plan(struct buf *b, const struct reply_plan *p);

#endif
