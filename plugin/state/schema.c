/* SPDX-License-Identifier: Apache-2.0 */
/* schema: each version's step from the one before it, and what must be there after it. */
#include "state/schema.h"

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    APPLICATION_ID = 0x53544150, /* "STAP", in the file's header: whose database it is */
    SCHEMA_VERSION = 11,
};

static const char FOREIGN[] =
    "it is another program's database: it is left alone: give another path";
static const char NEWER[] =
    "it was made by a newer synctap: upgrade this one, or give another path";

/* Each version's step from the one before it. */
static const char *const migrations[SCHEMA_VERSION] = {
    /* 1: the role list. `change` counts the transactions that wrote to it. */
    "CREATE TABLE identity ("
    " id INTEGER PRIMARY KEY,"
    " upn TEXT NOT NULL UNIQUE,"
    " object_id TEXT NOT NULL,"
    " display_name TEXT NOT NULL,"
    " time INTEGER NOT NULL,"        /* of the newest row, in 100 ns since 1970 */
    " roles TEXT NOT NULL,"          /* last known */
    " roles_time INTEGER,"           /* of the row that said them; NULL: none did */
    " roles_older INTEGER NOT NULL," /* the newest row is one without AssignedRoles: null to KQL */
    " change INTEGER NOT NULL);"
    "CREATE INDEX identity_change ON identity (change);"
    "CREATE TABLE role_list (change INTEGER NOT NULL, rows INTEGER NOT NULL, newest INTEGER);"
    "INSERT INTO role_list VALUES (0, 0, NULL);",
    /*
     * 2: what a stream remembers, each action's for itself. `judged` is the role list's change up
     * to which the action's pending records were judged again.
     */
    "CREATE TABLE rescue (reason TEXT NOT NULL);" /* a row when the file took a damaged one's place
                                                   */
    "CREATE TABLE action (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE,"
    " judged INTEGER NOT NULL);"
    "CREATE TABLE pending ("
    " id INTEGER PRIMARY KEY," /* in the order in which they came */
    " action INTEGER NOT NULL,"
    " row_id TEXT NOT NULL," /* the alert_id and time of its first row that did not match */
    " received INTEGER NOT NULL,"
    " expires INTEGER NOT NULL,"
    " record TEXT NOT NULL,"
    " due INTEGER," /* to be judged again since it was by this change of the role list; NULL: not */
    " UNIQUE (action, row_id));"
    "CREATE INDEX pending_due ON pending (action, due) WHERE due IS NOT NULL;"
    "CREATE INDEX pending_expires ON pending (expires);"
    "CREATE TABLE pending_key (key TEXT NOT NULL, pending INTEGER NOT NULL,"
    " PRIMARY KEY (key, pending)) WITHOUT ROWID;"
    "CREATE INDEX pending_key_pending ON pending_key (pending);"
    "CREATE TRIGGER pending_takes_its_keys AFTER DELETE ON pending BEGIN"
    " DELETE FROM pending_key WHERE pending = old.id; END;"
    "CREATE TABLE seen (action INTEGER NOT NULL, alert_id TEXT NOT NULL,"
    " expires INTEGER NOT NULL, PRIMARY KEY (action, alert_id)) WITHOUT ROWID;"
    "CREATE INDEX seen_expires ON seen (expires);"
    "CREATE TABLE incident ("
    " action INTEGER NOT NULL,"
    " incident_id TEXT NOT NULL,"
    " key TEXT NOT NULL," /* what its alerts have in common: a JSON array, the tenant first */
    " opened INTEGER NOT NULL,"
    " window INTEGER NOT NULL,"
    " last_alert INTEGER NOT NULL,"
    " alert_count INTEGER NOT NULL,"
    " first_alert TEXT NOT NULL,"
    " closed INTEGER," /* when; NULL: it is not */
    " PRIMARY KEY (action, incident_id)) WITHOUT ROWID;"
    "CREATE INDEX incident_last_alert ON incident (last_alert);"
    "CREATE TABLE incident_alert (action INTEGER NOT NULL, incident_id TEXT NOT NULL,"
    " place INTEGER NOT NULL, alert_id TEXT NOT NULL, alert TEXT NOT NULL,"
    " PRIMARY KEY (action, incident_id, place)) WITHOUT ROWID;"
    "CREATE TRIGGER incident_takes_its_alerts AFTER DELETE ON incident BEGIN"
    " DELETE FROM incident_alert WHERE action = old.action AND incident_id = old.incident_id; END;"
    /*
     * What an account was before, when more than its time changed: a reader who looks now and
     * then would not know that it was so. `superseded` is when, on the writer's clock.
     */
    "CREATE TABLE identity_superseded ("
    " id INTEGER PRIMARY KEY,"
    " upn TEXT NOT NULL, object_id TEXT NOT NULL, display_name TEXT NOT NULL,"
    " time INTEGER NOT NULL, roles TEXT NOT NULL, roles_older INTEGER NOT NULL,"
    " change INTEGER NOT NULL,"
    " superseded INTEGER NOT NULL);"
    "CREATE INDEX identity_superseded_change ON identity_superseded (change);"
    "CREATE TRIGGER identity_keeps_versions AFTER UPDATE ON identity"
    " WHEN old.roles <> new.roles OR old.object_id <> new.object_id"
    " OR old.display_name <> new.display_name OR old.roles_older <> new.roles_older BEGIN"
    " INSERT INTO identity_superseded"
    " (upn, object_id, display_name, time, roles, roles_older, change, superseded)"
    " VALUES (old.upn, old.object_id, old.display_name, old.time, old.roles, old.roles_older,"
    " old.change, " SCHEMA_NOW "); END;",
    /*
     * 3: eligible roles, apart from the active ones; accounts by object id, for members without a
     * UPN; the snapshot that a stream of messages has open, and the rows that it brought so far.
     * Rows of a far future count as of now: nothing could ever be newer than they are.
     */
    "ALTER TABLE identity ADD COLUMN eligible TEXT NOT NULL DEFAULT '';"
    "ALTER TABLE identity_superseded ADD COLUMN eligible TEXT NOT NULL DEFAULT '';"
    "CREATE INDEX identity_object_id ON identity (object_id);"
    "DROP TRIGGER identity_keeps_versions;"
    "UPDATE identity SET time = min(time, " SCHEMA_NOW "), roles_time = min(roles_time, " SCHEMA_NOW
    ")"
    " WHERE max(time, ifnull(roles_time, time)) > " SCHEMA_NOW " + 864000000000;"
    "UPDATE role_list SET newest = (SELECT max(time) FROM identity) WHERE newest > " SCHEMA_NOW ";"
    "CREATE TRIGGER identity_keeps_versions AFTER UPDATE ON identity"
    " WHEN old.roles <> new.roles OR old.object_id <> new.object_id"
    " OR old.display_name <> new.display_name OR old.roles_older <> new.roles_older"
    " OR old.eligible <> new.eligible BEGIN"
    " INSERT INTO identity_superseded"
    " (upn, object_id, display_name, time, roles, roles_older, eligible, change, superseded)"
    " VALUES (old.upn, old.object_id, old.display_name, old.time, old.roles, old.roles_older,"
    " old.eligible, old.change, " SCHEMA_NOW "); END;"
    "CREATE TABLE snapshot (id TEXT NOT NULL, begun INTEGER NOT NULL);"
    "CREATE TABLE snapshot_row (id INTEGER PRIMARY KEY, upn TEXT NOT NULL,"
    " object_id TEXT NOT NULL, display_name TEXT NOT NULL, time INTEGER NOT NULL,"
    " roles TEXT NOT NULL, eligible TEXT, kind INTEGER NOT NULL, roles_older INTEGER NOT NULL);",
    /* 4: how many records of an action are pending, and their bytes, so that nobody counts them. */
    "CREATE TABLE pending_total (action INTEGER PRIMARY KEY, records INTEGER NOT NULL,"
    " bytes INTEGER NOT NULL);"
    "INSERT INTO pending_total SELECT action, count(*), sum(length(CAST(record AS BLOB)))"
    " FROM pending GROUP BY action;"
    "CREATE TRIGGER pending_total_grows AFTER INSERT ON pending BEGIN"
    " INSERT OR IGNORE INTO pending_total VALUES (new.action, 0, 0);"
    " UPDATE pending_total SET records = records + 1,"
    " bytes = bytes + length(CAST(new.record AS BLOB)) WHERE action = new.action; END;"
    "CREATE TRIGGER pending_total_shrinks AFTER DELETE ON pending BEGIN"
    " UPDATE pending_total SET records = records - 1,"
    " bytes = bytes - length(CAST(old.record AS BLOB)) WHERE action = old.action; END;",
    /*
     * 5: why an incident was closed, and by whom; how often an alert's row came again; and what
     * each running action last said of itself, for who asks whether it works.
     */
    "ALTER TABLE incident ADD COLUMN closed_reason TEXT;"
    "ALTER TABLE incident ADD COLUMN closed_by TEXT;"
    "ALTER TABLE incident_alert ADD COLUMN repeats INTEGER NOT NULL DEFAULT 0;"
    "CREATE TABLE heartbeat ("
    " action INTEGER PRIMARY KEY,"
    " written INTEGER NOT NULL,"
    " started INTEGER NOT NULL,"
    " stopped INTEGER," /* at a regular end; NULL: it runs, or was killed */
    " process INTEGER NOT NULL,"
    " last_message INTEGER," /* NULL: none since it started */
    " last_candidate INTEGER,"
    " longest_message INTEGER NOT NULL," /* maxMessageSize */
    " version TEXT NOT NULL,"            /* synctap's */
    " built_for TEXT NOT NULL);",        /* rsyslog's */
    /*
     * 6: alerts in a table with row ids. Without, all that a row has over a quarter of a page lies
     * in pages of its own: 4 KB for an alert of 1.5 KB.
     */
    "DROP TRIGGER incident_takes_its_alerts;"
    "ALTER TABLE incident_alert RENAME TO incident_alert_before;"
    "CREATE TABLE incident_alert (action INTEGER NOT NULL, incident_id TEXT NOT NULL,"
    " place INTEGER NOT NULL, alert_id TEXT NOT NULL, alert TEXT NOT NULL,"
    " repeats INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (action, incident_id, place));"
    "INSERT INTO incident_alert SELECT action, incident_id, place, alert_id, alert, repeats"
    " FROM incident_alert_before;"
    "DROP TABLE incident_alert_before;"
    "CREATE TRIGGER incident_takes_its_alerts AFTER DELETE ON incident BEGIN"
    " DELETE FROM incident_alert WHERE action = old.action AND incident_id = old.incident_id; END;",
    /*
     * 7: what the stream told of sync roles, by the principal's object id; and as of when the last
     * snapshot was the whole role list.
     */
    "CREATE TABLE learned_role (principal TEXT NOT NULL, upn TEXT NOT NULL, role TEXT NOT NULL,"
    " gained INTEGER NOT NULL," /* the last time; the least number: never */
    " lost INTEGER NOT NULL, PRIMARY KEY (principal, role)) WITHOUT ROWID;"
    "ALTER TABLE role_list ADD COLUMN snapshot INTEGER NOT NULL DEFAULT -9223372036854775808;",
    /* 8: what each action of omidentityinfo last took, and what it did not. */
    "CREATE TABLE role_feed (action TEXT PRIMARY KEY,"
    " taken INTEGER,"               /* NULL: no message with rows came yet */
    " rejected INTEGER,"            /* the last one without */
    " rejections INTEGER NOT NULL," /* of those, since the last one that was taken */
    " reason TEXT NOT NULL) WITHOUT ROWID;",
    /*
     * 9: texts that are packed with a dictionary (packed_text), pending records among them, which
     * an earlier version cannot read. Those of before stay as they are.
     */
    "",
    /*
     * 10: keys lie in buckets of 65,536 records. Before, a flood wrote each of its keys into a page
     * of its own: 14 GB for 1 GB of records.
     */
    "DROP TRIGGER pending_takes_its_keys;"
    "ALTER TABLE pending_key RENAME TO pending_key_before;"
    "CREATE TABLE pending_key (pending INTEGER NOT NULL, key TEXT NOT NULL,"
    " PRIMARY KEY (pending, key)) WITHOUT ROWID;"
    "INSERT INTO pending_key SELECT pending, key FROM pending_key_before ORDER BY pending;"
    "DROP TABLE pending_key_before;"
    "CREATE INDEX pending_key_bucket ON pending_key (pending >> 16, key);"
    "CREATE TRIGGER pending_takes_its_keys AFTER DELETE ON pending BEGIN"
    " DELETE FROM pending_key WHERE pending = old.id; END;",
    /* 11: what made an action weaker, how often since it started, and when last. */
    "CREATE TABLE trouble ("
    " action INTEGER NOT NULL, name TEXT NOT NULL,"
    " count INTEGER NOT NULL, newest INTEGER NOT NULL,"
    " PRIMARY KEY (action, name)) WITHOUT ROWID;",
};

static bool run(sqlite3 *c, const char *sql)
{
    return sqlite3_exec(c, sql, NULL, NULL, NULL) == SQLITE_OK;
}

static bool read_number(sqlite3 *c, const char *sql, int64_t *number)
{
    sqlite3_stmt *statement = NULL;
    bool read = sqlite3_prepare_v2(c, sql, -1, &statement, NULL) == SQLITE_OK &&
                sqlite3_step(statement) == SQLITE_ROW;

    if (read)
        *number = sqlite3_column_int64(statement, 0);
    return sqlite3_finalize(statement) == SQLITE_OK && read;
}

/* --- making it --- */

static bool set_number(sqlite3 *c, const char *pragma, int number)
{
    char *sql = sqlite3_mprintf("PRAGMA %s = %d", pragma, number);
    bool set = sql != NULL && run(c, sql);

    sqlite3_free(sql);
    return set;
}

static bool step_up(sqlite3 *c, int64_t from, int64_t to)
{
    bool done = true;

    for (int64_t version = from; done && version < to; version++)
        done = run(c, migrations[version]);
    return done;
}

/* Asks again inside the transaction: another process may have been first. */
static bool migrate(sqlite3 *c)
{
    int64_t version;

    return run(c, "PRAGMA journal_mode = WAL") && run(c, "BEGIN IMMEDIATE") &&
           read_number(c, "PRAGMA user_version", &version) && step_up(c, version, SCHEMA_VERSION) &&
           set_number(c, "application_id", APPLICATION_ID) &&
           set_number(c, "user_version", SCHEMA_VERSION) && run(c, "COMMIT");
}

/* --- is it ours? --- */

#define OBJECTS                                                                                    \
    " FROM main.sqlite_master WHERE sql IS NOT NULL"                                               \
    " AND NOT (type = 'table' AND sql LIKE 'CREATE TABLE sqlite\\_stat%' ESCAPE '\\')"
/* Version 1 was made with other blanks. */
#define WITHOUT_BLANKS "replace(replace(sql, ' ', ''), char(10), '')"

/* Is that object of ours there, word for word? */
static bool has_object(sqlite3_stmt *found, sqlite3_stmt *ours)
{
    bool has;

    for (int i = 0; i < sqlite3_column_count(ours); i++)
        sqlite3_bind_value(found, i + 1, sqlite3_column_value(ours, i));
    has = sqlite3_step(found) == SQLITE_ROW;
    sqlite3_reset(found);
    return has;
}

/* False, too, on a failure of either. */
static bool has_all(sqlite3 *c, sqlite3 *ours)
{
    sqlite3_stmt *wanted = NULL, *found = NULL;
    bool has;
    int step = SQLITE_ERROR;

    sqlite3_prepare_v2(ours, "SELECT type, name, tbl_name, " WITHOUT_BLANKS OBJECTS, -1, &wanted,
                       NULL);
    sqlite3_prepare_v2(c,
                       "SELECT 1" OBJECTS
                       " AND type = ?1 AND name = ?2 AND tbl_name = ?3 AND " WITHOUT_BLANKS " = ?4",
                       -1, &found, NULL);
    has = wanted != NULL && found != NULL;
    while (has && (step = sqlite3_step(wanted)) == SQLITE_ROW)
        has = has_object(found, wanted);
    sqlite3_finalize(wanted);
    return sqlite3_finalize(found) == SQLITE_OK && has && step == SQLITE_DONE;
}

static bool has_as_many(sqlite3 *c, sqlite3 *ours)
{
    int64_t there, wanted;

    return read_number(c, "SELECT count(*)" OBJECTS, &there) &&
           read_number(ours, "SELECT count(*)" OBJECTS, &wanted) && there == wanted;
}

/* A database of that version, made as all of ours are, to compare with. */
static schema_result compare(sqlite3 *c, int64_t version, const char **refusal)
{
    sqlite3 *ours = NULL;
    bool made = sqlite3_open_v2(":memory:", &ours,
                                SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
                                NULL) == SQLITE_OK &&
                step_up(ours, 0, version);
    bool is_ours = made && has_as_many(c, ours) && has_all(c, ours);
    int failed = sqlite3_errcode(ours) == SQLITE_NOMEM ? SQLITE_NOMEM : sqlite3_errcode(c) & 0xFF;

    sqlite3_close_v2(ours);
    if (is_ours)
        return SCHEMA_READY;
    if (!made || (failed != SQLITE_OK && failed != SQLITE_ROW && failed != SQLITE_DONE))
        return SCHEMA_FAILED;
    *refusal = "what is in it are not the tables of synctap: it is left alone: give another path, "
               "or move it away: then a new one is made";
    return SCHEMA_REFUSED;
}

static schema_result refuse(const char *why, const char **refusal)
{
    *refusal = why;
    return SCHEMA_REFUSED;
}

/* A new file has no tables and no id. */
static schema_result look(sqlite3 *c, int64_t *version, const char **refusal)
{
    int64_t id, objects;

    if (!read_number(c, "PRAGMA user_version", version) ||
        !read_number(c, "PRAGMA application_id", &id) ||
        !read_number(c, "SELECT count(*) FROM main.sqlite_master", &objects))
        return SCHEMA_FAILED;
    if (id != APPLICATION_ID && (id != 0 || objects > 0))
        return refuse(FOREIGN, refusal);
    if (*version > SCHEMA_VERSION)
        return refuse(NEWER, refusal);
    if (*version < 0 || (*version == 0 && objects > 0))
        return refuse(FOREIGN, refusal);
    return compare(c, *version, refusal);
}

schema_result schema_prepare(sqlite3 *c, const char **refusal)
{
    int64_t version = 0;
    schema_result result;

    /* In one transaction: another process may be making the schema. */
    if (!run(c, "BEGIN"))
        return SCHEMA_FAILED;
    result = look(c, &version, refusal);
    if (result != SCHEMA_READY)
        return result;
    if (!run(c, "COMMIT") || (version < SCHEMA_VERSION && !migrate(c)))
        return SCHEMA_FAILED;
    return SCHEMA_READY;
}

/* --- a file that is not opened --- */

static int64_t big_endian(const unsigned char *bytes)
{
    return (int64_t)bytes[0] << 24 | bytes[1] << 16 | bytes[2] << 8 | bytes[3];
}

/* sqlite.org/fileformat.html; a database that is being made has no number yet. */
const char *schema_header_refusal(const unsigned char header[static SCHEMA_HEADER])
{
    enum { VERSION_AT = 60, ID_AT = 68 };
    int64_t id = big_endian(header + ID_AT), version = big_endian(header + VERSION_AT);

    if (id != 0 && id != APPLICATION_ID)
        return FOREIGN;
    return id == APPLICATION_ID && version > SCHEMA_VERSION ? NEWER : NULL;
}
