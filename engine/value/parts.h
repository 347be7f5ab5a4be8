/*
 * parts: the parts of a value that is carried as text: elements of an array, fields of a row, bounds
 * of a range.
 *
 * The text is Postgres's own, as array_out, record_out, range_out and multirange_out print it; text
 * that doesn't follow their rules is read as far as it goes and never beyond its end. A part is
 * borrowed from the text, or unescaped into the reader's arena.
 */
#ifndef PALIMPSEST_VALUE_PARTS_H
#define PALIMPSEST_VALUE_PARTS_H

#include "engine/value/value.h"

#define MAX_DIMENSIONS 6 /* Postgres's own limit */

struct part {
    const char *text;
    size_t len;
    bool null;
};

struct parts {
    const char *p, *end;
    char delim;
    struct arena *a; /* borrowed */
};

/* n is 0 for an empty array. */
struct array_dims {
    int n;
    int32_t length[MAX_DIMENSIONS], lower[MAX_DIMENSIONS];
};

/* The elements of an array in storage order, whatever its dimensions; false: no more. */
void array_open(const struct type *t, struct value v, struct arena *a, struct parts *out);
bool array_next(struct parts *r, struct part *out);
void array_measure(const struct type *t, struct value v, struct array_dims *out);

/* The fields of a row; false: no more. */
void record_open(struct value v, struct arena *a, struct parts *out);
bool record_next(struct parts *r, struct part *out);

struct range {
    bool empty;
    bool lower_inc, upper_inc;
    struct part lower, upper; /* null: unbounded */
};

void range_read(struct value v, struct arena *a, struct range *out);
/* The ranges of a multirange, as text; false: no more. */
void multirange_open(struct value v, struct arena *a, struct parts *out);
bool multirange_next(struct parts *r, struct value *out);

/* The part as a value of its type; NULL is NULL. False where the text isn't one, which doesn't
 * happen with what Postgres printed. */
MUST_CHECK bool part_value(const struct type *t, const struct part *p, struct arena *a,
                           struct value *out);

#endif
