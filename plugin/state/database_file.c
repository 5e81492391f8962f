/* SPDX-License-Identifier: Apache-2.0 */
/* database_file: names and links; no descriptor but the directory's. */
#include "state/database_file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "state/open_error.h"
#include "state/own_file.h"

enum {
    LONGEST_SUFFIX = 64,
    LONGEST_PATH = PATH_MAX - 2 * LONGEST_SUFFIX, /* a suffix may have one of its own */
};

/* A path with what is put behind it. */
typedef struct name {
    char bytes[PATH_MAX];
} name;

static name beside(const char *path, const char *suffix)
{
    name n;

    /* database_file_lock has refused a path that leaves no room for it */
    snprintf(n.bytes, sizeof(n.bytes), "%.*s%s", PATH_MAX - LONGEST_SUFFIX - 1, path, suffix);
    return n;
}

static bool say(char **error, const char *reason)
{
    free(*error);
    *error = strdup(reason);
    return false;
}

/* What the system said. */
static bool say_errno(char **error, int number)
{
    free(*error);
    *error = open_error_words(number);
    return false;
}

/* --- which file it is --- */

bool file_identify(const char *path, file_identity *identity)
{
    struct statx found;

    *identity = (file_identity){0};
    if (statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, STATX_INO | STATX_BTIME, &found) != 0)
        return false;
    identity->device = (uint64_t)found.stx_dev_major << 32 | found.stx_dev_minor;
    identity->inode = found.stx_ino;
    if (found.stx_mask & STATX_BTIME) {
        identity->born = found.stx_btime.tv_sec;
        identity->born_ns = found.stx_btime.tv_nsec;
    }
    return true;
}

/* In one directory. A device has another number after the host has started again. */
static bool is_same(const file_identity *a, const file_identity *b)
{
    return a->inode != 0 && a->inode == b->inode && a->born == b->born && a->born_ns == b->born_ns;
}

bool file_is(const char *path, const file_identity *identity)
{
    file_identity found;

    return file_identify(path, &found) && found.device == identity->device &&
           is_same(&found, identity);
}

/* --- the lock --- */

/* EWOULDBLOCK when another has it for longer than that. */
static bool lock_patiently(int directory, patience until)
{
    while (flock(directory, LOCK_EX | LOCK_NB) != 0)
        if (errno != EINTR && (errno != EWOULDBLOCK || !patience_pause(until)))
            return false;
    return true;
}

static int refuse_lock(int directory, bool *is_busy, char **error)
{
    *is_busy = directory >= 0 && errno == EWOULDBLOCK;
    if (*is_busy)
        say(error, "another program is making or mending it");
    else
        say_errno(error, errno);
    if (directory >= 0)
        close(directory);
    return -1;
}

int database_file_lock(const char *path, patience until, bool *is_busy, char **error)
{
    name copy = beside(path, "");
    int directory;

    *is_busy = false;
    if (strlen(path) > LONGEST_PATH) {
        say(error, strerror(ENAMETOOLONG));
        return -1;
    }
    directory = open(dirname(copy.bytes), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0 || !lock_patiently(directory, until))
        return refuse_lock(directory, is_busy, error);
    return directory;
}

void database_file_unlock(int lock)
{
    if (lock >= 0)
        close(lock);
}

/* --- whose log it is --- */

typedef struct ownership {
    file_identity file, log;
} ownership;

static name owner_text(const ownership *o)
{
    name text;

    snprintf(text.bytes, sizeof(text.bytes),
             "%" PRIu64 ".%" PRId64 ".%" PRId64 ":%" PRIu64 ".%" PRId64 ".%" PRId64, o->file.inode,
             o->file.born, o->file.born_ns, o->log.inode, o->log.born, o->log.born_ns);
    return text;
}

static bool read_owner(const char *path, ownership *o)
{
    name link = beside(path, "-owner"), text;
    ssize_t length = readlink(link.bytes, text.bytes, sizeof(text.bytes) - 1);

    *o = (ownership){0};
    if (length < 0)
        return false;
    text.bytes[length] = '\0';
    return sscanf(text.bytes,
                  "%" SCNu64 ".%" SCNd64 ".%" SCNd64 ":%" SCNu64 ".%" SCNd64 ".%" SCNd64,
                  &o->file.inode, &o->file.born, &o->file.born_ns, &o->log.inode, &o->log.born,
                  &o->log.born_ns) == 6;
}

void database_file_own(const char *path, const file_identity *file)
{
    ownership o = {.file = *file}, before;
    name link = beside(path, "-owner"), fresh = beside(path, "-owner.new"), text;

    if (!file_identify(beside(path, "-wal").bytes, &o.log))
        return;
    if (read_owner(path, &before) && is_same(&before.file, &o.file) && is_same(&before.log, &o.log))
        return;
    text = owner_text(&o);
    unlink(fresh.bytes);
    /* Where no file can be made, SQLite has made no log either. */
    if (symlink(text.bytes, fresh.bytes) == 0 && rename(fresh.bytes, link.bytes) != 0)
        unlink(fresh.bytes);
}

bool database_file_log(const char *path, file_identity *log)
{
    return file_identify(beside(path, "-wal").bytes, log);
}

bool database_file_has_log(const char *path, const file_identity *log)
{
    return file_is(beside(path, "-wal").bytes, log);
}

void database_file_disown(const char *path)
{
    file_identity log;

    if (!database_file_log(path, &log))
        unlink(beside(path, "-owner").bytes);
}

/* --- what lies there --- */

static bool exists(name n)
{
    struct stat found;

    return lstat(n.bytes, &found) == 0;
}

static bool refuse(const char *what, const char *why, char **error)
{
    char *text = NULL;

    free(*error);
    *error = asprintf(&text, "%s%s%s", what, *what ? ": " : "", why) < 0 ? NULL : text;
    return false;
}

/* Nothing that stands beside a database, and is not its own, is good for anything. */
static bool refuse_side(name n, const struct stat *found, const char *why, char **error)
{
    char *longer = NULL;
    const char *remedy =
        S_ISREG(found->st_mode) ? "chown it to the user of the database" : "move it away";
    bool said = asprintf(&longer, "%s: %s", why, remedy) >= 0;

    refuse(n.bytes, said ? longer : why, error);
    if (said)
        free(longer);
    return false;
}

/* A log of another user's could have anything in it; the file's own user is as good as we are. */
static bool is_acceptable(const struct stat *file, name n, char **error)
{
    struct stat found;
    const char *why;

    if (lstat(n.bytes, &found) != 0)
        return errno == ENOENT || refuse(n.bytes, strerror(errno), error);
    if (found.st_uid == file->st_uid)
        found.st_uid = geteuid();
    why = own_file_refusal(&found);
    return why == NULL || refuse_side(n, &found, why, error);
}

/* Whoever the configuration names the file of, it is: only its kind counts. */
static bool is_database_kind(struct stat found, char **error)
{
    const char *why;

    found.st_uid = geteuid();
    why = own_file_refusal(&found);
    return why == NULL || refuse(why,
                                 S_ISLNK(found.st_mode)
                                     ? "links are not followed: give the path of the file itself"
                                     : "give the path of a file",
                                 error);
}

static bool is_all_acceptable(const char *path, char **error)
{
    static const char *const suffixes[] = {"-wal", "-shm", "-journal"};
    struct stat file = {.st_uid = geteuid()};
    bool is_there = lstat(path, &file) == 0;
    bool acceptable =
        is_there ? is_database_kind(file, error) : errno == ENOENT || say_errno(error, errno);

    for (size_t i = 0; acceptable && i < sizeof(suffixes) / sizeof(suffixes[0]); i++)
        acceptable = is_acceptable(&file, beside(path, suffixes[i]), error);
    return acceptable;
}

/* A log was noted with this very file, and is gone: whoever has it open has its pages still. */
static bool has_lost_its_log(const char *path)
{
    file_identity file;
    ownership o;

    return file_identify(path, &file) && read_owner(path, &o) && is_same(&file, &o.file) &&
           !exists(beside(path, "-wal"));
}

bool database_file_may_come_back(const char *path)
{
    if (exists(beside(path, "")))
        return has_lost_its_log(path);
    return exists(beside(path, "-shm")) || exists(beside(path, "-owner"));
}

/* --- putting aside --- */

/* PATH + kind + the time, and what makes a name of it that no file has; "" when there is none. */
static name free_name(const char *path, const char *kind)
{
    char written[32], suffix[LONGEST_SUFFIX];
    time_t now = time(NULL);
    struct tm utc;

    gmtime_r(&now, &utc);
    strftime(written, sizeof(written), "%Y%m%dT%H%M%SZ", &utc);
    for (int i = 0; i < 100; i++) {
        name n;

        snprintf(suffix, sizeof(suffix), i == 0 ? "%s%s" : "%s%s-%d", kind, written, i);
        n = beside(path, suffix);
        if (!exists(n) && !exists(beside(n.bytes, "-wal")))
            return n;
    }
    return (name){{0}};
}

static void tell(char **news, const char *what, const char *where)
{
    char *text = NULL;

    free(*news);
    *news =
        asprintf(&text, "%s belonged to another file: it is now %s", what, where) < 0 ? NULL : text;
}

/* An empty log says nothing. */
static bool put_log_aside(name log, char **news, char **error)
{
    struct stat found;
    name aside;

    if (lstat(log.bytes, &found) != 0)
        return true;
    if (found.st_size == 0)
        return unlink(log.bytes) == 0 || refuse(log.bytes, strerror(errno), error);
    aside = free_name(log.bytes, ".left-");
    if (*aside.bytes == '\0' || rename(log.bytes, aside.bytes) != 0)
        return refuse(log.bytes, strerror(errno), error);
    tell(news, log.bytes, aside.bytes);
    return true;
}

static bool remove_index(const char *path, char **error)
{
    name index = beside(path, "-shm");

    return unlink(index.bytes) == 0 || errno == ENOENT ||
           refuse(index.bytes, strerror(errno), error);
}

static bool put_logs_aside(const char *path, char **news, char **error)
{
    return put_log_aside(beside(path, "-wal"), news, error) &&
           put_log_aside(beside(path, "-journal"), news, error) && remove_index(path, error);
}

/* The file is another one than that of which the log was noted. */
static bool put_foreign_log_aside(const char *path, const ownership *o, char **news, char **error)
{
    name log = beside(path, "-wal");
    file_identity found;

    if (file_identify(log.bytes, &found) && is_same(&found, &o->log) &&
        !put_log_aside(log, news, error))
        return false;
    return remove_index(path, error);
}

bool database_file_settle(const char *path, char **news, char **error)
{
    file_identity file;
    ownership o;

    if (!is_all_acceptable(path, error))
        return false;
    if (!file_identify(path, &file)) {
        unlink(beside(path, "-owner").bytes);
        return put_logs_aside(path, news, error);
    }
    if (!read_owner(path, &o) || is_same(&file, &o.file))
        return true;
    return put_foreign_log_aside(path, &o, news, error);
}

/* --- a new one --- */

char *database_file_new_name(const char *path)
{
    return strdup(beside(path, "-new").bytes);
}

void database_file_discard(const char *made)
{
    static const char *const suffixes[] = {"", "-wal", "-shm", "-journal"};

    for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++)
        unlink(beside(made, suffixes[i]).bytes);
}

bool database_file_begin(const char *made, char **error)
{
    int file;
    bool begun;

    database_file_discard(made);
    file = open(made, O_CREAT | O_EXCL | O_RDWR | O_NOFOLLOW | O_CLOEXEC, 0640);
    /* the umask may have taken from the mode */
    begun = file >= 0 && fchmod(file, 0640) == 0 && own_file_give(file, made);
    if (!begun)
        say_errno(error, errno);
    if (file >= 0)
        close(file);
    return begun;
}

/* The name is on the disk, too, before anything goes on. */
static void sync_directory(const char *path)
{
    name copy = beside(path, "");
    int directory = open(dirname(copy.bytes), O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (directory < 0)
        return;
    fsync(directory);
    close(directory);
}

bool database_file_put_in_place(const char *made, const char *path, char **error)
{
    bool put = link(made, path) == 0 || errno == EEXIST;

    if (!put)
        say(error, strerror(errno));
    database_file_discard(made);
    sync_directory(path);
    return put;
}

/* --- in the place of a damaged one --- */

/* Its log holds its newest pages. It is not another's: the file was in place, under the lock. */
static void move_log(const char *path, const char *aside)
{
    char *ignored = NULL;

    rename(beside(path, "-wal").bytes, beside(aside, "-wal").bytes);
    remove_index(path, &ignored);
    free(ignored);
}

/* The damaged one gets a second name first: at no moment is there no file. */
static bool exchange(const char *made, const char *path, name aside, char **error)
{
    if (*aside.bytes != '\0' && link(path, aside.bytes) == 0) {
        if (rename(made, path) == 0)
            return true;
        say(error, strerror(errno));
        unlink(aside.bytes);
        return false;
    }
    return say(error, strerror(errno));
}

bool database_file_replace(const char *made, const char *path, const file_identity *damaged,
                           char **aside, char **error)
{
    name kept = free_name(path, ".damaged-");

    if (!file_is(path, damaged))
        return say(error, "another file is there");
    if (!exchange(made, path, kept, error))
        return false;
    move_log(path, kept.bytes);
    database_file_discard(made);
    sync_directory(path);
    *aside = strdup(kept.bytes);
    return true;
}
