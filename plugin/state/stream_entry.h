/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stream_entry: what a stream writes into its journal, as bytes.
 *
 * The bytes are read by the same machine that wrote them. Pure functions.
 */
#ifndef SYNCTAP_STREAM_ENTRY_H
#define SYNCTAP_STREAM_ENTRY_H

#include "record/role_change.h"
#include "state/alert_log.h"
#include "state/pending.h"

typedef enum stream_entry_kind {
    ENTRY_PENDING = 'p',
    ENTRY_SENT = 'S',
    ENTRY_SENT_BEFORE = 's', /* without a place, which was the count: as it was once written */
    ENTRY_ROLE = 'r',        /* that somebody got a sync role, or lost one */
    ENTRY_UNKNOWN = 0
} stream_entry_kind;

/* The text fields are views of the entry's bytes. */
typedef struct stream_entry {
    stream_entry_kind kind;
    pending_record pending;
    sent_alert sent;
    role_change role;
} stream_entry;

/* Replaces the buffer's content by the entry; buffer_failed tells. */
void stream_entry_write_pending(buffer *out, const pending_record *record);
void stream_entry_write_sent(buffer *out, const sent_alert *sent);
void stream_entry_write_role(buffer *out, const role_change *change);

/* ENTRY_UNKNOWN when the bytes are no entry: another version's, or damaged. */
stream_entry stream_entry_read(text bytes);

#endif
