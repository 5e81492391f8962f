/* SPDX-License-Identifier: Apache-2.0 */
/*
 * message_rows: where a message's rows go: to the sink, or into memory until they match.
 *
 * For the files of the detector alone. Those with `arg` take a message_feed,
 * as a judgement calls them.
 */
#ifndef SYNCTAP_MESSAGE_ROWS_H
#define SYNCTAP_MESSAGE_ROWS_H

#include "detector/message_feed.h"
#include "rule/plan.h"

/* A row that matched: to the sink, if it is new; beyond the message's bounds it is only counted. */
void message_rows_take_match(void *arg, alert *a);

/* A row that did not: its record may match when the role list changes. */
void message_rows_take_unmatched(void *arg, alert *a);

/* The record tells that somebody got a sync role, or lost one. */
void message_rows_learn(void *arg, const role_change *change);

/* A row of a rule file waits for these values. */
void message_rows_look_up(void *arg, plan_key key, text value);

/* Was the target a row of the object under judgement? By its name, or by its id where that is all
 * there is. */
bool message_rows_has_told(message_feed *f, const audit_target *target);

/*
 * Did a whole record of the message give the row already that this fragment of it shows? It did if
 * it has the fragment's id; a flat one that tells no id in a known place may have it in any of
 * its strings.
 */
bool message_rows_has_whole(message_feed *f, const audit_record *fragment,
                            const audit_target *target);

/* A record of which some rows did not match: they may when the role list changes. */
void message_rows_remember(message_feed *f, json *object);

/* At the message's end: one alert for the rows beyond its bounds. */
void message_rows_hand_on_surplus(message_feed *f);

#endif
