/* SPDX-License-Identifier: Apache-2.0 */
/*
 * incident_words: what a person is told of an incident, in plain text. Names
 * in it are as the records have them: whoever shows it escapes it.
 */
#ifndef SYNCTAP_INCIDENT_WORDS_H
#define SYNCTAP_INCIDENT_WORDS_H

#include "base/buffer.h"
#include "cli/incident_view.h"

/* "2026-06-01 12:00:00 UTC"; a span as base/span has it. */
void words_append_time(buffer *out, timestamp t);
void words_append_span(buffer *out, timespan span);

/* So many characters of a time: without the zone, which a head has, or without the seconds, too. */
enum { WORDS_TO_SECONDS = 19, WORDS_TO_MINUTES = 16 };
void words_append_time_cut(buffer *out, timestamp t, size_t length);

/* How long it took to detect it; "unknown" if the alert does not say. */
void words_append_delay(buffer *out, const view_alert *a);

/* "3 alerts", "1 alert" */
void words_append_count(buffer *out, size_t count, const char *what);

/* The first of the names, and how many more there are. */
void words_append_names(buffer *out, const view_names *names);

/* "eve@x: Admin registered security info on Sync_a@x" */
void words_append_headline(buffer *out, const incident_view *v);

/*
 * The pass that is valid longest, if one is told of; else what was registered, or, of another rule
 * than the built-in one, the first alert's own title.
 */
void words_append_pass(buffer *out, const incident_view *v);

/*
 * Of what was registered in an alert: "Temporary Access Pass, valid until ..., once". Nothing
 * where another rule is not about that.
 */
void words_append_method(buffer *out, const view_alert *a);

/* "late, degraded, came 2 times more", or "". */
void words_append_marks(buffer *out, const view_alert *a);

/* What the role list says; when the target is no part of it, that. */
void words_append_roles(buffer *out, const view_account *account);
void words_append_roles_then(buffer *out, const view_roles *roles, bool is_late);

#endif
