/* SPDX-License-Identifier: Apache-2.0 */
/*
 * message_judge: what a worker of mmsynctap does with a message: judge it, count
 * what it held, send its alerts, and tag it.
 */
#ifndef SYNCTAP_MESSAGE_JUDGE_H
#define SYNCTAP_MESSAGE_JUDGE_H

#include "rsyslog/audit_action.h"

typedef struct message_judge message_judge;

/* One for each worker of an action, which outlives it. NULL when memory is out; the caller frees
 * it. */
message_judge *message_judge_new(audit_action *action);
void message_judge_free(message_judge *self); /* NULL is allowed */

/*
 * Judges a message, which is tagged if it matches or cannot be read. Nothing
 * may cancel the thread meanwhile.
 */
void message_judge_take(message_judge *self, smsg_t *message);

/* Counts and tells that there is no memory for a judge. */
void message_pass_unjudged(audit_action *action, smsg_t *message);

#endif
