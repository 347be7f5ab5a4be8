/*
 * client: a protocol client for tests: sends lines, reads lines and blocks, and keeps views.
 *
 * A view is what a careful client would hold: it applies SNAPSHOTs and DELTAs and ends the program
 * when the daemon breaks a promise of PROTOCOL.md: a retracted row that isn't there, a row on both
 * sides of a delta, retracts after asserts, an LSN that doesn't grow, an interleaved block.
 */
#ifndef TESTS_E2E_CLIENT_H
#define TESTS_E2E_CLIENT_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/buf.h"
#include "engine/base/lsn.h"
#include "engine/base/vec.h"
#include "engine/host/bag.h"

struct view {
    char id[65];
    char *accepted; /* the ACCEPTED line's JSON */
    size_t ncols;
    struct bag rows;    /* JSON texts by count */
    struct buf ordered; /* the rows of the last SNAPSHOT, in order, one a line */
    bool has_snapshot;
    bool released;
    bool failed;
    char *error;  /* of an ERROR or FAILED line for this id */
    char *broken; /* the first promise broken to a tolerant client; NULL = none */
    lsn_t lsn;
    unsigned snapshots, deltas, resyncs, accepts;
    char reason[32];                    /* of the last RESYNC */
    size_t last_retracts, last_asserts; /* rows in the last DELTA */
    struct buf last_block;              /* the lines of the last DELTA */
};

struct client {
    int fd;
    struct buf in;
    size_t in_start; /* of what is not yet taken */
    VEC(struct view *) views;
    int timeout_ms; /* how long a read may take before the test fails; 10 s */
    bool tolerant;  /* a broken promise is noted in the view, not the end of the program */
    lsn_t progress; /* of the last PROGRESS line */
    unsigned nprogress;
    /* Called after each block or line that was applied; NULL = not. For invariants. */
    void (*after_event)(struct client *c, struct view *v, void *arg);
    void *after_arg;
};

struct client *client_connect(int port); /* reads the HELLO too */
struct client *client_connect_raw(int port);
void client_close(struct client *c);

void client_send(struct client *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void client_send_bytes(struct client *c, const void *p, size_t len);
/* The next line without its newline, malloc'd; NULL at the end of the connection. Fails the program
 * after timeout_ms. */
char *client_read_line(struct client *c);
/* NULL also when nothing came within ms. *eof tells which, may be NULL. */
char *client_try_line(struct client *c, int ms, bool *eof);
/* Reads on, applying view lines, until a line with this prefix, which is returned (malloc'd). Lines
 * that belong to no view and don't match end the program. */
char *client_expect_prefix(struct client *c, const char *prefix);

/* Sends SUBSCRIBE; the view lives until client_close(). */
struct view *client_subscribe(struct client *c, const char *id, const char *sql);
/* The same in JSON form; params is a JSON array text or NULL. */
struct view *client_subscribe_json(struct client *c, const char *id, const char *sql,
                                   const char *params);
/* With more members of the JSON form: "\"min_interval_ms\":100". */
struct view *client_subscribe_with(struct client *c, const char *id, const char *sql,
                                   const char *members);
/* Subscribes with since: a view that holds what `held` does, which may be another client's. */
struct view *client_resume(struct client *c, const char *id, const char *sql,
                           const struct view *held, lsn_t since);
struct view *client_view(struct client *c, const char *id);
/* Reads until the view has its SNAPSHOT (or an ERROR: check view->error). */
void client_wait_snapshot(struct client *c, struct view *v);
/* Both: a statement that must be accepted, with its SNAPSHOT. */
struct view *client_live(struct client *c, const char *id, const char *sql);
/* Reads until the view has had this many DELTAs in all. */
void client_wait_deltas(struct client *c, struct view *v, unsigned deltas);
/* SYNC: everything committed before the call has been applied to all views. Returns the LSN. */
lsn_t client_sync(struct client *c);
/* Reads and applies what is there within ms. */
void client_drain(struct client *c, int ms);
/* Applies one line that may begin a block; false: it is no view line (the caller owns it still). */
bool client_apply(struct client *c, char *line);

/* A number that STATUS has. */
uint64_t client_status(struct client *c, const char *member);

/* ---- the neutral judge: Postgres's own answer, in the form the daemon sends rows in ---------- */

struct answer {
    bool ok;
    char sqlstate[6]; /* "" if ok */
    char *message;    /* owned; NULL if ok */
    char **lines;     /* rows as JSON texts, owned */
    size_t n;
};

/* What Postgres answers now, in the statement's order. params: a JSON array or NULL. */
void judge_ask(PGconn *conn, const char *sql, const char *params, size_t ncols, struct answer *a);
/* What the view holds, in no order. */
void view_rows(const struct view *v, struct answer *a);
/* Sorts both; writes the rows that differ, if any, and says whether there are. */
bool answer_diff(struct answer *want, struct answer *have, struct buf *out);
void answer_fini(struct answer *a);

/* The view's rows as sorted lines, malloc'd. */
char *view_text(const struct view *v);
/* What Postgres answers for the statement now, in the same form. */
char *judge_text(PGconn *conn, const char *sql, size_t ncols);
/* In the statement's own order. */
char *judge_text_ordered(PGconn *conn, const char *sql, size_t ncols);
/* Ends the program with both texts if the view is not what Postgres answers now. */
void view_must_equal(PGconn *conn, const struct view *v, const char *sql);
/* JSON without insignificant white space, in place. */
void json_compact(char *s);

#endif
