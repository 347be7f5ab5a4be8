/*
 * options: the command line of options.h. Help goes to stdout and ends with 0; a mistake is told on
 * stderr together with the usage and ends with 2.
 */
#include "daemon/options.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/version.h"
#include "engine/base/alloc.h"

static const struct option longs[] = {
    {"config", required_argument, NULL, 'c'},   {"listen", required_argument, NULL, 'l'},
    {"postgres", required_argument, NULL, 'p'}, {"set", required_argument, NULL, 's'},
    {"check-config", no_argument, NULL, 'C'},   {"version", no_argument, NULL, 'v'},
    {"help", no_argument, NULL, 'h'},           {0},
};

static const char usage[] =
    "usage: palimpsestd [--config FILE] [--listen ADDR:PORT | unix:PATH] [--postgres CONNINFO]\n"
    "                   [--set section.key=value]… [--check-config] [--version] [--help]\n";

static void help(void)
{
    printf("%s\n"
           "Keeps the results of SELECT statements up to date and sends every change of them to\n"
           "the clients that subscribed.\n\n"
           "  --config FILE      read the configuration from FILE\n"
           "  --listen ADDRESS   short for --set listen.address=ADDRESS\n"
           "  --postgres TEXT    short for --set postgres.conninfo=TEXT\n"
           "  --set KEY=VALUE    set a key; may be given several times, overrides the file\n"
           "  --check-config     read the configuration, say what is wrong with it, and exit\n"
           "  --version          print the version and exit\n"
           "  --help             print this and exit\n\n"
           "A key may also come from the environment: PALIMPSEST_SECTION_KEY. The keys and their\n"
           "defaults:\n\n",
           usage);
    config_print_keys(stdout);
}

static void add_set(struct options *o, const char *prefix, const char *value)
{
    size_t size = strlen(prefix) + strlen(value) + 1;
    char *set = xmalloc(size);
    snprintf(set, size, "%s%s", prefix, value);
    o->sets = xrealloc(o->sets, (o->source.nsets + 1) * sizeof *o->sets);
    o->sets[o->source.nsets++] = set;
    o->source.sets = (const char *const *)o->sets;
}

static void leave(struct options *o, int status)
{
    o->action = OPTIONS_EXIT;
    o->status = status;
}

static void mistake(struct options *o)
{
    fputs(usage, stderr);
    leave(o, 2);
}

static void take(struct options *o, int opt)
{
    switch (opt) {
    case 'c': o->source.file = optarg; break;
    case 'l': add_set(o, "listen.address=", optarg); break;
    case 'p': add_set(o, "postgres.conninfo=", optarg); break;
    case 's': add_set(o, "", optarg); break;
    case 'C': o->action = OPTIONS_CHECK; break;
    case 'v':
        puts("palimpsestd " PALIMPSEST_VERSION);
        leave(o, 0);
        break;
    case 'h':
        help();
        leave(o, 0);
        break;
    default: mistake(o); break;
    }
}

void options_parse(struct options *o, int argc, char **argv)
{
    int opt;
    memset(o, 0, sizeof *o);
    optind = 1;
    while (o->action != OPTIONS_EXIT && (opt = getopt_long(argc, argv, "", longs, NULL)) != -1)
        take(o, opt);
    if (o->action != OPTIONS_EXIT && optind < argc) {
        fprintf(stderr, "%s: unexpected argument \"%s\"\n", argv[0], argv[optind]);
        mistake(o);
    }
}

void options_fini(struct options *o)
{
    for (size_t i = 0; i < o->source.nsets; i++)
        free(o->sets[i]);
    free(o->sets);
    memset(o, 0, sizeof *o);
}
