/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_status: does it work now? */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "cli/commands.h"
#include "cli/options.h"
#include "cli/status_database.h"
#include "cli/status_feed.h"
#include "cli/status_host.h"
#include "cli/words.h"

static const char USAGE[] =
    "usage: synctap status [OPTION...]\n"
    "Says whether detection works now: the database, the role list, the running rsyslogd, its\n"
    "messages, what went wrong lately, what waits, the journal, the files' rights, the disk.\n"
    "\n"
    "  --database DB         state database\n"
    "  --rsyslogd PROGRAM    whose version is compared (default: rsyslogd)\n"
    "  --limit NAME=WARNING,BROKEN\n"
    "                        from where on something is told, such as messages=1h,6h; also\n"
    "                        daemon=3m,5m feed=6h,2d list=1d,14d trouble=1d,15m\n"
    "                        journal=1m,10m waiting=500000,1000000 free=1g,100m\n"
    "  --now TIME            the instant that ages count to (default: the clock)\n"
    "  --format table|json   lines for a person and a monitor, or one JSON object\n"
    "\n"
    "Exit status 0 when all is well, 1 with a warning, 2 when something is broken.\n";

static void check_version(status_run *run, const options *o)
{
    char installed[RSYSLOG_VERSION_SIZE], built_for[RSYSLOG_VERSION_SIZE];
    const char *wanted = run->facts.built_for;

    if (wanted[0] == '\0')
        return;
    status_read_rsyslog_version(o->rsyslogd, installed);
    snprintf(built_for, sizeof(built_for), "%.*s", (int)strcspn(wanted, "-"), wanted);
    if (installed[0] == '\0')
        status_report_add(run->report, "rsyslogd", STATUS_WARNING,
                          "%s -v says no version: give its path by --rsyslogd", o->rsyslogd);
    else if (strcmp(installed, built_for) == 0)
        status_report_add(run->report, "rsyslogd", STATUS_OK,
                          "version %s, which mmsynctap was built for", installed);
    else
        status_report_add(run->report, "rsyslogd", STATUS_BROKEN,
                          "version %s is installed, but mmsynctap was built for %s: it is refused "
                          "at rsyslogd's next start, if it was not already. Build it again, or "
                          "install the package for this version",
                          installed, built_for);
}

static void check_all(status_run *run, const options *o)
{
    store *s = status_open_database(run);

    if (s != NULL) {
        status_check_role_list(run, s);
        status_check_feeds(run, s);
        status_check_actions(run, s);
    }
    store_close(s);
    status_check_damaged(run->report, o->database);
    status_check_journal(run->report, &o->limits, o->database, o->now);
    status_check_rights(run->report, o->database, run->facts.process);
    status_check_disk(run->report, &o->limits, o->database);
    check_version(run, o);
}

/* --- JSON --- */

static void write_json(const status_run *run, buffer *out)
{
    char now[TIMESTAMP_TEXT_SIZE];

    timestamp_format(run->now, now);
    buffer_append_char(out, '{');
    json_write_member(out, "state", text_of(status_state_name(status_report_worst(run->report))));
    json_write_member(out, "checked_at", text_of(now));
    json_write_member(out, "database", text_of(run->database));
    status_write_number(out, "sync_accounts", run->facts.sync_accounts);
    status_write_number(out, "identity_rows", run->facts.identity_rows);
    status_write_number(out, "identity_age_seconds", run->facts.identity_age);
    status_report_write(run->report, out);
    json_write_key(out, "actions");
    buffer_append_char(out, '[');
    buffer_append(out, buffer_text(&run->facts.actions));
    buffer_append_char(out, ']');
    json_write_key(out, "feeds");
    buffer_append_char(out, '[');
    buffer_append(out, buffer_text(&run->facts.feeds));
    buffer_append_string(out, "]}\n");
}

static int print_json(const status_run *run)
{
    buffer out = {0};
    int status = (int)status_report_worst(run->report);

    write_json(run, &out);
    if (buffer_failed(&out)) {
        words_say("status: out of memory");
        status = STATUS_BROKEN;
    } else {
        fwrite(out.bytes, 1, out.length, stdout);
    }
    buffer_free(&out);
    return status;
}

static int run(const options *o)
{
    status_report report = {0};
    status_run all = {
        .report = &report,
        .limits = &o->limits,
        .rule = o->rule,
        .database = o->database,
        .now = o->now,
        .facts = {.identity_age = -1},
    };
    int status;

    if (o->argument_count > 0) {
        fprintf(stderr, "synctap status: it takes no argument\ntry: synctap status --help\n");
        return EXIT_USAGE;
    }
    check_all(&all, o);
    status = (int)status_report_worst(&report);
    if (o->format == FORMAT_JSON)
        status = print_json(&all);
    else
        status_report_print(&report, stdout);
    buffer_free(&all.facts.actions);
    buffer_free(&all.facts.feeds);
    status_report_free(&report);
    return status;
}

int cmd_status(int argc, char **argv)
{
    return options_run(argc, argv, GROUP_STATUS, USAGE, run);
}
