/*
 * identity_record: one row of the role list (Sentinel's IdentityInfo table).
 *
 * The texts are views of the JSON object or of the arena given to
 * identity_record_read; both must outlive it.
 */
#ifndef SYNCTAP_IDENTITY_RECORD_H
#define SYNCTAP_IDENTITY_RECORD_H

#include "arena.h"
#include "json.h"
#include "text.h"
#include "timestamp.h"

typedef struct identity_record {
    timestamp time_generated;
    text account_upn; /* the key; "" is one too */
    text account_object_id;
    text account_display_name;
    text assigned_roles; /* the dynamic's text; "" when the row has none */
} identity_record;

/* What identity_record_read made of an object. */
typedef enum identity_reading {
    IDENTITY_RECORD,
    IDENTITY_OTHER_KIND,    /* not a row of a role list */
    IDENTITY_WITHOUT_TIME,  /* a row, but without a readable time: the query never sees it */
    IDENTITY_OUT_OF_MEMORY, /* unknown: memory ran out */
} identity_reading;

/* Reads an object; *record is whole only when the result is IDENTITY_RECORD. */
identity_reading identity_record_read(json *object, arena *memory, identity_record *record);

#endif
