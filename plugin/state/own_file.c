/* SPDX-License-Identifier: Apache-2.0 */
/* own_file: open first, then look at what was opened: nobody can exchange it in between. */
#include "state/own_file.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stddef.h>
#include <stdlib.h>
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

/* False: it cannot be told. */
static bool read_owner_of_directory(const char *path, uid_t *owner)
{
    struct stat directory;
    char *copy = strdup(path);
    bool read = copy != NULL && stat(dirname(copy), &directory) == 0;

    if (read)
        *owner = directory.st_uid;
    free(copy);
    return read;
}

static int refuse(int error, const char *why, const char **reason)
{
    *reason = why;
    errno = error;
    return -1;
}

static const char *cannot_open(int error)
{
    if (error == ELOOP)
        return "it is a symbolic link";
    return error == EACCES ? "Permission denied: chown it to the user of rsyslogd, and restart that"
                           : strerror(error);
}

int own_file_open(const char *path, int flags, const char **reason)
{
    int file = open(path, flags | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    struct stat found;
    uid_t owner;

    if (file < 0)
        return refuse(errno, cannot_open(errno), reason);
    *reason = fstat(file, &found) == 0 ? NULL : strerror(errno);
    if (*reason == NULL && read_owner_of_directory(path, &owner) && found.st_uid == owner)
        found.st_uid = geteuid();
    if (*reason == NULL)
        *reason = own_file_refusal(&found);
    if (*reason == NULL)
        return file;
    close(file);
    return refuse(EPERM, *reason, reason);
}

bool own_file_give(int file, const char *path)
{
    uid_t owner;

    if (geteuid() != 0 || !read_owner_of_directory(path, &owner))
        return true;
    return fchown(file, owner, (gid_t)-1) == 0 || errno == EPERM || errno == EINVAL;
}
