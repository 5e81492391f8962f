/* SPDX-License-Identifier: Apache-2.0 */
/*
 * query: a rule's whole query: its lets, its sets and its branches.
 *
 * One record gives rows by each branch; a rule without union has one. A set
 * is a column of the role list or of a watchlist that terms look values up
 * in. A query never changes once it is parsed: any number of threads may run
 * it.
 */
#ifndef SYNCTAP_KQL_QUERY_H
#define SYNCTAP_KQL_QUERY_H

#include "kql/pipeline.h"

/* A table that queries can be over. */
typedef struct kql_table {
    const char *name;
    const kql_column *columns; /* their slots are their places */
    size_t count;
} kql_table;

/* What a query may name. `records` is what it runs over, `accounts` the role list. */
typedef struct kql_catalog {
    const kql_table *records;
    const kql_table *accounts;
    const char *key;  /* the accounts' column that arg_max is taken by */
    const char *time; /* both tables' column of the time */
} kql_catalog;

/* `let NAME =` a set. */
typedef struct kql_set {
    text name;
    bool is_watchlist;
    text watchlist;
    bool has_window;
    timespan window;   /* of the role list's rows; without one the lookback */
    kql_pipeline rows; /* where and project, over the accounts' columns or the watchlist's */
    kql_columns
        source; /* a watchlist's columns, as they were named; their slots are in the frame */
    unsigned slots;
} kql_set;

typedef struct kql_query {
    kql_set *sets;
    size_t set_count;
    kql_pipeline *branches; /* each from the table's row to the query's */
    size_t branch_count;
    kql_columns columns; /* what it gives */
    unsigned slots;      /* of a frame; the table's columns are the first */
    bool has_projection;
    bool has_lookback;
    timespan lookback; /* the longest of the branches' TimeGenerated > ago(T) */
    kql_regexes *regexes;
} kql_query;

enum { KQL_MOST_SETS = 16, KQL_MOST_BRANCHES = 32 };

/*
 * Parses a query; all that it is made of lives in the arena, but for the
 * regular expressions. False, and *error, when it is refused. Either way
 * kql_query_free is due before the arena's end.
 */
bool kql_query_parse(kql_query *self, text source, const kql_catalog *catalog, arena *memory,
                     kql_error *error);
void kql_query_free(kql_query *self);

/* A union copies each column into a slot of its own: the one that it is a copy of, or the same. */
unsigned kql_slot_before_union(const kql_pipeline *branch, unsigned slot);

/* --- what follows from its conditions --- */

/* Texts, of which one at least stands in each record that gives a row. */
typedef struct kql_literals {
    text *all;
    size_t count;
    size_t shortest; /* bytes of the shortest */
} kql_literals;

/*
 * False when there are none, or, then *out_of_memory, memory is out. Each is ASCII, in lower case,
 * at least 4 long, of characters that no JSON has to escape.
 */
bool kql_query_literals(const kql_query *self, arena *memory, kql_literals *result,
                        bool *out_of_memory);

/* Calls it for each condition's term that looks a value up in a set. */
typedef void kql_term_sink(void *arg, const kql_expr *term);
void kql_query_each_set_term(const kql_query *self, kql_term_sink *sink, void *arg);

#endif
