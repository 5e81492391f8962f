/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tag: the tree that mmsynctap puts on a message, and on an alert's.
 *
 * Made as text and parsed, so that a tree of rsyslog's comes of it whatever
 * an alert holds. One thread.
 */
#ifndef SYNCTAP_TAG_H
#define SYNCTAP_TAG_H

#include "base/json.h"
#include "dialect/dialect.h"

typedef struct tag_maker tag_maker;

/*
 * `formats`, up to a NULL, are the dialects in which the first alert is put
 * beside it; they outlive it. NULL when memory is out. The caller frees it.
 */
tag_maker *tag_maker_new(const dialect *const *formats);
void tag_maker_free(tag_maker *self);

/*
 * {"status":..,"count":..,"alert":..,"alerts":[..],"cef":..}: `all` is the JSON of `count` alerts
 * with commas between them. `alert` and the first of `alerts` are one value: who changes the one
 * changes the other. The caller's; NULL when memory is out.
 */
json *tag_make(tag_maker *self, const char *status, size_t count, text all);

#endif
