/* SPDX-License-Identifier: Apache-2.0 */
/*
 * parser: from words to expressions, whose types are checked on the way.
 *
 * The first thing that is wrong ends the parsing: its place and what is wrong
 * are kept, and every step after it gives NULL or false.
 */
#ifndef SYNCTAP_KQL_PARSER_H
#define SYNCTAP_KQL_PARSER_H

#include "kql/expression.h"
#include "kql/lexer.h"

/* What is wrong with a query, and where. */
typedef struct kql_error {
    size_t line, column; /* in characters, from 1 */
    char word[80];       /* as it stands there, cut */
    char message[200];
} kql_error;

/* A column that can be named where the parser stands. */
typedef struct kql_column {
    text name; /* ends in NUL */
    kql_type type;
    unsigned slot;
    bool is_verbatim; /* its text stands in the record as it is */
    bool is_made;     /* by the query: no column of the table as it stands there */
} kql_column;

typedef struct kql_columns {
    const kql_column *all;
    size_t count;
} kql_columns;

/* `let NAME =`: a literal, or a set. */
typedef struct kql_let {
    text name;
    bool is_set;
    kql_type type; /* of a literal */
    kql_value value;
    unsigned set;
    const kql_columns *set_columns;
} kql_let;

typedef struct kql_regexes {
    struct kql_regexes *next;
    kql_regex *regex;
} kql_regexes;

typedef struct kql_parser {
    kql_lexer lexer;
    kql_token token; /* the one that is looked at */
    arena *memory;
    kql_columns columns;
    const kql_let *lets;
    size_t let_count;
    unsigned depth;
    bool takes_any_column;   /* a name that is none yet is one, of texts .. */
    kql_columns any_columns; /* .. these */
    unsigned slots;          /* how many there are by now */
    kql_regexes *regexes;    /* those that were made, to be freed */
    kql_error *error;
    bool failed;
} kql_parser;

kql_parser kql_parser_begin(text source, arena *memory, kql_error *error);

/* Frees the regular expressions. */
void kql_regexes_free(kql_regexes *list);

/* Remembers what is wrong, at a word; the first time only. false, NULL: to be returned. */
bool kql_fail(kql_parser *p, text word, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

void kql_advance(kql_parser *p);

/* Memory of the query's arena, or NULL and failed. */
void *kql_parser_alloc(kql_parser *p, size_t size);

/* Is it that word, a name or a sign? kql_take takes it, kql_expect fails if it is another. */
bool kql_is(const kql_parser *p, const char *word);
bool kql_take(kql_parser *p, const char *word);
bool kql_expect(kql_parser *p, const char *word);

/* A name that can be a column's: NAME or ['any name']. */
bool kql_take_name(kql_parser *p, text *name);

const kql_column *kql_find_column(const kql_columns *columns, text name);

/* E or B; NULL when it failed. */
kql_expr *kql_parse_expression(kql_parser *p);

/* The same, of type bool. */
kql_expr *kql_parse_condition(kql_parser *p);

/* Is a literal looked at? */
bool kql_is_literal(const kql_parser *p);

/* A literal, with its type. */
bool kql_parse_literal(kql_parser *p, kql_value *value, kql_type *type);

#endif
