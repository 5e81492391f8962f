/* SPDX-License-Identifier: Apache-2.0 */
/* judge_parts: a record, and the rows that it gives. */
#ifndef SYNCTAP_JUDGE_PARTS_H
#define SYNCTAP_JUDGE_PARTS_H

#include "rule/judge.h"

/* A row goes to its sink. The hash of a record without an id is made once, for all its rows. */
void judge_hand_out_match(judgement *self, alert *row);

/* The target at that index becomes the row's; false, which is noted, when memory is out. */
bool judge_read_target(judgement *self, const audit_record *record, size_t index, alert *row);

/* What an alert tells of the record beside what it is judged by. */
void judge_read_rest(judgement *self, audit_record *record);

/*
 * Hands out a record's rows, those of KQL's reading first. One of the two readings may be NULL: the
 * query sees no record, or the rule is not wide.
 */
void judge_rows(judgement *self, audit_record *kql, audit_record *wide);

#endif
