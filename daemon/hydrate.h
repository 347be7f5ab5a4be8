/*
 * hydrate: the thread that reads whole tables at one consistent snapshot.
 *
 * The reader posts a struct hydrate_job (reader.h) and gets the same object back as R_HYDRATED, with
 * a filled store for each table or the reason why not. See "The hand-over" in handover.h for what a
 * snapshot must be to be of use: tables published first, locks before the snapshot, the snapshot's
 * xids and the WAL's insert position with it.
 */
#ifndef PALIMPSEST_DAEMON_HYDRATE_H
#define PALIMPSEST_DAEMON_HYDRATE_H

#include "daemon/reader.h"

struct hydrator;

enum hydrator_msg_kind {
    H_READ = 500, /* reader: struct hydrate_job */
    H_STOP
};

struct hydrator *hydrator_new(const struct config *cfg, struct reader *reader);
void hydrator_start(struct hydrator *h);
/* Any thread; arg is the hydrator. Fits reader_set_hydrator(). Sets the message's kind. */
void hydrator_post(void *arg, struct msg *job);
/* Gives up what it is doing and joins; jobs that wait are given back unread. */
void hydrator_stop(struct hydrator *h);
void hydrator_free(struct hydrator *h);

#endif
