/*
 * notify: see notify.h. Called from the main thread only.
 */
#include "daemon/notify.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "daemon/clock.h"

static struct {
    struct sockaddr_un addr;
    socklen_t addr_len; /* 0 = nobody listens */
    uint64_t watchdog_ms;
} manager;

static void read_socket(void)
{
    const char *path = getenv("NOTIFY_SOCKET");
    size_t len = path ? strlen(path) : 0;
    if (len < 2 || len >= sizeof manager.addr.sun_path || (path[0] != '/' && path[0] != '@'))
        return;
    manager.addr.sun_family = AF_UNIX;
    memcpy(manager.addr.sun_path, path, len);
    if (path[0] == '@')
        manager.addr.sun_path[0] = '\0'; /* the abstract namespace */
    manager.addr_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
}

static void read_watchdog(void)
{
    const char *usec = getenv("WATCHDOG_USEC");
    const char *pid = getenv("WATCHDOG_PID");
    if (!usec || (pid && atol(pid) != (long)getpid()))
        return;
    manager.watchdog_ms = strtoull(usec, NULL, 10) / 2000;
}

void notify_init(void)
{
    read_socket();
    read_watchdog();
    unsetenv("NOTIFY_SOCKET");
    unsetenv("WATCHDOG_USEC");
    unsetenv("WATCHDOG_PID");
}

/* A manager that doesn't read is not waited for. */
static void tell(const char *text)
{
    if (manager.addr_len == 0)
        return;
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return;
    ssize_t ignored = sendto(fd, text, strlen(text), MSG_NOSIGNAL,
                             (const struct sockaddr *)&manager.addr, manager.addr_len);
    (void)ignored;
    close(fd);
}

void notify_ready(void)
{
    tell("READY=1");
}

void notify_reloading(void)
{
    char text[64];
    snprintf(text, sizeof text, "RELOADING=1\nMONOTONIC_USEC=%llu",
             (unsigned long long)(clock_ns() / 1000));
    tell(text);
}

void notify_stopping(void)
{
    tell("STOPPING=1");
}

uint64_t notify_watchdog_ms(void)
{
    return manager.addr_len ? manager.watchdog_ms : 0;
}

void notify_watchdog(void)
{
    tell("WATCHDOG=1");
}
