/* SPDX-License-Identifier: Apache-2.0 */
/* reason: the names of all reasons. */
#include "rule/reason.h"

#include <string.h>

#include "record/audit_record.h"

static const char *const names[RULE_REASONS] = {
    [CLAUSE_IDENTITY_UPN] = "identity_upn",
    [CLAUSE_IDENTITY_OBJECT_ID] = "identity_object_id",
    [CLAUSE_UPN_STARTSWITH] = "upn_startswith",
    [CLAUSE_UPN_CONTAINS] = "upn_contains",
    [CLAUSE_UPN_HAS] = "upn_has",
    [WIDE_JSON_STRING] = "json_string",
    [WIDE_TARGET_OBJECT] = "target_object",
    [WIDE_KEY_CASE] = "key_case",
    [WIDE_ID_CASE] = "id_case",
    [WIDE_LETTERS] = "non_ascii_letter",
    [WIDE_DELETED_USER] = "deleted_user",
    [WIDE_ACTIVITY_NAME] = "activity_display_name",
    [WIDE_OPERATION] = "wide_operation",
    [WIDE_ROLE] = "wide_role",
    [WIDE_ELIGIBLE] = "identity_eligible",
    [WIDE_LEARNED] = "role_learned",
    [WIDE_RECENT] = "role_recent",
    [WIDE_TARGET_ELSEWHERE] = "target_elsewhere",
    [WIDE_TIME_UNREAD] = "time_unread",
};

const char *reason_name(rule_reason reason)
{
    return names[reason];
}

unsigned reason_of_clause(const char *name)
{
    for (rule_reason r = 0; r < RULE_CLAUSES; r++)
        if (strcmp(names[r], name) == 0)
            return reason_bit(r);
    return 0;
}

unsigned reasons_of_notes(unsigned notes)
{
    return (notes & NOTE_JSON_STRING ? reason_bit(WIDE_JSON_STRING) : 0) |
           (notes & NOTE_TARGET_OBJECT ? reason_bit(WIDE_TARGET_OBJECT) : 0) |
           (notes & NOTE_KEY_CASE ? reason_bit(WIDE_KEY_CASE) : 0) |
           (notes & NOTE_TARGET_ELSEWHERE ? reason_bit(WIDE_TARGET_ELSEWHERE) : 0);
}
