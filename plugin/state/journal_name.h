/* SPDX-License-Identifier: Apache-2.0 */
/* journal_name: where an action keeps its journal: beside the database, under its own name. */
#ifndef SYNCTAP_JOURNAL_NAME_H
#define SYNCTAP_JOURNAL_NAME_H

/*
 * The path of its segments, but for their numbers. What a file's name may not
 * hold, or two names would share, stands as %20. The caller's; NULL when memory is out.
 */
char *journal_name(const char *database, const char *action);

/*
 * The same as the first versions of synctap had it, with `_` for all such
 * bytes; the caller's. NULL when it is no other, or memory is out.
 */
char *journal_name_before(const char *database, const char *action);

#endif
