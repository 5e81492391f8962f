/* SPDX-License-Identifier: Apache-2.0 */
/*
 * naive_gate: what the gate must say, from code that looks at every byte.
 *
 * Slow and plain, with nothing in common with the engines.
 */
#ifndef SYNCTAP_TESTS_NAIVE_GATE_H
#define SYNCTAP_TESTS_NAIVE_GATE_H

#include "base/kql.h"
#include "base/text.h"

/* Would a gate for these phrases let the text pass? */
bool naive_gate_may_hold(const text *phrases, size_t count, semantics s, text t);

/* The same, but only for a phrase or a hidden escape that begins at `at`. */
bool naive_gate_is_hit(const text *phrases, size_t count, semantics s, text t, size_t at);

#endif
