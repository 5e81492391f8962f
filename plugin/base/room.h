/* SPDX-License-Identifier: Apache-2.0 */
/* room: an array that grows by doubling. */
#ifndef SYNCTAP_ROOM_H
#define SYNCTAP_ROOM_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Makes room for one thing more in an array of `count` things of that size;
 * `array` is the address of its pointer, NULL at first, and *room what it can
 * hold. False when memory is out: then all is as it was. The caller frees the array.
 */
bool room_for_one_more(void *array, size_t size, size_t count, size_t *room);

#endif
