/*
 * line: the splitter, fed whole, byte by byte and in random pieces.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/line.h"
#include "protocol/utf8.h"

#define LIMIT 8

/* Feeds data in pieces and renders what comes out: lines as "[line]", errors as "!". */
static const char *run(const char *data, size_t len, size_t piece, struct buf *out)
{
    struct line_splitter s;
    line_init(&s, LIMIT);
    buf_reset(out);
    for (size_t i = 0; i < len; i += piece) {
        const char *line;
        size_t n;
        struct err err;
        enum line_result r;
        line_feed(&s, data + i, len - i < piece ? len - i : piece);
        ck_assert_uint_le(line_pending(&s), LIMIT + 1 + piece);
        while ((r = line_next(&s, &line, &n, &err)) != LINE_NONE) {
            if (r == LINE_BAD) {
                ck_assert_str_eq(err.sqlstate, "08P01");
                buf_addc(out, '!');
            } else {
                buf_addf(out, "[%.*s]", (int)n, line);
            }
        }
    }
    line_trim(&s);
    line_fini(&s);
    return buf_cstr(out);
}

static void expect(const char *data, size_t len, const char *want)
{
    struct buf out;
    buf_init(&out);
    for (size_t piece = 1; piece <= len; piece++)
        ck_assert_str_eq(run(data, len, piece, &out), want);
    buf_fini(&out);
}

#define EXPECT(data, want) expect(data, sizeof data - 1, want)

START_TEST(test_lines)
{
    EXPECT("a\nbc\r\n\n\r\nd\n", "[a][bc][d]");
    EXPECT("12345678\n", "[12345678]");
    EXPECT("12345678\r\nx\n", "[12345678][x]");
    EXPECT("half", "");
    EXPECT("a\rb\n", "[a\rb]");
    EXPECT("gr\xC3\xBC\xC3\x9F\n", "[grüß]");
}
END_TEST

START_TEST(test_bad_lines_are_errors_of_their_own)
{
    EXPECT("a\n123456789\nb\n", "[a]![b]");
    EXPECT("a\n1234567890123456789012345678901234567890\nb\n", "[a]![b]");
    EXPECT("123456789\r\nb\n", "![b]");
    EXPECT("1234567890123456789", "!");
    EXPECT("x\0y\nb\n", "![b]");
    EXPECT("\xFF\nb\n", "![b]");
    EXPECT("\xC3\nb\n", "![b]");
}
END_TEST

START_TEST(test_utf8)
{
    static const char *const good[] = {"",
                                       "abc",
                                       "\x7F",
                                       "\xC2\x80",
                                       "\xDF\xBF",
                                       "\xE0\xA0\x80",
                                       "\xED\x9F\xBF",
                                       "\xEE\x80\x80",
                                       "\xEF\xBF\xBF",
                                       "\xF0\x90\x80\x80",
                                       "\xF4\x8F\xBF\xBF",
                                       "0123456789abcdef\xC3\xBCxyz"};
    static const char *const bad[] = {"\x80",
                                      "\xBF",
                                      "\xC0\x80",
                                      "\xC1\xBF",
                                      "\xC2",
                                      "\xC2x",
                                      "\xE0\x9F\xBF",
                                      "\xE0\xA0",
                                      "\xED\xA0\x80",
                                      "\xED\xBF\xBF",
                                      "\xF0\x8F\xBF\xBF",
                                      "\xF4\x90\x80\x80",
                                      "\xF5\x80\x80\x80",
                                      "\xFE",
                                      "\xFF",
                                      "abcdefgh\xC3",
                                      "\xF0\x90\x80x"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        ck_assert(utf8_valid(good[i], strlen(good[i])));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        ck_assert(!utf8_valid(bad[i], strlen(bad[i])));
}
END_TEST

START_TEST(test_endless_line_is_not_kept)
{
    struct line_splitter s;
    const char *line;
    size_t n;
    struct err err;
    char noise[1000];
    int bad = 0;
    memset(noise, 'x', sizeof noise);
    line_init(&s, 100);
    for (int i = 0; i < 10000; i++) {
        line_feed(&s, noise, sizeof noise);
        bad += line_next(&s, &line, &n, &err) == LINE_BAD;
    }
    ck_assert_int_eq(bad, 1);
    ck_assert_uint_lt(s.in.cap, 5000);
    line_feed(&s, "\nok\n", 4);
    ck_assert_int_eq(line_next(&s, &line, &n, &err), LINE_READY);
    ck_assert_uint_eq(n, 2);
    line_trim(&s);
    ck_assert_uint_eq(s.in.cap, 0);
    line_fini(&s);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("line");
    TCase *t = tcase_create("all");
    tcase_add_test(t, test_lines);
    tcase_add_test(t, test_bad_lines_are_errors_of_their_own);
    tcase_add_test(t, test_utf8);
    tcase_add_test(t, test_endless_line_is_not_kept);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
