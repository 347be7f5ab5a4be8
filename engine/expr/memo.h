/*
 * memo: what delegated calls gave for which arguments, kept within a bound of bytes.
 *
 * The key is the call's identity followed by the argument values as they lie in memory; the outcome
 * is a value or an error, for an immutable function both for ever. An entry without an outcome is
 * one whose question is still to be asked.
 *
 * Two generations: what is looked up moves to the young one. memo_rotate(), called where nobody
 * holds a value of the memo, throws the old one away once the young one has taken half of the
 * bytes. So the memo may outgrow its bound within one operator's step, and only then.
 *
 * Owned by a delegator; one thread.
 */
#ifndef PALIMPSEST_EXPR_MEMO_H
#define PALIMPSEST_EXPR_MEMO_H

#include "engine/base/htab.h"
#include "engine/value/value.h"

enum memo_state {
    MEMO_ASKED, /* no outcome yet */
    MEMO_VALUE,
    MEMO_ERROR
};

struct memo_entry {
    enum memo_state state;
    uint32_t hash;
    uint32_t key_len;
    struct value value; /* MEMO_VALUE; p is in data */
    void *data;         /* owned; bytes of the value, or the error */
    size_t data_bytes;
    uint8_t key[];
};

struct memo_generation {
    struct htab table;         /* indexes + 1 into entry */
    struct memo_entry **entry; /* owned; NULL where one has moved on */
    uint32_t n, cap;
    size_t bytes;
};

struct memo {
    struct memo_generation young, old;
    size_t max_bytes;
};

void memo_init(struct memo *m, size_t max_bytes);
void memo_fini(struct memo *m);
/* The entry of this key; made, in state MEMO_ASKED and *is_new, where there is none. Valid until it
 * is dropped or memo_rotate() throws it away. */
struct memo_entry *memo_get(struct memo *m, const void *key, size_t len, bool *is_new);
void memo_drop(struct memo *m, struct memo_entry *e);
/* Gives the entry its outcome. The value's bytes are copied. */
void memo_set_value(struct memo *m, struct memo_entry *e, const struct type *t, struct value v);
void memo_set_error(struct memo *m, struct memo_entry *e, const struct err *err);
void memo_get_error(const struct memo_entry *e, struct err *err);
void memo_rotate(struct memo *m);
size_t memo_bytes(const struct memo *m);

#endif
