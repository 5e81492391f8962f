/* SPDX-License-Identifier: Apache-2.0 */
/*
 * journal: what must outlive a crash at once, in front of the database.
 *
 * Entries go to the end of a file by one write each, so that whoever appends
 * waits for no lock of SQLite's and a killed process has lost none. Files
 * (segments) are named after a path, with a number behind it; whoever reads
 * takes them oldest first and drops each when its entries are elsewhere.
 * Any thread may append; one at a time reads. Segments of a process that has
 * gone are read as its own. One that another process writes, by its flock, or
 * that cannot be read now, is passed over and looked at again by each reading.
 * What is no regular file of the process's own user, more than 1 GB, or of a
 * version that is not known, is left alone for the process's life, and named.
 * journal_format.h says what stands in a segment, and what damage costs.
 */
#ifndef SYNCTAP_JOURNAL_H
#define SYNCTAP_JOURNAL_H

#include <stdint.h>

#include "state/journal_format.h"

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
    JOURNAL_EMPTY,  /* there is none that can be read now; journal_error may say why */
    JOURNAL_FAILED, /* the sink said false, or memory is out; nothing is dropped */
} journal_read_result;

/*
 * A journal of segments PATH.1, PATH.2, ... Those that are there are read
 * first. NULL path: it is in memory alone, without a bound. NULL when memory is out.
 */
journal *journal_open(const char *path);

/* What was not read stays in its files; what is in memory alone is tried once more. */
void journal_close(journal *self);

journal_append_result journal_append(journal *self, text entry);

/* Hands out the entries of the oldest segment, in order. */
journal_read_result journal_read(journal *self, journal_sink *sink, void *arg);

/* Drops the segment that was read last. */
void journal_drop(journal *self);

/*
 * Before the end: tries once more to write what is in memory alone. How many bytes no file takes:
 * they go with the journal.
 */
size_t journal_flush(journal *self);

/* Are there entries that were not read and dropped? Any thread; may be a little behind. */
bool journal_has_entries(journal *self);

/* How many segments have been filled, can be read, and were not read and dropped. Any thread. */
size_t journal_backlog(journal *self);

/* Why the last step on a file failed, by errno; 0 when none did. */
int journal_error(journal *self);

/* What was damaged, and what is left alone. */
typedef struct journal_trouble {
    uint64_t count; /* damaged stretches of bytes, and files, so far */
    char last[80];  /* "segment 7: 120 bytes from byte 4096 on were damaged" */
} journal_trouble;

/* Any thread. */
journal_trouble journal_read_trouble(journal *self);

#endif
