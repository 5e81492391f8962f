/* SPDX-License-Identifier: Apache-2.0 */
/* unwrap: the walk through what was parsed, from value to value. */
#include "record/unwrap.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dialect/own_alert.h"
#include "record/chosen_text.h"
#include "record/walk.h"
#include "record/wide_text.h"

enum { MOST_STRING_LEVELS = 3 };

const char UNWRAP_PART[] = "part of a record";
static const char part_remedy[] =
    "send one record as one message: each in a line of its own (jq -c .), or in octet-counted "
    "frames over TCP; imfile with startmsg.regex and escapeLF=\"off\"";

const char *unwrap_remedy(const char *reason)
{
    if (reason == UNWRAP_PART)
        return part_remedy;
    return reason == WIDE_TEXT ? WIDE_TEXT_REMEDY : NULL;
}

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

static void walk_begin(walk *w, unwrap *self, const unwrap_sink *sink)
{
    *w = (walk){.unwrap = self, .sink = sink};
    w->last_broken = &w->broken;
}

bool walk_must_stop(walk *w)
{
    const unwrap_sink *sink = w->sink;

    w->found.stopped = w->found.stopped || (sink->must_stop != NULL && sink->must_stop(sink->arg));
    return w->found.stopped;
}

void walk_count_broken(walk *w, const char *reason)
{
    if (w->is_inside)
        return;
    if (w->found.broken++ == 0)
        w->found.reason = reason;
}

/* A record has members: a quote, a colon, an equals sign, or one of them escaped. */
static bool may_have_members(text t)
{
    static const char signs[] = {'"', ':', '=', '\\'};

    for (size_t i = 0; i < sizeof(signs); i++)
        if (t.length > 0 && memchr(t.bytes, signs[i], t.length) != NULL)
            return true;
    return false;
}

stretch *walk_keep_broken(walk *w, text t, const char *reason)
{
    stretch *kept;

    if (w->sink->take_broken == NULL || (w->is_inside && !may_have_members(t)))
        return NULL;
    kept = malloc(sizeof(*kept) + t.length);
    if (kept == NULL) {
        w->sink->take_broken(w->sink->arg, t, reason);
        return NULL;
    }
    *kept = (stretch){.reason = reason, .length = t.length};
    memcpy(kept->bytes, t.bytes, t.length);
    *w->last_broken = kept;
    w->last_broken = &kept->next;
    return kept;
}

void walk_forget_broken(walk *w, stretch **mark, size_t broken)
{
    while (*mark != NULL) {
        stretch *first = *mark;

        *mark = first->next;
        free(first);
    }
    w->last_broken = mark;
    w->found.broken = broken;
}

static void walk_end(walk *w, bool tell_broken)
{
    while (w->broken != NULL) {
        stretch *first = w->broken;

        w->broken = first->next;
        if (tell_broken && !walk_must_stop(w))
            w->sink->take_broken(w->sink->arg, (text){first->bytes, first->length}, first->reason);
        free(first);
    }
}

static void walk_item(walk *w, json *item)
{
    bool is_cell = json_kind_of(item) == JSON_STRING;

    w->cells += is_cell;
    walk_value(w, item);
    w->cells -= is_cell;
}

/*
 * In Kusto's progressive answer a table's columns stand in a frame of their
 * own, before those that hold its rows.
 */
static void walk_array(walk *w, json *array)
{
    size_t length = json_array_length(array), known = w->found.records + w->found.other_kinds;
    json *columns = NULL;

    for (size_t i = 0; i < length && !w->found.stopped; i++) {
        json *item = json_array_item(array, i);

        if (walk_is_frame(item, "TableHeader"))
            columns = json_member(item, "Columns");
        if (columns != NULL && walk_is_frame(item, "TableFragment"))
            walk_rows(w, item, columns);
        else
            walk_item(w, item);
    }
    if (!w->is_inside && w->found.records + w->found.other_kinds == known)
        walk_keep_bare_row(w, array);
}

static bool is_one_of(const char *key, const char *const *keys)
{
    for (; *keys != NULL; keys++)
        if (strcasecmp(key, *keys) == 0)
            return true;
    return false;
}

static void walk_members(walk *w, json *object, bool is_record);

/*
 * A record's own parts may have the shape of a record, but are none beside
 * it. What cannot be read in their place is told by who reads the record.
 */
static void walk_own_part(walk *w, json *part)
{
    json *opened = json_parse_string(w->unwrap->parser, part);

    w->found.out_of_memory |= opened == NULL && json_parser_ran_out(w->unwrap->parser);
    if (opened != NULL)
        part = opened;
    if (json_kind_of(part) == JSON_OBJECT)
        walk_members(w, part, true);
    else if (json_kind_of(part) == JSON_ARRAY)
        walk_value(w, part);
    json_free(opened);
}

static void walk_members(walk *w, json *object, bool is_record)
{
    static const char *const table_keys[] = {"columns", "rows", NULL};
    static const char *const own_parts[] = {"properties", "azure", "auditlogs", NULL};
    bool has_rows = walk_is_table(object);
    json_members all = json_members_of(object);
    const char *key;
    json *value;

    if (has_rows)
        walk_table(w, object);
    while (!w->found.stopped && json_next_member(&all, &key, &value)) {
        if (w->is_in_stretch && json_kind_of(value) == JSON_STRING && chosen_text_is(text_of(key)))
            continue;
        if (is_record && is_one_of(key, own_parts))
            walk_own_part(w, value);
        else if (!has_rows || !is_one_of(key, table_keys))
            walk_value(w, value);
    }
}

/* What a record without targets, or of another kind, carries. */
static void walk_known(walk *w, json *object)
{
    bool before = w->is_inside;

    w->is_inside = true;
    walk_members(w, object, true);
    w->is_inside = before;
}

/*
 * Is it a string of an array in what cannot be read? A record there is judged, but it may be a
 * name in a table's cell: it is no end of what it stands in, and that is told with it.
 */
static bool is_cell_in_stretch(const walk *w)
{
    return w->is_in_stretch && w->cells > w->stretch_cells;
}

static void walk_object(walk *w, json *object)
{
    if (walk_must_stop(w))
        return;
    switch (w->sink->take_object(w->sink->arg, object)) {
    case UNWRAP_RECORD:
        w->found.records += !is_cell_in_stretch(w);
        break;
    case UNWRAP_RECORD_WITHOUT_TARGETS:
        w->found.records += !is_cell_in_stretch(w);
        w->lacks_targets = true;
        walk_known(w, object);
        break;
    case UNWRAP_OTHER_KIND:
        w->found.other_kinds++;
        walk_known(w, object);
        break;
    case UNWRAP_OWN_ALERT:
        w->found.other_kinds++;
        break;
    case UNWRAP_UNKNOWN:
        walk_members(w, object, false);
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
    walk_count_broken(w, reason);
    walk_keep_broken(w, text_between(begin, t.bytes + t.length), reason);
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

void walk_value(walk *w, json *value)
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

/*
 * What a rule makes of what stands in front of the JSON alone, that being an
 * empty object in its place; NULL: no rule fits. Words in the JSON are the
 * record's: a display name that looks like a carrier must not lead the reading
 * astray.
 */
static json *take_head_apart(const carrier *rulebase, text message, bool *out_of_memory)
{
    const char *json_begins = memchr(message.bytes, '{', message.length);
    buffer head = {0};
    json *fields = NULL;

    if (json_begins == NULL)
        json_begins = message.bytes + message.length; /* a rule may make a record of other words */
    buffer_append(&head, text_between(message.bytes, json_begins));
    if (json_begins < message.bytes + message.length)
        buffer_append_string(&head, "{}");
    if (!buffer_failed(&head))
        fields = carrier_take_apart(rulebase, buffer_text(&head));
    *out_of_memory |= buffer_failed(&head) || (fields == NULL && errno == ENOMEM);
    buffer_free(&head);
    return fields;
}

/* The fields of the whole message, by the rule that fits what stands in front; else NULL. */
static json *take_message_apart(const carrier *rulebase, text message, bool *out_of_memory)
{
    json *head = take_head_apart(rulebase, message, out_of_memory), *fields = NULL;

    if (head == NULL)
        return NULL;
    fields = carrier_take_apart(rulebase, message);
    *out_of_memory |= fields == NULL && errno == ENOMEM;
    if (fields != NULL && !carrier_is_same_rule(head, fields)) {
        *out_of_memory |= errno == ENOMEM;
        json_free(fields);
        fields = NULL;
    }
    json_free(head);
    return fields;
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

/* False when no rule fits, or what it found holds no record of any kind; but stretches may. */
static bool walk_by_rulebase(walk *w, const carrier *rulebase, text message)
{
    json *fields = take_message_apart(rulebase, message, &w->found.out_of_memory);

    if (fields == NULL)
        return false;
    w->level = -1; /* a text that the rule took out is no string in a string yet */
    walk_value(w, carrier_record(fields));
    json_free(fields);
    return w->found.records + w->found.other_kinds > 0 || w->found.stopped;
}

static size_t longest_stretch(const walk *w)
{
    size_t longest = 0;

    for (const stretch *one = w->broken; one != NULL; one = one->next)
        longest = one->length > longest ? one->length : longest;
    return longest;
}

/*
 * A record that was cut in a carrier falls into pieces where the carrier's escapes
 * are not undone, some of which may pass for records; or at what seems to be the
 * carrier's own: the reading that leaves more of it in one piece is told.
 */
static bool is_read_better(const walk *by_rule, const walk *plain)
{
    return longest_stretch(by_rule) > longest_stretch(plain);
}

/* What it seemed to be, byte for byte, does not count. Of NUL bytes alone there is nothing to tell.
 */
static void refuse_wide(walk *w, text message)
{
    buffer narrow = {0};

    wide_text_narrow(message, &narrow);
    w->found.out_of_memory |= buffer_failed(&narrow);
    if (narrow.length > 0) {
        walk_forget_broken(w, &w->broken, 0);
        walk_count_broken(w, WIDE_TEXT);
        walk_keep_broken(w, buffer_text(&narrow), WIDE_TEXT);
    }
    buffer_free(&narrow);
}

/* Is it one of synctap's alerts, and nothing else? It may quote a name of NUL bytes. */
static bool is_own_alert(json_parser *parser, text t)
{
    json *tree;
    size_t taken;
    bool is_one;

    t = text_from(t, own_alert_header_length(t));
    if (json_parse(parser, t, &tree, &taken) != NULL)
        return t.length > 0 && own_alert_line_length(parser, t) == t.length;
    is_one = own_alert_is(tree) && taken + json_blanks(text_from(t, taken)) == t.length;
    json_free(tree);
    return is_one;
}

static bool begins_with_own_line(json_parser *parser, text t)
{
    text line = text_from(t, own_alert_header_length(t));

    return line.length > 0 && own_alert_line_length(parser, line) > 0;
}

static void walk_plain(walk *w, text message)
{
    walk_text(w, message);
    if (w->found.records == 0 && wide_text_is(message) && !is_own_alert(w->unwrap->parser, message))
        refuse_wide(w, message);
}

static bool may_have_carrier(unwrap *self, const carrier *rulebase, text message)
{
    return rulebase != NULL && !begins_with_json(message) &&
           !begins_with_own_line(self->parser, message);
}

unwrapped unwrap_text(unwrap *self, const carrier *rulebase, text message, const unwrap_sink *sink)
{
    walk by_rule, plain;
    bool is_read;

    walk_begin(&by_rule, self, sink);
    walk_begin(&plain, self, sink);
    if (may_have_carrier(self, rulebase, message))
        by_rule.found.by_rulebase = walk_by_rulebase(&by_rule, rulebase, message);
    is_read = by_rule.found.by_rulebase;
    if (!is_read) {
        walk_plain(&plain, message);
        is_read = is_read_better(&by_rule, &plain);
    }
    plain.found.out_of_memory |= by_rule.found.out_of_memory;
    by_rule.found.out_of_memory |= plain.found.out_of_memory;
    walk_end(&plain, !is_read);
    walk_end(&by_rule, is_read);
    return is_read ? by_rule.found : plain.found;
}

unwrapped unwrap_tree(unwrap *self, json *tree, const unwrap_sink *sink)
{
    walk w;

    walk_begin(&w, self, sink);
    walk_value(&w, tree);
    walk_end(&w, true);
    return w.found;
}
