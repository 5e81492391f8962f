/* SPDX-License-Identifier: Apache-2.0 */
/* dialect: the table of the dialects. */
#include "dialect/dialect.h"

#include "dialect/dialects.h"

struct dialect {
    const char *name;
    void (*write)(const alert_fields *alert, buffer *out);
};

static const dialect dialects[DIALECTS] = {
    {"securityalert", securityalert_write},
    {"cef", cef_write},
    {"leef", leef_write},
    {"ecs", ecs_write},
    {"ocsf", ocsf_write},
    {"hec", hec_write},
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
