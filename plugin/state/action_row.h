/* SPDX-License-Identifier: Apache-2.0 */
/*
 * action_row: an action's row in the state database, by its name.
 *
 * What a stream remembers belongs to its action: two actions on one database
 * do not take each other's alerts for their own. One thread at a time.
 */
#ifndef SYNCTAP_ACTION_ROW_H
#define SYNCTAP_ACTION_ROW_H

#include "state/store.h"

typedef struct action_row {
    int64_t id;
    int64_t judged; /* the role list's change up to which pending records were judged again */
} action_row;

/*
 * Reads the row, and makes it if there is none: then nothing is pending, and
 * what the role list is now counts as judged. False: store_error says why.
 */
bool action_row_find(store *s, const char *name, action_row *row);

/*
 * Gives all that an action remembers to another, whose row may be there or not, and removes the
 * first one's row; of two that both remember, one is kept. Given to itself it keeps all. *found:
 * there is such an action. Within no transaction. False: store_error says why, and nothing is
 * changed.
 */
bool action_row_adopt(store *s, const char *from, const char *to, bool *found);

/* Forgets an action, and all that it remembers; likewise. */
bool action_row_drop(store *s, const char *name, bool *found);

/* Within no transaction. False: store_error says why. */
bool action_row_set_judged(store *s, action_row *row, int64_t judged);

#endif
