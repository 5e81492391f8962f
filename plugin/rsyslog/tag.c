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

static bool parse_text(tag_maker *self, json **tree)
{
    size_t taken;

    return !buffer_failed(&self->text) &&
           json_parse(self->parser, buffer_text(&self->text), tree, &taken) == NULL;
}

/* {"status":..,"count":..}; NULL when memory is out. */
static json *make_head(tag_maker *self, const char *status, size_t count)
{
    char number[24];
    json *tree;

    snprintf(number, sizeof(number), "%zu", count);
    buffer_clear(&self->text);
    buffer_append_char(&self->text, '{');
    json_write_member(&self->text, "status", text_of(status));
    json_write_key(&self->text, "count");
    buffer_append_string(&self->text, number);
    buffer_append_char(&self->text, '}');
    return parse_text(self, &tree) ? tree : NULL;
}

/* The first is shared, not made twice: half of what a tag costs. */
static bool put_alerts(tag_maker *self, json *tree, text all)
{
    json *alerts;

    buffer_clear(&self->text);
    buffer_append_char(&self->text, '[');
    buffer_append(&self->text, all);
    buffer_append_char(&self->text, ']');
    if (!parse_text(self, &alerts))
        return false;
    if (json_put_member(tree, "alert", json_ref(json_array_item(alerts, 0))))
        return json_put_member(tree, "alerts", alerts);
    json_free(alerts);
    return false;
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

json *tag_make(tag_maker *self, const char *status, size_t count, text all)
{
    json *tree = make_head(self, status, count);

    if (tree != NULL && (count == 0 || put_alerts(self, tree, all)) && put_formats(self, tree))
        return tree;
    json_free(tree);
    return NULL;
}
