/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rsyslog_probe: is this rsyslogd the one that the module was built for?
 *
 * rsyslog's loader does not find out. Its interface version has been 6 for
 * years, while two layouts changed under it: that of a message, and that of
 * the tables of functions that the daemon copies into a module (glbl_if_t
 * grew at 8.2210, 8.2308 and 8.2406 under one number). A module of another
 * version loads, has its memory overwritten, and crashes later.
 */
#ifndef SYNCTAP_RSYSLOG_PROBE_H
#define SYNCTAP_RSYSLOG_PROBE_H

#include "rsyslog/rsyslog_module.h"

/*
 * True when every table of functions that the modules use, and a message, are
 * laid out as the headers say. When not, one line in the log names what
 * differs and what to do. For modInit, before rsyslog's own macros fill any
 * table of the module's.
 */
bool rsyslog_fits(const char *module);

/* The two function types in modInit's signature (module-template.h): they take what they are asked
 * for. */
typedef rsRetVal module_query();
typedef rsRetVal host_query(uchar *, rsRetVal (**)());

#endif
