/* SPDX-License-Identifier: Apache-2.0 */
/* rule_eval: `synctap rule eval`, an expression or a pipeline tried on rows. */
#ifndef SYNCTAP_RULE_EVAL_H
#define SYNCTAP_RULE_EVAL_H

#include "base/timestamp.h"

/*
 * Evaluates `source` for each JSON row of the file (NULL: standard input, if
 * the source names a column). `types` is a JSON object, column to type, or
 * NULL: then the rows tell. Gives the command's exit status.
 */
int rule_eval(const char *source, const char *types, const char *path, timestamp now);

#endif
