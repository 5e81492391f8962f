/* SPDX-License-Identifier: Apache-2.0 */
/*
 * options: the command line of the synctap commands, read into one struct.
 */
#ifndef SYNCTAP_OPTIONS_H
#define SYNCTAP_OPTIONS_H

#include "cli/status_limits.h"
#include "dialect/dialect.h"
#include "rule/rule.h"
#include "rule/watchlists.h"
#include "state/incidents.h"

typedef enum output_format {
    FORMAT_TABLE,
    FORMAT_JSONL,
    FORMAT_JSON,
    FORMAT_HTML,
    FORMAT_MARKDOWN,
    FORMAT_DIALECT,
} output_format;

typedef struct options {
    rule *rule; /* with what the options say put in */
    const char *database;
    bool database_given;
    const char *rulebase; /* for audit records */
    bool rulebase_given;
    const char **identities; /* files, `identity_count` of them */
    size_t identity_count;
    watchlist_source *watchlists; /* `watchlist_count` of them */
    size_t watchlist_count;
    timestamp now;
    bool now_given;
    output_format format;
    const dialect *dialect; /* of FORMAT_DIALECT */
    bool latejoin;
    incident_options incidents;
    bool ordered_by_time;
    bool all_incidents;   /* also those that take no alert any more */
    const char *rsyslogd; /* the program whose version is asked for */
    status_limits limits;
    const char *send;   /* where a self-test's record goes; NULL: standard output */
    const char *wait;   /* where its alert comes to lie, or NULL */
    timespan timeout;   /* how long it is waited for */
    const char *reason; /* why an incident is closed, and by whom; "" */
    const char *by;
    bool fail_on_match; /* what is found makes the exit status */
    bool sync_accounts_only;
    bool is_snapshot;
    bool is_forced;
    date_order dates; /* how those of CSV files are written, or unknown */
    const char *role; /* whose members are imported, or NULL */
    unsigned threads; /* 0: as many as there are cores */
    char **arguments; /* what is left of the command line */
    int argument_count;
} options;

enum { OPTIONS_MOST_THREADS = 64 };

/* Options that only some commands take. */
typedef enum option_group {
    GROUP_STORE = 1,       /* --database, --format */
    GROUP_RULE = 2,        /* the rule's lists and spans, --semantics */
    GROUP_AUDIT = 4,       /* --identity, --now, --rulebase, --fail-on-match */
    GROUP_IDENTITY = 8,    /* --sync-accounts, --snapshot, --now */
    GROUP_STREAM = 16,     /* --latejoin, --incident-..., --order */
    GROUP_INCIDENT = 32,   /* --all, --now, --reason, --by; more formats */
    GROUP_THREADS = 64,    /* --threads */
    GROUP_DIALECT = 128,   /* --format takes the dialects, too */
    GROUP_RULE_FILE = 256, /* --rule, --watchlist, --watchlist-key */
    GROUP_SELFTEST = 512,  /* --send, --wait, --timeout */
    GROUP_STATUS = 1024,   /* --database, --rsyslogd, --limit, --now, --format table|json */
} option_group;

/*
 * Runs a command: reads argv (argv[0] is the command's name) with the options
 * of these groups and hands them to `run`, whose exit status is the result.
 * --help prints the usage; what is wrong is said on standard error.
 */
int options_run(int argc, char **argv, unsigned groups, const char *usage,
                int (*run)(const options *o));

#endif
