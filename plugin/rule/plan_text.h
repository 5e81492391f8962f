/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plan_text: what the alert of a rule file's row tells, as the file says it:
 * its titles, entities, details and columns, written out.
 */
#ifndef SYNCTAP_PLAN_TEXT_H
#define SYNCTAP_PLAN_TEXT_H

#include "rule/plan.h"

/* All of it lives in the arena. */
typedef struct plan_text {
    text positions;
    text display_name;
    text description;
    text severity;
    text tactics; /* as JSON, like those that follow */
    text entities;
    text details;
    text columns; /* cut as alerts are */
    text row;     /* columns, whole: "Name":value,.. without the brackets */
    text terms;   /* the names of those that hold, "a","b", without the brackets */
    text order;   /* the row's place among others, see sort_text.h; "": none */
    bool cut;     /* a text is not whole in one of those but `row` */
} plan_text;

/* Whose object ids are known beside their names. */
typedef struct plan_names {
    text target_upn, target_id;
    text actor, actor_id;
} plan_names;

/* NULL when memory is out. */
const plan_text *plan_text_new(const rule_plan *p, const plan_row *row, const plan_names *names,
                               arena *memory);

/* A copy of it in another arena; NULL when memory is out. */
const plan_text *plan_text_copy(const plan_text *of, arena *memory);

#endif
