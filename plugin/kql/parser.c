/* SPDX-License-Identifier: Apache-2.0 */
/* parser: one function for each level of the grammar. */
#include "kql/parser.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "kql/datetime.h"
#include "kql/operators.h"

enum { MOST_DEPTH = 48, MOST_LIST = 65536 };

static kql_expr *parse_or(kql_parser *p);

/* --- words --- */

bool kql_fail(kql_parser *p, text word, const char *format, ...)
{
    kql_error *e = p->error;
    va_list args;

    if (p->failed)
        return false;
    p->failed = true;
    kql_lexer_place(p->lexer.source, word.bytes, &e->line, &e->column);
    if (word.length >= sizeof(e->word))
        word.length = sizeof(e->word) - 1;
    memcpy(e->word, word.bytes, word.length);
    e->word[word.length] = '\0';
    va_start(args, format);
    vsnprintf(e->message, sizeof(e->message), format, args);
    va_end(args);
    return false;
}

void kql_advance(kql_parser *p)
{
    if (p->failed)
        return;
    p->token = kql_lexer_next(&p->lexer);
    if (p->lexer.out_of_memory)
        kql_fail(p, p->token.word, "out of memory");
    else if (p->token.kind == TOKEN_WRONG)
        kql_fail(p, p->token.word, "%s", p->token.wrong);
}

kql_parser kql_parser_begin(text source, arena *memory, kql_error *error)
{
    kql_parser p = {.lexer = kql_lexer_begin(source, memory), .memory = memory, .error = error};

    *error = (kql_error){0};
    kql_advance(&p);
    return p;
}

void kql_regexes_free(kql_regexes *list)
{
    for (; list != NULL; list = list->next)
        kql_regex_free(list->regex);
}

void *kql_parser_alloc(kql_parser *p, size_t size)
{
    void *block = p->failed ? NULL : arena_alloc(p->memory, size > 0 ? size : 1);

    if (block != NULL)
        memset(block, 0, size);
    else
        kql_fail(p, p->token.word, "out of memory");
    return block;
}

bool kql_is(const kql_parser *p, const char *word)
{
    return !p->failed && (p->token.kind == TOKEN_NAME || p->token.kind == TOKEN_SIGN) &&
           text_equal(p->token.word, text_of(word));
}

bool kql_take(kql_parser *p, const char *word)
{
    if (!kql_is(p, word))
        return false;
    kql_advance(p);
    return !p->failed;
}

static bool fail_here(kql_parser *p, const char *wanted)
{
    if (p->token.kind == TOKEN_END)
        return kql_fail(p, p->token.word, "the query ends where %s should stand", wanted);
    return kql_fail(p, p->token.word, "%s should stand here", wanted);
}

bool kql_expect(kql_parser *p, const char *word)
{
    char wanted[40];

    snprintf(wanted, sizeof(wanted), "\"%s\"", word);
    return kql_take(p, word) || fail_here(p, wanted);
}

static bool is_literal_text(const kql_parser *p)
{
    return !p->failed && p->token.kind == TOKEN_LITERAL && p->token.type == KQL_STRING;
}

/* Words that are no names. */
static bool is_keyword(text word)
{
    static const char *const keywords[] = {"and", "or", "by", "on", "with", "to", "let", "union"};

    for (size_t i = 0; i < sizeof(keywords) / sizeof(keywords[0]); i++)
        if (text_equal(word, text_of(keywords[i])))
            return true;
    return false;
}

bool kql_take_name(kql_parser *p, text *name)
{
    if (!p->failed && p->token.kind == TOKEN_NAME && !is_keyword(p->token.word)) {
        *name = p->token.word;
        kql_advance(p);
        return !p->failed;
    }
    if (!kql_take(p, "["))
        return fail_here(p, "a name");
    if (!is_literal_text(p))
        return fail_here(p, "a name in quotes");
    *name = p->token.value.string;
    kql_advance(p);
    return kql_expect(p, "]");
}

const kql_column *kql_find_column(const kql_columns *columns, text name)
{
    for (size_t i = 0; i < columns->count; i++)
        if (text_equal(columns->all[i].name, name))
            return &columns->all[i];
    return NULL;
}

static kql_expr *new_expr(kql_parser *p, kql_form form, kql_type type, text word)
{
    kql_expr *e = kql_parser_alloc(p, sizeof(*e));

    if (e != NULL) {
        e->form = form;
        e->type = type;
        e->source = word;
    }
    return e;
}

/* --- literals --- */

/* Literals next to each other are one text. */
static bool take_texts(kql_parser *p, text *result)
{
    buffer all = {0};
    text first = p->token.value.string;
    bool is_one;

    kql_advance(p);
    is_one = !is_literal_text(p);
    *result = first;
    if (is_one)
        return !p->failed;
    buffer_append(&all, first);
    while (is_literal_text(p)) {
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
        return fail_here(p, "( .. )");
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
    read = type == KQL_DATETIME ? kql_read_datetime(raw, &ticks) : timespan_parse(raw, &ticks);
    if (!read)
        return kql_fail(p, word, "what stands in its parentheses is no %s", kql_type_name(type));
    *value = kql_number(type == KQL_DATETIME ? KIND_DATETIME : KIND_TIMESPAN, ticks);
    return !p->failed;
}

static bool take_number(kql_parser *p, kql_value *value, kql_type *type)
{
    bool is_negative = kql_take(p, "-");

    if (p->failed || p->token.kind != TOKEN_LITERAL || p->token.type == KQL_STRING)
        return fail_here(p, "a number");
    *value = p->token.value;
    *type = p->token.type;
    if (is_negative && value->kind == KIND_REAL)
        value->real = -value->real;
    else if (is_negative)
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
    else if (type == KQL_BOOL ? !take_truth(p, value) : !take_number(p, value, &found))
        return fail_here(p, "a literal");
    if (type == KQL_REAL && value->kind == KIND_LONG)
        *value = (kql_value){.kind = KIND_REAL, .real = (double)value->number};
    else if (value->kind != KIND_NULL && found != type)
        return fail_here(p, kql_type_name(type));
    return kql_expect(p, ")");
}

static bool parse_dynamic_value(kql_parser *p, kql_value *value);

typedef struct items {
    kql_item *all;
    size_t count;
    size_t room;
} items;

static bool add_item(kql_parser *p, items *list, kql_item item)
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

static bool parse_dynamic_item(kql_parser *p, kql_kind kind, items *list)
{
    kql_item item = {.key = TEXT("")};

    if (kind == KIND_BAG) {
        if (!is_literal_text(p))
            return fail_here(p, "a key in quotes");
        item.key = p->token.value.string;
        kql_advance(p);
        if (!kql_expect(p, ":"))
            return false;
    }
    return parse_dynamic_value(p, &item.value) && add_item(p, list, item);
}

static bool parse_dynamic_list(kql_parser *p, kql_kind kind, const char *end, kql_value *value)
{
    items list = {0};

    if (++p->depth > MOST_DEPTH)
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
    if (is_literal_text(p)) {
        *value = p->token.value;
        kql_advance(p);
        return !p->failed;
    }
    return take_truth(p, value) || take_number(p, value, &type);
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

/* Is the word that is looked at followed by a parenthesis? */
static bool is_call(const kql_parser *p)
{
    size_t at = p->lexer.at;

    while (at < p->lexer.source.length && strchr(" \t\r\n", p->lexer.source.bytes[at]) != NULL)
        at++;
    return at < p->lexer.source.length && p->lexer.source.bytes[at] == '(';
}

/* A type's name before a parenthesis, as in datetime(..). */
static kql_type type_of_literal(const kql_parser *p)
{
    if (p->failed || p->token.kind != TOKEN_NAME || !is_call(p) ||
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
    if (is_literal_text(p)) {
        *type = KQL_STRING;
        if (!take_texts(p, &string))
            return false;
        *value = kql_string(string);
        return true;
    }
    *type = KQL_BOOL;
    if (take_truth(p, value))
        return true;
    return take_number(p, value, type);
}

static kql_expr *literal(kql_parser *p)
{
    text word = p->token.word;
    kql_expr *e = new_expr(p, FORM_LITERAL, KQL_STRING, word);

    return e != NULL && kql_parse_literal(p, &e->value, &e->type) ? e : NULL;
}

/* --- arguments --- */

static bool append_argument(kql_parser *p, kql_expr *e, kql_expr *argument, size_t most)
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

static bool check_argument_types(kql_parser *p, const kql_expr *e)
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

static bool derive_type(kql_parser *p, kql_expr *e)
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

static bool all_verbatim(const kql_expr *e)
{
    for (size_t i = 0; i < e->count; i++)
        if (!e->args[i]->is_verbatim)
            return false;
    return true;
}

/* --- constant first arguments: patterns and paths --- */

static bool make_regex(kql_parser *p, kql_expr *e, text word, text pattern)
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

typedef struct steps {
    kql_step *all;
    size_t count;
} steps;

enum { MOST_STEPS = 64 };

static bool add_step(kql_parser *p, steps *s, kql_step step)
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

static bool key_step(kql_parser *p, steps *s, text name)
{
    text key = arena_copy(p->memory, name);

    return key.bytes != NULL ? add_step(p, s, (kql_step){.key = key.bytes})
                             : kql_fail(p, p->token.word, "out of memory");
}

static bool index_step(kql_parser *p, steps *s)
{
    kql_value index;
    kql_type type;
    text word = p->token.word;

    if (is_literal_text(p)) {
        text key = p->token.value.string;

        kql_advance(p);
        return key_step(p, s, key) && kql_expect(p, "]");
    }
    if (!take_number(p, &index, &type))
        return false;
    if (type != KQL_LONG)
        return kql_fail(p, word, "an index should stand here");
    return add_step(p, s, (kql_step){.key = NULL, .index = index.number}) && kql_expect(p, "]");
}

/* .name, ['name'], [n]; a name may be a keyword here. */
static bool take_steps(kql_parser *p, steps *s)
{
    while (!p->failed) {
        if (kql_take(p, "[")) {
            if (!index_step(p, s))
                return false;
        } else if (kql_take(p, ".")) {
            text name = p->token.word;

            if (kql_is(p, "[")) /* $.[0] */
                continue;
            if (p->token.kind != TOKEN_NAME)
                return fail_here(p, "a member's name");
            kql_advance(p);
            if (!key_step(p, s, name))
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
    steps s = {0};
    bool read;

    if (path.length == 0 || path.bytes[0] != '$')
        return kql_fail(p, word, "the path should begin with $");
    steps_parser = kql_parser_begin(text_from(path, 1), p->memory, &inner);
    read = take_steps(&steps_parser, &s) && steps_parser.token.kind == TOKEN_END;
    if (!read)
        return kql_fail(p, word, "the path is none of members and indexes alone");
    e->steps = s.all;
    e->step_count = s.count;
    return true;
}

static bool take_constant(kql_parser *p, kql_expr *e)
{
    const kql_expr *first = e->args[0];
    const char *name = e->call->name;

    if (first->form != FORM_LITERAL || first->value.kind != KIND_STRING)
        return kql_fail(p, first->source, "%s() takes a literal text here", name);
    if (strcmp(name, "trim") == 0)
        return make_regex(p, e, first->source, first->value.string);
    if (strcmp(name, "replace") == 0)
        return check_plain(p, e);
    return make_path(p, e, first->source, first->value.string);
}

/* --- primary --- */

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
    kql_expr *e = new_expr(p, FORM_CALL, KQL_BOOL, name);

    if (f == NULL)
        kql_fail(p, name, "there is no function of this name here");
    if (e == NULL || f == NULL || !kql_expect(p, "("))
        return NULL;
    e->call = f;
    if (!kql_is(p, ")"))
        do {
            if (!append_argument(p, e, parse_or(p), f->most))
                return NULL;
        } while (kql_take(p, ","));
    if (!kql_expect(p, ")"))
        return NULL;
    if (e->count < f->least)
        kql_fail(p, name, "%s() takes at least %u arguments", f->name, f->least);
    if (p->failed || !check_argument_types(p, e) || !derive_type(p, e) ||
        (f->constant_first && !take_constant(p, e)))
        return NULL;
    e->is_verbatim = f->is_verbatim && all_verbatim(e);
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
    kql_expr *e = new_expr(p, FORM_LITERAL, let->type, word);

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
    e = new_expr(p, FORM_COLUMN, c->type, word);
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
        return literal(p);
    if (!p->failed && p->token.kind == TOKEN_NAME && is_call(p) && !is_keyword(name)) {
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
    steps s = {0};

    if (from == NULL || !(kql_is(p, ".") || kql_is(p, "[")))
        return from;
    if (from->type != KQL_DYNAMIC) {
        kql_fail(p, p->token.word, "a path over a %s: only a dynamic has members",
                 kql_type_name(from->type));
        return NULL;
    }
    e = new_expr(p, FORM_PATH, KQL_DYNAMIC, from->source);
    if (e == NULL || !append_argument(p, e, from, 1) || !take_steps(p, &s))
        return NULL;
    e->steps = s.all;
    e->step_count = s.count;
    e->is_verbatim = from->is_verbatim;
    return e;
}

/* --- comparisons --- */

static bool add_to_list(kql_parser *p, items *list, kql_value v)
{
    text key;

    if (v.kind != KIND_ARRAY)
        return add_item(p, list, (kql_item){TEXT(""), v});
    for (size_t i = 0; i < v.count; i++)
        if (!add_item(p, list, (kql_item){TEXT(""), kql_nth(v, i, &key)}))
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

static bool parse_list_item(kql_parser *p, const kql_expr *e, items *list)
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
        return fail_here(p, "a literal, or a name that let gives to one,");
    } else if (!kql_parse_literal(p, &value, &type)) {
        return false;
    }
    if (!can_stand_in_list(e, type))
        return kql_fail(p, word, "a %s in a list for a %s", kql_type_name(type),
                        kql_type_name(e->args[0]->type));
    return add_to_list(p, list, value);
}

/* The texts of the list are values by themselves; one of a dynamic is its text. */
static bool finish_list(kql_parser *p, kql_expr *e, const items *list)
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

static bool parse_list(kql_parser *p, kql_expr *e)
{
    bool in_parentheses = kql_take(p, "(");
    const kql_let *let =
        !p->failed && p->token.kind == TOKEN_NAME ? find_let(p, p->token.word) : NULL;
    items list = {0};

    if (let != NULL && let->is_set)
        return parse_set(p, e, let) && (!in_parentheses || kql_expect(p, ")"));
    if (!in_parentheses)
        return let != NULL ? parse_list_item(p, e, &list) && finish_list(p, e, &list)
                           : fail_here(p, "a list in parentheses");
    do {
        if (list.count >= MOST_LIST)
            return kql_fail(p, p->token.word, "a list of more than %d", MOST_LIST);
        if (!parse_list_item(p, e, &list))
            return false;
    } while (kql_take(p, ","));
    return kql_expect(p, ")") && finish_list(p, e, &list);
}

static bool parse_range(kql_parser *p, kql_expr *e)
{
    return kql_expect(p, "(") && append_argument(p, e, parse_path(p), 3) && kql_expect(p, "..") &&
           append_argument(p, e, parse_path(p), 3) && kql_expect(p, ")");
}

static bool parse_regex(kql_parser *p, kql_expr *e)
{
    text word = p->token.word, pattern;

    if (!is_literal_text(p))
        return fail_here(p, "a literal pattern");
    return take_texts(p, &pattern) && make_regex(p, e, word, pattern);
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
        if (!check_pair(p, e, e->args[0], e->args[i]))
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
    return append_argument(p, e, operand(p), 2);
}

static kql_expr *parse_operator(kql_parser *p, bool is_tight, kql_expr *(*operand)(kql_parser *))
{
    kql_expr *left = operand(p), *e;
    const kql_operator *o = operator_here(p, is_tight);

    if (left == NULL || o == NULL)
        return left;
    e = new_expr(p, FORM_CALL, KQL_BOOL, p->token.word);
    if (e == NULL || !append_argument(p, e, left, 1))
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

static kql_expr *parse_tight(kql_parser *p)
{
    return parse_operator(p, true, parse_path);
}

static kql_expr *parse_comparison(kql_parser *p)
{
    return parse_operator(p, false, parse_tight);
}

/* --- and, or --- */

static kql_expr *parse_chain(kql_parser *p, const kql_function *f,
                             kql_expr *(*operand)(kql_parser *))
{
    kql_expr *first = operand(p), *e;

    if (first == NULL || !kql_is(p, f->name))
        return first;
    e = new_expr(p, FORM_CALL, KQL_BOOL, first->source);
    if (e == NULL || !append_argument(p, e, first, MOST_LIST))
        return NULL;
    e->call = f;
    while (kql_take(p, f->name))
        if (!append_argument(p, e, operand(p), MOST_LIST))
            return NULL;
    for (size_t i = 0; i < e->count; i++)
        if (e->args[i]->type != KQL_BOOL)
            kql_fail(p, e->args[i]->source, "a condition should stand here, not a %s",
                     kql_type_name(e->args[i]->type));
    return p->failed ? NULL : e;
}

static kql_expr *parse_and(kql_parser *p)
{
    return parse_chain(p, &kql_and, parse_comparison);
}

static kql_expr *parse_or(kql_parser *p)
{
    kql_expr *e;

    if (++p->depth > MOST_DEPTH)
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
    kql_fail(p, e->source, "a condition should stand here, not a %s", kql_type_name(e->type));
    return NULL;
}
