/*
 * The base: arenas, buffers, errors, LSNs, vectors.
 */
#include <check.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/arena.h"
#include "engine/base/buf.h"
#include "engine/base/err.h"
#include "engine/base/hash.h"
#include "engine/base/lsn.h"
#include "engine/base/vec.h"

/* ------------------------------------------------------------ arena */

START_TEST(arena_gives_aligned_disjoint_memory)
{
    struct arena a;
    uint8_t *last = NULL;
    arena_init(&a);
    for (size_t size = 1; size < 5000; size += 37) {
        uint8_t *p = arena_alloc(&a, size);
        ck_assert_uint_eq((uintptr_t)p % 8, 0);
        ck_assert_ptr_ne(p, last);
        memset(p, 0xAB, size);
        last = p;
    }
    ck_assert_uint_ge(a.bytes, 5000);
    arena_fini(&a);
    ck_assert_uint_eq(a.bytes, 0);
}
END_TEST

START_TEST(arena_reset_keeps_the_first_block)
{
    struct arena a;
    arena_init(&a);
    arena_reset(&a);
    void *first = arena_alloc(&a, 16);
    size_t small = a.bytes;
    arena_alloc(&a, 3 * 1024 * 1024); /* larger than any block made ahead */
    ck_assert_uint_gt(a.bytes, small);
    arena_reset(&a);
    ck_assert_uint_eq(a.bytes, small);
    ck_assert_ptr_eq(arena_alloc(&a, 16), first);
    arena_fini(&a);
}
END_TEST

START_TEST(arena_copies)
{
    struct arena a;
    arena_init(&a);
    ck_assert_str_eq(arena_strdup(&a, "text"), "text");
    ck_assert_str_eq(arena_strndup(&a, "text", 2), "te");
    ck_assert_str_eq(arena_printf(&a, "%s-%d", "n", 42), "n-42");
    ck_assert_mem_eq(arena_memdup(&a, "\0\1", 2), "\0\1", 2);
    int *zeros = ARENA_ARRAY(&a, int, 100);
    for (int i = 0; i < 100; i++)
        ck_assert_int_eq(zeros[i], 0);
    arena_fini(&a);
}
END_TEST

/* ------------------------------------------------------------ buf */

START_TEST(buf_grows_and_shrinks)
{
    struct buf b;
    buf_init(&b);
    for (int i = 0; i < 1000; i++)
        buf_addc(&b, (char)('a' + i % 26));
    buf_adds(&b, "tail");
    ck_assert_uint_eq(b.len, 1004);
    buf_consume(&b, 1000);
    ck_assert_str_eq(buf_cstr(&b), "tail");
    buf_add(&b, NULL, 0);
    buf_consume(&b, 4);
    ck_assert_uint_eq(b.len, 0);
    buf_fini(&b);
}
END_TEST

START_TEST(buf_prints)
{
    struct buf b;
    size_t len;
    buf_init(&b);
    buf_add_i64(&b, INT64_MIN);
    buf_addc(&b, ' ');
    buf_add_i64(&b, 0);
    buf_addc(&b, ' ');
    buf_add_i64(&b, INT64_MAX);
    ck_assert_str_eq(buf_cstr(&b), "-9223372036854775808 0 9223372036854775807");
    buf_reset(&b);
    buf_addf(&b, "%0200d", 7);
    ck_assert_uint_eq(b.len, 200);
    char *p = buf_take(&b, &len);
    ck_assert_uint_eq(len, 200);
    ck_assert_ptr_null(b.data);
    free(p);
    buf_fini(&b);
}
END_TEST

/* ------------------------------------------------------------ err */

START_TEST(err_carries_state_message_and_more)
{
    struct err e;
    err_clear(&e);
    ck_assert(!err_is_set(&e));
    ck_assert(!err_set(&e, ERR_FEATURE_NOT_SUPPORTED, "no %s", "luck"));
    ck_assert(err_is_set(&e));
    ck_assert_str_eq(e.sqlstate, "0A000");
    ck_assert_str_eq(e.message, "no luck");
    ck_assert_str_eq(e.hint, "");
    err_hint(&e, "try %d", 2);
    err_detail(&e, "why");
    ck_assert_str_eq(e.hint, "try 2");
    ck_assert_str_eq(e.detail, "why");
    err_set(&e, ERR_INTERNAL, "other");
    ck_assert_str_eq(e.hint, "");
}
END_TEST

START_TEST(err_is_cut_between_characters)
{
    struct err e;
    char long_text[1200];
    /* Shifted by one byte at a time, so that the cut falls on every byte of a character. */
    for (size_t shift = 0; shift < 4; shift++) {
        memset(long_text, 'a', sizeof long_text);
        for (size_t i = shift; i + 5 < sizeof long_text; i += 4)
            memcpy(long_text + i, "\xf0\x9f\x98\x80", 4);
        long_text[sizeof long_text - 1] = '\0';
        err_set(&e, ERR_INTERNAL, "%s", long_text);
        size_t n = strlen(e.message);
        ck_assert_uint_ge(n, sizeof e.message - 4);
        ck_assert_uint_eq((n - shift) % 4, 0);
        ck_assert_mem_eq(e.message, long_text, n);
    }
}
END_TEST

/* ------------------------------------------------------------ lsn */

START_TEST(lsn_goes_there_and_back)
{
    static const char *const texts[] = {"0/0", "0/16B3748", "16/B3748C0", "FFFFFFFF/FFFFFFFF"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        lsn_t lsn;
        char out[LSN_TEXT_MAX];
        ck_assert(lsn_parse(texts[i], strlen(texts[i]), &lsn));
        ck_assert_int_eq(lsn_print(lsn, out), (int)strlen(texts[i]));
        ck_assert_str_eq(out, texts[i]);
    }
}
END_TEST

START_TEST(lsn_refuses_other_text)
{
    static const char *const texts[] = {"",     "/",       "0",    "0/",          "/0",
                                        "0/G",  "0/0 ",    " 0/0", "0/123456789", "123456789/0",
                                        "0//0", "0x1/0x2", "-1/0"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        lsn_t lsn;
        ck_assert_msg(!lsn_parse(texts[i], strlen(texts[i]), &lsn), "%s was read", texts[i]);
    }
}
END_TEST

/* ------------------------------------------------------------ vec, hash */

START_TEST(vec_grows)
{
    VEC(int) v = {0};
    for (int i = 0; i < 1000; i++)
        VEC_PUSH(v, i);
    ck_assert_uint_eq(v.n, 1000);
    ck_assert_int_eq(v.v[999], 999);
    VEC_FREE(v);
    ck_assert_ptr_null(v.v);
}
END_TEST

START_TEST(hash_mix_spreads_small_integers)
{
    uint64_t low[256] = {0};
    for (uint64_t i = 0; i < 256 * 64; i++)
        low[hash_mix(0, i) & 255]++;
    for (size_t i = 0; i < 256; i++)
        ck_assert(low[i] > 16 && low[i] < 160);
    ck_assert_uint_eq(hash_bytes("x", 1), hash_bytes("x", 1));
}
END_TEST

int main(void)
{
    Suite *s = suite_create("base");
    TCase *tc = tcase_create("all");
    tcase_add_test(tc, arena_gives_aligned_disjoint_memory);
    tcase_add_test(tc, arena_reset_keeps_the_first_block);
    tcase_add_test(tc, arena_copies);
    tcase_add_test(tc, buf_grows_and_shrinks);
    tcase_add_test(tc, buf_prints);
    tcase_add_test(tc, err_carries_state_message_and_more);
    tcase_add_test(tc, err_is_cut_between_characters);
    tcase_add_test(tc, lsn_goes_there_and_back);
    tcase_add_test(tc, lsn_refuses_other_text);
    tcase_add_test(tc, vec_grows);
    tcase_add_test(tc, hash_mix_spreads_small_integers);
    suite_add_tcase(s, tc);
    SRunner *sr = srunner_create(s);
    srunner_run_all(sr, CK_NORMAL);
    int failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed != 0;
}
