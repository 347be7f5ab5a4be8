/*
 * daemon_proc: fork, exec, and reading the log until it says "listening on".
 */
#include "tests/e2e/daemon_proc.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "engine/base/alloc.h"
#include "tests/e2e/client.h"
#include "tests/e2e/cluster.h"

#define START_MS  20000
#define STOP_MS   20000
#define LOG_SHOWN (1 << 20) /* bytes */

static void sleep_ms(int ms)
{
    struct timespec ts = {ms / 1000, (ms % 1000) * 1000000L};
    nanosleep(&ts, NULL);
}

/* The log as a string, malloc'd; its end if it is long. */
static char *read_log(const struct daemon_proc *d)
{
    char *text = xcalloc(1, LOG_SHOWN + 1);
    struct stat st;
    if (fstat(d->log, &st) == 0)
        (void)!pread(d->log, text, LOG_SHOWN, st.st_size > LOG_SHOWN ? st.st_size - LOG_SHOWN : 0);
    return text;
}

int daemon_log_count(const struct daemon_proc *d, const char *text)
{
    char *log = read_log(d);
    int n = 0;
    for (const char *p = log; (p = strstr(p, text)); p += strlen(text))
        n++;
    free(log);
    return n;
}

bool daemon_log_contains(const struct daemon_proc *d, const char *text)
{
    return daemon_log_count(d, text) > 0;
}

void daemon_show_log(const struct daemon_proc *d)
{
    char *log = read_log(d);
    fputs(log, stderr);
    free(log);
}

rlim_t daemon_max_descriptors, daemon_max_address_space;
const char *daemon_preload;

static void limit(__rlimit_resource_t resource, rlim_t most)
{
    struct rlimit rl = {most, most};
    if (most && setrlimit(resource, &rl) != 0)
        die("setrlimit: %s", strerror(errno));
}

/* option is --postgres with a conninfo, or --config with a file. */
static void exec_daemon(struct daemon_proc *d, const char *option, const char *value,
                        const char *const *sets)
{
    const char *program = getenv("PALIMPSESTD");
    const char *argv[64];
    size_t n = 0;
    argv[n++] = program && *program ? program : "./palimpsestd";
    argv[n++] = "--listen";
    argv[n++] = "127.0.0.1:0";
    argv[n++] = option;
    argv[n++] = value;
    /* A test's plans end with it, unless it says otherwise. */
    argv[n++] = "--set";
    argv[n++] = "engine.linger=0";
    for (; sets && *sets && n < 60; sets++) {
        argv[n++] = "--set";
        argv[n++] = *sets;
    }
    argv[n] = NULL;
    int in = open("/dev/null", O_RDONLY);
    dup2(in, 0);
    dup2(d->log, 1);
    dup2(d->log, 2);
    setpgid(0, 0);
    unsetenv("JOURNAL_STREAM");
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    limit(RLIMIT_NOFILE, daemon_max_descriptors);
    limit(RLIMIT_AS, daemon_max_address_space);
    if (daemon_preload)
        setenv("LD_PRELOAD", daemon_preload, 1);
    execv(argv[0], (char *const *)argv);
    fprintf(stderr, "exec %s: %s\n", argv[0], strerror(errno));
    _exit(127);
}

static bool find_port(struct daemon_proc *d)
{
    char *log = read_log(d);
    char *p = strstr(log, "listening on 127.0.0.1:");
    if (p)
        d->port = atoi(p + strlen("listening on 127.0.0.1:"));
    free(log);
    return d->port > 0;
}

bool daemon_has_ended(struct daemon_proc *d)
{
    if (d->pid && waitpid(d->pid, NULL, WNOHANG) == d->pid)
        d->pid = 0;
    return d->pid == 0;
}

static bool is_streaming(const struct daemon_proc *d)
{
    struct client *c = client_connect(d->port);
    client_send(c, "STATUS");
    char *line = client_expect_prefix(c, "STATUS ");
    bool yes = strstr(line, "\"postgres\":\"streaming\"") != NULL;
    free(line);
    client_close(c);
    return yes;
}

static struct daemon_proc *start(const char *option, const char *value, const char *const *sets,
                                 bool wait_streaming)
{
    struct daemon_proc *d = NEW(struct daemon_proc);
    d->log = memfd_create("palimpsestd.log", MFD_CLOEXEC);
    if (d->log < 0)
        die("memfd_create: %s", strerror(errno));
    d->pid = fork();
    if (d->pid == 0)
        exec_daemon(d, option, value, sets);
    for (int waited = 0; waited < START_MS; waited += 20) {
        if (daemon_has_ended(d))
            break;
        if ((d->port || find_port(d)) && (!wait_streaming || is_streaming(d)))
            return d;
        sleep_ms(20);
    }
    daemon_show_log(d);
    die("the daemon did not start");
}

struct daemon_proc *daemon_start(const char *conninfo, const char *const *sets, bool wait_streaming)
{
    return start("--postgres", conninfo, sets, wait_streaming);
}

struct daemon_proc *daemon_start_with_file(const char *path, bool wait_streaming)
{
    return start("--config", path, NULL, wait_streaming);
}

int daemon_stop(struct daemon_proc *d)
{
    int status = 0;
    kill(d->pid, SIGTERM);
    for (int waited = 0; waited < STOP_MS; waited += 10) {
        if (waitpid(d->pid, &status, WNOHANG) == d->pid) {
            d->pid = 0;
            return status;
        }
        sleep_ms(10);
    }
    daemon_show_log(d);
    die("the daemon did not stop within %d s", STOP_MS / 1000);
}

void daemon_kill(struct daemon_proc *d)
{
    kill(d->pid, SIGKILL);
    waitpid(d->pid, NULL, 0);
    d->pid = 0;
}

void daemon_free(struct daemon_proc *d)
{
    bool ended_before = d->pid != 0 && daemon_has_ended(d);
    int status = d->pid ? daemon_stop(d) : 0;
    char *log = read_log(d);
    if (ended_before || status != 0 || strstr(log, "Sanitizer") || strstr(log, "runtime error:")) {
        fputs(log, stderr);
        die("the daemon %s (status %d)", ended_before ? "died" : "did not end well", status);
    }
    free(log);
    close(d->log);
    free(d);
}

long daemon_rss_kb(const struct daemon_proc *d)
{
    char path[64];
    long pages = 0;
    snprintf(path, sizeof path, "/proc/%d/statm", (int)d->pid);
    FILE *f = fopen(path, "r");
    if (!f || fscanf(f, "%*d %ld", &pages) != 1)
        pages = 0;
    if (f)
        fclose(f);
    return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

static size_t count_entries(const struct daemon_proc *d, const char *what)
{
    char path[64];
    size_t n = 0;
    snprintf(path, sizeof path, "/proc/%d/%s", (int)d->pid, what);
    DIR *dir = opendir(path);
    while (dir && readdir(dir))
        n++;
    if (dir)
        closedir(dir);
    return n > 2 ? n - 2 : 0;
}

size_t daemon_descriptors(const struct daemon_proc *d)
{
    return count_entries(d, "fd");
}

size_t daemon_threads(const struct daemon_proc *d)
{
    return count_entries(d, "task");
}

long daemon_cpu_us(const struct daemon_proc *d)
{
    char path[64];
    unsigned long user = 0, sys = 0;
    snprintf(path, sizeof path, "/proc/%d/stat", (int)d->pid);
    FILE *f = fopen(path, "r");
    if (!f ||
        fscanf(f, "%*d %*s %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &sys) != 2)
        user = sys = 0;
    if (f)
        fclose(f);
    return (long)(user + sys) * (1000000L / sysconf(_SC_CLK_TCK));
}
