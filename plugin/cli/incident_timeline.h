/* SPDX-License-Identifier: Apache-2.0 */
/* incident_timeline: an incident's alerts over the event's time, as SVG inside of an HTML page. */
#ifndef SYNCTAP_INCIDENT_TIMELINE_H
#define SYNCTAP_INCIDENT_TIMELINE_H

#include "base/buffer.h"
#include "cli/incident_view.h"

/* A line for each target; a mark for each event, and one for when it was detected. */
void incident_timeline_append(buffer *out, const incident_view *v);

#endif
