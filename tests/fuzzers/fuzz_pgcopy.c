/*
 * COPY rows: one line of any bytes cut into n fields, n being the first two bytes.
 *
 * Laws: either exactly n fields or an error; fields lie in the line; a row whose fields are written
 * the way COPY writes them is read as the same fields.
 */
#include "engine/base/alloc.h"
#include "engine/base/buf.h"
#include "protocol/pgcopy.h"
#include "tests/fuzzers/input.h"

static void write_field(const struct pg_field *f, struct buf *b)
{
    static const char from[] = "\b\f\n\r\t\v\\", to[] = "bfnrtv\\";
    if (f->kind == PG_NULL) {
        buf_adds(b, "\\N");
        return;
    }
    for (uint32_t i = 0; i < f->len; i++) {
        const char *special = f->data[i] ? strchr(from, f->data[i]) : NULL;
        if (special)
            buf_addc(b, '\\');
        buf_addc(b, special ? to[special - from] : f->data[i]);
    }
}

static void write_row(const struct pg_field *fields, size_t n, struct buf *b)
{
    for (size_t i = 0; i < n; i++) {
        if (i)
            buf_addc(b, '\t');
        write_field(&fields[i], b);
    }
    buf_addc(b, '\n');
}

static void must_be_same(const struct pg_field *a, const struct pg_field *b, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        must(a[i].kind == b[i].kind && a[i].len == b[i].len);
        must(!a[i].len || memcmp(a[i].data, b[i].data, a[i].len) == 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct pg_field fields[PG_COLUMNS_MAX + 1], again[PG_COLUMNS_MAX + 1];
    struct input in = {data, data + size};
    size_t n = in_below(&in, PG_COLUMNS_MAX + 1), len = (size_t)(in.end - in.p);
    char *line = exact_copy(in.p, len);
    struct err err;
    struct buf b;
    err_clear(&err);
    bool ok = pgcopy_split(line, len, fields, n, &err);
    must(ok == !err_is_set(&err));
    if (ok) {
        for (size_t i = 0; i < n; i++)
            must(fields[i].kind == PG_NULL ||
                 (fields[i].data >= line && fields[i].data + fields[i].len <= line + len));
        buf_init(&b);
        write_row(fields, n, &b);
        must(pgcopy_split(b.data, b.len, again, n, &err));
        must_be_same(fields, again, n);
        buf_fini(&b);
    }
    free(line);
    return 0;
}
