/* SPDX-License-Identifier: Apache-2.0 */
/* journal: segments of length-prefixed entries, and the entries that no file took. */
#include "state/journal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

enum {
    SEGMENT_SIZE = 4 << 20, /* bytes after which another segment is begun: a read's memory */
    MOST_SEGMENTS = 1024,   /* that nobody reads: 4 GB, more than a million records */
    MOST_KEPT = 32 << 20,   /* bytes of entries in memory while the file refuses them */
};

typedef uint32_t entry_length; /* in front of each entry, in the machine's byte order */

struct journal {
    pthread_mutex_t mutex; /* guards all below */
    char *path;            /* NULL: in memory alone */
    int file;              /* of segment `current`; -1: not begun */
    uint64_t oldest;       /* the first segment that may be there */
    uint64_t current;
    size_t size;      /* of segment `current` */
    buffer kept;      /* entries that no file took, as they would stand in one */
    size_t read_kept; /* bytes of `kept` that are being read, and stay in place */
    int error;

    bool read_segment; /* the reader's alone: a segment was read, not what is kept */
};

static void segment_path(const journal *self, uint64_t number, char *path, size_t room)
{
    snprintf(path, room, "%s.%llu", self->path, (unsigned long long)number);
}

/* The number in the name of one of the journal's segments, or 0. */
static uint64_t segment_number(const char *name, const char *base)
{
    size_t length = strlen(base);
    char *end;
    uint64_t number;

    if (strncmp(name, base, length) != 0 || name[length] != '.')
        return 0;
    number = strtoull(name + length + 1, &end, 10);
    return *end == '\0' && name[length + 1] != '\0' ? number : 0;
}

/* Takes over the segments of an earlier process; a new one comes after them. */
static void find_segments(journal *self)
{
    char directory[PATH_MAX], base[PATH_MAX];
    struct dirent *found;
    DIR *d;

    snprintf(directory, sizeof(directory), "%s", self->path);
    snprintf(base, sizeof(base), "%s", self->path);
    d = opendir(dirname(directory));
    self->oldest = self->current = 1;
    for (uint64_t least = UINT64_MAX; d != NULL && (found = readdir(d)) != NULL;) {
        uint64_t number = segment_number(found->d_name, basename(base));

        if (number == 0)
            continue;
        if (number < least)
            least = self->oldest = number;
        if (number >= self->current)
            self->current = number + 1;
    }
    if (d != NULL)
        closedir(d);
}

journal *journal_open(const char *path)
{
    journal *self = calloc(1, sizeof(*self));

    if (self == NULL)
        return NULL;
    pthread_mutex_init(&self->mutex, NULL);
    self->file = -1;
    self->oldest = self->current = 1;
    if (path == NULL)
        return self;
    self->path = strdup(path);
    if (self->path != NULL && strlen(path) < PATH_MAX - 32) {
        find_segments(self);
        return self;
    }
    journal_close(self);
    return NULL;
}

/* --- appending; the mutex is held --- */

static bool refused(journal *self)
{
    self->error = errno;
    return false;
}

static void end_segment(journal *self)
{
    if (self->file < 0)
        return;
    close(self->file);
    self->file = -1;
    self->current++;
}

/* Its lock tells other processes that it is being written. A number may be another's already. */
static bool begin_segment(journal *self)
{
    char path[PATH_MAX];

    if (self->file >= 0 && self->size < SEGMENT_SIZE)
        return true;
    end_segment(self);
    if (self->current - self->oldest >= MOST_SEGMENTS) {
        errno = EDQUOT;
        return refused(self);
    }
    do {
        segment_path(self, self->current, path, sizeof(path));
        self->file = open(path, O_CREAT | O_EXCL | O_WRONLY | O_APPEND | O_CLOEXEC, 0640);
    } while (self->file < 0 && errno == EEXIST && self->current++ > 0);
    self->size = 0;
    if (self->file < 0)
        return refused(self);
    flock(self->file, LOCK_EX | LOCK_NB);
    return true;
}

/* All of it or nothing: a piece would make what comes after it unreadable. */
static bool write_whole(journal *self, text bytes)
{
    ssize_t written = write(self->file, bytes.bytes, bytes.length);

    if (written == (ssize_t)bytes.length) {
        self->size += bytes.length;
        return true;
    }
    self->error = written < 0 ? errno : ENOSPC;
    if (written > 0 && ftruncate(self->file, (off_t)self->size) != 0)
        end_segment(self); /* a reader stops at the piece */
    return false;
}

/* Writes what is kept; then the file works. */
static bool write_kept(journal *self)
{
    if (self->path == NULL || !begin_segment(self))
        return false;
    if (self->kept.length > 0 && !write_whole(self, buffer_text(&self->kept)))
        return false;
    buffer_clear(&self->kept);
    self->error = 0;
    return true;
}

/* The kept bytes stay in place while they are being read: what was read of them is cut off later.
 */
static bool may_write_kept(const journal *self)
{
    return self->read_kept == 0;
}

static journal_append_result keep(journal *self, const text *parts)
{
    size_t before = self->kept.length;

    if (self->path != NULL && before + parts[1].length > MOST_KEPT)
        return JOURNAL_LOST;
    buffer_append(&self->kept, parts[0]);
    buffer_append(&self->kept, parts[1]);
    if (!buffer_failed(&self->kept))
        return self->path == NULL ? JOURNAL_WRITTEN : JOURNAL_KEPT;
    self->kept.length = before;
    self->kept.failed = false;
    return JOURNAL_LOST;
}

static journal_append_result append(journal *self, text entry)
{
    const entry_length length = (entry_length)entry.length;
    const text parts[] = {{(const char *)&length, sizeof(length)}, entry};
    journal_append_result kept = keep(self, parts);

    if (kept == JOURNAL_KEPT && may_write_kept(self) && write_kept(self))
        return JOURNAL_WRITTEN;
    return kept;
}

journal_append_result journal_append(journal *self, text entry)
{
    journal_append_result result;

    pthread_mutex_lock(&self->mutex);
    result = append(self, entry);
    pthread_mutex_unlock(&self->mutex);
    return result;
}

static void remove_empty_segment(const journal *self)
{
    char path[PATH_MAX];

    if (self->file < 0 || self->size > 0)
        return;
    segment_path(self, self->current, path, sizeof(path));
    unlink(path);
}

void journal_close(journal *self)
{
    if (self == NULL)
        return;
    if (self->kept.length > 0)
        write_kept(self);
    remove_empty_segment(self);
    end_segment(self);
    buffer_free(&self->kept);
    pthread_mutex_destroy(&self->mutex);
    free(self->path);
    free(self);
}

/* --- reading --- */

/* Hands out whole entries; one that was cut by a kill is the last of its segment. */
static bool hand_out(text entries, journal_sink *sink, void *arg)
{
    entry_length length;

    while (entries.length >= sizeof(length)) {
        memcpy(&length, entries.bytes, sizeof(length));
        entries = text_from(entries, sizeof(length));
        if (length > entries.length)
            return true;
        if (!sink(arg, (text){entries.bytes, length}))
            return false;
        entries = text_from(entries, length);
    }
    return true;
}

static bool read_file(int file, buffer *content)
{
    char piece[65536];
    ssize_t got;

    while ((got = read(file, piece, sizeof(piece))) > 0)
        buffer_append(content, (text){piece, (size_t)got});
    if (buffer_failed(content))
        errno = ENOMEM;
    return got == 0 && !buffer_failed(content);
}

static journal_read_result fail_reading(journal *self)
{
    pthread_mutex_lock(&self->mutex);
    refused(self);
    pthread_mutex_unlock(&self->mutex);
    return JOURNAL_FAILED;
}

/* One that another process is writing is that process's to read. */
static journal_read_result read_open_segment(journal *self, int file, journal_sink *sink, void *arg)
{
    buffer content = {0};
    journal_read_result result = JOURNAL_FAILED;

    if (flock(file, LOCK_SH | LOCK_NB) != 0)
        return JOURNAL_EMPTY;
    if (!read_file(file, &content))
        fail_reading(self);
    else if (hand_out(buffer_text(&content), sink, arg))
        result = JOURNAL_READ;
    buffer_free(&content);
    return result;
}

/* A segment that is not there has been dropped already. */
static journal_read_result read_segment(journal *self, uint64_t number, journal_sink *sink,
                                        void *arg)
{
    char path[PATH_MAX];
    journal_read_result result;
    int file;

    segment_path(self, number, path, sizeof(path));
    file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return errno == ENOENT ? JOURNAL_EMPTY : fail_reading(self);
    result = read_open_segment(self, file, sink, arg);
    close(file);
    return result;
}

/* No segment is left but that which is being written: ends it, so that it can be read. */
static uint64_t next_segment(journal *self)
{
    uint64_t number;

    pthread_mutex_lock(&self->mutex);
    if (self->oldest == self->current && self->file >= 0 && self->size > 0)
        end_segment(self);
    number = self->oldest < self->current ? self->oldest : 0;
    pthread_mutex_unlock(&self->mutex);
    return number;
}

static void pass_segment(journal *self)
{
    pthread_mutex_lock(&self->mutex);
    self->oldest++;
    pthread_mutex_unlock(&self->mutex);
}

/* A copy: appends may move the bytes. */
static journal_read_result read_kept(journal *self, journal_sink *sink, void *arg)
{
    buffer copy = {0};
    bool whole;

    pthread_mutex_lock(&self->mutex);
    if (self->kept.length > 0 && !write_kept(self))
        buffer_append(&copy, buffer_text(&self->kept));
    self->read_kept = copy.length;
    pthread_mutex_unlock(&self->mutex);
    if (copy.length == 0 && !buffer_failed(&copy))
        return JOURNAL_EMPTY; /* what was written now is read the next time */
    whole = !buffer_failed(&copy) && hand_out(buffer_text(&copy), sink, arg);
    buffer_free(&copy);
    return whole ? JOURNAL_READ : JOURNAL_FAILED;
}

/* A reading that failed: the bytes are free to move again. */
static void forget_kept(journal *self)
{
    pthread_mutex_lock(&self->mutex);
    self->read_kept = 0;
    pthread_mutex_unlock(&self->mutex);
}

journal_read_result journal_read(journal *self, journal_sink *sink, void *arg)
{
    journal_read_result result;
    uint64_t number;

    self->read_segment = false;
    forget_kept(self);
    while ((number = next_segment(self)) != 0) {
        result = read_segment(self, number, sink, arg);
        self->read_segment = result == JOURNAL_READ;
        if (result != JOURNAL_EMPTY)
            return result;
        pass_segment(self);
    }
    return read_kept(self, sink, arg);
}

static void drop_kept(journal *self)
{
    buffer *kept = &self->kept;

    pthread_mutex_lock(&self->mutex);
    kept->length -= self->read_kept;
    memmove(kept->bytes, kept->bytes + self->read_kept, kept->length);
    self->read_kept = 0;
    pthread_mutex_unlock(&self->mutex);
}

void journal_drop(journal *self)
{
    char path[PATH_MAX];

    if (!self->read_segment) {
        drop_kept(self);
        return;
    }
    segment_path(self, self->oldest, path, sizeof(path));
    unlink(path);
    pass_segment(self);
    self->read_segment = false;
}

bool journal_has_entries(journal *self)
{
    bool has;

    pthread_mutex_lock(&self->mutex);
    has = self->oldest < self->current || (self->file >= 0 && self->size > 0) ||
          self->kept.length > 0;
    pthread_mutex_unlock(&self->mutex);
    return has;
}

size_t journal_backlog(journal *self)
{
    size_t filled;

    pthread_mutex_lock(&self->mutex);
    filled = (size_t)(self->current - self->oldest);
    pthread_mutex_unlock(&self->mutex);
    return filled;
}

int journal_error(journal *self)
{
    int error;

    pthread_mutex_lock(&self->mutex);
    error = self->error;
    pthread_mutex_unlock(&self->mutex);
    return error;
}
