/*
 * The node reader: any bytes give a tree or an error.
 *
 * Laws: the tree is within the reader's bounds; every string is terminated where it says; a tree is
 * equal to itself and to the tree of the same text; memory is bounded by the text.
 */
#include "engine/sql/pgnode.h"
#include "tests/fuzzers/input.h"

static void walk(const struct pgnode *n, int depth)
{
    must(depth <= PGNODE_MAX_DEPTH + 1);
    must(n->kind <= PGN_DATUM);
    must(!n->text || n->text[n->len] == '\0');
    if (n->kind == PGN_ATOM)
        pgn_atom_int(n);
    if (n->kind == PGN_NODE || n->kind == PGN_LIST)
        for (uint32_t i = 0; i < n->n; i++)
            walk(n->items[i], depth + 1);
    if (n->kind == PGN_NODE)
        for (uint32_t i = 0; i < n->n; i++) {
            must(pgn_field(n, n->names[i]) != NULL);
            pgn_int(n, n->names[i]);
            pgn_oid(n, n->names[i]);
            pgn_bool(n, n->names[i]);
            pgn_char(n, n->names[i]);
            pgn_str(n, n->names[i]);
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena a;
    struct err err;
    char *copy = exact_copy(data, size);
    arena_init(&a);
    err_clear(&err);
    struct pgnode *n = pgnode_read(copy, size, &a, &err);
    must((n != NULL) == !err_is_set(&err));
    must_say(a.bytes <= 16384 + 256 * size, "%zu bytes for %zu", a.bytes, size);
    if (n) {
        struct pgnode *again = pgnode_read(copy, size, &a, &err);
        must(again);
        walk(n, 1);
        must(pgn_equal(n, n, NULL, NULL) && pgn_equal(n, again, NULL, NULL));
    }
    arena_fini(&a);
    free(copy);
    return 0;
}
