/* SPDX-License-Identifier: Apache-2.0 */
/*
 * archive: files of records, read by several threads, as if by one.
 *
 * A plain file is cut into pieces behind line ends, and each thread reads one
 * as if a message began there. What comes of a piece is handed on in the
 * order of the input; a piece that a message from before it goes on into is
 * then read again from where that ends. Any other file (compressed, a pipe)
 * is read by one thread, several such files at once. What is neither a file
 * nor known to have an end is read when all before it has been handed on, and
 * nothing else beside it.
 *
 * Memory has a bound: a few pieces for each thread, and what the reader keeps
 * of so many messages.
 */
#ifndef SYNCTAP_ARCHIVE_H
#define SYNCTAP_ARCHIVE_H

#include "files/input_file.h"
#include "files/progress.h"

/* Takes a message; false ends the reading. */
typedef bool input_message_sink(void *arg, const input_message *message);

/* Who judges the messages. What a thread judges it collects in a part. */
typedef struct archive_reader {
    void *arg;

    /* A thread's own tools; NULL when memory is out. */
    void *(*begin)(void *arg);
    void (*end)(void *tools);

    /*
     * In any thread. The part begins as zeros; the message's line counts from the part's first.
     * `file` is its place among the paths. `find` is an input_file_finder: what stands in front of
     * the line that it finds is passed over, and it may note in the part what it saw there.
     */
    size_t part_size;
    size_t (*find)(void *tools, size_t file, void *part, text t, line_run *lines);
    bool (*judge)(void *tools, size_t file, void *part,
                  const input_message *message); /* false ends it all */

    /*
     * Both or none. Is the file, of which nothing has been read, a table? Then it is read as a
     * whole and by one thread: each row is a message for `take`.
     */
    bool (*is_table)(input_file *file);
    void (*read_table)(void *arg, input_file *file, input_message_sink *take, void *take_arg);

    /* One at a time, in the order of the input. A part that was taken or dropped is empty. */
    void (*take)(void *arg, void *part, const char *name, size_t lines_before);
    void (*drop)(void *part);

    /*
     * The file of that place ended before its end, or (line 0) could not be read at all; one at a
     * time, too.
     */
    void (*tell)(void *arg, size_t file, const char *name, size_t line, const char *what);
} archive_reader;

typedef struct archive_options {
    size_t threads;
    size_t piece;       /* in bytes */
    progress *progress; /* NULL: none is shown */
} archive_options;

/* What a piece is unless a test wants it smaller: far more than what a thread's turn costs. */
enum { ARCHIVE_PIECE = 4 * 1024 * 1024 };

/* Reads these files ("-" is standard input); false when it was ended, or memory is out. */
bool archive_read(const archive_reader *reader, char *const *paths, size_t count,
                  const archive_options *options);

#endif
