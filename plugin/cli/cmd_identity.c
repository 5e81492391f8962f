/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_identity: load the role list, and read it. */
#include <stdio.h>
#include <stdlib.h>

#include "base/json.h"
#include "cli/commands.h"
#include "cli/identity_files.h"
#include "cli/options.h"
#include "cli/table.h"
#include "cli/words.h"

static const char USAGE[] =
    "usage: synctap identity import [--database DB] [--snapshot [--force]] [--role ROLE] "
    "[FILE...]\n"
    "       synctap identity list   [--database DB] [--sync-accounts] [--format table|jsonl]\n"
    "       synctap identity show   [--database DB] [--format table|jsonl] UPN|ID...\n"
    "Loads the role list into the state database, and reads it.\n"
    "\n"
    "A file holds IdentityInfo rows of Log Analytics or Defender XDR, as JSON or CSV, or from "
    "Graph\n"
    "roles with their members, role assignments, eligibilities, or users; plain or compressed.\n"
    "\n"
    "  --database DB          state database; import makes it if it is absent\n"
    "  --snapshot             the files are the whole role list: an account that they lack has\n"
    "                         lost its roles; refused if something of them is missing\n"
    "  --force                take a snapshot that leaves no or few sync accounts\n"
    "  --role NAME|ID         the role (name or template id) whose members the files are\n"
    "  --date-order dmy|mdy   what 6/1/2026 is in a CSV file whose dates do not show it\n"
    "  --sync-accounts        only the accounts that the rule takes for sync accounts\n"
    "  --now TIME             the instant that --identity-window counts from\n"
    "  --identity-window SPAN how far back rows count (default 14d)\n"
    "  --roles X, --upn-startswith X, --displayname-has X\n"
    "                         what makes a sync account; each replaces the default\n"
    "  --format table|jsonl   (default: table on a terminal, else jsonl)\n";

enum {
    PATIENCE = 30000, /* milliseconds that an import waits for other writers */
    SAMPLE = 1000,    /* rows from which a table's columns get their widths */
};

/* Rows on their way out: none is kept, since there may be a million. */
typedef struct list_run {
    const options *options;
    char **wanted; /* UPNs and object ids; NULL: all */
    int wanted_count;
    table *table; /* NULL: rows are written as lines */
    json_parser *parser;
    buffer line;
    size_t rows; /* written */
} list_run;

/* Opens the database and its role list; on a failure says so and gives NULL. */
static role_list *open_list(const options *o, store_open_mode how, store **s)
{
    char *error;
    role_list *list = NULL;

    *s = store_open(o->database, how, &error);
    if (*s != NULL) {
        if (store_news(*s) != NULL)
            words_say("%s", store_news(*s));
        store_set_patience(*s, PATIENCE);
        list = role_list_open(*s);
    }
    if (list == NULL) {
        words_say("%s: %s", o->database, *s ? store_error(*s) : error ? error : "out of memory");
        store_close(*s);
        *s = NULL;
    }
    free(error);
    return list;
}

static void tell_done(size_t rows, size_t changed)
{
    words_say("%zu row%s read, %zu account%s changed", rows, words_s(rows), changed,
              words_s(changed));
}

/* An id that no rule knows makes no sync account: whoever gave it would wait for alerts in vain. */
static void check_role(const char *role)
{
    size_t hex = strspn(role, "0123456789abcdefABCDEF-");

    if (hex == 36 && role[hex] == '\0' && !identity_role_is_known(text_of(role)))
        words_say("--role %s is no template id of a sync role: its members are no sync accounts by "
                  "it; give the role's name or template id",
                  role);
}

static int import(const options *o)
{
    static const char *const standard_input[] = {"-"};
    bool files = o->argument_count > 0;
    identity_files_result result;
    store *s;
    role_list *list = open_list(o, STORE_CREATE, &s);

    if (list == NULL)
        return EXIT_UNREADABLE;
    if (o->role != NULL)
        check_role(o->role);
    result =
        identity_files_import(list, s, files ? (const char *const *)o->arguments : standard_input,
                              files ? (size_t)o->argument_count : 1,
                              &(identity_files_options){TELL_ALL, o->is_snapshot, o->is_forced,
                                                        o->role, o->dates, o->now, o->rule});
    if (!result.failed && !result.refused)
        tell_done(result.rows, role_list_changed(list));
    role_list_close(list);
    store_close(s);
    return result.failed || result.unreadable || result.refused ? EXIT_UNREADABLE : EXIT_DONE;
}

static bool is_wanted(const list_run *l, const identity_record *row)
{
    if (l->wanted == NULL)
        return true;
    for (int i = 0; i < l->wanted_count; i++)
        if (kql_equals(text_of(l->wanted[i]), row->account_upn, SEMANTICS_KQL) ||
            kql_equals(text_of(l->wanted[i]), row->account_object_id, SEMANTICS_KQL))
            return true;
    return false;
}

static bool counts_as_sync_account(const options *o, const identity_record *row)
{
    return row->time_generated > rule_identities_since(o->rule, o->now) &&
           rule_is_sync_account(o->rule, row, rule_get_semantics(o->rule));
}

/*
 * Roles are stored as the dynamic's text, which somebody may have written over several lines:
 * JSON if it is some, else a string.
 */
static void write_roles(list_run *l, const char *key, text roles)
{
    json *value = NULL;
    size_t taken;

    json_write_key(&l->line, key);
    if (roles.length > 0 && strchr("[{", roles.bytes[0]) != NULL &&
        json_parse(l->parser, roles, &value, &taken) == NULL && taken == roles.length)
        json_write_value(&l->line, value);
    else
        json_write_string(&l->line, roles);
    json_free(value);
}

static void write_row(list_run *l, const identity_record *row, bool is_sync_account)
{
    buffer *line = &l->line;
    char time[TIMESTAMP_TEXT_SIZE];

    timestamp_format(row->time_generated, time);
    buffer_append_char(line, '{');
    json_write_member(line, "TimeGenerated", text_of(time));
    json_write_member(line, "AccountUPN", row->account_upn);
    json_write_member(line, "AccountObjectId", row->account_object_id);
    json_write_member(line, "AccountDisplayName", row->account_display_name);
    write_roles(l, "AssignedRoles", row->assigned_roles);
    if (row->eligible_roles.length > 0)
        write_roles(l, "EligibleRoles", row->eligible_roles);
    json_write_key(line, "SyncAccount");
    buffer_append_string(line, is_sync_account ? "true" : "false");
    buffer_append_char(line, '}');
}

static void take_row(void *arg, const identity_record *row)
{
    list_run *l = arg;
    bool is_sync_account = counts_as_sync_account(l->options, row);

    if (buffer_failed(&l->line) || !is_wanted(l, row) ||
        (l->options->sync_accounts_only && !is_sync_account))
        return;
    buffer_clear(&l->line);
    write_row(l, row, is_sync_account);
    l->rows++;
    if (buffer_failed(&l->line))
        return;
    if (l->table != NULL) {
        table_add(l->table, buffer_text(&l->line));
    } else {
        buffer_append_char(&l->line, '\n');
        fwrite(l->line.bytes, 1, l->line.length, stdout);
    }
}

static bool begin_table(list_run *l)
{
    static const char *const columns[] = {"AccountUPN",
                                          "AccountObjectId",
                                          "AccountDisplayName",
                                          "AssignedRoles",
                                          "TimeGenerated",
                                          "SyncAccount",
                                          NULL};

    if (l->options->format == FORMAT_TABLE)
        l->table = table_begin(stdout, columns, SAMPLE);
    return l->table != NULL || l->options->format != FORMAT_TABLE;
}

/* Why rows are missing from the output, or NULL. */
static const char *end_listing(list_run *l)
{
    bool failed = buffer_failed(&l->line);

    if (l->table != NULL)
        failed |= !table_end(l->table);
    buffer_free(&l->line);
    return failed ? "out of memory" : NULL;
}

static const char *write_rows(role_list *rows, const store *s, list_run *l)
{
    const char *trouble, *database_trouble = NULL;

    if (!begin_table(l))
        return "out of memory";
    if (!role_list_each(rows, take_row, l))
        database_trouble = store_error(s);
    trouble = end_listing(l);
    return database_trouble ? database_trouble : trouble;
}

/* Nothing at all looks like a fault. */
static void tell_no_row(const list_run *l)
{
    words_say("%s: no row", l->options->database);
}

static int list(const options *o, char **wanted, int wanted_count)
{
    list_run l = {.options = o, .wanted = wanted, .wanted_count = wanted_count};
    const char *trouble;
    store *s;
    role_list *rows = open_list(o, STORE_EXISTING, &s);

    if (rows == NULL)
        return EXIT_UNREADABLE;
    l.parser = json_parser_new(JSON_MOST_DEPTH);
    trouble = l.parser != NULL ? write_rows(rows, s, &l) : "out of memory";
    json_parser_free(l.parser);
    if (trouble == NULL && l.rows == 0)
        tell_no_row(&l);
    if (trouble != NULL)
        words_say("%s: %s", o->database, trouble);
    role_list_close(rows);
    store_close(s);
    return trouble ? EXIT_UNREADABLE : EXIT_DONE;
}

static int wrong_usage(const char *what)
{
    fprintf(stderr, "synctap identity: %s\ntry: synctap identity --help\n", what);
    return EXIT_USAGE;
}

/* What an option would not do for that verb; NULL when all of them belong to it. */
static const char *find_stray_option(const options *o, bool imports)
{
    if (imports && o->is_forced && !o->is_snapshot)
        return "--force goes with --snapshot";
    if (imports && o->sync_accounts_only)
        return "--sync-accounts is for list and show";
    if (!imports && (o->is_snapshot || o->is_forced || o->role != NULL))
        return "--snapshot, --force and --role are for import";
    return NULL;
}

static int run(const options *o)
{
    const char *verb = o->argument_count > 0 ? o->arguments[0] : "";
    const char *stray = find_stray_option(o, strcmp(verb, "import") == 0);
    options rest = *o;

    if (stray != NULL)
        return wrong_usage(stray);
    rest.arguments++;
    rest.argument_count--;
    if (strcmp(verb, "import") == 0)
        return import(&rest);
    if (strcmp(verb, "list") == 0)
        return rest.argument_count == 0 ? list(&rest, NULL, 0)
                                        : wrong_usage("list takes no names; show does");
    if (strcmp(verb, "show") == 0)
        return rest.argument_count > 0 ? list(&rest, rest.arguments, rest.argument_count)
                                       : wrong_usage("show takes a UPN or an object id");
    return wrong_usage("say import, list or show");
}

int cmd_identity(int argc, char **argv)
{
    return options_run(argc, argv, GROUP_STORE | GROUP_RULE | GROUP_IDENTITY, USAGE, run);
}
