/* SPDX-License-Identifier: Apache-2.0 */
/*
 * journal: what must outlive a crash at once, in front of the database.
 *
 * Entries go to the end of a file by one write each, so that whoever appends
 * waits for no lock of SQLite's and a killed process has lost none. Files
 * (segments) are named after a path, with a number behind it; whoever reads
 * takes them oldest first and drops each when its entries are elsewhere.
 * Any thread may append; one at a time reads. Segments of a process that has
 * gone are read as its own: one process at a time may have a journal open.
 */
#ifndef SYNCTAP_JOURNAL_H
#define SYNCTAP_JOURNAL_H

#include "base/buffer.h"
#include "base/text.h"

typedef struct journal journal;

/* Where an entry went. */
typedef enum journal_append_result {
    JOURNAL_WRITTEN, /* into the file */
    JOURNAL_KEPT,    /* into memory: the file refused it; journal_error says why */
    JOURNAL_LOST,    /* nowhere: memory is out, or as much is kept as may be */
} journal_append_result;

/* What journal_read came to. */
typedef enum journal_read_result {
    JOURNAL_READ,   /* all entries of a segment were handed out: drop it when they are safe */
    JOURNAL_EMPTY,  /* there is none */
    JOURNAL_FAILED, /* the sink said false, or journal_error says why; nothing is dropped */
} journal_read_result;

/*
 * A journal of segments PATH.1, PATH.2, ... Those that are there are read
 * first. NULL path: it is in memory alone, without a bound. NULL when memory is out.
 */
journal *journal_open(const char *path);

/* What was not read stays in its files; what is in memory alone is tried once more. */
void journal_close(journal *self);

journal_append_result journal_append(journal *self, text entry);

/* Takes an entry, which lives until it returns; false ends the reading. */
typedef bool journal_sink(void *arg, text entry);

/* Hands out the entries of the oldest segment, in order. */
journal_read_result journal_read(journal *self, journal_sink *sink, void *arg);

/* Drops the segment that was read last. */
void journal_drop(journal *self);

/* Are there entries that were not read and dropped? Any thread; may be a little behind. */
bool journal_has_entries(journal *self);

/* How many segments have been filled and not been read and dropped. Any thread. */
size_t journal_backlog(journal *self);

/* Why the last step on a file failed, by errno; 0 when none did. */
int journal_error(journal *self);

#endif
