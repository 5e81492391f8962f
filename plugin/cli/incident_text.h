/* SPDX-License-Identifier: Apache-2.0 */
/*
 * incident_text: an incident as JSON, as Markdown for a ticket, and as a
 * row of a list.
 */
#ifndef SYNCTAP_INCIDENT_TEXT_H
#define SYNCTAP_INCIDENT_TEXT_H

#include "base/buffer.h"
#include "cli/incident_view.h"

/* The members of one action's incident, as a script reads them; the caller has begun the object. */
void incident_members_append(buffer *out, const incident_view *v, const incident_row *row);

/* The members that a person's list has: `id` is shown in the place of the whole one. */
void incident_row_append(buffer *out, const incident_view *v, text id);

/* A row of the table of one incident's alerts. */
void incident_alert_row_append(buffer *out, const view_alert *a);

/* What stands above that table, as lines. */
void incident_head_append(buffer *out, const incident_view *v);

/*
 * All of it as Markdown. Names stand in code spans, where nothing in them is
 * markup; there are no tables, in which a `|` would end a cell even there.
 */
void incident_markdown_append(buffer *out, const incident_view *v, timestamp now);

#endif
