/* SPDX-License-Identifier: Apache-2.0 */
/* alert_wait: bytes behind those that were there, or a row. */
#include "cli/alert_wait.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/digest.h"
#include "state/alert_log.h"
#include "state/store.h"

enum {
    PIECE = 1 << 16,
    PATIENCE = 500, /* milliseconds for the database's lock */
};

struct alert_wait {
    char *path;
    store *store; /* NULL: it is a file */
    int file;     /* -1: it is not there (yet) */
    struct stat found;
    size_t kept; /* of the last piece, which an id may have begun in */
    char room[UUID_TEXT_SIZE + PIECE];
};

/* --- a file --- */

static bool is_database(const char *path)
{
    static const char head[] = "SQLite format 3";
    char begin[sizeof(head)] = "";
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    ssize_t length = file >= 0 ? read(file, begin, sizeof(begin)) : 0;

    if (file >= 0)
        close(file);
    return length == sizeof(head) && memcmp(begin, head, sizeof(head)) == 0;
}

static void open_file(alert_wait *self)
{
    self->file = open(self->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    self->kept = 0;
    if (self->file >= 0)
        fstat(self->file, &self->found);
}

/* Another file is in its place, or it was emptied: that one is read from its begin. */
static void follow(alert_wait *self)
{
    struct stat now;

    if (stat(self->path, &now) != 0)
        return;
    if (self->file >= 0 && now.st_ino == self->found.st_ino && now.st_dev == self->found.st_dev &&
        now.st_size >= lseek(self->file, 0, SEEK_CUR))
        return;
    if (self->file >= 0)
        close(self->file);
    open_file(self);
}

static bool is_in_piece(alert_wait *self, size_t length, const char *id)
{
    size_t all = self->kept + length, tail = strlen(id) - 1;
    bool found = memmem(self->room, all, id, strlen(id)) != NULL;

    self->kept = all < tail ? all : tail;
    memmove(self->room, self->room + all - self->kept, self->kept);
    return found;
}

static bool read_on(alert_wait *self, const char *id)
{
    ssize_t length;

    while (self->file >= 0 && (length = read(self->file, self->room + self->kept, PIECE)) > 0)
        if (is_in_piece(self, (size_t)length, id))
            return true;
    return false;
}

/* What was written into the file before another took its place is read, too. */
static bool has_in_file(alert_wait *self, const char *id)
{
    if (read_on(self, id))
        return true;
    follow(self);
    return read_on(self, id);
}

/* --- either --- */

static bool begin(alert_wait *self, const char *path, char **error)
{
    self->file = -1;
    self->path = strdup(path);
    if (self->path == NULL)
        return false;
    if (is_database(path)) {
        self->store = store_open(path, STORE_EXISTING, error);
        if (self->store != NULL)
            store_set_patience(self->store, PATIENCE);
        return self->store != NULL;
    }
    open_file(self);
    if (self->file >= 0 && !S_ISREG(self->found.st_mode)) {
        *error = strdup("it is neither a file nor a database");
        return false;
    }
    if (self->file >= 0)
        lseek(self->file, 0, SEEK_END);
    else if (errno != ENOENT)
        *error = strdup(strerror(errno));
    return *error == NULL;
}

alert_wait *alert_wait_begin(const char *path, char **error)
{
    alert_wait *self = calloc(1, sizeof(*self));

    *error = NULL;
    if (self != NULL && begin(self, path, error))
        return self;
    alert_wait_end(self);
    return NULL;
}

void alert_wait_end(alert_wait *self)
{
    if (self == NULL)
        return;
    store_close(self->store);
    if (self->file >= 0)
        close(self->file);
    free(self->path);
    free(self);
}

bool alert_wait_has(alert_wait *self, const char *alert_id, char **error)
{
    bool was_sent = false;

    *error = NULL;
    if (self->store == NULL)
        return has_in_file(self, alert_id);
    if (!alert_was_sent(self->store, alert_id, &was_sent) && !store_is_busy(self->store))
        *error = strdup(store_error(self->store));
    return was_sent;
}
