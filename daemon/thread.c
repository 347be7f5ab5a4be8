/*
 * thread: see thread.h.
 */
#include "daemon/thread.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "daemon/log.h"

#define STACK_BYTES (8u * 1024 * 1024) /* address space: only what is used is memory */

void start_failed(const char *what)
{
    log_error("can't start: %s: %s", what, strerror(errno));
    _exit(1);
}

void thread_start(pthread_t *t, const char *name, void *(*fn)(void *arg), void *arg)
{
    pthread_attr_t attr;
    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, STACK_BYTES);
    errno = pthread_create(t, &attr, fn, arg);
    pthread_attr_destroy(&attr);
    if (errno != 0)
        start_failed(name);
    pthread_setname_np(*t, name);
}
