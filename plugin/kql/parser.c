/* SPDX-License-Identifier: Apache-2.0 */
/* parser: words, and what is wrong with them. */
#include "kql/parser.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "kql/parser_parts.h"

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

bool kql_fail_here(kql_parser *p, const char *wanted)
{
    if (p->token.kind == TOKEN_END)
        return kql_fail(p, p->token.word, "the query ends where %s should stand", wanted);
    return kql_fail(p, p->token.word, "%s should stand here", wanted);
}

bool kql_expect(kql_parser *p, const char *word)
{
    char wanted[40];

    snprintf(wanted, sizeof(wanted), "\"%s\"", word);
    return kql_take(p, word) || kql_fail_here(p, wanted);
}

bool kql_is_literal_text(const kql_parser *p)
{
    return !p->failed && p->token.kind == TOKEN_LITERAL && p->token.type == KQL_STRING;
}

bool kql_is_keyword(text word)
{
    static const char *const keywords[] = {"and", "or", "by", "on", "with", "to", "let", "union"};

    for (size_t i = 0; i < sizeof(keywords) / sizeof(keywords[0]); i++)
        if (text_equal(word, text_of(keywords[i])))
            return true;
    return false;
}

bool kql_take_bare_name(kql_parser *p, text *name)
{
    *name = p->token.word;
    if (memchr(name->bytes, '-', name->length) != NULL)
        return kql_fail(p, *name, "there is no arithmetic here, and no hyphen in a name");
    kql_advance(p);
    return !p->failed;
}

bool kql_take_name(kql_parser *p, text *name)
{
    if (!p->failed && p->token.kind == TOKEN_NAME && !kql_is_keyword(p->token.word))
        return kql_take_bare_name(p, name);
    if (!kql_take(p, "["))
        return kql_fail_here(p, "a name");
    if (!kql_is_literal_text(p))
        return kql_fail_here(p, "a name in quotes");
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

kql_expr *kql_new_expr(kql_parser *p, kql_form form, kql_type type, text word)
{
    kql_expr *e = kql_parser_alloc(p, sizeof(*e));

    if (e != NULL) {
        e->form = form;
        e->type = type;
        e->source = word;
    }
    return e;
}
