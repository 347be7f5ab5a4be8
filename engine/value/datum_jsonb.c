/*
 * datum_jsonb: jsonb constants, from Postgres's binary form to its text.
 *
 * A container is a header (a count and what it is), an entry for each member (for an object first
 * the keys', then the values'), and the members' bytes one after the other. An entry has the
 * member's length or, now and then, where it ends. Numbers and containers begin at a multiple of
 * four. A scalar on its own is an array of one, marked as such.
 */
#include <string.h>

#include "engine/value/datum.h"
#include "engine/value/json.h"

#define COUNT_MASK 0x0FFFFFFFU
#define IS_SCALAR  0x10000000U
#define IS_OBJECT  0x20000000U
#define ENTRY_MASK 0x0FFFFFFFU
#define ENTRY_TYPE 0x70000000U
#define HAS_OFFSET 0x80000000U
#define MAX_DEPTH  1000
#define STRIDE     32 /* Postgres's: of so many entries one has an offset */

enum entry_type {
    ENTRY_STRING = 0x00000000,
    ENTRY_NUMERIC = 0x10000000,
    ENTRY_FALSE = 0x20000000,
    ENTRY_TRUE = 0x30000000,
    ENTRY_NULL = 0x40000000,
    ENTRY_CONTAINER = 0x50000000
};

struct container {
    struct bytes b;
    uint32_t count; /* of members; of an object's pairs */
    uint32_t nentries;
    bool object, scalar;
};

static uint32_t load_u32(const uint8_t *p)
{
    uint32_t v;
    memcpy(&v, p, sizeof v);
    return v;
}

static uint32_t entry(const struct container *c, uint32_t i)
{
    return load_u32(c->b.p + 4 + 4 * (size_t)i);
}

static bool open_container(struct bytes b, struct container *out)
{
    if (b.len < 4)
        return false;
    uint32_t header = load_u32(b.p);
    *out = (struct container){.b = b,
                              .count = header & COUNT_MASK,
                              .object = header & IS_OBJECT,
                              .scalar = header & IS_SCALAR};
    out->nentries = out->object ? 2 * out->count : out->count;
    return (b.len - 4) / 4 >= out->nentries;
}

/* Where the member ends, counted from the first one. Farther back than Postgres has an offset nobody
 * looks: the time would grow with the square of the members. */
static bool end_of(const struct container *c, uint32_t i, uint64_t *end)
{
    *end = 0;
    for (uint32_t steps = 0; steps <= STRIDE; steps++, i--) {
        *end += entry(c, i) & ENTRY_MASK;
        if (entry(c, i) & HAS_OFFSET || !i)
            return true;
    }
    return false;
}

static bool member(const struct container *c, uint32_t i, struct bytes *out)
{
    uint64_t start = 0, end;
    if ((i && !end_of(c, i - 1, &start)) || !end_of(c, i, &end))
        return false;
    uint32_t type = entry(c, i) & ENTRY_TYPE;
    size_t base = 4 + 4 * (size_t)c->nentries;
    if (type == ENTRY_NUMERIC || type == ENTRY_CONTAINER)
        start = (start + 3) / 4 * 4;
    if (start > end || end > c->b.len - base)
        return false;
    *out = (struct bytes){c->b.p + base + start, (size_t)(end - start)};
    return true;
}

static bool print_container(struct bytes b, struct buf *text, int depth);

static bool print_numeric(struct bytes b, struct buf *text)
{
    const struct type *numeric = type_native(OID_NUMERIC);
    struct arena a;
    struct value v;
    struct err err;
    arena_init(&a);
    bool ok = value_from_datum(numeric, b.p, b.len, false, &a, &v, &err);
    if (ok)
        value_print(numeric, v, text);
    arena_fini(&a);
    return ok;
}

static bool print_member(const struct container *c, uint32_t i, struct buf *text, int depth)
{
    struct bytes b;
    if (text->len > CONSTANT_MAX || !member(c, i, &b))
        return false;
    switch (entry(c, i) & ENTRY_TYPE) {
    case ENTRY_STRING: json_add_string(text, (const char *)b.p, b.len); return true;
    case ENTRY_NUMERIC: return print_numeric(b, text);
    case ENTRY_FALSE: buf_adds(text, "false"); return true;
    case ENTRY_TRUE: buf_adds(text, "true"); return true;
    case ENTRY_NULL: buf_adds(text, "null"); return true;
    case ENTRY_CONTAINER: return print_container(b, text, depth + 1);
    }
    return false;
}

static bool print_container(struct bytes b, struct buf *text, int depth)
{
    struct container c;
    if (depth > MAX_DEPTH || !open_container(b, &c))
        return false;
    if (c.scalar)
        return c.count == 1 && print_member(&c, 0, text, depth);
    buf_addc(text, c.object ? '{' : '[');
    for (uint32_t i = 0; i < c.count; i++) {
        buf_adds(text, i ? ", " : "");
        if (c.object) {
            if (!print_member(&c, i, text, depth))
                return false;
            buf_adds(text, ": ");
        }
        if (!print_member(&c, c.object ? c.count + i : i, text, depth))
            return false;
    }
    buf_addc(text, c.object ? '}' : ']');
    return true;
}

bool datum_jsonb(struct bytes b, struct buf *text)
{
    return print_container(b, text, 0);
}
