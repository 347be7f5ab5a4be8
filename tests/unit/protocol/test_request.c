/*
 * request: both forms of every verb, what is refused and with which words, and lines made of noise.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/reply.h"
#include "protocol/request.h"

static struct arena arena;
static struct request req;
static struct err err;

static void setup(void)
{
    arena_init(&arena);
}

static void teardown(void)
{
    arena_fini(&arena);
}

/* The line is copied to a block of its own size, so that a sanitizer sees a read beyond it. */
static bool parse_n(const char *line, size_t len)
{
    char *copy = malloc(len);
    memcpy(copy, line, len);
    err_clear(&err);
    bool ok = request_parse(copy, len, &arena, &req, &err);
    free(copy);
    ck_assert(ok != err_is_set(&err));
    return ok;
}

static void parse(const char *line)
{
    bool ok = parse_n(line, strlen(line));
    ck_assert_msg(ok, "%s: %s", line, err.message);
}

static void refuse(const char *line, const char *sqlstate, const char *id)
{
    bool ok = parse_n(line, strlen(line));
    ck_assert_msg(!ok, "%s", line);
    ck_assert_str_eq(err.sqlstate, sqlstate);
    ck_assert_pstr_eq(req.id, id);
}

START_TEST(test_text_forms)
{
    parse("SUBSCRIBE top  SELECT a;  b FROM t ; ");
    ck_assert_int_eq(req.verb, VERB_SUBSCRIBE);
    ck_assert_str_eq(req.id, "top");
    ck_assert_str_eq(req.sql, "SELECT a;  b FROM t");
    ck_assert_uint_eq(req.sql_len, strlen(req.sql));
    ck_assert_uint_eq(req.nparams, 0);
    parse("query Q.1:-_ table t");
    ck_assert_int_eq(req.verb, VERB_QUERY);
    ck_assert_str_eq(req.id, "Q.1:-_");
    parse("EXPLAIN\tx\tselect 1");
    ck_assert_int_eq(req.verb, VERB_EXPLAIN);
    ck_assert_str_eq(req.sql, "select 1");
    parse("  release x ");
    ck_assert_int_eq(req.verb, VERB_RELEASE);
    ck_assert_str_eq(req.id, "x");
    parse("LIST");
    ck_assert_int_eq(req.verb, VERB_LIST);
    parse("Status");
    parse("HELP");
    parse("QUIT");
    ck_assert_int_eq(req.verb, VERB_QUIT);
    parse("PING");
    ck_assert_ptr_null(req.word);
    parse("PING grüße");
    ck_assert_str_eq(req.word, "grüße");
}
END_TEST

START_TEST(test_since)
{
    parse("{\"op\":\"subscribe\",\"id\":\"a\",\"sql\":\"x\"}");
    ck_assert(!req.has_since);
    parse("{\"op\":\"subscribe\",\"id\":\"a\",\"sql\":\"x\",\"since\":\"16/B374C8\"}");
    ck_assert(req.has_since);
    ck_assert_uint_eq(req.since, 0x1600B374C8);
    refuse("{\"op\":\"query\",\"id\":\"a\",\"sql\":\"x\",\"since\":\"0/1\"}", "08P01", "a");
}
END_TEST

START_TEST(test_marks)
{
    parse("MARKS on");
    ck_assert(req.on);
    parse("MARKS OFF");
    ck_assert(!req.on);
    parse("{\"op\":\"marks\",\"mode\":\"on\"}");
    ck_assert(req.on);
    refuse("MARKS", "08P01", NULL);
    refuse("MARKS maybe", "08P01", NULL);
    refuse("{\"op\":\"marks\",\"mode\":1}", "08P01", NULL);
}
END_TEST

START_TEST(test_min_interval)
{
    parse("{\"op\":\"subscribe\",\"id\":\"a\",\"sql\":\"x\"}");
    ck_assert_uint_eq(req.min_interval_ms, 0);
    parse("{\"op\":\"subscribe\",\"id\":\"a\",\"sql\":\"x\",\"min_interval_ms\":86400000}");
    ck_assert_uint_eq(req.min_interval_ms, 86400000);
    parse("{\"op\":\"subscribe\",\"id\":\"a\",\"sql\":\"x\",\"min_interval_ms\":0}");
    ck_assert_uint_eq(req.min_interval_ms, 0);
    static const char *const wrong[] = {"86400001", "-1", "1.5", "\"100\"", "true", "1000000000"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        char line[120];
        snprintf(line, sizeof line,
                 "{\"op\":\"subscribe\",\"id\":\"a\",\"sql\":\"x\",\"min_interval_ms\":%s}",
                 wrong[i]);
        refuse(line, "08P01", "a");
    }
    refuse("{\"op\":\"query\",\"id\":\"a\",\"sql\":\"x\",\"min_interval_ms\":1}", "08P01", "a");
}
END_TEST

START_TEST(test_sync_and_progress)
{
    parse("SYNC");
    ck_assert(!req.has_lsn);
    parse("SYNC 16/B374C8");
    ck_assert(req.has_lsn);
    ck_assert_uint_eq(req.lsn, 0x1600B374C8);
    parse("{\"op\":\"sync\",\"lsn\":\"0/1\"}");
    ck_assert_uint_eq(req.lsn, 1);
    parse("{\"op\":\"sync\",\"lsn\":null}");
    ck_assert(!req.has_lsn);
    parse("PROGRESS each");
    ck_assert_int_eq(req.mode, PROGRESS_EACH);
    parse("PROGRESS OFF");
    ck_assert_int_eq(req.mode, PROGRESS_OFF);
    parse("PROGRESS 250");
    ck_assert_int_eq(req.mode, PROGRESS_EVERY);
    ck_assert_uint_eq(req.every_ms, 250);
    parse("{\"op\":\"progress\",\"mode\":1}");
    ck_assert_uint_eq(req.every_ms, 1);
    parse("{\"op\":\"progress\",\"mode\":\"each\"}");
    ck_assert_int_eq(req.mode, PROGRESS_EACH);
    refuse("PROGRESS", "08P01", NULL);
    refuse("PROGRESS 0", "08P01", NULL);
    refuse("PROGRESS -1", "08P01", NULL);
    refuse("PROGRESS 86400001", "08P01", NULL);
    refuse("PROGRESS 99999999999999999999", "08P01", NULL);
    refuse("PROGRESS 1 2", "08P01", NULL);
    refuse("{\"op\":\"progress\",\"mode\":1.5}", "08P01", NULL);
    refuse("{\"op\":\"progress\",\"mode\":\"1\"}", "08P01", NULL);
    refuse("{\"op\":\"progress\",\"mode\":true}", "08P01", NULL);
    refuse("{\"op\":\"progress\"}", "08P01", NULL);
    refuse("SYNC 0", "08P01", NULL);
    refuse("SYNC 0/G", "08P01", NULL);
}
END_TEST

START_TEST(test_json_params_keep_their_spelling)
{
    static const char *const want[] = {"1.10",   "-0",          "12345678901234567890123",
                                       "1E+400", "true",        "false",
                                       NULL,     "x\ty\"z 1.5", ""};
    parse("{\"op\":\"subscribe\",\"id\":\"a\",\"sql\":\"select $1 -- 7;\\n\","
          "\"params\":[1.10,-0, 12345678901234567890123 ,1E+400,true,false,null,"
          "\"x\\ty\\\"z 1.5\",\"\"]}");
    ck_assert_str_eq(req.sql, "select $1 -- 7");
    ck_assert_uint_eq(req.nparams, sizeof want / sizeof *want);
    for (size_t i = 0; i < req.nparams; i++) {
        ck_assert_int_eq(req.params[i].null, want[i] == NULL);
        ck_assert_pstr_eq(req.params[i].text, want[i]);
        if (want[i])
            ck_assert_uint_eq(req.params[i].len, strlen(want[i]));
    }
    parse("{ \"params\" : [] , \"sql\":\"table t\",\"id\":\"b\", \"op\":\"QUERY\" }");
    ck_assert_uint_eq(req.nparams, 0);
    parse("{\"op\":\"explain\",\"id\":\"b\",\"sql\":\"t\",\"params\":null}");
    ck_assert_uint_eq(req.nparams, 0);
    parse(
        "{\"op\":\"query\",\"id\":\"b\",\"sql\":\"  x\",\"params\":[\"gr\\u00fc\\ud83d\\ude00\"]}");
    ck_assert_str_eq(req.params[0].text, "grü😀");
    ck_assert_str_eq(req.sql, "  x");
}
END_TEST

START_TEST(test_malformed)
{
    refuse("{\"op\":\"ping\",\"\":\"x\"}", "08P01", NULL);
    refuse("{\"op\":\"ping\",\"op word\":\"x\"}", "08P01", NULL);
    static const char *const noid[] = {
        " ",
        "FOO",
        "SUBSCRIBE",
        "SUBSCRIBE a/b select 1",
        "SUBSCRIBE - select 1",
        "RELEASE",

        "LIST x",
        "PING a b",
        "{",
        "{}",
        "{]",
        "[]",
        "{\"op\":1}",
        "{\"op\":\"nope\"}",
        "{\"op\":\"list\",\"op\":\"list\"}",
        "{\"op\":\"list\"} x",
        "{\"op\":\"ping\",\"word\":\"a\\nb\"}",
        "{\"op\":\"ping\",\"word\":\"a\\u0000b\"}",
        "{\"op\":\"release\",\"id\":7}",
        "{\"op\":\"release\",\"id\":\"a b\"}",
        "{\"op\":\"release\",\"id\":\"\"}",
        "{\"op\":\"sync\",\"lsn\":01}",
        "{\"op\":\"sync\",\"lsn\":1-2}",
        "{\"op\":\"sync\",\"lsn\":1.}",
        "{\"op\":\"sync\",\"lsn\":-}",
        "{\"op\":\"list\",\"sql\":\"x\"}",
        "{\"op\":\"list\",\"\":1}",
        "{\"op\":\"list\",\"id sql\":1}",
        "RELEASE 0123456789012345678901234567890123456789012345678901234567890123x",
        "{\"op\":\"ping\",\"word\":\"unterminated",
        "{\"op\":\"ping\",\"word\":\"x\\",
    };
    static const char *const withid[] = {
        "RELEASE a b",
        "SUBSCRIBE a",
        "SUBSCRIBE a ;",
        "SUBSCRIBE a @",
        "{\"op\":\"subscribe\",\"id\":\"a\"}",
        "{\"op\":\"subscribe\",\"id\":\"a\",\"sql\":7}",
        "{\"op\":\"subscribe\",\"id\":\"a\",\"sql\":\"\"}",
        "{\"op\":\"subscribe\",\"id\":\"a\",\"sql\":\"x\",\"parms\":[]}",
        "{\"op\":\"subscribe\",\"id\":\"a\",\"sql\":\"x\",\"params\":{}}",
        "{\"op\":\"subscribe\",\"id\":\"a\",\"sql\":\"x\",\"params\":[[1]]}",
        "{\"op\":\"subscribe\",\"id\":\"a\",\"sql\":\"x\",\"since\":5}",
        "{\"op\":\"nope\",\"id\":\"a\"}",
        "{\"id\":\"a\"}",
        "{\"op\":\"query\",\"id\":\"a\",\"query\":\"q\"}",
    };
    for (size_t i = 0; i < sizeof noid / sizeof *noid; i++)
        refuse(noid[i], "08P01", NULL);
    for (size_t i = 0; i < sizeof withid / sizeof *withid; i++)
        refuse(withid[i], "08P01", "a");
    refuse("EXPLAIN", "08P01", NULL);
    ck_assert_str_eq(err.message, "EXPLAIN needs an id");
    ck_assert_str_eq(err.hint, "EXPLAIN id select…");
}
END_TEST

START_TEST(test_not_in_this_version)
{
    refuse("AUTH u p", "0A000", NULL);
    refuse("{\"op\":\"auth\",\"user\":\"u\",\"password\":\"\"}", "0A000", NULL);
    refuse("AUTH u", "08P01", NULL);
    refuse("SUBSCRIBE a @top [7,\"x\"]", "0A000", "a");
    refuse("SUBSCRIBE a @top", "0A000", "a");
    refuse("SUBSCRIBE a @top [", "08P01", "a");
    refuse("SUBSCRIBE a @top {}", "08P01", "a");
    refuse("{\"op\":\"subscribe\",\"id\":\"a\",\"query\":\"top\"}", "0A000", "a");
}
END_TEST

/* Deep JSON must not overflow the stack, many numbers not the table. */
START_TEST(test_large)
{
    size_t n = 200000;
    char *line = malloc(2 * n + 64);
    memset(line, '[', n);
    line[n] = '\0';
    memcpy(line, "{\"a\":", 5);
    ck_assert(!parse_n(line, n));
    ck_assert_str_eq(err.sqlstate, "08P01");
    char *p = line + sprintf(line, "{\"op\":\"query\",\"id\":\"a\",\"sql\":\"x\",\"params\":[");
    for (size_t i = 0; i < n; i++)
        p += sprintf(p, "%zu,", i % 10);
    memcpy(p - 1, "]}", 3);
    refuse(line, "08P01", "a");
    strcpy(strchr(line, '[') + 2 * 65535, "]}");
    parse(line);
    ck_assert_uint_eq(req.nparams, 65535);
    ck_assert_str_eq(req.params[65534].text, "4");
    free(line);
}
END_TEST

static unsigned seed_of_run(void)
{
    const char *s = getenv("SEED");
    unsigned seed = s ? (unsigned)strtoul(s, NULL, 10) : (unsigned)(uintptr_t)&s ^ 0x5EED;
    fprintf(stderr, "SEED=%u\n", seed);
    return seed;
}

START_TEST(test_noise)
{
    static const char *const seeds[] = {
        "SUBSCRIBE top SELECT category_id, count(*) FROM events GROUP BY 1;",
        "{\"op\":\"subscribe\",\"id\":\"top\",\"sql\":\"SELECT "
        "$1\",\"params\":[7,-1.5e3,\"x\",null]}",
        "{\"op\":\"progress\",\"mode\":100}",
        "SUBSCRIBE a @q [1,2,{\"x\":[3]}]",
        "SYNC 0/16B3748",
        "{\"op\":\"sync\",\"lsn\":\"0/16B3748\"}",
    };
    srandom(seed_of_run());
    for (int round = 0; round < 20000; round++) {
        char line[256];
        const char *from = seeds[(size_t)random() % (sizeof seeds / sizeof *seeds)];
        size_t len = strlen(from);
        memcpy(line, from, len);
        for (long n = random() % 6; n >= 0; n--) {
            static const char bytes[] = "{}[]\",:\\0123456789-+.eEu tfn@;\t";
            size_t at = (size_t)random() % len;
            if (random() % 3)
                line[at] = bytes[(size_t)random() % (sizeof bytes - 1)];
            else
                memmove(line + at, line + at + 1, --len - at);
        }
        (void)parse_n(line, len);
        arena_reset(&arena);
    }
}
END_TEST

START_TEST(test_help_lists_every_verb)
{
    struct buf b;
    buf_init(&b);
    reply_help(&b);
    const char *text = buf_cstr(&b);
    ck_assert_msg(strncmp(text, "HELP 14\n* SUBSCRIBE id select…: ", 32) == 0, "%s", text);
    ck_assert_ptr_nonnull(strstr(text, "\n* LIST: the plans"));
    int lines = 0;
    for (const char *p = text; *p; p++)
        lines += *p == '\n';
    ck_assert_int_eq(lines, VERB_COUNT + 1);
    buf_fini(&b);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("request");
    TCase *t = tcase_create("all");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 60);
    tcase_add_test(t, test_text_forms);
    tcase_add_test(t, test_since);
    tcase_add_test(t, test_marks);
    tcase_add_test(t, test_min_interval);
    tcase_add_test(t, test_sync_and_progress);
    tcase_add_test(t, test_json_params_keep_their_spelling);
    tcase_add_test(t, test_malformed);
    tcase_add_test(t, test_not_in_this_version);
    tcase_add_test(t, test_large);
    tcase_add_test(t, test_noise);
    tcase_add_test(t, test_help_lists_every_verb);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
