/* SPDX-License-Identifier: Apache-2.0 */
/*
 * alert: one row that the rule returned, and how it is written.
 *
 * An alert is a view of its record; it lives as long as that, in one thread.
 */
#ifndef SYNCTAP_ALERT_H
#define SYNCTAP_ALERT_H

#include "base/buffer.h"
#include "base/digest.h"
#include "record/audit_record.h"
#include "record/registration.h"
#include "rule/plan_text.h"
#include "rule/rule.h"

/* What an alert tells of its incident. */
typedef struct alert_incident {
    char id[UUID_TEXT_SIZE]; /* "": it has none */
    bool is_new;             /* this alert opened it */
    unsigned alert_count;    /* with this one */
    unsigned place;          /* this alert's own in it: no other ever has it */
    timestamp opened;
    char first_alert[UUID_TEXT_SIZE];
} alert_incident;

typedef struct alert {
    const rule *rule;
    const audit_record *record;
    const plan_text *told; /* of a row of a rule file; NULL of the built-in rule's, and where it is
                              made from a fragment */
    audit_target target;
    registration registration;
    unsigned matched_by;      /* a bit (1 << rule_reason) each */
    bool kql;                 /* the query itself returns this row */
    bool late;                /* the role list made it match after the fact */
    bool duplicate;           /* it was handed on before */
    bool degraded;            /* made from a fragment: confidence is less than exact */
    timestamp time_generated; /* the record's, or when it was received if it has none */
    timestamp detected_at;
    size_t more;    /* it stands for so many rows beyond a bound, this the first; else 0 */
    text collector; /* the host name of the machine that detected it */
    char id[UUID_TEXT_SIZE];
    alert_incident incident;
    text written;                        /* by who has written it already; else empty */
    char content_hash[SHA256_TEXT_SIZE]; /* of a record without an id; "" until it is needed */
} alert;

/*
 * The alert's name-based id: the same for the same row on every collector
 * and in every replay. Writes into self->id, and keeps the record's hash for
 * its next row; false when memory is out.
 */
bool alert_give_id(alert *self);

/*
 * Writes the alert as one JSON object, its keys in the contract's order. True
 * when a text of it was too long to be shown whole, which "cut" tells.
 */
bool alert_write(const alert *self, buffer *out);

/* What was written of it already, else written into `out`. */
text alert_text(const alert *self, buffer *out);

/*
 * Is this the "columns" or the "custom_details" of an alert? They look like a record, and stand
 * alone where the rest of the alert was cut off, or in a SIEM's incident. No record has just these
 * members in this order.
 */
bool alert_is_part(json *object);

/*
 * Writes the row that the query projects, under its KQL names, followed by
 * Id, TargetId, TargetIndex, MatchedBy and Kql. Nothing of it is cut.
 */
void alert_write_row(const alert *self, buffer *out);

#endif
