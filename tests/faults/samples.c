/*
 * samples: see samples.h.
 */
#include "tests/faults/samples.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <math.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "engine/base/vec.h"
#include "tests/faults/report.h"

#define GROWTH_MAX   2.0 /* % in 10 minutes, after the first third */
#define LEAST_JUDGED 600 /* s: a shorter curve says nothing */

struct samples {
    struct run *run;
    unsigned every_ms;
    uint64_t began;
    pthread_t thread;
    atomic_bool stop;
    FILE *csv;
    VEC(struct sample) list;
};

/* ---- one sample ---------------------------------------------------------------------------- */

static long entries(pid_t pid, const char *what)
{
    char path[64];
    long n = 0;
    snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, what);
    DIR *d = opendir(path);
    for (struct dirent *e; d && (e = readdir(d));)
        n += e->d_name[0] != '.';
    if (d)
        closedir(d);
    return n;
}

/* The answer to STATUS, "" if there is none within 5 s. */
static void ask_status(int port, char *out, size_t size)
{
    struct sockaddr_in sa = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    struct timeval patience = {.tv_sec = 5};
    size_t len = 0;
    ssize_t n = 0;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sa.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    if (connect(fd, (struct sockaddr *)&sa, sizeof sa) == 0 &&
        send(fd, "STATUS\nQUIT\n", 12, MSG_NOSIGNAL) == 12)
        while (len < size - 1 && (n = recv(fd, out + len, size - 1 - len, 0)) > 0)
            len += (size_t)n;
    out[len] = '\0';
    close(fd);
}

static unsigned long long member(const char *status, const char *name)
{
    char key[40];
    snprintf(key, sizeof key, "\"%s\":", name);
    const char *p = strstr(status, key);
    return p ? strtoull(p + strlen(key), NULL, 10) : 0;
}

struct sample samples_take(struct samples *s)
{
    struct run *r = s->run;
    const struct daemon_proc *d = r->world.daemon;
    struct watch_counts n = watch_counts(r->watch);
    char status[8192];
    ask_status(atomic_load(&r->world.port), status, sizeof status);
    return (struct sample){
        .t = (double)(now_ms() - s->began) / 1000,
        .rss_kb = daemon_rss_kb(d),
        .threads = entries(d->pid, "task"),
        .fds = entries(d->pid, "fd"),
        .memory_used = member(status, "memory_used"),
        .plans = member(status, "plans"),
        .subscriptions = member(status, "subscriptions"),
        .connections = member(status, "connections"),
        .lag = member(status, "lag_bytes"),
        .output_queued = member(status, "output_queued"),
        .commits = work_counts(r->work).commits,
        .deltas = n.deltas,
        .compared = n.compared,
        .resyncs = n.resyncs,
    };
}

static void record(struct samples *s)
{
    struct sample x = samples_take(s);
    VEC_PUSH(s->list, x);
    printf(
        "%6.0f s  rss %6ld kB  memory %6llu kB  fds %3ld  threads %2ld  plans %3llu  subscriptions "
        "%3llu  lag %6llu  commits %7lu  deltas %8llu  compared %6llu  wrong %u\n",
        x.t, x.rss_kb, x.memory_used / 1024, x.fds, x.threads, x.plans, x.subscriptions, x.lag,
        x.commits, (unsigned long long)x.deltas, (unsigned long long)x.compared, report_count());
    fflush(stdout);
    if (!s->csv)
        return;
    fprintf(s->csv, "%.1f,%ld,%llu,%ld,%ld,%llu,%llu,%llu,%llu,%llu,%lu,%llu,%llu,%llu,%u\n", x.t,
            x.rss_kb, x.memory_used, x.fds, x.threads, x.plans, x.subscriptions, x.connections,
            x.lag, x.output_queued, x.commits, (unsigned long long)x.deltas,
            (unsigned long long)x.compared, (unsigned long long)x.resyncs, report_count());
    fflush(s->csv);
}

static void *sample_thread(void *arg)
{
    struct samples *s = arg;
    for (uint64_t next = now_ms(); !atomic_load(&s->stop); sleep_ms(50))
        if (now_ms() >= next) {
            next += s->every_ms;
            record(s);
        }
    return NULL;
}

struct samples *samples_start(struct run *r, const char *csv, unsigned every_ms)
{
    struct samples *s = NEW(struct samples);
    s->run = r;
    s->every_ms = every_ms;
    s->began = now_ms();
    s->csv = csv && *csv ? fopen(csv, "w") : NULL;
    if (s->csv)
        fputs("s,rss_kb,memory_used,fds,threads,plans,subscriptions,connections,lag_bytes,"
              "output_queued,commits,deltas,compared,resyncs,wrong\n",
              s->csv);
    if (pthread_create(&s->thread, NULL, sample_thread, s) != 0)
        die("no thread for the samples");
    return s;
}

/* ---- the curve ----------------------------------------------------------------------------- */

static double rss_of(const struct sample *x)
{
    return (double)x->rss_kb;
}

static double memory_of(const struct sample *x)
{
    return (double)x->memory_used / 1024;
}

struct line {
    double mean, slope; /* a minute */
    double error;       /* standard error of the slope */
};

/* Neighbours resemble each other, as the same clients are there: so many count as one. */
#define ALIKE 5

/* Least squares over those after `from` seconds. */
static struct line fit(const struct samples *s, double from, double (*value)(const struct sample *))
{
    double n = 0, st = 0, sv = 0, stt = 0, stv = 0, svv = 0;
    for (size_t i = 0; i < s->list.n; i++) {
        double t = s->list.v[i].t / 60, v = value(&s->list.v[i]);
        if (s->list.v[i].t < from)
            continue;
        n++;
        st += t;
        sv += v;
        stt += t * t;
        stv += t * v;
        svv += v * v;
    }
    struct line l = {.mean = n ? sv / n : 0};
    if (n < 3)
        return l;
    double tt = stt - st * st / n, tv = stv - st * sv / n, vv = svv - sv * sv / n;
    l.slope = tt > 0 ? tv / tt : 0;
    double rest = vv - l.slope * tv;
    l.error = tt > 0 && rest > 0 ? sqrt(rest / (n - 2) / tt * ALIKE) : 0;
    return l;
}

static void print_curve(const struct samples *s, const char *name, double from,
                        double (*value)(const struct sample *))
{
    double least = 1e18, most = 0;
    for (size_t i = 0; i < s->list.n; i++) {
        double v = value(&s->list.v[i]);
        if (s->list.v[i].t < from)
            continue;
        least = v < least ? v : least;
        most = v > most ? v : most;
    }
    struct line l = fit(s, from, value);
    printf("%-12s %9.0f %9.0f %9.0f %+10.2f %+9.2f %%\n", name, least, l.mean, most, l.slope,
           l.mean > 0 ? l.slope * 1000 / l.mean : 0);
}

/* What the clients want changes all the time, and the curve with it: only what stands out of that is
 * growth. */
static void judge_growth(const struct samples *s, double end)
{
    struct line l = fit(s, end / 3, rss_of);
    double percent = l.mean > 0 ? 1000 / l.mean : 0;
    printf("after the first third rss grows %+.2f %% in 10 minutes, give or take %.2f\n",
           l.slope * percent, l.error * percent);
    if (end >= LEAST_JUDGED && l.slope * percent > GROWTH_MAX && l.slope > 3 * l.error)
        report_wrong("memory grows: %.2f %% in 10 minutes", l.slope * percent);
}

void samples_close(struct samples *s)
{
    atomic_store(&s->stop, true);
    pthread_join(s->thread, NULL);
    double end = s->list.n ? s->list.v[s->list.n - 1].t : 0;
    printf("\nsecond half      least      mean      most   a minute  in 10 min\n");
    print_curve(s, "rss, kB", end / 2, rss_of);
    print_curve(s, "memory, kB", end / 2, memory_of);
    judge_growth(s, end);
    if (s->csv)
        fclose(s->csv);
    VEC_FREE(s->list);
    free(s);
}
