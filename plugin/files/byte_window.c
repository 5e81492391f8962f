/* SPDX-License-Identifier: Apache-2.0 */
/* byte_window: a mapping, or a buffer before a byte_stream. */
#include "files/byte_window.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "files/byte_stream.h"
#include "files/decoder.h"
#include "files/read_ahead.h"

enum { SMALLEST_ROOM = 256 * 1024 }; /* bytes */

struct byte_window {
    int file;
    text content; /* not passed yet */
    void *mapping;
    size_t mapped;
    byte_stream *stream; /* NULL when the file is mapped */
    read_ahead *ahead;   /* whoever reads the stream for us, or NULL */
    char *room;          /* where the content lies when it is not mapped */
    size_t room_size;
    bool out_of_memory;
};

/* Plain and regular, so that all of it can be had at once; pipes have no beginning to look at. */
static bool can_be_mapped(int file, size_t *size)
{
    char beginning[DECODER_BEGINNING];
    struct stat found;
    ssize_t got;

    if (fstat(file, &found) != 0 || !S_ISREG(found.st_mode) || found.st_size == 0 ||
        lseek(file, 0, SEEK_CUR) != 0)
        return false;
    *size = (size_t)found.st_size;
    got = pread(file, beginning, sizeof(beginning), 0);
    return got > 0 && decoder_kind_of((text){beginning, (size_t)got}) == NULL;
}

static bool map(byte_window *self)
{
    size_t size;
    void *bytes;

    if (!can_be_mapped(self->file, &size))
        return false;
    bytes = mmap(NULL, size, PROT_READ, MAP_PRIVATE, self->file, 0);
    if (bytes == MAP_FAILED)
        return false;
    self->mapping = bytes;
    self->mapped = size;
    self->content = (text){bytes, size};
    return true;
}

/* Reads the first bytes at once: a file that gives none because of an error cannot be opened. */
static bool begin_stream(byte_window *self, const char **reason)
{
    self->stream = byte_stream_new(self->file);
    *reason = "out of memory";
    if (self->stream == NULL)
        return false;
    byte_window_grow(self);
    *reason = byte_stream_trouble(self->stream);
    if (self->out_of_memory)
        *reason = "out of memory";
    return *reason == NULL || self->content.length > 0;
}

static bool open_file(byte_window *self, const char *path, const char **reason)
{
    self->file = strcmp(path, "-") == 0 ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    if (self->file >= 0)
        return map(self) || begin_stream(self, reason);
    *reason = strerror(errno);
    return false;
}

byte_window *byte_window_open(const char *path, char **error)
{
    byte_window *self = calloc(1, sizeof(*self));
    const char *reason;

    *error = NULL;
    if (self == NULL)
        return NULL;
    if (open_file(self, path, &reason))
        return self;
    *error = strdup(reason);
    byte_window_close(self);
    return NULL;
}

byte_window *byte_window_of(text content)
{
    byte_window *self = calloc(1, sizeof(*self));

    if (self == NULL)
        return NULL;
    self->file = -1;
    self->content = content;
    return self;
}

void byte_window_close(byte_window *self)
{
    if (self == NULL)
        return;
    read_ahead_end(self->ahead);
    if (self->mapping != NULL)
        munmap(self->mapping, self->mapped);
    byte_stream_free(self->stream);
    free(self->room);
    if (self->file > STDIN_FILENO)
        close(self->file);
    free(self);
}

text byte_window_text(const byte_window *self)
{
    return self->content;
}

bool byte_window_is_whole(const byte_window *self)
{
    return self->stream == NULL;
}

/* A pipe's other end may be a person: only what is certain to come is read ahead. */
void byte_window_read_ahead(byte_window *self)
{
    struct stat found;

    if (self->stream != NULL && fstat(self->file, &found) == 0 && S_ISREG(found.st_mode))
        self->ahead = read_ahead_begin(self->stream);
}

bool byte_window_progress(const byte_window *self, size_t *done, size_t *size)
{
    struct stat found;
    off_t at = self->stream ? lseek(self->file, 0, SEEK_CUR) : -1;

    if (at < 0 || fstat(self->file, &found) != 0 || !S_ISREG(found.st_mode))
        return false;
    *done = (size_t)at;
    *size = (size_t)found.st_size;
    return true;
}

static void move_to_front(byte_window *self)
{
    memmove(self->room, self->content.bytes, self->content.length);
    self->content.bytes = self->room;
}

static bool enlarge(byte_window *self)
{
    size_t size = self->room_size ? 2 * self->room_size : SMALLEST_ROOM;
    char *room;

    if (size > BYTE_WINDOW_LARGEST)
        return false;
    room = realloc(self->room, size);
    if (room == NULL) {
        self->out_of_memory = true;
        return false;
    }
    self->room = room;
    self->room_size = size;
    self->content.bytes = room;
    return true;
}

/* Keeps at least half of the room free, so that moving costs less than reading. */
static bool make_room(byte_window *self)
{
    if (self->content.length > 0 && self->content.bytes > self->room)
        move_to_front(self);
    return self->content.length < self->room_size / 2 || enlarge(self) ||
           self->content.length < self->room_size;
}

static size_t read_stream(byte_window *self, char *out, size_t room)
{
    return self->ahead ? read_ahead_read(self->ahead, out, room)
                       : byte_stream_read(self->stream, out, room);
}

bool byte_window_grow(byte_window *self)
{
    size_t got;

    if (self->stream == NULL || !make_room(self))
        return false;
    if (self->content.length == 0)
        self->content.bytes = self->room;
    got = read_stream(self, self->room + self->content.length,
                      self->room_size - self->content.length);
    self->content.length += got;
    return got > 0;
}

bool byte_window_is_full(const byte_window *self)
{
    return self->stream != NULL && self->content.length >= BYTE_WINDOW_LARGEST;
}

void byte_window_pass(byte_window *self, size_t length)
{
    self->content = text_from(self->content, length);
}

/* Whole pages only; should one be read again, it comes back. */
void byte_window_forget(const byte_window *self, text part)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t before = (size_t)((uintptr_t)part.bytes % page);

    (void)self;
    if (before > 0)
        before = page - before;
    if (part.length >= before + page)
        madvise((char *)part.bytes + before, (part.length - before) / page * page, MADV_DONTNEED);
}

const char *byte_window_trouble(const byte_window *self)
{
    if (self->out_of_memory)
        return "out of memory";
    return self->stream ? byte_stream_trouble(self->stream) : NULL;
}
