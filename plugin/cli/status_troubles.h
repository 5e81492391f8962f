/* SPDX-License-Identifier: Apache-2.0 */
/*
 * status_troubles: what went wrong lately and is over, or not to be seen from outside: what the
 * daemon counts and logs.
 */
#ifndef SYNCTAP_STATUS_TROUBLES_H
#define SYNCTAP_STATUS_TROUBLES_H

#include "cli/status_database.h"

/* A finding for each that came lately; none where none did. */
void status_check_troubles(status_run *run, const char *action, const heartbeat *beat);

/* "troubles", a member of an object that the caller has begun. */
void status_write_troubles(buffer *out, const heartbeat *beat);

#endif
