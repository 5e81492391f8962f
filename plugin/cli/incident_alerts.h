/* SPDX-License-Identifier: Apache-2.0 */
/* incident_alerts: an incident's alerts as a table, and each as it was sent. */
#ifndef SYNCTAP_INCIDENT_ALERTS_H
#define SYNCTAP_INCIDENT_ALERTS_H

#include "base/buffer.h"
#include "cli/incident_view.h"

/* Both sections, with their headings. buffer_failed tells. */
void incident_alerts_append(buffer *out, const incident_view *v);

#endif
