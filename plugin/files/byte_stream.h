/* SPDX-License-Identifier: Apache-2.0 */
/*
 * byte_stream: the plain bytes of an open file, whatever they are packed in.
 *
 * Codings are told by the content and may lie in one another (UTF-16 in
 * gzip). It holds pieces of 64 KB and the decoders' own memory, however much
 * comes out. One thread.
 */
#ifndef SYNCTAP_BYTE_STREAM_H
#define SYNCTAP_BYTE_STREAM_H

#include "base/text.h"

typedef struct byte_stream byte_stream;

/* NULL when memory is out. The file stays the caller's, and open until the stream is freed. */
byte_stream *byte_stream_new(int file);

/*
 * The bytes from `begin` on of a plain file of that size, as they are. It reads up to `end` before
 * it reads behind it. The file's own position does not matter, nor does it move: many may read one
 * file at once. NULL when memory is out; the file stays the caller's.
 */
byte_stream *byte_stream_new_piece(int file, size_t begin, size_t end, size_t size);
void byte_stream_free(byte_stream *self);

/* Of a plain file's piece: passes over bytes that are there, unread. */
void byte_stream_skip(byte_stream *self, size_t length);

/* Puts the next bytes into out, at least one; 0 at the end, or where no more can be had. */
size_t byte_stream_read(byte_stream *self, char *out, size_t room);

/* Why it ended before its end, or NULL when it did not; words that need not be freed. */
const char *byte_stream_trouble(const byte_stream *self);

#endif
