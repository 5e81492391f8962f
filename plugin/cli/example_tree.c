/* SPDX-License-Identifier: Apache-2.0 */
/* example_tree: nodes in lists, which are short. */
#include "cli/example_tree.h"

#include <string.h>

#include "base/json.h"

static bool is_at(const example_node *n, const kql_step *step)
{
    if (n->key == NULL || step->key == NULL)
        return n->key == step->key && n->index == step->index;
    return strcmp(n->key, step->key) == 0;
}

/* Behind all members; elements in order. */
static bool is_before(const example_node *n, const kql_step *step)
{
    return step->key != NULL || n->key != NULL || n->index <= step->index;
}

static example_node *child_at(arena *memory, example_node *parent, const kql_step *step)
{
    example_node **place = &parent->first, *made;

    while (*place != NULL && is_before(*place, step)) {
        if (is_at(*place, step))
            return *place;
        place = &(*place)->next;
    }
    made = arena_alloc(memory, sizeof(*made));
    if (made == NULL)
        return NULL;
    *made = (example_node){.next = *place, .key = step->key, .index = step->index};
    *place = made;
    return made;
}

example_node *example_node_at(arena *memory, example_node *root, const kql_step *steps,
                              size_t count)
{
    for (size_t i = 0; root != NULL && i < count; i++)
        root = child_at(memory, root, &steps[i]);
    return root;
}

example_node *example_member(arena *memory, example_node *node, const char *key)
{
    return example_node_at(memory, node, &(kql_step){.key = key}, 1);
}

bool example_default(arena *memory, example_node *node, const char *key, text value)
{
    example_node *member = example_member(memory, node, key);

    if (member != NULL && member->first == NULL && member->value.bytes == NULL)
        member->value = value;
    return member != NULL;
}

/* Elements that nothing was put into are empty objects. */
static void write_array(const example_node *self, buffer *out)
{
    int64_t at = 0;

    buffer_append_char(out, '[');
    for (const example_node *n = self->first; n != NULL; n = n->next) {
        for (; at < n->index; at++) {
            json_write_item(out);
            buffer_append_string(out, "{}");
        }
        if (n->key != NULL)
            continue;
        json_write_item(out);
        example_write(n, out);
        at++;
    }
    buffer_append_char(out, ']');
}

static void write_object(const example_node *self, buffer *out)
{
    buffer_append_char(out, '{');
    for (const example_node *n = self->first; n != NULL; n = n->next) {
        if (n->key == NULL)
            continue;
        json_write_key(out, n->key);
        example_write(n, out);
    }
    buffer_append_char(out, '}');
}

/* As deep as a query's paths are long. */
void example_write(const example_node *self, buffer *out)
{
    if (self->first != NULL && self->first->key == NULL)
        write_array(self, out);
    else if (self->first != NULL || self->value.bytes == NULL)
        write_object(self, out);
    else
        json_write_string(out, self->value);
}
