/*
 * hydrate: the thread that reads tables at a snapshot.
 *
 * The reader posts a struct hydrate_job (reader.h) and gets it back as R_HYDRATED with filled stores
 * and the snapshot they show, or with the reason why not. In between the hydrator makes sure that
 * the tables are published, locks them ACCESS SHARE before the snapshot is taken (a rewrite or
 * TRUNCATE can't come in between), and copies the columns that are needed. The transaction lasts no
 * longer than the copying.
 */
#ifndef PALIMPSEST_DAEMON_HYDRATE_H
#define PALIMPSEST_DAEMON_HYDRATE_H

#include "daemon/mailbox.h"

struct config;
struct hydrator;
struct reader;

struct hydrator *hydrator_new(const struct config *cfg, struct reader *reader);
void hydrator_start(struct hydrator *h);
/* Any thread. The job (struct hydrate_job) comes back to the reader, always. */
void hydrator_post(void *hydrator, struct msg *job);
/* Interrupts what is under way and joins. */
void hydrator_stop(struct hydrator *h);
void hydrator_free(struct hydrator *h);

#endif
