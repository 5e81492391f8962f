/* SPDX-License-Identifier: Apache-2.0 */
/*
 * role_writer: what a worker of omidentityinfo does with a batch of messages: the
 * rows in them go into the role list, all in one transaction.
 */
#ifndef SYNCTAP_ROLE_WRITER_H
#define SYNCTAP_ROLE_WRITER_H

#include "rsyslog/role_action.h"

#include "module-template.h"

typedef struct role_writer role_writer;

/* One for each worker of an action, which outlives it. NULL when memory is out; the caller frees
 * it. */
role_writer *role_writer_new(role_action *action);
void role_writer_free(role_writer *self); /* NULL is allowed */

/* Opens the database, if it is not open and in its place; false, and counted and said in the log:
 * it cannot be used now. */
bool role_writer_open(role_writer *self);

/* One transaction; false when the database did not take it and none of it is kept. */
bool role_writer_put(role_writer *self, actWrkrIParams_t *messages, unsigned how_many);

#endif
