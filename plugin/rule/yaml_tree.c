/* SPDX-License-Identifier: Apache-2.0 */
/* yaml_tree: libyaml's loader. */
#include "rule/yaml_tree.h"

#include <stdint.h>
#include <stdlib.h>
#include <yaml.h>

#include "kql/lexer.h"

struct yaml_tree {
    yaml_document_t document;
};

/* So the header need not include libyaml's. */
static yaml_node_t *raw(const yaml_node *node)
{
    return (yaml_node_t *)(uintptr_t)node;
}

static yaml_node *node_of(yaml_tree *self, int index)
{
    return (yaml_node *)yaml_document_get_node(&self->document, index);
}

static yaml_place place_of(yaml_mark_t mark)
{
    return (yaml_place){mark.line + 1, mark.column + 1};
}

/* What is wrong with the bytes themselves has an offset alone. */
static const char *reason_of(const yaml_parser_t *parser, text content, yaml_place *place)
{
    size_t offset = parser->problem_offset;

    *place = place_of(parser->problem_mark);
    if (parser->error == YAML_READER_ERROR && offset <= content.length)
        kql_lexer_place(content, content.bytes + offset, &place->line, &place->column);
    /* without words it is memory that is out, whatever kind of error it is called */
    return parser->error == YAML_MEMORY_ERROR ? NULL : parser->problem;
}

/*
 * libyaml looks at all that is open for each word: deep nesting takes it all day. So its events are
 * counted first.
 */
static bool is_shallow(text content, yaml_place *place)
{
    enum { MOST_DEPTH = 64 };
    yaml_parser_t parser;
    yaml_event_t event;
    size_t depth = 0;
    bool ended = false;

    if (!yaml_parser_initialize(&parser))
        return true; /* the loader will say so */
    yaml_parser_set_input_string(&parser, (const unsigned char *)content.bytes, content.length);
    while (!ended && depth <= MOST_DEPTH && yaml_parser_parse(&parser, &event)) {
        depth += event.type == YAML_SEQUENCE_START_EVENT || event.type == YAML_MAPPING_START_EVENT;
        depth -= event.type == YAML_SEQUENCE_END_EVENT || event.type == YAML_MAPPING_END_EVENT;
        ended = event.type == YAML_STREAM_END_EVENT;
        *place = place_of(event.start_mark);
        yaml_event_delete(&event);
    }
    yaml_parser_delete(&parser);
    return depth <= MOST_DEPTH;
}

/* libyaml's words are constants. */
static bool load(yaml_tree *self, text content, const char **wrong, yaml_place *place)
{
    yaml_parser_t parser;
    yaml_document_t second;
    bool loaded, has_second;

    *wrong = is_shallow(content, place) ? NULL : "nested too deep";
    if (*wrong != NULL || !yaml_parser_initialize(&parser))
        return false;
    yaml_parser_set_input_string(&parser, (const unsigned char *)content.bytes, content.length);
    loaded = yaml_parser_load(&parser, &self->document);
    if (!loaded) {
        *wrong = reason_of(&parser, content, place);
        yaml_parser_delete(&parser);
        return false;
    }
    has_second = !yaml_parser_load(&parser, &second);
    if (has_second) {
        *wrong = reason_of(&parser, content, place);
    } else {
        has_second = yaml_document_get_root_node(&second) != NULL;
        *place = place_of(second.start_mark);
        *wrong = has_second ? "a second document" : NULL;
        yaml_document_delete(&second);
    }
    yaml_parser_delete(&parser);
    if (has_second)
        yaml_document_delete(&self->document);
    return !has_second;
}

yaml_tree *yaml_tree_read(text content, const char **wrong, yaml_place *place)
{
    yaml_tree *self = calloc(1, sizeof(*self));

    *wrong = NULL;
    *place = (yaml_place){1, 1};
    if (self == NULL)
        return NULL;
    if (load(self, content, wrong, place))
        return self;
    free(self);
    return NULL;
}

void yaml_tree_free(yaml_tree *self)
{
    if (self == NULL)
        return;
    yaml_document_delete(&self->document);
    free(self);
}

/* libyaml counts characters. */
text yaml_word_at(text content, yaml_place place)
{
    const char *at = content.bytes, *end = at + content.length, *word;

    for (size_t line = 1; line < place.line && at < end; line += *at++ == '\n')
        ;
    for (size_t column = 1; column < place.column && at < end; column++)
        do
            at++;
        while (at < end && ((unsigned char)*at & 0xC0) == 0x80);
    for (word = at; at < end && (unsigned char)*at > ' ';)
        at++;
    return text_between(word, at);
}

yaml_node *yaml_tree_root(yaml_tree *self)
{
    return (yaml_node *)yaml_document_get_root_node(&self->document);
}

yaml_kind yaml_kind_of(const yaml_node *node)
{
    if (node == NULL)
        return YAML_NOTHING;
    switch (raw(node)->type) {
    case YAML_SCALAR_NODE:
        return YAML_TEXT;
    case YAML_SEQUENCE_NODE:
        return YAML_LIST;
    case YAML_MAPPING_NODE:
        return YAML_MAP;
    default:
        return YAML_NOTHING;
    }
}

text yaml_text(const yaml_node *node)
{
    if (yaml_kind_of(node) != YAML_TEXT)
        return (text)TEXT("");
    return (text){(const char *)raw(node)->data.scalar.value, raw(node)->data.scalar.length};
}

static size_t count_of_pairs(const yaml_node_t *map)
{
    return (size_t)(map->data.mapping.pairs.top - map->data.mapping.pairs.start);
}

size_t yaml_count(const yaml_node *node)
{
    switch (yaml_kind_of(node)) {
    case YAML_LIST:
        return (size_t)(raw(node)->data.sequence.items.top - raw(node)->data.sequence.items.start);
    case YAML_MAP:
        return count_of_pairs(raw(node));
    default:
        return 0;
    }
}

yaml_node *yaml_item(yaml_tree *self, const yaml_node *list, size_t n)
{
    return node_of(self, raw(list)->data.sequence.items.start[n]);
}

yaml_node *yaml_pair(yaml_tree *self, const yaml_node *map, size_t n, text *key)
{
    const yaml_node_pair_t *pair = &raw(map)->data.mapping.pairs.start[n];

    *key = yaml_text(node_of(self, pair->key));
    return node_of(self, pair->value);
}

yaml_node *yaml_member(yaml_tree *self, const yaml_node *map, const char *key, bool *twice)
{
    yaml_node *found = NULL;

    for (size_t i = 0; yaml_kind_of(map) == YAML_MAP && i < yaml_count(map); i++) {
        text name;
        yaml_node *value = yaml_pair(self, map, i, &name);

        if (!text_equal(name, text_of(key)))
            continue;
        if (twice != NULL)
            *twice |= found != NULL;
        found = value;
    }
    return found;
}

yaml_place yaml_place_of(const yaml_node *node)
{
    return place_of(raw(node)->start_mark);
}

bool yaml_is_null(const yaml_node *node)
{
    static const char *const words[] = {"", "~", "null", "Null", "NULL"};

    if (yaml_kind_of(node) != YAML_TEXT || raw(node)->data.scalar.style != YAML_PLAIN_SCALAR_STYLE)
        return node == NULL;
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (text_equal(yaml_text(node), text_of(words[i])))
            return true;
    return false;
}

bool yaml_is_literal(const yaml_node *node)
{
    return yaml_kind_of(node) == YAML_TEXT &&
           raw(node)->data.scalar.style == YAML_LITERAL_SCALAR_STYLE;
}
