/* SPDX-License-Identifier: Apache-2.0 */
/*
 * read_ahead: a thread that reads a byte_stream ahead of who uses it.
 *
 * So a file is decoded on one core while another judges what was decoded
 * before. It holds a few pieces, and waits when they are full. The stream
 * must not be read by anyone else until read_ahead_end.
 */
#ifndef SYNCTAP_READ_AHEAD_H
#define SYNCTAP_READ_AHEAD_H

#include "files/byte_stream.h"

typedef struct read_ahead read_ahead;

/* NULL when there is no memory or no thread for it; the stream is as it was. */
read_ahead *read_ahead_begin(byte_stream *stream);

/* Waits for the thread; NULL is allowed. */
void read_ahead_end(read_ahead *self);

/*
 * As byte_stream_read. After it has given 0, the stream may be asked for its
 * trouble.
 */
size_t read_ahead_read(read_ahead *self, char *out, size_t room);

#endif
