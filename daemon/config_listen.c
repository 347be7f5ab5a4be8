/*
 * config_listen: listen.address as a list of host:port, [ipv6]:port and unix:/path. Names are not
 * resolved here.
 */
#include "daemon/config.h"

#include <string.h>
#include <sys/un.h>

static bool parse_unix(const char *path, size_t len, struct listen_address *out, struct err *err)
{
    if (len == 0 || *path != '/')
        return err_set(err, ERR_CONFIG, "the path after unix: must be absolute");
    if (len >= sizeof((struct sockaddr_un *)0)->sun_path)
        return err_set(err, ERR_CONFIG, "a socket's path is at most %zu bytes long",
                       sizeof((struct sockaddr_un *)0)->sun_path - 1);
    out->is_unix = true;
    memcpy(out->host, path, len);
    return true;
}

static bool parse_port(const char *s, size_t len, uint16_t *out)
{
    uint32_t port = 0;
    if (len == 0 || len > 5)
        return false;
    for (size_t i = 0; i < len; i++) {
        if (s[i] < '0' || s[i] > '9')
            return false;
        port = port * 10 + (uint32_t)(s[i] - '0');
    }
    *out = (uint16_t)port;
    return port <= UINT16_MAX;
}

static bool parse_one(const char *s, size_t len, struct listen_address *out, struct err *err)
{
    memset(out, 0, sizeof *out);
    if (len >= 5 && memcmp(s, "unix:", 5) == 0)
        return parse_unix(s + 5, len - 5, out, err);
    const char *colon = memrchr(s, ':', len);
    size_t host_len = colon ? (size_t)(colon - s) : 0;
    bool ok = colon && parse_port(colon + 1, len - host_len - 1, &out->port);
    if (ok && *s == '[') {
        ok = host_len > 2 && s[host_len - 1] == ']';
        s++;
        host_len -= 2;
    } else if (ok) {
        ok = !memchr(s, ':', host_len); /* an IPv6 address without brackets */
    }
    if (!ok || host_len == 0 || host_len >= sizeof out->host) {
        err_set(err, ERR_CONFIG, "an address is host:port, [ipv6]:port or unix:/path");
        return err_hint(err, "For example 127.0.0.1:7747, or *:7747 for all interfaces.");
    }
    memcpy(out->host, s, host_len);
    return true;
}

size_t listen_parse(const char *text, struct listen_address *out, size_t max, struct err *err)
{
    size_t n = 0;
    for (const char *p = text;;) {
        size_t len = strcspn(p, ","), from = 0, to = len;
        while (from < to && p[from] == ' ')
            from++;
        while (to > from && p[to - 1] == ' ')
            to--;
        if (n == max) {
            err_set(err, ERR_CONFIG, "more than %zu addresses", max);
            return 0;
        }
        if (!parse_one(p + from, to - from, &out[n++], err))
            return 0;
        if (!p[len])
            return n;
        p += len + 1;
    }
}
