/* SPDX-License-Identifier: Apache-2.0 */
/* because: an explanation's verdict in one sentence. */
#ifndef SYNCTAP_BECAUSE_H
#define SYNCTAP_BECAUSE_H

#include "base/buffer.h"
#include "base/json.h"
#include "rule/rule.h"

/*
 * Appends why the record, an object with explain's members, matches or does
 * not in these semantics. It says what decided: the first that failed, or the
 * targets that matched and their clauses.
 */
void because_append(json *record, semantics in, buffer *out);

/* What a reason of matched_by means, as a sentence; a rule file's are terms of its query. */
const char *because_reason(text name);

#endif
