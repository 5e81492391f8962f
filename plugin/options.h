/*
 * options: the command line of the synctap commands, read into one struct.
 */
#ifndef SYNCTAP_OPTIONS_H
#define SYNCTAP_OPTIONS_H

#include "rule.h"

typedef enum output_format { FORMAT_TABLE, FORMAT_JSONL } output_format;

typedef struct options {
    rule *rule; /* with what the options say put in */
    const char *database;
    bool database_given;
    const char *rulebase; /* for audit records */
    bool rulebase_given;
    const char **identities; /* files, `identity_count` of them */
    size_t identity_count;
    timestamp now;
    output_format format;
    bool sync_accounts_only;
    bool is_snapshot;
    char **arguments; /* what is left of the command line */
    int argument_count;
} options;

/* What options_read made of a command line. */
typedef enum options_reading {
    OPTIONS_READ,
    OPTIONS_HELP,  /* --help was among them */
    OPTIONS_WRONG, /* said on standard error already */
} options_reading;

/* Options that only some commands take. */
typedef enum option_group {
    GROUP_STORE = 1,    /* --database, --format */
    GROUP_RULE = 2,     /* the rule's lists and spans, --semantics */
    GROUP_AUDIT = 4,    /* --identity, --now, --rulebase */
    GROUP_IDENTITY = 8, /* --sync-accounts, --snapshot, --now */
} option_group;

/*
 * Reads argv (argv[0] is the command's name) with the options of these
 * groups. Whatever the result, options_free frees what was read.
 */
options_reading options_read(options *self, int argc, char **argv, unsigned groups);
void options_free(options *self);

#endif
