/* SPDX-License-Identifier: Apache-2.0 */
/*
 * built_in_rule: the rule that runs when none is given: Sentinel's YAML file, what of its query
 * can be replaced, and what wide semantics adds to it.
 *
 * The build makes BUILT_IN_RULE of rules/tap-on-sync-account.yaml (built_in_rule_text.c).
 */
#ifndef SYNCTAP_BUILT_IN_RULE_H
#define SYNCTAP_BUILT_IN_RULE_H

#include "rule/plan.h"

extern const unsigned char BUILT_IN_RULE[]; /* without a NUL at its end */
extern const size_t BUILT_IN_RULE_LENGTH;

/* What the file says of itself, for who has no rule at hand. */
extern const char RULE_ID[];
extern const char RULE_NAME[];
extern const char RULE_VERSION[];
extern const char RULE_SEVERITY[];

/* The query's lists of strings; each can be replaced. */
typedef enum rule_list {
    RULE_OPERATIONS,
    RULE_ROLES,
    RULE_UPN_STARTSWITH,
    RULE_UPN_CONTAINS,
    RULE_UPN_HAS,
    RULE_DISPLAYNAME_HAS,
    RULE_LISTS
} rule_list;

enum {
    BUILT_IN_MOST_STRINGS = 16, /* of a list in the query */
    BUILT_IN_MOST_WIDE = 2      /* that wide semantics adds to one */
};

/* The rule, read; the caller frees it. NULL when memory is out. */
rule_file *built_in_rule_read(void);

/* The strings of a list as the query has them, which live as long as it; how many. */
size_t built_in_rule_strings(const rule_plan *plan, rule_list list,
                             text strings[static BUILT_IN_MOST_STRINGS]);

/* What wide semantics adds to the list; constant. */
const text *built_in_rule_wide_strings(rule_list list, size_t *count);

/*
 * Puts other strings in a list's place, wherever the query has it; in wide semantics `wide` counts
 * beside them. For who makes a rule, before it is used; they outlive the plan.
 */
void built_in_rule_replace(rule_plan *plan, rule_list list, const kql_value *strings, size_t count,
                           const kql_value *wide, size_t wide_count);

/* How long rows of the role list count; 0: always. */
void built_in_rule_set_window(rule_plan *plan, timespan window);

/* Lets records of any time pass: their time is judged before the query is. */
void built_in_rule_take_any_time(rule_plan *plan);

#endif
