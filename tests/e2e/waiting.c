/*
 * waiting: see waiting.h.
 */
#include "tests/e2e/waiting.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/e2e/cluster.h"

#define STEP_US 20000
#define STEPS   1500

void sync_when_back(struct client *c)
{
    for (int i = 0; i < 400; i++) {
        client_send(c, "SYNC");
        char *line = client_read_line(c);
        while (line && client_apply(c, line))
            line = client_read_line(c);
        if (!line)
            die("the client was disconnected");
        bool synced = strncmp(line, "SYNCED", 6) == 0;
        if (!synced && !strstr(line, "57P03"))
            die("SYNC was answered by %s", line);
        free(line);
        if (synced)
            return;
        usleep(50000);
    }
    die("the daemon did not come back");
}

char *status_line(int port)
{
    struct client *c = client_connect(port);
    client_send(c, "STATUS");
    char *line = client_expect_prefix(c, "STATUS ");
    client_close(c);
    return line;
}

void wait_for_status(int port, const char *text)
{
    char *line = NULL;
    for (int i = 0; i < STEPS; i++) {
        free(line);
        line = status_line(port);
        if (strstr(line, text)) {
            free(line);
            return;
        }
        usleep(STEP_US);
    }
    die("STATUS never said %s, but: %s", text, line);
}

void wait_for_log(const struct daemon_proc *d, const char *text)
{
    for (int i = 0; i < STEPS; i++) {
        if (daemon_log_contains(d, text))
            return;
        usleep(STEP_US);
    }
    daemon_show_log(d);
    die("the log never said: %s", text);
}

void wait_for_sql(PGconn *db, const char *query)
{
    for (int i = 0; i < STEPS; i++) {
        char *v = sql_value(db, "%s", query);
        bool yes = v && strcmp(v, "t") == 0;
        free(v);
        if (yes)
            return;
        usleep(STEP_US);
    }
    die("never true: %s", query);
}
