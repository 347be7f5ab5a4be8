/*
 * feed: which plans need which tables, and how they come to have their rows.
 *
 *                    all leaves have the columns           last part posted
 *   WAITING ────────────────────────────────▶ SEEDING ───────────────────────▶ LIVE
 *      ▲  │ asks the hydrator for those that don't   │                            │
 *      │  │ hydrator: it can't be done               │  a leaf is lost, session   │
 *      │  └───────────────▶ ENDED                    │  restarted (W_STALE)       │
 *      └─────────────────────────────────────────────┴────────────────────────────┘
 *
 * A plan's worker gets W_SEED parts, the last of which says from which LSN on it gets steps. While
 * parts are being posted the stream stands still, so the seed is of one position; how many parts
 * may be under way is bounded. Between two transactions only.
 *
 * A plan whose worker has lost its state (Postgres didn't answer a question of its functions) starts
 * over after a pause, which grows if that happens again and again.
 *
 * A rerun's plan needs no rows, only to know when its tables change: it goes from WAITING to LIVE with
 * the first answer of Postgres (feed_rerun.c).
 *
 * A leaf is asked for with all columns that any plan needs. While it is read again it goes on being
 * served from what is there. Failures that may pass are retried with growing pauses.
 *
 * Owns the ingest, and through it leaves and hydrations. Time comes in as an argument. Belongs to
 * the reader's thread.
 */
#ifndef PALIMPSEST_DAEMON_FEED_H
#define PALIMPSEST_DAEMON_FEED_H

#include "daemon/ingest.h"
#include "daemon/outbox.h"
#include "daemon/prefix.h"

struct rerun_job;

enum fed_state {
    FED_WAITING,
    FED_SEEDING,
    FED_LIVE,
    FED_ENDED
};

struct need {
    struct leaf *leaf;                       /* borrowed; counted in leaf->users */
    VEC(const struct plan_source *) sources; /* of the plan, reading this leaf */
};

/* Where a source's rows lie now; partitions come and go after the plan was made. */
struct source_leaves {
    uint32_t *v; /* owned; ascending */
    size_t n;
};

/* A plan whose statement Postgres is asked again; feed_rerun.c. */
struct fed_rerun {
    bool wanted;  /* it is to be asked again */
    bool running; /* it is being asked */
    bool doomed;  /* …and the answer is of no use */
    bool fresh;   /* no answer since the plan began or lost its footing */
    bool check;   /* the next answer is compared with the one before */
    bool told;    /* its worker knows that the answer holds only up to the first touch */
    lsn_t base;   /* touches up to it are not in the list: an answer must show them all */
    lsn_t label;  /* of the last answer */
    VEC(struct touch) touches;
    uint64_t due_at;           /* ms: again, as time has gone by; 0 = when something changes */
    uint64_t retry_at, pause;  /* ms: not before; how long after the next failure */
    struct log_repeat trouble; /* why it couldn't be asked */
};

/* Whom to tell whether a plan is right. */
struct feed_asker {
    struct loop *loop;
    uint64_t sub;
};

/* A plan that is to be verified, or was; feed_verify.c. */
struct fed_verify {
    VEC(struct feed_asker) waiting; /* for the next verdict */
    bool wanted;                    /* by them, by the audit, or as it was healed */
    bool audit;                     /* by the audit */
    bool healing;                   /* it was wrong and is built anew: is it right now? */
    bool unhealed;                  /* that didn't help */
    uint32_t tries;
    uint64_t retry_at, pause; /* ms */
};

struct fed_plan {
    struct plan *plan;       /* one reference */
    struct fed_rerun *rerun; /* owned; NULL: incremental */
    struct fed_verify verify;
    bool watched; /* its leaves tell when they are changed, as it is being verified */
    enum fed_state state;
    bool started; /* its worker has been given parts of a seed since the last W_STALE */
    struct source_leaves *leaves; /* owned; one for each source of the plan */
    VEC(struct need) needs;
    size_t seed_need; /* SEEDING: where the next part begins */
    uint64_t seed_cursor;
    uint64_t lost_at, pause, retry_at; /* ms: of feed_reseed(); not to be seeded before retry_at */
};

struct feed_limits {
    uint64_t retry_min, retry_max; /* pauses before a table is read again, ms */
    uint64_t audit_interval;       /* how often some plan is verified, ms; 0 = never */
    uint64_t rerun_interval;       /* how often what depends on the time is asked again, ms */
    size_t seed_parts;             /* parts of seeds under way */
};

enum check_stage {
    CHECK_IDLE,
    CHECK_ASKED,    /* Postgres is being asked… */
    CHECK_BACK,     /* …has answered, and the stream is to come to where it did… */
    CHECK_COMPARING /* …and the worker compares */
};

/* The one plan that is being verified. */
struct feed_check {
    enum check_stage stage;
    struct fed_plan *plan; /* borrowed; NULL: it has gone meanwhile */
    bool recorded;         /* the worker keeps what the plan tells */
    bool doomed;           /* what comes of it is of no use */
    lsn_t base;            /* touches up to it are not in the list */
    uint64_t start;        /* what was decoded before it is looked for in the ring */
    VEC(struct touch) touches;
    VEC(struct feed_asker) askers; /* of this verdict */
    struct rerun_job *back;        /* owned */
    uint64_t give_up_at;           /* ms: a rerun that isn't answered */
    size_t nwanted;                /* plans that are to be verified */
    size_t next, audit_next;       /* where in the list of plans the next one is looked for */
    uint64_t audit_at;             /* ms; 0 = no audits */
    struct verify_stats stats;
};

struct feed {
    struct ingest ing;
    struct outbox *out; /* borrowed */
    struct feed_limits limits;
    void (*ask)(void *arg, struct msg *job); /* posts a job to the hydrator */
    void *ask_arg;
    void (*ask_rerun)(void *arg, struct msg *job); /* posts a job to the rerun thread */
    void *ask_rerun_arg;
    void (*ask_check)(void *arg, struct msg *job); /* posts a job to the verifier */
    void *ask_check_arg;
    void (*tell)(void *arg, const struct feed_asker *who, const struct verdict *v);
    void *tell_arg;
    struct feed_check check;
    VEC(struct fed_plan *) plans;  /* owned */
    VEC(struct fed_plan *) reruns; /* borrowed: those of them that are */
    bool rerun_work;               /* something has changed for them */
    bool rerun_out;                /* a job is under way… */
    struct rerun_job *rerun_back;  /* …or is back and waits for the stream; owned */
    uint64_t rerun_start;          /* what was decoded before it is looked for in the ring */
    uint64_t rerun_at;             /* ms: when there is something to do for them; 0 = nothing */
    size_t nwaiting, nseeding;
    struct err table_err;      /* why a table could not be read or published, the last time */
    struct log_repeat trouble; /* why none could */
    struct log_repeat refused; /* why one never will, the last time */
    uint64_t epoch;            /* grows with every session */
    int64_t postmaster_start;
    struct snapshot origin; /* owned: of the session's slot */
    bool streaming;
    uint64_t now;      /* ms, of the call under way */
    uint64_t retry_at; /* the earliest time at which something is to be tried again; 0 = nothing */
};

void feed_init(struct feed *f, struct outbox *out);
void feed_fini(struct feed *f);

void feed_add_plan(struct feed *f, struct plan *p);  /* takes the reference */
void feed_drop_plan(struct feed *f, struct plan *p); /* borrows it; passes W_DROP on */
/* Its worker has lost what the plan was seeded with. Borrows the plan, which may be gone. */
void feed_reseed(struct feed *f, struct plan *p, uint64_t now_ms);
void feed_hydrated(struct feed *f, struct hydrate_job *job); /* takes it */
void feed_answered(struct feed *f, struct rerun_job *job);   /* likewise */
/* Somebody wants to know whether the plan, which he may have left since, is right. Borrows it. */
void feed_verify(struct feed *f, struct plan *p, const struct feed_asker *who);
/* What a worker has found out about it; takes the verdict. */
void feed_checked(struct feed *f, struct plan *p, struct verdict *v);
void feed_schema_changed(struct feed *f, const uint32_t *relids, size_t n);
/* The plans that read the table read these leaves from now on; those that do already go on. */
void feed_tree_changed(struct feed *f, uint32_t table, const uint32_t *leaves, size_t n);
void feed_visible(struct feed *f, const struct snapshot *s);

/* The session is gone: nothing is known any more; the plans wait. */
void feed_suspend(struct feed *f);
/* The connection is gone, and the stream may go on later: from the beginning of the transaction under
 * way, if there is one. */
void feed_cut_off(struct feed *f);
/* The stream goes on where it was, over a new connection. What was being read meanwhile is read again:
 * the server may have crashed and lost what a snapshot has shown. */
void feed_go_on(struct feed *f);
/* A new session begins; origin is taken over. */
void feed_resume(struct feed *f, lsn_t position, struct snapshot origin, int64_t postmaster_start);
/* Every plan ends: the server has another history. */
void feed_end_all(struct feed *f, const struct err *err);

/* Gives away the changes collected so far. */
void feed_flush(struct feed *f);
/*
 * Whatever can be done now: hydrations that have become exact, jobs, seeds. Not inside a
 * transaction. False: seeds are under way, the stream must stand still and this be called again
 * soon.
 */
MUST_CHECK bool feed_run(struct feed *f, uint64_t now_ms);
/* Whether feed_run() may have something to do. */
bool feed_is_busy(const struct feed *f);

/* Tables that could not be read or published and will be tried again. */
size_t feed_tables_waiting(const struct feed *f);
uint64_t feed_store_rows(const struct feed *f);
uint64_t feed_store_bytes(const struct feed *f);
/* Tells each plan what it alone keeps in memory of its tables. */
void feed_publish_store_bytes(const struct feed *f);

void hydrate_job_free(struct hydrate_job *job);

#endif
