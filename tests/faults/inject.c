/*
 * inject: the table of faults, and those that are done to processes and the network. See inject.h.
 */
#include "tests/faults/inject.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "tests/faults/report.h"

PGconn *scene_db(struct scene *s)
{
    if (s->db && !world_try(s->db, "SELECT 1")) {
        PQfinish(s->db);
        s->db = NULL;
    }
    if (!s->db)
        s->db = world_connect(s->world);
    return s->db;
}

/* ---- sessions and backends ----------------------------------------------------------------- */

#define OURS "FROM pg_stat_activity WHERE application_name LIKE 'palimpsestd%%'"

static void walsender_terminated(struct scene *s)
{
    (void)!world_try(scene_db(s), "SELECT pg_terminate_backend(pid) FROM pg_stat_replication");
}

static void session_terminated(struct scene *s)
{
    (void)!world_try(scene_db(s),
                     "SELECT pg_terminate_backend(pid) " OURS " ORDER BY md5(pid::text || '%u') "
                     "LIMIT 1",
                     rng_below(&s->rng, 1000));
}

static void all_sessions_terminated(struct scene *s)
{
    (void)!world_try(scene_db(s), "SELECT pg_terminate_backend(pid) " OURS);
}

static void statements_cancelled(struct scene *s)
{
    for (int i = 0; i < 10; i++) {
        (void)!world_try(scene_db(s), "SELECT pg_cancel_backend(pid) " OURS);
        sleep_ms(10);
    }
}

static void backend_killed(struct scene *s)
{
    long pid =
        world_ask(scene_db(s), 0,
                  "SELECT pid FROM pg_stat_activity WHERE backend_type IN ('client backend', "
                  "'walsender') AND pid <> pg_backend_pid() ORDER BY random() LIMIT 1");
    if (pid > 0)
        kill((pid_t)pid, SIGKILL);
}

static void postgres_killed(struct scene *s)
{
    world_restart_postgres(s->world, SIGKILL);
}

static void postgres_restarted(struct scene *s)
{
    world_restart_postgres(s->world, SIGINT);
}

static void postgres_restarted_at_once(struct scene *s)
{
    world_restart_postgres(s->world, SIGQUIT);
}

/* ---- who is stopped and goes on ------------------------------------------------------------ */

static void walsender_stopped(struct scene *s)
{
    long pid = world_ask(scene_db(s), 0, "SELECT pid FROM pg_stat_replication LIMIT 1");
    if (pid > 0)
        kill((pid_t)pid, SIGSTOP);
}

static void postgres_stopped(struct scene *s)
{
    kill(s->world->cluster->pid, SIGSTOP);
    cluster_signal_backends(s->world->cluster, SIGSTOP);
}

static void postgres_goes_on(struct scene *s)
{
    kill(s->world->cluster->pid, SIGCONT);
    cluster_signal_backends(s->world->cluster, SIGCONT);
}

static void daemon_stopped(struct scene *s)
{
    kill(s->world->daemon->pid, SIGSTOP);
}

static void daemon_goes_on(struct scene *s)
{
    kill(s->world->daemon->pid, SIGCONT);
}

/* ---- the daemon ---------------------------------------------------------------------------- */

static void daemon_killed(struct scene *s)
{
    world_restart_daemon(s->world, SIGKILL);
}

static void daemon_restarted(struct scene *s)
{
    world_restart_daemon(s->world, SIGTERM);
}

static void set_descriptors(struct scene *s, rlim_t n)
{
    struct rlimit r;
    if (prlimit(s->world->daemon->pid, RLIMIT_NOFILE, NULL, &r) != 0)
        return;
    r.rlim_cur = n < r.rlim_max ? n : r.rlim_max;
    prlimit(s->world->daemon->pid, RLIMIT_NOFILE, &r, NULL);
}

static void no_descriptors(struct scene *s)
{
    set_descriptors(s, (rlim_t)rng_between(&s->rng, 8, 40));
    watch_storm(s->watch, 60);
}

static void descriptors_back(struct scene *s)
{
    set_descriptors(s, 10000);
}

static void clients_gone(struct scene *s)
{
    watch_disconnect_all(s->watch);
}

static void client_storm(struct scene *s)
{
    watch_storm(s->watch, 200);
}

/* ---- the network --------------------------------------------------------------------------- */

static void pg_stalls(struct scene *s)
{
    net_set(s->world->pg_net, rng_chance(&s->rng, 50) ? NET_STALL : NET_STALL_IN);
}

static void pg_dribbles(struct scene *s)
{
    net_set(s->world->pg_net, NET_DRIBBLE);
}

static void pg_delays(struct scene *s)
{
    net_set(s->world->pg_net, NET_DELAY);
}

static void pg_refuses(struct scene *s)
{
    net_set(s->world->pg_net, NET_REFUSE);
    net_cut(s->world->pg_net, true);
}

static void pg_passes(struct scene *s)
{
    net_set(s->world->pg_net, NET_PASS);
}

/* As a firewall that forgets what it knew. */
static void pg_stalled_and_cut(struct scene *s)
{
    net_cut(s->world->pg_net, true);
    pg_passes(s);
}

static void pg_cut(struct scene *s)
{
    net_cut(s->world->pg_net, rng_chance(&s->rng, 50));
}

static void clients_stall(struct scene *s)
{
    net_set(s->world->client_net, rng_chance(&s->rng, 70) ? NET_STALL : NET_STALL_IN);
}

static void clients_dribble(struct scene *s)
{
    net_set(s->world->client_net, NET_DRIBBLE);
}

static void clients_delay(struct scene *s)
{
    net_set(s->world->client_net, NET_DELAY);
}

static void clients_pass(struct scene *s)
{
    net_set(s->world->client_net, NET_PASS);
}

static void clients_cut(struct scene *s)
{
    net_cut(s->world->client_net, rng_chance(&s->rng, 50));
}

/* ---- all of them --------------------------------------------------------------------------- */

static void nothing(struct scene *s)
{
    (void)s;
}

#define DISCONNECTS .allows = {.disconnects = true}
#define DDL         .allows = {.ends = true, .unnoticed = true}, .needs_sql = true
#define GAPS        .allows = {.ends = true, .unnoticed = true, .gaps = true}, .needs_sql = true
#define SQL         .needs_sql = true

const struct fault faults[] = {
    {"nothing", nothing, NULL},
    {"walsender terminated", walsender_terminated, NULL, SQL},
    {"a session terminated", session_terminated, NULL, SQL},
    {"all sessions terminated", all_sessions_terminated, NULL, SQL},
    {"statements cancelled", statements_cancelled, NULL, SQL},
    {"a backend killed", backend_killed, NULL, SQL},
    {"Postgres killed", postgres_killed, NULL},
    {"Postgres restarted (fast)", postgres_restarted, NULL},
    {"Postgres restarted (immediate)", postgres_restarted_at_once, NULL},
    {"walsender stopped", walsender_stopped, postgres_goes_on, SQL},
    {"Postgres stopped", postgres_stopped, postgres_goes_on, .blocks_sql = true},
    {"daemon stopped", daemon_stopped, daemon_goes_on},
    {"daemon killed", daemon_killed, NULL, DISCONNECTS, .new_daemon = true},
    {"daemon restarted", daemon_restarted, NULL, DISCONNECTS, .new_daemon = true},
    {"daemon out of descriptors", no_descriptors, descriptors_back, DISCONNECTS},
    {"clients gone", clients_gone, NULL},
    {"client storm", client_storm, NULL},
    {"network to Postgres stalls", pg_stalls, pg_passes},
    {"network to Postgres stalls, cut", pg_stalls, pg_stalled_and_cut},
    {"network to Postgres cut", pg_cut, NULL},
    {"network to Postgres dribbles", pg_dribbles, pg_passes},
    {"network to Postgres slow", pg_delays, pg_passes},
    {"Postgres unreachable", pg_refuses, pg_passes},
    {"network to clients stalls", clients_stall, clients_pass},
    {"network to clients cut", clients_cut, NULL, DISCONNECTS},
    {"network to clients dribbles", clients_dribble, clients_pass},
    {"network to clients slow", clients_delay, clients_pass},
    {"publication dropped", fault_publication_gone, fault_publication_back, GAPS},
    {"table unpublished", fault_table_unpublished, fault_publication_back, GAPS},
    {"publication without updates", fault_inserts_only, fault_publication_back, GAPS},
    {"slot dropped", fault_slot_dropped, NULL, SQL},
    {"columns altered", fault_ddl, fault_ddl_back, DDL},
    {"partitions detached", fault_partitions, fault_partitions_back, DDL},
    {"replica identity altered", fault_identity, fault_identity_back, DDL},
    {"tables rewritten", fault_rewritten, NULL, DDL},
    {"view replaced", fault_view_replaced, NULL, DDL},
    {"table dropped and made again", fault_recreated, NULL, DDL},
    {"large transaction", fault_large_transaction, NULL, SQL},
    {"truncate", fault_truncate, NULL, SQL},
    {"subtransactions", fault_subtransactions, NULL, SQL},
    {"prepared transaction", fault_prepare, fault_prepared_ends, SQL},
    {"open transaction", fault_open_transaction, fault_open_transaction_ends, SQL},
    {"no synchronous standby", fault_no_standby, fault_standby_back, SQL, .blocks_sql = true},
};
const size_t nfaults = sizeof faults / sizeof faults[0];
