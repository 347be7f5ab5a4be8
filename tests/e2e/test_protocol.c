/*
 * protocol: every transcript of PROTOCOL.md, replayed in order against the daemon. The document is
 * the contract; where this fails, one of the two is wrong.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/e2e/harness.h"
#include "tests/e2e/transcript.h"

static struct transcript_file *file;

/* Plans of the transcript before may be on their way out still. */
static void wait_for_no_plans(void)
{
    struct client *c = client_connect(daemon_under_test->port);
    bool none = false;
    for (int i = 0; !none && i < 200; i++) {
        client_send(c, "LIST");
        char *line = client_expect_prefix(c, "PLANS ");
        long n = strtol(line + 6, NULL, 10);
        none = n == 0;
        free(line);
        for (; n > 0; n--)
            free(client_read_line(c));
        if (!none)
            usleep(20000);
    }
    ck_assert(none);
    client_close(c);
}

START_TEST(transcript)
{
    PGconn *db = cluster_connect(cluster);
    if (_i == 0)
        sql_run(db, "%s", file->setup);
    wait_for_no_plans();
    transcript_play(file, (size_t)_i, daemon_under_test->port, db);
    PQfinish(db);
}
END_TEST

START_TEST(matching)
{
    struct transcript_names n = {0};
    ck_assert(transcript_match(&n, "DELTA a 0/100 2", "DELTA a 1/A0 2"));
    ck_assert(!transcript_match(&n, "DELTA a 0/100 2", "DELTA a 1/A1 2"));
    ck_assert(transcript_match(&n, "DELTA a 0/200 2", "DELTA a 1/A0 2"));
    ck_assert(!transcript_match(&n, "DELTA a 0/300 2", "DELTA a 1/9F 2"));
    ck_assert(!transcript_match(&n, "DELTA a 0/300 2", "DELTA a 1/B0 3"));
    ck_assert(transcript_match(&n, "X {\"plan\":\"0123456789abcdef\",…}",
                               "X {\"plan\":\"aaaaaaaaaaaaaaaa\",\"b\":1}"));
    ck_assert(!transcript_match(&n, "X {\"plan\":\"0123456789abcdef\"}",
                                "X {\"plan\":\"aaaaaaaaaaaaaaab\"}"));
    ck_assert(!transcript_match(&n, "X {\"plan\":\"0123456789abcdef\"}", "X {\"plan\":\"a\"}"));
    ck_assert(transcript_match(&n, "A…", "A"));
    ck_assert(transcript_match(&n, "A … 0/100 …c", "A bb 1/A0 ccc"));
    ck_assert(!transcript_match(&n, "A …c", "A ccd"));
    VEC_FREE(n.v);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("protocol");
    TCase *t = tcase_create("transcripts");
    file = transcript_read("protocol/PROTOCOL.md");
    tcase_set_timeout(t, 60);
    tcase_add_test(t, matching);
    tcase_add_loop_test(t, transcript, 0, (int)file->transcripts.n);
    suite_add_tcase(s, t);
    int status = harness_main(s);
    transcript_free(file);
    return status;
}
