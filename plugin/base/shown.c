/* SPDX-License-Identifier: Apache-2.0 */
/* shown: one character after the other, by its category in Unicode. */
#include "base/shown.h"

#include <stdint.h>
#include <stdio.h>
#include <unictype.h>
#include <unistr.h>

/* Does it act, or hide, where it should be seen? */
static bool acts(ucs4_t c)
{
    const uint32_t acting =
        UC_CATEGORY_MASK_Cc | UC_CATEGORY_MASK_Cf | UC_CATEGORY_MASK_Zl | UC_CATEGORY_MASK_Zp;

    return uc_is_general_category_withtable(c, acting);
}

static void append_escape(buffer *out, const char *format, unsigned number)
{
    char escape[16];

    snprintf(escape, sizeof(escape), format, number);
    buffer_append_string(out, escape);
}

/* The character at the front; how many bytes it took. */
static size_t append_character(buffer *out, text t)
{
    ucs4_t c;
    int length = u8_mbtoucr(&c, (const uint8_t *)t.bytes, t.length);

    if (length <= 0) {
        append_escape(out, "\\x%02x", (unsigned char)t.bytes[0]);
        return 1;
    }
    if (!acts(c))
        buffer_append(out, (text){t.bytes, (size_t)length});
    else
        append_escape(out, c > 0xFFFF ? "\\U%08x" : "\\u%04x", (unsigned)c);
    return (size_t)length;
}

void shown_append(buffer *out, text t)
{
    while (t.length > 0)
        t = text_from(t, append_character(out, t));
}
