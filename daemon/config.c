/*
 * config: reads and holds the configuration, driven by config_keys.def. See config.h.
 *
 * Loading has two steps: collect the text of each key from all sources, the later source winning
 * (struct draft), then read the texts into an object and check what concerns several keys. A
 * mistake carries the place of its text ("palimpsestd.conf line 7"), so an overridden mistake is
 * one too.
 */
#include "daemon/config.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/config_value.h"
#include "engine/base/alloc.h"

#define LINE_MAX_BYTES 4096

enum {
    START,
    RELOAD
};

static const struct key_info {
    const char *section, *name, *full;
    enum config_type type;
    const char *def, *range;
    int reload;
    const char *text;
} keys[] = {
#define CONFIG(type, section, name, def, range, reload, text)                                      \
    {#section, #name, #section "." #name, CONFIG_##type, def, range, reload, text},
#include "daemon/config_keys.def"
#undef CONFIG
};

const char *config_key_name(enum config_key key)
{
    assert(key < CONFIG_COUNT);
    return keys[key].full;
}

static bool blame(struct err *err, const char *place)
{
    struct err e = *err;
    err_set(err, ERR_CONFIG, "%s: %s", place, e.message);
    if (e.hint[0])
        err_hint(err, "%s", e.hint);
    return false;
}

static int find_key(const char *name, size_t len)
{
    for (int k = 0; k < CONFIG_COUNT; k++)
        if (strlen(keys[k].full) == len && memcmp(keys[k].full, name, len) == 0)
            return k;
    return -1;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static void trim(const char **s, size_t *len)
{
    while (*len && is_blank(**s))
        (*s)++, (*len)--;
    while (*len && is_blank((*s)[*len - 1]))
        (*len)--;
}

/* One value read into its field. The text is kept for comparing at a reload. */
static bool assign(struct config *c, int key, const char *text, size_t len, struct err *err)
{
    char *copy = xstrndup(text, len);
    int64_t v = 0;
    if (keys[key].type != CONFIG_TEXT &&
        !config_value_parse(keys[key].type, copy, keys[key].range, &v, err)) {
        free(copy);
        return blame(err, keys[key].full);
    }
    free(c->texts[key]);
    c->texts[key] = copy;
    switch (key) {
#define STORE_INT(field)   c->field = v
#define STORE_BYTES(field) c->field = v
#define STORE_MSEC(field)  c->field = v
#define STORE_BOOL(field)  c->field = v != 0
#define STORE_WORD(field)  c->field = (int)v
#define STORE_TEXT(field)  c->field = copy
#define CONFIG(type, section, name, def, range, reload, text)                                      \
    case CONFIG_##section##_##name:                                                                \
        STORE_##type(section##_##name);                                                            \
        break;
#include "daemon/config_keys.def"
#undef CONFIG
    }
    return true;
}

/* "section.key = value"; key and value may have blanks around them, the value inside it too. */
static bool assign_line(struct config *c, const char *line, size_t len, struct err *err)
{
    const char *eq = memchr(line, '=', len);
    if (!eq)
        return err_set(err, ERR_CONFIG, "expected section.key = value");
    const char *name = line, *value = eq + 1;
    size_t name_len = (size_t)(eq - line), value_len = len - name_len - 1;
    trim(&name, &name_len);
    trim(&value, &value_len);
    int key = find_key(name, name_len);
    if (key < 0) {
        err_set(err, ERR_CONFIG, "unknown key \"%.*s\"", name_len > 64 ? 64 : (int)name_len, name);
        return err_hint(err, "palimpsestd --help lists the keys.");
    }
    return assign(c, key, value, value_len, err);
}

static bool read_line(struct config *c, FILE *f, const char *line, struct err *err)
{
    size_t len = strlen(line);
    if (len == LINE_MAX_BYTES - 1 && line[len - 1] != '\n' && !feof(f))
        return err_set(err, ERR_CONFIG, "line is too long");
    trim(&line, &len);
    if (!len || *line == '#')
        return true;
    return assign_line(c, line, len, err);
}

static bool read_file(struct config *c, const char *path, struct err *err)
{
    char line[LINE_MAX_BYTES];
    FILE *f = fopen(path, "re");
    bool ok = true;
    if (!f)
        return err_set(err, ERR_CONFIG, "%s: %s", path, strerror(errno));
    for (int no = 1; ok && fgets(line, sizeof line, f); no++) {
        ok = read_line(c, f, line, err);
        if (!ok) {
            char place[4200];
            snprintf(place, sizeof place, "%s line %d", path, no);
            blame(err, place);
        }
    }
    if (ok && ferror(f))
        ok = err_set(err, ERR_CONFIG, "%s: %s", path, strerror(errno));
    fclose(f);
    return ok;
}

/* PALIMPSEST_LIMITS_LINE_BYTES for limits.line_bytes. */
static bool read_environment(struct config *c, struct err *err)
{
    for (int k = 0; k < CONFIG_COUNT; k++) {
        char name[128];
        int n = snprintf(name, sizeof name, "PALIMPSEST_%s_%s", keys[k].section, keys[k].name);
        assert(n > 0 && (size_t)n < sizeof name);
        for (char *p = name; *p; p++)
            if (*p >= 'a' && *p <= 'z')
                *p = (char)(*p - 'a' + 'A');
        const char *value = getenv(name);
        if (value && !assign(c, k, value, strlen(value), err))
            return blame(err, name);
    }
    return true;
}

/* A name other than localhost may resolve to anything, so it doesn't count. */
static bool is_loopback(const struct listen_address *a)
{
    struct in_addr v4;
    if (a->is_unix || strcmp(a->host, "localhost") == 0 || strcmp(a->host, "::1") == 0)
        return true;
    return inet_pton(AF_INET, a->host, &v4) == 1 && ntohl(v4.s_addr) >> 24 == 127;
}

static bool check_listen(const struct config *c, struct err *err)
{
    struct listen_address at[LISTEN_MAX];
    size_t n = listen_parse(c->listen_address, at, LISTEN_MAX, err);
    if (!n)
        return blame(err, "listen.address");
    for (size_t i = 0; i < n && !c->listen_allow_remote; i++) {
        if (is_loopback(&at[i]))
            continue;
        err_set(err, ERR_CONFIG, "listen.address: %s is not a loopback address", at[i].host);
        return err_hint(err, "Clients are not authenticated. If only trusted ones can reach it, "
                             "set listen.allow_remote = on.");
    }
    return true;
}

/* The C library and Postgres must agree on the zone. They read the same files, but the C library
 * takes a name that it doesn't find for UTC, without a word, and Postgres is lenient about case. */
static bool check_timezone(const char *zone, struct err *err)
{
    char path[PATH_MAX];
    struct stat st;
    if (strcmp(zone, "UTC") == 0)
        return true;
    snprintf(path, sizeof path, "/usr/share/zoneinfo/%s", zone);
    if (*zone != '/' && !strstr(zone, "..") && stat(path, &st) == 0 && S_ISREG(st.st_mode))
        return true;
    err_set(err, ERR_CONFIG, "engine.timezone: there is no time zone \"%s\"", zone);
    err_hint(err, "Names are spelled as the files in /usr/share/zoneinfo are: Europe/Berlin.");
    return false;
}

/* What concerns several keys. */
static bool check(const struct config *c, struct err *err)
{
    if (c->postgres_reconnect_min > c->postgres_reconnect_max)
        return err_set(err, ERR_CONFIG,
                       "postgres.reconnect_min is greater than postgres.reconnect_max");
    if (!*c->postgres_publication || !*c->engine_timezone)
        return err_set(err, ERR_CONFIG, "%s must not be empty",
                       *c->engine_timezone ? "postgres.publication" : "engine.timezone");
    return check_timezone(c->engine_timezone, err) && check_listen(c, err);
}

/* Zero stands for a number that depends on the machine. */
static void resolve(struct config *c)
{
    long cpus = sysconf(_SC_NPROCESSORS_ONLN);
    if (cpus < 1)
        cpus = 1;
    if (!c->engine_workers)
        c->engine_workers = cpus > 256 ? 256 : cpus;
    if (!c->engine_io_threads)
        c->engine_io_threads = cpus / 2 < 1 ? 1 : cpus / 2 > 64 ? 64 : cpus / 2;
}

static void free_config(struct config *c)
{
    for (int k = 0; k < CONFIG_COUNT; k++)
        free(c->texts[k]);
    free(c);
}

static bool fill(struct config *c, const struct config_source *src, struct err *err)
{
    for (int k = 0; k < CONFIG_COUNT; k++)
        if (!assign(c, k, keys[k].def, strlen(keys[k].def), err))
            return false;
    if (src->file && !read_file(c, src->file, err))
        return false;
    if (!read_environment(c, err))
        return false;
    for (size_t i = 0; i < src->nsets; i++)
        if (!assign_line(c, src->sets[i], strlen(src->sets[i]), err))
            return blame(err, "command line");
    return check(c, err);
}

struct config *config_load(const struct config_source *src, struct err *err)
{
    struct config *c = NEW(struct config);
    atomic_init(&c->refs, 1);
    if (!fill(c, src, err)) {
        free_config(c);
        return NULL;
    }
    resolve(c);
    return c;
}

struct config *config_reload(const struct config *old, const struct config_source *src,
                             bool changed[CONFIG_COUNT], bool refused[CONFIG_COUNT],
                             struct err *err)
{
    struct config *c = config_load(src, err);
    for (int k = 0; c && k < CONFIG_COUNT; k++) {
        bool differs = strcmp(old->texts[k], c->texts[k]) != 0;
        changed[k] = differs && keys[k].reload == RELOAD;
        refused[k] = differs && keys[k].reload == START;
        if (refused[k]) {
            bool ok = assign(c, k, old->texts[k], strlen(old->texts[k]), err);
            assert(ok);
            (void)ok;
        }
    }
    if (c)
        resolve(c);
    return c;
}

const struct config *config_ref(const struct config *c)
{
    struct config *shared = (struct config *)c; /* only the count ever changes */
    atomic_fetch_add_explicit(&shared->refs, 1, memory_order_relaxed);
    return c;
}

void config_unref(const struct config *c)
{
    struct config *shared = (struct config *)c;
    if (c && atomic_fetch_sub_explicit(&shared->refs, 1, memory_order_acq_rel) == 1)
        free_config(shared);
}

static pthread_mutex_t current_lock = PTHREAD_MUTEX_INITIALIZER;
static const struct config *current; /* one reference; under current_lock */

void config_publish(struct config *c)
{
    pthread_mutex_lock(&current_lock);
    const struct config *before = current;
    current = c;
    pthread_mutex_unlock(&current_lock);
    config_unref(before);
}

const struct config *config_current(void)
{
    pthread_mutex_lock(&current_lock);
    const struct config *c = config_ref(current);
    pthread_mutex_unlock(&current_lock);
    return c;
}

void config_print_keys(FILE *out)
{
    for (int k = 0; k < CONFIG_COUNT; k++) {
        const struct key_info *i = &keys[k];
        fprintf(out, "  %s=%s\n      %s%s%s; %s\n      %s\n", i->full, i->def,
                config_type_name(i->type, i->range),
                *i->range && i->type != CONFIG_WORD ? ", " : "",
                i->type == CONFIG_WORD ? "" : i->range,
                i->reload == RELOAD ? "SIGHUP reloads it" : "read at start", i->text);
    }
}
