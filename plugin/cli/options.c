/* SPDX-License-Identifier: Apache-2.0 */
/* options: one table of options over getopt_long. */
#include "cli/options.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/words.h"

/* Where Debian's rsyslogd works, and so where the modules keep their database by default. */
static const char DEFAULT_DATABASE[] = "/var/spool/rsyslog/synctap.db";
static const char DEFAULT_RULEBASE[] = SYNCTAP_RULEBASE_DIR "/entra-audit.rulebase";

/* The strings that were given for each of the rule's lists. */
typedef struct given_lists {
    text *strings[RULE_LISTS];
    size_t counts[RULE_LISTS];
} given_lists;

/* What was made of a command line. */
typedef enum options_status {
    OPTIONS_READ,
    OPTIONS_HELP,  /* --help was among them */
    OPTIONS_LIST,  /* --list-options was: for the completion of shells */
    OPTIONS_WRONG, /* said on standard error already */
} options_status;

typedef struct reading {
    options *options;
    unsigned groups; /* of the command */
    const char *rule_file;
    bool has_incidents; /* --incident-.. were given: they count, whatever a rule file says */
    timespan spans[2];  /* --lookback, --identity-window, .. */
    bool has_span[2];   /* .. where they were given */
    given_lists lists;
    char right[128]; /* what a taker said would be right */
} reading;

/* Takes an option's value; on a wrong one, says what would be right, else NULL. */
typedef const char *option_taker(reading *r, const char *value, int which);

static const char OUT_OF_MEMORY[] = "there is no memory for it";

static const char *take_database(reading *r, const char *value, int which)
{
    (void)which;
    r->options->database = value;
    r->options->database_given = true;
    return NULL;
}

static const char *take_rulebase(reading *r, const char *value, int which)
{
    (void)which;
    r->options->rulebase = value;
    r->options->rulebase_given = true;
    return NULL;
}

static const char *take_identity(reading *r, const char *value, int which)
{
    options *o = r->options;
    const char **files = realloc(o->identities, (o->identity_count + 1) * sizeof(*files));

    (void)which;
    if (files == NULL)
        return OUT_OF_MEMORY;
    o->identities = files;
    o->identities[o->identity_count++] = value;
    return NULL;
}

static const char *take_now(reading *r, const char *value, int which)
{
    (void)which;
    r->options->now_given = true;
    if (timestamp_parse(text_of(value), &r->options->now))
        return NULL;
    return "a time such as 2026-06-01T12:00:00Z";
}

static const char *take_semantics(reading *r, const char *value, int which)
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

static const char *take_span(reading *r, const char *value, int which)
{
    timespan span;

    if (!timespan_parse(text_of(value), &span))
        return "a timespan such as 90s, 5m, 1h or 1d";
    r->spans[which] = span;
    r->has_span[which] = true;
    return NULL;
}

static const char *take_rule(reading *r, const char *value, int which)
{
    (void)which;
    r->rule_file = value;
    return NULL;
}

static const char *take_list(reading *r, const char *value, int which)
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
static const char *name_formats(reading *r)
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

static bool take_dialect(reading *r, const char *value)
{
    if ((r->groups & GROUP_DIALECT) == 0)
        return false;
    r->options->dialect = dialect_find(text_of(value));
    if (r->options->dialect == NULL)
        return false;
    r->options->format = FORMAT_DIALECT;
    return true;
}

static const char *take_format(reading *r, const char *value, int which)
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

static const char *take_rsyslogd(reading *r, const char *value, int which)
{
    (void)which;
    r->options->rsyslogd = value;
    return value[0] != '\0' ? NULL : "the path of rsyslogd";
}

static const char *take_limit(reading *r, const char *value, int which)
{
    (void)which;
    return status_limits_take(&r->options->limits, value) ? NULL : STATUS_LIMITS_FORM;
}

static const char *take_send(reading *r, const char *value, int which)
{
    (void)which;
    r->options->send = value;
    return value[0] != '\0' ? NULL : "HOST:PORT, a socket or a file";
}

static const char *take_wait(reading *r, const char *value, int which)
{
    (void)which;
    r->options->wait = value;
    return value[0] != '\0' ? NULL : "a file of alerts or the state database";
}

static const char *take_timeout(reading *r, const char *value, int which)
{
    (void)which;
    if (timespan_parse(text_of(value), &r->options->timeout) && r->options->timeout > 0)
        return NULL;
    return "a timespan such as 30s or 5m";
}

static const char *take_reason(reading *r, const char *value, int which)
{
    (void)which;
    r->options->reason = value;
    return NULL;
}

static const char *take_by(reading *r, const char *value, int which)
{
    (void)which;
    r->options->by = value;
    return NULL;
}

static const char *take_latejoin(reading *r, const char *value, int which)
{
    (void)which;
    r->options->latejoin = strcmp(value, "on") == 0;
    return r->options->latejoin || strcmp(value, "off") == 0 ? NULL : "on or off";
}

static const char *take_incident_window(reading *r, const char *value, int which)
{
    (void)which;
    r->has_incidents = true;
    if (timespan_parse(text_of(value), &r->options->incidents.window) &&
        r->options->incidents.window >= 0)
        return NULL;
    return "a timespan such as 24h, or 0 for no incidents";
}

static const char *take_incident_matching(reading *r, const char *value, int which)
{
    (void)which;
    r->has_incidents = true;
    if (incident_matching_read(text_of(value), &r->options->incidents.matching))
        return NULL;
    return "AnyAlert, AllEntities or Selected";
}

static const char *take_incident_maxalerts(reading *r, const char *value, int which)
{
    char *end;
    long number = strtol(value, &end, 10);

    (void)which;
    r->has_incidents = true;
    if (value[0] < '0' || value[0] > '9' || *end != '\0' || number < 1 || number > INT32_MAX)
        return "a number of alerts, 1 or more";
    r->options->incidents.most_alerts = (unsigned)number;
    return NULL;
}

static const char *take_order(reading *r, const char *value, int which)
{
    (void)which;
    r->options->ordered_by_time = strcmp(value, "time") == 0;
    return r->options->ordered_by_time || strcmp(value, "file") == 0 ? NULL : "file or time";
}

static const char *take_all(reading *r, const char *value, int which)
{
    (void)value;
    (void)which;
    r->options->all_incidents = true;
    return NULL;
}

static const char *take_fail_on_match(reading *r, const char *value, int which)
{
    (void)value;
    (void)which;
    r->options->fail_on_match = true;
    return NULL;
}

static const char *take_sync_accounts(reading *r, const char *value, int which)
{
    (void)value;
    (void)which;
    r->options->sync_accounts_only = true;
    return NULL;
}

static const char *take_snapshot(reading *r, const char *value, int which)
{
    (void)value;
    (void)which;
    r->options->is_snapshot = true;
    return NULL;
}

static const char *take_force(reading *r, const char *value, int which)
{
    (void)value;
    (void)which;
    r->options->is_forced = true;
    return NULL;
}

static const char *take_date_order(reading *r, const char *value, int which)
{
    (void)which;
    return date_order_read(value, &r->options->dates) ? NULL : "dmy or mdy";
}

static const char *take_role(reading *r, const char *value, int which)
{
    (void)which;
    r->options->role = value;
    return value[0] != '\0' ? NULL : "a role's name or template id";
}

static const char *take_threads(reading *r, const char *value, int which)
{
    size_t digits = strspn(value, "0123456789");
    long threads = digits > 0 && digits < 4 && value[digits] == '\0' ? strtol(value, NULL, 10) : 0;

    (void)which;
    if (threads < 1 || threads > OPTIONS_MOST_THREADS)
        return "a number of threads from 1 to 64";
    r->options->threads = (unsigned)threads;
    return NULL;
}

static const struct option_row {
    const char *name;
    option_taker *take;
    int which;
    unsigned groups;
    bool is_switch;
} rows[] = {
    {"database", take_database, 0, GROUP_STORE | GROUP_STATUS, false},
    {"format", take_format, 0, GROUP_STORE | GROUP_STATUS, false},
    {"rulebase", take_rulebase, 0, GROUP_AUDIT, false},
    {"identity", take_identity, 0, GROUP_AUDIT, false},
    {"now", take_now, 0, GROUP_AUDIT | GROUP_IDENTITY | GROUP_INCIDENT | GROUP_STATUS, false},
    {"fail-on-match", take_fail_on_match, 0, GROUP_AUDIT, true},
    {"semantics", take_semantics, 0, GROUP_RULE, false},
    {"rule", take_rule, 0, GROUP_RULE_FILE, false},
    {"lookback", take_span, 0, GROUP_RULE, false},
    {"identity-window", take_span, 1, GROUP_RULE, false},
    {"operations", take_list, RULE_OPERATIONS, GROUP_RULE, false},
    {"roles", take_list, RULE_ROLES, GROUP_RULE, false},
    {"upn-startswith", take_list, RULE_UPN_STARTSWITH, GROUP_RULE, false},
    {"upn-contains", take_list, RULE_UPN_CONTAINS, GROUP_RULE, false},
    {"upn-has", take_list, RULE_UPN_HAS, GROUP_RULE, false},
    {"displayname-has", take_list, RULE_DISPLAYNAME_HAS, GROUP_RULE, false},
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

enum { ROWS = sizeof(rows) / sizeof(rows[0]), HELP = ROWS, LIST };

/* What a shell may offer for a value; FILE is any file. Other values are the user's own. */
static const struct {
    option_taker *take;
    const char *values;
} choices[] = {
    {take_database, "FILE"},   {take_rulebase, "FILE"},
    {take_identity, "FILE"},   {take_semantics, "kql wide"},
    {take_latejoin, "on off"}, {take_incident_matching, "AnyAlert AllEntities Selected"},
    {take_order, "file time"}, {take_date_order, "dmy mdy"},
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
    reading r = {.groups = groups};
    const char *names = name_formats(&r);

    for (size_t length; *names != '\0'; names += length + strspn(names + length, ", ")) {
        length = strcspn(names, ", ");
        if (length != 2 || strncmp(names, "or", 2) != 0)
            printf("%.*s ", (int)length, names);
    }
}

/* A line for each option: --switch, or --option= and what its value may be. */
static void print_options(unsigned groups)
{
    for (int i = 0; i < ROWS; i++) {
        if ((rows[i].groups & groups) == 0)
            continue;
        printf("--%s%s", rows[i].name, rows[i].is_switch ? "" : "=");
        if (rows[i].take == take_format)
            print_formats(groups);
        else
            fputs(choices_for(rows[i].take), stdout);
        putchar('\n');
    }
    puts("--help");
}

static void list_long_options(struct option *result, unsigned groups)
{
    for (int i = 0; i < ROWS; i++)
        if (rows[i].groups & groups)
            *result++ = (struct option){
                rows[i].name, rows[i].is_switch ? no_argument : required_argument, NULL, i};
    *result++ = (struct option){"help", no_argument, NULL, HELP};
    *result++ = (struct option){"list-options", no_argument, NULL, LIST};
    *result = (struct option){0};
}

/* As the words begin with "synctap: ", the command's name needs no more than its own word. */
static const char *short_name(const char *command)
{
    const char *blank = strrchr(command, ' ');

    return blank != NULL ? blank + 1 : command;
}

static options_status take(reading *r, const char *command, int row, const char *value)
{
    const char *right = rows[row].take(r, value, rows[row].which);

    if (right == NULL)
        return OPTIONS_READ;
    words_say("%s: --%s \"%s\" is wrong: give %s", command, rows[row].name, value, right);
    return OPTIONS_WRONG;
}

static options_status read_all(reading *r, int argc, char **argv, unsigned groups)
{
    struct option long_options[ROWS + 3];
    int row;

    list_long_options(long_options, groups);
    optind = 0; /* GNU: begin anew */
    while ((row = getopt_long(argc, argv, "h", long_options, NULL)) != -1) {
        if (row == HELP || row == 'h')
            return OPTIONS_HELP;
        if (row == LIST)
            return OPTIONS_LIST;
        if (row == '?')
            return OPTIONS_WRONG; /* getopt_long has said why */
        if (take(r, short_name(argv[0]), row, optarg) == OPTIONS_WRONG)
            return OPTIONS_WRONG;
    }
    r->options->arguments = argv + optind;
    r->options->argument_count = argc - optind;
    return OPTIONS_READ;
}

static const char *name_of_list(int list)
{
    int row = 0;

    while (rows[row].take != take_list || rows[row].which != list)
        row++;
    return rows[row].name;
}

/* Lists that were given replace the rule's own. */
static bool put_list(reading *r, int list)
{
    const char *trouble = rule_take_list(r->options->rule, (rule_list)list, r->lists.strings[list],
                                         r->lists.counts[list]);

    if (trouble != NULL)
        words_say("--%s is wrong: %s", name_of_list(list), trouble);
    return trouble == NULL;
}

static bool put_lists(reading *r)
{
    bool put = true;

    for (int l = 0; put && l < RULE_LISTS; l++)
        put = r->lists.counts[l] == 0 || put_list(r, l);
    return put;
}

/* A rule file is the whole rule: lists that replace the built-in one's have no place in it. */
static bool use_rule_file(reading *r)
{
    char *error = NULL;
    rule_file *file;
    bool used;

    for (int l = 0; l < RULE_LISTS; l++) {
        if (r->lists.counts[l] > 0) {
            words_say("--%s belongs to the built-in rule: with --rule, edit the file",
                      name_of_list(l));
            return false;
        }
    }
    file = rule_file_open(r->rule_file, &error);
    used = file != NULL && rule_use_file(r->options->rule, file, &error);
    if (used && !r->has_incidents)
        incidents_configure(&r->options->incidents, rule_get_facts(r->options->rule));
    if (!used && file != NULL)
        words_say("%s: %s", r->rule_file, error != NULL ? error : OUT_OF_MEMORY);
    else if (!used)
        words_say("%s", error != NULL ? error : OUT_OF_MEMORY);
    free(error);
    return used;
}

static bool put_rule(reading *r)
{
    if (!put_lists(r) || (r->rule_file != NULL && !use_rule_file(r)))
        return false;
    if (r->has_span[0])
        rule_set_lookback(r->options->rule, r->spans[0]);
    if (r->has_span[1])
        rule_set_identity_window(r->options->rule, r->spans[1]);
    return true;
}

static options_status options_read(options *self, int argc, char **argv, unsigned groups)
{
    reading r = {.options = self, .groups = groups};
    options_status result;

    *self = (options){
        .rule = rule_new(),
        .database = DEFAULT_DATABASE,
        .rulebase = DEFAULT_RULEBASE,
        .now = timestamp_now(),
        .latejoin = true,
        .incidents = INCIDENTS_AS_IN_SENTINEL,
        .rsyslogd = "rsyslogd",
        .limits = STATUS_DEFAULT_LIMITS,
        .timeout = 30 * TICKS_PER_SECOND,
        .reason = "",
        .by = "",
        .format = isatty(STDOUT_FILENO) ? FORMAT_TABLE : FORMAT_JSONL,
    };
    if (self->rule == NULL)
        return OPTIONS_WRONG;
    result = read_all(&r, argc, argv, groups);
    if (result == OPTIONS_READ && !put_rule(&r))
        result = OPTIONS_WRONG;
    for (int l = 0; l < RULE_LISTS; l++)
        free(r.lists.strings[l]);
    return result;
}

static void options_free(options *self)
{
    rule_free(self->rule);
    free(self->identities);
}

int options_run(int argc, char **argv, unsigned groups, const char *usage,
                int (*run)(const options *o))
{
    options o;
    int status = EXIT_USAGE;

    switch (options_read(&o, argc, argv, groups)) {
    case OPTIONS_READ:
        status = run(&o);
        break;
    case OPTIONS_HELP:
        fputs(usage, stdout);
        status = EXIT_DONE;
        break;
    case OPTIONS_LIST:
        print_options(groups);
        status = EXIT_DONE;
        break;
    case OPTIONS_WRONG:
        fprintf(stderr, "try: %s --help\n", argv[0]);
        break;
    }
    options_free(&o);
    return status;
}
