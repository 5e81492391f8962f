/* SPDX-License-Identifier: Apache-2.0 */
/* operators: comparisons, `and`, `or`, and the types that they take. */
#ifndef SYNCTAP_KQL_OPERATORS_H
#define SYNCTAP_KQL_OPERATORS_H

#include "kql/expression.h"

/* How an operator's right side is written. */
typedef enum kql_right {
    RIGHT_EXPRESSION,
    RIGHT_LIST,  /* of texts or values in parentheses, or a set */
    RIGHT_TEXTS, /* of texts alone */
    RIGHT_RANGE, /* (a .. b) */
    RIGHT_REGEX
} kql_right;

/* What a hit of the operator says of the text that its left side is of. */
typedef enum kql_evidence {
    EVIDENCE_NONE, /* nothing */
    EVIDENCE_ANY,  /* one of the right side's texts stands in it */
    EVIDENCE_ALL   /* all of them do */
} kql_evidence;

typedef bool kql_text_test(text left, text right, semantics s);

typedef struct kql_operator {
    const char *word;
    bool is_tight; /* binds tighter than == and its like */
    kql_right right;
    bool is_negated;
    kql_evidence evidence;
    bool is_ordering;    /* < and its like */
    kql_text_test *test; /* of text operators */
    bool is_equality;    /* a null on one side decides: =~, in~ */
    kql_function call;   /* how it is evaluated */
} kql_operator;

/* The operator of that word, or NULL. */
const kql_operator *kql_operator_find(text word);

/* n-ary `and` and `or`. */
extern const kql_function kql_and;
extern const kql_function kql_or;

/* left OPERATOR any text of the list, and in wide semantics of the wide list. */
extern const kql_function kql_any_text;

/*
 * Puts other texts in the place of a text operator's right side: it holds if it does for one of
 * them. They belong to the caller and outlive the expression's use. For who makes a query, before
 * it is run.
 */
void kql_replace_texts(kql_expr *e, const kql_value *texts, size_t count);

/* Can values of these types be compared by ==, or by < ? */
bool kql_can_equal(kql_type a, kql_type b);
bool kql_can_order(kql_type a, kql_type b);

#endif
