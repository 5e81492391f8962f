/* SPDX-License-Identifier: Apache-2.0 */
/*
 * shown: text of any origin, made fit to be shown to a person.
 *
 * A terminal obeys control characters, and letters can be made to stand in
 * another order or not to be seen at all. Names in records are chosen by
 * whoever attacks, and paths by whoever filled the directory.
 */
#ifndef SYNCTAP_SHOWN_H
#define SYNCTAP_SHOWN_H

#include "base/buffer.h"

/*
 * Appends the text with \u202e in place of each control or format character
 * and each separator of lines, and with \x9b in place of each byte that is no
 * UTF-8. All else stays as it is, backslashes too: it is to be read, not to
 * be read back.
 */
void shown_append(buffer *out, text t);

#endif
