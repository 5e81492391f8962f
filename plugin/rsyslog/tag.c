/* SPDX-License-Identifier: Apache-2.0 */
/* tag: text first, a tree of it then. */
#include "rsyslog/tag.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    TREE_DEPTH = JSON_MOST_DEPTH + 8
}; /* an alert's tree is a little deeper than its record's */

struct tag_maker {
    json_parser *parser;
    buffer text;
};

tag_maker *tag_maker_new(void)
{
    tag_maker *self = calloc(1, sizeof(*self));

    if (self == NULL)
        return NULL;
    self->parser = json_parser_new(TREE_DEPTH);
    if (self->parser != NULL)
        return self;
    free(self);
    return NULL;
}

void tag_maker_free(tag_maker *self)
{
    if (self == NULL)
        return;
    json_parser_free(self->parser);
    buffer_free(&self->text);
    free(self);
}

static void write_alerts(buffer *out, text first, text all)
{
    json_write_key(out, "alert");
    buffer_append(out, first);
    json_write_key(out, "alerts");
    buffer_append_char(out, '[');
    buffer_append(out, all);
    buffer_append_char(out, ']');
}

json *tag_make(tag_maker *self, const char *status, size_t count, text first, text all)
{
    buffer *out = &self->text;
    char number[24];
    size_t taken;
    json *tree;

    snprintf(number, sizeof(number), "%zu", count);
    buffer_clear(out);
    buffer_append_char(out, '{');
    json_write_member(out, "status", text_of(status));
    json_write_key(out, "count");
    buffer_append_string(out, number);
    if (count > 0)
        write_alerts(out, first, all);
    buffer_append_char(out, '}');
    if (buffer_failed(out) || json_parse(self->parser, buffer_text(out), &tree, &taken) != NULL)
        return NULL;
    return tree;
}
