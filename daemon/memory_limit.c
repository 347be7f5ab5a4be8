/*
 * memory_limit: see memory_limit.h. A control group's limit holds for all below it, so each one on the
 * way up to the root is looked at.
 */
#include "daemon/memory_limit.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "daemon/config.h"

#define PATH_LEN 4096

static uint64_t whole;

static void at_most(uint64_t bytes)
{
    if (bytes && bytes < whole)
        whole = bytes;
}

/* A file that holds a number, or "max". */
static void look_at_file(const char *path)
{
    uint64_t bytes;
    FILE *f = fopen(path, "re");
    if (!f)
        return;
    if (fscanf(f, "%" SCNu64, &bytes) == 1)
        at_most(bytes);
    fclose(f);
}

static void look_at_groups(const char *root, char *group, const char *name)
{
    char path[PATH_LEN * 2];
    for (;;) {
        snprintf(path, sizeof path, "%s%s/%s", root, group, name);
        look_at_file(path);
        char *slash = strrchr(group, '/');
        if (!slash)
            return;
        *slash = '\0';
    }
}

/* Lines "0::/group" of version 2, "4:memory:/group" of version 1. */
static void look_at_cgroups(void)
{
    char line[PATH_LEN];
    FILE *f = fopen("/proc/self/cgroup", "re");
    while (f && fgets(line, sizeof line, f)) {
        line[strcspn(line, "\n")] = '\0';
        char *controllers = strchr(line, ':');
        char *group = controllers ? strchr(controllers + 1, ':') : NULL;
        if (!group)
            continue;
        *group++ = '\0';
        if (strcmp(controllers, ":") == 0)
            look_at_groups("/sys/fs/cgroup", group, "memory.max");
        else if (strstr(controllers, "memory"))
            look_at_groups("/sys/fs/cgroup/memory", group, "memory.limit_in_bytes");
    }
    if (f)
        fclose(f);
}

static void look_at_machine(void)
{
    struct rlimit rl;
    whole = (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE);
    look_at_cgroups();
    if (getrlimit(RLIMIT_AS, &rl) == 0 && rl.rlim_cur != RLIM_INFINITY)
        at_most(rl.rlim_cur);
}

uint64_t memory_limit_of(const struct config *cfg)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    if (cfg->limits_max_memory)
        return (uint64_t)cfg->limits_max_memory;
    pthread_once(&once, look_at_machine);
    return whole / 4 * 3;
}
