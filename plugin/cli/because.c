/* SPDX-License-Identifier: Apache-2.0 */
/* because: the parts of an explanation in the order in which they decide. */
#include "cli/because.h"

static bool holds(json *verdicts, semantics in)
{
    return json_is_true(json_member(verdicts, in == SEMANTICS_KQL ? "kql" : "wide"));
}

static void append_operation(json *operation, buffer *out)
{
    text name = json_string(json_member(operation, "operation_name"));

    if (name.length == 0)
        name = json_string(json_member(operation, "activity_display_name"));
    buffer_append_string(out, "the operation \"");
    buffer_append(out, name);
    buffer_append_string(out, "\" is none of the rule's");
}

/* The clauses that hold, in a list. False when none does. */
static bool append_clauses(json *target, semantics in, buffer *out)
{
    json *clauses = json_member(target, "clauses");
    bool any = false;

    for (size_t i = 0; i < json_array_length(clauses); i++) {
        json *clause = json_array_item(clauses, i);

        if (!holds(clause, in))
            continue;
        buffer_append_string(out, any ? ", " : "");
        buffer_append(out, json_string(json_member(clause, "clause")));
        any = true;
    }
    return any;
}

static void append_name(json *target, buffer *out)
{
    text upn = json_string(json_member(target, "upn"));

    buffer_append(out, upn.length > 0 ? upn : json_string(json_member(target, "id")));
}

static bool is_of_reading(json *target, semantics in)
{
    text reading = json_string(json_member(target, "reading"));

    return in == SEMANTICS_WIDE || !text_equal(reading, (text)TEXT("wide"));
}

/* False when no target matches. */
static bool append_targets(json *targets, semantics in, buffer *out)
{
    bool any = false;

    for (size_t i = 0; i < json_array_length(targets); i++) {
        json *target = json_array_item(targets, i);
        buffer clauses = {0};

        if (is_of_reading(target, in) && append_clauses(target, in, &clauses)) {
            buffer_append_string(out, any ? "; " : "");
            buffer_append_string(out, "the target ");
            append_name(target, out);
            buffer_append_string(out, " is a sync account by ");
            buffer_append(out, buffer_text(&clauses));
            any = true;
        }
        out->failed |= buffer_failed(&clauses);
        buffer_free(&clauses);
    }
    return any;
}

void because_append(json *record, semantics in, buffer *out)
{
    json *operation = json_member(record, "operation");
    json *targets = json_member(record, "targets");

    if (!holds(operation, in))
        append_operation(operation, out);
    else if (!json_is_true(json_member(json_member(record, "time"), "is_within_lookback")))
        buffer_append_string(out, "it was generated before the lookback");
    else if (json_array_length(targets) == 0)
        buffer_append_string(out, "it names no target");
    else if (!append_targets(targets, in, out))
        buffer_append_string(out, "no target is a sync account by its name or by the role list");
}
