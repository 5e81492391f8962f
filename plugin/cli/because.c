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

/* A rule file's row: all conditions, or the first term of the first that does not hold. */
static void append_rows(json *rows, semantics in, buffer *out)
{
    json *last = NULL;

    for (size_t i = 0; i < json_array_length(rows); i++) {
        json *row = json_array_item(rows, i);

        if (!is_of_reading(row, in))
            continue;
        last = row;
        if (!json_is_true(json_member(row, "matches")))
            continue;
        buffer_append_string(out, "all conditions hold for row ");
        buffer_append(out, json_string(json_member(row, "positions")));
        return;
    }
    buffer_append_string(out, last != NULL ? "a condition does not hold, see its terms"
                                           : "the query makes no row of it");
}

void because_append(json *record, semantics in, buffer *out)
{
    json *operation = json_member(record, "operation");
    json *targets = json_member(record, "targets");

    if (json_has_member(record, "rows"))
        append_rows(json_member(record, "rows"), in, out);
    else if (!holds(operation, in))
        append_operation(operation, out);
    else if (!json_is_true(json_member(json_member(record, "time"), "is_within_lookback")))
        buffer_append_string(out, "it was generated before the lookback");
    else if (json_array_length(targets) == 0)
        buffer_append_string(out, "it names no target");
    else if (!append_targets(targets, in, out))
        buffer_append_string(out, "no target is a sync account by its name or by the role list");
}

/* --- the reasons of matched_by --- */

static const char *const reasons[RULE_REASONS] = {
    [CLAUSE_IDENTITY_UPN] = "The role list has this user principal name as a sync account's.",
    [CLAUSE_IDENTITY_OBJECT_ID] = "The role list has this object id as a sync account's.",
    [CLAUSE_UPN_STARTSWITH] = "Its user principal name begins as those of sync accounts do.",
    [CLAUSE_UPN_CONTAINS] = "Its user principal name contains a part that is a sync account's.",
    [CLAUSE_UPN_HAS] = "Its user principal name has the words of a sync account's name.",
    [WIDE_JSON_STRING] = "A part of the record is JSON within a string, which the query reads as "
                         "nothing.",
    [WIDE_TARGET_OBJECT] = "The record has its target as an object, not in an array; the query "
                           "reads such a target as nothing.",
    [WIDE_KEY_CASE] = "A key of the record is written in another case than the query's.",
    [WIDE_ID_CASE] = "The object id is the role list's in another case; the query compares ids "
                     "letter by letter.",
    [WIDE_LETTERS] = "A letter that only looks like the one of a phrase, or stands beside it, "
                     "hides the phrase from the query.",
    [WIDE_DELETED_USER] = "The account was deleted: its object id stands in front of its name.",
    [WIDE_ACTIVITY_NAME] = "The phrase stands in the activity's name, not in the operation's.",
    [WIDE_OPERATION] = "The operation is one that the rule's query does not name.",
    [WIDE_ROLE] = "The role list names the role by its id, or in another case.",
    [WIDE_LEARNED] =
        "The account got a sync role a short while ago; the role list does not know it "
        "yet.",
    [WIDE_RECENT] = "The account had a sync role until a short while ago.",
    [WIDE_ELIGIBLE] = "The account may activate a sync role at any time; it is not active now.",
    [WIDE_TARGET_ELSEWHERE] = "The record names its target beside the place where the query looks.",
    [WIDE_TIME_UNREAD] = "The record's time is not understood: it counts as made when it came.",
};

const char *because_reason(text name)
{
    for (rule_reason r = 0; r < RULE_REASONS; r++)
        if (text_equal(name, text_of(reason_name(r))))
            return reasons[r];
    return "This term of the rule's query holds.";
}
