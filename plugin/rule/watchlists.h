/* SPDX-License-Identifier: Apache-2.0 */
/*
 * watchlists: what the watchlists hold that a rule file's query asks.
 *
 * An immutable snapshot, read from CSV files with a header, shared by
 * reference count; any number of threads may look up.
 */
#ifndef SYNCTAP_WATCHLISTS_H
#define SYNCTAP_WATCHLISTS_H

#include "rule/plan.h"

typedef struct watchlist_source {
    text name; /* as _GetWatchlist says it */
    const char *path;
    const char *key; /* the column that SearchKey is; NULL: the first */
} watchlist_source;

/*
 * Reads the files, one for each watchlist of the plan (NULL: it is the built-in rule's, which asks
 * none), and runs the query's sets over their rows:
 * in wide semantics, too, if the rule is wide. NULL, and *error (the caller's; NULL only when
 * memory is out), when one is not given, cannot be
 * read, is no such table, or is none of the plan's. One reference.
 */
watchlists *watchlists_open(const rule_plan *plan, semantics s, const watchlist_source *sources,
                            size_t count, char **error);

watchlists *watchlists_ref(watchlists *self); /* NULL is allowed */

/* The last one to give back its reference frees it; NULL is allowed. */
void watchlists_unref(watchlists *self);

/* Is the value in that column of that set of the query? */
typedef struct watchlist_question {
    unsigned set, column;
    text value;
    bool is_folded;      /* equal without regard to case */
    semantics semantics; /* whose rows and whose folding; wide only where the snapshot is */
} watchlist_question;

bool watchlists_have(const watchlists *self, const watchlist_question *q);

#endif
