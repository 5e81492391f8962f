/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cut: does a text as long as a message may be look like records that were cut?
 */
#ifndef SYNCTAP_CUT_H
#define SYNCTAP_CUT_H

#include "base/text.h"

/*
 * True when a JSON document begins in the text and does not end there, and a
 * member's name shows that Entra's records, or a batch of them, are in it.
 * Reads all of the text: for those alone that are as long as may be.
 */
bool cut_looks_so(text t);

#endif
