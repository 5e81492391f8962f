/* SPDX-License-Identifier: Apache-2.0 */
/* open_error: a table of remedies; no name is looked up, as that could wait for a server. */
#include "state/open_error.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct {
    int number;
    const char *remedy;
    bool names_user; /* the user is put behind it */
} remedies[] = {
    {EACCES,
     "see to it by chown or chmod, or in AppArmor or SELinux, that the file and its directory can "
     "be written by the user with the id",
     true},
    {EPERM, "see to it by chown or chmod that the file can be written by the user with the id",
     true},
    {ENOENT, "give another path, or make the directory, for the user with the id", true},
    {ENOTDIR, "a part of the path is no directory: give another path", false},
    {EROFS, "mount the file system for writing, or give another path", false},
    {ENOSPC, "make room", false},
    {EDQUOT, "make room", false},
};

char *open_error_words(int number)
{
    const char *remedy = NULL;
    char *words = NULL, user[32] = "";

    for (size_t i = 0; i < sizeof(remedies) / sizeof(remedies[0]); i++) {
        if (remedies[i].number != number)
            continue;
        remedy = remedies[i].remedy;
        if (remedies[i].names_user)
            snprintf(user, sizeof(user), " %u", (unsigned)geteuid());
    }
    return asprintf(&words, "%s%s%s%s", strerror(number), remedy ? ": " : "", remedy ? remedy : "",
                    user) < 0
               ? NULL
               : words;
}

char *open_error_read_only(const char *path)
{
    char *why = eaccess(path, W_OK) != 0 ? open_error_words(errno) : NULL, *words = NULL;

    if (asprintf(&words, "it can only be read, not written%s%s", why ? ": " : "", why ? why : "") <
        0)
        words = NULL;
    free(why);
    return words;
}
