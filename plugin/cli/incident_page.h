/* SPDX-License-Identifier: Apache-2.0 */
/*
 * incident_page: an incident as one HTML file: no script, nothing from
 * elsewhere, and a policy that forbids both.
 */
#ifndef SYNCTAP_INCIDENT_PAGE_H
#define SYNCTAP_INCIDENT_PAGE_H

#include "base/buffer.h"
#include "cli/incident_view.h"

/* `now` is when it was made. buffer_failed tells. */
void incident_page_append(buffer *out, const incident_view *v, timestamp now);

#endif
