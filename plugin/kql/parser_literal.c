/* SPDX-License-Identifier: Apache-2.0 */
/* parser_literal: literals of every type, dynamic ones built as they are read. */
#include "kql/parser_parts.h"

#include <stdio.h>
#include <string.h>

#include "kql/datetime.h"

bool kql_take_texts(kql_parser *p, text *result)
{
    buffer all = {0};
    text first = p->token.value.string;
    bool is_one;

    kql_advance(p);
    is_one = !kql_is_literal_text(p);
    *result = first;
    if (is_one)
        return !p->failed;
    buffer_append(&all, first);
    while (kql_is_literal_text(p)) {
        buffer_append(&all, p->token.value.string);
        kql_advance(p);
    }
    *result = arena_copy(p->memory, buffer_text(&all));
    if (buffer_failed(&all) || result->bytes == NULL)
        kql_fail(p, p->token.word, "out of memory");
    buffer_free(&all);
    return !p->failed;
}

static bool take_truth(kql_parser *p, kql_value *value)
{
    static const struct {
        const char *word;
        bool truth;
    } words[] = {{"true", true},   {"True", true},   {"TRUE", true},
                 {"false", false}, {"False", false}, {"FALSE", false}};

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (kql_is(p, words[i].word)) {
            *value = kql_bool(words[i].truth);
            kql_advance(p);
            return !p->failed;
        }
    }
    return false;
}

/* datetime(2026-01-01): what is in the parentheses is no words. */
static bool take_raw(kql_parser *p, kql_type type, text word, kql_value *value)
{
    text raw;
    int64_t ticks;
    bool read;

    if (!kql_is(p, "(") || !kql_lexer_take_raw(&p->lexer, &raw))
        return kql_fail_here(p, "( .. )");
    kql_advance(p);
    while (raw.length > 0 && raw.bytes[0] == ' ')
        raw = text_from(raw, 1);
    while (raw.length > 0 && raw.bytes[raw.length - 1] == ' ')
        raw.length--;
    *value = kql_null();
    if (text_equal(raw, (text)TEXT("null")))
        return !p->failed;
    if (raw.length > 1 && (raw.bytes[0] == '"' || raw.bytes[0] == '\'') &&
        raw.bytes[raw.length - 1] == raw.bytes[0])
        raw = (text){raw.bytes + 1, raw.length - 2};
    read = type == KQL_DATETIME ? kql_read_datetime(raw, &ticks) : kql_read_timespan(raw, &ticks);
    if (!read)
        return kql_fail(p, word, "what stands in its parentheses is no %s", kql_type_name(type));
    *value = kql_number(type == KQL_DATETIME ? KIND_DATETIME : KIND_TIMESPAN, ticks);
    return !p->failed;
}

bool kql_take_number(kql_parser *p, kql_value *value, kql_type *type)
{
    bool is_negative = kql_take(p, "-");

    if (p->failed || p->token.kind != TOKEN_LITERAL || p->token.type == KQL_STRING)
        return kql_fail_here(p, "a number");
    *value = p->token.value;
    *type = p->token.type;
    if (*type == KQL_LONG && value->number == INT64_MIN && !is_negative)
        return kql_fail(p, p->token.word, "a number out of range");
    if (is_negative && value->kind == KIND_REAL)
        value->real = -value->real;
    else if (is_negative && value->number != INT64_MIN)
        value->number = -value->number;
    kql_advance(p);
    return !p->failed;
}

/* bool(null), long(5), real(1.5) */
static bool take_typed(kql_parser *p, kql_type type, kql_value *value)
{
    kql_type found = type;

    if (!kql_expect(p, "("))
        return false;
    if (kql_take(p, "null"))
        *value = kql_null();
    else if (type == KQL_BOOL ? !take_truth(p, value) : !kql_take_number(p, value, &found))
        return kql_fail_here(p, "a literal");
    if (type == KQL_REAL && value->kind == KIND_LONG)
        *value = (kql_value){.kind = KIND_REAL, .real = (double)value->number};
    else if (value->kind != KIND_NULL && found != type)
        return kql_fail_here(p, kql_type_name(type));
    return kql_expect(p, ")");
}

static bool parse_dynamic_value(kql_parser *p, kql_value *value);

bool kql_add_item(kql_parser *p, kql_items *list, kql_item item)
{
    if (list->count == list->room) {
        size_t room = list->room > 0 ? list->room * 2 : 8;
        kql_item *all = kql_parser_alloc(p, room * sizeof(kql_item));

        if (all == NULL)
            return false;
        if (list->count > 0)
            memcpy(all, list->all, list->count * sizeof(kql_item));
        list->all = all;
        list->room = room;
    }
    list->all[list->count++] = item;
    return true;
}

static bool parse_dynamic_item(kql_parser *p, kql_kind kind, kql_items *list)
{
    kql_item item = {.key = TEXT("")};

    if (kind == KIND_BAG) {
        if (!kql_is_literal_text(p))
            return kql_fail_here(p, "a key in quotes");
        item.key = p->token.value.string;
        kql_advance(p);
        if (!kql_expect(p, ":"))
            return false;
    }
    return parse_dynamic_value(p, &item.value) && kql_add_item(p, list, item);
}

static bool parse_dynamic_list(kql_parser *p, kql_kind kind, const char *end, kql_value *value)
{
    kql_items list = {0};

    if (++p->depth > KQL_MOST_DEPTH)
        return kql_fail(p, p->token.word, "nested too deep");
    if (!kql_is(p, end))
        do {
            if (!parse_dynamic_item(p, kind, &list))
                return false;
        } while (kql_take(p, ","));
    p->depth--;
    *value = (kql_value){.kind = kind, .tree = NULL, .items = list.all, .count = list.count};
    return kql_expect(p, end);
}

static bool parse_dynamic_value(kql_parser *p, kql_value *value)
{
    kql_type type;

    if (kql_take(p, "["))
        return parse_dynamic_list(p, KIND_ARRAY, "]", value);
    if (kql_take(p, "{"))
        return parse_dynamic_list(p, KIND_BAG, "}", value);
    if (kql_take(p, "null")) {
        *value = kql_null();
        return true;
    }
    if (kql_is_literal_text(p)) {
        *value = p->token.value;
        kql_advance(p);
        return !p->failed;
    }
    return take_truth(p, value) || kql_take_number(p, value, &type);
}

/* The opening parenthesis is looked at. */
static bool take_dynamic(kql_parser *p, kql_value *value)
{
    p->lexer.takes_json_escapes = true;
    if (!kql_expect(p, "(") || !parse_dynamic_value(p, value))
        return false;
    p->lexer.takes_json_escapes = false;
    return kql_expect(p, ")");
}

bool kql_is_call(const kql_parser *p)
{
    return kql_lexer_peek(&p->lexer) == '(';
}

/* A type's name before a parenthesis, as in datetime(..). */
static kql_type type_of_literal(const kql_parser *p)
{
    if (p->failed || p->token.kind != TOKEN_NAME || !kql_is_call(p) ||
        text_equal(p->token.word, (text)TEXT("string")))
        return KQL_TYPES;
    return kql_type_of_name(p->token.word);
}

static bool take_literal_of_type(kql_parser *p, kql_type type, kql_value *value)
{
    text word = p->token.word;

    kql_advance(p);
    if (type == KQL_DATETIME || type == KQL_TIMESPAN)
        return take_raw(p, type, word, value);
    return type == KQL_DYNAMIC ? take_dynamic(p, value) : take_typed(p, type, value);
}

bool kql_is_literal(const kql_parser *p)
{
    static const char *const words[] = {"true", "True", "TRUE", "false", "False", "FALSE", "-"};

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (kql_is(p, words[i]))
            return true;
    return !p->failed && (p->token.kind == TOKEN_LITERAL || type_of_literal(p) != KQL_TYPES);
}

bool kql_parse_literal(kql_parser *p, kql_value *value, kql_type *type)
{
    text string;

    *type = type_of_literal(p);
    if (*type != KQL_TYPES)
        return take_literal_of_type(p, *type, value);
    if (kql_is_literal_text(p)) {
        *type = KQL_STRING;
        if (!kql_take_texts(p, &string))
            return false;
        *value = kql_string(string);
        return true;
    }
    *type = KQL_BOOL;
    if (take_truth(p, value))
        return true;
    return kql_take_number(p, value, type);
}

kql_expr *kql_literal_expr(kql_parser *p)
{
    text word = p->token.word;
    kql_expr *e = kql_new_expr(p, FORM_LITERAL, KQL_STRING, word);

    return e != NULL && kql_parse_literal(p, &e->value, &e->type) ? e : NULL;
}
