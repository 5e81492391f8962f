/* SPDX-License-Identifier: Apache-2.0 */
/*
 * alert_wait: waits for one alert, by its id, where alerts come to lie: in a
 * file that grows, or in the state database. One thread.
 */
#ifndef SYNCTAP_ALERT_WAIT_H
#define SYNCTAP_ALERT_WAIT_H

#include <stdbool.h>

typedef struct alert_wait alert_wait;

/*
 * Begins: what lies in a file at that moment is not looked at. A file that is
 * absent may come, or another in its place. NULL, and *error (the caller's to
 * free; NULL: no memory), when it can be neither.
 */
alert_wait *alert_wait_begin(const char *path, char **error);
void alert_wait_end(alert_wait *self);

/*
 * Has the alert come? Cheap: ask again and again. False, too, on a failure:
 * then *error says why, and is the caller's to free.
 */
bool alert_wait_has(alert_wait *self, const char *alert_id, char **error);

#endif
