/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plan: what a rule's query means for one record: its rows, which of its
 * terms hold for each, and what its alert tells.
 *
 * Immutable once made: any number of threads may run it, each with an arena
 * of its own.
 */
#ifndef SYNCTAP_PLAN_H
#define SYNCTAP_PLAN_H

#include "record/audit_column.h"
#include "rule/reason.h"
#include "rule/rule_file.h"
#include "rule/sync_accounts.h"

typedef struct rule_plan rule_plan;
typedef struct watchlists watchlists; /* watchlists.h */

enum { PLAN_MOST_TERMS = 64 };

/* NULL, and *error (NULL only when memory is out; the caller's), when it cannot be run. */
rule_plan *plan_new(const rule_file *file, char **error);
void plan_free(rule_plan *self);

const rule_file *plan_file(const rule_plan *self);

/* What a row tells: the query's projection, or else what it made and the file names. */
const kql_columns *plan_columns(const rule_plan *self);

/* Does the query say in which order its rows are? */
bool plan_sorts(const rule_plan *self);

/* Does the column tell of the record alone, in a branch's rows, whichever its targets are? */
bool plan_column_is_of_record(const rule_plan *self, size_t branch, size_t column);

/* Is the column, in a branch's rows, that one of AuditLogs as it stands there? */
bool plan_column_is(const rule_plan *self, size_t branch, size_t column, unsigned of);

/* The terms that matched_by tells of, by their names: "upn_startswith", .. */
size_t plan_term_count(const rule_plan *self);
const char *plan_term_name(const rule_plan *self, size_t term);

/* What a term is over, as far as it is known without a record. */
typedef enum plan_operand { OPERAND_OTHER, OPERAND_UPN, OPERAND_OBJECT_ID } plan_operand;

plan_operand plan_term_operand(const rule_plan *self, size_t term);
text plan_term_subject(const rule_plan *self, size_t term); /* the column that it is about */
const kql_expr *plan_term_expression(const rule_plan *self, size_t term);

/* The clauses of that name (reason.h) of terms, a bit each. */
unsigned plan_clauses_of(const rule_plan *self, uint64_t terms);

/*
 * For who makes a rule, before it is used: a term over a target's UPN gets other texts, as
 * kql_replace_texts tells. In wide semantics the UPN that a deleted account had counts from now on,
 * for it and for all that look a UPN up.
 */
void plan_replace_names(rule_plan *self, kql_expr *term, const kql_value *texts, size_t count);

/* What a value was looked up as; in a watchlist, the value is the watchlist's name. */
typedef enum plan_key { PLAN_KEY_UPN, PLAN_KEY_OBJECT_ID, PLAN_KEY_WATCHLIST } plan_key;

typedef struct plan_look_up {
    const struct plan_look_up *next;
    plan_key key;
    text value;
} plan_look_up;

/* A row of the query. All in it lives in the arena or in the record. */
typedef struct plan_row {
    struct plan_row *next;
    size_t branch;     /* of the query, that it comes from */
    kql_value *values; /* of plan_columns */
    text order;        /* its place under the query's order by, see sort_text.h; "": none */
    text positions;    /* of the elements that it is of: "0", "2,1" */
    bool has_target;   /* one of TargetResources was expanded .. */
    size_t target;     /* .. or taken: this one */
    bool is_whole;     /* nothing was expanded: the record's one row */
    uint64_t terms;    /* that hold, a bit each */
    unsigned reasons;  /* why some of them, or a condition, do in wide semantics only */
    unsigned notes;    /* audit_notes: what reading it needed */
    const plan_look_up *looked_up; /* in an open run: what could make it one of the query */
} plan_row;

/* One record under a plan. */
typedef struct plan_run {
    const rule_plan *plan;
    audit_row row;
    semantics semantics; /* of the operators and of the sets */
    timestamp now;
    timespan lookback; /* of sets that say no window of their own; 0: all count */
    const sync_accounts *accounts;
    const watchlists *lists;      /* NULL where the plan asks none */
    bool wants_values;            /* the rows' values and their order are asked for */
    bool is_open;                 /* nobody knows the sets: rows that some of them would give */
    bool (*must_stop)(void *arg); /* asked now and then, until it says true; or NULL */
    void *arg;
    /* what came of it */
    plan_row *first;
    plan_row **last;
    size_t count;
    bool out_of_memory;
    bool over_limit;                /* it cannot be judged: a bound was met */
    bool stopped;                   /* there are rows that it did not come to */
    unsigned reasons;               /* why the term under way holds in wide semantics */
    const plan_look_up *looked_up;  /* for the row under way, .. */
    const plan_look_up *for_record; /* .. and before the first expansion */
    size_t elements;                /* of the branch's first expansion, by now */
} plan_run;

/* The record's rows, in self->first. With `most` > 0 it ends when there are so many. */
void plan_rows(plan_run *self, size_t most);

/* A term of a condition, for a row that no condition held back. */
typedef struct plan_verdict {
    size_t where;     /* which of the query's conditions, from 1 */
    text subject;     /* the column that it is about */
    const char *word; /* its operator, or its function */
    text left;        /* what stands on its left side */
    const kql_expr *expr;
    unsigned truths;
} plan_verdict;

/* A row as it would be if every condition let it pass, and its terms; alive until it returns. */
typedef void plan_trace_sink(void *arg, const plan_row *row, const plan_verdict *verdicts,
                             size_t count, bool matches);
void plan_trace(plan_run *self, plan_trace_sink *sink, void *arg);

/* The right side of a term, as JSON. */
void plan_write_right(const rule_plan *self, const kql_expr *term, buffer *out);

/* A branch's values of the columns that tell of the record alone; others are null. In the arena. */
kql_value *plan_record_values(plan_run *self, size_t branch);

/* A target by its name and id, where there is no record to run over. */
typedef struct plan_account {
    const sync_accounts *accounts;
    text upn, object_id;
    semantics semantics;
    timestamp now;
    timespan lookback; /* as in plan_run */
} plan_account;

/* The terms over a target's name and id that hold for it, a bit each; reasons as in plan_row. */
uint64_t plan_match_account(const rule_plan *self, const plan_account *account, unsigned *reasons);

/* Does a term ask the role list? */
bool plan_asks_role_list(const rule_plan *self);

/* The name of the i-th set that is a watchlist's, of those that differ; bytes NULL: no more. */
text plan_watchlist(const rule_plan *self, size_t i);

/* --- the role list --- */

/* In which sets a role list's row is, a bit each. */
typedef struct plan_sets {
    unsigned kql;
    unsigned wide;
} plan_sets;

/* False when memory is out. */
bool plan_sets_of(const rule_plan *self, const identity_record *row, semantics s, plan_sets *sets);

/*
 * How long rows count in the sets whose loss can make a record match: `!in`, not(.. in ..). Gives
 * how many spans, none when only a gain can.
 */
size_t plan_windows_of_absence(const rule_plan *self, timespan lookback,
                               timespan windows[KQL_MOST_SETS]);

/* The longest window of its sets; 0 when there is one without an end. */
timespan plan_identity_window(const rule_plan *self, timespan lookback);

#endif
