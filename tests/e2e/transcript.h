/*
 * transcript: conversations written down in a Markdown file, replayed against a live daemon.
 *
 * What the blocks and their signs mean stands in PROTOCOL.md, where the transcripts are. A
 * transcript that the daemon doesn't follow ends the program with the line of the file, what it
 * says and what came instead.
 */
#ifndef TESTS_E2E_TRANSCRIPT_H
#define TESTS_E2E_TRANSCRIPT_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stddef.h>

#include "engine/base/vec.h"

struct transcript_line {
    int no;     /* in the file */
    char sign;  /* '>', '<' or '$' */
    char *text; /* owned */
};

struct transcript {
    VEC(struct transcript_line) lines;
};

struct transcript_file {
    char *path;  /* owned */
    char *setup; /* owned; SQL */
    VEC(struct transcript) transcripts;
};

struct transcript_file *transcript_read(const char *path);
void transcript_free(struct transcript_file *f);

/* On a connection of its own to the daemon at port; db runs the SQL. */
void transcript_play(const struct transcript_file *f, size_t i, int port, PGconn *db);

/* Values that a pattern's LSNs and plan keys stand for, as they become known. */
struct transcript_names {
    VEC(struct transcript_name) v;
};
struct transcript_name {
    char written[24], actual[24];
};

/* Whether the line fits the pattern, under what is known; learns from it if it does. */
bool transcript_match(struct transcript_names *names, const char *pattern, const char *line);

#endif
