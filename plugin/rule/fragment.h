/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fragment: what can be read of records that cannot be decoded.
 *
 * A record that was cut or broken is no JSON any more, but its strings still
 * stand in it (broken_json.h). Where they show one of the rule's operations
 * and a sync account, that is enough for an alert of lower confidence. A text
 * may hold several records: each target that it shows is a row.
 */
#ifndef SYNCTAP_FRAGMENT_H
#define SYNCTAP_FRAGMENT_H

#include "base/arena.h"
#include "record/audit_record.h"
#include "rule/rule.h"

/* UPN and id of a target are never longer, and hold no quotes and no braces. */
enum { FRAGMENT_MOST_NAME = 320 };

typedef struct fragment {
    /* Its object is NULL, `content` is the whole text. It has a time only if that belongs to it. */
    audit_record record;
    audit_target target;
    unsigned matched_by;
} fragment;

/* Takes a row; it and all in it live until the sink returns. */
typedef void fragment_sink(void *arg, fragment *found);

/*
 * Reads a text that begins as JSON does, or inside of it. `is_whole`: it is JSON, of a shape that
 * nobody knows, so that an initiator in it is none that might be a target. Work is linear in
 * its length. False when memory is out: then rows may be missing.
 */
bool fragment_read(text broken, bool is_whole, const rule *r, const sync_accounts *accounts,
                   timestamp now, arena *memory, fragment_sink *sink, void *arg);

#endif
