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

static bool ends_as_operation(text key)
{
    static const text names[] = {TEXT("operationname"), TEXT("activitydisplayname")};
    char plain[LONGEST_KEY];
    size_t length = plain_key(key, plain);

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (length >= names[i].length &&
            memcmp(plain + length - names[i].length, names[i].bytes, names[i].length) == 0)
            return true;
    return false;
}

bool flat_record_shows_operation(json *object, const rule *r)
{
    json_members all = json_members_of(object);
    unsigned reasons;
    const char *key;
    json *value;

    while (json_next_member(&all, &key, &value)) {
        text written = json_string(value);
        audit_record shown = {.operation_name = written, .activity_name = written};

        if (written.length > 0 && ends_as_operation(text_of(key)) &&
            rule_is_operation(r, &shown, rule_get_semantics(r), &reasons))
            return true;
    }
    return false;
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
