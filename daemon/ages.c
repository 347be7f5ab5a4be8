/*
 * ages: see ages.h. A ring of notes, the oldest first.
 */
#include "daemon/ages.h"

#define LEAST_MS 1000

bool ages_due(const struct ages *a, uint64_t now_ms)
{
    return now_ms >= a->due_at;
}

int ages_wait(const struct ages *a, uint64_t now_ms)
{
    uint64_t left = ages_due(a, now_ms) ? 0 : a->due_at - now_ms;
    return left < LEAST_MS ? (int)left : LEAST_MS;
}

static struct age_note *oldest(struct ages *a)
{
    return &a->notes[a->first];
}

static void drop_oldest(struct ages *a)
{
    a->first = (a->first + 1) % AGES_NOTES;
    a->n--;
}

/* An LSN that is less than the one before is of another history: what was noted means nothing. */
static void add(struct ages *a, struct age_note note)
{
    if (a->n && note.lsn < a->notes[(a->first + a->n - 1) % AGES_NOTES].lsn)
        a->n = 0;
    if (a->n == AGES_NOTES)
        drop_oldest(a);
    a->notes[(a->first + a->n++) % AGES_NOTES] = note;
}

lsn_t ages_note(struct ages *a, uint64_t now_ms, lsn_t lsn, uint64_t age_ms)
{
    lsn_t old = 0;
    uint64_t every = age_ms / (AGES_NOTES / 2);
    /* Looked at every second, as the age may be made shorter; noted as often as there is room. */
    const struct age_note *last = &a->notes[(a->first + a->n + AGES_NOTES - 1) % AGES_NOTES];
    a->due_at = now_ms + LEAST_MS;
    if (!a->n || now_ms - last->ms >= every)
        add(a, (struct age_note){.ms = now_ms, .lsn = lsn});
    while (a->n && now_ms - oldest(a)->ms >= age_ms) {
        old = oldest(a)->lsn;
        drop_oldest(a);
    }
    return old;
}
