/*
 * The configuration: a file of any bytes, --set values, listen.address.
 *
 * Byte 0: how many lines at the end are given by --set, and whether the whole is one address list
 * instead. Laws: a configuration or an error that names its place, never more; one that was read
 * says the same when it is read again from its own values.
 */
#include <sys/mman.h>
#include <unistd.h>

#include "daemon/config.c"
#include "daemon/config_listen.c"
#include "daemon/config_value.c"
#include "tests/fuzzers/input.h"

#define SETS_MAX 8

/* A name for /dev/fd: the file is read through it. */
static int file_of(const void *p, size_t len, char path[64])
{
    int fd = memfd_create("config", MFD_CLOEXEC);
    must(fd >= 0 && write(fd, p, len) == (ssize_t)len);
    snprintf(path, 64, "/proc/self/fd/%d", fd);
    return fd;
}

static void look_at_addresses(const char *text)
{
    struct listen_address at[LISTEN_MAX];
    struct err err;
    err_clear(&err);
    size_t n = listen_parse(text, at, LISTEN_MAX, &err);
    must(n <= LISTEN_MAX && (n > 0) == !err_is_set(&err));
    for (size_t i = 0; i < n; i++) {
        must(memchr(at[i].host, '\0', sizeof at[i].host) && at[i].host[0]);
        is_loopback(&at[i]);
    }
}

static bool same_values(const struct config *a, const struct config *b)
{
    for (int k = 0; k < CONFIG_COUNT; k++)
        if (strcmp(a->texts[k], b->texts[k]) != 0)
            return false;
    return true;
}

/* All values of c as --set gives them; reading it again changes nothing and reloads nothing. */
static void say_again(const struct config *c)
{
    char *sets[CONFIG_COUNT];
    bool changed[CONFIG_COUNT], refused[CONFIG_COUNT];
    struct config_source src = {.sets = (const char *const *)sets, .nsets = CONFIG_COUNT};
    struct err err;
    for (int k = 0; k < CONFIG_COUNT; k++)
        must(asprintf(&sets[k], "%s=%s", keys[k].full, c->texts[k]) > 0);
    struct config *again = config_reload(c, &src, changed, refused, &err);
    must_say(again, "%s", err.message);
    must(same_values(c, again));
    for (int k = 0; k < CONFIG_COUNT; k++) {
        must_say(!changed[k] && !refused[k], "%s", keys[k].full);
        free(sets[k]);
    }
    config_unref(again);
}

/* Cuts the last n lines off; they are NUL-terminated and stand in sets. */
static size_t take_sets(char *text, size_t *len, size_t n, const char **sets)
{
    size_t taken = 0;
    while (taken < n && *len) {
        char *start = memrchr(text, '\n', *len);
        text[*len] = '\0';
        sets[taken++] = start ? start + 1 : text;
        *len = start ? (size_t)(start - text) : 0;
    }
    return taken;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in = {data, data + size};
    uint8_t how = in_byte(&in);
    size_t len = (size_t)(in.end - in.p);
    char path[64], *text = malloc(len + 1);
    const char *sets[SETS_MAX];
    struct config_source src = {.file = path, .sets = sets};
    struct err err;
    must(text);
    memcpy(text, in.p, len);
    text[len] = '\0';
    err_clear(&err);
    if (how & 0x80) {
        look_at_addresses(text);
        free(text);
        return 0;
    }
    src.nsets = take_sets(text, &len, how % SETS_MAX, sets);
    int fd = file_of(text, len, path);
    struct config *c = config_load(&src, &err);
    must((c != NULL) == !err_is_set(&err));
    if (c) {
        say_again(c);
        config_unref(c);
    } else {
        must(strcmp(err.sqlstate, ERR_CONFIG) == 0);
    }
    close(fd);
    free(text);
    return 0;
}
