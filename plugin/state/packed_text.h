/* SPDX-License-Identifier: Apache-2.0 */
/*
 * packed_text: texts that are kept for long, in less room.
 *
 * A packed text is its length, 4 bytes with the lowest first, and zlib's
 * stream of it: the same on every machine. Pure functions.
 */
#ifndef SYNCTAP_PACKED_TEXT_H
#define SYNCTAP_PACKED_TEXT_H

#include "base/buffer.h"

/* Replaces the buffer's content by the packed text; false when memory is out. */
bool text_pack(text t, buffer *out);

/*
 * Replaces the buffer's content by the text that was packed. False when these
 * bytes are none, or memory is out: buffer_failed tells.
 */
bool text_unpack(text packed, buffer *out);

#endif
