/* SPDX-License-Identifier: Apache-2.0 */
/* buffer: growth by doubling. */
#include "base/buffer.h"

#include <stdint.h>
#include <stdlib.h>

enum { FIRST_ROOM = 256 }; /* bytes */

bool buffer_grow(buffer *self, size_t more)
{
    size_t need = self->length + more;
    size_t room = self->room ? self->room : FIRST_ROOM;
    char *bytes;

    if (self->failed || need < more || need > SIZE_MAX / 2) {
        self->failed = true;
        return false;
    }
    while (room < need)
        room *= 2;
    if (room == self->room)
        return true;
    bytes = realloc(self->bytes, room);
    if (bytes == NULL) {
        self->failed = true;
        return false;
    }
    self->bytes = bytes;
    self->room = room;
    return true;
}

void buffer_free(buffer *self)
{
    free(self->bytes);
    *self = (buffer){0};
}

void buffer_clear(buffer *self)
{
    self->length = 0;
    self->failed = false;
}

void buffer_append(buffer *self, text t)
{
    if (t.length == 0 || !buffer_make_room(self, t.length))
        return;
    memcpy(self->bytes + self->length, t.bytes, t.length);
    self->length += t.length;
}

void buffer_append_string(buffer *self, const char *string)
{
    buffer_append(self, text_of(string));
}

const char *buffer_string(buffer *self)
{
    if (!buffer_make_room(self, 1))
        return NULL;
    self->bytes[self->length] = '\0';
    return self->bytes;
}
