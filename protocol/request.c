/*
 * request: the parser of request.h, driven by request.def.
 *
 * Both forms end in the same setters, one a member: the text form calls them with words in the
 * order of the verb's member list, the JSON form with the members of the object. So a rule about a
 * value stands in one place and holds for both.
 *
 * What the protocol has and this version doesn't is parsed like the rest, then refused by name
 * (p->absent): to add it, store it in struct request instead.
 */
#include "protocol/request.h"

#include <assert.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "protocol/rawjson.h"

#define PARAMS_MAX      65535
#define EVERY_MS_MAX    86400000
#define INTERVAL_MS_MAX 86400000

struct verb_info {
    const char *name, *arguments, *members, *help;
};

static const struct verb_info verbs[] = {
#define VERB(name, arguments, members, help) {#name, arguments, members, help},
#include "protocol/request.def"
#undef VERB
};

struct parse {
    struct arena *a;
    struct request *out;
    struct err *err;
    const struct verb_info *info; /* of out->verb, once known */
    const char *absent;           /* a feature of the protocol that was asked for and isn't here */
    bool has_sql, has_mode, has_user, has_password;
};

/* A value in either form. WORD is the text form's: it may stand for a string or a number. */
struct scalar {
    enum {
        S_WORD,
        S_STRING,
        S_NUMBER,
        S_BOOL
    } kind;
    const char *text;
    size_t len;
};

static bool malformed(struct parse *p, const char *what, const char *why)
{
    err_set(p->err, ERR_PROTOCOL, "%s %s", what, why);
    if (p->info)
        err_hint(p->err, "%s %s", p->info->name, p->info->arguments);
    return false;
}

static bool is_string(const struct scalar *v)
{
    return v->kind == S_WORD || v->kind == S_STRING;
}

static bool word_is(const struct scalar *v, const char *word)
{
    return is_string(v) && v->len == strlen(word) && strncasecmp(v->text, word, v->len) == 0;
}

/* Plain decimal digits, at most nine of them: enough for every number of the protocol itself. */
static bool small_uint(const struct scalar *v, uint32_t *out)
{
    uint32_t n = 0;
    if ((v->kind != S_WORD && v->kind != S_NUMBER) || v->len == 0 || v->len > 9)
        return false;
    for (size_t i = 0; i < v->len; i++) {
        if (v->text[i] < '0' || v->text[i] > '9')
            return false;
        n = n * 10 + (uint32_t)(v->text[i] - '0');
    }
    *out = n;
    return true;
}

static bool is_id_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c && strchr("_.:-", c));
}

/* "-" alone stands for "no id" in ERROR lines, so it can't be one. */
static bool set_id(struct parse *p, const struct scalar *v)
{
    bool ok = is_string(v) && v->len >= 1 && v->len <= REQUEST_ID_MAX;
    for (size_t i = 0; ok && i < v->len; i++)
        ok = is_id_char(v->text[i]);
    if (!ok || (v->len == 1 && v->text[0] == '-'))
        return malformed(p, "an id", "is 1 to 64 characters out of A-Za-z0-9_.:- and not \"-\"");
    p->out->id = arena_strndup(p->a, v->text, v->len);
    return true;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Only the end is trimmed: an error's position counts from the start of what the client sent. */
static bool set_sql(struct parse *p, const struct scalar *v)
{
    size_t len = v->len;
    if (!is_string(v))
        return malformed(p, "sql", "must be a string");
    while (len && is_blank(v->text[len - 1]))
        len--;
    if (len && v->text[len - 1] == ';')
        len--;
    while (len && is_blank(v->text[len - 1]))
        len--;
    if (!len)
        return malformed(p, p->info->name, "needs a statement");
    p->out->sql = arena_strndup(p->a, v->text, len);
    p->out->sql_len = len;
    p->has_sql = true;
    return true;
}

static bool set_query(struct parse *p, const struct scalar *v)
{
    if (!is_string(v) || !v->len)
        return malformed(p, "query", "must be the name of a query");
    p->absent = "named queries (@name)";
    return true;
}

static bool set_since(struct parse *p, const struct scalar *v)
{
    if (!is_string(v) || !lsn_parse(v->text, v->len, &p->out->since))
        return malformed(p, "since", "must be an LSN such as 0/16B3748");
    p->out->has_since = true;
    return true;
}

static bool set_min_interval(struct parse *p, const struct scalar *v)
{
    if (!small_uint(v, &p->out->min_interval_ms) || p->out->min_interval_ms > INTERVAL_MS_MAX)
        return malformed(p, "min_interval_ms", "must be a whole number from 0 to 86400000");
    return true;
}

static bool set_lsn(struct parse *p, const struct scalar *v)
{
    if (!is_string(v) || !lsn_parse(v->text, v->len, &p->out->lsn))
        return malformed(p, "lsn", "must look like 0/16B3748");
    p->out->has_lsn = true;
    return true;
}

static bool set_mode(struct parse *p, const struct scalar *v)
{
    p->has_mode = true;
    if (p->out->verb == VERB_MARKS) {
        if (!word_is(v, "on") && !word_is(v, "off"))
            return malformed(p, "the mode of MARKS", "is on or off");
        p->out->on = word_is(v, "on");
        return true;
    }
    if (word_is(v, "each"))
        p->out->mode = PROGRESS_EACH;
    else if (word_is(v, "off"))
        p->out->mode = PROGRESS_OFF;
    else if (small_uint(v, &p->out->every_ms) && p->out->every_ms >= 1 &&
             p->out->every_ms <= EVERY_MS_MAX)
        p->out->mode = PROGRESS_EVERY;
    else
        return malformed(p, "the mode of PROGRESS",
                         "is each, off or milliseconds from 1 to 86400000");
    return true;
}

/* It comes back in a line of the protocol, so it must be one word. */
static bool set_word(struct parse *p, const struct scalar *v)
{
    bool ok = is_string(v) && v->len >= 1 && v->len <= REQUEST_WORD_MAX;
    for (size_t i = 0; ok && i < v->len; i++)
        ok = (unsigned char)v->text[i] > ' ' && v->text[i] != 0x7F;
    if (!ok)
        return malformed(p, "the word of PING", "is 1 to 256 bytes without blanks");
    p->out->word = arena_strndup(p->a, v->text, v->len);
    return true;
}

static bool set_user(struct parse *p, const struct scalar *v)
{
    p->has_user = true;
    return (is_string(v) && v->len) || malformed(p, "user", "must be a string");
}

static bool set_password(struct parse *p, const struct scalar *v)
{
    p->has_password = true;
    return is_string(v) || malformed(p, "password", "must be a string");
}

/* params is missing: it is an array, and the only one. */
static const struct {
    const char *name;
    bool (*set)(struct parse *p, const struct scalar *v);
} members[] = {
    {"id", set_id},       {"sql", set_sql},
    {"query", set_query}, {"since", set_since},
    {"lsn", set_lsn},     {"min_interval_ms", set_min_interval},
    {"mode", set_mode},   {"word", set_word},
    {"user", set_user},   {"password", set_password},
};

static bool set_member(struct parse *p, const char *name, size_t len, const struct scalar *v)
{
    for (size_t i = 0; i < sizeof members / sizeof *members; i++)
        if (strlen(members[i].name) == len && memcmp(members[i].name, name, len) == 0)
            return members[i].set(p, v);
    assert(!"request.def names a member that members[] lacks");
    return false;
}

static bool find_verb(struct parse *p, const char *text, size_t len)
{
    for (int i = 0; i < VERB_COUNT; i++) {
        if (strlen(verbs[i].name) == len && strncasecmp(verbs[i].name, text, len) == 0) {
            p->info = &verbs[i];
            p->out->verb = (enum verb)i;
            return true;
        }
    }
    if (len > REQUEST_ID_MAX)
        err_set(p->err, ERR_PROTOCOL, "unknown request");
    else
        err_set(p->err, ERR_PROTOCOL, "unknown request \"%.*s\"", (int)len, text);
    return err_hint(p->err, "HELP lists the requests.");
}

/* Whether the space-separated list holds the word. No word is in none. */
static bool lists(const char *list, const char *word)
{
    size_t len = strlen(word);
    for (const char *p = list; len > 0 && (p = strstr(p, word)); p += len)
        if ((p == list || p[-1] == ' ') && (p[len] == ' ' || p[len] == '\0'))
            return true;
    return false;
}

/* What must be there is; what isn't in this version is refused. The last step of both forms. */
static bool complete(struct parse *p)
{
    const char *list = p->info->members, *missing = NULL;
    bool named = p->absent && lists(list, "query") && !p->has_sql;
    if (lists(list, "id") && !p->out->id)
        missing = "needs an id";
    else if (lists(list, "sql") && !p->has_sql && !named)
        missing = "needs a statement";
    else if (lists(list, "mode") && !p->has_mode)
        missing = "needs a mode";
    else if (lists(list, "user") && (!p->has_user || !p->has_password))
        missing = "needs a user and a password";
    if (missing)
        return malformed(p, p->info->name, missing);
    if (p->out->verb == VERB_AUTH)
        p->absent = p->info->name;
    if (p->absent)
        return err_set(p->err, ERR_FEATURE_NOT_SUPPORTED, "%s: not in this version of palimpsestd",
                       p->absent);
    return true;
}

static bool set_param(struct parse *p, const struct raw_numbers *raw, const json_t *item,
                      struct request_param *out)
{
    switch (json_typeof(item)) {
    case JSON_NULL: out->null = true; return true;
    case JSON_TRUE: out->text = "true"; break;
    case JSON_FALSE: out->text = "false"; break;
    case JSON_STRING:
        out->len = json_string_length(item);
        out->text = arena_strndup(p->a, json_string_value(item), out->len);
        return true;
    case JSON_INTEGER: {
        const struct raw_number *n = raw_number_of(raw, item);
        out->len = n->len;
        out->text = arena_strndup(p->a, n->text, n->len);
        return true;
    }
    default: return malformed(p, "params", "holds strings, numbers, booleans and nulls only");
    }
    out->len = strlen(out->text);
    return true;
}

static bool set_params(struct parse *p, const struct raw_numbers *raw, const json_t *array)
{
    if (!json_is_array(array))
        return malformed(p, "params", "must be an array");
    size_t n = json_array_size(array);
    if (n > PARAMS_MAX)
        return malformed(p, "params", "has more than 65535 elements");
    struct request_param *out = ARENA_ARRAY(p->a, struct request_param, n);
    for (size_t i = 0; i < n; i++)
        if (!set_param(p, raw, json_array_get(array, i), &out[i]))
            return false;
    p->out->params = out;
    p->out->nparams = n;
    return true;
}

static bool set_json_member(struct parse *p, const struct raw_numbers *raw, const char *name,
                            const json_t *value)
{
    struct scalar v;
    if (strcmp(name, "op") == 0)
        return true;
    if (!lists(p->info->members, name) || strchr(name, ' ')) {
        err_set(p->err, ERR_PROTOCOL, "\"%s\" is not a member of this request",
                strlen(name) <= REQUEST_ID_MAX ? name : "…");
        return err_hint(p->err, "%s has: op %s", p->info->name, p->info->members);
    }
    if (json_is_null(value))
        return true; /* as if it weren't there */
    if (strcmp(name, "params") == 0)
        return set_params(p, raw, value);
    if (json_is_string(value)) {
        v = (struct scalar){S_STRING, json_string_value(value), json_string_length(value)};
    } else if (json_is_integer(value)) {
        const struct raw_number *n = raw_number_of(raw, value);
        v = (struct scalar){S_NUMBER, n->text, n->len};
    } else {
        v = (struct scalar){S_BOOL, "", 0};
    }
    return set_member(p, name, strlen(name), &v);
}

/* The id first, so that every later complaint can name it. */
static bool read_object(struct parse *p, const struct raw_numbers *raw, json_t *object)
{
    const char *name;
    json_t *value, *id = json_object_get(object, "id"), *op = json_object_get(object, "op");
    if (json_is_string(id)) {
        struct err ignored, *real = p->err;
        p->err = &ignored;
        (void)set_id(p, &(struct scalar){S_STRING, json_string_value(id), json_string_length(id)});
        p->err = real;
    }
    if (!json_is_string(op))
        return malformed(p, "op", "must be a string: the request's name");
    if (!find_verb(p, json_string_value(op), json_string_length(op)))
        return false;
    json_object_foreach(object, name, value)
    {
        if (!set_json_member(p, raw, name, value))
            return false;
    }
    return complete(p);
}

static bool parse_json(struct parse *p, const char *line, size_t len)
{
    struct raw_numbers raw;
    bool ok = false;
    json_t *root = raw_json_load(line, len, p->a, &raw, p->err);
    if (root) {
        ok = json_is_object(root) ? read_object(p, &raw, root)
                                  : malformed(p, "a request in JSON", "is an object");
        json_decref(root);
    }
    return ok;
}

struct cursor {
    const char *at, *end;
};

static void skip_blanks(struct cursor *c)
{
    while (c->at < c->end && is_blank(*c->at))
        c->at++;
}

static struct scalar take_word(struct cursor *c)
{
    skip_blanks(c);
    const char *from = c->at;
    while (c->at < c->end && !is_blank(*c->at))
        c->at++;
    return (struct scalar){S_WORD, from, (size_t)(c->at - from)};
}

static struct scalar take_rest(struct cursor *c)
{
    skip_blanks(c);
    struct scalar v = {S_WORD, c->at, (size_t)(c->end - c->at)};
    c->at = c->end;
    return v;
}

/* @name [json-array] */
static bool take_named(struct parse *p, struct cursor *c)
{
    c->at++;
    struct scalar name = take_word(c), array = take_rest(c);
    if (!set_query(p, &name))
        return false;
    if (!array.len)
        return true;
    struct raw_numbers raw;
    json_t *root = raw_json_load(array.text, array.len, p->a, &raw, p->err);
    bool ok = root && set_params(p, &raw, root);
    json_decref(root);
    return ok;
}

static bool take_statement(struct parse *p, struct cursor *c)
{
    skip_blanks(c);
    if (c->at < c->end && *c->at == '@' && lists(p->info->members, "query"))
        return take_named(p, c);
    struct scalar v = take_rest(c);
    return !v.len || set_sql(p, &v);
}

static bool parse_text(struct parse *p, struct cursor *c)
{
    struct scalar v = take_word(c);
    if (!find_verb(p, v.text, v.len))
        return false;
    for (const char *m = p->info->members; *m;) {
        size_t len = strcspn(m, " ");
        if (len == 3 && memcmp(m, "sql", 3) == 0) {
            if (!take_statement(p, c))
                return false;
            break;
        }
        v = take_word(c);
        if (v.len && !set_member(p, m, len, &v))
            return false;
        m += len + (m[len] == ' ');
    }
    skip_blanks(c);
    if (c->at < c->end)
        return malformed(p, p->info->name, "is followed by too many words");
    return complete(p);
}

bool request_parse(const char *line, size_t len, struct arena *a, struct request *out,
                   struct err *err)
{
    struct parse p = {.a = a, .out = out, .err = err};
    struct cursor c = {line, line + len};
    memset(out, 0, sizeof *out);
    skip_blanks(&c);
    if (c.at == c.end)
        return err_set(err, ERR_PROTOCOL, "a line of blanks is no request");
    if (*c.at == '{')
        return parse_json(&p, c.at, (size_t)(c.end - c.at));
    return parse_text(&p, &c);
}

const char *verb_name(enum verb v)
{
    assert(v < VERB_COUNT);
    return verbs[v].name;
}

const char *verb_arguments(enum verb v)
{
    assert(v < VERB_COUNT);
    return verbs[v].arguments;
}

const char *verb_help(enum verb v)
{
    assert(v < VERB_COUNT);
    return verbs[v].help;
}
