/* SPDX-License-Identifier: Apache-2.0 */
/* own_alert: one table of an alert's members, for whole alerts and for cut ones. */
#include "dialect/own_alert.h"

#include "dialect/dialect.h"

/* What may stand in a member, a bit each. */
enum {
    TEXTS = 1 << JSON_STRING,
    LISTS = 1 << JSON_ARRAY,
    FACTS = 1 << JSON_OBJECT,
    FLAGS = 1 << JSON_BOOLEAN,
    ANYTHING = ~0
};

typedef struct member {
    const char *key;
    int kinds;
    bool is_optional;
} member;

/* As alert_write writes them. */
static const member members[] = {
    {"alert_id", TEXTS, false},
    {"rule_id", TEXTS, false},
    {"rule_name", TEXTS, false},
    {"rule_version", TEXTS, false},
    {"severity", TEXTS, false},
    {"tactics", LISTS, false},
    {"techniques", LISTS, false},
    {"sub_techniques", LISTS, false},
    {"display_name", TEXTS, false},
    {"description", TEXTS, false},
    {"time_generated", TEXTS, false},
    {"operation_name", TEXTS, false},
    {"actor", TEXTS, false},
    {"source_ip", TEXTS, false},
    {"target_upn", TEXTS, false},
    {"target_resources", ANYTHING, false},
    {"result", TEXTS, false},
    {"target_id", TEXTS, false},
    {"actor_id", TEXTS, false},
    {"result_reason", TEXTS, false},
    {"method", TEXTS, false},
    {"tap", FACTS, false},
    {"caller_ip", TEXTS, false},
    {"matched_by", LISTS, false},
    {"kql", FLAGS, false},
    {"confidence", TEXTS, false},
    {"late", FLAGS, false},
    {"record_id", TEXTS, false},
    {"correlation_id", TEXTS, false},
    {"tenant_id", TEXTS, false},
    {"logged_by_service", TEXTS, false},
    {"detected_at", TEXTS, false},
    {"collector", TEXTS, false},
    {"entities", LISTS, false},
    {"custom_details", FACTS, false},
    {"incident", FACTS | 1 << JSON_NULL, true},
    {"columns", FACTS, true},
    {"selftest", FLAGS, true},
    {"cut", FLAGS, true},
};

enum { MEMBERS = sizeof(members) / sizeof(members[0]), TELLING_MEMBERS = 3 };

/* The place of the key, which may come next after `at`; MEMBERS: none. */
static size_t place_of(text key, size_t at)
{
    while (at < MEMBERS && !text_equal(key, text_of(members[at].key))) {
        if (!members[at].is_optional)
            return MEMBERS;
        at++;
    }
    return at;
}

/* Are all that follow ones that may be missing? */
static bool may_end(size_t at)
{
    while (at < MEMBERS && members[at].is_optional)
        at++;
    return at == MEMBERS;
}

static bool is_alert(json *object)
{
    json_members all = json_members_of(object);
    size_t at = 0;
    const char *key;
    json *value;

    while (json_next_member(&all, &key, &value)) {
        at = place_of(text_of(key), at);
        if (at == MEMBERS || !(members[at].kinds & 1 << json_kind_of(value)))
            return false;
        at++;
    }
    return at > 0 && may_end(at);
}

bool own_alert_is(json *object)
{
    return is_alert(object) || dialect_is_object(object);
}

/* --- cut ones --- */

static bool is_cut_off(json_parser *parser, text t)
{
    json *tree;
    size_t taken;
    const char *reason = json_parse(parser, t, &tree, &taken);

    json_free(tree);
    return reason != NULL && strcmp(reason, "cut off") == 0;
}

/* Takes the key, and the colon behind it, off what is known to be JSON as far as it goes. */
static bool take_key(text *rest, text *key)
{
    *rest = text_from(*rest, json_blanks(*rest));
    if (rest->length == 0 || rest->bytes[0] != '"')
        return false;
    *rest = text_from(*rest, 1);
    *key = (text){rest->bytes, json_string_inside(*rest)};
    if (key->length == rest->length)
        return false;
    *rest = text_from(*rest, key->length + 1);
    *rest = text_from(*rest, json_blanks(*rest));
    return rest->length > 0;
}

/* Takes a value and the comma behind it off; false when it goes on to the end. */
static bool take_value(text *rest)
{
    size_t depth = 0, at = 0;

    for (; at < rest->length && (depth > 0 || rest->bytes[at] != ','); at++) {
        char b = rest->bytes[at];

        if (b == '"')
            at += 1 + json_string_inside(text_from(*rest, at + 1));
        else if (b == '{' || b == '[')
            depth++;
        else if (b == '}' || b == ']')
            depth--;
    }
    if (at >= rest->length)
        return false;
    *rest = text_from(*rest, at + 1);
    return true;
}

/* By the first byte of the value behind the colon; where it was cut off, it may be any. */
static bool may_be_of(int kinds, text colon)
{
    static const struct {
        char begin;
        int kind;
    } begins[] = {{'"', TEXTS}, {'[', LISTS}, {'{', FACTS}, {'t', FLAGS}, {'f', FLAGS}};
    text value = text_from(colon, 1);

    value = text_from(value, json_blanks(value));
    if (value.length == 0 || kinds == ANYTHING)
        return true;
    for (size_t i = 0; i < sizeof(begins) / sizeof(begins[0]); i++)
        if (value.bytes[0] == begins[i].begin)
            return (kinds & begins[i].kind) != 0;
    return value.bytes[0] == 'n' && (kinds & 1 << JSON_NULL) != 0;
}

/* As far as it goes, has it an alert's members in their order, and enough of them to tell? */
static bool begins_as_alert(text t)
{
    size_t at = 0, seen = 0;
    text key;

    t = text_from(t, 1);
    while (take_key(&t, &key)) {
        at = place_of(key, at);
        if (at == MEMBERS || !may_be_of(members[at].kinds, t))
            return false;
        at++;
        seen++;
        if (!take_value(&t))
            break;
    }
    return seen >= TELLING_MEMBERS;
}

/* Keys of a record that no alert has, but for its columns. */
static bool is_record_key(text key, bool is_column)
{
    static const char *const keys[] = {"operationName", "activityDisplayName", "targetResources",
                                       "auditlogs", "records"};

    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
        if (text_equal(key, text_of(keys[i])))
            return true;
    return !is_column && text_equal(key, (text)TEXT("OperationName"));
}

/* Does a record stand in JSON that goes as far as it goes, outside of its strings? */
static bool holds_record(text t)
{
    size_t depth = 0, columns = 0; /* the depth of an alert's columns; 0: not in them */
    bool is_columns = false;

    for (size_t at = 0; at < t.length; at++) {
        char b = t.bytes[at];

        if (b == '"') {
            text key = text_from(t, at + 1), rest;

            key.length = json_string_inside(key);
            at += 1 + key.length;
            rest = text_from(t, at < t.length ? at + 1 : at);
            rest = text_from(rest, json_blanks(rest));
            if (rest.length == 0 || rest.bytes[0] != ':')
                continue;
            if (is_record_key(key, columns > 0 && depth == columns))
                return true;
            is_columns = text_equal(key, (text)TEXT("columns"));
        } else if (b == '{' || b == '[') {
            depth++;
            if (is_columns && columns == 0)
                columns = depth;
            is_columns = false;
        } else if (b == '}' || b == ']') {
            columns = depth == columns ? 0 : columns;
            depth--;
        }
    }
    return false;
}

/* Strict JSON up to its end, where it was cut: in front of a record it is none that goes on. */
static bool is_cut_alert(json_parser *parser, text t)
{
    return t.length > 0 && t.bytes[0] == '{' && (dialect_begins(t) || begins_as_alert(t)) &&
           is_cut_off(parser, t) && !holds_record(t);
}

/* --- lines, with a header of syslog in front --- */

enum { SHORTEST_LINE = 60 }; /* with an alert's id */

/* A cheap look, before the line's end is looked for: blanks may go on for megabytes. */
static bool begins_line(text t)
{
    enum { MOST_BLANKS = 16 };
    text inside;

    if (t.bytes[0] != '{' || dialect_begins(t))
        return dialect_begins(t);
    inside = text_from(t, 1);
    inside = text_from(inside, json_blanks((text){inside.bytes, MOST_BLANKS}));
    return text_begins_with(inside, "\"alert_id\"");
}

size_t own_alert_next_begin(text t, size_t at, size_t end)
{
    while (at < end && at + SHORTEST_LINE <= t.length && !begins_line(text_from(t, at)))
        at++;
    return at + SHORTEST_LINE <= t.length ? at : end;
}

/*
 * By what may not stand in one: a header has no bar, no brace, and = and
 * quotes in the brackets of structured data alone.
 */
size_t own_alert_header_length(text t)
{
    size_t depth = 0;

    for (size_t at = 0; at + SHORTEST_LINE <= t.length && at < OWN_ALERT_LONGEST_HEADER; at++) {
        char c = t.bytes[at];

        if (depth == 0 && begins_line(text_from(t, at)))
            return at;
        if (c == '|' || c == '{' || c == '\n' || (depth == 0 && (c == '=' || c == '"')))
            break;
        if (c == '[')
            depth++;
        else if (c == ']' && depth > 0)
            depth--;
    }
    return t.length;
}

/* Nothing else follows in the line; rsyslog writes #012 and #015 for what ends lines. */
static bool ends_line(text rest)
{
    return rest.length == 0 || rest.bytes[0] == '\r' || text_begins_with(rest, "#01");
}

/*
 * Of a line, up to what rsyslog writes for a line break that it receives: that is
 * one only where a whole document follows and nothing else, as else a name may hold it.
 */
static text first_line(text t)
{
    static const text received = TEXT("#012{");
    const char *found;
    text rest = t;

    while ((found = memmem(rest.bytes, rest.length, received.bytes, received.length)) != NULL) {
        json_brackets document = {0};

        rest = text_between(found + received.length - 1, t.bytes + t.length);
        if (!json_brackets_close(&document, rest, rest.length))
            break;
        rest = text_from(rest, document.at);
        if (ends_line(rest))
            return text_between(t.bytes, found);
    }
    return t;
}

/* May what follows a bracket be the inside of a document that began there? */
static bool goes_on_inside(char bracket, text behind)
{
    char next;

    behind = text_from(behind, json_blanks(behind));
    next = behind.length > 0 ? behind.bytes[0] : '\0';
    return next == '"' || (bracket == '[' && (next == '{' || next == '['));
}

/*
 * The line's length without the brackets at its end where a document begins that
 * goes on in the next line: the open string in front of it is no alert's.
 */
static size_t in_front_of_document(text line, text behind)
{
    size_t at = line.length, begin = line.length;

    while (at > 0 && line.bytes[at - 1] != '\0' && strchr("{[ \r", line.bytes[at - 1]) != NULL) {
        char c = line.bytes[--at];

        if ((c == '{' || c == '[') && (begin < line.length || goes_on_inside(c, behind)))
            begin = at;
    }
    return begin;
}

/* Where the object begins that the brace in front of `end` closes, by quotes and braces; or end. */
static size_t begin_of_object(text line, size_t end)
{
    size_t depth = 0;
    bool inside = false;

    for (size_t at = end; at-- > 0;) {
        char c = line.bytes[at];

        if (c == '"' && (at == 0 || line.bytes[at - 1] != '\\'))
            inside = !inside;
        if (inside || (c != '{' && c != '}'))
            continue;
        depth = c == '}' ? depth + 1 : depth - 1;
        if (depth == 0)
            return at;
    }
    return end;
}

/*
 * Does a line that is no JSON end with a record? Somebody may have given himself an alert's
 * beginning for a name, in front of his record. In an alert a name may look like a record, too; but
 * then more of the alert stands behind it, or it was cut inside of it. No name of Entra's has
 * more than 256 characters.
 */
static bool ends_with_record(text line)
{
    enum { LONGEST_NAME = 256 };
    static const char closers[] = " \t\r\"'])>";
    static const char *const keys[] = {"\"operationName\"", "\"OperationName\"",
                                       "\"activityDisplayName\"", "\"operation_name\""};
    const char *brace = memrchr(line.bytes, '}', line.length);
    size_t end = brace != NULL ? (size_t)(brace - line.bytes) + 1 : 0;
    text object;

    for (size_t at = end; at < line.length; at++)
        if (line.bytes[at] == '\0' || strchr(closers, line.bytes[at]) == NULL)
            return false;
    object = text_between(line.bytes + begin_of_object(line, end), line.bytes + end);
    if (object.length < LONGEST_NAME)
        return false;
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
        if (memmem(object.bytes, object.length, keys[i], strlen(keys[i])) != NULL)
            return true;
    return false;
}

/* The length of an alert that begins the line; 0: none does. */
static size_t length_in_line(json_parser *parser, text line, text behind)
{
    if (dialect_is_line(line) ? ends_with_record(line) : !is_cut_alert(parser, line))
        return 0;
    return in_front_of_document(line, behind);
}

/* What rsyslog would write for a line break may stand in a name, a document behind it. */
size_t own_alert_line_length(json_parser *parser, text t)
{
    const char *end = memchr(t.bytes, '\n', t.length);
    text whole = end ? text_between(t.bytes, end) : t, first = first_line(whole);
    text behind = text_from(t, whole.length);
    size_t length = length_in_line(parser, first, behind);

    return length == 0 && first.length < whole.length ? length_in_line(parser, whole, behind)
                                                      : length;
}

bool own_alert_begins(json_parser *parser, text t)
{
    json *document = NULL;
    size_t taken;
    bool is_own = json_parse(parser, t, &document, &taken) == NULL
                      ? own_alert_is(document)
                      : own_alert_line_length(parser, t) > 0;

    json_free(document);
    return is_own;
}
