/* SPDX-License-Identifier: Apache-2.0 */
/*
 * selftest_example: a self-test's record of a rule file, as far as one can be made of its texts.
 */
#ifndef SYNCTAP_SELFTEST_EXAMPLE_H
#define SYNCTAP_SELFTEST_EXAMPLE_H

#include "cli/example.h"

/*
 * Examples of records that the rule may find, each with the name of a self-test's target where the
 * query leaves it open; NULL when memory is out. The caller frees them.
 */
example *selftest_examples(const rule_plan *plan);

/*
 * Writes the n-th of them as a record of Log Analytics' shape, with the mark of a self-test.
 * Whether the rule finds it, and its alert is told by the mark, the judgement shows. The arena is
 * reset first.
 */
void selftest_write_example(const example *e, size_t n, const char *id, const char *host,
                            timestamp now, arena *memory, buffer *out);

#endif
