/* SPDX-License-Identifier: Apache-2.0 */
/*
 * byte_window: the part of a file's content that is in memory.
 *
 * A plain regular file is mapped, and all of it is the window. Whatever else
 * there is (pipes, compressed files) is read piece by piece into a buffer
 * that holds what has not been passed yet. One thread.
 */
#ifndef SYNCTAP_BYTE_WINDOW_H
#define SYNCTAP_BYTE_WINDOW_H

#include "base/text.h"

/*
 * A window that is read into does not grow beyond this, in bytes: what is
 * larger (a line without an end, as a decompression bomb may be) comes in parts.
 */
enum { BYTE_WINDOW_LARGEST = 256 * 1024 * 1024 };

typedef struct byte_window byte_window;

/*
 * Opens a file, "-" for standard input. NULL when it cannot be read; then
 * *error (NULL only when memory is out) is the caller's to free.
 */
byte_window *byte_window_open(const char *path, char **error);

/* A window on a text that the caller keeps; NULL when memory is out. */
byte_window *byte_window_of(text content);
void byte_window_close(byte_window *self);

/* What is in memory and not passed; valid until the window grows or is closed. */
text byte_window_text(const byte_window *self);

/* Is all of the file the text, as long as nothing is passed? */
bool byte_window_is_whole(const byte_window *self);

/*
 * Lets another thread decode a compressed file, a bounded piece ahead. Without effect where there
 * is nothing to decode, and where there are no means for another thread.
 */
void byte_window_read_ahead(byte_window *self);

/* How much of the file was read, in bytes of it; false when its size is not known. */
bool byte_window_progress(const byte_window *self, size_t *done, size_t *size);

/* Brings more into memory, behind the text. False at the end, and when there is no room. */
bool byte_window_grow(byte_window *self);

/* Is the text so large that there is no room for more? */
bool byte_window_is_full(const byte_window *self);

/* Passes the first bytes of the text: they may be given up when the window grows. */
void byte_window_pass(byte_window *self, size_t length);

/* A part of a mapped file's content that is not needed any more takes no memory from now on. */
void byte_window_forget(const byte_window *self, text part);

/* Why the content ended before its end, or NULL; to be asked when it does not grow any more. */
const char *byte_window_trouble(const byte_window *self);

#endif
