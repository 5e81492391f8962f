/* SPDX-License-Identifier: Apache-2.0 */
/*
 * byte_window: the part of a file's content that is in memory.
 *
 * A file is read piece by piece into a buffer that holds what has not been
 * passed yet: what is judged must not change meanwhile, nor be gone when
 * somebody makes the file shorter (logrotate's copytruncate). Only who looks
 * for what to read sees a plain file as it lies there. One thread.
 */
#ifndef SYNCTAP_BYTE_WINDOW_H
#define SYNCTAP_BYTE_WINDOW_H

#include "base/text.h"

/*
 * A window does not grow beyond this, in bytes: what is larger (a line without an end, as a
 * decompression bomb may be) comes in parts. Only a plain regular file's own size bounds its
 * window.
 */
enum { BYTE_WINDOW_LARGEST = 256 * 1024 * 1024 };

typedef struct byte_window byte_window;

/*
 * Opens a file, "-" for standard input. NULL when it cannot be read; then
 * *error (NULL only when memory is out) is the caller's to free.
 */
byte_window *byte_window_open(const char *path, char **error);

/*
 * Another window on a plain regular file, which stays open as long: from `begin` on. It reads up to
 * `end` before it reads behind it. NULL when memory is out.
 */
byte_window *byte_window_open_piece(const byte_window *whole, size_t begin, size_t end);
void byte_window_close(byte_window *self);

/* What is in memory and not passed; valid until the window grows or is closed. */
text byte_window_text(const byte_window *self);

/* How large a plain regular file is, in bytes, as it was opened; false for any other. */
bool byte_window_size(const byte_window *self, size_t *size);

/* Of such a file: the offset behind the first line end at or behind `from`, or its size. */
size_t byte_window_find_line_end(const byte_window *self, size_t from);

/*
 * Lets another thread decode a compressed file, a bounded piece ahead. Without effect where there
 * is nothing to decode, and where there are no means for another thread.
 */
void byte_window_read_ahead(byte_window *self);

/* How much of the file was read, in bytes of it; false when its size is not known. */
bool byte_window_progress(const byte_window *self, size_t *done, size_t *size);

/*
 * A look at the bytes from the front on, up to the offset `end` of the content: where there is a
 * view, in the file, as a file_view shows it; else what is in memory of them. The text is alive
 * until byte_window_end_look; until then nothing else is asked of the window.
 */
text byte_window_look(byte_window *self, size_t end);

/* False when what was seen was not all there; from then on there is no view. */
bool byte_window_end_look(byte_window *self);

/* Has it a view of the file? Pieces have one. */
bool byte_window_has_view(const byte_window *self);

/* Brings more into memory, behind the text. False at the end, and when there is no room. */
bool byte_window_grow(byte_window *self);

/* Is the text so large that there is no room for more? */
bool byte_window_is_full(const byte_window *self);

/*
 * Passes the first bytes of the text, or of what was seen in the last look: they may be given up
 * when the window grows.
 */
void byte_window_pass(byte_window *self, size_t length);

/* Why the content ended before its end, or NULL; to be asked when it does not grow any more. */
const char *byte_window_trouble(const byte_window *self);

#endif
