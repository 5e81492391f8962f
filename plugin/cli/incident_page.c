/* SPDX-License-Identifier: Apache-2.0 */
/* incident_page: the page's sections from its top to its bottom. */
#include "cli/incident_page.h"

#include "cli/because.h"
#include "cli/html.h"
#include "cli/incident_alerts.h"
#include "cli/incident_matrix.h"
#include "cli/incident_steps.h"
#include "cli/incident_style.h"
#include "cli/incident_timeline.h"
#include "cli/incident_words.h"

enum {
    MOST_SOURCES = 50,  /* addresses that are listed */
    MOST_ACCOUNTS = 50, /* targets whose roles are listed */
};

static const char HEAD[] =
    "<!DOCTYPE html>\n"
    "<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
    "'unsafe-inline'; base-uri 'none'; form-action 'none'\">\n"
    "<meta name=\"referrer\" content=\"no-referrer\">\n"
    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
    "<meta name=\"color-scheme\" content=\"light dark\">\n";

/* --- pieces --- */

typedef void append_words(buffer *out, const incident_view *v);

static void append_escaped_words(buffer *out, append_words *append, const incident_view *v)
{
    buffer words = {0};

    append(&words, v);
    html_append_text(out, buffer_text(&words));
    out->failed |= buffer_failed(&words);
    buffer_free(&words);
}

static void append_omitted(buffer *out, size_t count, size_t most)
{
    if (count > most)
        html_append_markup(out, "<p>and %zu more</p>\n", count - most);
}

/* --- the head --- */

static void append_badge(buffer *out, const char *class, size_t count, const char *what)
{
    if (count == 0)
        return;
    html_append_markup(out, "<span class=\"badge %s\">", class);
    html_append_markup(out, "%zu %s</span>\n", count, what);
}

static void append_badges(buffer *out, const incident_view *v)
{
    buffer_append_string(out, "<p class=\"badges\">");
    buffer_append_string(out, "<span class=\"badge high\">");
    html_append_text(out, v->severity);
    buffer_append_string(out, "</span>\n");
    html_append_markup(out, "<span class=\"badge %s\">%s</span>\n", v->status, v->status);
    append_badge(out, "", v->count, v->count == 1 ? "alert" : "alerts");
    append_badge(out, "late", v->late, "late");
    append_badge(out, "degraded", v->degraded, "degraded");
    append_badge(out, "", v->repeats, v->repeats == 1 ? "repeat" : "repeats");
    buffer_append_string(out, "</p>\n");
}

static void append_term(buffer *out, const char *term, text t)
{
    if (t.length == 0)
        return;
    html_append_markup(out, "<dt>%s</dt><dd>", term);
    html_append_text(out, t);
    buffer_append_string(out, "</dd>\n");
}

static void append_closing(buffer *out, const incident_view *v)
{
    if (strcmp(v->status, "closed") != 0)
        return;
    buffer_append_string(out, "<dt>Closed</dt><dd>");
    words_append_time(out, v->closed);
    buffer_append_string(out, "</dd>\n");
    append_term(out, "Closed by", v->closed_by);
    append_term(out, "Reason", v->closed_reason);
}

static void append_actions(buffer *out, const incident_view *v)
{
    for (size_t i = 0; i < v->actions.count; i++)
        append_term(out, "Action", v->actions.names[i].name);
}

static void append_facts(buffer *out, const incident_view *v)
{
    buffer_append_string(out, "<dl>\n");
    append_term(out, "Incident", text_of(v->id));
    buffer_append_string(out, "<dt>Opened</dt><dd>");
    words_append_time(out, v->opened);
    buffer_append_string(out, "</dd>\n<dt>Last alert</dt><dd>");
    words_append_time(out, v->last_alert);
    buffer_append_string(out, "</dd>\n");
    append_closing(out, v);
    append_term(out, "Tenant", v->tenant);
    append_actions(out, v);
    buffer_append_string(out, "</dl>\n");
    if (v->unreadable > 0)
        html_append_markup(out,
                           "<p class=\"lead\">%zu alerts of it cannot be read any more, and are "
                           "missing here.</p>\n",
                           v->unreadable);
}

static void append_title(buffer *out, const incident_view *v)
{
    buffer_append_string(out, "<title>");
    append_escaped_words(out, words_append_headline, v);
    buffer_append_string(out, "</title>\n");
}

static void append_head(buffer *out, const incident_view *v)
{
    buffer_append_string(out, "<header><h1>");
    append_escaped_words(out, words_append_headline, v);
    buffer_append_string(out, "</h1>\n<p class=\"lead\">");
    append_escaped_words(out, words_append_pass, v);
    buffer_append_string(out, "</p>\n");
    append_badges(out, v);
    append_facts(out, v);
    buffer_append_string(out, "</header>\n");
}

/* --- source addresses --- */

static void append_source_row(buffer *out, const incident_view *v, size_t source)
{
    const view_name *name = &v->sources.names[source];
    const view_alert *last = NULL;

    for (size_t i = 0; i < v->count; i++)
        if (v->alerts[i].source.length > 0 && v->alerts[i].source_at == source)
            last = &v->alerts[i];
    buffer_append_string(out, "<tr>");
    html_append_cell(out, "", name->name);
    html_append_count_cell(out, name->count);
    buffer_append_string(out, "<td class=\"time\">");
    words_append_time_cut(out, v->alerts[name->first].event, WORDS_TO_SECONDS);
    buffer_append_string(out, "</td><td class=\"time\">");
    words_append_time_cut(out, last->event, WORDS_TO_SECONDS);
    buffer_append_string(out, "</td>");
    html_append_cell(out, "", v->actors.names[v->alerts[name->first].actor_at].name);
    buffer_append_string(out, "</tr>\n");
}

static void append_sources(buffer *out, const incident_view *v)
{
    html_append_heading(out, "Source addresses");
    if (v->sources.count == 0) {
        buffer_append_string(out, "<p>No record names one.</p>\n");
        return;
    }
    buffer_append_string(out, "<table><thead><tr><th>Address</th><th class=\"number\">Alerts</th>"
                              "<th>First (UTC)</th><th>Last (UTC)</th><th>First used by</th></tr>"
                              "</thead><tbody>\n");
    for (size_t i = 0; i < v->sources.count && i < MOST_SOURCES; i++)
        append_source_row(out, v, i);
    buffer_append_string(out, "</tbody></table>\n");
    append_omitted(out, v->sources.count, MOST_SOURCES);
}

/* --- roles --- */

static void append_roles_row(buffer *out, const incident_view *v, size_t target)
{
    const view_name *name = &v->targets.names[target];
    const view_roles *roles = &v->roles[target];
    buffer then = {0}, now = {0};

    words_append_roles_then(&then, roles, v->alerts[name->first].is_late);
    words_append_roles(&now, &roles->now);
    buffer_append_string(out, "<tr>");
    html_append_cell(out, " class=\"account\"", name->name);
    html_append_cell(out, "", roles->now.is_known ? roles->now.display_name : (text)TEXT(""));
    html_append_cell(out, "", buffer_text(&then));
    html_append_cell(out, "", buffer_text(&now));
    buffer_append_string(out, "</tr>\n");
    out->failed |= buffer_failed(&then) || buffer_failed(&now);
    buffer_free(&then);
    buffer_free(&now);
}

static void append_roles(buffer *out, const incident_view *v)
{
    if (v->roles == NULL)
        return;
    html_append_heading(out, "The targets' roles");
    buffer_append_string(out, "<table><thead><tr><th>Account</th><th>Display name</th>"
                              "<th>At the event</th><th>Now</th></tr></thead><tbody>\n");
    for (size_t i = 0; i < v->targets.count && i < MOST_ACCOUNTS; i++)
        append_roles_row(out, v, i);
    buffer_append_string(out, "</tbody></table>\n");
    append_omitted(out, v->targets.count, MOST_ACCOUNTS);
}

/* --- why --- */

static void append_reasons(buffer *out, const incident_view *v)
{
    for (size_t i = 0; i < v->reasons.count; i++) {
        const view_name *reason = &v->reasons.names[i];

        html_append_markup(out, "<tr><td>%s</td><td><code>", because_reason(reason->name));
        html_append_text(out, reason->name);
        html_append_markup(out, "</code></td><td class=\"number\">%zu</td></tr>\n", reason->count);
    }
}

static void append_rule(buffer *out, const incident_view *v)
{
    buffer_append_string(out, "<p>The rule <b>");
    html_append_text(out, v->rule_name);
    buffer_append_string(out, "</b> (");
    html_append_text(out, v->rule_id);
    buffer_append_string(out, ", version ");
    html_append_text(out, v->rule_version);
    buffer_append_string(out, v->count > 0 && v->alerts[0].is_built_in
                                  ? ") takes each record that registers security info on an Entra "
                                    "Connect sync account. These targets are sync accounts "
                                    "because:</p>\n"
                                  : ") matched because:</p>\n");
}

static void append_why(buffer *out, const incident_view *v)
{
    html_append_heading(out, "Why it matched");
    append_rule(out, v);
    buffer_append_string(out, "<table><thead><tr><th>Reason</th><th>In the alert</th>"
                              "<th class=\"number\">Alerts</th></tr></thead><tbody>\n");
    append_reasons(out, v);
    buffer_append_string(out, "</tbody></table>\n");
    if (v->degraded > 0)
        buffer_append_string(out, "<p><b>Degraded</b>: the record was cut or broken. It shows an "
                                  "operation of the rule and the name or id of a sync account; "
                                  "what else it said is lost.</p>\n");
    if (v->late > 0)
        buffer_append_string(out, "<p><b>Late</b>: the account was not known as a sync account "
                                  "when the record came. The role list told of it within the "
                                  "lookback.</p>\n");
}

/* --- what to do --- */

static void append_step(void *arg, const incident_step *step)
{
    buffer *out = arg;

    html_append_markup(out, "<li><h3>%s</h3>\n<p>%s</p>\n<pre class=\"%s\">", step->title,
                       step->words, step->language);
    html_append_lines(out, step->code);
    buffer_append_string(out, "</pre></li>\n");
}

static void append_steps(buffer *out, const incident_view *v)
{
    html_append_heading(out, "What to do now");
    buffer_append_string(out, "<ol>\n");
    out->failed |= !incident_steps_each(v, append_step, out);
    buffer_append_string(out, "</ol>\n");
}

void incident_page_append(buffer *out, const incident_view *v, timestamp now)
{
    buffer_append_string(out, HEAD);
    append_title(out, v);
    buffer_append_string(out, INCIDENT_STYLE);
    buffer_append_string(out, "</head>\n<body>\n<main>\n");
    append_head(out, v);
    html_append_heading(out, "Timeline");
    incident_timeline_append(out, v);
    incident_matrix_append(out, v);
    append_steps(out, v);
    append_sources(out, v);
    append_roles(out, v);
    append_why(out, v);
    incident_alerts_append(out, v);
    html_append_markup(out, "<footer>Made by synctap %s at ", SYNCTAP_VERSION);
    words_append_time(out, now);
    buffer_append_string(out, ". Times are UTC.</footer>\n</main>\n</body>\n</html>\n");
}
