/*
 * pgoutput: what a logical walsender sends, decoded.
 *
 * Two layers. A CopyData payload of a replication connection is a frame: WAL data or a keepalive.
 * The data of a WAL frame is one message of Postgres's output plugin pgoutput, protocol version 1
 * (whole transactions in commit order, nothing streamed before its commit).
 *
 * Decoding copies nothing and allocates nothing: names and values point into the message, fields
 * into the decoder, and both are good until the next call. The server is not trusted: each length
 * is checked, whatever the bytes are, and a message with bytes left over is malformed too.
 *
 * To add protocol version 2 (streamed transactions): the kinds S, E, c and A here, and a leading
 * xid in each message inside a stream.
 */
#ifndef PALIMPSEST_PROTOCOL_PGOUTPUT_H
#define PALIMPSEST_PROTOCOL_PGOUTPUT_H

#include <stddef.h>

#include "engine/base/err.h"
#include "engine/base/lsn.h"
#include "protocol/pgfield.h"

enum frame_kind {
    FRAME_WAL = 'w',
    FRAME_KEEPALIVE = 'k'
};

struct frame {
    enum frame_kind kind;
    lsn_t start;         /* WAL only: position of the data; 0 for some message kinds */
    lsn_t end;           /* the server's end of WAL as it knows it */
    int64_t sent_us;     /* server's clock, microseconds since 2000 */
    bool reply;          /* keepalive only: answer at once or be cut off */
    const uint8_t *data; /* WAL only */
    size_t len;
};

MUST_CHECK bool frame_decode(const void *bytes, size_t len, struct frame *out, struct err *err);

/* The client's side of the conversation: how far it has got. */
#define STANDBY_STATUS_LEN 34
void standby_status_encode(uint8_t out[STANDBY_STATUS_LEN], lsn_t written, lsn_t flushed,
                           lsn_t applied, int64_t now_us, bool ask_reply);

enum pgo_kind {
    PGO_BEGIN = 'B',
    PGO_COMMIT = 'C',
    PGO_ORIGIN = 'O',
    PGO_RELATION = 'R',
    PGO_TYPE = 'Y',
    PGO_INSERT = 'I',
    PGO_UPDATE = 'U',
    PGO_DELETE = 'D',
    PGO_TRUNCATE = 'T',
    PGO_MESSAGE = 'M'
};

struct pgo_column {
    const char *name;
    uint32_t type;
    int32_t typmod;
    bool key; /* part of the replica identity */
};

struct pgo_relation {
    uint32_t relid;
    const char *schema, *name; /* schema "" is pg_catalog */
    char replident;            /* pg_class.relreplident: d, n, f, i */
    const struct pgo_column *columns;
    size_t ncolumns;
};

struct pgo_tuple {
    const struct pg_field *fields;
    size_t n; /* 0: no such tuple in this message */
};

/* What an UPDATE or DELETE tells of the old row. */
enum pgo_old {
    PGO_OLD_NONE = 0,
    PGO_OLD_KEY = 'K',
    PGO_OLD_ROW = 'O'
};

#define PGO_TRUNCATE_CASCADE          1
#define PGO_TRUNCATE_RESTART_IDENTITY 2

struct pgo_message {
    enum pgo_kind kind;
    union {
        struct {
            lsn_t final_lsn;   /* start of the commit record */
            int64_t commit_us; /* microseconds since 2000 */
            uint32_t xid;
        } begin;
        struct {
            lsn_t commit_lsn; /* start of the commit record */
            lsn_t end_lsn;    /* its end: the LSN that clients see */
            int64_t commit_us;
        } commit;
        struct {
            lsn_t lsn;
            const char *name;
        } origin;
        struct pgo_relation relation;
        struct {
            uint32_t oid;
            const char *schema, *name;
        } type;
        struct { /* INSERT, UPDATE, DELETE */
            uint32_t relid;
            enum pgo_old old_kind;
            struct pgo_tuple old; /* with PGO_OLD_KEY the columns outside the key are PG_NULL */
            struct pgo_tuple new;
        } change;
        struct {
            uint8_t flags;
            size_t n;
            const uint8_t *relids; /* see pgo_truncate_relid() */
        } truncate;
        struct {
            bool transactional;
            lsn_t lsn;
            const char *prefix;
            const uint8_t *content;
            size_t len;
        } message;
    };
};

/* Room for one message's columns; 100 kB, so not for the stack. No setup, no teardown. */
struct pgo_decoder {
    struct pg_field old[PG_COLUMNS_MAX], new[PG_COLUMNS_MAX];
    struct pgo_column columns[PG_COLUMNS_MAX];
};

MUST_CHECK bool pgo_decode(struct pgo_decoder *d, const void *bytes, size_t len,
                           struct pgo_message *out, struct err *err);

/* The table of an INSERT, UPDATE or DELETE, without decoding it; 0 for anything else. For skipping
 * the rows of tables that nobody reads. */
uint32_t pgo_peek_relid(const void *bytes, size_t len);

uint32_t pgo_truncate_relid(const struct pgo_message *m, size_t i);

#endif
