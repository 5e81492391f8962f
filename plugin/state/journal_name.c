/* SPDX-License-Identifier: Apache-2.0 */
/* journal_name: DATABASE-ACTION.stream, byte by byte. */
#include "state/journal_name.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/buffer.h"

static bool is_plain(char c)
{
    return isalnum((unsigned char)c) || (c != '\0' && strchr("-._", c) != NULL);
}

static void append_escaped(buffer *out, char c)
{
    char hex[4];

    snprintf(hex, sizeof(hex), "%%%02X", (unsigned char)c);
    buffer_append_string(out, hex);
}

static void append_underscore(buffer *out, char c)
{
    (void)c;
    buffer_append_char(out, '_');
}

/* `append` puts what stands for a byte that is not plain. */
static char *make_name(const char *database, const char *action, void (*append)(buffer *, char))
{
    buffer path = {0};
    char *result = NULL;

    buffer_append_string(&path, database);
    buffer_append_char(&path, '-');
    for (const char *at = action; *at != '\0'; at++)
        if (is_plain(*at))
            buffer_append_char(&path, *at);
        else
            append(&path, *at);
    buffer_append_string(&path, ".stream");
    if (!buffer_failed(&path))
        result = strndup(path.bytes, path.length);
    buffer_free(&path);
    return result;
}

char *journal_name(const char *database, const char *action)
{
    return make_name(database, action, append_escaped);
}

char *journal_name_before(const char *database, const char *action)
{
    const char *at = action;

    while (is_plain(*at))
        at++;
    return *at == '\0' ? NULL : make_name(database, action, append_underscore);
}
