/* SPDX-License-Identifier: Apache-2.0 */
/*
 * leef: IBM's Log Event Extended Format 1.0, pairs with tabs between them.
 *
 * It has no escapes: a tab, a line break or a NUL in a value becomes a blank, and so does a
 * backslash that readers take for the beginning of one.
 */
#include "dialect/dialects.h"

#include "dialect/value.h"

typedef struct leef_row {
    const char *key;
    value value;
} leef_row;

static const leef_row rows[] = {
    {"alertId", {value_text, FIELD_ALERT_ID, NULL}}, /* own_alert.c looks for it */
    {"cat", {value_word, 0, "SecurityInfoChange"}},
    {"sev", {value_severity, 0, "cef"}},
    {"devTime", {value_epoch, FIELD_TIME_GENERATED, NULL}},
    {"detectedAt", {value_text, FIELD_DETECTED_AT, NULL}},
    {"ruleId", {value_text, FIELD_RULE_ID, NULL}},
    {"policy", {value_text, FIELD_RULE_NAME, NULL}},
    {"ruleVersion", {value_text, FIELD_RULE_VERSION, NULL}},
    {"title", {value_text, FIELD_DISPLAY_NAME, NULL}},
    {"msg", {value_text, FIELD_DESCRIPTION, NULL}},
    {"operation", {value_text, FIELD_OPERATION_NAME, NULL}},
    {"usrName", {value_text, FIELD_ACTOR, NULL}},
    {"actorId", {value_text, FIELD_ACTOR_ID, NULL}},
    {"src", {value_ip, FIELD_SOURCE_IP, NULL}},
    {"srcName", {value_not_ip, FIELD_SOURCE_IP, NULL}},
    {"accountName", {value_text, FIELD_TARGET_UPN, NULL}},
    {"resource", {value_text, FIELD_TARGET_ID, NULL}},
    {"result", {value_text, FIELD_RESULT, NULL}},
    {"reason", {value_text, FIELD_RESULT_REASON, NULL}},
    {"method", {value_text, FIELD_METHOD, NULL}},
    {"tapEnd", {value_text, FIELD_TAP_END, NULL}},
    {"tapUsage", {value_text, FIELD_TAP_USAGE, NULL}},
    {"matchReason", {value_match_reason, 0, NULL}},
    {"recordId", {value_text, FIELD_RECORD_ID, NULL}},
    {"correlationId", {value_text, FIELD_CORRELATION_ID, NULL}},
    {"domain", {value_text, FIELD_TENANT_ID, NULL}},
    {"service", {value_text, FIELD_LOGGED_BY_SERVICE, NULL}},
    {"identHostName", {value_text, FIELD_COLLECTOR, NULL}},
    {"mitreTactics", {value_list, FIELD_TACTICS, NULL}},
    {"mitreTechniques", {value_list, FIELD_TECHNIQUES, NULL}},
    {"incidentId", {value_text, FIELD_INCIDENT_ID, NULL}},
};

/* By rsyslog's mmleefparse, which would take the tab behind a value for a part of it. */
static bool is_taken_for_escape(text behind)
{
    return behind.length == 0 || memchr("\\=|", behind.bytes[0], 3) != NULL;
}

static void append_value(buffer *out, text t)
{
    size_t begin = out->length;

    buffer_append(out, t);
    for (size_t i = begin; i < out->length; i++) {
        char c = out->bytes[i];

        if (c == '\t' || c == '\r' || c == '\n' || c == '\0' ||
            (c == '\\' && is_taken_for_escape(text_from(buffer_text(out), i + 1))))
            out->bytes[i] = ' ';
    }
}

void leef_write(const alert_fields *alert, buffer *out)
{
    buffer made = {0};
    bool is_first = true;

    buffer_append_string(out, "LEEF:1.0|synctap|synctap|" SYNCTAP_VERSION "|TAPSyncAccount|");
    for (const leef_row *row = rows; row < rows + sizeof(rows) / sizeof(rows[0]); row++) {
        buffer_clear(&made);
        row->value.make(&row->value, alert, &made);
        out->failed |= buffer_failed(&made);
        if (made.length == 0)
            continue;
        if (!is_first)
            buffer_append_char(out, '\t');
        is_first = false;
        buffer_append_string(out, row->key);
        buffer_append_char(out, '=');
        append_value(out, buffer_text(&made));
    }
    buffer_free(&made);
}

/* --- read back --- */

/* What rsyslog writes for a tab that it receives. */
static const text RECEIVED_TAB = TEXT("#011");

/* Behind the next separator, or empty. */
static text next_pair(text t, text separator)
{
    const char *found =
        t.length > 0 ? memmem(t.bytes, t.length, separator.bytes, separator.length) : NULL;

    return found ? text_between(found + separator.length, t.bytes + t.length) : (text){"", 0};
}

static bool is_pair_of(text t, const char *key)
{
    size_t length = strlen(key);

    return t.length > length && memcmp(t.bytes, key, length) == 0 && t.bytes[length] == '=';
}

/* Behind the header, whatever version wrote it; or empty. */
static text behind_header(text line)
{
    static const text begin = TEXT("LEEF:1.0|synctap|synctap|"), event = TEXT("|TAPSyncAccount|");
    const char *bar;

    if (line.length < begin.length || memcmp(line.bytes, begin.bytes, begin.length) != 0)
        return (text){"", 0};
    line = text_from(line, begin.length);
    bar = line.length > 0 ? memchr(line.bytes, '|', line.length) : NULL;
    if (bar != NULL)
        line = text_from(line, (size_t)(bar - line.bytes));
    if (bar == NULL || line.length < event.length ||
        memcmp(line.bytes, event.bytes, event.length) != 0)
        return (text){"", 0};
    return text_from(line, event.length);
}

/* The last pair of a line that was cut may have lost its end. */
bool leef_is(text line)
{
    const leef_row *row = rows, *end = rows + sizeof(rows) / sizeof(rows[0]);
    text pair = behind_header(line);
    bool has_tabs = pair.length > 0 && memchr(pair.bytes, '\t', pair.length) != NULL;
    text separator = has_tabs ? (text)TEXT("\t") : RECEIVED_TAB;

    if (!is_pair_of(pair, rows[0].key))
        return false;
    for (; pair.length > 0; pair = next_pair(pair, separator)) {
        while (row < end && !is_pair_of(pair, row->key))
            row++;
        if (row++ == end)
            return next_pair(pair, separator).length == 0 &&
                   memchr(pair.bytes, '=', pair.length) == NULL;
    }
    return true;
}
