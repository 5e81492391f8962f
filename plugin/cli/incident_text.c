/* SPDX-License-Identifier: Apache-2.0 */
/* incident_text: the same words in three kinds of text. */
#include "cli/incident_text.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/shown.h"
#include "cli/because.h"
#include "cli/incident_steps.h"
#include "cli/incident_words.h"

/* --- JSON --- */

static void write_time(buffer *out, const char *key, timestamp t)
{
    char written[TIMESTAMP_TEXT_SIZE];

    timestamp_format(t, written);
    json_write_member(out, key, text_of(written));
}

static void write_number(buffer *out, const char *key, size_t number)
{
    char written[24];

    snprintf(written, sizeof(written), "%zu", number);
    json_write_key(out, key);
    buffer_append_string(out, written);
}

static void write_names(buffer *out, const char *key, const view_names *names)
{
    json_write_key(out, key);
    buffer_append_char(out, '[');
    for (size_t i = 0; i < names->count; i++) {
        json_write_item(out);
        json_write_string(out, names->names[i].name);
    }
    buffer_append_char(out, ']');
}

static void write_closing(buffer *out, const incident_view *v)
{
    if (strcmp(v->status, "closed") == 0) {
        write_time(out, "closed_at", v->closed);
    } else {
        json_write_key(out, "closed_at");
        buffer_append_string(out, "null");
    }
    json_write_member(out, "closed_by", v->closed_by);
    json_write_member(out, "closed_reason", v->closed_reason);
}

void incident_members_append(buffer *out, const incident_view *v, const incident_row *row)
{
    json_write_member(out, "incident_id", text_of(v->id));
    json_write_member(out, "action", text_of(row->action));
    json_write_member(out, "status", text_of(v->status));
    json_write_member(out, "tenant_id", v->tenant);
    json_write_key(out, "key");
    buffer_append(out, v->key);
    write_time(out, "opened_at", v->opened);
    write_time(out, "last_alert_at", v->last_alert);
    write_number(out, "alert_count", (size_t)row->alert_count);
    json_write_member(out, "first_alert", v->first_alert);
    json_write_member(out, "title", v->rule_name);
    write_closing(out, v);
    write_names(out, "actors", &v->actors);
    write_names(out, "operations", &v->operations);
    write_names(out, "targets", &v->targets);
    write_names(out, "sources", &v->sources);
    write_number(out, "late", v->late);
    write_number(out, "degraded", v->degraded);
    write_number(out, "repeats", v->repeats);
}

/* --- a row of a person's list --- */

/* For the next words; a failure of those before is the text's. */
static void begin_anew(buffer *words, buffer *out)
{
    out->failed |= buffer_failed(words);
    buffer_clear(words);
}

static void write_time_cut(buffer *out, const char *key, timestamp t, size_t length)
{
    buffer words = {0};

    words_append_time_cut(&words, t, length);
    json_write_member(out, key, buffer_text(&words));
    out->failed |= buffer_failed(&words);
    buffer_free(&words);
}

static void write_words(buffer *out, const char *key, const view_names *names)
{
    buffer words = {0};

    words_append_names(&words, names);
    json_write_member(out, key, buffer_text(&words));
    out->failed |= buffer_failed(&words);
    buffer_free(&words);
}

static void write_late(buffer *out, const incident_view *v)
{
    char words[64];

    if (v->late == 0)
        snprintf(words, sizeof(words), "no");
    else if (v->late == v->count)
        snprintf(words, sizeof(words), "yes");
    else
        snprintf(words, sizeof(words), "%zu of %zu", v->late, v->count);
    json_write_member(out, "late", text_of(words));
}

void incident_row_append(buffer *out, const incident_view *v, text id)
{
    buffer_append_char(out, '{');
    json_write_member(out, "incident", id);
    json_write_member(out, "status", text_of(v->status));
    write_time_cut(out, "opened", v->opened, WORDS_TO_MINUTES);
    write_words(out, "who", &v->actors);
    write_words(out, "what", &v->operations);
    write_words(out, "target", &v->targets);
    write_number(out, "alerts", v->count);
    write_late(out, v);
    if (strcmp(v->status, "closed") == 0)
        write_time_cut(out, "closed", v->closed, WORDS_TO_MINUTES);
    buffer_append_char(out, '}');
}

/* --- one incident's table --- */

void incident_alert_row_append(buffer *out, const view_alert *a)
{
    buffer words = {0};

    buffer_append_char(out, '{');
    write_time_cut(out, "event", a->event, WORDS_TO_SECONDS);
    words_append_delay(&words, a);
    json_write_member(out, "detected after", buffer_text(&words));
    json_write_member(out, "who", view_name_or_id(a->actor, a->actor_id));
    json_write_member(out, "what", a->operation);
    json_write_member(out, "target", view_name_or_id(a->target, a->target_id));
    json_write_member(out, "from", a->source);
    begin_anew(&words, out);
    words_append_marks(&words, a);
    json_write_member(out, "marks", buffer_text(&words));
    buffer_append_char(out, '}');
    out->failed |= buffer_failed(&words);
    buffer_free(&words);
}

/* A line of plain text, fit to be shown. */
static void end_line(buffer *out, buffer *words)
{
    shown_append(out, buffer_text(words));
    buffer_append_char(out, '\n');
    out->failed |= buffer_failed(words);
    buffer_free(words);
    *words = (buffer){0};
}

static void append_status(buffer *words, const incident_view *v)
{
    buffer_append_string(words, "incident ");
    buffer_append_string(words, v->id);
    buffer_append_string(words, ": ");
    buffer_append_string(words, v->status);
    buffer_append_string(words, ", opened ");
    words_append_time(words, v->opened);
    buffer_append_string(words, ", ");
    words_append_count(words, v->count, "alert");
}

static void append_closing(buffer *words, const incident_view *v)
{
    buffer_append_string(words, "closed ");
    words_append_time(words, v->closed);
    if (v->closed_by.length > 0) {
        buffer_append_string(words, " by ");
        buffer_append(words, v->closed_by);
    }
    if (v->closed_reason.length > 0) {
        buffer_append_string(words, ": ");
        buffer_append(words, v->closed_reason);
    }
}

void incident_head_append(buffer *out, const incident_view *v)
{
    buffer words = {0};

    words_append_headline(&words, v);
    end_line(out, &words);
    words_append_pass(&words, v);
    end_line(out, &words);
    append_status(&words, v);
    end_line(out, &words);
    if (strcmp(v->status, "closed") == 0) {
        append_closing(&words, v);
        end_line(out, &words);
    }
    if (v->unreadable > 0) {
        words_append_count(&words, v->unreadable, "alert");
        buffer_append_string(&words, " of it cannot be read any more");
        end_line(out, &words);
    }
}

/* --- Markdown --- */

static size_t longest_run_of_ticks(text t)
{
    size_t longest = 0, run = 0;

    for (size_t i = 0; i < t.length; i++) {
        run = t.bytes[i] == '`' ? run + 1 : 0;
        longest = run > longest ? run : longest;
    }
    return longest;
}

static void append_ticks(buffer *out, size_t count)
{
    while (count-- > 0)
        buffer_append_char(out, '`');
}

/* A code span with a fence that is nowhere inside; blanks keep it off a backtick of the text's. */
static void append_code(buffer *out, text t)
{
    buffer shown = {0};
    size_t fence;
    bool padded;

    if (t.length == 0)
        return;
    shown_append(&shown, t);
    fence = longest_run_of_ticks(buffer_text(&shown)) + 1;
    padded = fence > 1 || (shown.length > 0 && shown.bytes[0] == ' ');
    append_ticks(out, fence);
    buffer_append_string(out, padded ? " " : "");
    buffer_append(out, buffer_text(&shown));
    buffer_append_string(out, padded ? " " : "");
    append_ticks(out, fence);
    out->failed |= buffer_failed(&shown);
    buffer_free(&shown);
}

static void append_code_names(buffer *out, const view_names *names)
{
    if (names->count == 0)
        buffer_append_string(out, "nobody");
    else
        append_code(out, names->names[0].name);
    if (names->count > 1)
        buffer_append_string(out, " and more");
}

typedef void append_words_of(buffer *out, const incident_view *v);

static void append_words(buffer *out, append_words_of *append, const incident_view *v)
{
    buffer words = {0};

    append(&words, v);
    append_code(out, buffer_text(&words));
    out->failed |= buffer_failed(&words);
    buffer_free(&words);
}

static void append_item(buffer *out, const char *title, text t)
{
    if (t.length == 0)
        return;
    buffer_append_string(out, "- ");
    buffer_append_string(out, title);
    buffer_append_string(out, ": ");
    append_code(out, t);
    buffer_append_char(out, '\n');
}

static void append_markdown_head(buffer *out, const incident_view *v)
{
    buffer_append_string(out, "# ");
    append_code_names(out, &v->operations);
    buffer_append_string(out, " on ");
    append_code_names(out, &v->targets);
    buffer_append_string(out, "\n\nBy ");
    append_code_names(out, &v->actors);
    buffer_append_string(out, ". ");
    append_words(out, words_append_pass, v);
    buffer_append_string(out, "\n\n- Rule: ");
    append_code(out, v->rule_name);
    buffer_append_string(out, "\n- Incident: ");
    append_words(out, append_status, v);
    buffer_append_char(out, '\n');
    if (strcmp(v->status, "closed") == 0) {
        buffer_append_string(out, "- ");
        append_words(out, append_closing, v);
        buffer_append_char(out, '\n');
    }
    append_item(out, "Tenant", v->tenant);
    for (size_t i = 0; i < v->sources.count; i++)
        append_item(out, "Source address", v->sources.names[i].name);
}

static void append_markdown_alert(buffer *out, const view_alert *a)
{
    buffer words = {0};

    buffer_append_string(out, "- ");
    words_append_time(out, a->event);
    buffer_append_string(out, ": ");
    append_code(out, a->operation);
    buffer_append_string(out, " by ");
    append_code(out, view_name_or_id(a->actor, a->actor_id));
    buffer_append_string(out, " on ");
    append_code(out, view_name_or_id(a->target, a->target_id));
    buffer_append_string(out, ", detected after ");
    words_append_delay(out, a);
    words_append_marks(&words, a);
    if (words.length > 0)
        buffer_append_string(out, "; ");
    buffer_append(out, buffer_text(&words));
    buffer_append_char(out, '\n');
    out->failed |= buffer_failed(&words);
    buffer_free(&words);
}

static void append_markdown_roles(buffer *out, const incident_view *v)
{
    if (v->roles == NULL)
        return;
    buffer_append_string(out, "\n## The targets' roles\n\n");
    for (size_t i = 0; i < v->targets.count; i++) {
        const view_name *name = &v->targets.names[i];
        buffer words = {0};

        buffer_append_string(out, "- ");
        append_code(out, name->name);
        buffer_append_string(out, ": at the event ");
        words_append_roles_then(&words, &v->roles[i], v->alerts[name->first].is_late);
        append_code(out, buffer_text(&words));
        buffer_append_string(out, ", now ");
        begin_anew(&words, out);
        words_append_roles(&words, &v->roles[i].now);
        append_code(out, buffer_text(&words));
        buffer_append_char(out, '\n');
        out->failed |= buffer_failed(&words);
        buffer_free(&words);
    }
}

static void append_markdown_why(buffer *out, const incident_view *v)
{
    buffer_append_string(out, "\n## Why it matched\n\n");
    for (size_t i = 0; i < v->reasons.count; i++) {
        buffer_append_string(out, "- ");
        buffer_append_string(out, because_reason(v->reasons.names[i].name));
        buffer_append_string(out, " (");
        append_code(out, v->reasons.names[i].name);
        buffer_append_string(out, ")\n");
    }
}

/* The code's lines hold no backtick: names in it are literals without any. */
static void append_markdown_step(void *arg, const incident_step *step)
{
    buffer *out = arg;

    buffer_append_string(out, "### ");
    buffer_append_string(out, step->title);
    buffer_append_string(out, "\n\n");
    buffer_append_string(out, step->words);
    buffer_append_string(out, "\n\n```");
    buffer_append_string(out, step->language);
    buffer_append_char(out, '\n');
    buffer_append(out, step->code);
    buffer_append_string(out, "```\n\n");
}

void incident_markdown_append(buffer *out, const incident_view *v, timestamp now)
{
    append_markdown_head(out, v);
    buffer_append_string(out, "\n## Alerts\n\n");
    for (size_t i = 0; i < v->count; i++)
        append_markdown_alert(out, &v->alerts[i]);
    append_markdown_why(out, v);
    append_markdown_roles(out, v);
    buffer_append_string(out, "\n## What to do now\n\n");
    out->failed |= !incident_steps_each(v, append_markdown_step, out);
    buffer_append_string(out, "Made by synctap " SYNCTAP_VERSION " at ");
    words_append_time(out, now);
    buffer_append_string(out, ".\n");
}
