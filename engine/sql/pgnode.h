/*
 * pgnode: Postgres's node tree text ("{NODE :field value …}") as a generic tree.
 *
 * The text is what pg_proc.prosqlbody and pg_rewrite.ev_action hold: the analysed statement. Nothing
 * here knows what a node means. Fields are found by name, never by position, and unknown ones are
 * kept and ignored, so that several major versions of Postgres read alike.
 *
 * Called by sql/bind_*. The tree lives in the arena given; strings are NUL-terminated copies. The
 * text is foreign data: any bytes give a tree or an error, never more. Depth and size are bounded.
 */
#ifndef PALIMPSEST_SQL_PGNODE_H
#define PALIMPSEST_SQL_PGNODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/arena.h"
#include "engine/base/err.h"

enum pgnode_kind {
    PGN_NULL,   /* <> */
    PGN_NODE,   /* {TAG :name value …}: text is the tag, names[i] and items[i] the fields */
    PGN_LIST,   /* (…): items; list says which kind */
    PGN_ATOM,   /* a number, a word, an unquoted string */
    PGN_STRING, /* "…" in a list of strings */
    PGN_DATUM   /* n [ b b b ]: the bytes of a constant */
};

struct pgnode {
    enum pgnode_kind kind;
    char list;        /* PGN_LIST: 'n' of nodes; 'i' integers, 'o' OIDs, 'x' xids, 'b' bitmap */
    uint32_t len;     /* of text */
    uint32_t n;       /* of items */
    const char *text; /* NUL-terminated, but a datum may hold NULs */
    const char **names;
    struct pgnode **items;
};

#define PGNODE_MAX_DEPTH 1000
#define PGNODE_MAX_TEXT  (16u << 20)

/* NULL with 54001 where the statement is too deep or large, XX000 where the text is no tree. */
struct pgnode *pgnode_read(const char *text, size_t len, struct arena *a, struct err *err);

bool pgn_is(const struct pgnode *n, const char *tag);
/* The field of that name; a PGN_NULL node where there is none, so that calls may be nested. */
const struct pgnode *pgn_field(const struct pgnode *n, const char *name);
/* Atoms as numbers, flags and characters; the default (0, false) where the field is missing. */
int64_t pgn_int(const struct pgnode *n, const char *name);
uint32_t pgn_oid(const struct pgnode *n, const char *name);
bool pgn_bool(const struct pgnode *n, const char *name);
char pgn_char(const struct pgnode *n, const char *name);
/* The text of an atom or string field; NULL where it is <> or missing. */
const char *pgn_str(const struct pgnode *n, const char *name);
int64_t pgn_atom_int(const struct pgnode *atom);

static inline bool pgn_is_null(const struct pgnode *n)
{
    return n->kind == PGN_NULL;
}

/*
 * Whether two trees mean the same: fields that only say where and how something was written
 * (locations, the form of a cast, the syntactic spelling of a column) don't count. resolve, if not
 * NULL, may put another node in a node's place before it is looked at (aliases of join columns).
 */
/* A field that only says where and how something was written. */
bool pgn_is_spelling(const char *field);
typedef const struct pgnode *pgn_resolve_fn(void *ctx, const struct pgnode *n);
bool pgn_equal(const struct pgnode *a, const struct pgnode *b, pgn_resolve_fn *resolve, void *ctx);

#endif
