/* SPDX-License-Identifier: Apache-2.0 */
/*
 * expression: an expression of KQL, with its type, and its value for a row.
 *
 * Expressions are made by the parser and never change: any number of threads
 * may evaluate one, each in a run of its own. None is deeper than the parser
 * allows, so that recursion over them has a bound.
 */
#ifndef SYNCTAP_KQL_EXPRESSION_H
#define SYNCTAP_KQL_EXPRESSION_H

#include "base/kql.h"
#include "kql/regex.h"
#include "kql/value.h"

typedef struct kql_expr kql_expr;
typedef struct kql_run kql_run;

/* What a query is run over: the columns of its table, and what it asks beside them. */
typedef struct kql_host {
    /* The value of a column of the table. */
    kql_value (*column)(void *arg, unsigned column);
    /* One step of a path into a bag; NULL: as KQL steps. */
    kql_value (*member)(void *arg, kql_value of, const char *key);
    /* What is expanded, or stepped into by an index, without what it was packed into; or NULL. */
    kql_value (*open)(void *arg, kql_value packed);
    /* An element of the first expansion begins; false ends the run. Or NULL. */
    bool (*element)(void *arg);
    /* Is the value in that column of that set? Its truth, or an unknown. */
    kql_value (*in_set)(void *arg, unsigned set, unsigned column, text value, bool folded);
} kql_host;

/* One evaluation, in one thread. */
struct kql_run {
    arena *memory;
    semantics semantics;
    timestamp now;    /* what ago() counts back from */
    kql_value *frame; /* by slot */
    const kql_host *host;
    void *arg; /* the host's */
    bool out_of_memory;
    bool over_limit;   /* a regular expression met its match limit */
    bool by_wide_list; /* a text of a wide_list decided */
};

typedef enum kql_form {
    FORM_LITERAL,
    FORM_COLUMN, /* value of a slot */
    FORM_PATH,   /* args[0], then steps */
    FORM_CALL    /* of a function or an operator */
} kql_form;

/* A step of a path: into a bag by key, or, if that is NULL, into an array. */
typedef struct kql_step {
    const char *key;
    int64_t index;
} kql_step;

typedef kql_value kql_strict(kql_run *r, const kql_expr *e, const kql_value *args);
typedef kql_value kql_lazy(kql_run *r, const kql_expr *e);

enum { KQL_MOST_ARGUMENTS = 64, KQL_PARAMETERS = 3 };

/* What a function or an operator is. Its arguments' types are bits (1 << type). */
typedef struct kql_function {
    const char *name;
    unsigned least, most;
    unsigned takes[KQL_PARAMETERS]; /* the last one for all that follow */
    kql_type result;                /* KQL_TYPES: what the arguments have in common */
    kql_strict *strict;             /* takes values; or .. */
    kql_lazy *lazy;                 /* .. evaluates what it needs */
    bool constant_first;            /* the first argument is a literal text: a pattern, a path */
    bool is_verbatim; /* the result's text stands in the record as the argument's does */
} kql_function;

struct kql_expr {
    kql_form form;
    kql_type type;
    text source;              /* the first word of it, for errors; a view of the query's copy */
    const kql_function *call; /* of FORM_CALL */
    const struct kql_operator *operator; /* of a comparison */
    kql_value value;                     /* of a literal */
    text name;                           /* of a column */
    unsigned slot;                       /* of a column */
    kql_expr **args;
    size_t count;
    const kql_step *steps;
    size_t step_count;
    const kql_value *list; /* the right side of in, has_any, .. */
    size_t list_count;
    const kql_value *wide_list; /* texts that count beside those, in wide semantics only */
    size_t wide_list_count;
    bool in_set; /* the right side is a set: */
    unsigned set, set_column;
    kql_regex *regex; /* of matches regex and trim */
    bool is_verbatim; /* its text stands in the record as it is */
};

/* The function of that name, or NULL. */
const kql_function *kql_function_find(text name);

kql_value kql_eval(kql_run *r, const kql_expr *e);

/* An array without what it was packed into, as far as the host knows of such packing. */
kql_value kql_open(kql_run *r, kql_value packed);

/* Its text, as the text operators take it. */
text kql_text_of(kql_run *r, kql_value v, kql_type type);

/* Steps from a value; null as soon as one leads nowhere. */
kql_value kql_walk(kql_run *r, kql_value from, const kql_step *steps, size_t count);

#endif
