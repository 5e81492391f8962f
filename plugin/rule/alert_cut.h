/* SPDX-License-Identifier: Apache-2.0 */
/* alert_cut: how much of a text an alert shows. */
#ifndef SYNCTAP_ALERT_CUT_H
#define SYNCTAP_ALERT_CUT_H

#include "base/text.h"

/*
 * What an alert shows of a text of the record, in bytes. Whoever is told of
 * chooses these texts, and each stands in several members: without a bound,
 * one message of many targets would make alerts without end.
 */
enum { ALERT_MOST_TEXT = 8 << 10, ALERT_MOST_TARGET_RESOURCES = 64 << 10 };

/* As much of it as is shown: whole characters, as far as it has them. *cut says that it is less. */
static inline text alert_cut(text t, size_t most, bool *cut)
{
    *cut |= t.length > most;
    return text_cut(t, most);
}

#endif
