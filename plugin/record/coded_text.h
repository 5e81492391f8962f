/* SPDX-License-Identifier: Apache-2.0 */
/*
 * coded_text: JSON whose quotes are written in another way, as writers of logs and of XML do:
 * {\x22time\x22:..., {\042time\042:..., {&quot;time&quot;:....
 *
 * None of it is JSON as it stands, so that nothing else is meant by it. Pure functions; any thread.
 */
#ifndef SYNCTAP_CODED_TEXT_H
#define SYNCTAP_CODED_TEXT_H

#include "base/buffer.h"
#include "base/text.h"

/*
 * How much of t is such a text: it begins with a bracket and a coded quote, and goes on to its end
 * or to a quote as it is, brackets in front of which are that one's. 0: it is none.
 */
size_t coded_text_length(text t);

/* Appends what such a text says: no longer than it is. */
void coded_text_undo(text t, buffer *out);

#endif
