/*
 * fuzz_smith: statements of sqlsmith, a foreign generator, over our tables. See fuzz.h.
 *
 * It thinks nothing of an order, so what it leaves open is closed here: the LIMIT 1 of its scalar
 * subqueries gets an ORDER BY, every other LIMIT goes. Whatever it calls may fail at run time. Only
 * what can be a SELECT is taken.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"

/* "limit 1 offset n" becomes "order by 1 limit 1 offset n", "limit n" goes. */
static void close_limits(const char *s, struct buf *out)
{
    const char *at;
    while ((at = strstr(s, "limit "))) {
        buf_add(out, s, (size_t)(at - s));
        s = at + strlen("limit ");
        size_t digits = strspn(s, "0123456789");
        if (strncmp(s, "1 offset ", 9) == 0)
            buf_adds(out, "order by 1 limit ");
        else if (digits)
            s += digits;
        else
            buf_adds(out, "limit ");
    }
    buf_adds(out, s);
}

static void add(struct fuzz_case *c, struct arena *a, PGconn *db, const char *text)
{
    struct buf b;
    text += strspn(text, " \n");
    if (strncmp(text, "select", 6) != 0 && strncmp(text, "WITH", 4) != 0)
        return;
    if (strstr(text, "tablesample"))
        return;
    buf_init(&b);
    close_limits(text, &b);
    fuzz_add(c, db, node_new(a, K_TEXT_ONLY, "%s", buf_cstr(&b)), true);
    buf_fini(&b);
}

void fuzz_add_smith(struct fuzz_case *c, struct arena *a, PGconn *db, uint64_t seed)
{
    struct buf command, text;
    char line[65536];
    buf_init(&command);
    buf_init(&text);
    buf_addf(&command,
             "sqlsmith --target='%s' --exclude-catalog --dry-run --max-queries=120 --seed=%u "
             "2>/dev/null",
             fuzz_cluster->conninfo, (unsigned)(seed % 1000000));
    FILE *f = popen(buf_cstr(&command), "r");
    if (!f)
        die("can't start sqlsmith");
    c->foreign = true;
    while (fgets(line, sizeof line, f)) {
        size_t len = strlen(line);
        bool ends = len > 1 && strcmp(line + len - 2, ";\n") == 0;
        buf_add(&text, line, len - (ends ? 2 : 0));
        if (!ends)
            continue;
        add(c, a, db, buf_cstr(&text));
        buf_reset(&text);
    }
    pclose(f);
    buf_fini(&text);
    buf_fini(&command);
}
