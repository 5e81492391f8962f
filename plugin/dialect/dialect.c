/* SPDX-License-Identifier: Apache-2.0 */
/* dialect: the table of the dialects. */
#include "dialect/dialect.h"

#include "dialect/dialects.h"

struct dialect {
    const char *name;
    void (*write)(const alert_fields *alert, buffer *out);
    const char *begin;               /* up to what is the alert's own */
    bool (*is_object)(json *object); /* of one that is JSON */
    bool (*is_line)(text line);      /* of one that is none */
};

static const dialect dialects[DIALECTS] = {
    {"securityalert", securityalert_write,
     "{\"ProviderName\":\"synctap\",\"ProductName\":\"synctap\",\"VendorName\":\"synctap\","
     "\"SystemAlertId\":\"",
     securityalert_is, NULL},
    {"cef", cef_write, "CEF:0|synctap|synctap|", NULL, cef_is},
    {"leef", leef_write, "LEEF:1.0|synctap|synctap|", NULL, leef_is},
    {"ecs", ecs_write,
     "{\"ecs\":{\"version\":\"9.4.0\"},\"event\":{\"module\":\"synctap\",\"dataset\":"
     "\"synctap.alert\",\"id\":\"",
     ecs_is, NULL},
    {"ocsf", ocsf_write,
     "{\"metadata\":{\"product\":{\"name\":\"synctap\",\"vendor_name\":\"synctap\","
     "\"version\":\"",
     ocsf_is, NULL},
    {"hec", hec_write, "{\"source\":\"synctap\",\"sourcetype\":\"synctap:alert\",\"time\":", hec_is,
     NULL},
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

bool dialect_is_object(json *object)
{
    for (size_t i = 0; i < DIALECTS; i++)
        if (dialects[i].is_object != NULL && dialects[i].is_object(object))
            return true;
    return false;
}

bool dialect_begins(text t)
{
    for (size_t i = 0; i < DIALECTS; i++)
        if (t.bytes[0] == dialects[i].begin[0] && text_begins_with(t, dialects[i].begin))
            return true;
    return false;
}

bool dialect_is_line(text line)
{
    for (size_t i = 0; i < DIALECTS; i++)
        if (dialects[i].is_line != NULL && dialects[i].is_line(line))
            return true;
    return false;
}
