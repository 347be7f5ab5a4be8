/*
 * mailbox: the only way threads talk to each other.
 *
 * Many threads post, one thread takes. A message is a struct that begins with struct msg; who posts
 * gives it away, who takes owns it and frees it. The taker detaches the whole list under the lock
 * and works on it outside, so a lock is held for a few instructions and never while anything else
 * is called. The eventfd is written only when the box was empty: a busy taker costs posters no
 * syscall.
 *
 * Order: messages of one poster are taken in the order it posted them. This is what "attach and
 * snapshot is atomic" rests on (see worker.h).
 */
#ifndef PALIMPSEST_DAEMON_MAILBOX_H
#define PALIMPSEST_DAEMON_MAILBOX_H

#include <pthread.h>
#include <stdbool.h>

struct msg {
    struct msg *next;
    int kind; /* of the taker's own enum */
};

struct mailbox {
    pthread_mutex_t lock;
    struct msg *head, **tail;
    int efd; /* readable while messages wait */
};

void mailbox_init(struct mailbox *mb);
void mailbox_fini(struct mailbox *mb); /* must be empty */
void mailbox_post(struct mailbox *mb, struct msg *m);
/* Everything posted so far as a list, oldest first, or NULL. Never blocks. */
struct msg *mailbox_take(struct mailbox *mb);
/* Waits until something is there or timeout_ms (-1 = for ever) has passed; then as mailbox_take().
 */
struct msg *mailbox_wait(struct mailbox *mb, int timeout_ms);

#endif
