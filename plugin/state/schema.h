/* SPDX-License-Identifier: Apache-2.0 */
/*
 * schema: the tables of the state database, all rooms', and their version.
 *
 * A database is ours when its tables, indexes and triggers are, word for
 * word, those that its version has, and nothing besides: a trigger or a view
 * of somebody else's would run with each of our statements. (What ANALYZE
 * leaves may be there.)
 */
#ifndef SYNCTAP_SCHEMA_H
#define SYNCTAP_SCHEMA_H

struct sqlite3;

/* The clock of whoever runs the statement, in 100 ns since 1970. */
#define SCHEMA_NOW "CAST((julianday('now') - 2440587.5) * 864000000000 AS INTEGER)"

typedef enum schema_result {
    SCHEMA_READY,   /* it is ours, and up to date */
    SCHEMA_REFUSED, /* it is not ours, and stays as it is; *refusal says why */
    SCHEMA_FAILED,  /* the connection's error says why */
} schema_result;

/*
 * Looks at the database's schema, and makes it or brings it up to date. One
 * try: another program's lock is a failure. A transaction may be open after
 * what is not SCHEMA_READY. *refusal lives for ever.
 */
schema_result schema_prepare(struct sqlite3 *connection, const char **refusal);

/*
 * Why a file that begins with these bytes would be refused, as far as its version and its owner
 * tell. NULL: it would not be, or is no database at all. What lies in its log is not seen.
 */
enum { SCHEMA_HEADER = 72 };
const char *schema_header_refusal(const unsigned char header[static SCHEMA_HEADER]);

#endif
