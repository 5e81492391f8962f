/* SPDX-License-Identifier: Apache-2.0 */
/* reason: why a row matched, as matched_by tells. */
#ifndef SYNCTAP_REASON_H
#define SYNCTAP_REASON_H

#include "base/text.h"

/*
 * A bit (1 << reason) each, in the order of matched_by: the terms of the built-in rule's last
 * where that hold, then what wide semantics had to do for it.
 */
typedef enum rule_reason {
    CLAUSE_IDENTITY_UPN,
    CLAUSE_IDENTITY_OBJECT_ID,
    CLAUSE_UPN_STARTSWITH,
    CLAUSE_UPN_CONTAINS,
    CLAUSE_UPN_HAS,
    RULE_CLAUSES,
    /* the cases that the query misses for a technical reason */
    WIDE_JSON_STRING = RULE_CLAUSES,
    WIDE_TARGET_OBJECT,
    WIDE_KEY_CASE,
    WIDE_ID_CASE,
    WIDE_LETTERS, /* a boundary beside a non-ASCII letter, or U+017F, U+212A */
    WIDE_DELETED_USER,
    WIDE_ACTIVITY_NAME,
    WIDE_OPERATION,
    WIDE_ROLE,     /* the account is a sync account in wide semantics only */
    WIDE_ELIGIBLE, /* the same, by a role that it may activate */
    WIDE_LEARNED,  /* the same, by a role that the stream told of and the role list does not know */
    WIDE_RECENT,   /* the same, by one that it lost a short while ago */
    WIDE_TARGET_ELSEWHERE,
    WIDE_TIME_UNREAD, /* judged as if made when received; in KQL's semantics too, never in silence
                       */
    RULE_REASONS
} rule_reason;

static inline unsigned reason_bit(rule_reason reason)
{
    return 1u << reason;
}

/* The reason's name in matched_by: "identity_upn", "json_string", ... */
const char *reason_name(rule_reason reason);

/* The bit of the clause of that name; 0: there is none. */
unsigned reason_of_clause(const char *name);

/* What of audit_notes is a reason, in their order. */
unsigned reasons_of_notes(unsigned notes);

#endif
