/*
 * reply: every line, byte for byte.
 */
#include <check.h>
#include <string.h>

#include "protocol/json.h"
#include "protocol/reply.h"

static struct buf b;

static void setup(void)
{
    buf_init(&b);
}

static void teardown(void)
{
    buf_fini(&b);
}

static void is(const char *want)
{
    ck_assert_str_eq(buf_cstr(&b), want);
    buf_reset(&b);
}

START_TEST(test_plain_lines)
{
    reply_hello(&b, "0.1.0");
    is("HELLO {\"server\":\"palimpsestd\",\"version\":\"0.1.0\",\"protocol\":1}\n");
    reply_snapshot(&b, "top", 0x16B3748, 2);
    is("SNAPSHOT top 0/16B3748 2\n");
    reply_delta(&b, "top", 0xA016B3800, 0);
    is("DELTA top A/16B3800 0\n");
    reply_progress(&b, 0x10);
    is("PROGRESS 0/10\n");
    reply_synced(&b, UINT64_MAX);
    is("SYNCED FFFFFFFF/FFFFFFFF\n");
    reply_released(&b, "a");
    is("RELEASED a\n");
    reply_pong(&b, NULL);
    reply_pong(&b, "x");
    reply_bye(&b);
    is("PONG\nPONG x\nBYE\n");
    reply_resync(&b, "a", RESYNC_SLOW_CONSUMER);
    reply_resync(&b, "a", RESYNC_SCHEMA_CHANGED);
    reply_resync(&b, "a", RESYNC_SINCE_TOO_OLD);
    reply_resync(&b, "a", RESYNC_DIVERGED);
    reply_resync(&b, "a", RESYNC_TIMELINE);
    is("RESYNC a slow_consumer\nRESYNC a schema_changed\nRESYNC a since_too_old\n"
       "RESYNC a diverged\nRESYNC a timeline\n");
}
END_TEST

START_TEST(test_accepted)
{
    static const struct reply_column columns[] = {{"category_id", "integer"}, {"n\"", "bigint"}};
    static const struct reply_order order[] = {{"total", true, true}, {NULL, false, false}};
    reply_accepted(&b, "top", "5f0c2b7e91d3aa04", NULL, columns, 2, NULL, 0);
    is("ACCEPTED top {\"plan\":\"5f0c2b7e91d3aa04\",\"mode\":\"incremental\",\"columns\":"
       "[{\"name\":\"category_id\",\"type\":\"integer\"},{\"name\":\"n\\\"\",\"type\":\"bigint\"}],"
       "\"order\":[]}\n");
    reply_accepted(&b, "x", "00", "a window function", NULL, 0, order, 2);
    is("ACCEPTED x {\"plan\":\"00\",\"mode\":\"rerun\",\"reason\":\"a window "
       "function\",\"columns\":[],\"order\":["
       "{\"column\":\"total\",\"desc\":true,\"nulls_first\":true},"
       "{\"column\":null,\"desc\":false,\"nulls_first\":false}]}\n");
}
END_TEST

START_TEST(test_errors)
{
    struct err e;
    err_set(&e, "42601", "syntax error at or near \"%s\"", "x");
    reply_error(&b, NULL, &e);
    is("ERROR - 42601 {\"message\":\"syntax error at or near \\\"x\\\"\"}\n");
    e.position = 7;
    err_hint(&e, "line\nbreak");
    err_detail(&e, "d\x01\\");
    reply_error(&b, "a", &e);
    is("ERROR a 42601 {\"message\":\"syntax error at or near \\\"x\\\"\",\"position\":7,"
       "\"hint\":\"line\\nbreak\",\"detail\":\"d\\u0001\\\\\"}\n");
    err_set(&e, "22012", "division by zero");
    reply_failed(&b, "a", 255, &e);
    is("FAILED a 0/FF {\"sqlstate\":\"22012\",\"message\":\"division by zero\"}\n");
}
END_TEST

START_TEST(test_blocks)
{
    reply_explain(&b, "x", "one\n  two\n", 10);
    is("EXPLAIN x 2\n* one\n*   two\n");
    reply_explain(&b, "x", NULL, 0);
    is("EXPLAIN x 0\n");
    reply_status(&b, "{\"a\":1}", 7);
    is("STATUS {\"a\":1}\n");
    reply_list(&b, 1);
    reply_list_plan(&b, &(struct reply_plan){"00", "SELECT 1", "incremental", "live", 3, 2, 99, 0});
    is("PLANS 1\n* {\"plan\":\"00\",\"sql\":\"SELECT "
       "1\",\"mode\":\"incremental\",\"state\":\"live\","
       "\"subscribers\":3,\"rows\":2,\"bytes\":99,\"lsn\":null}\n");
}
END_TEST

START_TEST(test_json)
{
    struct json j = json_begin(&b);
    json_open(&j, NULL, '{');
    json_int(&j, "i", INT64_MIN);
    json_uint(&j, "u", UINT64_MAX);
    json_open(&j, "a", '[');
    json_str(&j, NULL, "ü\b\f\r\t\x1f/");
    json_str(&j, NULL, NULL);
    json_bool(&j, NULL, false);
    json_open(&j, NULL, '[');
    json_close(&j);
    json_close(&j);
    json_lsn(&j, "l", 16);
    json_close(&j);
    is("{\"i\":-9223372036854775808,\"u\":18446744073709551615,"
       "\"a\":[\"ü\\b\\f\\r\\t\\u001f/\",null,false,[]],\"l\":\"0/10\"}");
}
END_TEST

int main(void)
{
    Suite *s = suite_create("reply");
    TCase *t = tcase_create("all");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, test_plain_lines);
    tcase_add_test(t, test_accepted);
    tcase_add_test(t, test_errors);
    tcase_add_test(t, test_blocks);
    tcase_add_test(t, test_json);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
