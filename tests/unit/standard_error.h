/* SPDX-License-Identifier: Apache-2.0 */
/*
 * standard_error: what is written on standard error, led into a file.
 */
#ifndef SYNCTAP_TESTS_UNIT_STANDARD_ERROR_H
#define SYNCTAP_TESTS_UNIT_STANDARD_ERROR_H

/* Standard error is that file, empty at first, until the test ends. */
void standard_error_to(const char *path);

/* What was written so far, up to 4 KB. */
const char *standard_error_in(const char *path);

#endif
