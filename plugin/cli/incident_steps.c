/* SPDX-License-Identifier: Apache-2.0 */
/* incident_steps: a table of steps, each of which writes its code. */
#include "cli/incident_steps.h"

#include <stdint.h>
#include <stdio.h>
#include <unictype.h>
#include <unistr.h>

enum { MOST_NAMES = 50 }; /* in one list of KQL, or commands of one step */

/* --- literals --- */

/* What would end a literal or a line, act, hide, or end Markdown's code. */
static bool needs_escape(ucs4_t c)
{
    static const uint32_t acting =
        UC_CATEGORY_MASK_Cc | UC_CATEGORY_MASK_Cf | UC_CATEGORY_MASK_Zl | UC_CATEGORY_MASK_Zp;

    return c == '"' || c == '\\' || c == '`' || uc_is_general_category_withtable(c, acting);
}

static void append_unit(buffer *out, unsigned unit)
{
    char escape[16];

    snprintf(escape, sizeof(escape), "\\u%04x", unit);
    buffer_append_string(out, escape);
}

/* KQL's escapes are UTF-16's units. */
static void append_escape(buffer *out, ucs4_t c)
{
    if (c == '"' || c == '\\') {
        buffer_append_char(out, '\\');
        buffer_append_char(out, (char)c);
    } else if (c > 0xFFFF) {
        append_unit(out, 0xD800 + ((c - 0x10000) >> 10));
        append_unit(out, 0xDC00 + ((c - 0x10000) & 0x3FF));
    } else {
        append_unit(out, c);
    }
}

static void append_kql_string(buffer *out, text t)
{
    buffer_append_char(out, '"');
    while (t.length > 0) {
        ucs4_t c;
        int taken = u8_mbtouc(&c, (const uint8_t *)t.bytes, t.length);

        if (needs_escape(c) || c == 0xFFFD)
            append_escape(out, c);
        else
            buffer_append(out, (text){t.bytes, (size_t)taken});
        t = text_from(t, (size_t)taken);
    }
    buffer_append_char(out, '"');
}

/* An id goes into a command as it is: only if it is nothing but an id. */
static bool is_plain_id(text id)
{
    static const char letters[] = "0123456789abcdefABCDEF-";

    for (size_t i = 0; i < id.length; i++)
        if (memchr(letters, id.bytes[i], sizeof(letters) - 1) == NULL)
            return false;
    return id.length > 0 && id.length <= 64;
}

static void append_id(buffer *out, text id, const char *otherwise)
{
    buffer_append_char(out, '\'');
    if (is_plain_id(id))
        buffer_append(out, id);
    else
        buffer_append_string(out, otherwise);
    buffer_append_char(out, '\'');
}

/* "a", "b": the names, or the ids of them, that there are. */
static size_t append_kql_list(buffer *out, const view_names *names, bool ids)
{
    size_t written = 0;

    for (size_t i = 0; i < names->count && written < MOST_NAMES; i++) {
        text one = ids ? names->names[i].id : names->names[i].name;

        if (one.length == 0 || (!ids && names->names[i].stands_for))
            continue;
        buffer_append_string(out, written++ > 0 ? ", " : "");
        append_kql_string(out, one);
    }
    return written;
}

static void append_let(buffer *out, const char *name, const view_names *names, bool ids)
{
    buffer_append_string(out, "let ");
    buffer_append_string(out, name);
    buffer_append_string(out, " = dynamic([");
    append_kql_list(out, names, ids);
    buffer_append_string(out, "]);\n");
}

static void append_since(buffer *out, const incident_view *v, timespan before)
{
    char written[TIMESTAMP_TEXT_SIZE];

    timestamp_format(v->alerts[0].event - before, written);
    buffer_append_string(out, "| where TimeGenerated >= datetime(");
    buffer_append_string(out, written);
    buffer_append_string(out, ")\n");
}

/* --- the steps --- */

static void write_remove_pass(buffer *out, const view_alert *a)
{
    static const text pass = TEXT("temporary_access_pass");

    buffer_append_string(out, text_equal(a->method, pass)
                                  ? "Get-MgUserAuthenticationTemporaryAccessPassMethod -UserId "
                                  : "Get-MgUserAuthenticationMethod -UserId ");
    append_id(out, a->target_id, "OBJECT-ID");
    buffer_append_char(out, '\n');
    if (!text_equal(a->method, pass))
        return;
    buffer_append_string(out, "Remove-MgUserAuthenticationTemporaryAccessPassMethod -UserId ");
    append_id(out, a->target_id, "OBJECT-ID");
    buffer_append_string(out, " -TemporaryAccessPassAuthenticationMethodId ");
    append_id(out, view_pass(a, "id"), "ID-FROM-THE-LINE-ABOVE");
    buffer_append_char(out, '\n');
}

static void write_passes(buffer *out, const incident_view *v)
{
    for (size_t i = 0; i < v->targets.count && i < MOST_NAMES; i++)
        write_remove_pass(out, &v->alerts[v->targets.names[i].first]);
    if (v->targets.count > MOST_NAMES)
        buffer_append_string(out, "# and so on for the other accounts\n");
}

static void write_sessions(buffer *out, const incident_view *v)
{
    for (size_t i = 0; i < v->targets.count && i < MOST_NAMES; i++) {
        buffer_append_string(out, "Revoke-MgUserSignInSession -UserId ");
        append_id(out, v->targets.names[i].id, "OBJECT-ID");
        buffer_append_char(out, '\n');
    }
}

static void write_sign_ins(buffer *out, const incident_view *v)
{
    append_let(out, "accounts", &v->targets, false);
    append_let(out, "ids", &v->targets, true);
    buffer_append_string(out, "union isfuzzy=true SigninLogs, AADNonInteractiveUserSignInLogs\n");
    append_since(out, v, 0);
    buffer_append_string(
        out, "| where UserPrincipalName in~ (accounts) or UserId in (ids)\n"
             "| project TimeGenerated, UserPrincipalName, ResultType, IPAddress, Location,"
             " AppDisplayName, ResourceDisplayName, AuthenticationDetails, UserAgent\n"
             "| order by TimeGenerated asc\n");
}

static void write_actor(buffer *out, const incident_view *v)
{
    append_let(out, "actors", &v->actors, false);
    append_let(out, "ids", &v->actors, true);
    buffer_append_string(out, "AuditLogs\n");
    append_since(out, v, TICKS_PER_DAY);
    buffer_append_string(
        out, "| extend Actor = coalesce(tostring(InitiatedBy.user.userPrincipalName),"
             " tostring(InitiatedBy.app.displayName)),"
             " ActorId = coalesce(tostring(InitiatedBy.user.id),"
             " tostring(InitiatedBy.app.servicePrincipalId))\n"
             "| where Actor in~ (actors) or ActorId in (ids)\n"
             "| project TimeGenerated, OperationName, Actor, Result, TargetResources, InitiatedBy\n"
             "| order by TimeGenerated asc\n");
}

static void write_sources(buffer *out, const incident_view *v)
{
    append_let(out, "addresses", &v->sources, false);
    buffer_append_string(out, "union isfuzzy=true SigninLogs, AADNonInteractiveUserSignInLogs\n");
    append_since(out, v, 7 * TICKS_PER_DAY);
    buffer_append_string(out, "| where IPAddress in (addresses)\n"
                              "| summarize first = min(TimeGenerated), last = max(TimeGenerated),"
                              " signIns = count() by UserPrincipalName, IPAddress, ResultType\n"
                              "| order by last desc\n");
}

static void write_close(buffer *out, const incident_view *v)
{
    buffer_append_string(out, "synctap incident close ");
    buffer_append_string(out, v->id);
    buffer_append_string(out, " --reason 'WHY' --by 'YOUR NAME'\n");
}

static bool has_alerts(const incident_view *v)
{
    return v->count > 0;
}

static bool is_about_security_info(const incident_view *v)
{
    return v->count > 0 && v->alerts[0].is_built_in;
}

static bool has_sources(const incident_view *v)
{
    return v->sources.count > 0;
}

static bool is_not_closed(const incident_view *v)
{
    return strcmp(v->status, "closed") != 0;
}

static const struct {
    const char *title, *words, *language;
    void (*write)(buffer *out, const incident_view *v);
    bool (*applies)(const incident_view *v);
} steps[] = {
    {"Take back what was registered",
     "A sync account never signs in with a pass, a phone or a key: remove the method now. In the "
     "portal: Users, the account, Authentication methods.",
     "powershell", write_passes, is_about_security_info},
    {"End its sessions",
     "Who has signed in with it keeps a token until it is revoked. Then give the account a new "
     "password with the wizard on the Entra Connect server.",
     "powershell", write_sessions, has_alerts},
    {"Has the account signed in since?",
     "A sync account signs in from the Entra Connect server alone, and not by hand. Any other "
     "address, application or method is the attacker.",
     "kql", write_sign_ins, has_alerts},
    {"Who is the actor?",
     "Ask that person, by another way than mail or chat of this tenant. If it was not that person, "
     "the actor's own account has been taken: look at what else it did.",
     "kql", write_actor, has_alerts},
    {"Who else comes from these addresses?",
     "Other accounts that signed in from there have to be looked at, too.", "kql", write_sources,
     has_sources},
    {"Close the incident", "Say why and who you are; the next alert opens another one.", "sh",
     write_close, is_not_closed},
};

bool incident_steps_each(const incident_view *v, incident_step_sink *sink, void *arg)
{
    buffer code = {0};
    bool whole = true;

    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        if (!steps[i].applies(v))
            continue;
        buffer_clear(&code);
        steps[i].write(&code, v);
        whole &= !buffer_failed(&code);
        sink(arg, &(incident_step){steps[i].title, steps[i].words, steps[i].language,
                                   buffer_text(&code)});
    }
    buffer_free(&code);
    return whole;
}
