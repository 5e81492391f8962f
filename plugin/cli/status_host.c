/* SPDX-License-Identifier: Apache-2.0 */
/* status_host: stat, statvfs, glob, and one program that is asked. */
#include "cli/status_host.h"

#include <ctype.h>
#include <errno.h>
#include <glob.h>
#include <grp.h>
#include <inttypes.h>
#include <libgen.h>
#include <limits.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buffer.h"

enum { NAME_SIZE = 64 };

/* --- rights --- */

static const char *user_name(uid_t user, char room[static NAME_SIZE])
{
    const struct passwd *found = getpwuid(user);

    if (found != NULL)
        snprintf(room, NAME_SIZE, "%s", found->pw_name);
    else
        snprintf(room, NAME_SIZE, "%u", (unsigned)user);
    return room;
}

/* The user and the group of a process of rsyslogd's name. */
static bool read_process(int64_t process, uid_t *user, gid_t *group)
{
    char path[64], name[32] = "";
    struct stat found;
    FILE *file;

    snprintf(path, sizeof(path), "/proc/%" PRId64 "/comm", process);
    file = process > 0 ? fopen(path, "re") : NULL;
    if (file == NULL)
        return false;
    if (fgets(name, sizeof(name), file) == NULL)
        name[0] = '\0';
    snprintf(path, sizeof(path), "/proc/%" PRId64, process);
    fclose(file);
    if (strcmp(name, "rsyslogd\n") != 0 || stat(path, &found) != 0)
        return false;
    *user = found.st_uid;
    *group = found.st_gid;
    return true;
}

static bool may_write(const struct stat *found, uid_t user, gid_t group)
{
    if (user == 0)
        return true;
    if (found->st_uid == user)
        return (found->st_mode & S_IWUSR) != 0;
    if (found->st_gid == group)
        return (found->st_mode & S_IWGRP) != 0;
    return (found->st_mode & S_IWOTH) != 0;
}

typedef struct rights {
    status_report *report;
    bool knows_daemon;
    uid_t user;
    gid_t group;
    bool knows_directory;
    struct stat directory;
    size_t told;
} rights;

static void tell(rights *r, const char *path, status_state state, const struct stat *found,
                 const char *words)
{
    char owner[NAME_SIZE];

    status_report_add(r->report, "rights", state, "%s belongs to %s, mode %04o: %s", path,
                      user_name(found->st_uid, owner), (unsigned)found->st_mode & 07777, words);
    r->told++;
}

/* Nobody knows whom rsyslogd runs as: most likely as whom the directory is of. */
static void check_likely_daemon(rights *r, const char *path, const struct stat *found)
{
    char owner[NAME_SIZE], words[NAME_SIZE + 128];

    if (!r->knows_directory || may_write(found, r->directory.st_uid, r->directory.st_gid))
        return;
    snprintf(words, sizeof(words),
             "the owner of its directory, %s, cannot write it: if rsyslogd runs as that, chown it",
             user_name(r->directory.st_uid, owner));
    tell(r, path, STATUS_WARNING, found, words);
}

static void tell_daemon(rights *r, const char *path, const struct stat *found)
{
    char user[NAME_SIZE], words[NAME_SIZE + 128];

    snprintf(words, sizeof(words), "rsyslogd runs as %s and cannot write it: chown it to %s",
             user_name(r->user, user), user);
    tell(r, path, STATUS_BROKEN, found, words);
}

/* The records in it are whole; who writes it can make alerts go unsent. */
static void check_file(rights *r, const char *path)
{
    struct stat found;

    if (stat(path, &found) != 0 || !S_ISREG(found.st_mode))
        return;
    if ((found.st_mode & S_IWOTH) != 0)
        tell(r, path, STATUS_BROKEN, &found, "everybody may write it: chmod 0640");
    else if ((found.st_mode & S_IROTH) != 0)
        tell(r, path, STATUS_WARNING, &found, "everybody may read it: chmod 0640");
    if (r->knows_daemon && !may_write(&found, r->user, r->group))
        tell_daemon(r, path, &found);
    else if (!r->knows_daemon)
        check_likely_daemon(r, path, &found);
}

static void check_directory(rights *r, const char *path)
{
    if (!r->knows_directory)
        return;
    if ((r->directory.st_mode & S_IWOTH) != 0 && (r->directory.st_mode & S_ISVTX) == 0)
        tell(r, path, STATUS_BROKEN, &r->directory,
             "everybody may put another file in the database's place");
    if (r->knows_daemon && !may_write(&r->directory, r->user, r->group))
        tell_daemon(r, path, &r->directory);
}

void status_check_rights(status_report *report, const char *database, int64_t process)
{
    static const char *const sides[] = {"", "-wal", "-shm"};
    rights r = {.report = report};
    char path[PATH_MAX], *copy = strdup(database);
    const char *directory = copy != NULL ? dirname(copy) : "";

    r.knows_directory = stat(directory, &r.directory) == 0;
    r.knows_daemon = read_process(process, &r.user, &r.group);
    for (size_t i = 0; i < sizeof(sides) / sizeof(sides[0]); i++) {
        snprintf(path, sizeof(path), "%s%s", database, sides[i]);
        check_file(&r, path);
    }
    check_directory(&r, directory);
    free(copy);
    if (r.told == 0)
        status_report_add(report, "rights", STATUS_OK, "%s",
                          r.knows_daemon ? "rsyslogd may write the files, others may not"
                                         : "nobody else may read or write the files");
}

/* --- the disk --- */

void status_check_disk(status_report *report, const status_limits *limits, const char *database)
{
    char *copy = strdup(database);
    struct statvfs found;
    status_state state;
    int64_t bytes;

    if (copy == NULL || statvfs(dirname(copy), &found) != 0) {
        status_report_add(report, "disk", STATUS_BROKEN, "%s: %s", database, strerror(errno));
    } else {
        bytes = (int64_t)found.f_bavail * (int64_t)found.f_frsize;
        state = status_against(limits, LIMIT_FREE, bytes);
        status_report_add(report, "disk", state,
                          "%" PRId64 " MB are free where the database lies%s", bytes >> 20,
                          state == STATUS_OK ? "" : ": make room");
    }
    free(copy);
}

/* --- files beside the database --- */

/* A path's own characters are no pattern's. */
static void append_quoted(buffer *out, const char *path)
{
    for (; *path != '\0'; path++) {
        if (strchr("*?[]\\", *path) != NULL)
            buffer_append_char(out, '\\');
        buffer_append_char(out, *path);
    }
}

static bool find(const char *database, const char *behind, glob_t *found)
{
    buffer pattern = {0};
    bool any;

    append_quoted(&pattern, database);
    buffer_append_string(&pattern, behind);
    any = !buffer_failed(&pattern) && glob(buffer_string(&pattern), 0, NULL, found) == 0;
    buffer_free(&pattern);
    return any;
}

/* A segment that has a header alone holds nothing. */
enum { HEADER = 64 };

static void tell_journal(status_report *report, const status_limits *limits, size_t files,
                         int64_t bytes, int64_t oldest)
{
    status_state state = status_against(limits, LIMIT_JOURNAL, oldest);
    buffer room = {0};

    if (files == 0)
        status_report_add(report, "journal", STATUS_OK, "nothing waits outside the database");
    else
        status_report_add(
            report, "journal", state,
            "not in the database yet: %zu file%s, %" PRId64 " KB, the oldest for %s%s", files,
            files == 1 ? "" : "s", (bytes + 1023) >> 10, status_span(&room, oldest),
            state == STATUS_OK ? "" : ": is it locked, or the disk full?");
    buffer_free(&room);
}

void status_check_journal(status_report *report, const status_limits *limits, const char *database,
                          timestamp now)
{
    glob_t found = {0};
    int64_t bytes = 0, oldest = 0;
    size_t files = 0;

    if (find(database, "-*.stream.[0-9]*", &found)) {
        for (size_t i = 0; i < found.gl_pathc; i++) {
            struct stat segment;
            int64_t age;

            if (stat(found.gl_pathv[i], &segment) != 0 || segment.st_size <= HEADER)
                continue;
            age = now / TICKS_PER_SECOND - segment.st_mtime;
            oldest = files == 0 || age > oldest ? age : oldest;
            bytes += segment.st_size;
            files++;
        }
    }
    globfree(&found);
    tell_journal(report, limits, files, bytes, oldest);
}

void status_check_damaged(status_report *report, const char *database)
{
    glob_t found = {0};

    if (find(database, ".damaged-*", &found))
        status_report_add(report, "damaged", STATUS_WARNING,
                          "a damaged database was put aside: %s. Load the role list again, look at "
                          "the disk, then remove it",
                          found.gl_pathv[found.gl_pathc - 1]);
    globfree(&found);
}

/* --- rsyslogd --- */

static void run(const char *program, int output)
{
    char *const arguments[] = {(char *)program, "-v", NULL};
    char path[PATH_MAX];

    snprintf(path, sizeof(path), "%s:/usr/sbin:/sbin",
             getenv("PATH") ? getenv("PATH") : "/usr/bin");
    setenv("PATH", path, 1);
    dup2(output, STDOUT_FILENO);
    execvp(program, arguments);
    _exit(127);
}

/* "rsyslogd  8.2302.0 (aka 2023.02) compiled with:" */
static void take_version(const char *said, char version[static RSYSLOG_VERSION_SIZE])
{
    static const char name[] = "rsyslogd";
    size_t length = 0;

    if (strncmp(said, name, strlen(name)) != 0)
        return;
    said += strlen(name);
    while (isspace((unsigned char)*said))
        said++;
    while (length + 1 < RSYSLOG_VERSION_SIZE && (isdigit((unsigned char)*said) || *said == '.'))
        version[length++] = *said++;
    version[length] = '\0';
}

static void read_all(int source, char *room, size_t size)
{
    size_t length = 0;
    ssize_t got;

    while (length + 1 < size && (got = read(source, room + length, size - 1 - length)) > 0)
        length += (size_t)got;
    room[length] = '\0';
}

void status_read_rsyslog_version(const char *program, char version[static RSYSLOG_VERSION_SIZE])
{
    char said[4096] = "";
    int ends[2];
    pid_t child;

    version[0] = '\0';
    if (pipe(ends) != 0)
        return;
    child = fork();
    if (child == 0) {
        close(ends[0]);
        run(program, ends[1]);
    }
    close(ends[1]);
    if (child > 0) {
        read_all(ends[0], said, sizeof(said));
        take_version(said, version);
    }
    close(ends[0]); /* what it says more than that meets a closed pipe */
    if (child > 0)
        waitpid(child, NULL, 0);
}
