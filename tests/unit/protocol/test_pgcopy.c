/*
 * pgcopy: a captured COPY against the same values in hexadecimal, what is malformed, and noise.
 */
#include "tests/unit/protocol/fixture.h"

#include "protocol/pgcopy.h"

static struct err err;

static bool next_line(FILE *f, struct buf *line)
{
    int c;
    buf_reset(line);
    while ((c = getc(f)) != EOF) {
        buf_addc(line, (char)c);
        if (c == '\n')
            return true;
    }
    return false;
}

/* As Postgres's encode(…, 'hex') in a COPY has it. */
static void print_row(struct buf *b, const struct pg_field *fields, size_t n)
{
    buf_reset(b);
    for (size_t i = 0; i < n; i++) {
        buf_adds(b, i ? "\t" : "");
        if (fields[i].kind == PG_NULL)
            buf_adds(b, "\\N");
        for (size_t k = 0; k < fields[i].len; k++)
            buf_addf(b, "%02x", (unsigned char)fields[i].data[k]);
    }
    buf_addc(b, '\n');
}

START_TEST(test_captured)
{
    struct buf text, hex, got;
    struct pg_field fields[3];
    FILE *t = fixture_open(FIXTURES "copy.txt"), *h = fixture_open(FIXTURES "copy.hex");
    int rows = 0;
    buf_init(&text);
    buf_init(&hex);
    buf_init(&got);
    while (next_line(t, &text)) {
        ck_assert(next_line(h, &hex));
        ck_assert_msg(pgcopy_split(text.data, text.len, fields, 3, &err), "%s", err.message);
        print_row(&got, fields, 3);
        ck_assert_str_eq(buf_cstr(&got), buf_cstr(&hex));
        rows++;
    }
    ck_assert_int_eq(rows, 133);
    buf_fini(&text);
    buf_fini(&hex);
    buf_fini(&got);
    fclose(t);
    fclose(h);
}
END_TEST

/* Splits into n fields and renders them with | between; NULL as ~; "!" when it is refused. */
static const char *split(const char *line, size_t n)
{
    static char out[256];
    char copy[128];
    struct pg_field fields[4];
    size_t len = strlen(line), used = 0;
    memcpy(copy, line, len);
    if (!pgcopy_split(copy, len, fields, n, &err))
        return "!";
    out[0] = '\0';
    for (size_t i = 0; i < n; i++)
        used += (size_t)snprintf(out + used, sizeof out - used, "%s%.*s", i ? "|" : "",
                                 fields[i].kind == PG_NULL ? 1 : (int)fields[i].len,
                                 fields[i].kind == PG_NULL ? "~" : fields[i].data);
    return out;
}

START_TEST(test_escapes)
{
    ck_assert_str_eq(split("a\tb\n", 2), "a|b");
    ck_assert_str_eq(split("a\tb", 2), "a|b");
    ck_assert_str_eq(split("\t\n", 2), "|");
    ck_assert_str_eq(split("\n", 1), "");
    ck_assert_str_eq(split("\n", 0), "");
    ck_assert_str_eq(split("\\N\t\\\\N\t\\Nx\n", 3), "~|\\N|Nx");
    ck_assert_str_eq(split("\\x41\\x4\\xg\t\\101\\60z\n", 2), "A\x04xg|A0z");
    ck_assert_str_eq(split("\\b\\f\\n\\r\\t\\v\\q\n", 1), "\b\f\n\r\t\vq");
    ck_assert_str_eq(split("a\n", 2), "!");
    ck_assert_str_eq(split("a\tb\tc\n", 2), "!");
    ck_assert_str_eq(split("a\n", 0), "!");
    ck_assert_str_eq(split("a\\\n", 1), "!");
    ck_assert_str_eq(split("a\\\tb\n", 2), "!");
    ck_assert_str_eq(err.sqlstate, "08P01");
}
END_TEST

START_TEST(test_damaged)
{
    struct buf line;
    struct pg_field fields[3];
    FILE *f = fixture_open(FIXTURES "copy.txt");
    fixture_seed();
    buf_init(&line);
    while (next_line(f, &line)) {
        for (int round = 0; round < 200; round++) {
            size_t len;
            char *bytes = fixture_mutate(&line, &len);
            size_t n = (size_t)random() % 4;
            if (pgcopy_split(bytes, len, fields, n, &err))
                for (size_t i = 0; i < n; i++)
                    ck_assert(fields[i].kind == PG_NULL ||
                              fields[i].data + fields[i].len <= bytes + len);
            free(bytes);
        }
    }
    buf_fini(&line);
    fclose(f);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("pgcopy");
    TCase *t = tcase_create("all");
    tcase_set_timeout(t, 60);
    tcase_add_test(t, test_captured);
    tcase_add_test(t, test_escapes);
    tcase_add_test(t, test_damaged);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
