/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sort_text: a row's place under `order by`, as a text.
 *
 * Two rows lie as their texts do, compared byte by byte, so they can be
 * sorted long after their values are gone. Any thread.
 */
#ifndef SYNCTAP_KQL_SORT_TEXT_H
#define SYNCTAP_KQL_SORT_TEXT_H

#include "base/buffer.h"
#include "kql/pipeline.h"

/* Appends what the value is under a key. Values of one key are of one type, or null. */
void kql_write_sort_text(buffer *out, const kql_sort_key *key, kql_value v);

/* The last sorting operator of a pipeline; NULL when it has none. */
const kql_op *kql_sorting_of(const kql_pipeline *pipeline);

#endif
