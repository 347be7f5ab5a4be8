/*
 * err: how a function says that what the user asked can't be done.
 *
 * A function that can fail because of its input takes a `struct err *` and returns bool (or a
 * pointer), false (NULL) with the error filled in. An error always has an SQLSTATE of Postgres's and
 * a message; hint and detail where they help. What only a bug can cause is an assert instead.
 *
 * A soft error says that a statement is valid and Postgres answers it, but that we can't maintain the
 * answer by changes: whoever can have Postgres asked again instead does so, and names the construct.
 * All other errors are final.
 *
 * An err is a plain value: nothing in it is owned, so it may be copied and dropped freely. Messages
 * longer than the field are cut at a UTF-8 character boundary.
 */
#ifndef PALIMPSEST_BASE_ERR_H
#define PALIMPSEST_BASE_ERR_H

#include <stdbool.h>

#define MUST_CHECK __attribute__((warn_unused_result))

struct err {
    char sqlstate[6]; /* five characters and NUL; "" means no error */
    bool soft;        /* Postgres answers what we can't; mostly set by err_soft() */
    int position;     /* 1-based character position in the statement, 0 = unknown */
    char message[512];
    char hint[512];   /* "" = none */
    char detail[256]; /* "" = none */
};

#define ERR_FEATURE_NOT_SUPPORTED "0A000"
#define ERR_PROTOCOL              "08P01"
#define ERR_DUPLICATE_OBJECT      "42710"
#define ERR_UNDEFINED_OBJECT      "42704"
#define ERR_TOO_MANY_CONNECTIONS  "53300"
#define ERR_LIMIT_EXCEEDED        "53400"
#define ERR_OUT_OF_MEMORY         "53200"
#define ERR_CANNOT_CONNECT_NOW    "57P03"
#define ERR_QUERY_CANCELED        "57014"
#define ERR_ADMIN_SHUTDOWN        "57P01"
#define ERR_IDLE                  "57P05"
#define ERR_INTERNAL              "XX000"
#define ERR_NUMERIC_OUT_OF_RANGE  "22003"
#define ERR_DIVISION_BY_ZERO      "22012"
#define ERR_DATETIME_OUT_OF_RANGE "22008"
#define ERR_INVALID_TEXT          "22P02"
#define ERR_INVALID_DATETIME      "22007"
#define ERR_PROGRAM_LIMIT         "54000"

void err_clear(struct err *e);
static inline bool err_is_set(const struct err *e)
{
    return e->sqlstate[0] != '\0';
}

/* Fill e in and return false, so that a caller can write `return err_set(e, …);`. */
bool err_set(struct err *e, const char *sqlstate, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* 0A000 "<what> can't be kept live", soft; what is a noun phrase. Returns false. */
bool err_soft(struct err *e, const char *what, ...) __attribute__((format(printf, 2, 3)));
/* The noun phrase of a soft error, into a field of ERR_WHAT_MAX bytes. */
#define ERR_WHAT_MAX 400
void err_what(const struct err *e, char *what);
/* Add a hint or detail to an error that is already set. Returns false too. */
bool err_hint(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
bool err_detail(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
