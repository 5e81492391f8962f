/* SPDX-License-Identifier: Apache-2.0 */
/* incident_words: short sentences, put together from the view. */
#include "cli/incident_words.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/span.h"

static void append_number(buffer *out, int64_t number)
{
    char written[24];

    snprintf(written, sizeof(written), "%" PRId64, number);
    buffer_append_string(out, written);
}

void words_append_count(buffer *out, size_t count, const char *what)
{
    append_number(out, (int64_t)count);
    buffer_append_char(out, ' ');
    buffer_append_string(out, what);
    if (count != 1)
        buffer_append_char(out, 's');
}

void words_append_time(buffer *out, timestamp t)
{
    char written[TIMESTAMP_TEXT_SIZE];

    timestamp_format(t, written);
    buffer_append(out, (text){written, 10});
    buffer_append_char(out, ' ');
    buffer_append(out, (text){written + 11, 8});
    buffer_append_string(out, " UTC");
}

void words_append_time_cut(buffer *out, timestamp t, size_t length)
{
    size_t begin = out->length;

    words_append_time(out, t);
    if (!buffer_failed(out))
        out->length = begin + length;
}

/* A text of the alert that is a time in our own form, or stands as it came. */
static void append_time_text(buffer *out, text written)
{
    timestamp t;

    if (timestamp_parse(written, &t))
        words_append_time(out, t);
    else
        buffer_append(out, written);
}

void words_append_span(buffer *out, timespan span)
{
    char written[SPAN_TEXT_SIZE];

    buffer_append_string(out, span_format(span, written));
}

void words_append_delay(buffer *out, const view_alert *a)
{
    if (a->detected == 0 || a->event == 0)
        buffer_append_string(out, "unknown");
    else
        words_append_span(out, a->detected - a->event);
}

/* --- who did what --- */

void words_append_names(buffer *out, const view_names *names)
{
    if (names->count == 0) {
        buffer_append_string(out, "nobody");
        return;
    }
    buffer_append(out, names->names[0].name);
    if (names->count > 1) {
        buffer_append_string(out, " and ");
        append_number(out, (int64_t)names->count - 1);
        buffer_append_string(out, " more");
    }
}

void words_append_headline(buffer *out, const incident_view *v)
{
    words_append_names(out, &v->actors);
    buffer_append_string(out, ": ");
    words_append_names(out, &v->operations);
    buffer_append_string(out, " on ");
    words_append_names(out, &v->targets);
}

static const struct {
    const char *method;
    const char *words;
} methods[] = {
    {"temporary_access_pass", "Temporary Access Pass"},
    {"phone", "phone"},
    {"email", "email address"},
    {"authenticator", "Authenticator app"},
    {"oath", "OATH token"},
    {"fido2", "security key (FIDO2)"},
    {"password", "password"},
    {"other", "security info of another kind"},
};

static const char *words_of_method(text method)
{
    for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
        if (text_equal(method, text_of(methods[i].method)))
            return methods[i].words;
    return "security info (the record does not say of which kind)";
}

void words_append_method(buffer *out, const view_alert *a)
{
    text end = view_pass(a, "end"), usage = view_pass(a, "usage");

    if (!a->is_built_in && a->method.length == 0)
        return;
    buffer_append_string(out, words_of_method(a->method));
    if (end.length > 0) {
        buffer_append_string(out, ", valid until ");
        append_time_text(out, end);
    }
    if (usage.length > 0) {
        buffer_append_string(out, ", ");
        buffer_append(out, usage);
    }
}

/* Times in our own form are in order as texts. */
static const view_alert *longest_pass(const incident_view *v)
{
    const view_alert *longest = NULL;

    for (size_t i = 0; i < v->count; i++) {
        const view_alert *a = &v->alerts[i];

        if (view_pass(a, "end").length > 0 &&
            (longest == NULL || text_compare(view_pass(a, "end"), view_pass(longest, "end")) > 0))
            longest = a;
    }
    return longest;
}

void words_append_pass(buffer *out, const incident_view *v)
{
    const view_alert *longest = longest_pass(v);

    if (longest != NULL) {
        words_append_method(out, longest);
    } else if (v->count > 0 && !v->alerts[0].is_built_in) {
        buffer_append(out, json_string(json_member(v->alerts[0].tree, "display_name")));
    } else if (v->count > 0) {
        words_append_method(out, &v->alerts[0]);
        buffer_append_string(out, "; no record says until when it is valid");
    }
}

static void append_mark(buffer *out, size_t begin, const char *word)
{
    buffer_append_string(out, out->length > begin ? ", " : "");
    buffer_append_string(out, word);
}

void words_append_marks(buffer *out, const view_alert *a)
{
    size_t begin = out->length;

    if (a->is_late)
        append_mark(out, begin, "late");
    if (a->is_degraded)
        append_mark(out, begin, "degraded");
    if (a->is_cut)
        append_mark(out, begin, "cut");
    if (a->repeats > 0) {
        append_mark(out, begin, "came ");
        words_append_count(out, (size_t)a->repeats, "more time");
    }
}

/* --- roles --- */

void words_append_roles(buffer *out, const view_account *account)
{
    if (!account->is_known) {
        buffer_append_string(out, "not in the role list");
        return;
    }
    if (account->roles.length > 0)
        buffer_append(out, account->roles);
    else
        buffer_append_string(out, "no role");
    if (account->eligible.length > 0) {
        buffer_append_string(out, ", eligible for ");
        buffer_append(out, account->eligible);
    }
    buffer_append_string(out, account->is_sync_account ? " (a sync account)"
                                                       : " (no sync account by that)");
}

void words_append_roles_then(buffer *out, const view_roles *roles, bool is_late)
{
    if (is_late && (!roles->then.is_known || roles->then.is_sync_account)) {
        buffer_append_string(out, "not a sync account by the list when the record came");
        return;
    }
    words_append_roles(out, &roles->then);
    if (!roles->then_is_kept)
        buffer_append_string(out, " (as far as is known: changes are kept for a day)");
}
