/* SPDX-License-Identifier: Apache-2.0 */
/*
 * audit_record: one Entra audit record, the same struct whatever its shape.
 *
 * The texts and trees in it are views of the JSON object that it was read
 * from, of trees that the record owns, or live in the arena given to
 * audit_record_read: object and arena must outlive it. It belongs to the
 * thread that read it.
 */
#ifndef SYNCTAP_AUDIT_RECORD_H
#define SYNCTAP_AUDIT_RECORD_H

#include "base/arena.h"
#include "base/json.h"
#include "base/kql.h"
#include "base/text.h"
#include "base/timestamp.h"
#include "record/json_view.h"

/* The shapes, named after where they come from. */
typedef enum audit_shape {
    SHAPE_DIAGNOSTIC_2018, /* diagnostic settings of 2018, category "Audit" */
    SHAPE_DIAGNOSTIC,      /* diagnostic settings: Event Hub, blob storage */
    SHAPE_LOG_ANALYTICS,   /* a row of the AuditLogs table */
    SHAPE_ELASTIC,         /* Elastic's azure.auditlogs */
    SHAPE_DIRECTORY_AUDIT, /* Microsoft Graph's directoryAudit */
    SHAPE_STEAMPIPE,       /* a row of Steampipe's azuread_directory_audit_report */
    AUDIT_SHAPES
} audit_shape;

typedef struct audit_record {
    audit_shape shape;
    semantics view; /* how it was read */
    unsigned notes; /* of WIDE's json_view */
    bool has_time;
    timestamp time_generated; /* meaningful when has_time */
    text unread_time;         /* what stands in a time's place and is none; else empty */
    text operation_name;
    text activity_name; /* activityDisplayName; in KQL's reading too */
    text actor;         /* the initiating user's UPN, else the app's display name */
    text actor_id;      /* the initiating user's or app's id */
    text source_ip;     /* of the initiating user, as the query takes it */
    text caller_ip;     /* of the request, where the record has one */
    text result;
    text result_reason;
    text record_id;
    text correlation_id;
    text tenant_id;
    text logged_by_service;
    json *target_resources; /* as this reading takes it: array, object, scalar or null */
    json_list targets;      /* the rows that it is expanded into */
    bool is_split;          /* KQL's rows of an object: a property each; `targets` is empty */
    text target_elsewhere;  /* UPN__tenant__PUID__id__class, when that is all there is */
    bool hides_targets;     /* WIDE's reading: a target, or all, cannot be read */
    json *hidden;           /* all: the value that should hold them, .. */
    bool is_hidden_above;   /* .. or that which should hold those and more: `properties` */
    bool has_broken_part;   /* something else that should hold JSON cannot be read */
    json *object;           /* the whole record; NULL for a fragment of one */
    text content;           /* a fragment's text */
    opened_trees *trees;    /* parsed out of strings; shared by copies of the record */
} audit_record;

/* One row of mv-expand over TargetResources. */
typedef struct audit_target {
    size_t index;    /* the row's place in the expansion, from 0 */
    const char *key; /* of an expanded object's property; NULL for all else */
    json *value;     /* the element, or that property's value */
    text upn;
    text id;
    unsigned notes; /* the record's, and what this target needed */
} audit_target;

/* Why audit_record_read made no record of an object. */
typedef enum audit_result {
    AUDIT_RECORD,        /* it did */
    AUDIT_OTHER_KIND,    /* another kind of record, known as such: nothing in it is ours */
    AUDIT_UNKNOWN,       /* no record as far as one can see; it may carry some */
    AUDIT_OUT_OF_MEMORY, /* unknown: memory ran out */
} audit_result;

/* What reading needs of its thread. */
typedef struct audit_reader {
    arena *memory;
    json_parser *parser;
} audit_reader;

/*
 * Reads an object as the query sees it (KQL), or taking in stride what the
 * query stumbles over (WIDE): as much of it as the rule judges by, which is
 * its operation, its time and its targets. *record holds that only when the
 * result is AUDIT_RECORD; audit_record_release must follow in any case.
 */
audit_result audit_record_read(json *object, semantics view, const audit_reader *reader,
                               audit_record *record);

/*
 * Reads what else an alert tells of the record; its notes may become more.
 * False when memory is out.
 */
bool audit_record_read_rest(audit_record *record, const audit_reader *reader);

/* Frees the trees that the record owns. */
void audit_record_release(audit_record *record);

/* What initiated it, and its details, as this reading takes them. */
json *audit_record_initiated_by(const audit_record *record, json_view *view);
json *audit_record_additional_details(const audit_record *record, json_view *view);

/* A reading of the record, to be gone on with; its `trees` are the record's. */
json_view audit_record_view(const audit_record *record, const audit_reader *reader);

/* Did it meet JSON that was cut or broken? Words that no JSON begins with do not count. */
bool audit_reading_met_broken_json(const json_view *r);

/*
 * Of a record that hides targets: writes what can be read of it, followed by
 * what cannot, as the text of a record that was broken there.
 */
void audit_record_write_hidden(const audit_record *record, buffer *out);

/* How many rows mv-expand makes of the record's TargetResources. */
size_t audit_record_target_count(const audit_record *record);

/* The row at `index` (< target count); false when memory is out. */
bool audit_record_target(const audit_record *record, size_t index, arena *memory,
                         audit_target *target);

/* Writes the row's TargetResources, as the query projects it, as JSON. */
void audit_target_write(const audit_target *target, buffer *out);

/* The shape's name for a reader: "diagnostic record", ... */
const char *audit_shape_name(audit_shape shape);

/* The names under which a record's own time stands in the shapes; their count. */
enum { AUDIT_MOST_TIME_NAMES = 32 };
size_t audit_time_names(text names[static AUDIT_MOST_TIME_NAMES]);

#endif
