/* SPDX-License-Identifier: Apache-2.0 */
/*
 * record_piece: a piece of a record, in words that no brackets enclose.
 *
 * A transport that makes a message of each line, or of so many bytes, splits
 * a record anywhere. A piece shows itself by a key, or by a string where JSON
 * has a value; either may begin or end in another piece.
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
