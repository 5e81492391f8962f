/* SPDX-License-Identifier: Apache-2.0 */
/* byte_window: a buffer before a byte_stream. */
#include "files/byte_window.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "files/byte_stream.h"
#include "files/decoder.h"
#include "files/file_view.h"
#include "files/read_ahead.h"

/*
 * Bytes. A smaller room would be read in more calls of the system, a larger one leaves the cache.
 * Where some were passed unread, perhaps no more than a line is wanted: the steps begin small.
 */
enum { SMALLEST_ROOM = 1024 * 1024, SMALLEST_STEP = 16 * 1024, LINE_END_STEP = 16 * 1024 };

struct byte_window {
    int file;
    bool is_piece; /* the file is another window's */
    size_t size;   /* of a plain regular file; 0: it is another */
    size_t read;   /* bytes of it, from its beginning */
    text content;  /* not passed yet */
    byte_stream *stream;
    read_ahead *ahead; /* whoever reads the stream for us, or NULL */
    file_view *view;   /* NULL: there is none, or it was torn */
    char *room;        /* where the content lies */
    size_t room_size;
    size_t step; /* the most that is read next */
    bool out_of_memory;
};

/* The size of a plain regular file that was not begun; 0 for any other, and for an empty one. */
static size_t plain_size(int file)
{
    char beginning[DECODER_BEGINNING];
    struct stat found;
    ssize_t got;

    if (fstat(file, &found) != 0 || !S_ISREG(found.st_mode) || lseek(file, 0, SEEK_CUR) != 0 ||
        (uintmax_t)found.st_size > SIZE_MAX)
        return 0;
    got = pread(file, beginning, sizeof(beginning), 0);
    if (got <= 0 || decoder_kind_of((text){beginning, (size_t)got}) != NULL)
        return 0;
    return (size_t)found.st_size;
}

/* Reads the first bytes at once: a file that gives none because of an error cannot be opened. */
static bool begin_reading(byte_window *self, const char **reason)
{
    self->size = plain_size(self->file);
    self->stream = self->size > 0 ? byte_stream_new_piece(self->file, 0, self->size, self->size)
                                  : byte_stream_new(self->file);
    self->step = SMALLEST_ROOM;
    *reason = "out of memory";
    if (self->stream == NULL)
        return false;
    byte_window_grow(self);
    *reason = byte_window_trouble(self);
    return *reason == NULL || self->content.length > 0;
}

static bool open_file(byte_window *self, const char *path, const char **reason)
{
    self->file = strcmp(path, "-") == 0 ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    if (self->file >= 0)
        return begin_reading(self, reason);
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

byte_window *byte_window_open_piece(const byte_window *whole, size_t begin, size_t end)
{
    byte_window *self = calloc(1, sizeof(*self));

    if (self == NULL)
        return NULL;
    *self = (byte_window){.file = whole->file,
                          .is_piece = true,
                          .size = whole->size,
                          .read = begin,
                          .content = TEXT(""),
                          .step = SMALLEST_STEP};
    self->stream = byte_stream_new_piece(self->file, begin, end, self->size);
    self->view = file_view_new(self->file);
    if (self->stream != NULL && self->view != NULL)
        return self;
    byte_window_close(self);
    return NULL;
}

void byte_window_close(byte_window *self)
{
    if (self == NULL)
        return;
    read_ahead_end(self->ahead);
    byte_stream_free(self->stream);
    file_view_free(self->view);
    free(self->room);
    if (self->file > STDIN_FILENO && !self->is_piece)
        close(self->file);
    free(self);
}

text byte_window_text(const byte_window *self)
{
    return self->content;
}

bool byte_window_size(const byte_window *self, size_t *size)
{
    *size = self->size;
    return self->size > 0;
}

size_t byte_window_find_line_end(const byte_window *self, size_t from)
{
    char step[LINE_END_STEP];
    ssize_t got;

    while (from < self->size && (got = pread(self->file, step, sizeof(step), (off_t)from)) > 0) {
        const char *end = memchr(step, '\n', (size_t)got);

        if (end != NULL)
            return from + (size_t)(end - step) + 1;
        from += (size_t)got;
    }
    return self->size;
}

/* A pipe's other end may be a person: only what is certain to come is read ahead. */
void byte_window_read_ahead(byte_window *self)
{
    struct stat found;

    if (self->size == 0 && fstat(self->file, &found) == 0 && S_ISREG(found.st_mode))
        self->ahead = read_ahead_begin(self->stream);
}

bool byte_window_progress(const byte_window *self, size_t *done, size_t *size)
{
    struct stat found;
    off_t at = self->size > 0 ? (off_t)self->read : lseek(self->file, 0, SEEK_CUR);

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

static size_t largest(const byte_window *self)
{
    return self->size > 0 ? SIZE_MAX : BYTE_WINDOW_LARGEST;
}

static bool enlarge(byte_window *self)
{
    size_t size = self->room_size ? 2 * self->room_size : SMALLEST_ROOM;
    char *room;

    if (size > largest(self))
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
    size_t got, free_room;

    if (!make_room(self))
        return false;
    if (self->content.length == 0)
        self->content.bytes = self->room;
    free_room = self->room_size - self->content.length;
    got = read_stream(self, self->room + self->content.length,
                      free_room < self->step ? free_room : self->step);
    self->step = self->step < SMALLEST_ROOM ? 2 * self->step : SIZE_MAX;
    self->content.length += got;
    self->read += got;
    return got > 0;
}

bool byte_window_is_full(const byte_window *self)
{
    return self->content.length >= largest(self);
}

bool byte_window_has_view(const byte_window *self)
{
    return self->view != NULL;
}

text byte_window_look(byte_window *self, size_t end)
{
    size_t begin = self->read - self->content.length;
    size_t most = begin < end ? end - begin : 0;

    if (self->view != NULL)
        return file_view_begin(self->view, begin, end);
    return (text){self->content.bytes, self->content.length < most ? self->content.length : most};
}

bool byte_window_end_look(byte_window *self)
{
    if (self->view == NULL || file_view_end(self->view))
        return true;
    file_view_free(self->view);
    self->view = NULL;
    return false;
}

static void skip(byte_window *self, size_t length)
{
    byte_stream_skip(self->stream, length);
    self->read += length;
    self->step = SMALLEST_STEP;
}

void byte_window_pass(byte_window *self, size_t length)
{
    size_t in_memory = length < self->content.length ? length : self->content.length;

    self->content = text_from(self->content, in_memory);
    if (length > in_memory)
        skip(self, length - in_memory);
}

const char *byte_window_trouble(const byte_window *self)
{
    if (self->out_of_memory)
        return "out of memory";
    return byte_stream_trouble(self->stream);
}
