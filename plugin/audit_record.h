/*
 * audit_record: one Entra audit record, the same struct whatever its shape.
 *
 * The texts and trees in it are views of the JSON object that it was read
 * from, or live in the arena given to audit_record_read: both must outlive
 * it. It belongs to the thread that read it.
 */
#ifndef SYNCTAP_AUDIT_RECORD_H
#define SYNCTAP_AUDIT_RECORD_H

#include "arena.h"
#include "json.h"
#include "text.h"
#include "timestamp.h"

/* The shapes, named after where they come from. */
typedef enum audit_shape {
    SHAPE_DIAGNOSTIC,      /* diagnostic settings: Event Hub, blob storage */
    SHAPE_LOG_ANALYTICS,   /* a row of the AuditLogs table */
    SHAPE_DIRECTORY_AUDIT, /* Microsoft Graph's directoryAudit */
    AUDIT_SHAPES
} audit_shape;

typedef struct audit_record {
    audit_shape shape;
    bool has_time;
    timestamp time_generated; /* meaningful when has_time */
    text operation_name;
    text actor;     /* the initiating user's UPN, else the app's display name */
    text actor_id;  /* the initiating user's or app's id */
    text source_ip; /* of the initiating user, as the query takes it */
    text caller_ip; /* of the request, where the record has one */
    text result;
    text result_reason;
    text record_id;
    text correlation_id;
    text tenant_id;
    text logged_by_service;
    json *target_resources; /* as it stands: array, object, scalar or null */
    json *object;           /* the whole record */
} audit_record;

/* One row of mv-expand over TargetResources. */
typedef struct audit_target {
    size_t index;    /* the row's place in the expansion, from 0 */
    const char *key; /* of an expanded object's property; NULL for all else */
    json *value;     /* the element, or that property's value */
    text upn;
    text id;
} audit_target;

/* Why audit_record_read made no record of an object. */
typedef enum audit_reading {
    AUDIT_RECORD,        /* it did */
    AUDIT_OTHER_KIND,    /* another kind of object: not ours */
    AUDIT_OUT_OF_MEMORY, /* unknown: memory ran out */
} audit_reading;

/* Reads an object; *record is whole only when the result is AUDIT_RECORD. */
audit_reading audit_record_read(json *object, arena *memory, audit_record *record);

/* How many rows mv-expand makes of the record's TargetResources. */
size_t audit_record_target_count(const audit_record *record);

/* The row at `index` (< target count); false when memory is out. */
bool audit_record_target(const audit_record *record, size_t index, arena *memory,
                         audit_target *target);

/* Writes the row's TargetResources, as the query projects it, as JSON. */
void audit_target_write(const audit_target *target, buffer *out);

/* The shape's name for a reader: "diagnostic record", ... */
const char *audit_shape_name(audit_shape shape);

#endif
