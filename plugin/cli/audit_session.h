/* SPDX-License-Identifier: Apache-2.0 */
/*
 * audit_session: a detector over files, for the commands that read audit
 * records: its rulebase, its role list, and the files themselves.
 */
#ifndef SYNCTAP_AUDIT_SESSION_H
#define SYNCTAP_AUDIT_SESSION_H

#include <stdatomic.h>

#include "cli/options.h"
#include "detector/keeper.h"
#include "files/archive.h"
#include "files/input_file.h"
#include "files/progress.h"

/* What was seen of a file's messages. */
typedef enum audit_sight {
    SIGHT_NONE = 0,
    SIGHT_RECORD = 1,  /* an audit record, or for a stream a row of the role list */
    SIGHT_TROUBLE = 2, /* something that could not be read, and is told of */
} audit_sight;

typedef struct audit_session {
    const options *options;
    detector *detector;
    keeper *keeper;
    detector_worker *worker;
    store *store; /* of a stream: in memory, the keeper's; else NULL */
    progress progress;
    size_t passed;     /* bytes of the files before this one, where one thread reads them */
    atomic_uint *seen; /* audit_sights of each file */
    bool found;        /* something matched */
    bool unreadable;   /* something could not be read; said on standard error */
} audit_session;

/*
 * Makes the detector, opens its rulebase and its role list: of the
 * --identity files, or of the database. False when one of them that was
 * asked for cannot be had; said on standard error. audit_session_end follows
 * in any case.
 */
bool audit_session_begin(audit_session *self, const options *o);

/*
 * The same for a stream, which remembers in memory alone: its role list
 * begins with the --identity files, or with the database that --database
 * names, or with nothing.
 */
bool audit_session_begin_stream(audit_session *self, const options *o);
void audit_session_end(audit_session *self);

/* Gives a detector the watchlists that the options name. False: one is missing or wrong, and said.
 */
bool audit_session_open_watchlists(detector *d, const options *o);

/*
 * Takes each message of the files and notes what it saw in *sights; false ends the reading.
 */
typedef bool audit_session_sink(void *arg, const input_file *file, const input_message *message,
                                unsigned *sights);

/*
 * Reads the files that the options name, or standard input. Says of each in which there is no
 * record and no trouble, be it for want of messages, that there is no audit record in it.
 */
void audit_session_read(audit_session *self, audit_session_sink *sink, void *arg);

/*
 * The same files, read by as many threads as the options say; see archive.h. The reader's `arg`,
 * `take` and `tell` are of the one who calls. False when it was ended early.
 */
bool audit_session_read_in_threads(audit_session *self, const archive_reader *reader);

/* Notes what was seen of a file, by its place among the arguments. Any thread. */
void audit_session_note(audit_session *self, size_t file, unsigned sights);

/* Has a record of that file been noted? Any thread. */
bool audit_session_has_record(const audit_session *self, size_t file);

/* Says that nothing was found, if there was anything to find it in. */
void audit_session_tell_nothing(const audit_session *self, const char *what);

/* The exit status of a command that has done what could be done. */
int audit_session_status(const audit_session *self, bool failed);

/* Does the message begin as a JSON document does? */
static inline bool input_message_is_json(const input_message *message)
{
    return message->text.bytes[0] == '{' || message->text.bytes[0] == '[';
}

/* Names a trouble, its file and its line on standard error. */
void audit_session_tell(audit_session *self, const input_file *file, size_t line, const char *what);

/* The same where only the file's name is at hand; line 0: it is the file that is in trouble. */
void audit_session_tell_of(audit_session *self, const char *name, size_t line, const char *what);

/* The same of a file, by its place among the arguments: nothing else needs to be said of it. */
void audit_session_tell_of_file(audit_session *self, size_t file, const char *name, size_t line,
                                const char *what);

/*
 * A record's time that is not understood, in the same way; "" for none.
 */
void audit_session_tell_unread_time(audit_session *self, const char *name, size_t line,
                                    const char *time);

#endif
