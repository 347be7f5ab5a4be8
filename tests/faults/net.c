/*
 * net: see net.h. One thread, poll(), two directions for each pair of connections.
 *
 * A direction holds one piece of bytes at a time: it is read when there is none, and written when
 * its time has come. What is asked from outside is looked at once a turn, every 2 ms at the latest
 * while anything is going on.
 */
#include "tests/faults/net.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "engine/base/vec.h"
#include "tests/e2e/cluster.h"
#include "tests/faults/report.h"
#include "tests/faults/rng.h"

#define PIECE    65536
#define DELAY_MS 20

struct direction {
    int from, to;
    char *piece; /* owned; PIECE bytes */
    size_t len, done;
    uint64_t due; /* ms; not to be written before */
    bool ended;
};

struct pair {
    int fd[2]; /* who connected, the target */
    struct direction dir[2];
    bool broken;
};

enum cut {
    CUT_NONE,
    CUT_CLOSE,
    CUT_RESET
};

struct net {
    int listener, port;
    pthread_t thread;
    pthread_mutex_t lock; /* of the target */
    struct sockaddr_storage target;
    socklen_t target_len;
    _Atomic enum net_mode mode;
    _Atomic enum cut cut;
    atomic_bool stop;
    struct rng rng;
    VEC(struct pair *) pairs; /* owned */
};

/* ---- connections --------------------------------------------------------------------------- */

static void set_up_socket(int fd)
{
    int one = 1;
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
}

static int connect_target(struct net *p)
{
    pthread_mutex_lock(&p->lock);
    struct sockaddr_storage to = p->target;
    socklen_t len = p->target_len;
    pthread_mutex_unlock(&p->lock);
    int fd = socket(to.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&to, len) != 0) {
        close(fd);
        fd = -1;
    }
    return fd;
}

static void accept_pair(struct net *p)
{
    int fd = accept4(p->listener, NULL, NULL, SOCK_CLOEXEC);
    if (fd < 0)
        return;
    int other = atomic_load(&p->mode) == NET_REFUSE ? -1 : connect_target(p);
    if (other < 0) {
        close(fd);
        return;
    }
    set_up_socket(fd);
    set_up_socket(other);
    struct pair *pair = NEW(struct pair);
    pair->fd[0] = fd;
    pair->fd[1] = other;
    for (int i = 0; i < 2; i++)
        pair->dir[i] =
            (struct direction){.from = pair->fd[i], .to = pair->fd[!i], .piece = xmalloc(PIECE)};
    VEC_PUSH(p->pairs, pair);
}

static void pair_free(struct pair *pair, bool reset)
{
    struct linger now = {.l_onoff = 1, .l_linger = 0};
    for (int i = 0; i < 2; i++) {
        if (reset)
            setsockopt(pair->fd[i], SOL_SOCKET, SO_LINGER, &now, sizeof now);
        close(pair->fd[i]);
        free(pair->dir[i].piece);
    }
    free(pair);
}

static void drop_pairs(struct net *p, enum cut cut)
{
    size_t kept = 0;
    for (size_t i = 0; i < p->pairs.n; i++) {
        if (p->pairs.v[i]->broken || cut != CUT_NONE)
            pair_free(p->pairs.v[i], cut == CUT_RESET);
        else
            p->pairs.v[kept++] = p->pairs.v[i];
    }
    p->pairs.n = kept;
}

/* ---- bytes --------------------------------------------------------------------------------- */

static void read_piece(struct net *p, struct pair *pair, struct direction *d, enum net_mode mode)
{
    size_t most = mode == NET_DRIBBLE ? 1 + rng_below(&p->rng, 64) : PIECE;
    ssize_t n = recv(d->from, d->piece, most, 0);
    if (n > 0) {
        d->len = (size_t)n;
        d->done = 0;
        d->due = mode == NET_DELAY ? now_ms() + DELAY_MS : mode == NET_DRIBBLE ? now_ms() + 1 : 0;
    } else if (n == 0) {
        d->ended = true;
        shutdown(d->to, SHUT_WR);
    } else if (errno != EAGAIN && errno != EINTR) {
        pair->broken = true;
    }
}

static void write_piece(struct pair *pair, struct direction *d)
{
    ssize_t n = send(d->to, d->piece + d->done, d->len - d->done, MSG_NOSIGNAL);
    if (n > 0)
        d->done += (size_t)n;
    else if (errno != EAGAIN && errno != EINTR)
        pair->broken = true;
    if (d->done == d->len)
        d->len = d->done = 0;
}

static bool is_stalled(enum net_mode mode, int direction)
{
    return mode == NET_STALL || (mode == NET_STALL_IN && direction == 0);
}

static void move_pair(struct net *p, struct pair *pair, const struct pollfd *fds,
                      enum net_mode mode)
{
    for (int i = 0; i < 2; i++) {
        struct direction *d = &pair->dir[i];
        if (is_stalled(mode, i) || pair->broken)
            continue;
        if (d->len && now_ms() >= d->due && (fds[!i].revents & (POLLOUT | POLLERR | POLLHUP)))
            write_piece(pair, d);
        else if (!d->len && !d->ended && (fds[i].revents & (POLLIN | POLLERR | POLLHUP)))
            read_piece(p, pair, d, mode);
    }
    if (pair->dir[0].ended && pair->dir[1].ended)
        pair->broken = true;
}

static void watch_pair(const struct pair *pair, struct pollfd *fds, enum net_mode mode)
{
    for (int i = 0; i < 2; i++)
        fds[i] = (struct pollfd){.fd = pair->fd[i]};
    for (int i = 0; i < 2; i++) {
        const struct direction *d = &pair->dir[i];
        if (is_stalled(mode, i))
            continue;
        if (!d->len && !d->ended)
            fds[i].events |= POLLIN;
        else if (d->len && now_ms() >= d->due)
            fds[!i].events |= POLLOUT;
    }
    for (int i = 0; i < 2; i++) /* or poll() tells of a hang-up again and again */
        if (!fds[i].events)
            fds[i].fd = -1;
}

static void turn(struct net *p)
{
    enum net_mode mode = atomic_load(&p->mode);
    size_t n = p->pairs.n; /* those accepted in this turn have no pollfd yet */
    struct pollfd *fds = xcalloc(n * 2 + 1, sizeof *fds);
    fds[0] = (struct pollfd){.fd = p->listener, .events = POLLIN};
    for (size_t i = 0; i < n; i++)
        watch_pair(p->pairs.v[i], fds + 1 + 2 * i, mode);
    poll(fds, n * 2 + 1, mode == NET_PASS ? 5 : 2);
    for (size_t i = 0; i < n; i++)
        move_pair(p, p->pairs.v[i], fds + 1 + 2 * i, mode);
    if (fds[0].revents & POLLIN)
        accept_pair(p);
    drop_pairs(p, atomic_exchange(&p->cut, CUT_NONE));
    free(fds);
}

static void *net_thread(void *arg)
{
    struct net *p = arg;
    while (!atomic_load(&p->stop))
        turn(p);
    drop_pairs(p, CUT_CLOSE);
    return NULL;
}

/* ---- from outside -------------------------------------------------------------------------- */

static void listen_anywhere(struct net *p)
{
    struct sockaddr_in sa = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof sa;
    p->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (p->listener < 0 || bind(p->listener, (struct sockaddr *)&sa, sizeof sa) != 0 ||
        listen(p->listener, 128) != 0 ||
        getsockname(p->listener, (struct sockaddr *)&sa, &len) != 0)
        die("the proxy can't listen: %s", strerror(errno));
    p->port = ntohs(sa.sin_port);
}

struct net *net_start(uint64_t seed)
{
    struct net *p = NEW(struct net);
    pthread_mutex_init(&p->lock, NULL);
    p->rng = rng_from(seed, 700);
    listen_anywhere(p);
    if (pthread_create(&p->thread, NULL, net_thread, p) != 0)
        die("no thread for the proxy");
    return p;
}

int net_port(const struct net *p)
{
    return p->port;
}

static void set_target(struct net *p, const void *address, socklen_t len)
{
    pthread_mutex_lock(&p->lock);
    memcpy(&p->target, address, len);
    p->target_len = len;
    pthread_mutex_unlock(&p->lock);
}

void net_target_tcp(struct net *p, int port)
{
    struct sockaddr_in sa = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    sa.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    set_target(p, &sa, sizeof sa);
}

void net_target_unix(struct net *p, const char *path)
{
    struct sockaddr_un sa = {.sun_family = AF_UNIX};
    snprintf(sa.sun_path, sizeof sa.sun_path, "%s", path);
    set_target(p, &sa, sizeof sa);
}

void net_set(struct net *p, enum net_mode mode)
{
    atomic_store(&p->mode, mode);
}

void net_cut(struct net *p, bool reset)
{
    atomic_store(&p->cut, reset ? CUT_RESET : CUT_CLOSE);
}

void net_free(struct net *p)
{
    atomic_store(&p->stop, true);
    pthread_join(p->thread, NULL);
    close(p->listener);
    VEC_FREE(p->pairs);
    pthread_mutex_destroy(&p->lock);
    free(p);
}
