/*
 * keyspec: what the key of a row is, and when two keys are the same.
 *
 * A key is a list of expressions over one row (most are plain columns, which are read without a
 * call). Equality is that of grouping, by type: 1.0 and 1.00 are one key, -0 and 0 are, 'a' and
 * 'a ' of char(n) are; NULLs are equal to each other (a join that wants SQL's "=" asks has_null and
 * keeps such rows out; has_null doesn't count parts that are null_safe). Where equal values always have equal bits, that is used instead of
 * the type's functions, see enum key_mode.
 *
 * Two specs that will be compared with each other (the sides of a join) are made with the same
 * compare types. Integers of different width compare as what they are: numbers.
 *
 * To give a type a fast path: key_mode_of().
 */
#ifndef PALIMPSEST_ARRANGE_KEYSPEC_H
#define PALIMPSEST_ARRANGE_KEYSPEC_H

#include "engine/base/hash.h"
#include "engine/expr/expr.h"

enum key_mode {
    KEY_INT,    /* value.i decides: integers, bool, date, timestamps */
    KEY_BYTES,  /* the bytes decide: text of a deterministic collation, uuid, opaque identities */
    KEY_GENERAL /* value_hash() and value_same() decide */
};

struct key_part {
    const struct expr *expr; /* borrowed; NULL: the column itself */
    uint32_t col;            /* the column, or KEY_COMPUTED */
    uint32_t offset;         /* of a plain column of fixed width, in the row */
    enum key_mode mode;
    enum rep rep;          /* of the expression */
    bool null_safe;        /* a NULL here is a value like any other; set by the spec's owner */
    struct column_type ct; /* compared as this */
};

#define KEY_COMPUTED UINT32_MAX

struct keyspec {
    const struct layout *layout; /* of the rows; borrowed */
    uint32_t n;
    struct key_part part[];
};

/* exprs over input 0 with rows of this layout; cts[n]: what they compare as, or NULL: their own. */
struct keyspec *keyspec_new(const struct layout *l, const struct expr *const *exprs, size_t n,
                            const struct column_type *cts);
/* All columns of the row. */
struct keyspec *keyspec_new_whole(const struct layout *l);
void keyspec_free(struct keyspec *k);
/* Whether rows with the same key always have the same bytes, given that the key is the whole row. */
bool keyspec_is_bytewise(const struct keyspec *k);
/* The same for a key of such columns. */
bool key_types_are_bytewise(const struct column_type *cts, size_t n);

/* A plain column of mode KEY_INT: what row_get() says, without its switch over all types. */
static inline struct value key_part_int(const struct key_part *p, const uint8_t *row)
{
    if (row_is_null(row, p->col))
        return value_null();
    if (p->rep == REP_INT32) {
        int32_t x;
        memcpy(&x, row + p->offset, sizeof x);
        return value_int(x);
    }
    int64_t x = row[p->offset];
    if (p->rep == REP_INT64)
        memcpy(&x, row + p->offset, sizeof x);
    return value_int(x);
}

struct key_part key_part_of(const struct layout *l, const struct expr *e,
                            const struct column_type *ct);

static inline bool keyspec_is_one_int(const struct keyspec *k)
{
    return k->n == 1 && k->part[0].mode == KEY_INT && k->part[0].col != KEY_COMPUTED;
}

/* The key's values; those of computed parts may be in scratch. False: an expression failed. */
MUST_CHECK bool keyspec_eval_slow(const struct keyspec *k, const uint8_t *row,
                                  struct arena *scratch, struct value *vals, struct err *err);
bool keyspec_matches_slow(const struct keyspec *k, const uint8_t *row, const struct value *vals,
                          struct arena *scratch);
uint32_t keyspec_hash_slow(const struct keyspec *k, const struct value *vals, bool *has_null);

static inline bool keyspec_eval(const struct keyspec *k, const uint8_t *row, struct arena *scratch,
                                struct value *vals, struct err *err)
{
    if (keyspec_is_one_int(k)) {
        vals[0] = key_part_int(&k->part[0], row);
        return true;
    }
    return keyspec_eval_slow(k, row, scratch, vals, err);
}

/* Whether the row's key is vals. The row's key was evaluated before without an error. */
static inline bool keyspec_matches(const struct keyspec *k, const uint8_t *row,
                                   const struct value *vals, struct arena *scratch)
{
    if (keyspec_is_one_int(k)) {
        struct value v = key_part_int(&k->part[0], row);
        return v.null ? vals[0].null : !vals[0].null && v.i == vals[0].i;
    }
    return keyspec_matches_slow(k, row, vals, scratch);
}

#define KEY_HASH_SEED 0x9e3779b97f4a7c15ULL
#define KEY_HASH_NULL 0xd1b54a32d192ed03ULL

static inline uint32_t keyspec_hash(const struct keyspec *k, const struct value *vals,
                                    bool *has_null)
{
    if (k->n == 1 && k->part[0].mode == KEY_INT) {
        *has_null = vals[0].null && !k->part[0].null_safe;
        uint64_t part = vals[0].null ? KEY_HASH_NULL : (uint64_t)vals[0].i;
        return (uint32_t)(hash_mix(KEY_HASH_SEED, part) >> 32);
    }
    return keyspec_hash_slow(k, vals, has_null);
}

#endif
