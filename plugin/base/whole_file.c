/* SPDX-License-Identifier: Apache-2.0 */
/* whole_file: read(2) until the end, or until there is more than is wanted. */
#include "base/whole_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct growing {
    char *bytes;
    size_t length, room;
} growing;

static bool make_room(growing *self)
{
    size_t room = self->room > 0 ? 2 * self->room : 64 * 1024;
    char *bytes;

    if (self->length < self->room)
        return true;
    bytes = realloc(self->bytes, room);
    if (bytes == NULL)
        return false;
    self->bytes = bytes;
    self->room = room;
    return true;
}

/* NULL, or why the rest cannot be read. */
static const char *read_all(int fd, size_t most, growing *out)
{
    for (;;) {
        ssize_t got;

        if (!make_room(out))
            return "out of memory";
        got = read(fd, out->bytes + out->length, out->room - out->length);
        if (got == 0)
            return NULL;
        if (got < 0 && errno != EINTR)
            return strerror(errno);
        out->length += got > 0 ? (size_t)got : 0;
        if (out->length > most)
            return "the file is too large";
    }
}

char *whole_file_read(const char *path, size_t most, size_t *length, char **error)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    growing out = {0};
    const char *wrong = fd < 0 ? strerror(errno) : read_all(fd, most, &out);

    *error = NULL;
    if (fd >= 0)
        close(fd);
    *length = out.length;
    if (wrong == NULL)
        return out.bytes;
    free(out.bytes);
    if (asprintf(error, "%s: %s", path, wrong) < 0)
        *error = NULL;
    return NULL;
}
