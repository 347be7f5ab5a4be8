/*
 * log_repeat: see log.h.
 */
#include <string.h>

#include "daemon/log.h"
#include "engine/base/hash.h"

#define REPEAT_MS 600000

void log_repeat(struct log_repeat *r, enum log_level level, uint64_t now_ms, const char *text)
{
    uint64_t hash = hash_bytes(text, strlen(text)) | 1;
    r->times++;
    if (hash == r->hash && now_ms - r->at < REPEAT_MS)
        return;
    if (log_enabled(level) && hash == r->hash)
        log_write(level, "%s (%u times more)", text, r->times);
    else if (log_enabled(level))
        log_write(level, "%s", text);
    *r = (struct log_repeat){.hash = hash, .at = now_ms};
}

void log_repeat_end(struct log_repeat *r)
{
    *r = (struct log_repeat){0};
}
