/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fixtures: records, role lists and databases that several suites need.
 *
 * What a function here hands out goes by itself when the test ends.
 */
#ifndef SYNCTAP_TESTS_UNIT_FIXTURES_H
#define SYNCTAP_TESTS_UNIT_FIXTURES_H

#include "record/audit_record.h"
#include "record/identity_record.h"
#include "record/registration.h"
#include "rule/rule.h"
#include "rule/sync_accounts.h"
#include "state/role_list.h"
#include "state/store.h"

/* --- audit records --- */

#define SYNC_UPN "Sync_DC1_0123456789ab@contoso.onmicrosoft.com"
#define TARGET_ID "11111111-2222-4333-8444-555555555555"
#define ACTOR_UPN "admin@contoso.com"
#define ACTOR_ID "99999999-8888-4777-8666-555555555555"
#define TENANT_ID "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"

/* The parts in which records differ; what is NULL is as in a real record of a sync account. */
typedef struct audit_parts {
    const char *operation; /* "Admin registered security info" */
    const char *time;      /* "2026-06-01T12:00:00Z" */
    const char *upn;       /* SYNC_UPN */
    const char *target_id; /* TARGET_ID */
    const char *record_id; /* "record-1" */
} audit_parts;

/* A record's JSON text. */
const char *audit_text(audit_shape shape, audit_parts parts);
#define AUDIT_TEXT(shape, ...) audit_text((shape), (audit_parts){__VA_ARGS__})
#define PLAIN_AUDIT_TEXT(shape) audit_text((shape), (audit_parts){0})

/* The object as a record, as the query sees it; it must be one. */
const audit_record *record_of(json *object);

/* The same as wide semantics sees it. */
const audit_record *wide_record_of(json *object);

/* What audit_record_read says of the object. */
audit_result reading_of(json *object);

audit_target target_of(const audit_record *record, size_t index);

registration registration_of(const audit_record *record, const audit_target *target);

/* --- the rule --- */

rule *new_rule(semantics s);

/* --- role lists --- */

#define SYNC_ROLE "[\"Directory Synchronization Accounts\"]"

/* A row; `time` as timestamp_parse reads it. */
identity_record identity_row(const char *upn, const char *object_id, const char *roles,
                             const char *time);

/* The accounts that the rule makes of these rows, beside those of `old` (NULL: none). */
sync_accounts *accounts_of(const rule *r, const sync_accounts *old, const identity_record *rows,
                           size_t count);

store *open_store(const char *path);

/* What a text takes that the database keeps packed, in bytes. */
int64_t packed_length(text t);

role_list *open_role_list(store *s);

/* One transaction. */
void put_rows(role_list *list, const identity_record *rows, size_t count);
#define PUT_ROWS(list, ...)                                                                        \
    put_rows(list, (identity_record[]){__VA_ARGS__},                                               \
             sizeof((identity_record[]){__VA_ARGS__}) / sizeof(identity_record))

#endif
