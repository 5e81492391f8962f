/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plan_parts: a plan as its own files see it.
 */
#ifndef SYNCTAP_PLAN_PARTS_H
#define SYNCTAP_PLAN_PARTS_H

#include "rule/plan.h"

typedef struct plan_term {
    const kql_expr *expr;
    size_t branch;
    char *name;
    plan_operand operand;
} plan_term;

struct rule_plan {
    const rule_file *file;
    const kql_query *query;
    arena *memory;
    kql_columns columns;
    plan_term terms[PLAN_MOST_TERMS];
    size_t term_count;
    unsigned widening_sets; /* a bit each: whoever is in them in KQL's semantics is in wide, too */
    bool reads_deleted_users;
};

/* The column that an expression is about. */
text plan_subject_of(const kql_expr *e);

/* Does it ask a set? */
bool plan_asks_set(const kql_expr *e);

/* Finds and names the terms: of all wheres from the first expansion or set on. False: no memory. */
bool plan_find_terms(rule_plan *self);

/* Is a slot's value the same in all rows of a record? */
bool plan_is_of_record(const kql_pipeline *branch, unsigned slot);

/* Which column of the role list a set's column is, by itself. */
unsigned plan_source_of(const kql_set *set, unsigned column);

/* The table's columns are read when they are asked for; all else is null before it is made. */
void plan_clear_frame(kql_value *frame, size_t columns, size_t slots);

/* What a plan_run, which is `arg`, knows of a value in a set; see kql_host. */
kql_value plan_in_set(void *arg, unsigned set, unsigned column, text value, bool folded);

/* Is it true in these semantics? `left` stands in the place of its left side; NULL: as it is. */
bool plan_holds(plan_run *run, kql_run *r, const kql_expr *e, const kql_value *left, semantics s);

/* Is a term true in the run's semantics? Adds why it is not in KQL's, as plan_row tells. */
bool plan_term_holds(plan_run *run, kql_run *r, const plan_term *t, const kql_value *left,
                     unsigned *reasons);

/* How far back a set's rows are asked for. */
timespan plan_window_of(const kql_set *set, timespan lookback);

#endif
