/*
 * fan: epoll over all sockets, a small buffer each to find markers across reads. See fan.h.
 */
#include "tests/bench/fan.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "engine/base/alloc.h"
#include "tests/bench/bench.h"
#include "tests/e2e/cluster.h"

#define TAIL 64 /* longest marker */

struct sock {
    int fd;
    bool ready;
    size_t ntail;
    char tail[TAIL]; /* the end of what was read, where a marker may have begun */
};

struct fan {
    struct sock *socks;
    size_t n;
    int epfd;
    const char *ready, *marker;
    pthread_t thread;
    atomic_bool stop;
    atomic_size_t nready;
    atomic_uint_least64_t deliveries;
};

static uint64_t count(const char *buf, size_t len, const char *marker)
{
    uint64_t n = 0;
    size_t mlen = strlen(marker);
    const char *p = buf;
    while ((p = memmem(p, len - (size_t)(p - buf), marker, mlen))) {
        n++;
        p += mlen;
    }
    return n;
}

static void read_some(struct fan *f, struct sock *s, char *buf, size_t size)
{
    memcpy(buf, s->tail, s->ntail);
    ssize_t r = recv(s->fd, buf + s->ntail, size - s->ntail, 0);
    if (r <= 0)
        die("a subscriber was disconnected");
    size_t len = s->ntail + (size_t)r;
    if (!s->ready && memmem(buf, len, f->ready, strlen(f->ready))) {
        s->ready = true;
        atomic_fetch_add(&f->nready, 1);
    }
    uint64_t n = count(buf, len, f->marker);
    if (n)
        atomic_fetch_add(&f->deliveries, n);
    /* Keep less than a marker, so that none is counted twice. */
    size_t keep = strlen(f->marker) - 1;
    if (!s->ready && strlen(f->ready) > keep + 1)
        keep = strlen(f->ready) - 1;
    s->ntail = len < keep ? len : keep;
    memcpy(s->tail, buf + len - s->ntail, s->ntail);
}

static void *read_all(void *arg)
{
    struct fan *f = arg;
    struct epoll_event ev[256];
    size_t size = 1 << 20;
    char *buf = xmalloc(size);
    while (!atomic_load(&f->stop)) {
        int n = epoll_wait(f->epfd, ev, 256, 50);
        for (int i = 0; i < n; i++)
            read_some(f, ev[i].data.ptr, buf, size);
    }
    free(buf);
    return NULL;
}

static int connect_to(int port)
{
    struct sockaddr_in sa = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    sa.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&sa, sizeof sa) != 0)
        die("connect: %s", strerror(errno));
    return fd;
}

struct fan *fan_start(int port, size_t n, const char *hello, const char *ready, const char *marker)
{
    struct fan *f = NEW(struct fan);
    struct rlimit rl;
    getrlimit(RLIMIT_NOFILE, &rl);
    rl.rlim_cur = rl.rlim_max;
    setrlimit(RLIMIT_NOFILE, &rl);
    f->socks = xcalloc(n, sizeof *f->socks);
    f->n = n;
    f->epfd = epoll_create1(EPOLL_CLOEXEC);
    f->ready = ready;
    f->marker = marker;
    pthread_create(&f->thread, NULL, read_all, f);
    for (size_t i = 0; i < n; i++) {
        struct epoll_event ev = {.events = EPOLLIN, .data.ptr = &f->socks[i]};
        f->socks[i].fd = connect_to(port);
        epoll_ctl(f->epfd, EPOLL_CTL_ADD, f->socks[i].fd, &ev);
        if (send(f->socks[i].fd, hello, strlen(hello), MSG_NOSIGNAL) < 0)
            die("send: %s", strerror(errno));
    }
    while (atomic_load(&f->nready) < n)
        bench_sleep_us(1000);
    atomic_store(&f->deliveries, 0);
    return f;
}

uint64_t fan_deliveries(struct fan *f)
{
    return atomic_load(&f->deliveries);
}

void fan_wait(struct fan *f, uint64_t deliveries)
{
    int64_t t0 = bench_ns();
    while (fan_deliveries(f) < deliveries) {
        bench_sleep_us(50);
        if (bench_ns() - t0 > 120000000000LL)
            die("%llu of %llu deliveries after two minutes", (unsigned long long)fan_deliveries(f),
                (unsigned long long)deliveries);
    }
}

void fan_stop(struct fan *f)
{
    atomic_store(&f->stop, true);
    pthread_join(f->thread, NULL);
    for (size_t i = 0; i < f->n; i++)
        close(f->socks[i].fd);
    close(f->epfd);
    free(f->socks);
    free(f);
}
