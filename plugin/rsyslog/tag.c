/* SPDX-License-Identifier: Apache-2.0 */
/* tag: text first, a tree of it then. */
#include "rsyslog/tag.h"

#include <stdio.h>
#include <stdlib.h>

struct tag_maker {
    json_parser *parser;
    const dialect *const *formats;
    buffer text;
};

tag_maker *tag_maker_new(const dialect *const *formats)
{
    tag_maker *self = calloc(1, sizeof(*self));

    if (self == NULL)
        return NULL;
    self->formats = formats;
    self->parser = json_parser_new(DIALECT_MOST_DEPTH);
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

/* The alert's text is in the tree by now: the buffer is free. */
static bool put_format(tag_maker *self, json *tree, json *alert, const dialect *d)
{
    json *rendered;

    buffer_clear(&self->text);
    dialect_write(d, alert, &self->text);
    if (buffer_failed(&self->text))
        return false;
    rendered = json_new_string(buffer_text(&self->text));
    return rendered != NULL && json_put_member(tree, dialect_name(d), rendered);
}

static bool put_formats(tag_maker *self, json *tree)
{
    json *alert = json_member(tree, "alert");
    bool put = true;

    for (const dialect *const *d = self->formats; put && alert != NULL && *d != NULL; d++)
        put = put_format(self, tree, alert, *d);
    return put;
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
    if (put_formats(self, tree))
        return tree;
    json_free(tree);
    return NULL;
}
