/*
 * What a walsender may send: frames and pgoutput messages of any bytes, one after the other.
 *
 * The input is a list of messages, each with its length in two bytes; the first byte's top bit says
 * that they are frames. Laws: everything decoded lies in the message (each byte of it is read
 * here), the table that is peeked at is the one that is decoded, and nothing of an earlier message
 * shows.
 */
#include "protocol/pgoutput.h"
#include "tests/fuzzers/input.h"

static const char *from, *to;       /* the message */
static volatile unsigned long seen; /* so that reading isn't optimised away */

static void look(const void *p, size_t len)
{
    const unsigned char *c = p;
    must(!len || ((const char *)p >= from && (const char *)p + len <= to));
    for (size_t i = 0; i < len; i++)
        seen += c[i];
}

static void look_at_name(const char *s)
{
    look(s, strlen(s) + 1);
}

static void look_at_tuple(const struct pgo_tuple *t)
{
    must(t->n <= PG_COLUMNS_MAX);
    for (size_t i = 0; i < t->n; i++) {
        must(t->fields[i].kind <= PG_UNCHANGED);
        if (t->fields[i].kind == PG_TEXT || t->fields[i].kind == PG_BINARY)
            look(t->fields[i].data, t->fields[i].len);
    }
}

static void look_at_relation(const struct pgo_relation *r)
{
    must(r->ncolumns <= PG_COLUMNS_MAX);
    look_at_name(r->schema);
    look_at_name(r->name);
    for (size_t i = 0; i < r->ncolumns; i++)
        look_at_name(r->columns[i].name);
}

static void look_at(const struct pgo_message *m)
{
    switch (m->kind) {
    case PGO_BEGIN:
    case PGO_COMMIT: break;
    case PGO_ORIGIN: look_at_name(m->origin.name); break;
    case PGO_RELATION: look_at_relation(&m->relation); break;
    case PGO_TYPE:
        look_at_name(m->type.schema);
        look_at_name(m->type.name);
        break;
    case PGO_INSERT:
    case PGO_UPDATE:
    case PGO_DELETE:
        must(m->change.old_kind == PGO_OLD_NONE || m->change.old.n <= PG_COLUMNS_MAX);
        must(m->kind != PGO_DELETE || m->change.old_kind != PGO_OLD_NONE);
        look_at_tuple(&m->change.old);
        look_at_tuple(&m->change.new);
        break;
    case PGO_TRUNCATE:
        for (size_t i = 0; i < m->truncate.n; i++)
            seen += pgo_truncate_relid(m, i);
        look(m->truncate.relids, 4 * m->truncate.n);
        break;
    case PGO_MESSAGE:
        look_at_name(m->message.prefix);
        look(m->message.content, m->message.len);
        break;
    }
}

static uint32_t relid_of(const struct pgo_message *m)
{
    bool change = m->kind == PGO_INSERT || m->kind == PGO_UPDATE || m->kind == PGO_DELETE;
    return change ? m->change.relid : 0;
}

static void decode_message(const void *p, size_t len)
{
    static struct pgo_decoder decoder;
    struct pgo_message m;
    struct err err;
    char *copy = exact_copy(p, len);
    err_clear(&err);
    from = copy;
    to = copy + len;
    uint32_t peeked = pgo_peek_relid(copy, len);
    bool ok = pgo_decode(&decoder, copy, len, &m, &err);
    must(ok == !err_is_set(&err));
    if (ok) {
        look_at(&m);
        must(peeked == relid_of(&m));
    }
    free(copy);
}

static void decode_frame(const void *p, size_t len)
{
    struct frame f;
    struct err err;
    char *copy = exact_copy(p, len);
    err_clear(&err);
    bool ok = frame_decode(copy, len, &f, &err);
    must(ok == !err_is_set(&err));
    if (ok && f.kind == FRAME_WAL) {
        must((const char *)f.data >= copy && (const char *)f.data + f.len == copy + len);
        decode_message(f.data, f.len);
    }
    free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in = {data, data + size};
    bool frames = in_byte(&in) & 0x80;
    while (in_more(&in)) {
        size_t len = (size_t)in_byte(&in) << 8 | in_byte(&in), left = (size_t)(in.end - in.p);
        len = len < left ? len : left;
        if (frames)
            decode_frame(in.p, len);
        else
            decode_message(in.p, len);
        in.p += len;
    }
    return 0;
}
