/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cef: ArcSight's Common Event Format, as Microsoft's CommonSecurityLog takes it.
 *
 * In the header `\` and `|` are escaped, in the extension `\`, `=` and line breaks.
 * A NUL has no escape, and ends the text for many readers: it becomes a blank.
 */
#include "dialect/dialects.h"

#include "dialect/value.h"

enum { MOST = 1023 /* bytes of a value, before it is escaped */ };

/* A key of the extension; one that is a custom field has its label written beside it. */
typedef struct cef_row {
    const char *key;
    const char *label;
    size_t most;
    value value;
} cef_row;

static void make_message(const value *self, const alert_fields *alert, buffer *out);

/* The lengths are those of ArcSight's dictionary, where it has less than MOST. */
static const cef_row rows[] = {
    {"externalId", NULL, 40, {value_text, FIELD_ALERT_ID, NULL}}, /* own_alert.c looks for it */
    {"type", NULL, MOST, {value_word, 0, "2"}},                   /* a correlation, no event */
    {"rt", NULL, MOST, {value_epoch, FIELD_DETECTED_AT, NULL}},
    {"start", NULL, MOST, {value_epoch, FIELD_TIME_GENERATED, NULL}},
    {"end", NULL, MOST, {value_epoch, FIELD_TIME_GENERATED, NULL}},
    {"act", NULL, 63, {value_text, FIELD_OPERATION_NAME, NULL}},
    {"outcome", NULL, 63, {value_text, FIELD_RESULT, NULL}},
    {"reason", NULL, MOST, {value_text, FIELD_RESULT_REASON, NULL}},
    {"suser", NULL, MOST, {value_text, FIELD_ACTOR, NULL}},
    {"suid", NULL, MOST, {value_text, FIELD_ACTOR_ID, NULL}},
    {"src", NULL, MOST, {value_ipv4, FIELD_SOURCE_IP, NULL}},
    {"c6a2", "Source IPv6 Address", MOST, {value_ipv6, FIELD_SOURCE_IP, NULL}},
    {"shost", NULL, MOST, {value_not_ip, FIELD_SOURCE_IP, NULL}},
    {"duser", NULL, MOST, {value_text, FIELD_TARGET_UPN, NULL}},
    {"duid", NULL, MOST, {value_text, FIELD_TARGET_ID, NULL}},
    {"deviceExternalId", NULL, 255, {value_text, FIELD_TENANT_ID, NULL}},
    {"dvchost", NULL, 100, {value_text, FIELD_COLLECTOR, NULL}},
    {"sourceServiceName", NULL, MOST, {value_text, FIELD_LOGGED_BY_SERVICE, NULL}},
    {"cnt", NULL, MOST, {value_json, FIELD_INCIDENT_ALERT_COUNT, NULL}},
    {"cs1", "MitreTechniques", MOST, {value_list, FIELD_TECHNIQUES, NULL}},
    {"cs2", "MitreTactics", MOST, {value_list, FIELD_TACTICS, NULL}},
    {"cs3", "MatchReason", MOST, {value_match_reason, 0, NULL}},
    {"cs4", "IncidentId", MOST, {value_text, FIELD_INCIDENT_ID, NULL}},
    {"cs5", "AuditRecordId", MOST, {value_text, FIELD_RECORD_ID, NULL}},
    {"cs6", "RuleVersion", MOST, {value_text, FIELD_RULE_VERSION, NULL}},
    {"flexString1", "Method", MOST, {value_text, FIELD_METHOD, NULL}},
    {"flexString2", "TapUsage", MOST, {value_text, FIELD_TAP_USAGE, NULL}},
    {"deviceCustomDate1", "TapEnd", MOST, {value_epoch, FIELD_TAP_END, NULL}},
    {"msg", NULL, MOST, {make_message, 0, NULL}},
};

static void make_message(const value *self, const alert_fields *alert, buffer *out)
{
    text name = alert_fields_text(alert, FIELD_DISPLAY_NAME);
    text description = alert_fields_text(alert, FIELD_DESCRIPTION);

    (void)self;
    buffer_append(out, name);
    if (name.length > 0 && description.length > 0)
        buffer_append_string(out, ": ");
    buffer_append(out, description);
}

/* "CEF:0|": an agent that looks for the last header of a line would begin there. */
static bool begins_header(text t)
{
    static const text begin = TEXT("CEF:");
    size_t at = begin.length;

    if (t.length <= at || memcmp(t.bytes, begin.bytes, at) != 0)
        return false;
    while (at < t.length && t.bytes[at] >= '0' && t.bytes[at] <= '9')
        at++;
    return at > begin.length && at < t.length && t.bytes[at] == '|';
}

/* How many bytes from `at` on stand for themselves; a header may begin at a C. */
static size_t plain_run(text t, size_t at, char mark)
{
    size_t begin = at;

    while (at < t.length && t.bytes[at] != mark && t.bytes[at] != '\\' && t.bytes[at] != '\n' &&
           t.bytes[at] != '\r' && t.bytes[at] != '\0' && t.bytes[at] != 'C')
        at++;
    return at - begin;
}

/* How many bytes of the rest it was. */
static size_t append_odd(buffer *out, text rest)
{
    switch (rest.bytes[0]) {
    case '\0':
        buffer_append_char(out, ' ');
        break;
    case '\n':
        buffer_append_string(out, "\\n");
        break;
    case '\r':
        buffer_append_string(out, "\\r");
        break;
    case 'C':
        if (begins_header(rest)) {
            buffer_append_string(out, "CEF: ");
            return 4;
        }
        buffer_append_char(out, 'C');
        break;
    default:
        buffer_append_char(out, '\\');
        buffer_append_char(out, rest.bytes[0]);
        break;
    }
    return 1;
}

/* Escapes the mark, the backslash and line breaks. */
static void append_escaped(buffer *out, text t, char mark)
{
    size_t at = 0;

    while (at < t.length) {
        size_t run = plain_run(t, at, mark);

        buffer_append(out, (text){t.bytes + at, run});
        at += run;
        if (at < t.length)
            at += append_odd(out, text_from(t, at));
    }
}

static void append_header(buffer *out, text t)
{
    buffer line = {0};

    buffer_append(&line, text_cut(t, MOST));
    for (size_t i = 0; i < line.length; i++)
        if (line.bytes[i] == '\n' || line.bytes[i] == '\r')
            line.bytes[i] = ' ';
    append_escaped(out, buffer_text(&line), '|');
    buffer_append_char(out, '|');
    out->failed |= buffer_failed(&line);
    buffer_free(&line);
}

static void write_header(const alert_fields *alert, buffer *out)
{
    buffer severity = {0};

    buffer_append_string(out, "CEF:0|synctap|synctap|" SYNCTAP_VERSION "|");
    append_header(out, alert_fields_text(alert, FIELD_RULE_ID));
    append_header(out, alert_fields_text(alert, FIELD_RULE_NAME));
    value_severity(&(value){.word = "cef"}, alert, &severity);
    buffer_append(out, severity.length > 0 ? buffer_text(&severity) : (text)TEXT("Unknown"));
    buffer_append_char(out, '|');
    out->failed |= buffer_failed(&severity);
    buffer_free(&severity);
}

/* `begin` is where the extension begins. */
static void write_pair(buffer *out, size_t begin, const char *key, const char *suffix, text t)
{
    if (out->length > begin)
        buffer_append_char(out, ' ');
    buffer_append_string(out, key);
    buffer_append_string(out, suffix);
    buffer_append_char(out, '=');
    append_escaped(out, t, '=');
}

void cef_write(const alert_fields *alert, buffer *out)
{
    buffer made = {0};
    size_t begin;

    write_header(alert, out);
    begin = out->length;
    for (const cef_row *row = rows; row < rows + sizeof(rows) / sizeof(rows[0]); row++) {
        buffer_clear(&made);
        row->value.make(&row->value, alert, &made);
        out->failed |= buffer_failed(&made);
        if (made.length == 0)
            continue;
        write_pair(out, begin, row->key, "", text_cut(buffer_text(&made), row->most));
        if (row->label != NULL)
            write_pair(out, begin, row->key, "Label", text_of(row->label));
    }
    buffer_free(&made);
}

/* --- read back --- */

/* Behind so many fields of the header, or empty. */
static text behind_fields(text t, size_t fields)
{
    for (size_t at = 0; at < t.length; at++) {
        if (t.bytes[at] == '\\')
            at++;
        else if (t.bytes[at] == '|' && --fields == 0)
            return text_from(t, at + 1);
    }
    return (text){"", 0};
}

/* The place of the next = that is none of a value, or t.length. */
static size_t next_equals(text t, size_t at)
{
    while (at < t.length && t.bytes[at] != '=')
        at += t.bytes[at] == '\\' ? 2 : 1;
    return at < t.length ? at : t.length;
}

static bool is_label(text key, const cef_row *row)
{
    size_t length = strlen(row->key);

    return row->label != NULL && key.length > length && memcmp(key.bytes, row->key, length) == 0 &&
           text_equal(text_from(key, length), (text)TEXT("Label"));
}

/* Goes on to the key's row, which comes behind *next's, or is its label; false: there is none. */
static bool is_next_key(text key, const cef_row **next)
{
    const cef_row *end = rows + sizeof(rows) / sizeof(rows[0]);

    if (*next > rows && is_label(key, *next - 1))
        return true;
    while (*next < end && !text_equal(key, text_of((*next)->key)))
        ++*next;
    return (*next)++ < end;
}

/* In a value = is escaped: all others end keys. */
bool cef_is(text line)
{
    static const text begin = TEXT("CEF:0|synctap|synctap|");
    const cef_row *next = rows;

    if (line.length < begin.length || memcmp(line.bytes, begin.bytes, begin.length) != 0)
        return false;
    line = behind_fields(line, 7);
    for (size_t at = 0; (at = next_equals(line, at)) < line.length; at++) {
        size_t key = at;

        while (key > 0 && line.bytes[key - 1] != ' ')
            key--;
        if ((key == 0) != (next == rows) ||
            !is_next_key(text_between(line.bytes + key, line.bytes + at), &next) ||
            (key == 0 && next != rows + 1))
            return false;
    }
    return next > rows;
}
