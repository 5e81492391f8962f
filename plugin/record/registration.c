/* SPDX-License-Identifier: Apache-2.0 */
/* registration: tables of words and of names. */
#include "record/registration.h"

#include <stdlib.h>

#include "record/modified_property.h"

/* --- the method --- */

/*
 * What was registered, from words in the reason or the operation; the first
 * that fits counts. The words are those of reasons as Entra records them:
 *
 *   Admin registered temporary access pass method for user
 *   User registered temporary access pass method
 *   User registered Fido, User registered Fido2 Authentication Method, User registered Passkey
 *   User registered Authenticator App with Code, .. with Notification and Code
 *   User registered Microsoft Authenticator Authentication Method, .. Microsoft Authenticator Lite
 *   User registered Mobile Phone SMS, .. Mobile Phone Call and SMS, .. Alternate Mobile Phone Call
 *   Admin registered phone method for user, User registered Office Phone
 *   Admin registered email method for user, User registered Email
 *   User registered Software OATH token, .. Hardware OATH token
 *   User registered App Password, User registered security questions
 *
 * after Microsoft's pages "Troubleshooting combined security information
 * registration" and "Security operations for privileged accounts", the
 * examples of Get-EntraBetaAuditDirectoryLog, and public write-ups of audit
 * logs. "Passwordless phone sign-in" is the authenticator app's.
 */
static const struct {
    text word;
    text method;
} methods[] = {
    {TEXT("temporary access pass"), TEXT("temporary_access_pass")},
    {TEXT("temporaryaccesspass"), TEXT("temporary_access_pass")},
    {TEXT("passwordless"), TEXT("authenticator")},
    {TEXT("authenticator"), TEXT("authenticator")},
    {TEXT("fido"), TEXT("fido2")},
    {TEXT("passkey"), TEXT("fido2")},
    {TEXT("security key"), TEXT("fido2")},
    {TEXT("oath"), TEXT("oath")},
    {TEXT("software token"), TEXT("oath")},
    {TEXT("hardware token"), TEXT("oath")},
    {TEXT("email"), TEXT("email")},
    {TEXT("mobile app"), TEXT("authenticator")},
    {TEXT("phone app"), TEXT("authenticator")},
    {TEXT("phone"), TEXT("phone")},
    {TEXT("mobile"), TEXT("phone")},
    {TEXT("password"), TEXT("password")},
};

static text method_in(text words)
{
    for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
        if (kql_contains(words, methods[i].word, SEMANTICS_KQL))
            return methods[i].method;
    return (text)TEXT("");
}

/* The first property that names a method. */
static text method_of_properties(json_view *r, const json_list *properties)
{
    text method = TEXT("");

    for (size_t i = 0; method.length == 0 && i < properties->count; i++)
        method = method_in(modified_property_name(r, json_list_item(properties, i)));
    return method;
}

static text method_of(json_view *r, const audit_record *record, const json_list *properties)
{
    text method = method_in(record->result_reason);

    if (method.length == 0)
        method = method_of_properties(r, properties);
    if (method.length == 0)
        method = method_in(record->operation_name);
    if (method.length == 0 && record->result_reason.length > 0)
        method = (text)TEXT("other");
    return method;
}

/* --- the pass --- */

enum pass_part {
    PASS_ID,
    PASS_START,
    PASS_END,
    PASS_USAGE,
    PASS_IS_ONCE,
    PASS_LIFETIME,
    PASS_PARTS
};

/* Behind one `TemporaryAccessPass.` or two. */
static const struct {
    text name;
    enum pass_part part;
} pass_names[] = {
    {TEXT("Id"), PASS_ID},
    {TEXT("StartDateTime"), PASS_START},
    {TEXT("StartTime"), PASS_START},
    {TEXT("EndDateTime"), PASS_END},
    {TEXT("EndTime"), PASS_END},
    {TEXT("AccessPassUsage"), PASS_USAGE},
    {TEXT("IsUsableOnce"), PASS_IS_ONCE},
    {TEXT("LifetimeInMinutes"), PASS_LIFETIME},
};

/* PASS_PARTS: it is none of the pass's. */
static enum pass_part part_named(text name)
{
    static const text prefix = TEXT("TemporaryAccessPass.");

    if (!kql_startswith(name, prefix, SEMANTICS_KQL))
        return PASS_PARTS;
    while (kql_startswith(name, prefix, SEMANTICS_KQL))
        name = text_from(name, prefix.length);
    for (size_t i = 0; i < sizeof(pass_names) / sizeof(pass_names[0]); i++)
        if (kql_equals(name, pass_names[i].name, SEMANTICS_KQL))
            return pass_names[i].part;
    return PASS_PARTS;
}

static text usage_of(text usage, text is_once)
{
    if (usage.length > 0)
        return usage;
    if (kql_equals(is_once, (text)TEXT("true"), SEMANTICS_KQL))
        return (text)TEXT("Once");
    if (kql_equals(is_once, (text)TEXT("false"), SEMANTICS_KQL))
        return (text)TEXT("Multiple");
    return is_once;
}

/* 0 when one of them is not known. */
static timestamp end_of_lifetime(text start, text minutes)
{
    enum { MOST_DIGITS = 7 };
    char digits[MOST_DIGITS + 1] = {0};
    timestamp begin;
    char *end;
    long count;

    if (minutes.length == 0 || minutes.length > MOST_DIGITS || !timestamp_parse(start, &begin))
        return 0;
    memcpy(digits, minutes.bytes, minutes.length);
    count = strtol(digits, &end, 10);
    return *end == '\0' && count > 0 ? begin + count * 60 * TICKS_PER_SECOND : 0;
}

static void read_pass(json_view *r, const json_list *properties, registration *result)
{
    text parts[PASS_PARTS + 1]; /* the last one is of no use */

    for (size_t i = 0; i <= PASS_PARTS; i++)
        parts[i] = (text)TEXT("");
    for (size_t i = 0; i < properties->count; i++) {
        json *property = json_list_item(properties, i);
        enum pass_part part = part_named(modified_property_name(r, property));

        if (part != PASS_PARTS && parts[part].length == 0)
            parts[part] = modified_property_new(r, property);
    }
    result->pass_id = parts[PASS_ID];
    result->pass_start = parts[PASS_START];
    result->pass_end = parts[PASS_END];
    result->pass_usage = usage_of(parts[PASS_USAGE], parts[PASS_IS_ONCE]);
    if (result->pass_end.length == 0)
        result->lifetime_end = end_of_lifetime(parts[PASS_START], parts[PASS_LIFETIME]);
}

bool registration_read(const audit_record *record, const audit_target *target,
                       const audit_reader *reader, registration *result)
{
    json_view r = audit_record_view(record, reader);
    json_list properties = modified_properties_of(&r, record, target);

    *result = (registration){0};
    result->method = method_of(&r, record, &properties);
    read_pass(&r, &properties, result);
    result->is_broken = audit_reading_met_broken_json(&r);
    return !r.out_of_memory;
}
