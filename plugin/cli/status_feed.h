/* SPDX-License-Identifier: Apache-2.0 */
/*
 * status_feed: whether the role list still comes, where omidentityinfo takes it.
 */
#ifndef SYNCTAP_STATUS_FEED_H
#define SYNCTAP_STATUS_FEED_H

#include "cli/status_database.h"

/* No finding where no action of omidentityinfo ever took a message. */
void status_check_feeds(status_run *run, store *s);

#endif
