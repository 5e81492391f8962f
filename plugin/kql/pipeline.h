/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pipeline: operators one behind the other, over one row at a time.
 *
 * A row is a frame of slots; each column has one, and an operator that makes
 * columns fills slots of its own, so nothing is copied: project and its like
 * only say which slots have which names. Pipelines never change once they are
 * parsed; each thread runs one with a frame of its own.
 */
#ifndef SYNCTAP_KQL_PIPELINE_H
#define SYNCTAP_KQL_PIPELINE_H

#include "kql/parser.h"

typedef enum kql_op_kind {
    OP_WHERE,
    OP_EXTEND, /* and what project computes */
    OP_EXPAND, /* mv-expand, mv-apply */
    OP_PARSE,
    OP_SORT,
    OP_TAKE,
    OP_DISTINCT
} kql_op_kind;

typedef struct kql_assignment {
    unsigned slot;
    kql_expr *value;
    bool is_late; /* no operator needs it: see kql_defer */
} kql_assignment;

/* Of `parse`: a literal, or what lies before the next one. */
typedef struct kql_piece {
    bool is_literal;
    text literal;
    bool is_kept; /* under a name, in `slot`; else `*` */
    unsigned slot;
} kql_piece;

typedef struct kql_sort_key {
    kql_expr *value;
    bool is_descending;
    bool nulls_first;
} kql_sort_key;

typedef struct kql_op {
    kql_op_kind kind;
    text source;         /* its first word */
    kql_expr *condition; /* of where */
    kql_assignment *assignments;
    size_t assignment_count;
    kql_expr *value; /* of mv-expand and parse */
    unsigned slot;   /* of mv-expand's element */
    kql_type cast;   /* of that; KQL_TYPES: none */
    unsigned place;  /* of that among all expansions, from 0 */
    kql_piece *pieces;
    size_t piece_count;
    kql_sort_key *keys;
    size_t key_count;
    int64_t most;        /* of take */
    kql_columns columns; /* that there are before it */
} kql_op;

enum { KQL_MOST_OPS = 256, KQL_MOST_EXPANSIONS = 16 };

typedef struct kql_pipeline {
    kql_op *ops;
    size_t count;
    kql_columns columns; /* what it leaves */
    unsigned expansions;
    bool has_projection; /* it says itself what it leaves */
} kql_pipeline;

/* `where .. | extend ..` up to the end or to what is no `|`; begins at an operator's name. */
bool kql_parse_ops(kql_parser *p, kql_pipeline *pipeline);

/* The same, for one operator. */
bool kql_parse_op(kql_parser *p, kql_pipeline *pipeline);

/* Is the word an operator's name? */
bool kql_is_op(text word);

/*
 * Finds the assignments that decide nothing: kql_pass leaves them out, and for a row that is left
 * kql_assign_late makes them up for. `slots` is how many a frame has. For who makes a query, before
 * it is run. False when memory is out.
 */
bool kql_defer(kql_pipeline *self, unsigned slots);
void kql_assign_late(kql_run *r, const kql_pipeline *pipeline);

/* A row that is left; false ends the run. */
typedef bool kql_row_sink(void *arg, kql_run *r);

/* One run of a pipeline over one row, whose columns are in r->frame. */
typedef struct kql_passage {
    kql_run *run;
    const kql_pipeline *pipeline;
    kql_row_sink *sink;
    void *arg;
    size_t positions[KQL_MOST_EXPANSIONS]; /* of the elements that the row is of */
    size_t elements;                       /* how many there were within others */
    struct kql_seen_row *seen;             /* by distinct */
    bool ended;
    bool keeps_all; /* where lets each row pass, for who asks why */
} kql_passage;

/* Runs the operators from `first` up to `end`; sorting and take have no effect. */
void kql_pass(kql_passage *self, size_t first, size_t end);

#endif
