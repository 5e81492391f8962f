/* SPDX-License-Identifier: Apache-2.0 */
/*
 * record_piece: words around which there is no document, but that are a piece of one.
 *
 * A transport that takes lines, or so many bytes, for messages splits a
 * record anywhere. A piece shows a key, or a string that stands where JSON
 * has a value: whole, or one that begins or ends in another piece.
 */
#ifndef SYNCTAP_RECORD_PIECE_H
#define SYNCTAP_RECORD_PIECE_H

#include "base/text.h"

/*
 * Where the first such piece begins among the words of t from `begin` to `end`, before which and
 * behind which documents may stand; `end` when they are but words.
 */
size_t record_piece_find(text t, size_t begin, size_t end);

#endif
