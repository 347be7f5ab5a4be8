/*
 * options: the command line.
 *
 * Short forms (--listen, --postgres) become sets of their keys, so that there is one way in which a
 * value reaches the configuration.
 */
#ifndef PALIMPSEST_DAEMON_OPTIONS_H
#define PALIMPSEST_DAEMON_OPTIONS_H

#include "daemon/config.h"

enum options_action {
    OPTIONS_RUN,
    OPTIONS_CHECK, /* --check-config */
    OPTIONS_EXIT   /* --help, --version, or a mistake: said already; leave with status */
};

struct options {
    enum options_action action;
    int status;
    struct config_source source;
    char **sets; /* owned, and its strings: what source.sets points to */
};

void options_parse(struct options *o, int argc, char **argv);
void options_fini(struct options *o);

#endif
