/* SPDX-License-Identifier: Apache-2.0 */
/*
 * example: records that a rule file's query may return, made of its own texts.
 *
 * The query compares places of the record with texts. Each example has, at
 * each place, one of these texts or none; whether the query returns it, the
 * caller asks the query. Not all queries have such an example: one that asks
 * the role list alone has none. Immutable once made.
 */
#ifndef SYNCTAP_EXAMPLE_H
#define SYNCTAP_EXAMPLE_H

#include "cli/example_tree.h"
#include "rule/plan.h"

typedef struct example example;

/*
 * `name` is what stands where the query asks for no text of its own, and `upn` what a target's
 * userPrincipalName ends in; both are kept as they are. NULL when memory is out.
 */
example *example_new(const rule_plan *plan, text name, text upn);
void example_free(example *self);

/* How many there are; a search through all that there could be has a bound. */
size_t example_count(const example *self);

/* Puts the n-th one's texts under a row of AuditLogs. False when memory is out. */
bool example_fill(const example *self, size_t n, arena *memory, example_node *row);

#endif
