/* SPDX-License-Identifier: Apache-2.0 */
/* cut: names first, then brackets outside of strings. */
#include "rsyslog/cut.h"

#include <string.h>

static bool shows_name(text t)
{
    static const char *const names[] = {"\"records\"", "\"operationName\"", "\"OperationName\"",
                                        "\"activityDisplayName\"", "\"TimeGenerated\""};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (memmem(t.bytes, t.length, names[i], strlen(names[i])) != NULL)
            return true;
    return false;
}

/* Past a string that begins at `at`; the length when it does not end. */
static size_t end_of_string(text t, size_t at)
{
    for (at++; at < t.length && t.bytes[at] != '"'; at++)
        at += t.bytes[at] == '\\';
    return at < t.length ? at : t.length;
}

/* Quotes in front of a document are the header's, and so are brackets that close there. */
static bool stays_open(text t)
{
    size_t depth = 0;

    for (size_t at = 0; at < t.length; at++)
        switch (t.bytes[at]) {
        case '{':
        case '[':
            depth++;
            break;
        case '}':
        case ']':
            depth -= depth > 0;
            break;
        case '"':
            at = depth > 0 ? end_of_string(t, at) : at;
            break;
        default:
            break;
        }
    return depth > 0;
}

bool cut_looks_so(text t)
{
    return shows_name(t) && stays_open(t);
}
