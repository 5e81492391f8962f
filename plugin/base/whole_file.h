/* SPDX-License-Identifier: Apache-2.0 */
/* whole_file: a small file's bytes, all at once. */
#ifndef SYNCTAP_WHOLE_FILE_H
#define SYNCTAP_WHOLE_FILE_H

#include "base/text.h"

/*
 * Reads a file of at most so many bytes. The bytes are the caller's to free. NULL, and *error
 * (the caller's, too; NULL only when memory is out), when it cannot be read; the error begins with
 * the path. Any thread.
 */
char *whole_file_read(const char *path, size_t most, size_t *length, char **error);

#endif
