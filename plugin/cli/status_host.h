/* SPDX-License-Identifier: Apache-2.0 */
/*
 * status_host: what the machine says of the database's files, of the disk
 * that they lie on, and of its rsyslogd.
 */
#ifndef SYNCTAP_STATUS_HOST_H
#define SYNCTAP_STATUS_HOST_H

#include "cli/status_report.h"

/* Who may read and write the files; `process` is the daemon's, 0 if it is not known. */
void status_check_rights(status_report *report, const char *database, int64_t process);

/* Room where the database lies. */
void status_check_disk(status_report *report, const status_limits *limits, const char *database);

/* What lies beside the database and was not taken into it. */
void status_check_journal(status_report *report, const status_limits *limits, const char *database,
                          timestamp now);

/* Databases that were damaged and put aside. */
void status_check_damaged(status_report *report, const char *database);

/* The version that `rsyslogd -v` says, without what is behind a `-`; "" when it says none. */
enum { RSYSLOG_VERSION_SIZE = 32 };
void status_read_rsyslog_version(const char *program, char version[static RSYSLOG_VERSION_SIZE]);

#endif
