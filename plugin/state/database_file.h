/* SPDX-License-Identifier: Apache-2.0 */
/*
 * database_file: the state database's files, as files: finds them, makes,
 * puts back, replaces and tidies them. What is in them is the store's.
 *
 * Several threads and processes do that at once, so all of it happens under a
 * lock on the directory: the file itself is what comes and goes. Nothing here
 * opens, and closes, a file that SQLite may have open: the close would take
 * SQLite's own locks on it from the whole process.
 *
 * The files, and what is done in each state of them:
 *
 *   PATH         the database. It appears there whole: it is made as
 *                PATH-new, its log emptied into it, and linked to its name,
 *                never over another file.
 *   PATH-wal     SQLite's log: the newest pages of the file that it belongs
 *                to, and poison for any other.
 *   PATH-shm     SQLite's index of the log, which it makes anew when it must.
 *   PATH-journal SQLite's log of a file that is not in WAL mode (yet).
 *   PATH-owner   ours: a symbolic link that leads nowhere. Its text says which
 *                file (its number and birth) PATH-wal belongs to, and which
 *                log that was. Written at each opening, removed by the last
 *                who closes.
 *   PATH-new     a database that is being made. One that was left behind is
 *                removed by the next one.
 *   PATH-wal.left-TIME, PATH-journal.left-TIME
 *                a log without its file, kept for whoever has the file.
 *   PATH.damaged-TIME, PATH.damaged-TIME-wal
 *                a damaged database, and its log.
 *
 *   PATH    PATH-wal   PATH-owner       at an opening
 *   is      -          -                nothing to be done
 *   is      is         none, or names   nothing: the log is the file's own, or
 *                      both or neither  somebody put it there with the file
 *   is      is         names this log   the file was put in the place of the
 *                      and another file log's own: the log is put aside, the
 *                                       index removed
 *   is      -          names the file   the log was deleted. While somebody has
 *                                       it open, he may write all of it into the
 *                                       file: that is waited for, too
 *   absent  -          none, no -shm    a new one is made, if that is wanted
 *   absent  -          is, or -shm is   the file was deleted. While somebody
 *                                       has it open he may write it anew: it is
 *                                       waited for, as long as the patience
 *                                       lasts. Then the log is put aside, the
 *                                       index removed, and a new file made
 *   a link, a directory, a FIFO, another user's: named, refused and left alone
 *
 * A lock that cannot be had within the caller's patience is another
 * program's, which is making or mending the database: come again.
 */
#ifndef SYNCTAP_DATABASE_FILE_H
#define SYNCTAP_DATABASE_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include "state/patience.h"

/* Which file it is, also after its number was given to another one. */
typedef struct file_identity {
    uint64_t device, inode; /* inode 0: none */
    int64_t born, born_ns;
} file_identity;

/* Of what lies at that path; false: nothing does. Links are not followed. */
bool file_identify(const char *path, file_identity *identity);
bool file_is(const char *path, const file_identity *identity);

/*
 * Locks the database's directory. -1 when that fails: *error says why; it is
 * the caller's to free, and *is_busy tells whether another program has it.
 */
int database_file_lock(const char *path, patience until, bool *is_busy, char **error);
void database_file_unlock(int lock);

/* --- the rest needs the lock --- */

/* Is the file gone, or its log, while somebody may have it open still? Then it may come back. */
bool database_file_may_come_back(const char *path);

/*
 * Sorts out what lies at the path and beside it, as above; an absent file is
 * no failure. *news, if it is not NULL then, says in words what was put aside,
 * and where. False: what is there is refused. Both texts are the caller's to
 * free.
 */
bool database_file_settle(const char *path, char **news, char **error);

/* Notes that the log at this path belongs to this file: SQLite has opened both. */
void database_file_own(const char *path, const file_identity *file);

/* Which log lies beside the file; false: none. And is it that one? */
bool database_file_log(const char *path, file_identity *log);
bool database_file_has_log(const char *path, const file_identity *log);

/* The file was closed by the last who had it open: no log, and nothing to be noted of it. */
void database_file_disown(const char *path);

/* Where a new one is made. The string is the caller's to free; NULL: memory is out. */
char *database_file_new_name(const char *path);

/* Makes an empty file of mode 0640 there; root makes it for whom the directory belongs to. */
bool database_file_begin(const char *made, char **error);
void database_file_discard(const char *made);

/* Gives what was made its name; whoever put a file there meanwhile is right, and that is true. */
bool database_file_put_in_place(const char *made, const char *path, char **error);

/*
 * Puts what was made in the place of that file, which is kept at *aside, with
 * its log; *aside is the caller's to free. False, and nothing has changed,
 * when another file is there.
 */
bool database_file_replace(const char *made, const char *path, const file_identity *damaged,
                           char **aside, char **error);

#endif
