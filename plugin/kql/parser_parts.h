/* SPDX-License-Identifier: Apache-2.0 */
/*
 * parser_parts: what the parser's files need of each other; the others include parser.h.
 *
 * Each step says false, or gives NULL, when it failed; kql_fail has been told why.
 */
#ifndef SYNCTAP_KQL_PARSER_PARTS_H
#define SYNCTAP_KQL_PARSER_PARTS_H

#include "kql/parser.h"

typedef struct kql_items {
    kql_item *all;
    size_t count;
    size_t room;
} kql_items;

typedef struct kql_steps {
    kql_step *all;
    size_t count;
} kql_steps;

enum { KQL_MOST_DEPTH = 48 }; /* of expressions, and of dynamic literals */

/* Fails at the word that is looked at: what should stand there. */
bool kql_fail_here(kql_parser *p, const char *wanted);

/* Is a text in quotes looked at? */
bool kql_is_literal_text(const kql_parser *p);

/* Words that are no names. */
bool kql_is_keyword(text word);

/* The name that is looked at; the hyphen of mv-expand and its like is no part of one. */
bool kql_take_bare_name(kql_parser *p, text *name);

/* An expression without arguments that begins at that word. */
kql_expr *kql_new_expr(kql_parser *p, kql_form form, kql_type type, text word);

/* Literals next to each other are one text. */
bool kql_take_texts(kql_parser *p, text *result);

/* A number, with its sign, and its type. */
bool kql_take_number(kql_parser *p, kql_value *value, kql_type *type);

/* Appends to a list of values. */
bool kql_add_item(kql_parser *p, kql_items *list, kql_item item);

/* Is the word that is looked at followed by a parenthesis? */
bool kql_is_call(const kql_parser *p);

/* A literal as an expression. */
kql_expr *kql_literal_expr(kql_parser *p);

/* Appends an argument; NULL: it failed. More than `most` is wrong. */
bool kql_append_argument(kql_parser *p, kql_expr *e, kql_expr *argument, size_t most);

/* Does the function take arguments of these types? */
bool kql_check_argument_types(kql_parser *p, const kql_expr *e);

/* The type of the call, from its function or its arguments. */
bool kql_derive_type(kql_parser *p, kql_expr *e);

/* Do all arguments stand in the record as they are? */
bool kql_all_verbatim(const kql_expr *e);

/* The regular expression of a pattern, which the parser keeps to be freed. */
bool kql_make_regex(kql_parser *p, kql_expr *e, text word, text pattern);

/* The steps of a path that stand here: .name, ['name'], [n]; a name may be a keyword here. */
bool kql_take_steps(kql_parser *p, kql_steps *s);

/* Makes what the function needs of a constant first argument: a pattern, a path. */
bool kql_take_constant(kql_parser *p, kql_expr *e);

#endif
