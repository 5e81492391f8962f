/* SPDX-License-Identifier: Apache-2.0 */
/*
 * own_file: the files beside the state database are read only if they are ours.
 *
 * Whoever may write to the directory may put anything there: a FIFO on which
 * an open would wait for ever, a symbolic link to somebody's file, a
 * directory. A file is ours when it is a regular one that belongs to the user
 * of this process, to root, or to the directory's owner: he can put another
 * one in its place. Any thread may call these.
 */
#ifndef SYNCTAP_OWN_FILE_H
#define SYNCTAP_OWN_FILE_H

#include <stdbool.h>
#include <sys/stat.h>

/*
 * Why what lstat or fstat says is not ours, in words that live for ever; NULL: it is. Knows nothing
 * of the directory.
 */
const char *own_file_refusal(const struct stat *found);

/*
 * Opens a file that is there. `flags` as open(2) has them, without O_CREAT;
 * symbolic links are not followed, nothing is waited for, and the descriptor
 * is closed on exec. -1 when it cannot be opened or is not ours: then *reason
 * says why, in words to be used at once, and errno is set (EPERM: not ours).
 */
int own_file_open(const char *path, int flags, const char **reason);

/*
 * For a file that was just made. Where rsyslogd gives up root's rights, or is run by another user
 * one day, the directory is its user's: what root makes there must be, too. A directory of root's
 * changes nothing, and what cannot be given away stays root's. False: errno says why.
 */
bool own_file_give(int file, const char *path);

#endif
