/* SPDX-License-Identifier: Apache-2.0 */
/* json_view: steps along paths, and what values are packed into. */
#include "record/json_view.h"

#include <ctype.h>

enum { MOST_STRING_LEVELS = 3 };

/* A string that was looked into; its tree is NULL when it held none. */
typedef struct opened_tree {
    struct opened_tree *next;
    json *string;
    json *tree;
} opened_tree;

struct opened_trees {
    opened_tree *on_paths; /* asked for again and again, by each path that leads through them */
    opened_tree *in_lists; /* asked for once: there may be a thousand of them */
};

opened_trees *opened_trees_new(arena *memory)
{
    opened_trees *self = arena_alloc(memory, sizeof(*self));

    if (self != NULL)
        *self = (opened_trees){NULL, NULL};
    return self;
}

static void release(opened_tree *first)
{
    for (; first != NULL; first = first->next)
        json_free(first->tree);
}

void opened_trees_release(opened_trees *self)
{
    if (self == NULL)
        return;
    release(self->on_paths);
    release(self->in_lists);
    *self = (opened_trees){NULL, NULL};
}

/* --- strings that hold JSON --- */

static text without_blanks_before(text t)
{
    while (t.length > 0 && isspace((unsigned char)t.bytes[0]))
        t = text_from(t, 1);
    return t;
}

/* A string in a string begins with a quote. */
static bool may_hold_json(text t)
{
    t = without_blanks_before(t);
    return t.length > 1 && t.bytes[0] != '\0' && strchr("{[\"", t.bytes[0]) != NULL;
}

static bool is_container(json *value)
{
    return json_kind_of(value) == JSON_OBJECT || json_kind_of(value) == JSON_ARRAY;
}

/* Keeps the tree, or that there is none; false, and the tree is freed, when memory is out. */
static bool keep(json_view *self, opened_tree **list, json *string, json *tree)
{
    opened_tree *kept = arena_alloc(self->memory, sizeof(*kept));

    if (kept == NULL) {
        json_free(tree);
        self->out_of_memory = true;
        return false;
    }
    *kept = (opened_tree){*list, string, tree};
    *list = kept;
    return true;
}

/* The object or array in it, up to three levels deep, the caller's; NULL when there is none. */
static json *parse_levels(json_view *self, json *string)
{
    json *value = json_ref(string);

    for (int level = 0; level < MOST_STRING_LEVELS && may_hold_json(json_string(value)); level++) {
        json *inner = json_parse_string(self->parser, value);

        self->out_of_memory |= inner == NULL && json_parser_ran_out(self->parser);
        json_free(value);
        value = inner;
    }
    if (is_container(value))
        return value;
    json_free(value);
    return NULL;
}

bool json_view_says_nothing(text t)
{
    t = without_blanks_before(t);
    return t.length == 0 || text_equal(t, (text)TEXT("null"));
}

static json *opened(json_view *self, opened_tree *known)
{
    if (known->tree != NULL)
        self->notes |= NOTE_JSON_STRING;
    else if (!json_view_says_nothing(json_string(known->string)))
        self->unreadable = known->string;
    return known->tree;
}

static opened_tree *find(opened_tree *list, const json *string)
{
    while (list != NULL && list->string != string)
        list = list->next;
    return list;
}

static json *open_string(json_view *self, opened_tree **list, json *string, bool may_be_known)
{
    opened_tree *known = may_be_known ? find(*list, string) : NULL;

    if (known != NULL)
        return opened(self, known);
    return keep(self, list, string, parse_levels(self, string)) ? opened(self, *list) : NULL;
}

static bool opens_strings(const json_view *self)
{
    return self->semantics == SEMANTICS_WIDE && self->trees != NULL;
}

/* --- paths --- */

static json *member(json_view *self, json *object, const char *key)
{
    bool other_case = false;
    json *value;

    if (self->semantics == SEMANTICS_KQL)
        return json_member(object, key);
    if (opens_strings(self) && json_kind_of(object) == JSON_STRING)
        object = open_string(self, &self->trees->on_paths, object, true);
    value = json_member_any_case(object, key, &other_case);
    if (other_case && value != NULL)
        self->notes |= NOTE_KEY_CASE;
    return value;
}

json *json_view_at(json_view *self, json *from, const char *path)
{
    char key[64]; /* longer than any of ours */

    while (from != NULL && *path != '\0') {
        size_t length = strcspn(path, ".");

        if (length >= sizeof(key))
            return NULL;
        memcpy(key, path, length);
        key[length] = '\0';
        from = member(self, from, key);
        path += length + (path[length] == '.');
    }
    return from;
}

text json_view_text(json_view *self, json *value)
{
    text t = json_tostring(value, self->memory);

    if (t.bytes != NULL)
        return t;
    self->out_of_memory = true;
    return (text)TEXT("");
}

/* What the string or the array of one holds; NULL when it is neither. */
static json *unpack(json_view *self, json *value)
{
    json *inner;

    if (json_array_length(value) == 1)
        return json_array_item(value, 0);
    if (self->trees == NULL || !may_hold_json(json_string(value)))
        return NULL;
    inner = json_parse_string(self->parser, value);
    self->out_of_memory |= inner == NULL && json_parser_ran_out(self->parser);
    return inner != NULL && keep(self, &self->trees->in_lists, value, inner) ? inner : NULL;
}

text json_view_plain_text(json_view *self, json *value)
{
    text t;

    for (int level = 0; level < MOST_STRING_LEVELS; level++) {
        json *inner = unpack(self, value);

        if (inner == NULL)
            break;
        value = inner;
    }
    t = json_view_text(self, value);
    return json_view_says_nothing(t) ? (text)TEXT("") : t;
}

/* --- arrays --- */

/* What ConvertTo-Json of Windows PowerShell 5.1 makes of an array that has an extended member. */
static json *array_beside_count(json_view *self, json *object)
{
    bool ignored;
    json *array;

    if (json_member_count(object) != 2 || json_member_any_case(object, "Count", &ignored) == NULL)
        return NULL;
    array = json_member_any_case(object, "value", &ignored);
    if (opens_strings(self) && json_kind_of(array) == JSON_STRING)
        array = open_string(self, &self->trees->on_paths, array, true);
    if (json_kind_of(array) != JSON_ARRAY)
        return NULL;
    self->unpacked_count = true;
    return array;
}

static json *open_packed(json_view *self, json *value, opened_tree **list, bool may_be_known)
{
    json *array;

    if (json_kind_of(value) == JSON_STRING)
        value = open_string(self, list, value, may_be_known);
    array = array_beside_count(self, value);
    return array != NULL ? array : value;
}

json *json_view_open(json_view *self, json *value)
{
    return opens_strings(self) ? open_packed(self, value, &self->trees->on_paths, true) : value;
}

bool json_view_is_keyed_by_number(json *object)
{
    json_members all = json_members_of(object);
    const char *key;
    json *value;

    while (json_next_member(&all, &key, &value))
        if (*key == '\0' || key[strspn(key, "0123456789")] != '\0')
            return false;
    return true;
}

json *json_list_item(const json_list *self, size_t index)
{
    return self->opened != NULL ? self->opened[index] : json_array_item(self->array, index);
}

static bool has_string(json *array)
{
    for (size_t i = 0; i < json_array_length(array); i++)
        if (json_kind_of(json_array_item(array, i)) == JSON_STRING)
            return true;
    return false;
}

/* Room for that many; the list is empty when memory is out. */
static json_list begin_list(json_view *self, size_t count)
{
    json_list all = {.opened = arena_alloc(self->memory, (count + 1) * sizeof(json *))};

    self->out_of_memory |= all.opened == NULL;
    return all;
}

/* A string that is none of JSON stays what it is: an element that is there, and is noted. */
static void add_opened(json_view *self, json_list *all, json *value)
{
    json *inner = json_kind_of(value) == JSON_STRING
                      ? open_string(self, &self->trees->in_lists, value, false)
                      : value;

    all->opened[all->count++] = inner != NULL ? inner : value;
}

static json_list list_of_strings(json_view *self, json *array)
{
    json_list all = begin_list(self, json_array_length(array));

    for (size_t i = 0; all.opened != NULL && i < json_array_length(array); i++)
        add_opened(self, &all, json_array_item(array, i));
    return all;
}

static json_list list_of_members(json_view *self, json *object)
{
    json_list all = begin_list(self, json_member_count(object));
    json_members members = json_members_of(object);
    const char *key;
    json *value;

    while (all.opened != NULL && json_next_member(&members, &key, &value))
        add_opened(self, &all, value);
    return all;
}

json_list json_view_list(json_view *self, json *value)
{
    if (json_kind_of(value) == JSON_ARRAY && (!opens_strings(self) || !has_string(value)))
        return (json_list){.array = value, .count = json_array_length(value)};
    if (!opens_strings(self))
        return (json_list){0};
    if (json_kind_of(value) == JSON_ARRAY)
        return list_of_strings(self, value);
    if (json_kind_of(value) == JSON_OBJECT && json_view_is_keyed_by_number(value))
        return list_of_members(self, value);
    return (json_list){0};
}
