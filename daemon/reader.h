/*
 * reader: the thread that turns Postgres's WAL into steps.
 *
 * It owns the replication connection and the slot, decodes pgoutput, and owns the table stores (old
 * rows by identity, see store.h) and the hand-over from snapshot to stream (see handover.h). Plans
 * are registered with it; it asks the hydrator for the tables it lacks, seeds a plan from the
 * stores when all of them stand at the stream's position, and from then on the plan gets steps.
 *
 * What it does about trouble: a lost connection, a schema change, a transaction too large: it tells
 * workers W_STALE for the plans concerned, reads the tables anew and seeds again. What can't be
 * healed ends the plan with W_END.
 */
#ifndef PALIMPSEST_DAEMON_READER_H
#define PALIMPSEST_DAEMON_READER_H

#include "daemon/mailbox.h"
#include "daemon/plan.h"
#include "daemon/store.h"
#include "engine/host/compare.h"

struct config;
struct reader;

enum reader_msg_kind {
    R_ADD_PLAN = 200, /* registry */
    R_RESEED,         /* a worker: the plan's state is void, it must be seeded again */
    R_DROP_PLAN,      /* registry: last user gone; the reader passes W_DROP on to the worker */
    R_HYDRATED,       /* hydrator: stores read at a snapshot, or why not */
    R_ANSWERED,       /* rerun: statements answered again (rerun.h) */
    R_SCHEMA_CHANGED, /* watch: these tables are not what they were */
    R_TREE_CHANGED,   /* watch: a table's rows lie in these leaves now; before R_SCHEMA_CHANGED */
    R_VERIFY,         /* a loop: is the plan right? Answered with L_VERIFIED */
    R_CHECKED,        /* a worker: what came of W_CHECK, or of a W_ANSWER that was to be checked */
    R_VISIBLE,        /* watch: a recent snapshot, for trimming the ring */
    R_STOP
};

struct rmsg_plan { /* R_ADD_PLAN, R_RESEED, R_DROP_PLAN */
    struct msg m;
    struct plan *plan; /* one reference */
};

struct rmsg_verify {
    struct msg m;
    struct plan *plan; /* one reference */
    struct loop *loop; /* whom to answer… */
    uint64_t sub;      /* …about which of its subscriptions */
};

struct rmsg_checked {
    struct msg m;
    struct plan *plan;      /* one reference */
    struct verdict verdict; /* owned */
};

/* Which transactions a snapshot shows: pg_current_snapshot(), 64-bit xids. */
struct snapshot {
    uint64_t xmin, xmax;
    uint64_t *xip; /* owned, sorted */
    size_t nxip;
    lsn_t insert_lsn;         /* pg_current_wal_insert_lsn() read after the snapshot was taken */
    int64_t postmaster_start; /* microseconds since 2000, to notice a restart in between */
};

/* What the reader wants of a leaf: its identity columns are added by the hydrator. */
struct hydrate_table {
    uint32_t relid;
    char **names;                    /* owned: column names wanted */
    const struct column_type *types; /* owned, same order */
    size_t ncols;
    struct store *store; /* result: filled store, ownership passes to the reader; NULL on failure */
    struct err err;      /* result, when store is NULL; clear: published as was asked */
    bool permanent; /* err can't be healed by retrying (no identity, no privilege, not there) */
    const char *bad_column; /* borrowed from names: the one that is at fault; NULL: not just one */
};

/* R_HYDRATED, and the job posted to the hydrator (hydrate.h): the same object there and back. */
struct hydrate_job {
    struct msg m;
    uint64_t epoch; /* the reader's connection count; a job of an older epoch is thrown away */
    struct hydrate_table *tables; /* owned */
    size_t ntables;
    bool publish; /* only see to it that the tables' changes are in the stream: nothing is read */
    struct snapshot snap; /* result */
    struct err err;       /* result: the whole job failed (connection lost…): retried */
};

struct rmsg_schema {
    struct msg m;
    uint32_t *relids; /* owned */
    size_t n;
};

struct rmsg_tree {
    struct msg m;
    uint32_t table;   /* as plan_source.table */
    uint32_t *leaves; /* owned; ascending */
    size_t n;
};

struct rmsg_visible {
    struct msg m;
    struct snapshot snap;
};

/* Of the daemon's life. */
struct verify_stats {
    uint64_t verifications; /* answers of Postgres that were compared with a view */
    uint64_t audits;        /* of them, those of the audit */
    uint64_t audits_skipped;
    uint64_t divergences;
    char last_plan[17]; /* of the last one; "" = none… */
    uint64_t last_at;   /* …and when, ms */
};

enum stream_state {
    STREAM_CONNECTING,
    STREAM_STREAMING,
    STREAM_STOPPED
};

/* For STATUS; read by any thread. */
struct reader_status {
    enum stream_state state;
    lsn_t received, applied; /* applied: handed to the workers */
    uint64_t txns, changes, store_bytes, store_rows;
    struct verify_stats verify;
    struct err last_error;
    size_t tables_waiting;  /* that could not be read or published; they are tried again… */
    struct err table_error; /* …and why, if there are any */
};

struct reader *reader_new(const struct config *cfg);
void reader_set_workers(struct reader *r, struct worker *const *workers, size_t n);
/* Where jobs (struct hydrate_job) are posted to. It comes back as R_HYDRATED. */
void reader_set_hydrator(struct reader *r, void (*post)(void *arg, struct msg *job), void *arg);
/* Where jobs (struct rerun_job) are posted to. It comes back as R_ANSWERED. */
void reader_set_rerun(struct reader *r, void (*post)(void *arg, struct msg *job), void *arg);
/* The same for those that only verify, which may take their time. */
void reader_set_verifier(struct reader *r, void (*post)(void *arg, struct msg *job), void *arg);
void reader_start(struct reader *r);
void reader_post(struct reader *r, struct msg *m);
void reader_status(struct reader *r, struct reader_status *out);
/* How far the histories of servers went that were seen before the present one: an LSN up to there may be
 * of one of them. 0 = there was none. Any thread. */
lsn_t reader_turned_at(const struct reader *r);
/* Somebody knows why there is no stream yet, better than the reader, who just waits. Any thread. */
void reader_explain(struct reader *r, const struct err *why);
/* One connection more, or less, that marks are kept for. Any thread. */
void reader_want_marks(struct reader *r, bool more);
/* Whether its thread has gone round its loop in the last 30 seconds; for the watchdog. Any thread.
 */
bool reader_is_alive(const struct reader *r);
void reader_stop(struct reader *r); /* ends the stream, drops the slot, joins */
void reader_free(struct reader *r);

#endif
