/* SPDX-License-Identifier: Apache-2.0 */
/* built_in_rule: where its query has what can be replaced. */
#include "rule/built_in_rule.h"

#include <stdlib.h>

#include "kql/operators.h"
#include "rule/plan_parts.h"

const char RULE_ID[] = "9b1a0008-1008-4108-9108-aadprov00008";
const char RULE_NAME[] = "TAP Added to Entra Connector Account (Backdoor)";
const char RULE_VERSION[] = "1.0.0";
const char RULE_SEVERITY[] = "High";

/* A term of the query whose right side is a list. */
typedef struct list_place {
    rule_list list;
    bool in_set; /* in SyncAccounts; else of AuditLogs */
    const char *subject;
    const char *word;
} list_place;

static const list_place places[] = {
    {RULE_OPERATIONS, false, "OperationName", "has_any"},
    {RULE_ROLES, true, "AssignedRoles", "has_any"},
    {RULE_UPN_STARTSWITH, true, "AccountUPN", "startswith"},
    {RULE_UPN_STARTSWITH, false, "TargetUpn", "startswith"},
    {RULE_UPN_CONTAINS, false, "TargetUpn", "contains"},
    {RULE_UPN_HAS, false, "TargetUpn", "has"},
    {RULE_DISPLAYNAME_HAS, true, "AccountDisplayName", "has"},
};
enum { PLACES = sizeof(places) / sizeof(places[0]) };

static const text wide_strings[RULE_LISTS][BUILT_IN_MOST_WIDE] = {
    [RULE_OPERATIONS] = {TEXT("User registered all required security info")},
    /* the roles' template ids */
    [RULE_ROLES] = {TEXT("d29b2b05-8046-44ba-8758-1e26182fcf32"),
                    TEXT("a92aed5d-d78a-4d16-b381-09adb37eb3b0")},
};

rule_file *built_in_rule_read(void)
{
    char *error;
    rule_file *file = rule_file_read((text){(const char *)BUILT_IN_RULE, BUILT_IN_RULE_LENGTH},
                                     "tap-on-sync-account.yaml", &error);

    free(error);
    return file;
}

const text *built_in_rule_wide_strings(rule_list list, size_t *count)
{
    *count = 0;
    while (*count < BUILT_IN_MOST_WIDE && wide_strings[list][*count].bytes != NULL)
        ++*count;
    return wide_strings[list];
}

/* --- places in the query --- */

static kql_expr *find_term(kql_expr *e, const list_place *place)
{
    kql_expr *found = NULL;

    if (e->operator!= NULL && strcmp(e->operator->word, place->word) == 0 &&
        text_equal(plan_subject_of(e->args[0]), text_of(place->subject)))
        return e;
    for (size_t i = 0; found == NULL && i < e->count; i++)
        found = find_term(e->args[i], place);
    return found;
}

/* The query has them all: a test reads each list of the rule that ships. */
static kql_expr *term_at(const rule_plan *plan, const list_place *place)
{
    const kql_pipeline *rows = place->in_set ? &plan->query->sets[0].rows : plan->query->branches;
    kql_expr *found = NULL;

    for (size_t i = 0; found == NULL && i < rows->count; i++)
        if (rows->ops[i].kind == OP_WHERE)
            found = find_term(rows->ops[i].condition, place);
    return found;
}

size_t built_in_rule_strings(const rule_plan *plan, rule_list list,
                             text strings[static BUILT_IN_MOST_STRINGS])
{
    const list_place *place = places;
    const kql_expr *term;
    size_t count = 0;

    while (place->list != list)
        place++;
    term = term_at(plan, place);
    if (term->list == NULL)
        strings[count++] = term->args[1]->value.string;
    for (size_t i = 0; i < term->list_count && count < BUILT_IN_MOST_STRINGS; i++)
        strings[count++] = term->list[i].string;
    return count;
}

void built_in_rule_replace(rule_plan *plan, rule_list list, const kql_value *strings, size_t count,
                           const kql_value *wide, size_t wide_count)
{
    for (size_t i = 0; i < PLACES; i++) {
        kql_expr *term = places[i].list == list ? term_at(plan, &places[i]) : NULL;

        if (term == NULL)
            continue;
        if (strcmp(places[i].subject, "TargetUpn") == 0)
            plan_replace_names(plan, term, strings, count);
        else
            kql_replace_texts(term, strings, count);
        term->wide_list = wide;
        term->wide_list_count = wide_count;
    }
}

void built_in_rule_set_window(rule_plan *plan, timespan window)
{
    plan->query->sets[0].has_window = true;
    plan->query->sets[0].window = window;
}

void built_in_rule_take_any_time(rule_plan *plan)
{
    kql_pipeline *branch = plan->query->branches;

    /* its first condition is on TimeGenerated alone */
    branch->ops++;
    branch->count--;
}
