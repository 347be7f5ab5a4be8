/*
 * conn: one client connection.
 *
 *     OPEN ──QUIT, or end of its input──▶ FINISHING ──all answered──▶ CLOSING ──sent──▶ LINGERING
 *       │                                     │                         │               │ its end
 *       └─────────────── error, limit ────────┴─────────────────────────┴───────────────┴──▶ DEAD
 *
 *     OPEN       requests are read, deltas are delivered
 *     FINISHING  no more requests; answers and first snapshots are still delivered
 *     CLOSING    nothing is queued any more; what is queued is sent
 *     LINGERING  our half is closed; what still arrives is thrown away, so that the last lines
 *                aren't lost to a reset
 *     DEAD       on the loop's list, taken apart at the end of a turn
 *
 * conn_end() is the only way out, with a reason for the log. Reading pauses while more than
 * limits.output_bytes wait for the client or limits.requests_per_connection are being worked on, so
 * both directions are bounded. All functions: the loop's thread.
 */
#ifndef PALIMPSEST_DAEMON_CONN_H
#define PALIMPSEST_DAEMON_CONN_H

#include <event2/event_struct.h>
#include <sys/socket.h>

#include "daemon/loop.h"
#include "daemon/marks.h"
#include "daemon/outq.h"
#include "daemon/progress.h"
#include "protocol/line.h"

struct sub;
struct sync;

enum conn_state {
    CONN_OPEN,
    CONN_FINISHING,
    CONN_CLOSING,
    CONN_LINGERING,
    CONN_DEAD
};

/* Who is at the other end: what is counted for listen.max_per_address, and shown in the log. */
struct peer {
    uint8_t address[16]; /* IPv4 as mapped; all 0 for a Unix socket */
    char text[72];
};

struct conn {
    struct loop *loop; /* borrowed */
    int fd;
    enum conn_state state;
    struct peer peer;
    uint64_t opened_ms;
    struct conn *prev, *next;
    struct conn *ready_next, *dirty_next, *dead_next, *watch_prev, *watch_next;
    bool is_ready, is_dirty, is_watching; /* on the loop's list of that name */

    struct event readable, writable;
    struct line_splitter in;
    bool end_of_input;
    bool bye;       /* QUIT came */
    bool requested; /* a first request came */

    struct outq out;
    size_t out_counted; /* bytes of it in the server's count */
    uint64_t linger_until_ms;
    uint64_t line_since_ms; /* when the line that isn't whole yet was begun; 0 = there is none */

    struct sub *subs; /* doubly linked, oldest last */
    size_t nsubs;     /* with those of EXPLAIN and QUERY */
    size_t nlagging;
    size_t nlimiting;     /* subscriptions of reruns whose answer is out of date beyond an LSN */
    size_t pending;       /* requests that have not been answered in full */
    uint64_t catching_up; /* the one subscription that is being caught up; 0 = none */

    struct progress progress;
    struct event *progress_timer; /* owned; PROGRESS N */
    struct sync *syncs;           /* oldest first */
    struct marks marks;
};

struct lmsg_adopt {
    struct msg m;
    int fd;
    struct peer peer;
};

/* Takes the socket over; counted in the server's connections already. */
void conn_adopt(struct loop *l, int fd, const struct peer *peer);

/* Output: whole lines only. Nothing happens once the connection is past CONN_FINISHING. */
void conn_send(struct conn *c, const struct buf *line);
/* A header line and its payload, which may be NULL. */
void conn_send_block(struct conn *c, const struct buf *header, struct payload *payload);
/* The same for what may be taken back, see outq.h. */
void conn_send_droppable(struct conn *c, const struct buf *header, struct payload *payload,
                         uint64_t sub, lsn_t before);
bool conn_takes_output(const struct conn *c);
/* Whether a block of so many bytes fits in the queue, after trying to send what waits. An empty
 * queue takes a block of any size. */
bool conn_has_room(struct conn *c, size_t bytes);

/* A request is begun and will be answered later, or has now been answered. */
void conn_request_begun(struct conn *c);
void conn_request_done(struct conn *c);

/* Handles lines again in this turn, if there are any. */
void conn_wake(struct conn *c);
/* Is on the loop's list of those who wait for cuts, as long as it has reason to. */
void conn_update_watching(struct conn *c);

void conn_quit(struct conn *c);
/* Says why, then closes once all is sent. */
void conn_close(struct conn *c, const struct err *why);
/* The daemon ends: say so, then close. */
void conn_drain(struct conn *c);
void conn_end(struct conn *c, const char *reason);

/* The loop's turn. */
size_t conn_handle_lines(struct conn *c); /* how many */
void conn_flush(struct conn *c);
void conn_bury(struct conn *c);
void conn_tick(struct conn *c);

#endif
