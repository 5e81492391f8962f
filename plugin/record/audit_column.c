/* SPDX-License-Identifier: Apache-2.0 */
/* audit_column: the tables, as Log Analytics has them. */
#include "record/audit_column.h"

static const kql_column audit_columns[AUDIT_COLUMN_COUNT] = {
#define AUDIT_COLUMN_ROW(id, name_, type_, verbatim)                                               \
    [COLUMN_##id] = {                                                                              \
        .name = TEXT(name_), .type = (type_), .slot = COLUMN_##id, .is_verbatim = (verbatim)},
    AUDIT_COLUMNS(AUDIT_COLUMN_ROW)
#undef AUDIT_COLUMN_ROW
};

#define IDENTITY(slot_, name_, type_)                                                              \
    {                                                                                              \
        .name = TEXT(name_), .type = (type_), .slot = (slot_)                                      \
    }

static const kql_column identity_columns[] = {
    IDENTITY(IDENTITY_TIME_GENERATED, "TimeGenerated", KQL_DATETIME),
    IDENTITY(IDENTITY_ACCOUNT_UPN, "AccountUPN", KQL_STRING),
    IDENTITY(IDENTITY_ACCOUNT_OBJECT_ID, "AccountObjectId", KQL_STRING),
    IDENTITY(IDENTITY_ACCOUNT_DISPLAY_NAME, "AccountDisplayName", KQL_STRING),
    IDENTITY(IDENTITY_ASSIGNED_ROLES, "AssignedRoles", KQL_DYNAMIC),
    IDENTITY(5, "AccountCreationTime", KQL_DATETIME),
    IDENTITY(6, "GroupMembership", KQL_DYNAMIC),
    IDENTITY(7, "IsAccountEnabled", KQL_BOOL),
    IDENTITY(8, "AccountName", KQL_STRING),
    IDENTITY(9, "AccountDomain", KQL_STRING),
    IDENTITY(10, "AccountTenantId", KQL_STRING),
    IDENTITY(11, "MailAddress", KQL_STRING),
    IDENTITY(12, "UserType", KQL_STRING),
};

static const kql_table records = {"AuditLogs", audit_columns, AUDIT_COLUMN_COUNT};
static const kql_table accounts = {"IdentityInfo", identity_columns,
                                   sizeof(identity_columns) / sizeof(identity_columns[0])};

const kql_catalog audit_catalog = {&records, &accounts, "AccountUPN", "TimeGenerated"};
