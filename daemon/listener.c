/*
 * listener: see listener.h.
 */
#include "daemon/listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "daemon/admission.h"
#include "daemon/config.h"
#include "daemon/log.h"
#include "daemon/server.h"
#include "daemon/version.h"
#include "engine/base/vec.h"
#include "protocol/reply.h"

#define BACKLOG          65535 /* the kernel takes as many of them as net.core.somaxconn says */
#define ACCEPTS_PER_TURN 64
#define PAUSE_MS         200 /* without descriptors */

struct endpoint {
    struct listener *listener;
    int fd;
    char *path;          /* owned; of a Unix socket, else NULL */
    struct event *event; /* owned */
};

struct listener {
    struct server *server;
    struct loop *loop;
    VEC(struct endpoint *) endpoints;
    struct event *resume; /* owned; ends a pause */
    int reserve;          /* a descriptor to give up when there are none; -1 = gone */
    size_t next_loop;
};

/* ---- accepting ----------------------------------------------------------------------------- */

static void describe_peer(struct peer *p, const struct sockaddr_storage *sa, int fd)
{
    char text[INET6_ADDRSTRLEN] = "";
    memset(p, 0, sizeof *p);
    if (sa->ss_family == AF_INET) {
        const struct sockaddr_in *in = (const void *)sa;
        p->address[10] = p->address[11] = 0xff;
        memcpy(p->address + 12, &in->sin_addr, 4);
        inet_ntop(AF_INET, &in->sin_addr, text, sizeof text);
        snprintf(p->text, sizeof p->text, "%s:%d", text, ntohs(in->sin_port));
    } else if (sa->ss_family == AF_INET6) {
        const struct sockaddr_in6 *in6 = (const void *)sa;
        memcpy(p->address, &in6->sin6_addr, 16);
        inet_ntop(AF_INET6, &in6->sin6_addr, text, sizeof text);
        snprintf(p->text, sizeof p->text, "[%s]:%d", text, ntohs(in6->sin6_port));
    } else {
        snprintf(p->text, sizeof p->text, "unix:%d", fd);
    }
}

/* Says why and closes. What the client has sent already is read first, or the kernel would answer
 * it with a reset that overtakes our line. */
static void turn_away(struct listener *ls, int fd, const struct peer *peer, const struct err *err)
{
    char junk[4096];
    struct buf b;
    buf_init(&b);
    reply_hello(&b, PALIMPSEST_VERSION);
    reply_error(&b, NULL, err);
    ssize_t ignored = send(fd, b.data, b.len, MSG_DONTWAIT | MSG_NOSIGNAL);
    (void)ignored;
    shutdown(fd, SHUT_WR);
    while (recv(fd, junk, sizeof junk, MSG_DONTWAIT) > 0)
        ;
    close(fd);
    buf_fini(&b);
    COUNT(ls->server->refused, 1);
    log_debug("client %s: refused: %s", peer->text, err->message);
}

static void give_to_loop(struct listener *ls, int fd, const struct peer *peer)
{
    struct server *srv = ls->server;
    struct loop *l = srv->loops[ls->next_loop++ % srv->nloops];
    if (l == ls->loop) {
        conn_adopt(l, fd, peer);
        return;
    }
    struct lmsg_adopt *m = NEW(struct lmsg_adopt);
    m->m.kind = L_ADOPT;
    m->fd = fd;
    m->peer = *peer;
    loop_post(l, &m->m);
}

static void welcome(struct listener *ls, int fd, const struct sockaddr_storage *sa)
{
    struct err err;
    struct peer peer;
    describe_peer(&peer, sa, fd);
    if (!admission_enter(ls->server->admission, &peer, &err)) {
        turn_away(ls, fd, &peer, &err);
        return;
    }
    COUNT(ls->server->accepted, 1);
    log_debug("client %s: connected", peer.text);
    give_to_loop(ls, fd, &peer);
}

static void open_reserve(struct listener *ls)
{
    ls->reserve = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static void set_accepting(struct listener *ls, bool on)
{
    for (size_t i = 0; i < ls->endpoints.n; i++)
        if (on)
            event_add(ls->endpoints.v[i]->event, NULL);
        else
            event_del(ls->endpoints.v[i]->event);
}

static void resume_cb(evutil_socket_t fd, short what, void *arg)
{
    struct listener *ls = arg;
    (void)fd, (void)what;
    if (ls->reserve < 0)
        open_reserve(ls);
    set_accepting(ls, true);
}

static void out_of_descriptors(struct endpoint *e)
{
    struct listener *ls = e->listener;
    struct timeval pause = {.tv_usec = PAUSE_MS * 1000};
    log_warn("no file descriptor for a new connection: %s; accepting pauses", strerror(errno));
    if (ls->reserve >= 0) {
        close(ls->reserve);
        ls->reserve = -1;
        int fd = accept4(e->fd, NULL, NULL, SOCK_CLOEXEC);
        if (fd >= 0)
            close(fd);
        open_reserve(ls);
    }
    COUNT(ls->server->refused, 1);
    set_accepting(ls, false);
    event_add(ls->resume, &pause);
}

static void acceptable_cb(evutil_socket_t lfd, short what, void *arg)
{
    struct endpoint *e = arg;
    (void)what;
    for (int i = 0; i < ACCEPTS_PER_TURN; i++) {
        struct sockaddr_storage sa;
        socklen_t len = sizeof sa;
        int fd = accept4(lfd, (struct sockaddr *)&sa, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            welcome(e->listener, fd, &sa);
        } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
            out_of_descriptors(e);
            return;
        } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            return;
        } /* else that one client's connection failed: the next one */
    }
}

/* ---- opening ------------------------------------------------------------------------------- */

static bool fail(struct err *err, const char *where, const char *what)
{
    return err_set(err, ERR_CONFIG, "can't listen on %s: %s: %s", where, what, strerror(errno));
}

static void add_endpoint(struct listener *ls, int fd, const char *path)
{
    struct endpoint *e = NEW(struct endpoint);
    e->listener = ls;
    e->fd = fd;
    e->path = path ? xstrdup(path) : NULL;
    VEC_PUSH(ls->endpoints, e);
}

/* A socket file that nobody listens on is left from a daemon that was killed. */
static bool remove_stale(const struct sockaddr_un *sun, struct err *err)
{
    struct stat st;
    if (lstat(sun->sun_path, &st) < 0)
        return true;
    if (!S_ISSOCK(st.st_mode))
        return err_set(err, ERR_CONFIG, "can't listen on unix:%s: it exists and is not a socket",
                       sun->sun_path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool answered = fd >= 0 && connect(fd, (const struct sockaddr *)sun, sizeof *sun) == 0;
    bool refused = !answered && errno == ECONNREFUSED;
    if (fd >= 0)
        close(fd);
    if (answered)
        return err_set(err, ERR_CONFIG, "can't listen on unix:%s: another process does",
                       sun->sun_path);
    if (refused && unlink(sun->sun_path) < 0)
        return fail(err, sun->sun_path, "unlink");
    return true;
}

static bool open_unix(struct listener *ls, const char *path, struct err *err)
{
    struct sockaddr_un sun = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof sun.sun_path)
        return err_set(err, ERR_CONFIG, "can't listen on unix:%s: the path is too long", path);
    strcpy(sun.sun_path, path);
    if (!remove_stale(&sun, err))
        return false;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return fail(err, path, "socket");
    if (bind(fd, (const struct sockaddr *)&sun, sizeof sun) < 0 || listen(fd, BACKLOG) < 0) {
        fail(err, path, "bind");
        close(fd);
        return false;
    }
    add_endpoint(ls, fd, path);
    log_info("listening on unix:%s", path);
    return true;
}

static bool is_loopback(const struct sockaddr *sa)
{
    if (sa->sa_family == AF_INET)
        return ntohl(((const struct sockaddr_in *)(const void *)sa)->sin_addr.s_addr) >> 24 == 127;
    return IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)(const void *)sa)->sin6_addr);
}

static void log_address(int fd)
{
    struct sockaddr_storage sa;
    socklen_t len = sizeof sa;
    struct peer p;
    if (getsockname(fd, (struct sockaddr *)&sa, &len) < 0)
        return;
    describe_peer(&p, &sa, fd);
    log_info("listening on %s", p.text);
}

static bool open_one(struct listener *ls, const struct addrinfo *ai, const char *where,
                     bool allow_remote, struct err *err)
{
    int on = 1;
    if (!allow_remote && !is_loopback(ai->ai_addr))
        return err_set(err, ERR_CONFIG,
                       "can't listen on %s: it is not a loopback address and clients are not "
                       "authenticated (listen.allow_remote = on permits it)",
                       where);
    int fd = socket(ai->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return fail(err, where, "socket");
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (ai->ai_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
    if (bind(fd, ai->ai_addr, ai->ai_addrlen) < 0 || listen(fd, BACKLOG) < 0) {
        fail(err, where, "bind");
        close(fd);
        return false;
    }
    add_endpoint(ls, fd, NULL);
    log_address(fd);
    return true;
}

/* A name may have several addresses: all that this machine has are opened, one is enough. */
static bool open_tcp(struct listener *ls, const struct listen_address *a, bool allow_remote,
                     struct err *err)
{
    char port[8], where[300];
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE}, *list;
    snprintf(port, sizeof port, "%u", a->port);
    snprintf(where, sizeof where, "%s:%s", a->host, port);
    bool all = a->host[0] == '\0' || strcmp(a->host, "*") == 0;
    int rc = getaddrinfo(all ? NULL : a->host, port, &hints, &list);
    if (rc != 0)
        return err_set(err, ERR_CONFIG, "can't listen on %s: %s", where, gai_strerror(rc));
    size_t before = ls->endpoints.n;
    bool ok = true;
    for (const struct addrinfo *ai = list; ai && ok; ai = ai->ai_next) {
        ok = open_one(ls, ai, where, allow_remote, err);
        if (!ok && (errno == EADDRNOTAVAIL || errno == EAFNOSUPPORT) &&
            (ai->ai_next || ls->endpoints.n > before))
            ok = true;
    }
    freeaddrinfo(list);
    return ok;
}

struct listener *listener_new(struct server *server, const struct config *cfg, struct err *err)
{
    struct listen_address addresses[LISTEN_MAX];
    size_t n = listen_parse(cfg->listen_address, addresses, LISTEN_MAX, err);
    if (n == 0)
        return NULL;
    struct listener *ls = NEW(struct listener);
    ls->server = server;
    open_reserve(ls);
    for (size_t i = 0; i < n; i++) {
        const struct listen_address *a = &addresses[i];
        bool ok = a->is_unix ? open_unix(ls, a->host, err)
                             : open_tcp(ls, a, cfg->listen_allow_remote, err);
        if (!ok) {
            listener_free(ls);
            return NULL;
        }
    }
    return ls;
}

void listener_start(struct listener *ls, struct loop *l)
{
    ls->loop = l;
    ls->resume = evtimer_new(l->base, resume_cb, ls);
    for (size_t i = 0; i < ls->endpoints.n; i++) {
        struct endpoint *e = ls->endpoints.v[i];
        e->event = event_new(l->base, e->fd, EV_READ | EV_PERSIST, acceptable_cb, e);
    }
    set_accepting(ls, true);
}

void listener_stop(struct listener *ls)
{
    if (ls->resume)
        event_free(ls->resume);
    ls->resume = NULL;
    for (size_t i = 0; i < ls->endpoints.n; i++) {
        struct endpoint *e = ls->endpoints.v[i];
        if (e->event)
            event_free(e->event);
        close(e->fd);
        if (e->path)
            unlink(e->path);
        free(e->path);
        free(e);
    }
    ls->endpoints.n = 0;
}

void listener_free(struct listener *ls)
{
    listener_stop(ls);
    VEC_FREE(ls->endpoints);
    if (ls->reserve >= 0)
        close(ls->reserve);
    free(ls);
}
