/* SPDX-License-Identifier: Apache-2.0 */
/* room: the pointer is copied in and out, since an array of any type may be behind it. */
#include "base/room.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_ROOM = 16 };

bool room_for_one_more(void *array, size_t size, size_t count, size_t *room)
{
    size_t wanted = *room > 0 ? 2 * *room : FIRST_ROOM;
    void *things;

    if (count < *room)
        return true;
    if (wanted > SIZE_MAX / size)
        return false;
    memcpy(&things, array, sizeof(things));
    things = realloc(things, wanted * size);
    if (things == NULL)
        return false;
    memcpy(array, &things, sizeof(things));
    *room = wanted;
    return true;
}
