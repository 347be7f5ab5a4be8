/*
 * datum: what the files share that decode constants of the node tree. Others call value_from_datum().
 */
#ifndef PALIMPSEST_VALUE_DATUM_H
#define PALIMPSEST_VALUE_DATUM_H

#include "engine/value/value.h"

struct bytes {
    const uint8_t *p;
    size_t len;
};

/* A few bytes may stand for a number of 131072 digits: constants whose text would be longer than this
 * are ones that we can't read. */
#define CONSTANT_MAX (64u << 20)

/* Sets the error of a constant that we can't read. False. */
bool datum_unknown(const struct type *t, struct err *err);
/* The content of a varlena; false where it is compressed, or longer than len. */
bool datum_strip(const uint8_t *p, size_t len, struct bytes *out);
/* Opaque types that have parts: arrays, ranges, jsonb; and addresses and bit strings. */
MUST_CHECK bool datum_compound(const struct type *t, const uint8_t *p, size_t len, struct arena *a,
                               struct value *out, struct err *err);
/* The text of a jsonb's binary form; false where it isn't one. */
MUST_CHECK bool datum_jsonb(struct bytes b, struct buf *text);

#endif
