/*
 * config and options: sources and their order, every type's mistakes, reload. The daemon isn't a
 * library, so their files are compiled into this program.
 */
#include <check.h>
#include <string.h>

#include "daemon/config.c"
#include "daemon/config_listen.c"
#include "daemon/config_value.c"
#include "daemon/options.c"

static struct err err;

static struct config *load_sets(size_t n, const char *const *sets)
{
    struct config_source src = {.sets = sets, .nsets = n};
    err_clear(&err);
    return config_load(&src, &err);
}

static struct config *load(const char *set)
{
    return load_sets(1, &set);
}

static void write_file(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");
    ck_assert_ptr_nonnull(f);
    fputs(text, f);
    fclose(f);
}

static void temp_path(char path[64])
{
    strcpy(path, "/tmp/palimpsest-test-XXXXXX");
    int fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    close(fd);
}

START_TEST(test_defaults)
{
    struct config *c = load_sets(0, NULL);
    ck_assert_msg(c != NULL, "%s", err.message);
    ck_assert_str_eq(c->listen_address, "127.0.0.1:7747");
    ck_assert_int_eq(c->limits_line_bytes, 1 << 20);
    ck_assert_int_eq(c->postgres_connect_timeout, 10000);
    ck_assert_int_eq(c->log_level, 2);
    ck_assert(!c->listen_allow_remote);
    ck_assert_int_ge(c->engine_workers, 1);
    ck_assert_int_ge(c->engine_io_threads, 1);
    ck_assert_str_eq(config_key_name(CONFIG_limits_plans), "limits.plans");
    config_publish(c);
    const struct config *now = config_current();
    ck_assert_ptr_eq(now, c);
    config_unref(now);
    config_publish(load_sets(0, NULL));
}
END_TEST

START_TEST(test_values)
{
    static const char *const good[] = {"limits.line_bytes=64k",
                                       " limits.line_bytes = 65536 ",
                                       "postgres.connect_timeout=1min",
                                       "log.level=debug",
                                       "listen.allow_remote=on",
                                       "postgres.conninfo=",
                                       "postgres.conninfo=host=/x dbname=y # z",
                                       "listen.address=unix:/run/x, [::1]:0,localhost:1"};
    static const char *const bad[] = {
        "limits.line_bytes=64K",
        "limits.line_bytes=1",
        "limits.line_bytes=257M",
        "limits.line_bytes=",
        "limits.line_bytes=-1",
        "limits.line_bytes=1.5M",
        "limits.line_bytes=9223372036854775807G",
        "limits.line_bytes=99999999999999999999",
        "postgres.connect_timeout=1 min",
        "log.level=verbose",
        "log.level=",
        "listen.allow_remote=yes",
        "engine.workers=two",
        "postgres.publication=",
        "engine.timezone=",
        "engine.timezone=utc", /* the C library would look for a file of that name */
        "engine.timezone=Nowhere/Land",
        "engine.timezone=../../etc/passwd",
        "postgres.reconnect_min=11s",
        "nope.nope=1",
        "limits.plans",
        "",
        "=",
        "limits=1",
        "listen.address=",
        "listen.address=x",
        "listen.address=:1",
        "listen.address=127.0.0.1:65536",
        "listen.address=::1:80",
        "listen.address=[]:80",
        "listen.address=127.0.0.1:1,",
        "listen.address=unix:x",
        "listen.address=0.0.0.0:7747",
        "listen.address=*:7747",
        "listen.address=127.0.0.1.example.com:7747"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        struct config *c = load(good[i]);
        ck_assert_msg(c != NULL, "%s: %s", good[i], err.message);
        config_unref(c);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        ck_assert_msg(load(bad[i]) == NULL, "%s", bad[i]);
        ck_assert_str_eq(err.sqlstate, ERR_CONFIG);
    }
    static const char *const remote[] = {"listen.address=0.0.0.0:1", "listen.allow_remote=on"};
    struct config *c = load_sets(2, remote);
    ck_assert_ptr_nonnull(c);
    config_unref(c);
    ck_assert_ptr_null(load("limits.line_bytes=64K"));
    ck_assert_str_eq(err.message, "command line: limits.line_bytes: \"64K\" is not a size");
}
END_TEST

START_TEST(test_sources_in_order)
{
    char path[64], message[256];
    struct config_source src = {.file = path};
    temp_path(path);
    write_file(path, "# comment\n\n  limits.plans = 5  \r\nlimits.result_rows=7\n"
                     "postgres.conninfo = host=/tmp options='-c a=b'\nengine.workers=3");
    setenv("PALIMPSEST_LIMITS_RESULT_ROWS", "8", 1);
    setenv("PALIMPSEST_ENGINE_WORKERS", "4", 1);
    const char *set = "engine.workers=5";
    src.sets = &set;
    src.nsets = 1;
    struct config *c = config_load(&src, &err);
    ck_assert_msg(c != NULL, "%s", err.message);
    ck_assert_int_eq(c->limits_plans, 5);
    ck_assert_int_eq(c->limits_result_rows, 8);
    ck_assert_int_eq(c->engine_workers, 5);
    ck_assert_str_eq(c->postgres_conninfo, "host=/tmp options='-c a=b'");
    config_unref(c);
    setenv("PALIMPSEST_LIMITS_RESULT_ROWS", "x", 1);
    ck_assert_ptr_null(config_load(&src, &err));
    ck_assert_str_eq(err.message, "PALIMPSEST_LIMITS_RESULT_ROWS: limits.result_rows: "
                                  "\"x\" is not a number");
    unsetenv("PALIMPSEST_LIMITS_RESULT_ROWS");
    unsetenv("PALIMPSEST_ENGINE_WORKERS");
    write_file(path, "\nlimits.plan = 5\n");
    ck_assert_ptr_null(config_load(&src, &err));
    snprintf(message, sizeof message, "%s line 2: unknown key \"limits.plan\"", path);
    ck_assert_str_eq(err.message, message);
    unlink(path);
    ck_assert_ptr_null(config_load(&src, &err));
    ck_assert_ptr_nonnull(strstr(err.message, "No such file"));
}
END_TEST

START_TEST(test_reload)
{
    char path[64];
    struct config_source src = {.file = path};
    bool changed[CONFIG_COUNT], refused[CONFIG_COUNT];
    temp_path(path);
    write_file(path, "limits.plans = 5\n");
    struct config *old = config_load(&src, &err);
    ck_assert_ptr_nonnull(old);
    write_file(path, "limits.plans = 6\nlog.level = debug\nengine.workers = 9\n");
    struct config *c = config_reload(old, &src, changed, refused, &err);
    ck_assert_ptr_nonnull(c);
    ck_assert_int_eq(c->limits_plans, 5);
    ck_assert_int_eq(c->log_level, 3);
    ck_assert_int_eq(c->engine_workers, old->engine_workers);
    ck_assert(refused[CONFIG_limits_plans] && !changed[CONFIG_limits_plans]);
    ck_assert(changed[CONFIG_log_level] && !refused[CONFIG_log_level]);
    ck_assert(refused[CONFIG_engine_workers]);
    ck_assert(!changed[CONFIG_listen_address] && !refused[CONFIG_listen_address]);
    write_file(path, "limits.plans = x\n");
    ck_assert_ptr_null(config_reload(old, &src, changed, refused, &err));
    unlink(path);
    config_unref(c);
    config_unref(old);
}
END_TEST

START_TEST(test_listen_parse)
{
    struct listen_address at[4];
    ck_assert_uint_eq(listen_parse(" unix:/run/p.sock ,[fe80::1]:7,*:0", at, 4, &err), 3);
    ck_assert(at[0].is_unix);
    ck_assert_str_eq(at[0].host, "/run/p.sock");
    ck_assert_str_eq(at[1].host, "fe80::1");
    ck_assert_uint_eq(at[1].port, 7);
    ck_assert_str_eq(at[2].host, "*");
    ck_assert_uint_eq(listen_parse("a:1,a:1,a:1,a:1,a:1", at, 4, &err), 0);
}
END_TEST

/* Splits a command line at blanks, as getopt wants to be able to write to it. */
static struct options options_of(const char *line)
{
    static char words[256];
    static char *argv[16];
    struct options o;
    int argc = 0;
    snprintf(words, sizeof words, "%s", line);
    for (char *w = strtok(words, " "); w; w = strtok(NULL, " "))
        argv[argc++] = w;
    argv[argc] = NULL;
    options_parse(&o, argc, argv);
    return o;
}

START_TEST(test_options)
{
    struct options o =
        options_of("palimpsestd --config f --listen=unix:/x --postgres dbname=a --set a.b=c");
    ck_assert_int_eq(o.action, OPTIONS_RUN);
    ck_assert_str_eq(o.source.file, "f");
    ck_assert_uint_eq(o.source.nsets, 3);
    ck_assert_str_eq(o.source.sets[0], "listen.address=unix:/x");
    ck_assert_str_eq(o.source.sets[1], "postgres.conninfo=dbname=a");
    ck_assert_str_eq(o.source.sets[2], "a.b=c");
    options_fini(&o);
    ck_assert_int_eq(options_of("palimpsestd --check-config").action, OPTIONS_CHECK);
    static const char *const wrong[] = {"palimpsestd --nope", "palimpsestd word",
                                        "palimpsestd --set", "palimpsestd -x"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        o = options_of(wrong[i]);
        ck_assert_int_eq(o.action, OPTIONS_EXIT);
        ck_assert_int_eq(o.status, 2);
    }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("config");
    TCase *t = tcase_create("all");
    tcase_add_test(t, test_defaults);
    tcase_add_test(t, test_values);
    tcase_add_test(t, test_sources_in_order);
    tcase_add_test(t, test_reload);
    tcase_add_test(t, test_listen_parse);
    tcase_add_test(t, test_options);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
