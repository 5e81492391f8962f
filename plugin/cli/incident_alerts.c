/* SPDX-License-Identifier: Apache-2.0 */
/* incident_alerts: a row of each, and its JSON. */
#include "cli/incident_alerts.h"

#include "cli/html.h"
#include "cli/incident_words.h"

/* Two blanks a level: an alert is read, not measured. */
static void append_indented(buffer *out, text written)
{
    size_t level = 0;
    bool in_string = false, escaped = false;

    for (size_t i = 0; i < written.length; i++) {
        char c = written.bytes[i];
        bool opens = !in_string && (c == '{' || c == '['),
             closes = !in_string && (c == '}' || c == ']');

        if (!in_string && c == ' ')
            continue;
        if (closes && level > 0)
            html_append_markup(out, "\n%*s", (int)(2 * --level), "");
        buffer_append_char(out, c);
        if (opens)
            html_append_markup(out, "\n%*s", (int)(2 * ++level), "");
        if (!in_string && c == ',')
            html_append_markup(out, "\n%*s", (int)(2 * level), "");
        if (!in_string && c == ':')
            buffer_append_char(out, ' ');
        if (c == '"' && !escaped)
            in_string = !in_string;
        escaped = in_string && c == '\\' && !escaped;
    }
}

static void append_record(buffer *out, const view_alert *a)
{
    buffer written = {0}, indented = {0};

    json_write_value(&written, a->tree);
    append_indented(&indented, buffer_text(&written));
    buffer_append_string(out, "<details><summary>");
    words_append_time_cut(out, a->event, WORDS_TO_SECONDS);
    buffer_append_string(out, " <code>");
    html_append_text(out, a->id);
    buffer_append_string(out, "</code></summary><pre>");
    html_append_lines(out, buffer_text(&indented));
    buffer_append_string(out, "</pre></details>\n");
    out->failed |= buffer_failed(&written) || buffer_failed(&indented);
    buffer_free(&written);
    buffer_free(&indented);
}

static void append_marks_cell(buffer *out, const view_alert *a)
{
    buffer words = {0};

    words_append_marks(&words, a);
    html_append_markup(out, "<td><span class=\"%s\">",
                       a->is_degraded ? "degraded"
                       : a->is_late   ? "late"
                                      : "");
    html_append_text(out, buffer_text(&words));
    buffer_append_string(out, "</span></td>");
    out->failed |= buffer_failed(&words);
    buffer_free(&words);
}

static void append_alert_row(buffer *out, const view_alert *a)
{
    buffer method = {0}, span = {0};

    words_append_method(&method, a);
    words_append_delay(&span, a);
    buffer_append_string(out, "<tr><td class=\"time\">");
    words_append_time_cut(out, a->event, WORDS_TO_SECONDS);
    buffer_append_string(out, "</td>");
    html_append_cell(out, "", buffer_text(&span));
    html_append_cell(out, "", view_name_or_id(a->actor, a->actor_id));
    html_append_cell(out, "", a->operation);
    html_append_cell(out, " class=\"account\"", view_name_or_id(a->target, a->target_id));
    html_append_cell(out, "", buffer_text(&method));
    append_marks_cell(out, a);
    buffer_append_string(out, "</tr>\n");
    out->failed |= buffer_failed(&method) || buffer_failed(&span);
    buffer_free(&method);
    buffer_free(&span);
}

void incident_alerts_append(buffer *out, const incident_view *v)
{
    html_append_heading(out, "Alerts");
    buffer_append_string(out, "<table class=\"alerts\"><thead><tr><th>Event (UTC)</th><th>Detected "
                              "after</th><th>Actor</th><th>Operation</th><th>Account</th>"
                              "<th>Registered</th><th>Marks</th></tr></thead><tbody>\n");
    for (size_t i = 0; i < v->count; i++)
        append_alert_row(out, &v->alerts[i]);
    buffer_append_string(out, "</tbody></table>\n");
    html_append_heading(out, "The alerts as they were sent, with the record");
    for (size_t i = 0; i < v->count; i++)
        append_record(out, &v->alerts[i]);
}
