/* SPDX-License-Identifier: Apache-2.0 */
/*
 * open_error: why the system does not let a database be opened or made, with what an administrator
 * can do about it.
 */
#ifndef SYNCTAP_OPEN_ERROR_H
#define SYNCTAP_OPEN_ERROR_H

/* In words for errno's number. The caller's to free; NULL without memory. */
char *open_error_words(int number);

/* The same of a file that was opened, and can only be read. */
char *open_error_read_only(const char *path);

#endif
