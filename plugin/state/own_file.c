/* SPDX-License-Identifier: Apache-2.0 */
/* own_file: open first, then look at what was opened: nobody can exchange it in between. */
#include "state/own_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

const char *own_file_refusal(const struct stat *found)
{
    if (S_ISLNK(found->st_mode))
        return "it is a symbolic link";
    if (S_ISDIR(found->st_mode))
        return "it is a directory";
    if (!S_ISREG(found->st_mode))
        return "it is no regular file";
    if (found->st_uid != geteuid() && found->st_uid != 0)
        return "it belongs to another user";
    return NULL;
}

static int refuse(int error, const char *why, const char **reason)
{
    *reason = why;
    errno = error;
    return -1;
}

int own_file_open(const char *path, int flags, const char **reason)
{
    int file = open(path, flags | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    struct stat found;

    if (file < 0)
        return refuse(errno, errno == ELOOP ? "it is a symbolic link" : strerror(errno), reason);
    *reason = fstat(file, &found) == 0 ? own_file_refusal(&found) : strerror(errno);
    if (*reason == NULL)
        return file;
    close(file);
    return refuse(EPERM, *reason, reason);
}
