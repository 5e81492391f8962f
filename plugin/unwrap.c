/* unwrap: documents in texts, and records in documents. */
#include "unwrap.h"

#include <stdlib.h>

struct unwrap {
    json_parser *parser;
};

typedef struct walk {
    unwrap_sink *sink;
    void *arg;
    unwrapped found;
} walk;

unwrap *unwrap_new(void)
{
    unwrap *self = calloc(1, sizeof(*self));

    if (self == NULL)
        return NULL;
    self->parser = json_parser_new(JSON_MOST_DEPTH);
    if (self->parser == NULL) {
        free(self);
        return NULL;
    }
    return self;
}

void unwrap_free(unwrap *self)
{
    if (self == NULL)
        return;
    json_parser_free(self->parser);
    free(self);
}

/* The array that a container of records holds, or NULL when the object is none. */
static json *records_within(json *object)
{
    static const char *const keys[] = {"records", "value"};

    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        json *inner = json_member(object, keys[i]);
        if (json_kind_of(inner) == JSON_ARRAY)
            return inner;
    }
    return NULL;
}

/* The depth is bounded by that of the document, which the parser bounds. */
static void walk_document(walk *w, json *document)
{
    size_t length;

    if (json_kind_of(document) == JSON_OBJECT) {
        json *inner = records_within(document);
        if (inner == NULL) {
            w->found.records += w->sink(w->arg, document);
            return;
        }
        document = inner;
    }
    length = json_array_length(document);
    for (size_t i = 0; i < length; i++)
        walk_document(w, json_array_item(document, i));
}

static void note_broken(walk *w, size_t at, const char *reason)
{
    if (w->found.broken++ == 0) {
        w->found.broken_at = at;
        w->found.reason = reason;
    }
}

/* The next place where a document may begin, or t.length. */
static size_t next_document(text t, size_t at)
{
    while (at < t.length && t.bytes[at] != '{' && t.bytes[at] != '[')
        at++;
    return at;
}

/*
 * A `[` in front of a document is most often a header's ("app[123]:", RFC
 * 5424's structured data): no document was broken there.
 */
static bool looks_like_a_document(text t)
{
    return t.length > 1 && (t.bytes[0] == '{' || t.bytes[1] == '{');
}

/*
 * After a document that cannot be read, the search goes on right behind its
 * first byte: a good record may follow, or stand inside. What that may cost
 * is bounded: reading in vain stops when it has read the text a few times.
 */
static void walk_text(walk *w, json_parser *parser, text t)
{
    /* A break in a document is met once for each level of it, so as often as it can be deep. */
    enum { READINGS_IN_VAIN = JSON_MOST_DEPTH + 8, SMALLEST_BUDGET = 64 * 1024 /* bytes */ };
    size_t budget = READINGS_IN_VAIN * t.length + SMALLEST_BUDGET;
    size_t at = next_document(t, 0);

    while (at < t.length) {
        json *document;
        size_t taken;
        const char *reason = json_parse(parser, text_from(t, at), &document, &taken);

        if (reason == NULL) {
            walk_document(w, document);
            json_free(document);
            at = next_document(t, at + taken);
            continue;
        }
        if (looks_like_a_document(text_from(t, at)))
            note_broken(w, at, reason);
        if (taken >= budget)
            return;
        budget -= taken;
        at = next_document(t, at + 1);
    }
}

static void walk_carrier(walk *w, json_parser *parser, const carrier *rulebase, text message)
{
    json *fields = carrier_take_apart(rulebase, message);
    json *record = carrier_record(fields);

    if (json_kind_of(record) == JSON_STRING)
        walk_text(w, parser, json_string(record));
    else
        walk_document(w, record);
    json_free(fields);
}

unwrapped unwrap_text(unwrap *self, const carrier *rulebase, text message, unwrap_sink *sink,
                      void *arg)
{
    walk w = {.sink = sink, .arg = arg};

    walk_text(&w, self->parser, message);
    if (w.found.records == 0 && rulebase != NULL)
        walk_carrier(&w, self->parser, rulebase, message);
    return w.found;
}

unwrapped unwrap_tree(json *tree, unwrap_sink *sink, void *arg)
{
    walk w = {.sink = sink, .arg = arg};

    walk_document(&w, tree);
    return w.found;
}
