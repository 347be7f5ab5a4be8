/*
 * mailbox: a list under a mutex and an eventfd to sleep on. See mailbox.h.
 *
 * The eventfd is written after the lock is let go; the taker may therefore find it readable once
 * with nothing in the box. That costs it one empty look, never a lost message.
 */
#include "daemon/mailbox.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "daemon/thread.h"

void mailbox_init(struct mailbox *mb)
{
    pthread_mutex_init(&mb->lock, NULL);
    mb->head = NULL;
    mb->tail = &mb->head;
    mb->efd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (mb->efd < 0)
        start_failed("a mailbox");
}

void mailbox_fini(struct mailbox *mb)
{
    assert(!mb->head);
    close(mb->efd);
    pthread_mutex_destroy(&mb->lock);
}

static void wake(struct mailbox *mb)
{
    uint64_t one = 1;
    while (write(mb->efd, &one, sizeof one) < 0 && errno == EINTR)
        ;
}

void mailbox_post(struct mailbox *mb, struct msg *m)
{
    m->next = NULL;
    pthread_mutex_lock(&mb->lock);
    bool was_empty = !mb->head;
    *mb->tail = m;
    mb->tail = &m->next;
    pthread_mutex_unlock(&mb->lock);
    if (was_empty)
        wake(mb);
}

static struct msg *detach(struct mailbox *mb)
{
    pthread_mutex_lock(&mb->lock);
    struct msg *list = mb->head;
    mb->head = NULL;
    mb->tail = &mb->head;
    pthread_mutex_unlock(&mb->lock);
    return list;
}

struct msg *mailbox_take(struct mailbox *mb)
{
    uint64_t count;
    while (read(mb->efd, &count, sizeof count) < 0 && errno == EINTR)
        ;
    return detach(mb);
}

struct msg *mailbox_wait(struct mailbox *mb, int timeout_ms)
{
    struct msg *list = detach(mb);
    if (list)
        return list;
    struct pollfd p = {.fd = mb->efd, .events = POLLIN};
    if (poll(&p, 1, timeout_ms) <= 0)
        return detach(mb);
    return mailbox_take(mb);
}
