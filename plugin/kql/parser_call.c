/* SPDX-License-Identifier: Apache-2.0 */
/* parser_call: the arguments of a call: their number, their types, and constants among them. */
#include "kql/parser_parts.h"

#include <stdio.h>
#include <string.h>

bool kql_append_argument(kql_parser *p, kql_expr *e, kql_expr *argument, size_t most)
{
    bool is_full = (e->count & (e->count - 1)) == 0; /* at powers of two */
    kql_expr **args;

    if (argument == NULL)
        return false;
    if (e->count == most)
        return kql_fail(p, argument->source, "more than %zu of them", most);
    if (is_full) {
        args = kql_parser_alloc(p, 2 * (e->count + 1) * sizeof(kql_expr *));
        if (args == NULL)
            return false;
        if (e->count > 0)
            memcpy(args, e->args, e->count * sizeof(kql_expr *));
        e->args = args;
    }
    e->args[e->count++] = argument;
    return true;
}

static unsigned taken_by(const kql_function *f, size_t n)
{
    unsigned takes = 0;

    for (size_t i = 0; i < KQL_PARAMETERS && i <= n; i++)
        takes = f->takes[i] != 0 ? f->takes[i] : takes;
    return takes;
}

bool kql_check_argument_types(kql_parser *p, const kql_expr *e)
{
    for (size_t i = 0; i < e->count; i++)
        if ((taken_by(e->call, i) & (1u << e->args[i]->type)) == 0)
            return kql_fail(p, e->args[i]->source, "%s() does not take a %s as argument %zu",
                            e->call->name, kql_type_name(e->args[i]->type), i + 1);
    return true;
}

/* One type, or dynamic where dynamic and another meet. */
static bool join_types(kql_parser *p, const kql_expr *e, const kql_expr *next, kql_type *type)
{
    if (*type == KQL_TYPES || *type == next->type) {
        *type = next->type;
        return true;
    }
    if (*type == KQL_DYNAMIC || next->type == KQL_DYNAMIC) {
        *type = KQL_DYNAMIC;
        return true;
    }
    return kql_fail(p, next->source, "%s() would be a %s and a %s", e->call->name,
                    kql_type_name(*type), kql_type_name(next->type));
}

static bool is_case(const kql_expr *e)
{
    return strcmp(e->call->name, "case") == 0;
}

static bool is_iff(const kql_expr *e)
{
    return e->call->least == 3 && e->call->most == 3;
}

/* Which arguments of iff, case and coalesce are conditions? */
static bool is_condition(const kql_expr *e, size_t n)
{
    return is_iff(e) ? n == 0 : is_case(e) && n % 2 == 0 && n + 1 < e->count;
}

bool kql_derive_type(kql_parser *p, kql_expr *e)
{
    e->type = e->call->result;
    if (e->type != KQL_TYPES)
        return true;
    if (is_case(e) && e->count % 2 == 0)
        return kql_fail(p, e->source, "case() ends with a value for all else");
    for (size_t i = 0; i < e->count; i++) {
        if (!is_condition(e, i)) {
            if (!join_types(p, e, e->args[i], &e->type))
                return false;
        } else if (e->args[i]->type != KQL_BOOL) {
            return kql_fail(p, e->args[i]->source, "a condition should stand here");
        }
    }
    return true;
}

bool kql_all_verbatim(const kql_expr *e)
{
    for (size_t i = 0; i < e->count; i++)
        if (!e->args[i]->is_verbatim)
            return false;
    return true;
}

bool kql_make_regex(kql_parser *p, kql_expr *e, text word, text pattern)
{
    kql_regexes *kept = kql_parser_alloc(p, sizeof(*kept));
    char why[120];

    if (kept == NULL)
        return false;
    kept->regex = kql_regex_new(pattern, why, sizeof(why));
    if (kept->regex == NULL)
        return kql_fail(p, word, "the regular expression is refused: %s", why);
    kept->next = p->regexes;
    p->regexes = kept;
    e->regex = kept->regex;
    return true;
}

/* replace() takes a pattern; only one that means itself is taken here. */
static bool check_plain(kql_parser *p, const kql_expr *e)
{
    for (size_t i = 0; i < 2; i++) {
        const char *signs = i == 0 ? "\\^$.|?*+()[]{}" : "\\$";
        text t = e->args[i]->value.string;

        if (e->args[i]->form != FORM_LITERAL)
            return kql_fail(p, e->args[i]->source, "replace() takes plain texts alone here");
        for (size_t at = 0; at < t.length; at++)
            if (t.bytes[at] == '\0' || strchr(signs, t.bytes[at]) != NULL)
                return kql_fail(p, e->args[i]->source,
                                "replace() by a pattern is not taken: use replace_string()");
    }
    return true;
}

enum { MOST_STEPS = 64 };

static bool add_step(kql_parser *p, kql_steps *s, kql_step step)
{
    if (s->all == NULL)
        s->all = kql_parser_alloc(p, MOST_STEPS * sizeof(kql_step));
    if (s->all == NULL)
        return false;
    if (s->count == MOST_STEPS)
        return kql_fail(p, p->token.word, "a path of more than %d steps", MOST_STEPS);
    s->all[s->count++] = step;
    return true;
}

static bool key_step(kql_parser *p, kql_steps *s, text name)
{
    text key = arena_copy(p->memory, name);

    return key.bytes != NULL ? add_step(p, s, (kql_step){.key = key.bytes})
                             : kql_fail(p, p->token.word, "out of memory");
}

static bool index_step(kql_parser *p, kql_steps *s)
{
    kql_value index;
    kql_type type;
    text word = p->token.word;

    if (kql_is_literal_text(p)) {
        text key = p->token.value.string;

        kql_advance(p);
        return key_step(p, s, key) && kql_expect(p, "]");
    }
    if (!kql_take_number(p, &index, &type))
        return false;
    if (type != KQL_LONG)
        return kql_fail(p, word, "an index should stand here");
    return add_step(p, s, (kql_step){.key = NULL, .index = index.number}) && kql_expect(p, "]");
}

bool kql_take_steps(kql_parser *p, kql_steps *s)
{
    while (!p->failed) {
        if (kql_take(p, "[")) {
            if (!index_step(p, s))
                return false;
        } else if (kql_take(p, ".")) {
            text name;

            if (kql_is(p, "[")) /* $.[0] */
                continue;
            if (p->token.kind != TOKEN_NAME)
                return kql_fail_here(p, "a member's name");
            if (!kql_take_bare_name(p, &name) || !key_step(p, s, name))
                return false;
        } else {
            return true;
        }
    }
    return false;
}

/* extractjson("$.a.b[0]", ..): the text's own steps. */
static bool make_path(kql_parser *p, kql_expr *e, text word, text path)
{
    kql_error inner;
    kql_parser steps_parser;
    kql_steps s = {0};
    bool read;

    if (path.length == 0 || path.bytes[0] != '$')
        return kql_fail(p, word, "the path should begin with $");
    steps_parser = kql_parser_begin(text_from(path, 1), p->memory, &inner);
    read = kql_take_steps(&steps_parser, &s) && steps_parser.token.kind == TOKEN_END;
    if (!read)
        return kql_fail(p, word, "the path is none of members and indexes alone");
    e->steps = s.all;
    e->step_count = s.count;
    return true;
}

bool kql_take_constant(kql_parser *p, kql_expr *e)
{
    const kql_expr *first = e->args[0];
    const char *name = e->call->name;

    if (first->form != FORM_LITERAL || first->value.kind != KIND_STRING)
        return kql_fail(p, first->source, "%s() takes a literal text here", name);
    if (strcmp(name, "trim") == 0)
        return kql_make_regex(p, e, first->source, first->value.string);
    if (strcmp(name, "replace") == 0)
        return check_plain(p, e);
    return make_path(p, e, first->source, first->value.string);
}
