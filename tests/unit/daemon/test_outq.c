/*
 * outq: whatever is added comes out once, in order, however the socket cuts it.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/outq.c"
#include "engine/base/buf.h"

static struct payload *payload_of(size_t len, char fill)
{
    char *data = xmalloc(len + 1);
    memset(data, fill, len);
    return payload_new(1, 1, data, len);
}

/* Sends up to n bytes of what is queued and appends them to out. */
static void send_some(struct outq *q, size_t n, struct buf *out)
{
    struct iovec iov[3];
    int pieces = outq_peek(q, iov, 3);
    size_t sent = 0;
    for (int i = 0; i < pieces && sent < n; i++) {
        size_t take = iov[i].iov_len < n - sent ? iov[i].iov_len : n - sent;
        buf_add(out, iov[i].iov_base, take);
        sent += take;
    }
    outq_sent(q, sent);
}

START_TEST(empty_queue_has_nothing_to_send)
{
    struct outq q;
    struct iovec iov[2];
    outq_init(&q);
    outq_add(&q, "", 0);
    ck_assert_int_eq(outq_peek(&q, iov, 2), 0);
    ck_assert_uint_eq(outq_bytes(&q), 0);
    outq_fini(&q);
}
END_TEST

START_TEST(small_pieces_become_one)
{
    struct outq q;
    struct iovec iov[4];
    outq_init(&q);
    struct payload *p = payload_of(OUTQ_COPY_MAX, 'x');
    outq_add(&q, "DELTA a\n", 8);
    outq_add_payload(&q, p);
    outq_add(&q, "DELTA b\n", 8);
    ck_assert_int_eq(outq_peek(&q, iov, 4), 1);
    ck_assert_uint_eq(iov[0].iov_len, 16 + OUTQ_COPY_MAX);
    ck_assert_int_eq(atomic_load(&p->refs), 1);
    payload_unref(p);
    outq_fini(&q);
}
END_TEST

START_TEST(large_payloads_are_shared_and_let_go_once_sent)
{
    struct outq a, b;
    struct iovec iov[4];
    outq_init(&a);
    outq_init(&b);
    struct payload *p = payload_of(10000, 'x');
    outq_add(&a, "h", 1);
    outq_add_payload(&a, p);
    outq_add(&b, "h", 1);
    outq_add_payload(&b, p);
    ck_assert_int_eq(atomic_load(&p->refs), 3);
    ck_assert_int_eq(outq_peek(&a, iov, 4), 2);
    ck_assert_ptr_eq(iov[1].iov_base, p->data);
    outq_sent(&a, 5000);
    ck_assert_int_eq(atomic_load(&p->refs), 3);
    outq_sent(&a, 5001);
    ck_assert_int_eq(atomic_load(&p->refs), 2);
    outq_fini(&b);
    ck_assert_int_eq(atomic_load(&p->refs), 1);
    payload_unref(p);
    outq_fini(&a);
}
END_TEST

START_TEST(random_sequences_come_out_as_they_went_in)
{
    struct outq q;
    struct buf in, out;
    srand(7);
    outq_init(&q);
    buf_init(&in);
    buf_init(&out);
    for (int i = 0; i < 20000; i++) {
        char fill = (char)('a' + rand() % 26);
        size_t len = (size_t)rand() % (rand() % 10 == 0 ? 40000 : 300);
        struct payload *p = payload_of(len, fill);
        buf_add(&in, p->data, len);
        if (rand() % 2)
            outq_add_payload(&q, p);
        else
            outq_add(&q, p->data, len);
        payload_unref(p);
        while (rand() % 3 && outq_bytes(&q) > 0)
            send_some(&q, 1 + (size_t)rand() % 5000, &out);
        ck_assert_uint_eq(out.len + outq_bytes(&q), in.len);
    }
    while (outq_bytes(&q) > 0)
        send_some(&q, 100000, &out);
    ck_assert_uint_eq(out.len, in.len);
    ck_assert_mem_eq(out.data, in.data, in.len);
    buf_fini(&in);
    buf_fini(&out);
    outq_fini(&q);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("outq");
    TCase *tc = tcase_create("outq");
    tcase_add_test(tc, empty_queue_has_nothing_to_send);
    tcase_add_test(tc, small_pieces_become_one);
    tcase_add_test(tc, large_payloads_are_shared_and_let_go_once_sent);
    tcase_add_test(tc, random_sequences_come_out_as_they_went_in);
    suite_add_tcase(s, tc);
    SRunner *sr = srunner_create(s);
    srunner_run_all(sr, CK_NORMAL);
    int failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed != 0;
}
