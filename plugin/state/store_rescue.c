/* SPDX-License-Identifier: Apache-2.0 */
/* store_rescue: SQLite's own copy of an open database, and a copy row by row of a damaged one. */
#include "state/store_rescue.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "state/statement.h"

/* Those whose rows stand for themselves; the role list's head is counted anew. */
static const char *const tables[] = {"identity", "identity_superseded", "action",
                                     "pending",  "pending_key",         "seen",
                                     "incident", "incident_alert"};

enum {
    TABLES = sizeof(tables) / sizeof(tables[0]),
    NAME = PATH_MAX + 64, /* a path, and what is put behind it */
};

/* --- one process at a time --- */

/* A lock on the directory: the file itself is what comes and goes. -1 when it cannot be had. */
static int lock_directory(const char *path)
{
    char copy[PATH_MAX];
    int directory;

    snprintf(copy, sizeof(copy), "%s", path);
    directory = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory >= 0)
        flock(directory, LOCK_EX);
    return directory;
}

static void say(char **error, const char *reason)
{
    free(*error);
    *error = strdup(reason);
}

/* --- a file that was deleted --- */

/* A log left behind would be taken for the new file's own. */
static void remove_leftovers(const char *path)
{
    char other[NAME];

    snprintf(other, sizeof(other), "%s-wal", path);
    unlink(other);
    snprintf(other, sizeof(other), "%s-shm", path);
    unlink(other);
}

static bool copy_into(store *self, const char *path)
{
    sqlite3_stmt *copy = store_prepare(self, "VACUUM INTO ?1");
    bool copied = false;

    if (copy != NULL) {
        statement_bind_text(copy, 1, text_of(path));
        copied = statement_run(copy);
    }
    sqlite3_finalize(copy);
    return copied && chmod(path, 0640) == 0;
}

/* Whoever put a file there meanwhile is right. */
static bool put_in_place(const char *copy, const char *path, char **error)
{
    remove_leftovers(path);
    if (link(copy, path) == 0 || errno == EEXIST)
        return true;
    say(error, strerror(errno));
    return false;
}

static bool restore(store *self, const char *path, char **error)
{
    char copy[NAME];
    bool restored;

    if (access(path, F_OK) == 0)
        return true;
    snprintf(copy, sizeof(copy), "%s.restored-%d", path, (int)getpid());
    unlink(copy);
    restored = copy_into(self, copy);
    if (!restored)
        say(error, store_error(self));
    else
        restored = put_in_place(copy, path, error);
    unlink(copy);
    return restored;
}

bool store_restore(store *self, const char *path, char **error)
{
    int lock = lock_directory(path);
    bool restored;

    *error = NULL;
    restored = restore(self, path, error);
    if (lock >= 0)
        close(lock);
    return restored;
}

/* --- a file that is damaged --- */

static void name_aside(const char *path, char *aside, size_t room)
{
    time_t now = time(NULL);
    char written[32];
    struct tm utc;

    gmtime_r(&now, &utc);
    strftime(written, sizeof(written), "%Y%m%dT%H%M%SZ", &utc);
    snprintf(aside, room, "%s.damaged-%s", path, written);
}

/* With its log, which holds the newest pages. */
static bool move_aside(const char *path, const char *aside)
{
    char from[NAME], to[NAME + 8];

    snprintf(from, sizeof(from), "%s-wal", path);
    snprintf(to, sizeof(to), "%s-wal", aside);
    rename(from, to);
    if (rename(path, aside) != 0)
        return false;
    remove_leftovers(path);
    return true;
}

static bool put_row(sqlite3_stmt *from, sqlite3_stmt *to)
{
    for (int i = 0; i < sqlite3_column_count(from); i++)
        sqlite3_bind_value(to, i + 1, sqlite3_column_value(from, i));
    return statement_run(to);
}

/* Up to the first row that cannot be read; a table that is not there is passed over. */
static void copy_rows(store *to, sqlite3 *damaged, const char *table)
{
    char sql[256];
    sqlite3_stmt *rows = NULL, *put;
    int columns;

    snprintf(sql, sizeof(sql), "SELECT * FROM %s", table);
    sqlite3_prepare_v2(damaged, sql, -1, &rows, NULL);
    columns = rows != NULL ? sqlite3_column_count(rows) : 0;
    snprintf(sql, sizeof(sql), "INSERT OR IGNORE INTO %s VALUES (?", table);
    for (int i = 1; i < columns; i++)
        strcat(sql, ",?");
    strcat(sql, ")");
    put = columns > 0 ? store_prepare(to, sql) : NULL;
    while (put != NULL && sqlite3_step(rows) == SQLITE_ROW && put_row(rows, put))
        continue;
    sqlite3_finalize(rows);
    sqlite3_finalize(put);
}

static void run(store *s, const char *sql)
{
    sqlite3_stmt *statement = store_prepare(s, sql);

    if (statement != NULL)
        statement_run(statement);
    sqlite3_finalize(statement);
}

static void count_role_list(store *s)
{
    run(s, "UPDATE role_list SET change = (SELECT ifnull(max(change), 0) + 1 FROM identity),"
           " rows = (SELECT count(*) FROM identity), newest = (SELECT max(time) FROM identity)");
}

static void carry_over(store *to, const char *aside)
{
    sqlite3 *damaged = NULL;

    sqlite3_open_v2(aside, &damaged, SQLITE_OPEN_READWRITE, NULL);
    if (store_begin(to)) {
        for (int i = 0; i < TABLES; i++)
            copy_rows(to, damaged, tables[i]);
        count_role_list(to);
        run(to, "INSERT INTO rescue VALUES ('damaged')");
        store_commit(to);
    }
    sqlite3_close_v2(damaged);
}

static store *replace(const char *path, char **moved_to, char **error)
{
    char aside[NAME];
    store *made;

    name_aside(path, aside, sizeof(aside));
    if (!move_aside(path, aside)) {
        say(error, strerror(errno));
        return NULL;
    }
    *moved_to = strdup(aside);
    made = store_open(path, STORE_CREATE, error);
    if (made != NULL)
        carry_over(made, aside);
    return made;
}

store *store_replace_damaged(store *damaged, const char *path, char **moved_to, char **error)
{
    int lock = lock_directory(path);
    store *made;

    *error = NULL;
    *moved_to = NULL;
    if (store_is_in_place(damaged))
        made = replace(path, moved_to, error);
    else
        made = store_open(path, STORE_CREATE, error);
    if (lock >= 0)
        close(lock);
    return made;
}
