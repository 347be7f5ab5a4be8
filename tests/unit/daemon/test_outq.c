/*
 * outq: whatever is added comes out once, in order, however the socket cuts it.
 */
#include <check.h>
#include <stdio.h>
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

static struct buf taken;

static void taken_cb(void *arg, const struct outq_mark *m)
{
    (void)arg;
    buf_addf(&taken, "%d/%d ", (int)m->sub, (int)m->before);
}

static const char *take_back(struct outq *q)
{
    buf_reset(&taken);
    outq_take_back(q, taken_cb, NULL);
    return buf_cstr(&taken);
}

static void add_droppable(struct outq *q, uint64_t sub, lsn_t before, struct payload *p)
{
    outq_mark(q, sub, before);
    outq_add(q, "DELTA\n", 6);
    if (p)
        outq_add_payload(q, p);
}

START_TEST(a_block_that_has_begun_is_not_taken_back)
{
    struct outq q;
    outq_init(&q);
    struct payload *p = payload_of(1000, 'x');
    add_droppable(&q, 1, 10, p);
    add_droppable(&q, 2, 10, p);
    add_droppable(&q, 1, 20, p);
    outq_sent(&q, 1);
    ck_assert_str_eq(take_back(&q), "2/10 1/20 ");
    ck_assert_uint_eq(outq_bytes(&q), 1005);
    ck_assert_str_eq(take_back(&q), "");
    ck_assert_int_eq(atomic_load(&p->refs), 2);
    outq_sent(&q, 1005);
    ck_assert_int_eq(atomic_load(&p->refs), 1);
    payload_unref(p);
    outq_fini(&q);
}
END_TEST

START_TEST(what_is_pinned_stays)
{
    struct outq q;
    outq_init(&q);
    add_droppable(&q, 1, 10, NULL);
    outq_add(&q, "SYNCED\n", 7);
    outq_pin(&q);
    ck_assert_str_eq(take_back(&q), "");
    add_droppable(&q, 1, 20, NULL);
    add_droppable(&q, 0, 0, NULL);
    ck_assert_str_eq(take_back(&q), "1/20 0/0 ");
    ck_assert_uint_eq(outq_bytes(&q), 13);
    outq_fini(&q);
}
END_TEST

START_TEST(a_whole_queue_can_be_taken_back)
{
    struct outq q;
    struct iovec iov[2];
    outq_init(&q);
    struct payload *p = payload_of(5000, 'x');
    for (int i = 0; i < 100; i++)
        add_droppable(&q, 1, (lsn_t)i, i % 2 ? p : NULL);
    take_back(&q);
    ck_assert_uint_eq(outq_bytes(&q), 0);
    ck_assert_int_eq(outq_peek(&q, iov, 2), 0);
    ck_assert_int_eq(atomic_load(&p->refs), 1);
    outq_add(&q, "x", 1);
    ck_assert_int_eq(outq_peek(&q, iov, 2), 1);
    payload_unref(p);
    outq_fini(&q);
}
END_TEST

/* Blocks of random size, sent piecemeal and taken back now and then: what comes out is a sequence of
 * whole blocks, numbered upwards, with all pinned ones among them. */
START_TEST(random_taking_back_leaves_whole_blocks)
{
    struct outq q;
    struct buf out;
    srand(13);
    outq_init(&q);
    buf_init(&out);
    int pinned = 0;
    for (int i = 0; i < 5000; i++) {
        char head[32];
        struct payload *p = payload_of((size_t)rand() % 1000, 'y');
        bool pin = rand() % 10 == 0;
        int n = snprintf(head, sizeof head, "<%d %d>", i, pin);
        if (!pin)
            outq_mark(&q, 1, (lsn_t)i);
        outq_add(&q, head, (size_t)n);
        outq_add_payload(&q, p);
        outq_add(&q, "!", 1);
        if (pin)
            outq_pin(&q);
        pinned += pin;
        payload_unref(p);
        if (rand() % 2 && outq_bytes(&q) > 0)
            send_some(&q, 1 + (size_t)rand() % 1500, &out);
        if (rand() % 8 == 0)
            take_back(&q);
    }
    while (outq_bytes(&q) > 0)
        send_some(&q, 100000, &out);
    int last = -1, got = 0, no, pin;
    for (const char *s = buf_cstr(&out); *s;) {
        ck_assert_int_eq(sscanf(s, "<%d %d>", &no, &pin), 2);
        ck_assert_int_gt(no, last);
        last = no;
        got += pin;
        s = strchr(s, '>') + 1;
        s += strspn(s, "y");
        ck_assert_int_eq(*s, '!');
        s++;
    }
    ck_assert_int_eq(got, pinned);
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
    tcase_add_test(tc, a_block_that_has_begun_is_not_taken_back);
    tcase_add_test(tc, what_is_pinned_stays);
    tcase_add_test(tc, a_whole_queue_can_be_taken_back);
    tcase_add_test(tc, random_taking_back_leaves_whole_blocks);
    suite_add_tcase(s, tc);
    SRunner *sr = srunner_create(s);
    srunner_run_all(sr, CK_NORMAL);
    int failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed != 0;
}
