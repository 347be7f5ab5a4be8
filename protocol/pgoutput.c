/*
 * pgoutput: the decoder of pgoutput.h: one function a message kind, over a reader that remembers
 * failure, so that a message is checked once, at its end.
 *
 * After a failed read all further reads give zeros and empty strings, never a pointer outside the
 * message; what was read is thrown away with the message. Only loops must ask r->bad in between.
 */
#include "protocol/pgoutput.h"

#include <assert.h>
#include <endian.h>
#include <string.h>

struct reader {
    const uint8_t *at, *end;
    const char *bad; /* what was wrong first; NULL = nothing */
};

static void fail(struct reader *r, const char *what)
{
    if (!r->bad)
        r->bad = what;
    r->at = r->end;
}

static const uint8_t *get_bytes(struct reader *r, size_t n)
{
    const uint8_t *p = r->at;
    if ((size_t)(r->end - p) < n) {
        fail(r, "it is cut short");
        return NULL;
    }
    r->at += n;
    return p;
}

static uint8_t get_u8(struct reader *r)
{
    const uint8_t *p = get_bytes(r, 1);
    return p ? *p : 0;
}

static uint32_t load_u32(const uint8_t *p)
{
    uint32_t v;
    memcpy(&v, p, sizeof v);
    return be32toh(v);
}

static uint16_t get_u16(struct reader *r)
{
    const uint8_t *p = get_bytes(r, 2);
    return p ? (uint16_t)(p[0] << 8 | p[1]) : 0;
}

static uint32_t get_u32(struct reader *r)
{
    const uint8_t *p = get_bytes(r, 4);
    return p ? load_u32(p) : 0;
}

static uint64_t get_u64(struct reader *r)
{
    uint64_t v = 0;
    const uint8_t *p = get_bytes(r, 8);
    if (p)
        memcpy(&v, p, sizeof v);
    return be64toh(v);
}

static const char *get_string(struct reader *r)
{
    size_t left = (size_t)(r->end - r->at);
    const uint8_t *p = r->at, *nul = left ? memchr(p, '\0', left) : NULL;
    if (!nul) {
        fail(r, "a string has no end");
        return "";
    }
    r->at = nul + 1;
    return (const char *)p;
}

/* Whether all of the message was read and nothing but it. */
static bool done(struct reader *r, const char *what, struct err *err)
{
    if (!r->bad && r->at != r->end)
        r->bad = "bytes are left over";
    if (!r->bad)
        return true;
    return err_set(err, ERR_PROTOCOL, "malformed %s from Postgres: %s", what, r->bad);
}

bool frame_decode(const void *bytes, size_t len, struct frame *out, struct err *err)
{
    struct reader r = {bytes, (const uint8_t *)bytes + len, NULL};
    memset(out, 0, sizeof *out);
    uint8_t kind = get_u8(&r);
    out->kind = (enum frame_kind)kind;
    if (kind == FRAME_WAL) {
        out->start = get_u64(&r);
        out->end = get_u64(&r);
        out->sent_us = (int64_t)get_u64(&r);
        out->data = r.at;
        out->len = (size_t)(r.end - r.at);
        r.at = r.end;
    } else if (kind == FRAME_KEEPALIVE) {
        out->end = get_u64(&r);
        out->sent_us = (int64_t)get_u64(&r);
        out->reply = get_u8(&r) != 0;
    } else {
        fail(&r, "unknown kind");
    }
    return done(&r, "replication frame", err);
}

static uint8_t *put_u64(uint8_t *p, uint64_t v)
{
    v = htobe64(v);
    memcpy(p, &v, sizeof v);
    return p + sizeof v;
}

void standby_status_encode(uint8_t out[STANDBY_STATUS_LEN], lsn_t written, lsn_t flushed,
                           lsn_t applied, int64_t now_us, bool ask_reply)
{
    uint8_t *p = out;
    *p++ = 'r';
    p = put_u64(p, written);
    p = put_u64(p, flushed);
    p = put_u64(p, applied);
    p = put_u64(p, (uint64_t)now_us);
    *p++ = ask_reply;
    assert(p == out + STANDBY_STATUS_LEN);
}

/* A column's kind byte with the value's length, if it has one. The hot loop of the daemon's input.
 */
static bool get_field(struct reader *r, struct pg_field *f)
{
    const uint8_t *p = r->at;
    size_t left = (size_t)(r->end - p);
    if (left >= 5 && (*p == 't' || *p == 'b')) {
        uint32_t len = load_u32(p + 1);
        if (len > left - 5)
            return false;
        f->data = (const char *)p + 5;
        f->len = len;
        f->kind = *p == 't' ? PG_TEXT : PG_BINARY;
        r->at = p + 5 + len;
        return true;
    }
    if (left < 1 || (*p != 'n' && *p != 'u'))
        return false;
    f->data = NULL;
    f->len = 0;
    f->kind = *p == 'n' ? PG_NULL : PG_UNCHANGED;
    r->at = p + 1;
    return true;
}

static struct pgo_tuple get_tuple(struct reader *r, struct pg_field *fields)
{
    size_t n = get_u16(r);
    if (n > PG_COLUMNS_MAX)
        fail(r, "a row has too many columns");
    for (size_t i = 0; i < n && !r->bad; i++)
        if (!get_field(r, &fields[i]))
            fail(r, "a column's value is malformed");
    return (struct pgo_tuple){fields, r->bad ? 0 : n};
}

static void get_change(struct reader *r, struct pgo_decoder *d, struct pgo_message *m)
{
    m->change.relid = get_u32(r);
    uint8_t part = get_u8(r);
    if (m->kind != PGO_INSERT && (part == PGO_OLD_KEY || part == PGO_OLD_ROW)) {
        m->change.old_kind = (enum pgo_old)part;
        m->change.old = get_tuple(r, d->old);
        if (m->kind == PGO_DELETE)
            return;
        part = get_u8(r);
    }
    if (m->kind == PGO_DELETE || part != 'N')
        fail(r, "it lacks a row");
    else
        m->change.new = get_tuple(r, d->new);
}

static void get_relation(struct reader *r, struct pgo_decoder *d, struct pgo_message *m)
{
    m->relation.relid = get_u32(r);
    m->relation.schema = get_string(r);
    m->relation.name = get_string(r);
    m->relation.replident = (char)get_u8(r);
    size_t n = get_u16(r);
    if (n > PG_COLUMNS_MAX)
        fail(r, "a table has too many columns");
    for (size_t i = 0; i < n && !r->bad; i++) {
        struct pgo_column *c = &d->columns[i];
        c->key = get_u8(r) & 1;
        c->name = get_string(r);
        c->type = get_u32(r);
        c->typmod = (int32_t)get_u32(r);
    }
    m->relation.columns = d->columns;
    m->relation.ncolumns = n;
}

static void get_truncate(struct reader *r, struct pgo_message *m)
{
    uint32_t n = get_u32(r);
    m->truncate.flags = get_u8(r);
    m->truncate.n = n;
    m->truncate.relids = get_bytes(r, (size_t)n * 4);
}

static void get_message(struct reader *r, struct pgo_message *m)
{
    m->message.transactional = get_u8(r) & 1;
    m->message.lsn = get_u64(r);
    m->message.prefix = get_string(r);
    m->message.len = get_u32(r);
    m->message.content = get_bytes(r, m->message.len);
}

static void get_body(struct reader *r, struct pgo_decoder *d, struct pgo_message *m)
{
    switch (m->kind) {
    case PGO_BEGIN:
        m->begin.final_lsn = get_u64(r);
        m->begin.commit_us = (int64_t)get_u64(r);
        m->begin.xid = get_u32(r);
        return;
    case PGO_COMMIT:
        (void)get_u8(r); /* flags: none are defined */
        m->commit.commit_lsn = get_u64(r);
        m->commit.end_lsn = get_u64(r);
        m->commit.commit_us = (int64_t)get_u64(r);
        return;
    case PGO_ORIGIN:
        m->origin.lsn = get_u64(r);
        m->origin.name = get_string(r);
        return;
    case PGO_TYPE:
        m->type.oid = get_u32(r);
        m->type.schema = get_string(r);
        m->type.name = get_string(r);
        return;
    case PGO_RELATION: get_relation(r, d, m); return;
    case PGO_INSERT:
    case PGO_UPDATE:
    case PGO_DELETE: get_change(r, d, m); return;
    case PGO_TRUNCATE: get_truncate(r, m); return;
    case PGO_MESSAGE: get_message(r, m); return;
    }
    fail(r, "unknown kind");
}

bool pgo_decode(struct pgo_decoder *d, const void *bytes, size_t len, struct pgo_message *out,
                struct err *err)
{
    struct reader r = {bytes, (const uint8_t *)bytes + len, NULL};
    memset(out, 0, sizeof *out);
    out->kind = (enum pgo_kind)get_u8(&r);
    get_body(&r, d, out);
    return done(&r, "logical replication message", err);
}

uint32_t pgo_peek_relid(const void *bytes, size_t len)
{
    const uint8_t *p = bytes;
    if (len < 5 || (*p != PGO_INSERT && *p != PGO_UPDATE && *p != PGO_DELETE))
        return 0;
    return load_u32(p + 1);
}

uint32_t pgo_truncate_relid(const struct pgo_message *m, size_t i)
{
    assert(m->kind == PGO_TRUNCATE && i < m->truncate.n);
    return load_u32(m->truncate.relids + i * 4);
}
