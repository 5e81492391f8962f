/* SPDX-License-Identifier: Apache-2.0 */
/*
 * input_file: a file of records, message by message.
 *
 * A message is a line (JSON lines, syslog lines) or a JSON document that goes
 * on over several lines; which of them is told by the content, so a file may
 * mix them. The file may be compressed (gzip, xz, zstd) and its text UTF-16;
 * that, too, is told by the content. One thread.
 *
 * A plain regular file bounds a message only by its own size. Of any other no
 * more than BYTE_WINDOW_LARGEST is in memory: a longer line comes cut, a
 * longer document comes line by line.
 */
#ifndef SYNCTAP_INPUT_FILE_H
#define SYNCTAP_INPUT_FILE_H

#include "base/text.h"
#include "files/line_scan.h"

typedef struct input_file input_file;

typedef struct input_message {
    text text;     /* alive until the next step of the file */
    size_t line;   /* where it begins, from 1 */
    bool is_whole; /* false: it begins as a JSON document does and never closes, or is too long */
    bool is_row;   /* it was a row of a table */
    const char
        *trouble; /* why there is no text: what stands here is no row of a table, or no array */
} input_message;

/*
 * Opens a file, "-" for standard input. NULL when it cannot be read; then
 * *error (NULL only when memory is out) is the caller's to free.
 */
input_file *input_file_open(const char *path, char **error);
void input_file_close(input_file *self);

/*
 * From now on the elements of an array of objects that is longer than a megabyte are messages of
 * their own: it need not be in memory as a whole. A piece hands out all elements of an array that
 * begins in it. One that does not end is told at its beginning, as a trouble, behind its elements.
 */
void input_file_part_arrays(input_file *self);

/*
 * A plain regular file can be read in pieces. Gives its size in bytes, as it was opened; false for
 * any other.
 */
bool input_file_has_pieces(const input_file *self, size_t *size);

/* Where a piece of such a file may end: behind the first line end at or behind `from`. */
size_t input_file_find_piece_end(const input_file *self, size_t from);

/*
 * The messages of such a file that begin in a piece of it, as a file of its own, whose lines count
 * from 1. A message must begin where the piece does, if anything but blanks. The whole stays open
 * as long; many threads may read its pieces at once. NULL when memory is out.
 */
input_file *input_file_open_piece(const input_file *whole, size_t begin, size_t end);

/* How many bytes of it were passed, from its beginning (a piece: from that of the whole). */
size_t input_file_position(const input_file *self);

/* The line that was reached, from 1. */
size_t input_file_line(const input_file *self);

/* Lets another thread decode it, where it is compressed. */
void input_file_read_ahead(input_file *self);

/* How much of the file was read, in bytes of it; false when its size is not known. */
bool input_file_progress(const input_file *self, size_t *done, size_t *size);

/* The name to call it by in messages; the file's own. */
const char *input_file_name(const input_file *self);

/* The next message that is not blank; false at the end, or where no more can be read. */
bool input_file_next(input_file *self, input_message *message);

/*
 * The offset of a byte in the first place that is looked for, among `lines` at the front of the
 * text that are messages by themselves, or lines->length. Where they are empty the finder may fill
 * them in, as line_scan does.
 */
typedef size_t input_file_finder(void *arg, text t, line_run *lines);

/*
 * The same, but for messages that are whole and in which `find` finds nothing: of those it passes
 * over as many as it can at the speed of memory. `find` is asked of many lines at once; what it
 * looks for lies in one line.
 */
bool input_file_next_found(input_file *self, input_file_finder *find, void *arg,
                           input_message *message);

/*
 * After the end: why it came before the file's own (its compressed data is
 * cut off, ...), in words that need not be freed, and the line that was
 * reached. NULL when the file was read to its end.
 */
const char *input_file_trouble(const input_file *self, size_t *line);

/* The first line that is not blank, or 64 KB of it; nothing is passed but blanks. */
text input_file_beginning(input_file *self);

/* So many of the first lines behind blanks, or 64 KB of them; nothing is passed. */
text input_file_peek(input_file *self, size_t lines);

/*
 * All that is left, as far as there is room, alive until the file is closed. False when there is
 * more than that, or it could not be read.
 */
bool input_file_rest(input_file *self, text *rest);

/*
 * For those who take a file apart themselves: its next bytes, alive until the
 * next step, and the line in which they begin. False at the end.
 */
bool input_file_next_piece(input_file *self, text *piece, size_t *line);

#endif
