/* SPDX-License-Identifier: Apache-2.0 */
/* option_table: what takes each value, and the table that names them. */
#include "cli/option_table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char OUT_OF_MEMORY[] = "there is no memory for it";

/* What a shell's unset variable leaves would only be told as a file without a name. */
static const char *check_path(const char *value)
{
    return value[0] != '\0' ? NULL : "a file's path";
}

static const char *take_database(option_reading *r, const char *value, int which)
{
    (void)which;
    r->options->database = value;
    r->options->database_given = true;
    return check_path(value);
}

static const char *take_rulebase(option_reading *r, const char *value, int which)
{
    (void)which;
    r->options->rulebase = value;
    r->options->rulebase_given = true;
    return check_path(value);
}

static const char *take_identity(option_reading *r, const char *value, int which)
{
    options *o = r->options;
    const char **files = realloc(o->identities, (o->identity_count + 1) * sizeof(*files));

    (void)which;
    if (files == NULL)
        return OUT_OF_MEMORY;
    o->identities = files;
    o->identities[o->identity_count++] = value;
    return check_path(value);
}

static const char *take_now(option_reading *r, const char *value, int which)
{
    (void)which;
    r->options->now_given = true;
    if (timestamp_parse(text_of(value), &r->options->now))
        return NULL;
    return "a time such as 2026-06-01T12:00:00Z";
}

static const char *take_semantics(option_reading *r, const char *value, int which)
{
    (void)which;
    if (strcmp(value, "kql") == 0)
        rule_set_semantics(r->options->rule, SEMANTICS_KQL);
    else if (strcmp(value, "wide") == 0)
        rule_set_semantics(r->options->rule, SEMANTICS_WIDE);
    else
        return "kql or wide";
    return NULL;
}

static const char *take_learn(option_reading *r, const char *value, int which)
{
    (void)which;
    if (strcmp(value, "roles") != 0 && strcmp(value, "off") != 0)
        return "roles or off";
    rule_set_learns(r->options->rule, strcmp(value, "roles") == 0);
    return NULL;
}

static const char *take_span(option_reading *r, const char *value, int which)
{
    timespan span;

    if (!timespan_parse(text_of(value), &span))
        return "a timespan such as 90s, 5m, 1h or 1d";
    r->spans[which] = span;
    r->has_span[which] = true;
    return NULL;
}

static const char *take_rule(option_reading *r, const char *value, int which)
{
    (void)which;
    r->rule_file = value;
    return check_path(value);
}

/* The watchlist of that name; NULL when there is none. */
static watchlist_source *find_watchlist(const options *o, text name)
{
    for (size_t i = 0; i < o->watchlist_count; i++)
        if (text_equal(o->watchlists[i].name, name))
            return &o->watchlists[i];
    return NULL;
}

/* The watchlist of NAME=.., begun if it is new; NULL when memory is out. */
static watchlist_source *begin_watchlist(options *o, text name)
{
    watchlist_source *found = find_watchlist(o, name), *all;

    if (found != NULL)
        return found;
    all = realloc(o->watchlists, (o->watchlist_count + 1) * sizeof(*all));
    if (all == NULL)
        return NULL;
    o->watchlists = all;
    all[o->watchlist_count] = (watchlist_source){.name = name};
    return &all[o->watchlist_count++];
}

enum { WATCHLIST_FILE, WATCHLIST_KEY };

/* NAME=FILE, or NAME=COLUMN. */
static const char *take_watchlist(option_reading *r, const char *value, int which)
{
    const char *sign = strchr(value, '=');
    watchlist_source *w;

    if (sign == NULL || sign == value || sign[1] == '\0')
        return which == WATCHLIST_FILE ? "a watchlist's name and its file: NAME=FILE"
                                       : "a watchlist's name and its key's column: NAME=COLUMN";
    w = begin_watchlist(r->options, text_between(value, sign));
    if (w == NULL)
        return OUT_OF_MEMORY;
    if (which == WATCHLIST_FILE)
        w->path = sign + 1;
    else
        w->key = sign + 1;
    return NULL;
}

static const char *take_list(option_reading *r, const char *value, int which)
{
    given_lists *lists = &r->lists;
    size_t count = lists->counts[which];
    text *strings;

    strings = realloc(lists->strings[which], (count + 1) * sizeof(text));
    if (strings == NULL)
        return OUT_OF_MEMORY;
    strings[count] = text_of(value);
    lists->strings[which] = strings;
    lists->counts[which]++;
    return NULL;
}

/* Each with the commands that have it. */
static const struct {
    const char *name;
    output_format format;
    unsigned groups;
} formats[] = {
    {"table", FORMAT_TABLE, GROUP_STORE | GROUP_STATUS},
    {"jsonl", FORMAT_JSONL, GROUP_STORE},
    {"json", FORMAT_JSON, GROUP_INCIDENT | GROUP_STATUS},
    {"html", FORMAT_HTML, GROUP_INCIDENT},
    {"md", FORMAT_MARKDOWN, GROUP_INCIDENT},
};

enum { FORMATS = sizeof(formats) / sizeof(formats[0]) };

/* "table or jsonl": what would be right for the command. */
static const char *name_formats(option_reading *r)
{
    bool has_dialects = (r->groups & GROUP_DIALECT) != 0;
    size_t left = 0;

    r->right[0] = '\0';
    for (size_t i = 0; i < FORMATS; i++)
        left += (formats[i].groups & r->groups) != 0;
    for (size_t i = 0; i < FORMATS; i++) {
        size_t length = strlen(r->right);

        if ((formats[i].groups & r->groups) == 0)
            continue;
        snprintf(r->right + length, sizeof(r->right) - length, "%s%s", formats[i].name,
                 --left > 1 || (left == 1 && has_dialects) ? ", "
                 : left == 1                               ? " or "
                 : has_dialects                            ? ", " DIALECT_NAMES
                                                           : "");
    }
    return r->right;
}

static bool take_dialect(option_reading *r, const char *value)
{
    if ((r->groups & GROUP_DIALECT) == 0)
        return false;
    r->options->dialect = dialect_find(text_of(value));
    if (r->options->dialect == NULL)
        return false;
    r->options->format = FORMAT_DIALECT;
    return true;
}

static const char *take_format(option_reading *r, const char *value, int which)
{
    (void)which;
    r->options->dialect = NULL;
    for (size_t i = 0; i < FORMATS; i++) {
        if (strcmp(value, formats[i].name) != 0 || (formats[i].groups & r->groups) == 0)
            continue;
        r->options->format = formats[i].format;
        return NULL;
    }
    return take_dialect(r, value) ? NULL : name_formats(r);
}

static const char *take_rsyslogd(option_reading *r, const char *value, int which)
{
    (void)which;
    r->options->rsyslogd = value;
    return value[0] != '\0' ? NULL : "the path of rsyslogd";
}

static const char *take_limit(option_reading *r, const char *value, int which)
{
    (void)which;
    return status_limits_take(&r->options->limits, value) ? NULL : STATUS_LIMITS_FORM;
}

static const char *take_send(option_reading *r, const char *value, int which)
{
    (void)which;
    r->options->send = value;
    return value[0] != '\0' ? NULL : "HOST:PORT, a socket or a file";
}

static const char *take_wait(option_reading *r, const char *value, int which)
{
    (void)which;
    r->options->wait = value;
    return value[0] != '\0' ? NULL : "a file of alerts or the state database";
}

static const char *take_timeout(option_reading *r, const char *value, int which)
{
    (void)which;
    if (timespan_parse(text_of(value), &r->options->timeout) && r->options->timeout > 0)
        return NULL;
    return "a timespan such as 30s or 5m";
}

static const char *take_reason(option_reading *r, const char *value, int which)
{
    (void)which;
    r->options->reason = value;
    return NULL;
}

static const char *take_by(option_reading *r, const char *value, int which)
{
    (void)which;
    r->options->by = value;
    return NULL;
}

static const char *take_latejoin(option_reading *r, const char *value, int which)
{
    (void)which;
    r->options->latejoin = strcmp(value, "on") == 0;
    return r->options->latejoin || strcmp(value, "off") == 0 ? NULL : "on or off";
}

static const char *take_incident_window(option_reading *r, const char *value, int which)
{
    (void)which;
    r->has_incidents = true;
    if (timespan_parse(text_of(value), &r->options->incidents.window) &&
        r->options->incidents.window >= 0)
        return NULL;
    return "a timespan such as 24h, or 0 for no incidents";
}

static const char *take_incident_matching(option_reading *r, const char *value, int which)
{
    (void)which;
    r->has_incidents = true;
    if (incident_matching_read(text_of(value), &r->options->incidents.matching))
        return NULL;
    return "AnyAlert, AllEntities or Selected";
}

static const char *take_incident_maxalerts(option_reading *r, const char *value, int which)
{
    char *end;
    long long number = strtoll(value, &end, 10);

    (void)which;
    r->has_incidents = true;
    if (value[0] < '0' || value[0] > '9' || *end != '\0' || number < 1 || number > INT32_MAX)
        return "a number of alerts, 1 or more";
    r->options->incidents.most_alerts = (unsigned)number;
    return NULL;
}

static const char *take_order(option_reading *r, const char *value, int which)
{
    (void)which;
    r->options->ordered_by_time = strcmp(value, "time") == 0;
    return r->options->ordered_by_time || strcmp(value, "file") == 0 ? NULL : "file or time";
}

static const char *take_all(option_reading *r, const char *value, int which)
{
    (void)value;
    (void)which;
    r->options->all_incidents = true;
    return NULL;
}

static const char *take_fail_on_match(option_reading *r, const char *value, int which)
{
    (void)value;
    (void)which;
    r->options->fail_on_match = true;
    return NULL;
}

static const char *take_sync_accounts(option_reading *r, const char *value, int which)
{
    (void)value;
    (void)which;
    r->options->sync_accounts_only = true;
    return NULL;
}

static const char *take_snapshot(option_reading *r, const char *value, int which)
{
    (void)value;
    (void)which;
    r->options->is_snapshot = true;
    return NULL;
}

static const char *take_force(option_reading *r, const char *value, int which)
{
    (void)value;
    (void)which;
    r->options->is_forced = true;
    return NULL;
}

static const char *take_date_order(option_reading *r, const char *value, int which)
{
    (void)which;
    return date_order_read(value, &r->options->dates) ? NULL : "dmy or mdy";
}

static const char *take_role(option_reading *r, const char *value, int which)
{
    (void)which;
    r->options->role = value;
    return value[0] != '\0' ? NULL : "a role's name or template id";
}

static const char *take_threads(option_reading *r, const char *value, int which)
{
    size_t digits = strspn(value, "0123456789");
    long threads = digits > 0 && digits < 4 && value[digits] == '\0' ? strtol(value, NULL, 10) : 0;

    (void)which;
    if (threads < 1 || threads > OPTIONS_MOST_THREADS)
        return "a number of threads from 1 to 64";
    r->options->threads = (unsigned)threads;
    return NULL;
}

const option_row option_rows[] = {
    {"database", take_database, 0, GROUP_STORE | GROUP_STATUS, false},
    {"format", take_format, 0, GROUP_STORE | GROUP_STATUS, false},
    {"rulebase", take_rulebase, 0, GROUP_AUDIT, false},
    {"identity", take_identity, 0, GROUP_AUDIT, false},
    {"now", take_now, 0, GROUP_AUDIT | GROUP_IDENTITY | GROUP_INCIDENT | GROUP_STATUS, false},
    {"fail-on-match", take_fail_on_match, 0, GROUP_AUDIT, true},
    {"semantics", take_semantics, 0, GROUP_RULE, false},
    {"rule", take_rule, 0, GROUP_RULE_FILE, false},
    {"watchlist", take_watchlist, WATCHLIST_FILE, GROUP_RULE_FILE, false},
    {"watchlist-key", take_watchlist, WATCHLIST_KEY, GROUP_RULE_FILE, false},
    {"lookback", take_span, 0, GROUP_RULE, false},
    {"identity-window", take_span, 1, GROUP_RULE, false},
    {"operations", take_list, RULE_OPERATIONS, GROUP_RULE, false},
    {"roles", take_list, RULE_ROLES, GROUP_RULE, false},
    {"upn-startswith", take_list, RULE_UPN_STARTSWITH, GROUP_RULE, false},
    {"upn-contains", take_list, RULE_UPN_CONTAINS, GROUP_RULE, false},
    {"upn-has", take_list, RULE_UPN_HAS, GROUP_RULE, false},
    {"displayname-has", take_list, RULE_DISPLAYNAME_HAS, GROUP_RULE, false},
    {"learn", take_learn, 0, GROUP_STREAM, false},
    {"latejoin", take_latejoin, 0, GROUP_STREAM, false},
    {"incident-window", take_incident_window, 0, GROUP_STREAM, false},
    {"incident-matching", take_incident_matching, 0, GROUP_STREAM, false},
    {"incident-maxalerts", take_incident_maxalerts, 0, GROUP_STREAM, false},
    {"order", take_order, 0, GROUP_STREAM, false},
    {"all", take_all, 0, GROUP_INCIDENT, true},
    {"rsyslogd", take_rsyslogd, 0, GROUP_STATUS, false},
    {"limit", take_limit, 0, GROUP_STATUS, false},
    {"send", take_send, 0, GROUP_SELFTEST, false},
    {"wait", take_wait, 0, GROUP_SELFTEST, false},
    {"timeout", take_timeout, 0, GROUP_SELFTEST, false},
    {"reason", take_reason, 0, GROUP_INCIDENT, false},
    {"by", take_by, 0, GROUP_INCIDENT, false},
    {"threads", take_threads, 0, GROUP_THREADS, false},
    {"snapshot", take_snapshot, 0, GROUP_IDENTITY, true},
    {"force", take_force, 0, GROUP_IDENTITY, true},
    {"date-order", take_date_order, 0, GROUP_IDENTITY | GROUP_AUDIT, false},
    {"role", take_role, 0, GROUP_IDENTITY, false},
    {"sync-accounts", take_sync_accounts, 0, GROUP_IDENTITY, true},
};

enum { ROWS = sizeof(option_rows) / sizeof(option_rows[0]) };

_Static_assert((int)ROWS <= (int)OPTION_MOST_ROWS, "options.c has room for so many");

const int option_row_count = ROWS;

/* What a shell may offer for a value; FILE is any file. Other values are the user's own. */
static const struct {
    option_taker *take;
    const char *values;
} choices[] = {
    {take_database, "FILE"},      {take_rulebase, "FILE"},
    {take_rule, "FILE"},          {take_rsyslogd, "FILE"},
    {take_send, "FILE"},          {take_wait, "FILE"},
    {take_identity, "FILE"},      {take_semantics, "kql wide"},
    {take_latejoin, "on off"},    {take_incident_matching, "AnyAlert AllEntities Selected"},
    {take_learn, "roles off"},    {take_order, "file time"},
    {take_date_order, "dmy mdy"},
};

static const char *choices_for(option_taker *take)
{
    for (size_t i = 0; i < sizeof(choices) / sizeof(choices[0]); i++)
        if (choices[i].take == take)
            return choices[i].values;
    return "";
}

/* "table, jsonl, cef or leef" as words alone. */
static void print_formats(unsigned groups)
{
    option_reading r = {.groups = groups};
    const char *names = name_formats(&r);

    for (size_t length; *names != '\0'; names += length + strspn(names + length, ", ")) {
        length = strcspn(names, ", ");
        if (length != 2 || strncmp(names, "or", 2) != 0)
            printf("%.*s ", (int)length, names);
    }
}

void option_print_choices(const option_row *row, unsigned groups)
{
    if (row->take == take_format)
        print_formats(groups);
    else
        fputs(choices_for(row->take), stdout);
}

const char *option_name_of_list(rule_list list)
{
    int row = 0;

    while (option_rows[row].take != take_list || option_rows[row].which != (int)list)
        row++;
    return option_rows[row].name;
}
