/* SPDX-License-Identifier: Apache-2.0 */
/* modified_property: Entra's names, and Elastic's own. */
#include "record/modified_property.h"

static json *either_of(json_view *r, json *from, const char *name, const char *elastics)
{
    json *value = json_view_at(r, from, name);

    return value != NULL ? value : json_view_at(r, from, elastics);
}

/* Of a row that holds one property of a target, the others stand beside it. */
json_list modified_properties_of(json_view *r, const audit_record *record,
                                 const audit_target *target)
{
    json *whole = target->key != NULL ? record->target_resources : target->value;
    json *value = either_of(r, whole, "modifiedProperties", "modified_properties");

    return json_view_list(r, json_view_open(r, value));
}

text modified_property_name(json_view *r, json *property)
{
    return json_string(either_of(r, property, "displayName", "display_name"));
}

text modified_property_old(json_view *r, json *property)
{
    return json_view_plain_text(r, either_of(r, property, "oldValue", "old_value"));
}

text modified_property_new(json_view *r, json *property)
{
    return json_view_plain_text(r, either_of(r, property, "newValue", "new_value"));
}
