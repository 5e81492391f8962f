/* SPDX-License-Identifier: Apache-2.0 */
/*
 * failing_disk: SQLite's writes to a database's file, one of which fails.
 *
 * Of files that are opened after fail_disk_write; a log's own writes go on: so
 * it is what a full disk, or a bad one, is to a checkpoint.
 */
#ifndef SYNCTAP_TESTS_UNIT_FAILING_DISK_H
#define SYNCTAP_TESTS_UNIT_FAILING_DISK_H

#include <stdbool.h>

/* The n-th write fails, from 1. */
void fail_disk_write(unsigned n);

/* No write fails any more; has one? */
bool fail_no_disk_write(void);

#endif
