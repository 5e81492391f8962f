/*
 * rule: the Sentinel analytic rule, as a table of clauses over one target.
 *
 * A rule is its lists of strings, its two spans and its semantics. Immutable
 * once it is in use: any number of threads may evaluate it.
 */
#ifndef SYNCTAP_RULE_H
#define SYNCTAP_RULE_H

#include "audit_record.h"
#include "identity_record.h"
#include "kql.h"
#include "text.h"
#include "timestamp.h"

struct sync_accounts;

typedef struct rule rule;

/* The lists of strings; each can be replaced. */
typedef enum rule_list {
    RULE_OPERATIONS,
    RULE_ROLES,
    RULE_UPN_STARTSWITH,
    RULE_UPN_CONTAINS,
    RULE_UPN_HAS,
    RULE_DISPLAYNAME_HAS,
    RULE_LISTS
} rule_list;

/* What made a target match, a bit for each clause; in the order of matched_by. */
typedef enum rule_clause {
    CLAUSE_IDENTITY_UPN,
    CLAUSE_IDENTITY_OBJECT_ID,
    CLAUSE_UPN_STARTSWITH,
    CLAUSE_UPN_CONTAINS,
    CLAUSE_UPN_HAS,
    RULE_CLAUSES
} rule_clause;

/* The facts of the rule, for alerts. */
extern const char RULE_ID[];
extern const char RULE_NAME[];
extern const char RULE_VERSION[];
extern const char RULE_SEVERITY[];

/*
 * The rule with its own strings, a lookback of 1 d, an identity window of
 * 14 d and KQL's semantics; NULL when memory is out. The caller frees it.
 */
rule *rule_new(void);
void rule_free(rule *self);

/* Replaces a list by copies of these strings; false, and nothing changed, when memory is out. */
bool rule_set_list(rule *self, rule_list list, const text *strings, size_t count);

void rule_set_semantics(rule *self, semantics s);
void rule_set_lookback(rule *self, timespan lookback);
void rule_set_identity_window(rule *self, timespan window);

const text *rule_get_list(const rule *self, rule_list list, size_t *count);
semantics rule_get_semantics(const rule *self);
timespan rule_get_lookback(const rule *self);
timespan rule_get_identity_window(const rule *self);

/* The list's name as a parameter ("upn.startswith") and as an option ("upn-startswith"). */
const char *rule_list_parameter(rule_list list);
const char *rule_list_option(rule_list list);

/* The clause's name in matched_by: "identity_upn", ... */
const char *rule_clause_name(rule_clause clause);

/* where OperationName has_any (...) */
bool rule_is_operation(const rule *self, const audit_record *record);

/* Is this row of the role list a sync account's? Its age is not looked at. */
bool rule_is_sync_account(const rule *self, const identity_record *row);

/*
 * The rows' final where: a bit (1 << clause) for each clause that holds for
 * the target, 0 when it does not match. `accounts` is judged as of `now`.
 */
unsigned rule_match_target(const rule *self, const struct sync_accounts *accounts,
                           const audit_target *target, timestamp now);

#endif
