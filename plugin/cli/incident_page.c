/* SPDX-License-Identifier: Apache-2.0 */
/* incident_page: the page's sections from its top to its bottom. */
#include "cli/incident_page.h"

#include <stdint.h>

#include "cli/because.h"
#include "cli/html.h"
#include "cli/incident_steps.h"
#include "cli/incident_timeline.h"
#include "cli/incident_words.h"

enum {
    MOST_COLUMNS = 6,      /* actors of the matrix; the others share one more */
    MOST_ROWS = 30,        /* its targets; the same */
    MOST_SOURCES = 50,     /* addresses that are listed */
    MOST_ACCOUNTS = 50,    /* targets whose roles are listed */
    MOST_COLUMN_NAME = 30, /* characters */
};

#define ALL SIZE_MAX /* in the place of an actor */

static const char HEAD[] =
    "<!DOCTYPE html>\n"
    "<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
    "'unsafe-inline'; base-uri 'none'; form-action 'none'\">\n"
    "<meta name=\"referrer\" content=\"no-referrer\">\n"
    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
    "<meta name=\"color-scheme\" content=\"light dark\">\n";

static const char STYLE[] =
    "<style>\n"
    ":root{--paper:#fff;--ink:#1b2430;--soft:#5b6675;--line:#d7dde5;--panel:#f5f7fa;--red:#b3261e;"
    "--late:#b25e00;--blue:#1f5fa8;--violet:#7a3fb0}\n"
    "@media(prefers-color-scheme:dark){:root{--paper:#12161c;--ink:#e6ebf2;--soft:#9aa6b5;"
    "--line:#313a46;--panel:#1a2029;--red:#ff8a80;--late:#ffb04d;--blue:#7db5ff;--violet:#cfa3ff}}"
    "\n"
    "*{box-sizing:border-box}\n"
    "body{margin:0;background:var(--paper);color:var(--ink);font:15px/1.5 system-ui,\"Segoe UI\","
    "\"DejaVu Sans\",sans-serif}\n"
    "main{max-width:1100px;margin:0 auto;padding:28px 24px 48px}\n"
    "h1{font-size:22px;line-height:1.35;margin:0 0 6px;overflow-wrap:anywhere}\n"
    "h2{font-size:16px;margin:34px 0 10px;padding-bottom:5px;border-bottom:1px solid "
    "var(--line)}\n"
    "h3{font-size:15px;margin:18px 0 4px}\n"
    "p{margin:6px 0;overflow-wrap:anywhere}\n"
    ".lead{font-size:16px;color:var(--red);font-weight:600}\n"
    ".badges{margin:12px 0}\n"
    ".badge{display:inline-block;border:1px solid var(--line);border-radius:12px;padding:1px 11px;"
    "margin:0 6px 6px 0;font-size:13px;background:var(--panel)}\n"
    ".badge.open,.badge.high{border-color:var(--red);color:var(--red)}\n"
    ".badge.late,td .late{color:var(--late)}.badge.late{border-color:var(--late)}\n"
    ".badge.degraded,td .degraded{color:var(--violet)}.badge.degraded{border-color:var(--violet)}\n"
    "dl{display:grid;grid-template-columns:max-content 1fr;gap:3px 18px;margin:10px 0}\n"
    "dt{color:var(--soft)}dd{margin:0;overflow-wrap:anywhere}\n"
    "table{border-collapse:collapse;width:100%;font-size:14px}\n"
    "th,td{text-align:left;vertical-align:top;padding:5px 12px 5px 0;border-bottom:1px solid "
    "var(--line);overflow-wrap:anywhere}\n"
    "th{color:var(--soft);font-weight:600}td.time{white-space:nowrap}td.number,th.number{text-"
    "align:"
    "right;overflow-wrap:normal}\n"
    "td.none{color:var(--line)}td.account{min-width:15em;font-size:13px}.matrix{table-layout:fixed}"
    ".matrix th:first-child{width:38%}.matrix th:last-child{width:4em}.matrix "
    "th.number{overflow-wrap:anywhere;"
    "vertical-align:bottom}\n"
    "code,pre{font:13px/1.45 ui-monospace,\"DejaVu Sans Mono\",monospace}\n"
    "pre{background:var(--panel);border:1px solid var(--line);border-radius:6px;padding:10px 12px;"
    "margin:6px 0;white-space:pre-wrap;overflow-wrap:anywhere}\n"
    "details{border-bottom:1px solid var(--line);padding:5px 0}\n"
    "summary{cursor:pointer;overflow-wrap:anywhere}\n"
    ".timeline{width:100%;height:auto;display:block;background:var(--panel);border:1px solid "
    "var(--line);border-radius:8px}\n"
    "svg text{fill:var(--ink);font:13px system-ui,\"Segoe UI\",\"DejaVu Sans\",sans-serif}\n"
    "svg .tick{fill:var(--soft);font-size:12px;text-anchor:middle}svg .date{font-weight:600}\n"
    "svg .name{text-anchor:end;font-size:12px}svg .foot{fill:var(--soft);font-size:11px;"
    "text-anchor:end}\n"
    ".grid{stroke:var(--line)}.lane{stroke:var(--soft);stroke-opacity:.45}\n"
    ".event{fill:var(--red);fill-opacity:.85;stroke:var(--panel)}\n"
    ".wait{stroke:var(--soft);stroke-width:1.5}.seen{stroke:var(--blue);stroke-width:2.5}\n"
    ".late .wait{stroke:var(--late);stroke-dasharray:5 3;stroke-width:2}.late .seen{stroke:"
    "var(--late);stroke-width:3.5}\n"
    ".degraded .event{fill:var(--panel);stroke:var(--violet);stroke-width:2.5}\n"
    ".again{fill:none;stroke:var(--red);stroke-width:1.5}\n"
    ".legend{display:flex;flex-wrap:wrap;gap:4px 22px;color:var(--soft);font-size:13px}\n"
    ".legend span{display:inline-flex;align-items:center;gap:6px}\n"
    "footer{margin-top:40px;color:var(--soft);font-size:12.5px}\n"
    "@media print{:root{--paper:#fff;--ink:#000;--soft:#444;--line:#bbb;--panel:#fff;--red:#a00;"
    "--late:#8a4a00;--blue:#134a86;--violet:#5d2a8c}main{max-width:none;padding:0}"
    "body{font-size:11pt}h2{break-after:avoid}tr,pre,.timeline{break-inside:avoid}"
    "details:not([open]){display:none}}\n"
    "</style>\n";

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

static void append_time(buffer *out, timestamp t)
{
    words_append_time(out, t); /* digits */
}

static void append_short_time(buffer *out, timestamp t)
{
    size_t begin = out->length;

    words_append_time(out, t);
    if (!buffer_failed(out))
        out->length = begin + 19; /* without the zone, which the head has */
}

static void append_cell(buffer *out, const char *class, text t)
{
    html_append_markup(out, "<td%s>", class);
    html_append_text(out, t);
    buffer_append_string(out, "</td>");
}

static void append_heading(buffer *out, const char *title)
{
    html_append_markup(out, "<h2>%s</h2>\n", title);
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
    append_time(out, v->closed);
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
    append_time(out, v->opened);
    buffer_append_string(out, "</dd>\n<dt>Last alert</dt><dd>");
    append_time(out, v->last_alert);
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

/* --- actors x targets --- */

/* A row or a column of its own, or what the rest of the names share. */
static bool is_at(size_t place, size_t names, size_t own)
{
    return names == own ? place >= own : place == names;
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

static void append_count(buffer *out, size_t count)
{
    if (count == 0)
        buffer_append_string(out, "<td class=\"number none\">·</td>");
    else
        html_append_markup(out, "<td class=\"number\">%zu</td>", count);
}

static size_t count_at(const incident_view *v, size_t target, size_t actor)
{
    size_t targets = least(v->targets.count, MOST_ROWS);
    size_t actors = least(v->actors.count, MOST_COLUMNS), count = 0;

    for (size_t i = 0; i < v->count; i++)
        count += is_at(v->alerts[i].target_at, target, targets) &&
                 (actor == ALL || is_at(v->alerts[i].actor_at, actor, actors));
    return count;
}

static void append_matrix_row(buffer *out, const incident_view *v, size_t target)
{
    size_t actors = least(v->actors.count, MOST_COLUMNS) + (v->actors.count > MOST_COLUMNS);

    buffer_append_string(out, "<tr>");
    if (target < MOST_ROWS)
        append_cell(out, " class=\"account\"", v->targets.names[target].name);
    else
        html_append_markup(out, "<td>%zu more accounts</td>", v->targets.count - MOST_ROWS);
    for (size_t actor = 0; actor < actors; actor++)
        append_count(out, count_at(v, target, actor));
    append_count(out, count_at(v, target, ALL));
    buffer_append_string(out, "</tr>\n");
}

static void append_matrix(buffer *out, const incident_view *v)
{
    size_t rows = least(v->targets.count, MOST_ROWS) + (v->targets.count > MOST_ROWS);

    append_heading(out, "Who against whom");
    buffer_append_string(out, "<table class=\"matrix\"><thead><tr><th>Account</th>");
    for (size_t c = 0; c < v->actors.count && c < MOST_COLUMNS; c++) {
        buffer_append_string(out, "<th class=\"number\">");
        html_append_short(out, v->actors.names[c].name, MOST_COLUMN_NAME);
        buffer_append_string(out, "</th>");
    }
    if (v->actors.count > MOST_COLUMNS)
        html_append_markup(out, "<th class=\"number\">%zu more actors</th>",
                           v->actors.count - MOST_COLUMNS);
    buffer_append_string(out, "<th class=\"number\">All</th></tr></thead><tbody>\n");
    for (size_t target = 0; target < rows; target++)
        append_matrix_row(out, v, target);
    buffer_append_string(out, "</tbody></table>\n");
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
    append_cell(out, "", name->name);
    append_count(out, name->count);
    buffer_append_string(out, "<td class=\"time\">");
    append_short_time(out, v->alerts[name->first].event);
    buffer_append_string(out, "</td><td class=\"time\">");
    append_short_time(out, last->event);
    buffer_append_string(out, "</td>");
    append_cell(out, "", v->actors.names[v->alerts[name->first].actor_at].name);
    buffer_append_string(out, "</tr>\n");
}

static void append_sources(buffer *out, const incident_view *v)
{
    append_heading(out, "Source addresses");
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
    append_cell(out, " class=\"account\"", name->name);
    append_cell(out, "", roles->now.is_known ? roles->now.display_name : (text)TEXT(""));
    append_cell(out, "", buffer_text(&then));
    append_cell(out, "", buffer_text(&now));
    buffer_append_string(out, "</tr>\n");
    out->failed |= buffer_failed(&then) || buffer_failed(&now);
    buffer_free(&then);
    buffer_free(&now);
}

static void append_roles(buffer *out, const incident_view *v)
{
    if (v->roles == NULL)
        return;
    append_heading(out, "The targets' roles");
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
    append_heading(out, "Why it matched");
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

/* --- the alerts --- */

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

/* The lines are ours; what is between them is shown as all else is. */
static void append_lines(buffer *out, text t)
{
    while (t.length > 0) {
        const char *end = memchr(t.bytes, '\n', t.length);
        size_t length = end != NULL ? (size_t)(end - t.bytes) : t.length;

        html_append_text(out, (text){t.bytes, length});
        if (end != NULL)
            buffer_append_char(out, '\n');
        t = text_from(t, end != NULL ? length + 1 : length);
    }
}

static void append_record(buffer *out, const view_alert *a)
{
    buffer written = {0}, indented = {0};

    json_write_value(&written, a->tree);
    append_indented(&indented, buffer_text(&written));
    buffer_append_string(out, "<details><summary>");
    append_short_time(out, a->event);
    buffer_append_string(out, " <code>");
    html_append_text(out, a->id);
    buffer_append_string(out, "</code></summary><pre>");
    append_lines(out, buffer_text(&indented));
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
    append_short_time(out, a->event);
    buffer_append_string(out, "</td>");
    append_cell(out, "", buffer_text(&span));
    append_cell(out, "", view_name_or_id(a->actor, a->actor_id));
    append_cell(out, "", a->operation);
    append_cell(out, " class=\"account\"", view_name_or_id(a->target, a->target_id));
    append_cell(out, "", buffer_text(&method));
    append_marks_cell(out, a);
    buffer_append_string(out, "</tr>\n");
    out->failed |= buffer_failed(&method) || buffer_failed(&span);
    buffer_free(&method);
    buffer_free(&span);
}

static void append_alerts(buffer *out, const incident_view *v)
{
    append_heading(out, "Alerts");
    buffer_append_string(out, "<table class=\"alerts\"><thead><tr><th>Event (UTC)</th><th>Detected "
                              "after</th><th>Actor</th><th>Operation</th><th>Account</th>"
                              "<th>Registered</th><th>Marks</th></tr></thead><tbody>\n");
    for (size_t i = 0; i < v->count; i++)
        append_alert_row(out, &v->alerts[i]);
    buffer_append_string(out, "</tbody></table>\n");
    append_heading(out, "The alerts as they were sent, with the record");
    for (size_t i = 0; i < v->count; i++)
        append_record(out, &v->alerts[i]);
}

/* --- what to do --- */

static void append_step(void *arg, const incident_step *step)
{
    buffer *out = arg;

    html_append_markup(out, "<li><h3>%s</h3>\n<p>%s</p>\n<pre class=\"%s\">", step->title,
                       step->words, step->language);
    append_lines(out, step->code);
    buffer_append_string(out, "</pre></li>\n");
}

static void append_steps(buffer *out, const incident_view *v)
{
    append_heading(out, "What to do now");
    buffer_append_string(out, "<ol>\n");
    out->failed |= !incident_steps_each(v, append_step, out);
    buffer_append_string(out, "</ol>\n");
}

void incident_page_append(buffer *out, const incident_view *v, timestamp now)
{
    buffer_append_string(out, HEAD);
    append_title(out, v);
    buffer_append_string(out, STYLE);
    buffer_append_string(out, "</head>\n<body>\n<main>\n");
    append_head(out, v);
    append_heading(out, "Timeline");
    incident_timeline_append(out, v);
    append_matrix(out, v);
    append_steps(out, v);
    append_sources(out, v);
    append_roles(out, v);
    append_why(out, v);
    append_alerts(out, v);
    html_append_markup(out, "<footer>Made by synctap %s at ", SYNCTAP_VERSION);
    append_time(out, now);
    buffer_append_string(out, ". Times are UTC.</footer>\n</main>\n</body>\n</html>\n");
}
