/* SPDX-License-Identifier: Apache-2.0 */
/* parser_expression: one function for each level of the grammar. */
#include "kql/parser_parts.h"

#include <stdio.h>
#include <string.h>

#include "kql/operators.h"

enum { MOST_LIST = 65536 };

static kql_expr *parse_or(kql_parser *p);

/* A watchlist's columns are known when its file is: until then each name is one. */
static const kql_column *any_column(kql_parser *p, text name)
{
    size_t count = p->columns.count;
    kql_column *all = kql_parser_alloc(p, (count + 1) * sizeof(kql_column));

    if (all == NULL)
        return NULL;
    if (count > 0)
        memcpy(all, p->columns.all, count * sizeof(kql_column));
    all[count] = (kql_column){.name = name, .type = KQL_STRING, .slot = p->slots++};
    p->columns = (kql_columns){all, count + 1};
    p->any_columns = p->columns;
    return &all[count];
}

static kql_expr *call(kql_parser *p, text name)
{
    const kql_function *f = kql_function_find(name);
    kql_expr *e = kql_new_expr(p, FORM_CALL, KQL_BOOL, name);

    if (f == NULL)
        kql_fail(p, name, "there is no function of this name here");
    if (e == NULL || f == NULL || !kql_expect(p, "("))
        return NULL;
    e->call = f;
    if (!kql_is(p, ")"))
        do {
            if (!kql_append_argument(p, e, parse_or(p), f->most))
                return NULL;
        } while (kql_take(p, ","));
    if (!kql_expect(p, ")"))
        return NULL;
    if (e->count < f->least)
        kql_fail(p, name, "%s() takes at least %u arguments", f->name, f->least);
    if (p->failed || !kql_check_argument_types(p, e) || !kql_derive_type(p, e) ||
        (f->constant_first && !kql_take_constant(p, e)))
        return NULL;
    e->is_verbatim = f->is_verbatim && kql_all_verbatim(e);
    return e;
}

static const kql_let *find_let(const kql_parser *p, text name)
{
    for (size_t i = 0; i < p->let_count; i++)
        if (text_equal(p->lets[i].name, name))
            return &p->lets[i];
    return NULL;
}

static kql_expr *name_of_let(kql_parser *p, const kql_let *let, text word)
{
    kql_expr *e = kql_new_expr(p, FORM_LITERAL, let->type, word);

    if (let->is_set) {
        kql_fail(p, word, "a set can stand behind in, in~, !in and !in~ alone");
        return NULL;
    }
    if (e != NULL)
        e->value = let->value;
    return e;
}

static kql_expr *column(kql_parser *p)
{
    text word = p->token.word, name;
    const kql_column *c;
    const kql_let *let;
    kql_expr *e;

    if (p->token.kind != TOKEN_NAME && !kql_is(p, "[")) {
        kql_fail_here(p, "an expression");
        return NULL;
    }
    if (!kql_take_name(p, &name))
        return NULL;
    c = kql_find_column(&p->columns, name);
    let = find_let(p, name);
    if (c == NULL && let != NULL)
        return name_of_let(p, let, word);
    if (c == NULL && p->takes_any_column)
        c = any_column(p, name);
    if (c == NULL) {
        kql_fail(p, word, "there is no column of this name here");
        return NULL;
    }
    e = kql_new_expr(p, FORM_COLUMN, c->type, word);
    if (e != NULL) {
        e->slot = c->slot;
        e->name = c->name;
        e->is_verbatim = c->is_verbatim;
    }
    return e;
}

static kql_expr *primary(kql_parser *p)
{
    text name = p->token.word;
    kql_expr *e;

    if (kql_is_literal(p))
        return kql_literal_expr(p);
    if (!p->failed && p->token.kind == TOKEN_NAME && kql_is_call(p) && !kql_is_keyword(name)) {
        kql_advance(p);
        return call(p, name);
    }
    if (!kql_take(p, "("))
        return column(p);
    e = parse_or(p);
    return kql_expect(p, ")") ? e : NULL;
}

/* A path behind a column or a call. */
static kql_expr *parse_path(kql_parser *p)
{
    kql_expr *from = primary(p), *e;
    kql_steps s = {0};

    if (from == NULL || !(kql_is(p, ".") || kql_is(p, "[")))
        return from;
    if (from->type != KQL_DYNAMIC) {
        kql_fail(p, p->token.word, "a path over a %s: only a dynamic has members",
                 kql_type_name(from->type));
        return NULL;
    }
    e = kql_new_expr(p, FORM_PATH, KQL_DYNAMIC, from->source);
    if (e == NULL || !kql_append_argument(p, e, from, 1) || !kql_take_steps(p, &s))
        return NULL;
    e->steps = s.all;
    e->step_count = s.count;
    e->is_verbatim = from->is_verbatim;
    return e;
}

/* --- comparisons --- */

static bool add_to_list(kql_parser *p, kql_items *list, kql_value v)
{
    text key;

    if (v.kind != KIND_ARRAY)
        return kql_add_item(p, list, (kql_item){TEXT(""), v});
    for (size_t i = 0; i < v.count; i++)
        if (!kql_add_item(p, list, (kql_item){TEXT(""), kql_nth(v, i, &key)}))
            return false;
    return true;
}

static bool can_stand_in_list(const kql_expr *e, kql_type type)
{
    bool is_text = e->operator->test == kql_equals || e->operator->right == RIGHT_TEXTS;

    if (type == KQL_DYNAMIC) /* its values are looked at one by one, when they are compared */
        return true;
    return is_text ? type == KQL_STRING : kql_can_equal(e->args[0]->type, type);
}

static bool parse_list_item(kql_parser *p, const kql_expr *e, kql_items *list)
{
    const kql_let *let = p->token.kind == TOKEN_NAME ? find_let(p, p->token.word) : NULL;
    text word = p->token.word;
    kql_value value;
    kql_type type;

    if (let != NULL && !let->is_set && !kql_is_literal(p)) {
        value = let->value;
        type = let->type;
        kql_advance(p);
    } else if (!kql_is_literal(p)) {
        return kql_fail_here(p, "a literal, or a name that let gives to one,");
    } else if (!kql_parse_literal(p, &value, &type)) {
        return false;
    }
    if (!can_stand_in_list(e, type))
        return kql_fail(p, word, "a %s in a list for a %s", kql_type_name(type),
                        kql_type_name(e->args[0]->type));
    return add_to_list(p, list, value);
}

/* The texts of the list are values by themselves; one of a dynamic is its text. */
static bool finish_list(kql_parser *p, kql_expr *e, const kql_items *list)
{
    bool texts = e->operator->right == RIGHT_TEXTS;
    kql_value *values = kql_parser_alloc(p, list->count * sizeof(kql_value));

    if (values == NULL)
        return false;
    for (size_t i = 0; i < list->count; i++) {
        values[i] = list->all[i].value;
        if (texts && values[i].kind != KIND_STRING)
            values[i] = kql_string(kql_tostring(values[i], KQL_DYNAMIC, p->memory));
    }
    e->list = values;
    e->list_count = list->count;
    return true;
}

/* NAME of a set, and which of its columns: the first, or `| project C`. */
static bool parse_set(kql_parser *p, kql_expr *e, const kql_let *let)
{
    text name;
    const kql_column *c = let->set_columns->all;

    kql_advance(p);
    if (e->operator->right != RIGHT_LIST)
        return kql_fail(p, e->operator->right == RIGHT_TEXTS ? let->name : p->token.word,
                        "a set can stand behind in, in~, !in and !in~ alone");
    if (kql_take(p, "|")) {
        if (!kql_expect(p, "project"))
            return false;
        name = p->token.word;
        if (!kql_take_name(p, &name))
            return false;
        c = kql_find_column(let->set_columns, name);
        if (c == NULL)
            return kql_fail(p, name, "the set has no column of this name");
    }
    e->in_set = true;
    e->set = let->set;
    e->set_column = c->slot;
    return true;
}

static bool expect_closing(kql_parser *p, size_t parentheses)
{
    while (parentheses > 0 && kql_expect(p, ")"))
        parentheses--;
    return parentheses == 0;
}

static bool parse_list(kql_parser *p, kql_expr *e)
{
    size_t parentheses = 0;
    const kql_let *let;
    kql_items list = {0};

    while (kql_take(p, "("))
        parentheses++;
    let = !p->failed && p->token.kind == TOKEN_NAME ? find_let(p, p->token.word) : NULL;
    if (let != NULL && let->is_set)
        return parse_set(p, e, let) && expect_closing(p, parentheses);
    if (parentheses == 0)
        return let != NULL ? parse_list_item(p, e, &list) && finish_list(p, e, &list)
                           : kql_fail_here(p, "a list in parentheses");
    do {
        if (list.count >= MOST_LIST)
            return kql_fail(p, p->token.word, "a list of more than %d", MOST_LIST);
        if (!parse_list_item(p, e, &list))
            return false;
    } while (kql_take(p, ","));
    return expect_closing(p, parentheses) && finish_list(p, e, &list);
}

static bool parse_range(kql_parser *p, kql_expr *e)
{
    return kql_expect(p, "(") && kql_append_argument(p, e, parse_path(p), 3) &&
           kql_expect(p, "..") && kql_append_argument(p, e, parse_path(p), 3) && kql_expect(p, ")");
}

static bool parse_regex(kql_parser *p, kql_expr *e)
{
    text word = p->token.word, pattern;

    if (!kql_is_literal_text(p))
        return kql_fail_here(p, "a literal pattern");
    return kql_take_texts(p, &pattern) && kql_make_regex(p, e, word, pattern);
}

static bool is_text(const kql_expr *e)
{
    return e->type == KQL_STRING || e->type == KQL_DYNAMIC;
}

static bool check_pair(kql_parser *p, const kql_expr *e, const kql_expr *a, const kql_expr *b)
{
    const kql_operator *o = e->operator;
    bool can = o->is_ordering ? kql_can_order(a->type, b->type)
               : o->is_tight  ? is_text(a) && is_text(b)
                              : kql_can_equal(a->type, b->type);

    return can || kql_fail(p, e->source, "%s between a %s and a %s", o->word,
                           kql_type_name(a->type), kql_type_name(b->type));
}

/* time between (time .. timespan) */
static bool ends_span_of_time(const kql_expr *e, size_t n)
{
    return n == 2 && e->args[0]->type == KQL_DATETIME && e->args[1]->type == KQL_DATETIME &&
           e->args[2]->type == KQL_TIMESPAN;
}

static bool check_operands(kql_parser *p, const kql_expr *e)
{
    if (e->operator->right != RIGHT_EXPRESSION && e->operator->right != RIGHT_RANGE) {
        bool wants_text =
            e->operator->right != RIGHT_LIST || e->in_set || e->operator->test == kql_equals;

        return !wants_text || is_text(e->args[0]) ||
               kql_fail(p, e->source, "%s over a %s", e->operator->word,
                        kql_type_name(e->args[0]->type));
    }
    for (size_t i = 1; i < e->count; i++)
        if (!ends_span_of_time(e, i) && !check_pair(p, e, e->args[0], e->args[i]))
            return false;
    return true;
}

static const kql_operator *operator_here(kql_parser *p, bool is_tight)
{
    const kql_operator *o;

    if (p->failed || (p->token.kind != TOKEN_NAME && p->token.kind != TOKEN_SIGN))
        return NULL;
    o = kql_operator_find(kql_is(p, "matches") ? text_of("matches regex") : p->token.word);
    return o != NULL && o->is_tight == is_tight ? o : NULL;
}

static bool parse_right(kql_parser *p, kql_expr *e, kql_expr *(*operand)(kql_parser *))
{
    switch (e->operator->right) {
    case RIGHT_LIST:
    case RIGHT_TEXTS:
        return parse_list(p, e);
    case RIGHT_RANGE:
        return parse_range(p, e);
    case RIGHT_REGEX:
        return kql_expect(p, "regex") && parse_regex(p, e);
    case RIGHT_EXPRESSION:
        break;
    }
    return kql_append_argument(p, e, operand(p), 2);
}

static kql_expr *parse_operator(kql_parser *p, bool is_tight, kql_expr *(*operand)(kql_parser *))
{
    kql_expr *left = operand(p), *e;
    const kql_operator *o = operator_here(p, is_tight);

    if (left == NULL || o == NULL)
        return left;
    e = kql_new_expr(p, FORM_CALL, KQL_BOOL, p->token.word);
    if (e == NULL || !kql_append_argument(p, e, left, 1))
        return NULL;
    e->operator= o;
    e->call = &o->call;
    kql_advance(p);
    if (!parse_right(p, e, operand) || !check_operands(p, e))
        return NULL;
    if (operator_here(p, is_tight) != NULL)
        kql_fail(p, p->token.word, "comparisons do not chain");
    return p->failed ? NULL : e;
}

/* What people write behind an operand, and does not stand there in KQL, or not here. */
static bool refuse_sign(kql_parser *p)
{
    static const char arithmetic[] = "there is no arithmetic here";
    static const struct {
        const char *sign;
        const char *why;
    } signs[] = {{"+", arithmetic},
                 {"-", arithmetic},
                 {"*", arithmetic},
                 {"/", arithmetic},
                 {"%", arithmetic},
                 {"=", "that two are equal is written =="},
                 {"&", "both of two conditions are written with and"}};

    for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++)
        if (kql_is(p, signs[i].sign))
            return kql_fail(p, p->token.word, "%s", signs[i].why);
    return !p->failed;
}

static kql_expr *parse_tight(kql_parser *p)
{
    kql_expr *e = parse_operator(p, true, parse_path);

    return refuse_sign(p) ? e : NULL;
}

static kql_expr *parse_comparison(kql_parser *p)
{
    return parse_operator(p, false, parse_tight);
}

/* --- and, or --- */

/* Perhaps for an operator that there is not: `x hasprefix ..`, `x !between ..`. */
static bool fail_condition(kql_parser *p, const kql_expr *e)
{
    text next = p->token.word;
    bool is_word = p->token.kind == TOKEN_NAME ||
                   (p->token.kind == TOKEN_SIGN && next.length > 1 && next.bytes[0] == '!');

    if (is_word && !kql_is_keyword(next))
        return kql_fail(p, next, "there is no operator of this name here");
    return kql_fail(p, e->source, "a condition should stand here, not a %s",
                    kql_type_name(e->type));
}

static kql_expr *parse_chain(kql_parser *p, const kql_function *f,
                             kql_expr *(*operand)(kql_parser *))
{
    kql_expr *first = operand(p), *e;

    if (first == NULL || !kql_is(p, f->name))
        return first;
    e = kql_new_expr(p, FORM_CALL, KQL_BOOL, first->source);
    if (e == NULL || !kql_append_argument(p, e, first, MOST_LIST))
        return NULL;
    e->call = f;
    while (kql_take(p, f->name))
        if (!kql_append_argument(p, e, operand(p), MOST_LIST))
            return NULL;
    for (size_t i = 0; i < e->count; i++)
        if (e->args[i]->type != KQL_BOOL)
            fail_condition(p, e->args[i]);
    return p->failed ? NULL : e;
}

static kql_expr *parse_and(kql_parser *p)
{
    return parse_chain(p, &kql_and, parse_comparison);
}

static kql_expr *parse_or(kql_parser *p)
{
    kql_expr *e;

    if (++p->depth > KQL_MOST_DEPTH)
        kql_fail(p, p->token.word, "nested too deep");
    e = p->failed ? NULL : parse_chain(p, &kql_or, parse_and);
    p->depth--;
    return e;
}

kql_expr *kql_parse_expression(kql_parser *p)
{
    return parse_or(p);
}

kql_expr *kql_parse_condition(kql_parser *p)
{
    kql_expr *e = parse_or(p);

    if (e == NULL || e->type == KQL_BOOL)
        return e;
    fail_condition(p, e);
    return NULL;
}
