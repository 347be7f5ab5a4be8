/*
 * server: what all event loops share: the other threads, and the counters of the whole daemon.
 *
 * Made by main before any thread starts; the pointers never change after that. The counters are
 * statistics and limits, each on its own: nothing is concluded from two of them together.
 */
#ifndef PALIMPSEST_DAEMON_SERVER_H
#define PALIMPSEST_DAEMON_SERVER_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

struct admission;
struct analyst;
struct hydrator;
struct listener;
struct loop;
struct memory;
struct reader;
struct registry;
struct watch;
struct worker;

struct server {
    struct loop **loops; /* owned; the first one runs on the main thread */
    size_t nloops;
    struct worker **workers; /* owned */
    size_t nworkers;
    struct reader *reader;
    struct registry *registry;
    struct analyst *analyst;
    struct hydrator *hydrator;
    struct rerun *rerun;
    struct rerun *verifier; /* likewise a thread that asks whole statements */
    struct watch *watch;
    struct admission *admission;
    struct listener *listener;
    struct memory *memory;
    uint64_t started_ms;

    atomic_size_t connections, subscriptions; /* now */
    atomic_uint_least64_t accepted, refused;  /* connections, ever */
    atomic_uint_least64_t requests;
    atomic_uint_least64_t snapshots, deltas; /* blocks queued for clients */
    atomic_uint_least64_t bytes_sent;
    atomic_size_t output_queued;   /* bytes, of all connections; shared ones for each of them */
    atomic_uint_least64_t lagged;  /* times a subscription fell behind its client's queue */
    atomic_uint_least64_t resumed; /* subscriptions that went on from a state they came with */
};

#define COUNT(counter, n) atomic_fetch_add_explicit(&(counter), (n), memory_order_relaxed)
#define COUNTED(counter)  atomic_load_explicit(&(counter), memory_order_relaxed)

#endif
