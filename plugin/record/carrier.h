/* SPDX-License-Identifier: Apache-2.0 */
/*
 * carrier: takes a message apart by a liblognorm rulebase, to reach the JSON in it.
 *
 * A rulebase's rule puts what it found into a field named `record`: parsed
 * JSON (the `json` parser) or text that holds JSON (`rest`, `char-to`, ...).
 * Immutable once open: several threads may take messages apart at once.
 */
#ifndef SYNCTAP_CARRIER_H
#define SYNCTAP_CARRIER_H

#include "base/json.h"
#include "base/text.h"

typedef struct carrier carrier;

/*
 * Reads the rulebase file. NULL when it cannot be read, has no rule, or a rule in it is
 * wrong; then *error (never NULL after a failure unless memory is out) says
 * why and is the caller's to free. The caller holds one reference.
 */
carrier *carrier_open(const char *path, char **error);

carrier *carrier_ref(carrier *self);

/* The last one to give back its reference frees it; NULL is allowed. */
void carrier_unref(carrier *self);

/*
 * The fields of the first rule that fits, the caller's to free by json_free;
 * NULL when none does, or when memory is out: errno is ENOMEM then, else 0.
 */
json *carrier_take_apart(const carrier *self, text message);

/*
 * Were both taken apart by the same rule of one rulebase? False, too, when memory is out: errno is
 * ENOMEM then, else 0.
 */
bool carrier_is_same_rule(json *fields, json *others);

/* What the rule found, or NULL; part of the fields' tree. */
json *carrier_record(json *fields);

#endif
