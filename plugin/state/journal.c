/* SPDX-License-Identifier: Apache-2.0 */
/* journal: the files of its segments, and the entries that no file took. */
#include "state/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "state/own_file.h"
#include "state/segment_list.h"

enum {
    SEGMENT_SIZE = 16 << 20, /* bytes after which another segment is begun: a read's memory */
    MOST_SEGMENTS = 256,     /* that nobody reads: 4 GB, more than a million records */
    MOST_KEPT = 32 << 20,    /* bytes of entries in memory while the file refuses them */
    MOST_READ = 1 << 30,     /* bytes of a file that may be a segment: twice an rsyslog's message */
    MOST_TAKEN = 8,          /* files that another process took as they were made */
};

/* No life of a journal counts so far: a file with a greater number was put there. */
static const uint64_t greatest_own = 1000000000000000;

struct journal {
    pthread_mutex_t mutex; /* guards all below */
    char *path;            /* NULL: in memory alone */
    int file;              /* of segment `current`; -1: not begun */
    uint64_t current;
    size_t size;          /* of segment `current` */
    segment_list waiting; /* filled and not dropped, the oldest first */
    size_t passed;        /* of those, by the last reading */
    buffer kept;          /* entries that no file took, as they would stand in one */
    size_t read_kept;     /* bytes of `kept` that are being read, and stay in place */
    int error;
    journal_trouble trouble;

    /* The reader's alone: the segment that was read last, open for its lock until it is dropped. */
    int read_file;
    uint64_t read_number; /* 0: what is kept was read, or nothing */
    const char *refusal;  /* why the last SEGMENT_FOREIGN is one */
    journal_damage read_damage;
};

/* Takes over the segments of an earlier process; a new one comes after them. */
static bool find_segments(journal *self)
{
    if (!segment_list_find(&self->waiting, self->path))
        return false;
    for (size_t i = 0; i < self->waiting.count; i++)
        if (self->waiting.numbers[i] < greatest_own)
            self->current = self->waiting.numbers[i] + 1;
    return true;
}

journal *journal_open(const char *path)
{
    journal *self = calloc(1, sizeof(*self));

    if (self == NULL)
        return NULL;
    pthread_mutex_init(&self->mutex, NULL);
    self->file = self->read_file = -1;
    self->current = 1;
    if (path == NULL)
        return self;
    self->path = strdup(path);
    if (self->path != NULL && strlen(path) < PATH_MAX - 32 && find_segments(self))
        return self;
    journal_close(self);
    return NULL;
}

/* --- appending; the mutex is held --- */

static bool refused(journal *self)
{
    self->error = errno;
    return false;
}

static bool segment_has_entries(const journal *self)
{
    return self->file >= 0 && self->size > JOURNAL_HEADER_SIZE;
}

/* A child that was forked has the file, too: its lock goes by a word, not by the close. */
static void close_locked(int *file)
{
    if (*file < 0)
        return;
    flock(*file, LOCK_UN);
    close(*file);
    *file = -1;
}

/* An empty one goes at once. There is room in the list since the segment began. */
static void end_segment(journal *self)
{
    char path[PATH_MAX];

    if (self->file < 0)
        return;
    segment_path(self->path, self->current, path, sizeof(path));
    if (segment_has_entries(self) || unlink(path) != 0)
        segment_list_add(&self->waiting, self->current);
    close_locked(&self->file);
    self->current++;
}

/*
 * The lock tells other processes that it is being written. One that looked between the two steps
 * reads it now, or has removed it: then it is not to be written. A file system without locks does
 * without.
 */
static bool is_own(int file)
{
    struct stat found;

    if (flock(file, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK)
        return false;
    return fstat(file, &found) == 0 && found.st_nlink > 0;
}

/* Made, with the lock, and its reader of tomorrow may read it; if not, that is no reason to stop.
 */
static bool is_made(int file, const char *path)
{
    if (file < 0 || !is_own(file))
        return false;
    own_file_give(file, path);
    return true;
}

/* A number may be another's already. */
static bool make_segment(journal *self)
{
    char path[PATH_MAX];

    for (int taken = 0; taken < MOST_TAKEN; self->current++) {
        segment_path(self->path, self->current, path, sizeof(path));
        self->file = open(path, O_CREAT | O_EXCL | O_WRONLY | O_APPEND | O_CLOEXEC, 0640);
        if (self->file < 0 && errno != EEXIST)
            return refused(self);
        if (is_made(self->file, path))
            return true;
        if (self->file >= 0)
            unlink(path);
        taken += self->file >= 0;
        close_locked(&self->file);
    }
    errno = EBUSY;
    return refused(self);
}

/* All of it or nothing: a piece is cut off again. */
static bool write_whole(journal *self, text bytes)
{
    ssize_t written = write(self->file, bytes.bytes, bytes.length);

    if (written == (ssize_t)bytes.length) {
        self->size += bytes.length;
        return true;
    }
    self->error = written < 0 ? errno : ENOSPC;
    if (written > 0 && ftruncate(self->file, (off_t)self->size) != 0)
        end_segment(self); /* the piece is the segment's last */
    return false;
}

static bool write_header(journal *self)
{
    buffer header = {0};
    bool written;

    journal_write_header(&header);
    written = !buffer_failed(&header) && write_whole(self, buffer_text(&header));
    buffer_free(&header);
    if (!written)
        end_segment(self);
    return written;
}

static bool begin_segment(journal *self)
{
    if (self->file >= 0 && self->size < SEGMENT_SIZE)
        return true;
    end_segment(self);
    if (self->waiting.count >= MOST_SEGMENTS || !segment_list_make_room(&self->waiting)) {
        errno = EDQUOT;
        return refused(self);
    }
    self->size = 0;
    return make_segment(self) && write_header(self);
}

/* Writes what is kept, all of it or nothing; then the file works. */
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

/* Bytes that are being read stay in place: what was read of them is cut off later. */
static bool may_write_kept(const journal *self)
{
    return self->read_kept == 0;
}

/* What the file takes at once may be longer than what is kept in memory. */
static journal_append_result append(journal *self, text entry)
{
    size_t before = self->kept.length;

    if (entry.length > UINT32_MAX || !journal_write_entry(&self->kept, entry))
        return JOURNAL_LOST;
    if (self->path == NULL || (may_write_kept(self) && write_kept(self)))
        return JOURNAL_WRITTEN;
    if (self->kept.length <= MOST_KEPT)
        return JOURNAL_KEPT;
    self->kept.length = before;
    return JOURNAL_LOST;
}

journal_append_result journal_append(journal *self, text entry)
{
    journal_append_result result;

    pthread_mutex_lock(&self->mutex);
    result = append(self, entry);
    pthread_mutex_unlock(&self->mutex);
    return result;
}

void journal_close(journal *self)
{
    if (self == NULL)
        return;
    if (self->kept.length > 0)
        write_kept(self);
    end_segment(self);
    close_locked(&self->read_file);
    buffer_free(&self->kept);
    pthread_mutex_destroy(&self->mutex);
    segment_list_free(&self->waiting);
    free(self->path);
    free(self);
}

/* --- reading --- */

/* What became of one segment. */
typedef enum segment_result {
    SEGMENT_TAKEN,   /* all of it was handed out */
    SEGMENT_REFUSED, /* by the sink */
    SEGMENT_GONE,
    SEGMENT_PASSED, /* to be looked at again */
    SEGMENT_FOREIGN /* to be left alone */
} segment_result;

static void note_error(journal *self, int error)
{
    pthread_mutex_lock(&self->mutex);
    self->error = error;
    pthread_mutex_unlock(&self->mutex);
}

static segment_result pass(journal *self)
{
    note_error(self, errno);
    return SEGMENT_PASSED;
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

static segment_result leave_alone(journal *self, const char *why)
{
    self->refusal = why;
    return SEGMENT_FOREIGN;
}

static bool is_too_large(int file)
{
    struct stat found;

    return fstat(file, &found) == 0 && found.st_size > MOST_READ;
}

static segment_result hand_out(journal *self, text content, journal_sink *sink, void *arg)
{
    switch (journal_read_segment(content, sink, arg, &self->read_damage)) {
    case SEGMENT_READ:
        return SEGMENT_TAKEN;
    case SEGMENT_STOPPED:
        return SEGMENT_REFUSED;
    case SEGMENT_OF_OTHER_VERSION:
        break;
    }
    return leave_alone(self, "a later version wrote it");
}

/* One that another process is writing is that process's to read. */
static segment_result read_open_segment(journal *self, journal_sink *sink, void *arg)
{
    buffer content = {0};
    segment_result result;

    if (is_too_large(self->read_file))
        return leave_alone(self, "it is too large");
    if (flock(self->read_file, LOCK_SH | LOCK_NB) != 0)
        return SEGMENT_PASSED;
    if (read_file(self->read_file, &content))
        result = hand_out(self, buffer_text(&content), sink, arg);
    else
        result = pass(self);
    buffer_free(&content);
    return result;
}

static segment_result read_segment(journal *self, uint64_t number, journal_sink *sink, void *arg)
{
    char path[PATH_MAX];
    segment_result result;
    const char *why;

    segment_path(self->path, number, path, sizeof(path));
    self->read_file = own_file_open(path, O_RDONLY, &why);
    if (self->read_file < 0 && errno == ENOENT)
        return SEGMENT_GONE;
    if (self->read_file < 0)
        return errno == EPERM || errno == ELOOP || errno == EACCES ? leave_alone(self, why)
                                                                   : pass(self);
    result = read_open_segment(self, sink, arg);
    if (result == SEGMENT_TAKEN)
        self->read_number = number;
    else
        close_locked(&self->read_file);
    return result;
}

/* 0: none. When none is left but that which is being written, it is ended, so that it can be read.
 */
static uint64_t next_segment(journal *self)
{
    segment_list *waiting = &self->waiting;
    uint64_t number;

    pthread_mutex_lock(&self->mutex);
    if (self->passed >= waiting->count && segment_has_entries(self))
        end_segment(self);
    number = self->passed < waiting->count ? waiting->numbers[self->passed] : 0;
    pthread_mutex_unlock(&self->mutex);
    return number;
}

static void tell_trouble(journal *self, uint64_t count, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The mutex is held. */
static void tell_trouble(journal *self, uint64_t count, const char *format, ...)
{
    va_list arguments;

    self->trouble.count += count;
    va_start(arguments, format);
    vsnprintf(self->trouble.last, sizeof(self->trouble.last), format, arguments);
    va_end(arguments);
}

/* Those that nobody can read, and those that are not to be read now, stand in no other's way. */
static void go_past(journal *self, uint64_t number, segment_result result)
{
    pthread_mutex_lock(&self->mutex);
    if (result == SEGMENT_PASSED)
        self->passed++;
    else
        segment_list_remove(&self->waiting, number);
    if (result == SEGMENT_FOREIGN)
        tell_trouble(self, 1, "segment %llu is left alone: %s", (unsigned long long)number,
                     self->refusal);
    pthread_mutex_unlock(&self->mutex);
}

/* A copy: appends may move the bytes. */
static bool copy_kept(journal *self, buffer *copy)
{
    journal_write_header(copy);
    pthread_mutex_lock(&self->mutex);
    if (self->kept.length > 0 && !write_kept(self))
        buffer_append(copy, buffer_text(&self->kept));
    self->read_kept = buffer_failed(copy) ? 0 : copy->length - JOURNAL_HEADER_SIZE;
    pthread_mutex_unlock(&self->mutex);
    return !buffer_failed(copy);
}

static journal_read_result read_kept(journal *self, journal_sink *sink, void *arg)
{
    buffer copy = {0};
    journal_read_result result = JOURNAL_FAILED;

    if (copy_kept(self, &copy)) {
        result = JOURNAL_EMPTY; /* what was written now is read the next time */
        if (self->read_kept > 0)
            result = hand_out(self, buffer_text(&copy), sink, arg) == SEGMENT_TAKEN
                         ? JOURNAL_READ
                         : JOURNAL_FAILED;
    }
    buffer_free(&copy);
    return result;
}

/* Nothing has been read, or it is to be read again. */
static void forget_reading(journal *self)
{
    close_locked(&self->read_file);
    self->read_number = 0;
    self->read_damage = (journal_damage){0};
    pthread_mutex_lock(&self->mutex);
    self->read_kept = 0; /* the bytes are free to move again */
    self->passed = 0;
    pthread_mutex_unlock(&self->mutex);
}

journal_read_result journal_read(journal *self, journal_sink *sink, void *arg)
{
    uint64_t number;

    forget_reading(self);
    while ((number = next_segment(self)) != 0) {
        segment_result result = read_segment(self, number, sink, arg);

        if (result == SEGMENT_TAKEN || result == SEGMENT_REFUSED)
            return result == SEGMENT_TAKEN ? JOURNAL_READ : JOURNAL_FAILED;
        go_past(self, number, result);
    }
    return read_kept(self, sink, arg);
}

/* The mutex is held. */
static void drop_kept(journal *self)
{
    buffer *kept = &self->kept;

    kept->length -= self->read_kept;
    if (self->read_kept > 0)
        memmove(kept->bytes, kept->bytes + self->read_kept, kept->length);
    self->read_kept = 0;
}

/* The mutex is held. The lock is kept up to here: nobody else begins or takes a file of its name.
 */
static void drop_segment(journal *self)
{
    const journal_damage *damage = &self->read_damage;
    char path[PATH_MAX];

    segment_path(self->path, self->read_number, path, sizeof(path));
    unlink(path);
    segment_list_remove(&self->waiting, self->read_number);
    if (damage->stretches > 0)
        tell_trouble(self, damage->stretches,
                     "segment %llu: %zu bytes from byte %zu on were damaged",
                     (unsigned long long)self->read_number, damage->bytes, damage->from);
}

size_t journal_flush(journal *self)
{
    size_t left;

    forget_reading(self);
    pthread_mutex_lock(&self->mutex);
    if (self->kept.length > 0)
        write_kept(self);
    left = self->kept.length;
    pthread_mutex_unlock(&self->mutex);
    return left;
}

void journal_drop(journal *self)
{
    pthread_mutex_lock(&self->mutex);
    if (self->read_number != 0)
        drop_segment(self);
    else
        drop_kept(self);
    pthread_mutex_unlock(&self->mutex);
    close_locked(&self->read_file);
    self->read_number = 0;
}

/* --- what there is to say --- */

bool journal_has_entries(journal *self)
{
    bool has;

    pthread_mutex_lock(&self->mutex);
    has = self->waiting.count > 0 || segment_has_entries(self) || self->kept.length > 0;
    pthread_mutex_unlock(&self->mutex);
    return has;
}

size_t journal_backlog(journal *self)
{
    size_t backlog;

    pthread_mutex_lock(&self->mutex);
    backlog = self->waiting.count > self->passed ? self->waiting.count - self->passed : 0;
    pthread_mutex_unlock(&self->mutex);
    return backlog;
}

int journal_error(journal *self)
{
    int error;

    pthread_mutex_lock(&self->mutex);
    error = self->error;
    pthread_mutex_unlock(&self->mutex);
    return error;
}

journal_trouble journal_read_trouble(journal *self)
{
    journal_trouble trouble;

    pthread_mutex_lock(&self->mutex);
    trouble = self->trouble;
    pthread_mutex_unlock(&self->mutex);
    return trouble;
}
