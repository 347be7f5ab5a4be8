/*
 * PROGRESS: a connection's subscriptions on three workers, in any order of events, against what the
 * protocol promises.
 *
 * Every byte is an event: a commit, a worker that goes through its next one, a subscription that
 * comes, is seeded, or goes. Which subscriptions a commit changes is a function of its LSN. Laws, as
 * of each statement "PROGRESS lsn": no subscription is being seeded, none has been sent anything
 * later than lsn, each has been sent everything up to it, and no statement goes back. In the end all is
 * stated.
 */
#include "daemon/progress.c"
#include "tests/fuzzers/input.h"

#define WORKERS 3
#define SUBS    6
#define STEP    10

enum phase {
    ABSENT,
    SEEDING,
    LIVE
};

struct sub {
    enum phase phase;
    int worker;
    uint64_t id; /* a new one each time it comes */
    lsn_t lsn;   /* what the client has */
};

static struct progress p;
static struct sub subs[SUBS];
static lsn_t passed[WORKERS], last, stated;
static uint64_t next_id;

/* Whether the commit changes that subscription. */
static bool changes(lsn_t lsn, const struct sub *s)
{
    return (lsn / STEP * 7 + (lsn_t)(s - subs) * 3 + lsn / STEP / 5) % 3 == 0;
}

static struct sub *find(uint64_t id)
{
    for (int i = 0; i < SUBS; i++)
        if (subs[i].id == id && subs[i].phase == LIVE)
            return &subs[i];
    return NULL;
}

static void give(struct held *h)
{
    struct sub *s = find(h->sub);
    if (s) {
        must_say(h->lsn > s->lsn, "%d after %d", (int)h->lsn, (int)s->lsn);
        s->lsn = h->lsn;
    }
    held_fini(h);
}

static void state(lsn_t lsn)
{
    must_say(lsn >= stated, "%d after %d", (int)lsn, (int)stated);
    stated = lsn;
    for (int i = 0; i < SUBS; i++) {
        const struct sub *s = &subs[i];
        must_say(s->phase != SEEDING, "subscription %d has no state at %d", i, (int)lsn);
        if (s->phase != LIVE)
            continue;
        must_say(s->lsn <= lsn, "subscription %d is at %d beyond %d", i, (int)s->lsn, (int)lsn);
        for (lsn_t l = s->lsn + STEP; l <= lsn; l += STEP)
            must_say(!changes(l, s), "subscription %d lacks %d at %d", i, (int)l, (int)lsn);
    }
}

static void give_out(void)
{
    struct held h;
    for (;;) {
        switch (progress_next(&p, passed, &h)) {
        case PROGRESS_WAIT: return;
        case PROGRESS_GIVE: give(&h); break;
        case PROGRESS_STATE: state(h.lsn); break;
        }
    }
}

/* The worker goes through its next commit. */
static void work(int worker)
{
    lsn_t lsn = passed[worker] + STEP;
    if (lsn > last)
        return;
    for (int i = 0; i < SUBS; i++)
        if (subs[i].phase == LIVE && subs[i].worker == worker && changes(lsn, &subs[i])) {
            struct held h = {.lsn = lsn, .sub = subs[i].id};
            h.payload = payload_new(lsn, 0, NULL, 0);
            progress_hold(&p, worker, &h);
        }
    passed[worker] = lsn;
}

static void come(struct sub *s, int worker)
{
    if (s->phase != ABSENT)
        return;
    *s = (struct sub){SEEDING, worker, ++next_id, 0};
    progress_join(&p, worker);
    progress_block(&p);
}

static void seed(struct sub *s)
{
    if (s->phase != SEEDING)
        return;
    s->phase = LIVE;
    s->lsn = passed[s->worker];
    progress_raise_floor(&p, s->lsn);
    progress_unblock(&p);
}

static void go(struct sub *s)
{
    if (s->phase == ABSENT)
        return;
    progress_leave(&p, s->worker);
    if (s->phase == SEEDING)
        progress_unblock(&p);
    s->phase = ABSENT;
}

/* What is under way comes to its end. */
static void settle(void)
{
    for (int i = 0; i < SUBS; i++)
        seed(&subs[i]);
    for (int i = 0; i < WORKERS; i++)
        while (passed[i] < last)
            work(i);
    give_out();
    must(p.held == 0 && !p.owes);
    for (int i = 0; i < SUBS; i++)
        for (lsn_t l = subs[i].lsn + STEP; subs[i].phase == LIVE && l <= last; l += STEP)
            must_say(!changes(l, &subs[i]), "subscription %d was never sent %d", i, (int)l);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in = {data, data + size};
    memset(subs, 0, sizeof subs);
    memset(passed, 0, sizeof passed);
    last = stated = next_id = 0;
    progress_init(&p, WORKERS);
    p.mode = PROGRESS_EACH;
    for (int i = 0; i < 2000 && in_more(&in); i++) {
        uint8_t c = in_byte(&in), which = c / 8;
        switch (c % 8) {
        case 0:
        case 1: last += STEP; break;
        case 2:
        case 3:
        case 4: work(which % WORKERS); break;
        case 5: come(&subs[which % SUBS], which / SUBS % WORKERS); break;
        case 6: seed(&subs[which % SUBS]); break;
        default:
            if (which < 2 * SUBS)
                go(&subs[which % SUBS]);
        }
        give_out();
    }
    settle();
    progress_fini(&p);
    return 0;
}
