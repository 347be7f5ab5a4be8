/*
 * type: what the engine knows of a Postgres type.
 *
 * A type is immutable, interned and never freed: there are as many as the database has, and plans,
 * stores and rows on any thread point at them. Built-in scalar types are static, see type_native().
 * Types made of others (arrays, composites, enums, ranges) are made by the catalog loader with
 * type_new(). What the engine doesn't understand is TYPE_OPAQUE: carried as its Postgres text form,
 * byte for byte, and only shaped for JSON. A column is a type with a typmod and a collation.
 *
 * To make another type native: a TYPE_ constant, its row in type.c, parsing and printing, equality
 * and order in its own file.
 */
#ifndef PALIMPSEST_VALUE_TYPE_H
#define PALIMPSEST_VALUE_TYPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum type_kind {
    TYPE_BOOL,
    TYPE_INT2,
    TYPE_INT4,
    TYPE_INT8,
    TYPE_FLOAT4,
    TYPE_FLOAT8,
    TYPE_NUMERIC,
    TYPE_TEXT,   /* text and varchar: same bytes, same functions */
    TYPE_BPCHAR, /* char(n): blanks at the end don't count in comparison */
    TYPE_DATE,
    TYPE_TIMESTAMP,
    TYPE_TIMESTAMPTZ,
    TYPE_UUID,
    TYPE_OID,
    TYPE_TIME,
    TYPE_TIMETZ,
    TYPE_INTERVAL,
    TYPE_BYTEA,
    TYPE_ENUM, /* its label */
    TYPE_OPAQUE
};

/* How a value lies in a row and in struct value. */
enum rep {
    REP_BOOL,    /* 1 byte;  value.i 0 or 1 */
    REP_INT32,   /* 4 bytes; value.i: int2, int4, date (days since 2000-01-01) */
    REP_INT64,   /* 8 bytes; value.i: int8, oid, time, timestamps (microseconds since 2000-01-01) */
    REP_FLOAT32, /* 4 bytes; value.f holds the float4 exactly */
    REP_FLOAT64, /* 8 bytes; value.f */
    REP_FIXED16, /* 16 bytes; value.p, len 16: uuid, interval and timetz (see interval.h) */
    REP_BYTES    /* variable; value.p, len: text, numeric (see numeric.h), opaque text… */
};

/* How to_json shows an opaque type. */
enum json_shape {
    JSON_STRING,    /* the text form in quotes */
    JSON_INLINE,    /* json and jsonb: the text is JSON already */
    JSON_ARRAY,     /* an array of elem */
    JSON_COMPOSITE, /* an object of fields */
    JSON_UNKNOWN    /* to_json would call a function of the user's: refused as an output column */
};

/* How the text of an opaque type compares, see opaque.h. */
enum text_order {
    ORDER_NONE,       /* not at all, or only as text_is_identity says */
    ORDER_BYTES,      /* by the bytes of the text */
    ORDER_ARRAY,      /* element by element */
    ORDER_RECORD,     /* field by field */
    ORDER_RANGE,      /* by the lower, then the upper bound */
    ORDER_MULTIRANGE, /* range by range */
    ORDER_JSONB,
    ORDER_MONEY,
    ORDER_HEX,      /* pg_lsn */
    ORDER_UNSIGNED, /* xid8 */
    ORDER_NETWORK   /* inet, cidr */
};

struct type_field {
    const char *name;
    const struct type *type;
    const struct collation *collation; /* NULL where the type has none */
};

struct type_label {
    const char *name;
    uint32_t len;
    uint32_t oid; /* of its row in pg_enum: what a constant is */
};

struct type {
    uint32_t oid;
    enum type_kind kind;
    enum rep rep;
    const char *name;        /* as format_type(oid, NULL) printed it first; for messages */
    enum json_shape json;    /* TYPE_OPAQUE only */
    enum text_order order;   /* TYPE_OPAQUE only */
    char delim;              /* JSON_ARRAY: between elements in the text form, ',' mostly */
    const struct type *elem; /* of an array, or a range's bounds, or a multirange's ranges */
    const struct collation
        *collation;                  /* what a range's bounds or the strings in jsonb compare by */
    const struct type_field *fields; /* JSON_COMPOSITE, in attribute order */
    size_t nfields;
    const struct type_label *labels; /* TYPE_ENUM: as type_new() is told them, in their order */
    size_t nlabels;
    struct enum_order *enum_order; /* TYPE_ENUM: those known today, see type_enum_place() */
    /* Opaque: equal values have equal text, so that the bytes may serve for grouping and joining
     * (macaddr, bit, xid…; not citext). */
    bool text_is_identity;
};

/* Collations. lc is a locale_t of libc, opened once: what LIBC orders by, and what upper and lower
 * case go by unless they are those of ASCII (C and POSIX); icu is a collator, which does both.
 * Without any of them they are unsupported. Under one that isn't deterministic, texts of different
 * bytes may be equal; that is known for ICU only. */
enum collation_kind {
    COLLATION_C,
    COLLATION_LIBC,
    COLLATION_ICU,
    COLLATION_UNSUPPORTED
};

struct collation {
    uint32_t oid;
    const char *name; /* for messages */
    enum collation_kind kind;
    bool deterministic;
    bool ascii_case;
    void *lc;           /* locale_t or NULL */
    void *icu;          /* UCollator or NULL */
    const char *locale; /* its name */
};

struct column_type {
    const struct type *type;
    int32_t typmod;                    /* -1 = none */
    const struct collation *collation; /* NULL where the type has none */
};

/* OIDs of the built-in types (stable in Postgres, see its pg_type.dat). */
#define OID_BOOL          16
#define OID_BYTEA         17
#define OID_CHAR          18
#define OID_NAME          19
#define OID_INT8          20
#define OID_INT2          21
#define OID_INT4          23
#define OID_TEXT          25
#define OID_OID           26
#define OID_JSON          114
#define OID_CIDR          650
#define OID_FLOAT4        700
#define OID_FLOAT8        701
#define OID_UNKNOWN       705
#define OID_MACADDR8      774
#define OID_MONEY         790
#define OID_MACADDR       829
#define OID_INET          869
#define OID_BPCHAR        1042
#define OID_VARCHAR       1043
#define OID_DATE          1082
#define OID_TIME          1083
#define OID_TIMETZ        1266
#define OID_TIMESTAMP     1114
#define OID_TIMESTAMPTZ   1184
#define OID_INTERVAL      1186
#define OID_TIMETZ        1266
#define OID_BIT           1560
#define OID_VARBIT        1562
#define OID_NUMERIC       1700
#define OID_RECORD        2249
#define OID_ANYARRAY      2277
#define OID_UUID          2950
#define OID_PG_LSN        3220
#define OID_ANYENUM       3500
#define OID_JSONB         3802
#define OID_ANYRANGE      3831
#define OID_ANYMULTIRANGE 4537
#define OID_XID8          5069

/* The static native type of this OID, or NULL. */
const struct type *type_native(uint32_t oid);

/* An interned type of kind ENUM or OPAQUE; rep is filled in, strings, fields and labels are copied.
 * Never freed. An enum is one type for ever: told again with more labels, or with other names, it
 * learns them and keeps what it knew, so that rows and plans of before stay valid. */
const struct type *type_new(const struct type *like);
/* The place of a label in its enum's order, or -1. */
int type_enum_place(const struct type *t, const void *label, size_t len);
/* The label of that OID, or NULL. */
const struct type_label *type_enum_label(const struct type *t, uint32_t oid);

/* A collation by its locale's name ("C", "POSIX", "en_US.UTF-8", "und-u-ks-level2"), or of kind
 * UNSUPPORTED when this machine has no such locale. provider is pg_collation.collprovider: 'c', 'i', 'd' resolved by
 * the caller. Never freed. */
const struct collation *collation_new(uint32_t oid, const char *name, char provider,
                                      const char *locale, bool deterministic);
extern const struct collation collation_c;

#endif
