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

/* The elements of one dimension and those below it; returns what comes after them. */
static const struct value *print_dimension(const struct type *array, const struct array_dims *dims,
                                           int dim, const struct value *v, struct buf *b)
{
    char delim = array_text_delim(array);
    buf_addc(b, '{');
    for (int32_t i = 0; i < dims->length[dim]; i++) {
        if (i)
            buf_addc(b, delim);
        if (dim + 1 < dims->n)
            v = print_dimension(array, dims, dim + 1, v, b);
        else
            array_text_add_value(b, array->elem, *v++, delim);
    }
    buf_addc(b, '}');
    return v;
}

void array_print(const struct type *array, const struct array_dims *dims, const struct value *v,
                 struct buf *b)
{
    bool bounds = false;
    if (!dims->n) {
        buf_adds(b, "{}");
        return;
    }
    for (int i = 0; i < dims->n; i++)
        bounds |= dims->lower[i] != 1;
    for (int i = 0; bounds && i < dims->n; i++)
        buf_addf(b, "[%d:%d]", dims->lower[i], dims->lower[i] + dims->length[i] - 1);
    if (bounds)
        buf_addc(b, '=');
    print_dimension(array, dims, 0, v, b);
}

void range_add_bound(struct buf *b, const char *s, size_t len)
{
    bool quotes = !len;
    for (size_t i = 0; i < len; i++)
        quotes |= is_space(s[i]) || strchr("\"\\()[],", s[i]) != NULL;
    if (quotes)
        buf_addc(b, '"');
    for (size_t i = 0; i < len; i++) {
        if (s[i] == '"' || s[i] == '\\')
            buf_addc(b, s[i]);
        buf_addc(b, s[i]);
    }
    if (quotes)
        buf_addc(b, '"');
}
