/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lexer: a query's words.
 *
 * Blanks (Unicode's too, which pages are full of), line ends and comments (// to
 * the line's end, not inside a literal) are between words. A name may have a hyphen before a
 * letter: mv-expand is one word, as there is no subtraction.
 */
#ifndef SYNCTAP_KQL_LEXER_H
#define SYNCTAP_KQL_LEXER_H

#include "kql/value.h"

typedef enum kql_token_kind {
    TOKEN_END,
    TOKEN_NAME,
    TOKEN_LITERAL, /* a text, number or timespan; value and type say which */
    TOKEN_SIGN,    /* ( ) [ ] { } , ; | . .. : = == ... */
    TOKEN_WRONG,   /* what is wrong stands in `wrong` */
} kql_token_kind;

typedef struct kql_token {
    kql_token_kind kind;
    text word; /* as it stands in the source */
    kql_value value;
    kql_type type;
    const char *wrong; /* a constant */
} kql_token;

typedef struct kql_lexer {
    text source;
    size_t at;
    char *room; /* for a literal under way */
    arena *memory;
    bool out_of_memory;
    bool takes_json_escapes; /* \/ \b \f too: inside dynamic(..) */
} kql_lexer;

/* Over a copy of the source in the arena; check out_of_memory at the end. */
kql_lexer kql_lexer_begin(text source, arena *memory);

/* The next word, which is taken. */
kql_token kql_lexer_next(kql_lexer *self);

/* What the next word begins with; NUL at the end. */
char kql_lexer_peek(const kql_lexer *self);

/* What stands up to the next `)`, which is taken, as in datetime(2026-01-01); false without one. */
bool kql_lexer_take_raw(kql_lexer *self, text *raw);

/* The line and the column, in characters, of a byte of the source; both from 1. */
void kql_lexer_place(text source, const char *at, size_t *line, size_t *column);

#endif
