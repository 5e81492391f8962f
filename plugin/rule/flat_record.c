/* SPDX-License-Identifier: Apache-2.0 */
/* flat_record: keys compared by their letters and digits alone. */
#include "rule/flat_record.h"

#include <ctype.h>

enum { LONGEST_KEY = 128 }; /* of its letters and digits; what is longer is cut at its front */

/* Custom tables of Log Analytics name a text's type: OperationName_s. */
static text without_type(text key)
{
    bool has_type = key.length > 2 && memcmp(key.bytes + key.length - 2, "_s", 2) == 0;

    return has_type ? (text){key.bytes, key.length - 2} : key;
}

/* Writes the key's letters and digits in lower case; how many. */
static size_t plain_key(text key, char plain[LONGEST_KEY])
{
    size_t length = 0;

    key = without_type(key);
    if (key.length > LONGEST_KEY)
        key = text_from(key, key.length - LONGEST_KEY);
    for (size_t i = 0; i < key.length; i++)
        if (isalnum((unsigned char)key.bytes[i]))
            plain[length++] = (char)tolower((unsigned char)key.bytes[i]);
    return length;
}

typedef struct key_list {
    text ends[5]; /* the rest is empty */
} key_list;

static const key_list own_keys = {{TEXT("operationname"), TEXT("activitydisplayname")}};

/* Where the normalizers of Office 365, ASIM, OCSF and ECS put it; never a text that talks of one.
 */
static const key_list other_keys = {{TEXT("operation"), TEXT("activityname"), TEXT("eventtype"),
                                     TEXT("eventoriginaltype"), TEXT("eventaction")}};

static bool ends_as_one(text key, const key_list *keys)
{
    char plain[LONGEST_KEY];
    size_t length = plain_key(key, plain);

    for (size_t i = 0; i < sizeof(keys->ends) / sizeof(keys->ends[0]); i++) {
        text end = keys->ends[i];

        if (end.length > 0 && length >= end.length &&
            memcmp(plain + length - end.length, end.bytes, end.length) == 0)
            return true;
    }
    return false;
}

static bool is_operation(text written, const rule *r)
{
    const audit_record shown = {.operation_name = written, .activity_name = written};
    unsigned reasons;

    return written.length > 0 && rule_is_operation(r, &shown, rule_get_semantics(r), &reasons);
}

static bool shows_it_under(json *object, const key_list *keys, const rule *r)
{
    json_members all = json_members_of(object);
    const char *key;
    json *value;

    while (json_next_member(&all, &key, &value))
        if (json_kind_of(value) == JSON_STRING && ends_as_one(text_of(key), keys) &&
            is_operation(json_string(value), r))
            return true;
    return false;
}

/* OpenTelemetry's [{"key":"operationName","value":{"stringValue":..}}]. */
static bool shows_it_in_attributes(json *object, const rule *r)
{
    json *attributes = json_member(object, "attributes");
    size_t length = json_array_length(attributes);

    for (size_t i = 0; i < length; i++) {
        json *item = json_array_item(attributes, i);
        json *value = json_member(json_member(item, "value"), "stringValue");
        text key = json_string(json_member(item, "key"));

        if ((ends_as_one(key, &own_keys) || ends_as_one(key, &other_keys)) &&
            is_operation(json_string(value), r))
            return true;
    }
    return false;
}

/* As OCSF's api.operation and ECS's event.action stand; other objects in it may be records. */
static bool shows_it_in_part(json *object, const rule *r)
{
    return is_operation(json_string(json_member(json_member(object, "api"), "operation")), r) ||
           is_operation(json_string(json_member(json_member(object, "event"), "action")), r);
}

/* Is there a record or a JSON text in it that shows the operation? That is judged by itself. */
static bool carries_one(json *value, const rule *r)
{
    json_members all = json_members_of(value);
    size_t length = json_array_length(value);
    text written = json_string(value);
    const char *key;
    json *member;

    for (size_t i = 0; i < length; i++)
        if (carries_one(json_array_item(value, i), r))
            return true;
    while (json_next_member(&all, &key, &member))
        if (carries_one(member, r))
            return true;
    return shows_it_under(value, &own_keys, r) ||
           (written.length > 0 && memchr(written.bytes, '{', written.length) != NULL &&
            is_operation(written, r));
}

bool flat_record_shows_operation(json *object, const rule *r)
{
    if (shows_it_under(object, &own_keys, r))
        return true;
    return (shows_it_under(object, &other_keys, r) || shows_it_in_part(object, r) ||
            shows_it_in_attributes(object, r)) &&
           !carries_one(object, r);
}

bool flat_record_shows_target(json *object)
{
    static const text name = TEXT("targetresources");
    json_members all = json_members_of(object);
    const char *key;
    json *value;

    while (json_next_member(&all, &key, &value)) {
        char plain[LONGEST_KEY];
        size_t length = plain_key(text_of(key), plain);

        if (length > name.length && memmem(plain, length, name.bytes, name.length) != NULL)
            return true;
    }
    return false;
}
