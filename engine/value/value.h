/*
 * value: one SQL value while an expression looks at it, and what can be done with it by type.
 *
 * A value borrows: p points into a row, a constant or the arena of the running step. Which member
 * counts follows from its type's rep (type.h); a value doesn't carry its type, the expression does.
 *
 * Two families of equality (names as in design): value_cmp()==0 within a type is SQL's "="; `same`
 * is that of GROUP BY, DISTINCT and set operations, where NULLs are equal. Byte equality of rows is
 * a third thing, used only to cancel an assert with its retract.
 *
 * No function here does I/O; none keeps a pointer to its arguments.
 */
#ifndef PALIMPSEST_VALUE_VALUE_H
#define PALIMPSEST_VALUE_VALUE_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/arena.h"
#include "engine/base/buf.h"
#include "engine/base/err.h"
#include "engine/value/type.h"

struct value {
    union {
        int64_t i;
        double f;
        const uint8_t *p;
    };
    uint32_t len; /* of p */
    bool null;
};

static inline struct value value_null(void)
{
    return (struct value){.null = true};
}
static inline struct value value_int(int64_t i)
{
    return (struct value){.i = i};
}
static inline struct value value_bool(bool b)
{
    return (struct value){.i = b};
}
static inline struct value value_float(double f)
{
    return (struct value){.f = f};
}
static inline struct value value_bytes(const void *p, size_t len)
{
    return (struct value){.p = p, .len = (uint32_t)len};
}

/*
 * Reads the text form Postgres prints under our pinned settings (ISO dates, hex bytea, shortest
 * floats). For trusted output of Postgres, not for arbitrary user input: casts from text have
 * their own functions in expr/. May allocate in a (numeric); text itself is borrowed, not copied.
 */
MUST_CHECK bool value_parse(const struct type *t, const char *s, size_t len, struct arena *a,
                            struct value *out, struct err *err);

/* The Postgres text form (what `::text`-like output functions print); appended to b. */
void value_print(const struct type *t, struct value v, struct buf *b);

/* The value as Postgres's to_json() gives it, white space of json removed; appended. NULL is null.
 */
void value_to_json(const struct type *t, struct value v, struct buf *b);

/*
 * Total order of the type for non-null values, as its btree opclass has it, under the collation:
 * <0, 0, >0. Only where type_has_order(); texts that are equal under a deterministic collation are
 * ordered by bytes, as Postgres does.
 */
int value_cmp(const struct column_type *t, struct value a, struct value b);
bool type_has_order(const struct column_type *t);
/* Grouping, joining and hashing are defined. */
bool type_has_equality(const struct column_type *t);

/* GROUP BY equality: NULLs are the same. */
bool value_same(const struct column_type *t, struct value a, struct value b);
/* Equal values (in the sense of same) have equal hashes. */
uint64_t value_hash(const struct column_type *t, struct value v);

/*
 * Decodes a Const of the node tree: the datum as Postgres's outDatum prints it (byval: the 8 bytes
 * of the Datum; by reference: the object with its varlena header). False with 0A000 for types whose
 * inside we don't know, with the hint to pass the value as a parameter. Copies into a.
 */
MUST_CHECK bool value_from_datum(const struct type *t, const uint8_t *datum, size_t len, bool byval,
                                 struct arena *a, struct value *out, struct err *err);

/* Deep copy of what v points to. */
struct value value_dup(const struct type *t, struct value v, struct arena *a);

#endif
