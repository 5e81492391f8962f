/* SPDX-License-Identifier: Apache-2.0 */
/*
 * packed_text: texts that are kept for long, in less room.
 *
 * A packed text is a frame of Zstandard's (RFC 8878), with its checksum: the
 * same on every machine. What records and alerts have in common is in a
 * dictionary, so that of one alone, too, only what is its own is kept: of a
 * record of 2 KB some 600 bytes.
 */
#ifndef SYNCTAP_PACKED_TEXT_H
#define SYNCTAP_PACKED_TEXT_H

#include "base/buffer.h"

/* What packing takes in memory, some 100 KB; making it costs far more than packing. One thread. */
typedef struct text_packer text_packer;

/* NULL when memory is out; the caller frees it. */
text_packer *text_packer_new(void);
void text_packer_free(text_packer *self);

/* Replaces the buffer's content by the packed text; false when memory is out. */
bool text_pack(text_packer *self, text t, buffer *out);

/* The same for unpacking. */
typedef struct text_unpacker text_unpacker;

/* NULL when memory is out; the caller frees it. */
text_unpacker *text_unpacker_new(void);
void text_unpacker_free(text_unpacker *self);

/*
 * Replaces the buffer's content by the text that was packed, also as earlier versions did: its
 * length, 4 bytes with the lowest first, and zlib's stream. False when these bytes are none, or
 * memory is out: buffer_failed tells.
 */
bool text_unpack(text_unpacker *self, text packed, buffer *out);

#endif
