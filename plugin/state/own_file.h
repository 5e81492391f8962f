/* SPDX-License-Identifier: Apache-2.0 */
/*
 * own_file: the files beside the state database are read only if they are ours.
 *
 * Whoever may write to the directory may put anything there: a FIFO on which
 * an open would wait for ever, a symbolic link to somebody's file, a
 * directory. A file is ours when it is a regular one that belongs to the user
 * of this process, or to root. Any thread may call these.
 */
#ifndef SYNCTAP_OWN_FILE_H
#define SYNCTAP_OWN_FILE_H

#include <sys/stat.h>

/* Why what lstat or fstat says is not ours, in words that live for ever; NULL: it is. */
const char *own_file_refusal(const struct stat *found);

/*
 * Opens a file that is there. `flags` as open(2) has them, without O_CREAT;
 * symbolic links are not followed, nothing is waited for, and the descriptor
 * is closed on exec. -1 when it cannot be opened or is not ours: then *reason
 * says why, in words to be used at once, and errno is set (EPERM: not ours).
 */
int own_file_open(const char *path, int flags, const char **reason);

#endif
