/* SPDX-License-Identifier: Apache-2.0 */
/* chosen_text: what the keys end in. */
#include "record/chosen_text.h"

#include <strings.h>

/* displayName, user_display_name; newValue, value; userAgent; the identity of diagnostic records */
bool chosen_text_is(text key)
{
    static const text ends[] = {TEXT("name"), TEXT("value"), TEXT("agent"), TEXT("identity")};

    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
        if (key.length >= ends[i].length && strncasecmp(key.bytes + key.length - ends[i].length,
                                                        ends[i].bytes, ends[i].length) == 0)
            return true;
    return false;
}
