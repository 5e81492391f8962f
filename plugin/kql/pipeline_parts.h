/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pipeline_parts: what the files that parse a pipeline share: its columns, and the operators that
 * have a file of their own. The others include pipeline.h.
 *
 * Each step says false, or gives NULL, when it failed; kql_fail has been told why. What they make
 * is the parser's memory.
 */
#ifndef SYNCTAP_KQL_PIPELINE_PARTS_H
#define SYNCTAP_KQL_PIPELINE_PARTS_H

#include "kql/pipeline.h"

/* --- columns --- */

/* A copy of the parser's columns, with room for so many more. */
kql_column *kql_copy_columns(kql_parser *p, size_t more);

/* Where the column of this name is; `count`: there is none. */
size_t kql_column_place(const kql_column *all, size_t count, text name);

/* Puts a column into its namesake's place, or at the end. */
bool kql_put_column(kql_parser *p, kql_column column);

/* NAME = is looked at. */
bool kql_is_assignment(const kql_parser *p);

/* The name that an expression has by itself. */
bool kql_own_name(kql_parser *p, const kql_expr *e, text *name);

/* Makes a column's name end in NUL, for those who hand it on. */
bool kql_keep_name(kql_parser *p, text *name);

/* --- operators: what stands behind the word that names it --- */

typedef bool kql_op_parser(kql_parser *p, kql_pipeline *out, kql_op *op);

kql_op_parser kql_parse_extend, kql_parse_project, kql_parse_project_away,
    kql_parse_project_reorder;
kql_op_parser kql_parse_expand, kql_parse_apply;
kql_op_parser kql_parse_parse;

/* The word and what stands behind it. Inside mv-apply (`is_inner`) not each may stand. */
bool kql_parse_one_op(kql_parser *p, kql_pipeline *out, bool is_inner);

#endif
