/*
 * cluster: initdb, postgres as a direct child (no pg_ctl: we want its pid and its death), libpq.
 */
#include "tests/e2e/cluster.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "engine/base/alloc.h"
#include "engine/base/vec.h"

static struct cluster *running; /* for atexit and signals: at most one cluster a program */
static pid_t owner;             /* forked test processes must not clean up */

void die(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vfprintf(stderr, fmt, ap);
    va_end(ap);
    fputc('\n', stderr);
    exit(1);
}

void cluster_program(const char *name, char *out, size_t size)
{
    const char *bindir = getenv("PG_BINDIR");
    if (!bindir || !*bindir)
        bindir = "/usr/lib/postgresql/15/bin";
    snprintf(out, size, "%s/%s", bindir, name);
    if (access(out, X_OK) != 0)
        die("no %s: set PG_BINDIR to the directory of the Postgres binaries", out);
}

static const struct passwd *postgres_user(void)
{
    const struct passwd *pw = getpwnam("postgres");
    if (!pw)
        pw = getpwnam("nobody");
    if (!pw)
        die("no user postgres or nobody to run Postgres as");
    return pw;
}

/* With PG_CHROOT the programs and the cluster are inside of that root: a path as it reads in there. */
static const char *inside(const char *path)
{
    const char *root = getenv("PG_CHROOT");
    size_t len = root ? strlen(root) : 0;
    return len && strncmp(path, root, len) == 0 ? path + len : path;
}

static void enter_root(void)
{
    const char *root = getenv("PG_CHROOT");
    if (root && *root && (chroot(root) != 0 || chdir("/") != 0))
        die("can't enter %s: %s", root, strerror(errno));
}

/* Forks a program as the Postgres user with output to the cluster's log: in a process group of its
 * own, so that a Ctrl-C on the terminal reaches only us, who end things in the right order. */
static void spawn(struct cluster *c, const char *const argv[])
{
    pid_t pid = fork();
    if (pid < 0)
        die("fork: %s", strerror(errno));
    if (pid > 0) {
        setpgid(pid, pid);
        c->pid = pid;
        return;
    }
    setpgid(0, 0);
    char log[160];
    snprintf(log, sizeof log, "%s/log", inside(c->dir));
    const struct passwd *pw = geteuid() == 0 ? postgres_user() : NULL; /* by this system's names */
    enter_root();
    if (pw && (setgroups(0, NULL) || setgid(pw->pw_gid) || setuid(pw->pw_uid)))
        die("can't become user %s: %s", pw->pw_name, strerror(errno));
    prctl(PR_SET_PDEATHSIG, SIGINT);
    int fd = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);
    if (fd < 0 || chdir(inside(c->dir)) != 0)
        _exit(126);
    dup2(fd, 1);
    dup2(fd, 2);
    close(fd);
    setenv("LC_ALL", "C", 1);
    execv(inside(argv[0]), (char *const *)argv);
    _exit(127);
}

static void show_log(const struct cluster *c)
{
    char path[160], line[512];
    snprintf(path, sizeof path, "%s/log", c->dir);
    FILE *f = fopen(path, "r");
    while (f && fgets(line, sizeof line, f))
        fputs(line, stderr);
    if (f)
        fclose(f);
}

static int wait_gone(struct cluster *c)
{
    int status = 0;
    while (waitpid(c->pid, &status, 0) < 0 && errno == EINTR)
        ;
    c->pid = 0;
    return status;
}

static void must_end_well(struct cluster *c, const char *what)
{
    int status = wait_gone(c);
    if (status == 0)
        return;
    show_log(c);
    die("%s failed (status %d)", what, status);
}

static void sleep_ms(int ms)
{
    struct timespec ts = {ms / 1000, (ms % 1000) * 1000000L};
    nanosleep(&ts, NULL);
}

void cluster_run(struct cluster *c)
{
    char postgres[256], data[160];
    cluster_program("postgres", postgres, sizeof postgres);
    snprintf(data, sizeof data, "%s/data", inside(c->dir));
    const char *argv[] = {inside(postgres), "-D", data, NULL};
    spawn(c, argv);
    for (int i = 0; i < 600; i++) {
        if (PQping(c->conninfo) == PQPING_OK)
            return;
        if (waitpid(c->pid, NULL, WNOHANG) == c->pid)
            break;
        sleep_ms(50);
    }
    show_log(c);
    die("Postgres did not start");
}

void cluster_stop(struct cluster *c, int sig)
{
    kill(c->pid, sig);
    wait_gone(c);
}

void cluster_stop_fast(struct cluster *c)
{
    cluster_stop(c, SIGINT);
}

struct pids {
    VEC(pid_t) v;
};

/* Its parent; 0 if it is gone, be it a zombie still. */
static pid_t parent_of(pid_t pid)
{
    char path[64], state = 'Z';
    int ppid = 0;
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    FILE *f = fopen(path, "r");
    if (!f)
        return 0;
    if (fscanf(f, "%*d (%*[^)]) %c %d", &state, &ppid) != 2)
        state = 'Z';
    fclose(f);
    return state == 'Z' ? 0 : ppid;
}

static void list_backends(const struct cluster *c, struct pids *out)
{
    DIR *proc = opendir("/proc");
    struct dirent *e;
    while (proc && (e = readdir(proc))) {
        pid_t pid = (pid_t)atoi(e->d_name);
        if (pid > 0 && parent_of(pid) == c->pid)
            VEC_PUSH(out->v, pid);
    }
    if (proc)
        closedir(proc);
}

unsigned cluster_signal_backends(const struct cluster *c, int sig)
{
    struct pids pids = {0};
    list_backends(c, &pids);
    unsigned n = (unsigned)pids.v.n;
    for (size_t i = 0; i < pids.v.n; i++)
        kill(pids.v.v[i], sig);
    VEC_FREE(pids.v);
    return n;
}

static bool is_there(const struct pids *pids)
{
    for (size_t i = 0; i < pids->v.n; i++)
        if (parent_of(pids->v.v[i]))
            return true;
    return false;
}

void cluster_stop_at_once(struct cluster *c)
{
    kill(c->pid, SIGQUIT);
    wait_gone(c);
}

/* The backends of a killed postmaster notice its death by themselves, but not at once, and a stopped
 * one never; a new postmaster refuses to start while one of them still holds the shared memory. */
void cluster_kill(struct cluster *c)
{
    struct pids pids = {0};
    list_backends(c, &pids);
    kill(c->pid, SIGKILL);
    wait_gone(c);
    for (int i = 0; i < 1000 && is_there(&pids); i++) {
        if (i == 30) /* 300 ms */
            for (size_t k = 0; k < pids.v.n; k++)
                kill(pids.v.v[k], SIGKILL);
        sleep_ms(10);
    }
    VEC_FREE(pids.v);
}

static void write_settings(const struct cluster *c, const char *const *settings)
{
    char path[192];
    snprintf(path, sizeof path, "%s/data/postgresql.conf", c->dir);
    FILE *f = fopen(path, "a");
    if (!f)
        die("%s: %s", path, strerror(errno));
    fprintf(f,
            "\nlisten_addresses = ''\nunix_socket_directories = '%s'\nwal_level = logical\n"
            "max_wal_senders = 10\nmax_replication_slots = 10\nmax_prepared_transactions = 10\n"
            "max_connections = 60\nshared_buffers = 128MB\nlogging_collector = off\n"
            "autovacuum_naptime = 1d\njit = off\n", /* tables without statistics look costly */
            inside(c->dir));
    for (; settings && *settings; settings++)
        fprintf(f, "%s\n", *settings);
    fclose(f);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st, (void)type, (void)ftw;
    return remove(path);
}

void cluster_free(struct cluster *c)
{
    if (!c)
        return;
    if (c->pid > 0) {
        kill(c->pid, SIGQUIT); /* immediate: nothing in it is worth keeping */
        wait_gone(c);
    }
    nftw(c->dir, remove_one, 32, FTW_DEPTH | FTW_PHYS);
    if (running == c)
        running = NULL;
    free(c);
}

static void clean_up(void)
{
    if (getpid() == owner)
        cluster_free(running);
}

/* Only what a signal handler may call: so rm(1), not nftw(). */
static void interrupted(int sig)
{
    if (getpid() == owner && running) {
        if (running->pid > 0) {
            kill(-running->pid, SIGQUIT);
            wait_gone(running);
        }
        pid_t pid = fork();
        if (pid == 0) {
            execl("/bin/rm", "rm", "-rf", running->dir, (char *)NULL);
            _exit(127);
        }
        waitpid(pid, NULL, 0);
    }
    signal(sig, SIG_DFL);
    raise(sig);
}

/* SIGPIPE too: the reader of our output may go away. Signals that are ignored stay so. */
static void clean_up_when_interrupted(void)
{
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGPIPE};
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++) {
        struct sigaction old;
        sigaction(signals[i], NULL, &old);
        if (old.sa_handler == SIG_DFL)
            signal(signals[i], interrupted);
    }
}

static struct cluster *cluster_new(void)
{
    struct cluster *c = NEW(struct cluster);
    const char *tmp = getenv("TMPDIR");
    snprintf(c->dir, sizeof c->dir, "%s/palimpsest-XXXXXX", tmp && *tmp ? tmp : "/tmp");
    if (!mkdtemp(c->dir))
        die("mkdtemp %s: %s", c->dir, strerror(errno));
    if (geteuid() == 0 && chown(c->dir, postgres_user()->pw_uid, postgres_user()->pw_gid) != 0)
        die("chown %s: %s", c->dir, strerror(errno));
    chmod(c->dir, 0755);
    snprintf(c->conninfo, sizeof c->conninfo, "host=%s user=postgres dbname=postgres", c->dir);
    running = c;
    owner = getpid();
    atexit(clean_up);
    clean_up_when_interrupted();
    return c;
}

struct cluster *cluster_start_standby(const struct cluster *primary)
{
    struct cluster *c = cluster_new();
    char program[256], data[160], path[200];
    cluster_program("pg_basebackup", program, sizeof program);
    snprintf(data, sizeof data, "%s/data", c->dir);
    const char *argv[] = {program, "-D",     data, "-d",   primary->conninfo, "-R",
                          "-X",    "stream", "-c", "fast", "--no-sync",       NULL};
    cluster_run_program(c, argv);
    snprintf(path, sizeof path, "%s/data/postgresql.conf", c->dir);
    FILE *f = fopen(path, "a");
    if (!f)
        die("%s: %s", path, strerror(errno));
    fprintf(f, "unix_socket_directories = '%s'\n", inside(c->dir));
    fclose(f);
    cluster_run(c);
    return c;
}

struct cluster *cluster_start(const char *const *settings)
{
    struct cluster *c = cluster_new();
    char initdb[256], data[160];
    cluster_program("initdb", initdb, sizeof initdb);
    snprintf(data, sizeof data, "%s/data", inside(c->dir));
    const char *argv[] = {inside(initdb), "-D",        data, "-U",   "postgres",         "-A",
                          "trust",        "--no-sync", "-E", "UTF8", "--locale=C.UTF-8", NULL};
    spawn(c, argv);
    must_end_well(c, "initdb");
    write_settings(c, settings);
    cluster_run(c);
    return c;
}

void cluster_run_program(struct cluster *c, const char *const *argv)
{
    const char *in[32];
    size_t n = 0;
    for (; argv[n] && n < 31; n++)
        in[n] = inside(argv[n]);
    in[n] = NULL;
    spawn(c, in);
    must_end_well(c, argv[0]);
}

static void ignore_notice(void *arg, const char *message)
{
    (void)arg, (void)message;
}

PGconn *cluster_connect(const struct cluster *c)
{
    PGconn *conn = PQconnectdb(c->conninfo);
    if (PQstatus(conn) != CONNECTION_OK)
        die("connect: %s", PQerrorMessage(conn));
    PQsetNoticeProcessor(conn, ignore_notice, NULL);
    sql_run(conn, "SET TimeZone = 'UTC'; SET DateStyle = 'ISO'; SET extra_float_digits = 1");
    return conn;
}

static PGresult *run(PGconn *conn, const char *fmt, va_list ap)
{
    char *text = NULL;
    if (vasprintf(&text, fmt, ap) < 0)
        die("out of memory");
    PGresult *res = PQexec(conn, text);
    free(text);
    return res;
}

static void must_succeed(PGconn *conn, PGresult *res, const char *fmt)
{
    ExecStatusType st = PQresultStatus(res);
    if (st != PGRES_COMMAND_OK && st != PGRES_TUPLES_OK && st != PGRES_EMPTY_QUERY)
        die("%.300s: %s", fmt, PQerrorMessage(conn));
}

void sql_run(PGconn *conn, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    PGresult *res = run(conn, fmt, ap);
    va_end(ap);
    must_succeed(conn, res, fmt);
    PQclear(res);
}

char *sql_value(PGconn *conn, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    PGresult *res = run(conn, fmt, ap);
    va_end(ap);
    must_succeed(conn, res, fmt);
    char *v = NULL;
    if (PQntuples(res) > 0 && !PQgetisnull(res, 0, 0))
        v = xstrdup(PQgetvalue(res, 0, 0));
    PQclear(res);
    return v;
}

const char *sql_state(PGconn *conn, const char *fmt, ...)
{
    static char state[6];
    va_list ap;
    va_start(ap, fmt);
    PGresult *res = run(conn, fmt, ap);
    va_end(ap);
    const char *s = PQresultErrorField(res, PG_DIAG_SQLSTATE);
    snprintf(state, sizeof state, "%s", s ? s : "");
    PQclear(res);
    return state;
}
