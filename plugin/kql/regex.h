/* SPDX-License-Identifier: Apache-2.0 */
/*
 * regex: KQL's regular expressions, which are those of Rust's regex crate,
 * matched by PCRE2.
 *
 * What the two read in different ways is refused, or written in PCRE2's way.
 * Once made, any number of threads may match by one; it allocates in the
 * arena it is given alone.
 */
#ifndef SYNCTAP_KQL_REGEX_H
#define SYNCTAP_KQL_REGEX_H

#include "base/arena.h"

typedef struct kql_regex kql_regex;

typedef enum regex_result { REGEX_NO, REGEX_MATCH, REGEX_OVER_LIMIT, REGEX_NO_MEMORY } regex_result;

/* NULL, and why in `why`, when the pattern is refused or memory is out. The caller frees it. */
kql_regex *kql_regex_new(text pattern, char *why, size_t room);
void kql_regex_free(kql_regex *self);

/* Does it match somewhere? Then [*begin, *end) is the first place. */
regex_result kql_regex_find(const kql_regex *self, text t, arena *memory, size_t *begin,
                            size_t *end);

/* trim(): what is left of t without a match at its beginning and one at its end. */
regex_result kql_regex_trim(const kql_regex *self, text t, arena *memory, text *left);

#endif
