/* SPDX-License-Identifier: Apache-2.0 */
/*
 * explain: why a record matched or not, clause by clause.
 *
 * The verdicts come from the functions that detect; nothing is judged here.
 */
#ifndef SYNCTAP_EXPLAIN_H
#define SYNCTAP_EXPLAIN_H

#include "base/buffer.h"
#include "record/audit_record.h"
#include "rule/rule.h"

/* A record and what judges it; views that live as long as the record. */
typedef struct explanation {
    const rule *rule; /* of wide semantics, so that both can be told */
    const sync_accounts *accounts;
    const watchlists *lists; /* of the rule file; NULL: it asks none */
    timestamp now;
    const audit_record *record; /* in WIDE's reading, which tells most */
    const audit_record *kql;    /* as the query reads it; NULL: it sees no record */
    arena *memory;
    json_parser *parser;
} explanation;

/*
 * Appends the explanation's members to a JSON object that the caller has
 * begun and will close: shape, record_id, time, operation, targets, notes,
 * and the verdicts `kql` and `wide`. False when memory is out.
 */
bool explain_write_members(const explanation *self, buffer *out);

#endif
