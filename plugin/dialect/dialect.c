/* SPDX-License-Identifier: Apache-2.0 */
/* dialect: the table of the dialects. */
#include "dialect/dialect.h"

#include "dialect/dialects.h"

struct dialect {
    const char *name;
    void (*write)(const alert_fields *alert, buffer *out);
    bool (*is_object)(json *object); /* of one that is JSON, .. */
    const char *begin;               /* .. and what that begins with, up to the alert's own */
    bool (*is_line)(text line);      /* of one that is none */
};

static const dialect dialects[DIALECTS] = {
    {"securityalert", securityalert_write, securityalert_is,
     "{\"ProviderName\":\"synctap\",\"ProductName\":\"synctap\",\"VendorName\":\"synctap\","
     "\"SystemAlertId\":\"",
     NULL},
    {"cef", cef_write, NULL, NULL, cef_is},
    {"leef", leef_write, NULL, NULL, leef_is},
    {"ecs", ecs_write, ecs_is,
     "{\"ecs\":{\"version\":\"9.4.0\"},\"event\":{\"module\":\"synctap\",\"dataset\":"
     "\"synctap.alert\",\"id\":\"",
     NULL},
    {"ocsf", ocsf_write, ocsf_is,
     "{\"metadata\":{\"product\":{\"name\":\"synctap\",\"vendor_name\":\"synctap\","
     "\"version\":\"",
     NULL},
    {"hec", hec_write, hec_is,
     "{\"source\":\"synctap\",\"sourcetype\":\"synctap:alert\",\"time\":", NULL},
};

const dialect *dialect_at(size_t number)
{
    return number < DIALECTS ? &dialects[number] : NULL;
}

const dialect *dialect_find(text name)
{
    for (size_t i = 0; i < DIALECTS; i++)
        if (text_equal(name, text_of(dialects[i].name)))
            return &dialects[i];
    return NULL;
}

const char *dialect_name(const dialect *self)
{
    return self->name;
}

void dialect_write(const dialect *self, json *alert, buffer *out)
{
    alert_fields fields = alert_fields_of(alert);

    self->write(&fields, out);
}

bool dialect_write_text(const dialect *self, json_parser *parser, text alert, buffer *out)
{
    size_t taken;
    json *tree;

    if (json_parse(parser, alert, &tree, &taken) != NULL)
        return false;
    dialect_write(self, tree, out);
    json_free(tree);
    return !buffer_failed(out);
}

/* --- what was written comes back --- */

enum {
    LONGEST_HEADER = 1024, /* of syslog, with structured data */
    SHORTEST_LINE = 60,    /* with an alert's id */
};

bool dialect_is_object(json *object)
{
    for (size_t i = 0; i < DIALECTS; i++)
        if (dialects[i].is_object != NULL && dialects[i].is_object(object))
            return true;
    return false;
}

static bool begins_with(text t, const char *begin)
{
    size_t length = strlen(begin);

    return t.length >= length && memcmp(t.bytes, begin, length) == 0;
}

/* A whole document is for dialect_is_object. */
static bool is_line(text line)
{
    for (size_t i = 0; i < DIALECTS; i++) {
        const dialect *d = &dialects[i];

        if (d->is_line != NULL ? d->is_line(line)
                               : begins_with(line, d->begin) &&
                                     !json_brackets_close(&(json_brackets){0}, line, line.length))
            return true;
    }
    return false;
}

static bool begins_line(text t)
{
    return t.bytes[0] == '{' || begins_with(t, "CEF:0|synctap|") ||
           begins_with(t, "LEEF:1.0|synctap|");
}

/* Not all texts need a look at each byte. */
static bool may_be_line(text t)
{
    size_t head = t.length < LONGEST_HEADER + 40 ? t.length : LONGEST_HEADER + 40;

    return t.length >= SHORTEST_LINE && memmem(t.bytes, head, "synctap", strlen("synctap")) != NULL;
}

/*
 * Where a syslog header ends, by what may not stand in one: a header has no
 * bar, no brace, and = and quotes in the brackets of structured data alone.
 */
static size_t header_length(text t)
{
    size_t depth = 0;

    for (size_t at = 0; at < t.length && at < LONGEST_HEADER; at++) {
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

size_t dialect_line_length(text t)
{
    size_t begin = may_be_line(t) ? header_length(t) : t.length;
    const char *end;
    text line;

    if (begin == t.length)
        return 0;
    line = text_from(t, begin);
    end = memchr(line.bytes, '\n', line.length);
    if (end != NULL)
        line = text_between(line.bytes, end);
    return is_line(line) ? begin + line.length : 0;
}
