/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gate: can this raw text hold one of the phrases?
 *
 * Asked of every message before anything is parsed. It may say yes wrongly
 * (the phrase stands in another field); it never says no to a text in which
 * a decoder would find a phrase, however JSON escapes it. A gate is immutable
 * after gate_new: any number of threads may ask at once.
 */
#ifndef SYNCTAP_GATE_H
#define SYNCTAP_GATE_H

#include "base/kql.h"
#include "base/text.h"
#include "files/line_scan.h"

typedef struct gate gate;

/* A gate for these phrases, copied; NULL when memory is out. The caller frees it. */
gate *gate_new(const text *phrases, size_t count, semantics s);
void gate_free(gate *self);

/* True unless no phrase can be in the text. Allocates nothing. */
bool gate_may_hold(const gate *self, text t);

/*
 * The same, and where: the offset of a byte inside the first place that may be a phrase, or
 * t.length when there is none. For who walks through many megabytes at once.
 */
size_t gate_find(const gate *self, text t);

/*
 * The same in lines at the front of the text that are messages by themselves: the offset, or
 * lines->length. Empty ones become those that line_scan would give, found by the same look.
 */
size_t gate_find_in_lines(const gate *self, text t, line_run *lines);

/* The same as gate_new with an engine of engine.h, where it can be had: for tests, measurements. */
struct engine;
gate *gate_new_with(const struct engine *preferred, const text *phrases, size_t count, semantics s);

#endif
