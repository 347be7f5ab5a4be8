/*
 * net: a TCP proxy that misbehaves on demand, between two parties who know nothing of it.
 *
 * It listens on a free port of 127.0.0.1 and passes bytes to and from a target (TCP or a Unix
 * socket) in a thread of its own. All functions may be called from any other thread.
 */
#ifndef TESTS_FAULTS_NET_H
#define TESTS_FAULTS_NET_H

#include <stdbool.h>
#include <stdint.h>

enum net_mode {
    NET_PASS,
    NET_STALL,    /* connections stay, nothing is passed: a network that drops everything */
    NET_STALL_IN, /* nothing is passed to the target, its bytes are */
    NET_DRIBBLE,  /* a few bytes at a time */
    NET_DELAY,    /* every byte arrives some 20 ms later */
    NET_REFUSE    /* new connections are closed at once */
};

struct net;

struct net *net_start(uint64_t seed);
int net_port(const struct net *p);
/* New connections go there from now on. */
void net_target_tcp(struct net *p, int port);
void net_target_unix(struct net *p, const char *path);
void net_set(struct net *p, enum net_mode mode);
/* Resets every connection, or closes it in order. */
void net_cut(struct net *p, bool reset);
void net_free(struct net *p);

#endif
