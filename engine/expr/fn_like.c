/*
 * fn_like: LIKE and ILIKE, and ESCAPE.
 *
 * Called through pgfuncs.def. Patterns are matched byte by byte in UTF-8 but for `_`, which takes a
 * whole character. The matcher keeps one place to come back to, behind the last `%`: once the part
 * between two `%` has matched, an earlier `%` never needs to give way, so there is no recursion and
 * no stack to bound. It reads the pattern in the order Postgres's matcher does, so that a pattern
 * that ends in its escape character is an error for exactly the same strings.
 *
 * ILIKE is LIKE on both sides in lower case.
 */
#include "engine/expr/fn_text.h"

struct like {
    const uint8_t *s, *s_end;
    const uint8_t *p, *p_end;
    const uint8_t *retry_s, *retry_p; /* behind the last %; NULL before the first */
    struct err *err;
};

static bool bad_escape(struct like *m)
{
    return err_set(m->err, "22025", "LIKE pattern must not end with escape character");
}

enum like_result {
    LIKE_NO,
    LIKE_YES,
    LIKE_ERROR
};

static const uint8_t *next_char(const uint8_t *s, const uint8_t *end)
{
    return s + text_char_len(s, (size_t)(end - s));
}

/*
 * At a %: swallows it with the % and _ that follow, and finds the first place in the string where
 * what comes then might begin. LIKE_YES: there is a place, or (p at its end) all is matched.
 */
static enum like_result percent(struct like *m)
{
    for (m->p++; m->p < m->p_end && (*m->p == '%' || *m->p == '_'); m->p++) {
        if (*m->p == '%')
            continue;
        if (m->s >= m->s_end)
            return LIKE_NO;
        m->s = next_char(m->s, m->s_end);
    }
    if (m->p == m->p_end) {
        m->s = m->s_end;
        return LIKE_YES;
    }
    if (*m->p == '\\' && m->p + 1 == m->p_end) {
        bad_escape(m);
        return LIKE_ERROR;
    }
    m->retry_s = m->s;
    m->retry_p = m->p;
    return LIKE_YES;
}

/* Goes back to the last %, which takes a character more; false: there is none, or no character. */
static bool retry(struct like *m)
{
    if (!m->retry_p || m->retry_s >= m->s_end)
        return false;
    m->retry_s = next_char(m->retry_s, m->s_end);
    m->s = m->retry_s;
    m->p = m->retry_p;
    return m->s < m->s_end;
}

/* The next literal byte of the pattern, if the string has it here. */
static enum like_result literal(struct like *m)
{
    if (*m->p == '\\' && ++m->p == m->p_end) {
        bad_escape(m);
        return LIKE_ERROR;
    }
    if (*m->p != *m->s)
        return LIKE_NO;
    m->p++;
    m->s++;
    return LIKE_YES;
}

static enum like_result like_run(struct like *m)
{
    for (;;) {
        enum like_result r;
        if (m->s >= m->s_end) {
            while (m->p < m->p_end && *m->p == '%')
                m->p++;
            return m->p == m->p_end ? LIKE_YES : LIKE_NO; /* no later place is longer */
        }
        if (m->p == m->p_end) {
            r = LIKE_NO;
        } else if (*m->p == '%') {
            if ((r = percent(m)) != LIKE_YES)
                return r;
        } else if (*m->p == '_') {
            m->p++;
            m->s = next_char(m->s, m->s_end);
            r = LIKE_YES;
        } else if ((r = literal(m)) == LIKE_ERROR) {
            return r;
        }
        if (r == LIKE_NO && !retry(m))
            return LIKE_NO;
    }
}

static bool like(struct value s, struct value pattern, bool negated, struct value *out,
                 struct err *err)
{
    struct like m = {.s = s.p,
                     .s_end = s.p + s.len,
                     .p = pattern.p,
                     .p_end = pattern.p + pattern.len,
                     .err = err};
    enum like_result r = like_run(&m);
    return r != LIKE_ERROR && fn_bool(out, (r == LIKE_YES) != negated);
}

FN(fn_like)
{
    return like(v[0], v[1], false, out, err);
}
FN(fn_not_like)
{
    return like(v[0], v[1], true, out, err);
}

static bool ilike(const struct expr *e, struct eval_ctx *cx, const struct value *v, bool negated,
                  struct value *out, struct err *err)
{
    struct value s, p;
    return text_change_case(e->collation, v[0], false, cx->arena, &s, err) &&
           text_change_case(e->collation, v[1], false, cx->arena, &p, err) &&
           like(s, p, negated, out, err);
}

FN(fn_ilike)
{
    return ilike(e, cx, v, false, out, err);
}
FN(fn_not_ilike)
{
    return ilike(e, cx, v, true, out, err);
}

/* Rewrites a pattern for the default escape character, backslash. */
FN(fn_like_escape)
{
    struct value p = v[0], esc = v[1];
    uint8_t *r;
    size_t len = 0;
    bool escaped = false;
    if (esc.len && text_char_len(esc.p, esc.len) != esc.len) {
        err_set(err, "22025", "invalid escape string");
        return err_hint(err, "Escape string must be empty or one character.");
    }
    *out = p;
    if (esc.len == 1 && esc.p[0] == '\\')
        return true;
    r = arena_alloc(cx->arena, (size_t)p.len * 2);
    for (size_t i = 0, n; i < p.len; i += n) {
        n = text_char_len(p.p + i, p.len - i);
        if (!escaped && n == esc.len && memcmp(p.p + i, esc.p, n) == 0) {
            r[len++] = '\\';
            escaped = true;
            continue;
        }
        if (p.p[i] == '\\' && !escaped)
            r[len++] = '\\';
        memcpy(r + len, p.p + i, n);
        len += n;
        escaped = false;
    }
    *out = value_bytes(r, len);
    return true;
}
