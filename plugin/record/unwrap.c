/* SPDX-License-Identifier: Apache-2.0 */
/* unwrap: documents in texts, records in documents, texts in strings. */
#include "record/unwrap.h"

#include <errno.h>
#include <stdlib.h>

enum { MOST_STRING_LEVELS = 3 };

struct unwrap {
    json_parser *parser;
};

/* A stretch that could not be read; a copy, as it may have stood in a tree that is gone. */
typedef struct stretch {
    struct stretch *next;
    const char *reason;
    size_t length;
    char bytes[];
} stretch;

typedef struct walk {
    unwrap *unwrap;
    const unwrap_sink *sink;
    int level; /* of strings in strings */
    unwrapped found;
    stretch *broken; /* in the order in which they stood */
    stretch **last_broken;
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

json_parser *unwrap_parser(unwrap *self)
{
    return self->parser;
}

static void begin_walk(walk *w, unwrap *self, const unwrap_sink *sink)
{
    *w = (walk){.unwrap = self, .sink = sink};
    w->last_broken = &w->broken;
}

/* Without memory for a copy it is told of at once: once too often is better than never. */
static void keep_broken(walk *w, text t, const char *reason)
{
    stretch *kept;

    if (w->sink->take_broken == NULL)
        return;
    kept = malloc(sizeof(*kept) + t.length);
    if (kept == NULL) {
        w->sink->take_broken(w->sink->arg, t, reason);
        return;
    }
    *kept = (stretch){.reason = reason, .length = t.length};
    memcpy(kept->bytes, t.bytes, t.length);
    *w->last_broken = kept;
    w->last_broken = &kept->next;
}

static void end_walk(walk *w, bool tell_broken)
{
    while (w->broken != NULL) {
        stretch *first = w->broken;

        w->broken = first->next;
        if (tell_broken)
            w->sink->take_broken(w->sink->arg, (text){first->bytes, first->length}, first->reason);
        free(first);
    }
}

static void walk_value(walk *w, json *value);
static void walk_text(walk *w, text t);

/* --- the query API's tables --- */

static bool is_table(json *object)
{
    return json_kind_of(json_member(object, "columns")) == JSON_ARRAY &&
           json_kind_of(json_member(object, "rows")) == JSON_ARRAY;
}

/* A dynamic column's value stands in a string; without a type its name tells. */
static bool is_dynamic(json *column)
{
    static const text names[] = {TEXT("TargetResources"), TEXT("InitiatedBy"),
                                 TEXT("AdditionalDetails"), TEXT("AssignedRoles")};
    text type = json_string(json_member(column, "type"));
    text name = json_string(json_member(column, "name"));

    if (type.length > 0)
        return text_equal(type, (text)TEXT("dynamic"));
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (text_equal(name, names[i]))
            return true;
    return false;
}

typedef struct column {
    const char *name; /* NULL: a column before it has that name */
    bool is_dynamic;
} column;

static const char *name_of(json *named, const column *before, size_t count)
{
    text name = json_string(json_member(named, "name"));

    if (name.bytes == NULL)
        name = (text)TEXT("");
    for (size_t i = 0; i < count; i++)
        if (before[i].name != NULL && strcmp(before[i].name, name.bytes) == 0)
            return NULL;
    return name.bytes;
}

static column *read_columns(json *columns, size_t count)
{
    column *all = calloc(count + 1, sizeof(column));

    for (size_t i = 0; all != NULL && i < count; i++)
        all[i] = (column){.name = name_of(json_array_item(columns, i), all, i),
                          .is_dynamic = is_dynamic(json_array_item(columns, i))};
    return all;
}

static bool put_cell(walk *w, json *object, const column *c, json *cell)
{
    json_parser *parser = w->unwrap->parser;
    json *tree = c->is_dynamic ? json_parse_string(parser, cell) : NULL;

    if (c->is_dynamic && json_parser_ran_out(parser))
        return false;
    return json_put_member(object, c->name, tree ? tree : json_ref(cell));
}

static void walk_row(walk *w, const column *columns, size_t count, json *row)
{
    json *object = json_new_object();
    bool is_whole = object != NULL;

    for (size_t i = 0; is_whole && i < count && i < json_array_length(row); i++)
        if (columns[i].name != NULL)
            is_whole = put_cell(w, object, &columns[i], json_array_item(row, i));
    w->found.out_of_memory |= !is_whole;
    walk_value(w, object);
    json_free(object);
}

/* An object has no more members either: what is read of it might not be the record. */
static void refuse_table(walk *w, json *table)
{
    static const char reason[] = "a table with too many columns";
    buffer written = {0};

    json_write_value(&written, table);
    w->found.out_of_memory |= buffer_failed(&written);
    if (w->found.broken++ == 0)
        w->found.reason = reason;
    keep_broken(w, buffer_text(&written), reason);
    buffer_free(&written);
}

static void walk_table(walk *w, json *table)
{
    json *rows = json_member(table, "rows");
    size_t count = json_array_length(json_member(table, "columns"));
    column *columns;

    if (count > JSON_MOST_MEMBERS) {
        refuse_table(w, table);
        return;
    }
    columns = read_columns(json_member(table, "columns"), count);
    w->found.out_of_memory |= columns == NULL;
    for (size_t i = 0; columns != NULL && i < json_array_length(rows); i++)
        walk_row(w, columns, count, json_array_item(rows, i));
    free(columns);
}

/* --- documents --- */

static void walk_array(walk *w, json *array)
{
    size_t length = json_array_length(array);

    for (size_t i = 0; i < length; i++)
        walk_value(w, json_array_item(array, i));
}

static void walk_members(walk *w, json *object)
{
    json_members all = json_members_of(object);
    const char *key;
    json *value;

    while (json_next_member(&all, &key, &value))
        walk_value(w, value);
}

static void walk_object(walk *w, json *object)
{
    switch (w->sink->take_object(w->sink->arg, object)) {
    case UNWRAP_RECORD:
        w->found.records++;
        break;
    case UNWRAP_OTHER_KIND:
        w->found.other_kinds++;
        break;
    case UNWRAP_UNKNOWN:
        if (is_table(object))
            walk_table(w, object);
        else
            walk_members(w, object);
        break;
    }
}

/* A string that is not opened any more: what it may hold is never taken for nothing. */
static void leave_string(walk *w, text t)
{
    static const char reason[] = "strings in strings, deeper than they are opened";
    const char *begin = memchr(t.bytes, '{', t.length);

    if (begin == NULL)
        return;
    if (w->found.broken++ == 0)
        w->found.reason = reason;
    keep_broken(w, text_between(begin, t.bytes + t.length), reason);
}

static void walk_string(walk *w, text t)
{
    if (t.length == 0)
        return;
    if (w->level == MOST_STRING_LEVELS) {
        leave_string(w, t);
        return;
    }
    w->level++;
    walk_text(w, t);
    w->level--;
}

/* The depth is bounded by that of the document, which the parser bounds, and by the levels. */
static void walk_value(walk *w, json *value)
{
    switch (json_kind_of(value)) {
    case JSON_OBJECT:
        walk_object(w, value);
        break;
    case JSON_ARRAY:
        walk_array(w, value);
        break;
    case JSON_STRING:
        walk_string(w, json_string(value));
        break;
    default:
        break;
    }
}

/* --- texts --- */

/* A text under way: what of it can be read, and what could not. */
typedef struct passage {
    text text;
    char *cleaned;      /* a copy without what rsyslog or NUL bytes did to it; made when needed */
    bool is_cleaned;    /* it was made, or need not be */
    size_t broken_from; /* where an unreadable stretch begins; text.length: there is none */
    size_t broken_to;   /* where its brackets close; text.length: not as far as was looked */
    json_brackets brackets;
    bool is_headless; /* it begins inside a record: its brackets do not tell where that ends */
    const char *reason;
    size_t cost; /* bytes that were read in vain */
} passage;

/* The next place where a document may begin, or t.length. */
static size_t next_document(text t, size_t at)
{
    while (at < t.length && t.bytes[at] != '{' && t.bytes[at] != '[')
        at++;
    return at;
}

/*
 * A `[` in front of a document is most often a header's ("app[123]:", RFC
 * 5424's structured data): no document was broken there, unless it begins
 * the text or a `{` follows.
 */
static bool looks_like_a_document(text t, size_t at)
{
    if (at == 0 || t.bytes[at] == '{')
        return true;
    do
        at++;
    while (at < t.length && (t.bytes[at] == ' ' || t.bytes[at] == '\n' || t.bytes[at] == '\r'));
    return at < t.length && t.bytes[at] == '{';
}

/*
 * The `properties` of a diagnostic record have the shape of a directoryAudit.
 * Found in the pieces of a broken record they are a part of it, no record.
 * What begins on a line of its own is one.
 */
static bool is_a_broken_records_part(text t, size_t at)
{
    static const text key = TEXT("properties\"");

    while (at > 0 && t.bytes[at - 1] != '\0' && strchr(" \t:\\", t.bytes[at - 1]) != NULL)
        at--;
    return at >= key.length && text_equal((text){t.bytes + at - key.length, key.length}, key);
}

/*
 * rsyslog writes control characters as `#` and three octal digits ("#012",
 * parser.escapeControlCharactersOnReceive); between JSON's tokens they were
 * blanks. NUL bytes end libfastjson's reading. Both become blanks, as many.
 */
static void clean(char *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (bytes[i] == '\0')
            bytes[i] = ' ';
        else if (bytes[i] == '#' && length - i > 3 && bytes[i + 1] == '0' && bytes[i + 2] >= '0' &&
                 bytes[i + 2] <= '3' && bytes[i + 3] >= '0' && bytes[i + 3] <= '7')
            memset(bytes + i, ' ', 4);
    }
}

static const char *cleaned_bytes(passage *p)
{
    if (!p->is_cleaned && (memchr(p->text.bytes, '\0', p->text.length) != NULL ||
                           memmem(p->text.bytes, p->text.length, "#0", 2) != NULL)) {
        p->cleaned = malloc(p->text.length);
        if (p->cleaned != NULL) {
            memcpy(p->cleaned, p->text.bytes, p->text.length);
            clean(p->cleaned, p->text.length);
        }
    }
    p->is_cleaned = true;
    return p->cleaned;
}

/* Parses the document at `at`; if that fails, once more as it was before rsyslog received it. */
static const char *parse_at(passage *p, json_parser *parser, size_t at, json **document,
                            size_t *taken)
{
    const char *reason = json_parse(parser, text_from(p->text, at), document, taken);
    const char *still;

    p->cost += json_parse_cost(parser);
    if (reason == NULL || cleaned_bytes(p) == NULL)
        return reason;
    still = json_parse(parser, (text){p->cleaned + at, p->text.length - at}, document, taken);
    p->cost += json_parse_cost(parser);
    return still == NULL ? NULL : reason;
}

/* Do the stretch's brackets close before `at`? Each byte of it is looked at once. */
static bool closes_before(passage *p, size_t at)
{
    text rest;

    if (p->broken_from == p->text.length || p->is_headless)
        return false;
    rest = text_from(p->text, p->broken_from);
    if (p->broken_to == p->text.length &&
        json_brackets_close(&p->brackets, rest, at - p->broken_from))
        p->broken_to = p->broken_from + p->brackets.at;
    return p->broken_to <= at;
}

/* An unreadable stretch ends where its brackets close, where a record could be read, or with the
 * text. */
static void end_broken(walk *w, passage *p, size_t end)
{
    if (p->broken_from == p->text.length)
        return;
    if (closes_before(p, end))
        end = p->broken_to;
    if (w->found.broken++ == 0)
        w->found.reason = p->reason;
    keep_broken(w, text_between(p->text.bytes + p->broken_from, p->text.bytes + end), p->reason);
    p->broken_from = p->text.length;
}

/* Unless one is under way already. */
static void begin_broken(passage *p, size_t at, bool is_headless, const char *reason)
{
    if (p->broken_from < p->text.length)
        return;
    p->broken_from = at;
    p->broken_to = p->text.length;
    p->brackets = (json_brackets){0};
    p->is_headless = is_headless;
    p->reason = reason;
}

static void note_broken(walk *w, passage *p, size_t at, const char *reason)
{
    if (closes_before(p, at))
        end_broken(w, p, at);
    if (looks_like_a_document(p->text, at))
        begin_broken(p, at, false, reason);
}

/* Forgets the stretches that came after `mark`. */
static void forget_broken(walk *w, stretch **mark, size_t broken)
{
    while (*mark != NULL) {
        stretch *first = *mark;

        *mark = first->next;
        free(first);
    }
    w->last_broken = mark;
    w->found.broken = broken;
}

/* What could not be read inside of it is part of the stretch around it, if there is one. */
static void walk_found(walk *w, passage *p, size_t at, json *document)
{
    size_t records = w->found.records, broken;
    stretch **mark;

    if (closes_before(p, at))
        end_broken(w, p, at);
    if (is_a_broken_records_part(p->text, at)) {
        begin_broken(p, at, true, "a part of a record");
        return;
    }
    broken = w->found.broken;
    mark = w->last_broken;
    walk_value(w, document);
    if (w->found.records > records)
        end_broken(w, p, at);
    else if (p->broken_from < p->text.length)
        forget_broken(w, mark, broken);
}

/* Up to the quote that ends a string whose inside t is, or all of it; no string goes on behind a
 * line break. */
static size_t string_length(text t)
{
    for (size_t at = 0; at < t.length; at++) {
        if (t.bytes[at] == '"' || t.bytes[at] == '\n')
            return at;
        if (t.bytes[at] == '\\')
            at++;
    }
    return t.length;
}

/*
 * A document in a quoted string around which there is no document, as in
 * record="{\"id\":...}", or in one that was cut. The length of what was
 * read so, or 0 when it is no string. What could not be read in it is part
 * of the stretch around it, if there is one.
 */
static size_t walk_escaped(walk *w, passage *p, size_t at)
{
    text rest = text_from(p->text, at);
    size_t records = w->found.records, broken = w->found.broken;
    stretch **mark = w->last_broken;
    size_t length;
    json *string;

    if (rest.length < 2 || rest.bytes[1] != '\\')
        return 0;
    length = string_length(rest);
    string = json_unescape(w->unwrap->parser, (text){rest.bytes, length});
    p->cost += length;
    if (string == NULL)
        return 0;
    walk_value(w, string);
    json_free(string);
    if (w->found.records > records)
        end_broken(w, p, at);
    else if (p->broken_from < p->text.length)
        forget_broken(w, mark, broken);
    return length;
}

/*
 * A break in a record is met once for each object around it: a few readings
 * of the text are to be expected. A text that asks for more is hostile.
 */
static bool costs_too_much(const passage *p)
{
    enum { READINGS = 24, SMALL_TEXT = 64 * 1024 /* bytes */ };

    return p->cost > READINGS * p->text.length + SMALL_TEXT;
}

/*
 * After a document that cannot be read, the search goes on right behind its
 * first byte: a good record may follow, or stand inside.
 */
static size_t walk_document_at(walk *w, passage *p, size_t at)
{
    json *document;
    size_t taken, length;
    const char *reason = parse_at(p, w->unwrap->parser, at, &document, &taken);

    if (reason == NULL) {
        walk_found(w, p, at, document);
        json_free(document);
        return at + taken;
    }
    length = walk_escaped(w, p, at);
    if (length > 0)
        return at + length;
    note_broken(w, p, at, reason);
    return at + 1;
}

/* The rest of a line, without its end. */
static text line_at(text t, size_t at)
{
    const char *end = memchr(t.bytes + at, '\n', t.length - at);

    return end ? text_between(t.bytes + at, end) : text_from(t, at);
}

/* If a line begins with a document, that is read, and only that. */
static void walk_line(walk *w, passage *p, size_t at, text line, const char *reason)
{
    size_t begin = next_document(line, 0), taken;
    json *document;

    if (line.length > 0 && begin == 0 &&
        json_parse(w->unwrap->parser, line, &document, &taken) == NULL) {
        walk_found(w, p, at, document);
        json_free(document);
        begin = next_document(line, taken);
    }
    if (begin < line.length)
        begin_broken(p, at + begin, true, reason);
}

/*
 * Looks no further for documents that begin anywhere, but still at those that
 * begin a line: no other line can hide them, and each line is read once. All
 * else counts as broken, so that it is never taken for "no match".
 */
static void give_up(walk *w, passage *p, size_t at)
{
    static const char reason[] = "too many brackets that are no JSON";

    if (closes_before(p, at))
        end_broken(w, p, at);
    begin_broken(p, at, true, reason);
    p->is_headless = true; /* what is under way goes on to the end of its line */
    at += line_at(p->text, at).length;
    end_broken(w, p, at);
    while (at < p->text.length) {
        text line = line_at(p->text, ++at);

        walk_line(w, p, at, line, reason);
        at += line.length;
    }
}

static void walk_passage(walk *w, passage *p)
{
    size_t at = next_document(p->text, 0);

    while (at < p->text.length) {
        if (costs_too_much(p)) {
            give_up(w, p, at);
            break;
        }
        at = next_document(p->text, walk_document_at(w, p, at));
    }
    end_broken(w, p, p->text.length);
}

static void walk_text(walk *w, text t)
{
    passage p = {.text = t, .broken_from = t.length};

    walk_passage(w, &p);
    free(p.cleaned);
}

/* --- carriers --- */

/*
 * Does a rule fit by what stands in front of the JSON alone? Words in the
 * JSON are the record's: a display name that looks like a carrier must not
 * lead the reading astray. Asked with the JSON replaced by an empty object.
 */
static bool carrier_is_in_front(const carrier *rulebase, text message, bool *out_of_memory)
{
    const char *json_begins = memchr(message.bytes, '{', message.length);
    buffer head = {0};
    json *fields = NULL;
    bool fits;

    if (json_begins == NULL)
        return true; /* a rule may make a record of other words */
    buffer_append(&head, text_between(message.bytes, json_begins));
    buffer_append_string(&head, "{}");
    if (!buffer_failed(&head))
        fields = carrier_take_apart(rulebase, buffer_text(&head));
    fits = fields != NULL;
    *out_of_memory = buffer_failed(&head) || (!fits && errno == ENOMEM);
    json_free(fields);
    buffer_free(&head);
    return fits;
}

static void walk_carrier(walk *w, const carrier *rulebase, text message)
{
    json *fields = carrier_take_apart(rulebase, message);

    w->found.out_of_memory |= fields == NULL && errno == ENOMEM;
    w->level = -1; /* a text that the rule took out is no string in a string yet */
    walk_value(w, carrier_record(fields));
    json_free(fields);
}

/* Before JSON that begins the text no carrier stands; a PRI, a BOM or blanks may. */
static bool begins_with_json(text t)
{
    size_t at = 0;

    if (t.length > 0 && t.bytes[0] == '<')
        for (at = 1; at < t.length && at < 5 && t.bytes[at - 1] != '>'; at++)
            ;
    while (at < t.length && t.bytes[at] != '\0' &&
           strchr(" \t\r\n\xEF\xBB\xBF", t.bytes[at]) != NULL)
        at++;
    return at < t.length && (t.bytes[at] == '{' || t.bytes[at] == '[');
}

/* False when no rule fits, or what it found holds no record of any kind. */
static bool read_by_rulebase(unwrap *self, const carrier *rulebase, text message,
                             const unwrap_sink *sink, unwrapped *found)
{
    bool is_read;
    walk w;

    begin_walk(&w, self, sink);
    walk_carrier(&w, rulebase, message);
    is_read = w.found.records + w.found.other_kinds > 0;
    end_walk(&w, is_read);
    *found = w.found;
    found->by_rulebase = is_read;
    return is_read;
}

unwrapped unwrap_text(unwrap *self, const carrier *rulebase, text message, const unwrap_sink *sink)
{
    unwrapped found = {0};
    walk w;

    if (rulebase != NULL && !begins_with_json(message) &&
        carrier_is_in_front(rulebase, message, &found.out_of_memory) &&
        read_by_rulebase(self, rulebase, message, sink, &found))
        return found;
    begin_walk(&w, self, sink);
    walk_text(&w, message);
    end_walk(&w, true);
    w.found.out_of_memory |= found.out_of_memory;
    return w.found;
}

unwrapped unwrap_tree(unwrap *self, json *tree, const unwrap_sink *sink)
{
    walk w;

    begin_walk(&w, self, sink);
    walk_value(&w, tree);
    end_walk(&w, true);
    return w.found;
}
