/* SPDX-License-Identifier: Apache-2.0 */
/* identity_pages: a count of pages and of links for each collection. */
#include "record/identity_pages.h"

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "base/shown.h"

typedef struct link {
    struct link *next;
    char url[];
} link;

typedef struct collection {
    struct collection *next;
    link *links;  /* each once */
    size_t pages; /* those with a link that was seen before are not counted again */
    size_t link_count;
    size_t of_document; /* the pages that the document at work has */
    size_t at_once;     /* the most that any had */
    size_t items;
    size_t promised;     /* the largest @odata.count */
    bool asks_for_count; /* a link says that one was asked for */
    bool has_count;
    char *file; /* where the newest link stood */
    size_t line;
    size_t document;
    char context[];
} collection;

struct identity_pages {
    collection *collections;
    collection *last; /* of which a page was noted */
    const char *file;
    size_t line;
    size_t document;
    bool in_part; /* of a batch: the next page is its answer */
    bool failed;
};

/* --- one object --- */

static json *member(json *object, const char *key)
{
    json_members all = json_members_of(object);
    const char *name;
    json *value;

    while (json_next_member(&all, &name, &value))
        if (strcasecmp(name, key) == 0)
            return value;
    return NULL;
}

/* The beginning of what somebody else has written. */
static void write_plain(buffer *out, text t)
{
    enum { LONGEST = 300 /* bytes */ };

    shown_append(out, (text){t.bytes, t.length < LONGEST ? t.length : LONGEST});
}

static void write_error(buffer *out, json *error, arena *memory)
{
    json *code = member(error, "code"), *message = member(error, "message");

    if (code == NULL && message == NULL)
        message = error;
    write_plain(out, json_tostring(code, memory));
    if (code != NULL && message != NULL)
        buffer_append_string(out, ": ");
    write_plain(out, json_tostring(message, memory));
}

/* null, false, "", [] and {} say that there was none. */
static bool says_something(json *value)
{
    switch (json_kind_of(value)) {
    case JSON_BOOLEAN:
        return json_is_true(value);
    case JSON_STRING:
        return json_string(value).length > 0;
    case JSON_ARRAY:
        return json_array_length(value) > 0;
    case JSON_OBJECT:
        return json_member_count(value) > 0;
    default:
        return false;
    }
}

static json *error_of(json *object)
{
    static const char *const keys[] = {"error", "errors", "exceptions", "hasErrors"};

    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        json *found = member(object, keys[i]);

        if (says_something(found))
            return found;
    }
    return NULL;
}

/* A part of a batch has a status beside its body; 0 when this is none. */
static long status_of(json *object, arena *memory)
{
    json *status = member(object, "status");
    text t;
    char digits[8];

    if (status == NULL || (member(object, "body") == NULL && member(object, "headers") == NULL))
        return 0;
    t = json_tostring(status, memory);
    if (t.length == 0 || t.length >= sizeof(digits))
        return 0;
    memcpy(digits, t.bytes, t.length);
    digits[t.length] = '\0';
    return strtol(digits, NULL, 10);
}

static bool part_failed(json *object, arena *memory, buffer *words)
{
    long status = status_of(object, memory);
    json *error = error_of(member(object, "body"));
    char number[48];

    if (status == 0 || (status >= 200 && status < 300))
        return false;
    buffer_append_string(words, "the batch's part \"");
    write_plain(words, json_tostring(member(object, "id"), memory));
    snprintf(number, sizeof(number), "\" failed: status %ld%s", status, error ? ", " : "");
    buffer_append_string(words, number);
    if (error != NULL)
        write_error(words, error, memory);
    return true;
}

bool identity_page_failed(json *object, arena *memory, buffer *words)
{
    json *error;

    if (part_failed(object, memory, words))
        return true;
    error = error_of(object);
    if (error == NULL)
        return false;
    buffer_append_string(words, "an error in the place of rows: ");
    write_error(words, error, memory);
    return true;
}

/* PowerShell writes an array as an object, {"value":[..],"Count":n}: that is no page. */
bool identity_page_context(json *object, text *context)
{
    json *named = member(object, "@odata.context");

    *context = json_string(named);
    if (context->bytes == NULL)
        *context = (text)TEXT("");
    return named != NULL ||
           (json_kind_of(member(object, "value")) == JSON_ARRAY && member(object, "Count") == NULL);
}

/* --- collections --- */

identity_pages *identity_pages_new(void)
{
    return calloc(1, sizeof(identity_pages));
}

static void free_links(link *first)
{
    while (first != NULL) {
        link *next = first->next;

        free(first);
        first = next;
    }
}

void identity_pages_free(identity_pages *self)
{
    if (self == NULL)
        return;
    while (self->collections != NULL) {
        collection *first = self->collections;

        self->collections = first->next;
        free_links(first->links);
        free(first->file);
        free(first);
    }
    free(self);
}

void identity_pages_begin_document(identity_pages *self, const char *file, size_t line)
{
    self->file = file;
    self->line = line;
    self->document++;
    self->last = NULL;
    self->in_part = false;
}

static collection *collection_of(identity_pages *self, text context)
{
    collection *c = self->collections;

    while (c != NULL && !text_equal(text_of(c->context), context))
        c = c->next;
    if (c != NULL)
        return c;
    c = calloc(1, sizeof(*c) + context.length + 1);
    if (c == NULL) {
        self->failed = true;
        return NULL;
    }
    memcpy(c->context, context.bytes, context.length);
    c->next = self->collections;
    self->collections = c;
    return c;
}

static void remember_place(identity_pages *self, collection *c)
{
    free(c->file);
    c->file = strdup(self->file ? self->file : "");
    c->line = self->line;
    self->failed |= c->file == NULL;
}

static void note_page(identity_pages *self, collection *c, json *object, arena *memory)
{
    json *count = member(object, "@odata.count");

    if (c->document != self->document) {
        c->document = self->document;
        c->of_document = 0;
    }
    c->pages++;
    c->of_document += self->in_part;
    self->in_part = false;
    if (c->of_document > c->at_once)
        c->at_once = c->of_document;
    c->items += json_array_length(member(object, "value"));
    if (c->file == NULL)
        remember_place(self, c);
    if (count != NULL) {
        const char *digits = json_tostring(count, memory).bytes;
        size_t promised = digits ? strtoul(digits, NULL, 10) : 0;

        c->has_count = true;
        if (promised > c->promised)
            c->promised = promised;
    }
}

static bool has_link(const collection *c, const char *url)
{
    for (const link *l = c->links; l != NULL; l = l->next)
        if (strcmp(l->url, url) == 0)
            return true;
    return false;
}

/* False when the page with this link was there before. */
static bool add_link(identity_pages *self, collection *c, text url)
{
    link *l;

    if (has_link(c, url.bytes))
        return false;
    l = calloc(1, sizeof(*l) + url.length + 1);
    remember_place(self, c);
    self->failed |= l == NULL;
    if (l == NULL)
        return true;
    memcpy(l->url, url.bytes, url.length);
    l->next = c->links;
    c->links = l;
    c->link_count++;
    c->asks_for_count |= strcasestr(l->url, "count=true") != NULL;
    return true;
}

static bool is_next_link(const char *key)
{
    static const char end[] = "nextLink";
    size_t length = strlen(key);

    return length >= strlen(end) && strcasecmp(key + length - strlen(end), end) == 0;
}

/* Of the object's own members; false when all of them were seen before. */
static bool note_links(identity_pages *self, collection *c, json *object)
{
    json_members all = json_members_of(object);
    bool is_new = true;
    const char *key;
    json *value;

    while (json_next_member(&all, &key, &value))
        if (is_next_link(key) && json_string(value).length > 0)
            is_new = add_link(self, c, json_string(value));
    return is_new;
}

static bool has_links(json *object)
{
    json_members all = json_members_of(object);
    const char *key;
    json *value;

    while (json_next_member(&all, &key, &value))
        if (is_next_link(key) && json_string(value).length > 0)
            return true;
    return false;
}

/* A link in what is no page (a role's, to more members) belongs to the page around it. */
void identity_pages_note(identity_pages *self, json *object)
{
    text context;
    bool is_page = identity_page_context(object, &context);
    collection *c = self->last;
    arena *memory;

    self->in_part |= member(object, "body") != NULL;
    if (!is_page && !has_links(object))
        return;
    if (is_page || c == NULL)
        c = self->last = collection_of(self, context);
    if (c == NULL || !note_links(self, c, object) || !is_page)
        return;
    memory = arena_new();
    self->failed |= memory == NULL;
    if (memory != NULL)
        note_page(self, c, object, memory);
    arena_free(memory);
}

/* --- what is missing --- */

/* What was asked for: a link without the place that it goes on from. */
static size_t request_length(const char *url)
{
    const char *skip = strcasestr(url, "skip");

    return skip ? (size_t)(skip - url) : strlen(url);
}

static bool is_first_of_its_request(const collection *c, const link *l)
{
    size_t length = request_length(l->url);

    for (const link *other = c->links; other != l; other = other->next)
        if (request_length(other->url) == length && strncmp(other->url, l->url, length) == 0)
            return false;
    return true;
}

/* Each request ends with a page of its own, and so does each part of a batch. */
static size_t last_pages_due(const collection *c)
{
    size_t requests = 0;

    for (const link *l = c->links; l != NULL; l = l->next)
        requests += is_first_of_its_request(c, l);
    return requests > c->at_once ? requests : c->at_once;
}

static size_t missing_pages(const collection *c)
{
    size_t due = c->link_count + last_pages_due(c);

    return due > c->pages ? due - c->pages : 0;
}

static void write_missing(const collection *c, size_t missing, buffer *words)
{
    char number[96];

    snprintf(number, sizeof(number), "%zu next page%s missing: ", missing,
             missing == 1 ? " is" : "s are");
    buffer_append_string(words, number);
    write_plain(words, text_of(c->links->url));
}

static void write_too_few(const collection *c, buffer *words)
{
    char number[96];

    snprintf(number, sizeof(number), "%zu of %zu items are there: a page is missing of ", c->items,
             c->promised);
    buffer_append_string(words, number);
    write_plain(words, text_of(c->context));
}

static void write_flaw(const collection *c, buffer *words)
{
    size_t missing = missing_pages(c);

    if (c->links != NULL && missing > 0)
        write_missing(c, missing, words);
    else if (c->items < c->promised)
        write_too_few(c, words);
    else if (c->asks_for_count && !c->has_count)
        buffer_append_string(words, "the first page is missing, which says how many items there "
                                    "are");
}

bool identity_pages_tell_missing(const identity_pages *self, identity_pages_teller *tell, void *arg)
{
    bool failed = self->failed;

    for (const collection *c = self->collections; c != NULL; c = c->next) {
        buffer words = {0};

        write_flaw(c, &words);
        failed |= buffer_failed(&words);
        if (words.length > 0)
            tell(arg, c->file, c->line, buffer_string(&words));
        buffer_free(&words);
    }
    return !failed;
}
