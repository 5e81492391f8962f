/* SPDX-License-Identifier: Apache-2.0 */
/*
 * audit_column: the columns of the AuditLogs table, as each shape of a record
 * has them, and those of IdentityInfo.
 */
#ifndef SYNCTAP_AUDIT_COLUMN_H
#define SYNCTAP_AUDIT_COLUMN_H

#include "kql/query.h"
#include "record/audit_record.h"
#include "record/identity_record.h"

/* X(name of the enum, column, type, does its text stand in the record as it is?) */
#define AUDIT_COLUMNS(X)                                                                           \
    X(TIME_GENERATED, "TimeGenerated", KQL_DATETIME, false)                                        \
    X(INITIATED_BY, "InitiatedBy", KQL_DYNAMIC, true)                                              \
    X(TARGET_RESOURCES, "TargetResources", KQL_DYNAMIC, true)                                      \
    X(ADDITIONAL_DETAILS, "AdditionalDetails", KQL_DYNAMIC, true)                                  \
    X(ACTIVITY_DATE_TIME, "ActivityDateTime", KQL_DATETIME, false)                                 \
    X(TIME_RECEIVED, "_TimeReceived", KQL_DATETIME, false)                                         \
    X(DURATION_MS, "DurationMs", KQL_LONG, false)                                                  \
    X(OPERATION_NAME, "OperationName", KQL_STRING, true)                                           \
    X(OPERATION_VERSION, "OperationVersion", KQL_STRING, true)                                     \
    X(CATEGORY, "Category", KQL_STRING, true)                                                      \
    X(RESULT_TYPE, "ResultType", KQL_STRING, true)                                                 \
    X(RESULT_SIGNATURE, "ResultSignature", KQL_STRING, true)                                       \
    X(RESULT_DESCRIPTION, "ResultDescription", KQL_STRING, true)                                   \
    X(CORRELATION_ID, "CorrelationId", KQL_STRING, true)                                           \
    X(RESOURCE_ID, "ResourceId", KQL_STRING, true)                                                 \
    X(IDENTITY, "Identity", KQL_STRING, true)                                                      \
    X(LEVEL, "Level", KQL_STRING, true)                                                            \
    X(LOCATION, "Location", KQL_STRING, true)                                                      \
    X(ID, "Id", KQL_STRING, true)                                                                  \
    X(LOGGED_BY_SERVICE, "LoggedByService", KQL_STRING, true)                                      \
    X(RESULT, "Result", KQL_STRING, true)                                                          \
    X(RESULT_REASON, "ResultReason", KQL_STRING, true)                                             \
    X(AAD_TENANT_ID, "AADTenantId", KQL_STRING, true)                                              \
    X(ACTIVITY_DISPLAY_NAME, "ActivityDisplayName", KQL_STRING, true)                              \
    X(AAD_OPERATION_TYPE, "AADOperationType", KQL_STRING, true)                                    \
    X(SOURCE_SYSTEM, "SourceSystem", KQL_STRING, false)                                            \
    X(TYPE, "Type", KQL_STRING, false)                                                             \
    X(TENANT_ID, "TenantId", KQL_STRING, false)                                                    \
    X(RESOURCE, "Resource", KQL_STRING, false)                                                     \
    X(RESOURCE_GROUP, "ResourceGroup", KQL_STRING, false)                                          \
    X(RESOURCE_PROVIDER, "ResourceProvider", KQL_STRING, false)                                    \
    X(ITEM_ID, "_ItemId", KQL_STRING, false)                                                       \
    X(IS_BILLABLE, "_IsBillable", KQL_STRING, false)                                               \
    X(BILLED_SIZE, "_BilledSize", KQL_REAL, false)

typedef enum audit_column {
#define AUDIT_COLUMN_NAME(id, name, type, verbatim) COLUMN_##id,
    AUDIT_COLUMNS(AUDIT_COLUMN_NAME)
#undef AUDIT_COLUMN_NAME
        AUDIT_COLUMN_COUNT
} audit_column;

/* Of IdentityInfo; those behind KEPT_COLUMN_COUNT are not kept: "" or null. */
typedef enum info_column {
    INFO_TIME_GENERATED,
    INFO_ACCOUNT_UPN,
    INFO_ACCOUNT_OBJECT_ID,
    INFO_ACCOUNT_DISPLAY_NAME,
    INFO_ASSIGNED_ROLES,
    KEPT_COLUMN_COUNT
} info_column;

/* What a rule's query may name. Constant. */
extern const kql_catalog audit_catalog;

/* A record as a row of the table. One thread. */
typedef struct audit_row {
    audit_record *record; /* what a column needs of it is read when it is asked for */
    const audit_reader *reader;
    json_view view;
    timestamp time;     /* what TimeGenerated is */
    timestamp received; /* when the record came */
    bool has_rest;      /* audit_record_read_rest was called */
    bool out_of_memory;
} audit_row;

audit_row audit_row_of(audit_record *record, const audit_reader *reader, timestamp time,
                       timestamp received);

/* The value of a column. */
kql_value audit_row_column(audit_row *self, unsigned column);

/* One step of a path, as the record's reading steps; what it needed is noted in the view. */
kql_value audit_row_member(audit_row *self, kql_value of, const char *key);

/* Without what it was packed into, where the reading opens that. */
kql_value audit_row_open(audit_row *self, kql_value packed);

/* The column of a role list's row; in KQL's reading roles that are older than the row are none. */
kql_value identity_row_column(const identity_record *row, unsigned column, semantics s,
                              arena *memory);

#endif
