/* SPDX-License-Identifier: Apache-2.0 */
/* value: the makers, one after the other. */
#include "dialect/value.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/timestamp.h"

void value_word(const value *self, const alert_fields *alert, buffer *out)
{
    (void)alert;
    buffer_append_string(out, self->word);
}

void value_version(const value *self, const alert_fields *alert, buffer *out)
{
    (void)self;
    (void)alert;
    buffer_append_string(out, SYNCTAP_VERSION);
}

void value_text(const value *self, const alert_fields *alert, buffer *out)
{
    buffer_append(out, alert_fields_text(alert, self->field));
}

void value_list(const value *self, const alert_fields *alert, buffer *out)
{
    json *array = alert->values[self->field];

    for (size_t i = 0; i < json_array_length(array); i++) {
        if (i > 0)
            buffer_append_char(out, ',');
        buffer_append(out, json_string(json_array_item(array, i)));
    }
}

static bool is_filled(json *v)
{
    switch (json_kind_of(v)) {
    case JSON_NULL:
        return false;
    case JSON_STRING:
        return json_string(v).length > 0;
    case JSON_ARRAY:
        return json_array_length(v) > 0;
    default:
        return true;
    }
}

static void write_filled(json *v, buffer *out);

static void write_members(json *object, buffer *out)
{
    json_members all = json_members_of(object);
    const char *name;
    json *member;

    buffer_append_char(out, '{');
    while (json_next_member(&all, &name, &member)) {
        if (!is_filled(member))
            continue;
        json_write_key(out, name);
        write_filled(member, out);
    }
    buffer_append_char(out, '}');
}

static void write_items(json *array, buffer *out)
{
    buffer_append_char(out, '[');
    for (size_t i = 0; i < json_array_length(array); i++) {
        json_write_item(out);
        write_filled(json_array_item(array, i), out);
    }
    buffer_append_char(out, ']');
}

/* The parser bounds the depth. */
static void write_filled(json *v, buffer *out)
{
    if (json_kind_of(v) == JSON_OBJECT)
        write_members(v, out);
    else if (json_kind_of(v) == JSON_ARRAY)
        write_items(v, out);
    else
        json_write_value(out, v);
}

void value_json(const value *self, const alert_fields *alert, buffer *out)
{
    json *v = alert->values[self->field];
    size_t begin = out->length;

    if (!is_filled(v))
        return;
    write_filled(v, out);
    if (text_equal(text_from(buffer_text(out), begin), (text)TEXT("{}")))
        out->length = begin;
}

void value_if_true(const value *self, const alert_fields *alert, buffer *out)
{
    if (json_is_true(alert->values[self->field]))
        buffer_append_string(out, "true");
}

void value_array_of_one(const value *self, const alert_fields *alert, buffer *out)
{
    text t = alert_fields_text(alert, self->field);

    if (t.length == 0)
        return;
    buffer_append_char(out, '[');
    json_write_string(out, t);
    buffer_append_char(out, ']');
}

/* --- times --- */

static bool milliseconds_of(const value *self, const alert_fields *alert, int64_t *milliseconds)
{
    timestamp t;

    if (!timestamp_parse(alert_fields_text(alert, self->field), &t) || t < 0)
        return false;
    *milliseconds = t / (TICKS_PER_SECOND / 1000);
    return true;
}

/* 0 or more, without a format to read. */
static void append_number(buffer *out, int64_t number)
{
    char digits[20];
    size_t at = sizeof(digits);

    do {
        digits[--at] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    buffer_append(out, (text){digits + at, sizeof(digits) - at});
}

void value_epoch(const value *self, const alert_fields *alert, buffer *out)
{
    int64_t t;

    if (milliseconds_of(self, alert, &t))
        append_number(out, t);
}

void value_seconds(const value *self, const alert_fields *alert, buffer *out)
{
    char written[32];
    int64_t t;

    if (!milliseconds_of(self, alert, &t))
        return;
    snprintf(written, sizeof(written), "%" PRId64 ".%03d", t / 1000, (int)(t % 1000));
    buffer_append_string(out, written);
}

/* --- texts of a kind --- */

/* As inet_pton reads it: no zone, no port, no blanks. */
static bool is_address(text t, int family)
{
    char string[INET6_ADDRSTRLEN];
    struct in6_addr address;

    if (t.length == 0 || t.length >= sizeof(string) || memchr(t.bytes, '\0', t.length) != NULL)
        return false;
    memcpy(string, t.bytes, t.length);
    string[t.length] = '\0';
    return inet_pton(family, string, &address) == 1;
}

/* OCSF and CEF's readers take 40 characters at most. */
static bool is_ipv6(text t)
{
    return t.length <= 40 && is_address(t, AF_INET6);
}

static void append_if(bool condition, text t, buffer *out)
{
    if (condition)
        buffer_append(out, t);
}

void value_ipv4(const value *self, const alert_fields *alert, buffer *out)
{
    text t = alert_fields_text(alert, self->field);

    append_if(is_address(t, AF_INET), t, out);
}

void value_ipv6(const value *self, const alert_fields *alert, buffer *out)
{
    text t = alert_fields_text(alert, self->field);

    append_if(is_ipv6(t), t, out);
}

void value_ip(const value *self, const alert_fields *alert, buffer *out)
{
    text t = alert_fields_text(alert, self->field);

    append_if(is_address(t, AF_INET) || is_ipv6(t), t, out);
}

void value_not_ip(const value *self, const alert_fields *alert, buffer *out)
{
    text t = alert_fields_text(alert, self->field);

    append_if(!is_address(t, AF_INET) && !is_ipv6(t), t, out);
}

void value_with_at(const value *self, const alert_fields *alert, buffer *out)
{
    text t = alert_fields_text(alert, self->field);

    append_if(t.length > 0 && memchr(t.bytes, '@', t.length) != NULL, t, out);
}

static size_t span_of(text t, const char *marks)
{
    size_t length = 0;

    while (length < t.length) {
        char c = t.bytes[length];

        if (!(c >= '0' && c <= '9') && !((c | 32) >= 'a' && (c | 32) <= 'z') &&
            (c == '\0' || strchr(marks, c) == NULL))
            break;
        length++;
    }
    return length;
}

static bool is_email(text t)
{
    size_t local = span_of(t, "!#$%&'*+,-./=?^_`{|}~");
    text domain;
    size_t label;

    if (local == 0 || local == t.length || t.bytes[local] != '@')
        return false;
    domain = text_from(t, local + 1);
    label = span_of(domain, "-");
    return label > 0 && label + 1 < domain.length && domain.bytes[label] == '.' &&
           span_of(text_from(domain, label), "-.") == domain.length - label;
}

void value_email(const value *self, const alert_fields *alert, buffer *out)
{
    text t = alert_fields_text(alert, self->field);

    append_if(is_email(t), t, out);
}

/* --- words of ours --- */

static void append_flag(const alert_fields *alert, alert_field field, const char *words,
                        buffer *out)
{
    if (json_is_true(alert->values[field]))
        buffer_append_string(out, words);
}

void value_match_reason(const value *self, const alert_fields *alert, buffer *out)
{
    text confidence = alert_fields_text(alert, FIELD_CONFIDENCE);

    value_list(&(value){.field = FIELD_MATCHED_BY}, alert, out);
    (void)self;
    append_flag(alert, FIELD_KQL, "; row of the query", out);
    if (confidence.length > 0)
        buffer_append_string(out, "; confidence ");
    buffer_append(out, confidence);
    append_flag(alert, FIELD_LATE, "; late", out);
    append_flag(alert, FIELD_SELFTEST, "; selftest", out);
    append_flag(alert, FIELD_CUT, "; cut", out);
}

/* Sentinel's four severities. Elastic's own rules have the same scores. */
static const struct {
    const char *severity;
    const char *cef; /* and LEEF: 0 to 10 */
    const char *ecs; /* 0 to 100 */
    const char *ocsf;
} severities[] = {
    {"High", "8", "73", "4"},
    {"Medium", "5", "47", "3"},
    {"Low", "3", "21", "2"},
    {"Informational", "1", "1", "1"},
};

void value_severity(const value *self, const alert_fields *alert, buffer *out)
{
    text severity = alert_fields_text(alert, FIELD_SEVERITY);

    for (size_t i = 0; i < sizeof(severities) / sizeof(severities[0]); i++) {
        if (!text_equal(severity, text_of(severities[i].severity)))
            continue;
        buffer_append_string(out, strcmp(self->word, "cef") == 0   ? severities[i].cef
                                  : strcmp(self->word, "ecs") == 0 ? severities[i].ecs
                                                                   : severities[i].ocsf);
        return;
    }
}

void value_confidence(const value *self, const alert_fields *alert, buffer *out)
{
    text confidence = alert_fields_text(alert, FIELD_CONFIDENCE);
    const char *second = strchr(self->word, ' ');

    if (text_equal(confidence, (text)TEXT("exact")))
        buffer_append(out, text_between(self->word, second));
    else if (confidence.length > 0)
        buffer_append_string(out, second + 1);
}
