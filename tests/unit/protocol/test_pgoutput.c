/*
 * pgoutput: captured streams decoded and printed, then the same bytes damaged at random.
 */
#include "tests/unit/protocol/fixture.h"

#include "protocol/pgoutput.h"

static struct pgo_decoder decoder;

/* Text as it is, cut when it is long; every byte that isn't printable ASCII as \xNN. */
static void print_bytes(struct buf *b, const void *data, size_t len)
{
    const unsigned char *p = data;
    for (size_t i = 0; i < len && i < 40; i++)
        if (p[i] >= ' ' && p[i] < 0x7F && p[i] != '\\')
            buf_addc(b, (char)p[i]);
        else
            buf_addf(b, "\\x%02x", p[i]);
    if (len > 40)
        buf_addf(b, "…(%zu)", len);
}

static void print_tuple(struct buf *b, const char *label, const struct pgo_tuple *t)
{
    if (!t->n)
        return;
    buf_addf(b, " %s(", label);
    for (size_t i = 0; i < t->n; i++) {
        const struct pg_field *f = &t->fields[i];
        buf_adds(b, i ? "|" : "");
        if (f->kind == PG_NULL)
            buf_adds(b, "NULL");
        else if (f->kind == PG_UNCHANGED)
            buf_adds(b, "UNCHANGED");
        else
            buf_adds(b, f->kind == PG_TEXT ? "'" : "bin'");
        if (f->data) {
            print_bytes(b, f->data, f->len);
            buf_addc(b, '\'');
        }
    }
    buf_addc(b, ')');
}

static void print_relation(struct buf *b, const struct pgo_relation *r)
{
    buf_addf(b, "RELATION %u %s.%s %c", r->relid, r->schema, r->name, r->replident);
    for (size_t i = 0; i < r->ncolumns; i++) {
        const struct pgo_column *c = &r->columns[i];
        buf_addf(b, " %s:%u,%d%s", c->name, c->type, c->typmod, c->key ? "*" : "");
    }
}

static void print_lsn(struct buf *b, const char *label, lsn_t lsn)
{
    char text[LSN_TEXT_MAX];
    lsn_print(lsn, text);
    buf_addf(b, "%s%s", label, text);
}

static void print_change(struct buf *b, const struct pgo_message *m)
{
    buf_addf(b, "%c %u", (char)m->kind, m->change.relid);
    print_tuple(b, m->change.old_kind == PGO_OLD_KEY ? "key" : "old", &m->change.old);
    print_tuple(b, "new", &m->change.new);
}

static void print_truncate(struct buf *b, const struct pgo_message *m)
{
    buf_addf(b, "TRUNCATE %u", m->truncate.flags);
    for (size_t i = 0; i < m->truncate.n; i++)
        buf_addf(b, " %u", pgo_truncate_relid(m, i));
}

static void print_message(struct buf *b, const struct pgo_message *m)
{
    switch (m->kind) {
    case PGO_BEGIN:
        print_lsn(b, "BEGIN ", m->begin.final_lsn);
        buf_addf(b, " %u", m->begin.xid);
        break;
    case PGO_COMMIT:
        print_lsn(b, "COMMIT ", m->commit.commit_lsn);
        print_lsn(b, " ", m->commit.end_lsn);
        break;
    case PGO_ORIGIN:
        print_lsn(b, "ORIGIN ", m->origin.lsn);
        buf_addf(b, " %s", m->origin.name);
        break;
    case PGO_TYPE: buf_addf(b, "TYPE %u %s.%s", m->type.oid, m->type.schema, m->type.name); break;
    case PGO_RELATION: print_relation(b, &m->relation); break;
    case PGO_INSERT:
    case PGO_UPDATE:
    case PGO_DELETE: print_change(b, m); break;
    case PGO_TRUNCATE: print_truncate(b, m); break;
    case PGO_MESSAGE:
        buf_addf(b, "MESSAGE %d '%s' '", m->message.transactional, m->message.prefix);
        print_bytes(b, m->message.content, m->message.len);
        buf_adds(b, "'");
        break;
    }
    buf_addc(b, '\n');
}

static void print_file(const char *path, struct buf *out)
{
    struct buf line;
    struct err err;
    FILE *f = fixture_open(path);
    buf_init(&line);
    while (fixture_next(f, &line)) {
        struct pgo_message m;
        ck_assert_msg(pgo_decode(&decoder, line.data, line.len, &m, &err), "%s", err.message);
        uint32_t relid = pgo_peek_relid(line.data, line.len);
        bool is_change = strchr("IUD", (char)m.kind) != NULL;
        ck_assert_uint_eq(relid, is_change ? m.change.relid : 0);
        print_message(out, &m);
    }
    buf_fini(&line);
    fclose(f);
}

START_TEST(test_captured_stream)
{
    struct buf got, want;
    buf_init(&got);
    buf_init(&want);
    print_file(FIXTURES "pgoutput.hex", &got);
    buf_adds(&got, "-- binary\n");
    print_file(FIXTURES "pgoutput_binary.hex", &got);
    if (getenv("PRINT"))
        fputs(buf_cstr(&got), stdout);
    fixture_read(FIXTURES "pgoutput.expected", &want);
    ck_assert_str_eq(buf_cstr(&got), buf_cstr(&want));
    buf_fini(&got);
    buf_fini(&want);
}
END_TEST

START_TEST(test_captured_frames)
{
    static const char want[] = "k 0/0 0/269DEC8 0 \n"
                               "w 0/269DEC8 0/269DEC8 0 B\nw 0/0 0/0 0 R\n"
                               "w 0/269DEC8 0/269DEC8 0 I\nw 0/269DF90 0/269DF90 0 M\n"
                               "w 0/269DFC0 0/269DFC0 0 C\nk 0/0 0/269DFC0 0 \n"
                               "k 0/0 0/269DFC0 0 \n";
    struct buf got, line;
    struct err err;
    FILE *f = fixture_open(FIXTURES "frames.hex");
    buf_init(&got);
    buf_init(&line);
    while (fixture_next(f, &line)) {
        struct frame fr;
        struct pgo_message m;
        ck_assert(frame_decode(line.data, line.len, &fr, &err));
        buf_addf(&got, "%c", (char)fr.kind);
        print_lsn(&got, " ", fr.start);
        print_lsn(&got, " ", fr.end);
        buf_addf(&got, " %d %.*s\n", fr.reply, fr.len ? 1 : 0, (const char *)fr.data);
        if (fr.kind == FRAME_WAL)
            ck_assert(pgo_decode(&decoder, fr.data, fr.len, &m, &err));
    }
    ck_assert_str_eq(buf_cstr(&got), want);
    ck_assert(!frame_decode("x", 1, &(struct frame){0}, &err));
    ck_assert(!frame_decode("", 0, &(struct frame){0}, &err));
    buf_fini(&got);
    buf_fini(&line);
    fclose(f);
}
END_TEST

START_TEST(test_standby_status)
{
    static const uint8_t want[STANDBY_STATUS_LEN] =
        "r\0\0\0\1\0\0\0\2\0\0\0\3\0\0\0\4\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\0\0\0\0\0\0\1\0\1";
    uint8_t got[STANDBY_STATUS_LEN];
    standby_status_encode(got, 0x100000002, 0x300000004, UINT64_MAX, 256, true);
    ck_assert_mem_eq(got, want, sizeof want);
}
END_TEST

static bool decodes(const char *bytes, size_t len)
{
    struct pgo_message m;
    struct err err;
    return pgo_decode(&decoder, bytes, len, &m, &err);
}

#define DECODES(bytes) decodes(bytes, sizeof(bytes) - 1)

START_TEST(test_malformed)
{
    ck_assert(!DECODES(""));
    ck_assert(!DECODES("S\0\0\0\1\1"));
    ck_assert(!DECODES("B\0\0"));
    ck_assert(DECODES("I\0\0\0\1N\0\0"));
    ck_assert(!DECODES("I\0\0\0\1K\0\0N\0\0"));
    ck_assert(!DECODES("I\0\0\0\1N\0\0x"));
    ck_assert(!DECODES("I\0\0\0\1N\0\1"));
    ck_assert(!DECODES("I\0\0\0\1N\0\1x"));
    ck_assert(DECODES("I\0\0\0\1N\0\1t\0\0\0\0"));
    ck_assert(!DECODES("I\0\0\0\1N\0\1t\0\0\0\1"));
    ck_assert(!DECODES("I\0\0\0\1N\0\1t\xFF\xFF\xFF\xFF"));
    ck_assert(!DECODES("I\0\0\0\1N\xFF\xFFnnnn"));
    ck_assert(!DECODES("U\0\0\0\1K\0\1n"));
    ck_assert(!DECODES("D\0\0\0\1N\0\1n"));
    ck_assert(DECODES("D\0\0\0\1O\0\1n"));
    ck_assert(!DECODES("R\0\0\0\1s\0n"));
    ck_assert(!DECODES("R\0\0\0\1s\0n\0d\xFF\xFF"));
    ck_assert(!DECODES("T\xFF\xFF\xFF\xFF\0\0\0\0\1"));
    ck_assert(DECODES("T\0\0\0\0\0"));
    ck_assert(!DECODES("M\0\0\0\0\0\0\0\0\0p\0\xFF\xFF\xFF\xFFx"));
    ck_assert_uint_eq(pgo_peek_relid("I\0\0\0", 4), 0);
}
END_TEST

START_TEST(test_damaged)
{
    static const char *const files[] = {FIXTURES "pgoutput.hex", FIXTURES "pgoutput_binary.hex",
                                        FIXTURES "frames.hex"};
    struct buf line, out;
    int good = 0;
    fixture_seed();
    buf_init(&line);
    buf_init(&out);
    for (size_t i = 0; i < 3; i++) {
        FILE *f = fixture_open(files[i]);
        while (fixture_next(f, &line)) {
            for (int round = 0; round < 400; round++) {
                struct pgo_message m;
                struct frame fr;
                struct err err;
                size_t len;
                char *bytes = fixture_mutate(&line, &len);
                (void)pgo_peek_relid(bytes, len);
                if (i == 2 && frame_decode(bytes, len, &fr, &err) && fr.len)
                    (void)!pgo_decode(&decoder, fr.data, fr.len, &m, &err);
                if (pgo_decode(&decoder, bytes, len, &m, &err)) {
                    print_message(&out, &m);
                    buf_reset(&out);
                    good++;
                }
                free(bytes);
            }
        }
        fclose(f);
    }
    ck_assert_int_gt(good, 0);
    buf_fini(&line);
    buf_fini(&out);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("pgoutput");
    TCase *t = tcase_create("all");
    tcase_set_timeout(t, 60);
    tcase_add_test(t, test_captured_stream);
    tcase_add_test(t, test_captured_frames);
    tcase_add_test(t, test_standby_status);
    tcase_add_test(t, test_malformed);
    tcase_add_test(t, test_damaged);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
