/* SPDX-License-Identifier: Apache-2.0 */
/*
 * html: text into HTML. Our own markup goes in as it is; what a record says
 * goes in as text, which no element, attribute or address can come out of.
 */
#ifndef SYNCTAP_HTML_H
#define SYNCTAP_HTML_H

#include "base/buffer.h"

/* A text of any origin, fit for an element's content and for an attribute in quotes. */
void html_append_text(buffer *out, text t);

/* The same of at most so many characters, the last of them an ellipsis if there were more. */
void html_append_short(buffer *out, text t, size_t most);

/* What printf makes of it: for our own markup and numbers, never for a record's words. */
void html_append_markup(buffer *out, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A heading of ours. */
void html_append_heading(buffer *out, const char *title);

/* A table's cell: with `class`, which is "" or the attribute as markup, and a text; or a number. */
void html_append_cell(buffer *out, const char *class, text t);
void html_append_count_cell(buffer *out, size_t count);

/* A text whose lines are ours; what is between them is shown as all else is. */
void html_append_lines(buffer *out, text t);

#endif
