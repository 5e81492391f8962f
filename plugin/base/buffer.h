/* SPDX-License-Identifier: Apache-2.0 */
/*
 * buffer: bytes that grow at the end.
 *
 * A failed growth is remembered: appends after it do nothing, and
 * buffer_failed tells once, at the end, whether all went in.
 * Not for sharing between threads.
 */
#ifndef SYNCTAP_BUFFER_H
#define SYNCTAP_BUFFER_H

#include "base/text.h"

typedef struct buffer {
    char *bytes;
    size_t length;
    size_t room;
    bool failed;
} buffer;

/* An empty buffer is all zero: buffer b = {0}; it is freed by buffer_free. */
void buffer_free(buffer *self);

/* Empties it and forgets a failure; the memory is kept for the next use. */
void buffer_clear(buffer *self);

/* Makes more room than there is; false when memory is out. For buffer_make_room alone. */
bool buffer_grow(buffer *self, size_t more);

/* Is there room for so many bytes more, or can it be made? */
static inline bool buffer_make_room(buffer *self, size_t more)
{
    return (!self->failed && more <= self->room - self->length) || buffer_grow(self, more);
}

void buffer_append(buffer *self, text t);
void buffer_append_string(buffer *self, const char *string);

static inline void buffer_append_char(buffer *self, char c)
{
    if (buffer_make_room(self, 1))
        self->bytes[self->length++] = c;
}

/*
 * Room for so many bytes behind the content; they belong to it once `length` is raised. NULL when
 * memory is out.
 */
static inline char *buffer_room(buffer *self, size_t count)
{
    return buffer_make_room(self, count) ? self->bytes + self->length : NULL;
}

/* True when memory ran out since the last clear: the content is incomplete. */
static inline bool buffer_failed(const buffer *self)
{
    return self->failed;
}

/* A view of the content, valid until the next append, clear or free. */
static inline text buffer_text(const buffer *self)
{
    return (text){self->bytes, self->length};
}

/* The content as a NUL-terminated string, or NULL when memory ran out; the buffer's own memory. */
const char *buffer_string(buffer *self);

#endif
