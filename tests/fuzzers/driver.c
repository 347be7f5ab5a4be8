/*
 * driver: runs a fuzz target without libFuzzer, for `make test`.
 *
 *     fuzz_request            the corpus, then mutations of it
 *     fuzz_request FILE…      these inputs only, files or directories, named as they begin
 *
 * The mutations are the same in every run: the seed is fixed, and time only decides how many of
 * them there are (FUZZ_MS, 1200). They are no substitute for a coverage-guided run (`make fuzz`);
 * they are what keeps the targets alive and catches the shallow mistakes of the day. What a target
 * dies of is kept as crash-TARGET beside the program, to be given to it again.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "tests/fuzzers/input.h"

#define INPUT_MAX    65536
#define SECONDS_EACH 20 /* no input may take longer */

struct bytes {
    uint8_t *data;
    size_t len;
};

struct list {
    struct bytes *v;
    size_t n;
};

static struct list corpus, words;
static struct bytes current; /* what the target is looking at */
static char crash_path[4096];
static uint64_t seed = 20261128;

#pragma weak LLVMFuzzerInitialize

static void list_add(struct list *l, const void *p, size_t len)
{
    l->v = realloc(l->v, (l->n + 1) * sizeof *l->v);
    if (!l->v)
        abort();
    l->v[l->n++] = (struct bytes){(uint8_t *)exact_copy(p, len), len};
}

/* splitmix64. */
static uint64_t next(void)
{
    uint64_t z = seed += 0x9e3779b97f4a7c15;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

static size_t below(size_t n)
{
    return n ? next() % n : 0;
}

/* ------------------------------------------------------------ reading corpus and dictionary */

static bool read_file(const char *path)
{
    static uint8_t text[INPUT_MAX];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text);
    if (fd >= 0)
        close(fd);
    if (n >= 0)
        list_add(&corpus, text, (size_t)n);
    return n >= 0;
}

/* A directory's files in the order of their names. */
static bool read_directory(const char *path)
{
    struct dirent **entries;
    int n = scandir(path, &entries, NULL, alphasort);
    for (int i = 0; i < n; i++) {
        char name[4096];
        snprintf(name, sizeof name, "%s/%s", path, entries[i]->d_name);
        if (entries[i]->d_name[0] != '.')
            read_file(name);
        free(entries[i]);
    }
    if (n >= 0)
        free(entries);
    return n >= 0;
}

/* One entry of a libFuzzer dictionary: "…" with \xNN, \\ and \". */
static void read_word(const char *p)
{
    uint8_t word[256];
    size_t n = 0;
    for (p++; *p && *p != '"' && n < sizeof word; p++) {
        unsigned c;
        if (*p == '\\' && p[1] == 'x' && sscanf(p + 2, "%2x", &c) == 1) {
            word[n++] = (uint8_t)c;
            p += 3;
        } else {
            p += *p == '\\' && p[1];
            word[n++] = (uint8_t)*p;
        }
    }
    list_add(&words, word, n);
}

static void read_dictionary(const char *path)
{
    char line[1024];
    FILE *f = fopen(path, "re");
    while (f && fgets(line, sizeof line, f)) {
        const char *quote = *line == '#' ? NULL : strchr(line, '"');
        if (quote)
            read_word(quote);
    }
    if (f)
        fclose(f);
}

/* ------------------------------------------------------------ mutations */

static void insert(struct bytes *b, size_t at, const void *p, size_t len)
{
    if (b->len + len > INPUT_MAX)
        return;
    memmove(b->data + at + len, b->data + at, b->len - at);
    memcpy(b->data + at, p, len);
    b->len += len;
}

static void cut(struct bytes *b, size_t at, size_t len)
{
    memmove(b->data + at, b->data + at + len, b->len - at - len);
    b->len -= len;
}

static void insert_from(struct bytes *b, const struct list *l)
{
    if (!l->n)
        return;
    const struct bytes *other = &l->v[below(l->n)];
    size_t from = l == &words ? 0 : below(other->len + 1);
    size_t len = l == &words ? other->len : below(other->len - from + 1);
    insert(b, below(b->len + 1), other->data + from, len);
}

static void mutate_once(struct bytes *b)
{
    static const uint8_t extreme[] = {0, 1, 0x7F, 0x80, 0xFF, '0', '9', ' ', '\\', '"', '\n', '{'};
    size_t at = below(b->len);
    uint8_t byte = (uint8_t)next();
    switch (below(8)) {
    case 0: insert(b, at, &byte, 1); break;
    case 1: insert_from(b, &words); break;
    case 2: insert_from(b, &corpus); break;
    case 3:
        if (b->len)
            cut(b, at, below(b->len - at) + 1);
        break;
    case 4:
        if (b->len)
            cut(b, at, 1);
        break;
    case 5:
        if (b->len)
            b->data[at] ^= (uint8_t)(1 << below(8));
        break;
    case 6:
        if (b->len)
            b->data[at] = extreme[below(sizeof extreme)];
        break;
    default:
        if (b->len)
            b->data[at] = byte;
    }
}

/* ------------------------------------------------------------ running */

static void keep_crash(int sig)
{
    int fd = open(crash_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0 || write(fd, current.data, current.len) < 0)
        _exit(3);
    const char *why = sig == SIGALRM ? "too slow" : "died";
    dprintf(2, "%s: the input is %s\n", why, crash_path);
    signal(sig, SIG_DFL);
    raise(sig == SIGALRM ? SIGKILL : sig);
}

static void run(const void *p, size_t len)
{
    current = (struct bytes){(uint8_t *)exact_copy(p, len), len};
    alarm(SECONDS_EACH);
    LLVMFuzzerTestOneInput(current.data, len);
    alarm(0);
    free(current.data);
}

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static size_t run_mutations(double until)
{
    static uint8_t room[INPUT_MAX];
    size_t n = 0;
    for (; seconds() < until; n++) {
        const struct bytes *from = &corpus.v[below(corpus.n)];
        struct bytes b = {room, from->len};
        memcpy(room, from->data, from->len);
        for (size_t k = below(6) + 1; k; k--)
            mutate_once(&b);
        run(b.data, b.len);
    }
    return n;
}

int main(int argc, char **argv)
{
    static const int deadly[] = {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGALRM};
    const char *slash = strrchr(argv[0], '/'), *name = slash ? slash + 1 : argv[0];
    const char *target = strncmp(name, "fuzz_", 5) == 0 ? name + 5 : name;
    const char *ms = getenv("FUZZ_MS");
    char path[4096];
    double start = seconds();
    snprintf(crash_path, sizeof crash_path, "%.*scrash-%s", (int)(name - argv[0]), argv[0], target);
    for (size_t i = 0; i < sizeof deadly / sizeof *deadly; i++)
        signal(deadly[i], keep_crash);
    if (LLVMFuzzerInitialize)
        LLVMFuzzerInitialize(&argc, &argv);
    for (int i = 1; i < argc; i++)
        must_say(read_directory(argv[i]) || read_file(argv[i]), "%s: %s", argv[i], strerror(errno));
    if (argc == 1) {
        snprintf(path, sizeof path, "tests/fuzzers/corpus/%s", target);
        must_say(read_directory(path) && corpus.n, "%s: run tests from the source root", path);
        snprintf(path, sizeof path, "tests/fuzzers/dict/%s.dict", target);
        read_dictionary(path);
    }
    for (size_t i = 0; i < corpus.n; i++)
        run(corpus.v[i].data, corpus.v[i].len);
    size_t n = corpus.n;
    if (argc == 1)
        n += run_mutations(start + (ms ? atof(ms) : 1200) / 1000);
    printf("%s: %zu executions, %.1f seconds\n", target, n, seconds() - start);
    printf("100%%: Checks: 1, Failures: 0, Errors: 0\n");
    return 0;
}
