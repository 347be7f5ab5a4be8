/*
 * array_text: see array_text.h.
 */
#include "engine/value/array_text.h"

#include <string.h>
#include <strings.h>

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool needs_quotes(const char *s, size_t len, char delim)
{
    if (!len || (len == 4 && strncasecmp(s, "NULL", 4) == 0))
        return true;
    for (size_t i = 0; i < len; i++)
        if (s[i] == '"' || s[i] == '\\' || s[i] == '{' || s[i] == '}' || s[i] == delim ||
            is_space(s[i]))
            return true;
    return false;
}

void array_text_add(struct buf *b, const char *s, size_t len, char delim)
{
    if (!needs_quotes(s, len, delim)) {
        buf_add(b, s, len);
        return;
    }
    buf_addc(b, '"');
    for (size_t i = 0; i < len; i++) {
        if (s[i] == '"' || s[i] == '\\')
            buf_addc(b, '\\');
        buf_addc(b, s[i]);
    }
    buf_addc(b, '"');
}

void array_text_add_value(struct buf *b, const struct type *elem, struct value v, char delim)
{
    struct buf text;
    if (v.null) {
        buf_adds(b, "NULL");
        return;
    }
    buf_init(&text);
    value_print(elem, v, &text);
    array_text_add(b, text.data, text.len, delim);
    buf_fini(&text);
}

char array_text_delim(const struct type *array)
{
    return array->delim ? array->delim : ',';
}

bool array_text_value(const struct type *array, const struct buf *text, struct arena *a,
                      struct value *out, struct err *err)
{
    const char *copy = arena_strndup(a, text->data, text->len);
    return value_parse(array, copy, text->len, a, out, err);
}
