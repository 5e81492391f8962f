/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fragment: what can be read of a record that cannot be decoded.
 *
 * A record that was cut or broken is no JSON any more, but its strings still
 * stand in it. When they show one of the rule's operations and a sync
 * account, that is enough for an alert of lower confidence.
 */
#ifndef SYNCTAP_FRAGMENT_H
#define SYNCTAP_FRAGMENT_H

#include "base/arena.h"
#include "record/audit_record.h"
#include "rule/rule.h"

/* What fragment_read made of a text. */
typedef enum fragment_result {
    FRAGMENT_SHOWS_NOTHING, /* no operation, or no sync account */
    FRAGMENT_MATCHES,       /* both: record, target and reasons are filled as far as they go */
    FRAGMENT_IS_OWN_ALERT,  /* synctap's own alert, cut: never judged again */
    FRAGMENT_OUT_OF_MEMORY,
} fragment_result;

typedef struct fragment {
    audit_record record; /* its object is NULL; `content` is the text */
    audit_target target;
    unsigned matched_by;
} fragment;

/* Reads a text that begins as JSON does; what is found lives in the arena or in the text. */
fragment_result fragment_read(text broken, const rule *r, const sync_accounts *accounts,
                              timestamp now, arena *memory, fragment *result);

#endif
