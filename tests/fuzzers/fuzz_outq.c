/*
 * The queue of what is to be sent: any sequence of additions, marks, pins, sends and take-backs,
 * against a flat text.
 *
 * Laws: what comes out is what went in, in order, but for droppable blocks that were taken back; those
 * are whole blocks, none of which had begun to be sent, and everything before a pin stays; every
 * payload's references are given back.
 */
#include "daemon/outq.c"
#include "engine/base/buf.h"
#include "tests/fuzzers/input.h"

#define PAYLOADS   4
#define BLOCKS_MAX 4096

static struct outq q;
static struct buf model; /* all bytes ever added and not taken back */
static size_t sent, pinned;
static size_t blocks[BLOCKS_MAX]; /* where the droppable ones begin that are still there */
static size_t nblocks, taken;
static struct payload *payloads[PAYLOADS];

static void add(const void *p, size_t len)
{
    outq_add(&q, p, len);
    buf_add(&model, p, len);
}

static void add_payload(struct payload *p)
{
    outq_add_payload(&q, p);
    buf_add(&model, p->data, p->len);
}

/* A header and, mostly, a payload. */
static void add_block(struct input *in)
{
    uint8_t c = in_byte(in);
    if (nblocks == BLOCKS_MAX)
        return;
    outq_mark(&q, nblocks + 1, model.len);
    blocks[nblocks++] = model.len;
    add("DELTA x 0/1 1\n", 14);
    if (c & 3)
        add_payload(payloads[c % PAYLOADS]);
}

static void pin(void)
{
    outq_pin(&q);
    pinned = model.len;
    nblocks = 0;
}

static void taken_cb(void *arg, const struct outq_mark *m)
{
    size_t *expect = arg;
    must(m->sub == *expect + 1 && m->before == blocks[*expect]);
    (*expect)++;
    taken++;
}

static void take_back(void)
{
    size_t first = 0;
    while (first < nblocks && (blocks[first] < sent || blocks[first] < pinned))
        first++;
    size_t expect = first, end = nblocks;
    taken = 0;
    outq_take_back(&q, taken_cb, &expect);
    must(taken == end - first);
    if (first < end)
        model.len = blocks[first];
    nblocks = first;
}

static void send(struct input *in)
{
    struct iovec iov[3];
    size_t want = (size_t)in_byte(in) * (in_byte(in) & 3 ? 3 : 4000), n = 0;
    int pieces = outq_peek(&q, iov, 1 + in_byte(in) % 3);
    for (int i = 0; i < pieces && n < want; i++) {
        size_t take = iov[i].iov_len < want - n ? iov[i].iov_len : want - n;
        must(iov[i].iov_len);
        must(sent + n + take <= model.len);
        must(memcmp(iov[i].iov_base, model.data + sent + n, take) == 0);
        n += take;
    }
    outq_sent(&q, n);
    sent += n;
    /* A queue that ran empty has forgotten its marks; all of them had begun. */
}

static void set_up(void)
{
    static const size_t lengths[PAYLOADS] = {1, OUTQ_COPY_MAX, OUTQ_COPY_MAX + 1, 5000};
    outq_init(&q);
    buf_init(&model);
    sent = pinned = nblocks = 0;
    for (int i = 0; i < PAYLOADS; i++) {
        char *data = malloc(lengths[i]);
        must(data);
        memset(data, 'a' + i, lengths[i]);
        payloads[i] = payload_new(1, 1, data, lengths[i]);
    }
}

static void tear_down(void)
{
    outq_fini(&q);
    buf_fini(&model);
    for (int i = 0; i < PAYLOADS; i++) {
        must(atomic_load(&payloads[i]->refs) == 1);
        payload_unref(payloads[i]);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in = {data, data + size};
    set_up();
    for (int i = 0; i < 1000 && in_more(&in); i++) {
        uint8_t c = in_byte(&in);
        switch (c % 8) {
        case 0:
            add(in.p, (size_t)(in.end - in.p) < c ? (size_t)(in.end - in.p) : c);
            pin();
            break;
        case 1:
            add_payload(payloads[c / 8 % PAYLOADS]);
            pin();
            break;
        case 2:
        case 3:
        case 4: add_block(&in); break;
        case 5: take_back(); break;
        default: send(&in);
        }
        must(outq_bytes(&q) == model.len - sent);
    }
    tear_down();
    return 0;
}
