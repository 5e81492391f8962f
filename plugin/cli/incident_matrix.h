/* SPDX-License-Identifier: Apache-2.0 */
/* incident_matrix: how many alerts each actor caused on each target, as a table. */
#ifndef SYNCTAP_INCIDENT_MATRIX_H
#define SYNCTAP_INCIDENT_MATRIX_H

#include "base/buffer.h"
#include "cli/incident_view.h"

/* The section, with its heading. buffer_failed tells. */
void incident_matrix_append(buffer *out, const incident_view *v);

#endif
