/* SPDX-License-Identifier: Apache-2.0 */
/* html: characters that act or hide are shown as in base/shown, the five of HTML are named. */
#include "cli/html.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <unistr.h>

#include "base/shown.h"

static const char *entity_of(char c)
{
    switch (c) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    default:
        return NULL;
    }
}

static void append_escaped(buffer *out, text t)
{
    for (size_t i = 0; i < t.length; i++) {
        const char *entity = entity_of(t.bytes[i]);

        if (entity != NULL)
            buffer_append_string(out, entity);
        else
            buffer_append_char(out, t.bytes[i]);
    }
}

void html_append_text(buffer *out, text t)
{
    buffer shown = {0};

    shown_append(&shown, t);
    append_escaped(out, buffer_text(&shown));
    out->failed |= buffer_failed(&shown);
    buffer_free(&shown);
}

/* How many bytes the first characters are; all of it when there are no more. */
static size_t length_of(text t, size_t characters)
{
    size_t at = 0;

    for (; characters > 0 && at < t.length; characters--) {
        ucs4_t c;

        at += (size_t)u8_mbtouc(&c, (const uint8_t *)t.bytes + at, t.length - at);
    }
    return at;
}

void html_append_short(buffer *out, text t, size_t most)
{
    buffer shown = {0};
    text all;

    shown_append(&shown, t);
    all = buffer_text(&shown);
    if (length_of(all, most) == all.length) {
        append_escaped(out, all);
    } else {
        append_escaped(out, (text){all.bytes, length_of(all, most - 1)});
        buffer_append_string(out, "…");
    }
    out->failed |= buffer_failed(&shown);
    buffer_free(&shown);
}

void html_append_markup(buffer *out, const char *format, ...)
{
    va_list arguments;
    char *room;
    int length;

    va_start(arguments, format);
    length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    room = length >= 0 ? buffer_room(out, (size_t)length + 1) : NULL;
    if (room == NULL) {
        out->failed = true;
        return;
    }
    va_start(arguments, format);
    vsnprintf(room, (size_t)length + 1, format, arguments);
    va_end(arguments);
    out->length += (size_t)length;
}

void html_append_heading(buffer *out, const char *title)
{
    html_append_markup(out, "<h2>%s</h2>\n", title);
}

void html_append_cell(buffer *out, const char *class, text t)
{
    html_append_markup(out, "<td%s>", class);
    html_append_text(out, t);
    buffer_append_string(out, "</td>");
}

void html_append_count_cell(buffer *out, size_t count)
{
    if (count == 0)
        buffer_append_string(out, "<td class=\"number none\">·</td>");
    else
        html_append_markup(out, "<td class=\"number\">%zu</td>", count);
}

void html_append_lines(buffer *out, text t)
{
    while (t.length > 0) {
        const char *end = memchr(t.bytes, '\n', t.length);
        size_t length = end != NULL ? (size_t)(end - t.bytes) : t.length;

        html_append_text(out, (text){t.bytes, length});
        if (end != NULL)
            buffer_append_char(out, '\n');
        t = text_from(t, end != NULL ? length + 1 : length);
    }
}
