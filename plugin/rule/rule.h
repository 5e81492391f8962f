/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rule: a Sentinel analytic rule, and the settings that it runs with.
 *
 * It is the built-in rule until it is given a file. Both are a query's plan; of the built-in one's
 * query the lists of strings and the two spans can be replaced. Immutable once it is in use: any
 * number of threads may evaluate it.
 */
#ifndef SYNCTAP_RULE_H
#define SYNCTAP_RULE_H

#include "base/kql.h"
#include "base/text.h"
#include "base/timestamp.h"
#include "record/audit_record.h"
#include "record/identity_record.h"
#include "rule/built_in_rule.h"
#include "rule/plan.h"
#include "rule/reason.h"
#include "rule/sync_accounts.h"

typedef struct rule rule;

/*
 * The rule with its own strings, a lookback of 1 d, an identity window of
 * 14 d and wide semantics; NULL when memory is out. The caller frees it.
 */
rule *rule_new(void);
void rule_free(rule *self);

/*
 * Runs this rule file instead of the built-in rule, with its lookback and its
 * windows. The file becomes the rule's, whatever comes of it. False when it cannot be run, and
 * *error says why, the caller's to free, or is NULL when memory is out; the rule is as it was then.
 */
bool rule_use_file(rule *self, rule_file *file, char **error);

bool rule_is_built_in(const rule *self);

/* What the rule says of itself, and its query. */
const rule_facts *rule_get_facts(const rule *self);
const rule_plan *rule_get_plan(const rule *self);

/* Does the role list, or a watchlist, decide in a term of it? */
bool rule_has_sets(const rule *self);

/* Does the role list? Not where the lists are off that would find a sync account in it. */
bool rule_asks_role_list(const rule *self);

/* Can it match without a role list, by a target's name? False of each rule file. */
bool rule_judges_names(const rule *self);

/* Why no record whatever can match, since lists are off: a constant. NULL: one can. */
const char *rule_why_none_matches(const rule *self);

/*
 * How long rows of the role list count whose loss can make a record match. Gives how many spans:
 * none for a rule that only looks for who is in a set, as the built-in one.
 */
size_t rule_windows_of_absence(const rule *self, timespan windows[KQL_MOST_SETS]);

/* The id that alerts and incidents carry. */
text rule_id(const rule *self);

/* Can a change of this row of the role list make a record match? Its age is not looked at. */
bool rule_row_matters(const rule *self, const identity_record *row);

/* Replaces a list by copies of these strings; false, and nothing changed, when memory is out. */
bool rule_set_list(rule *self, rule_list list, const text *strings, size_t count);

/*
 * The same for what a user gives: "off" alone leaves the list empty. Beside
 * texts it is refused, and so is an empty text, which is in every text. NULL,
 * or what would be right: a constant.
 */
const char *rule_take_list(rule *self, rule_list list, const text *strings, size_t count);

void rule_set_semantics(rule *self, semantics s);
void rule_set_lookback(rule *self, timespan lookback);
/* Are sync accounts learned from the stream's own records of who gets and loses roles? */
void rule_set_learns(rule *self, bool learns);
bool rule_learns(const rule *self);

void rule_set_identity_window(rule *self, timespan window);

const text *rule_get_list(const rule *self, rule_list list, size_t *count);

/* What wide semantics adds to the list: nothing when the list was replaced, or in KQL's semantics.
 */
const text *rule_get_wide_list(const rule *self, rule_list list, size_t *count);

semantics rule_get_semantics(const rule *self);
timespan rule_get_lookback(const rule *self);
timespan rule_get_identity_window(const rule *self);

/* In which sets an account is that has this role: of the built-in rule, in all. */
unsigned rule_sets_of_learned(const rule *self, const learned_role *role);

/* ago(): records and role rows count when they are newer; a span of 0 means that all do. */
timestamp rule_records_since(const rule *self, timestamp now);
timestamp rule_identities_since(const rule *self, timestamp now);

/*
 * where OperationName has_any (...). In wide semantics the activity's name
 * counts too; then the bits of what was needed are added to *reasons.
 */
bool rule_is_operation(const rule *self, const audit_record *record, semantics s,
                       unsigned *reasons);

/* Is this row of the role list a sync account's? Its age is not looked at. */
bool rule_is_sync_account(const rule *self, const identity_record *row, semantics s);

/* Puts a row of the role list into an edit as what it is in the rule's semantics. */
void rule_put_account(const rule *self, sync_accounts_edit *edit, const identity_record *row);

/*
 * What is known of a target by its name and its id alone: a bit for each clause that holds, in wide
 * semantics also for what was needed; 0 when none does. `accounts` is judged as of `now`.
 * SEMANTICS_WIDE only if the rule is wide.
 */
unsigned rule_match_target(const rule *self, const sync_accounts *accounts,
                           const audit_target *target, semantics s, timestamp now);

/* One clause looked at, for an explanation. */
typedef struct clause_verdict {
    const char *name; /* as in matched_by */
    text operand;     /* "TargetUpn" or "TargetId" */
    const char *word; /* the operator: "in~", "startswith", ... */
    text left;        /* the operand's value */
    const kql_expr *term;
    bool kql;
    bool wide;
} clause_verdict;

/* What rule_match_target looks at, clause by clause (< RULE_CLAUSES), in both semantics. */
clause_verdict rule_explain_clause(const rule *self, rule_reason clause,
                                   const sync_accounts *accounts, const audit_target *target,
                                   timestamp now);

#endif
