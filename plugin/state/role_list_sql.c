/* SPDX-License-Identifier: Apache-2.0 */
/* role_list_sql: the statements over the tables `identity` and `role_list`. */
#include "state/role_list_parts.h"
#include "state/schema.h"
#include "state/statement.h"

/* Here a line of C is a line of the statement; enum parameter names what ?1 to ?10 are. */
/* clang-format off */

/*
 * ?8: the row is a snapshot's, which knows better than whatever was said before; of added roles
 * the account's first in it. ?10: a known time beyond it is no time, anything is newer.
 */
#define ROW_IS_NEWER "(?4 > time OR time > ?10)"
#define ROLES_ARE_NEWER                                                                            \
    "(?5 IS NOT NULL AND (?8 OR roles_time IS NULL OR ?4 > roles_time OR roles_time > ?10))"
#define NEWER_TIME SQL_IF("time > ?10", "?4", "max(time, ?4)")
#define NEWER_ROLES_TIME                                                                           \
    SQL_IF("ifnull(roles_time, ?4) > ?10", "?4", "max(?4, ifnull(roles_time, ?4))")

/* A snapshot that says what is known changes nothing. */
#define ROW_DIFFERS                                                                                \
    "(?8 AND (object_id <> ?2 OR display_name <> ?3 OR roles_older <> ?6"                          \
    " OR ifnull(?5, roles) <> roles OR ifnull(?9, eligible) <> eligible))"

/* What is known, as an array: it may be a plain string. */
#define KNOWN(column)                                                                              \
    "CASE WHEN " column " = '' THEN '[]'"                                                          \
    " WHEN NOT json_valid(" column ") THEN json_array(" column ")"                                 \
    " WHEN json_type(" column ") = 'array' THEN " column " ELSE json_array(" column ") END"
/* The roles of ?5 that are not known yet. */
#define MORE(column)                                                                               \
    "SELECT value FROM json_each(?5) WHERE value NOT IN"                                           \
    " (SELECT value FROM json_each(" KNOWN(column) ") WHERE value IS NOT NULL)"
/* A value that is no name becomes text: of one that is JSON some versions of SQLite forget that. */
#define AS_TEXT "CASE WHEN type IN ('object', 'array') THEN value || '' ELSE value END"
/* What is known and what is new, as an array. */
#define ALL(column)                                                                                \
    "(SELECT json_group_array(value) FROM (SELECT " AS_TEXT                                        \
    " AS value FROM json_each(" KNOWN(column) ") UNION ALL " MORE(column) "))"
#define GROWS(column) SQL_IF("?8", column " <> ?5", "EXISTS (" MORE(column) ")")
#define GROWN(column) SQL_IF(GROWS(column), "CASE WHEN ?8 THEN ?5 ELSE " ALL(column) " END", column)

/* A column of a row that is there: the value where the condition holds, else as it is. */
#define SET_IF(column, condition, value) " " column " = " SQL_IF(condition, value, column)

/* The names, where an added role's member says them. */
#define NAMES_OF_A_MEMBER                                                                          \
    SET_IF("object_id", ROW_IS_NEWER " AND ?2 <> ''", "?2") ","                                    \
    SET_IF("display_name", ROW_IS_NEWER " AND ?3 <> ''", "?3") ","                                 \
    " time = " NEWER_TIME ", change = ?7"

#define INSERT                                                                                     \
    "INSERT INTO identity (upn, object_id, display_name, time, roles, roles_time, "                \
    "roles_older, change, eligible) VALUES "

/* In the order in which role_list_read.c reads them. */
#define ROW "upn, object_id, display_name, roles, time, roles_older, eligible"

const char *const role_list_sql[STATEMENTS] = {
    /* What is newer than what is known of it: the account's names, and its roles if it says any. */
    [PUT] = INSERT "(?1, ?2, ?3, ?4, ifnull(?5, ''), " SQL_IF("?5 IS NULL", "NULL", "?4")
            ", ?6, ?7, ifnull(?9, ''))"
            " ON CONFLICT (upn) DO UPDATE SET"
            SET_IF("object_id", "?8 OR " ROW_IS_NEWER, "?2") ","
            SET_IF("display_name", "?8 OR " ROW_IS_NEWER, "?3") ","
            SET_IF("roles_older", "?8 OR " ROW_IS_NEWER, "?6") ","
            SET_IF("eligible", "?8 OR " ROW_IS_NEWER, "ifnull(?9, eligible)") ","
            " time = " NEWER_TIME ","
            SET_IF("roles", ROLES_ARE_NEWER, "?5") ","
            SET_IF("roles_time", ROLES_ARE_NEWER, NEWER_ROLES_TIME) ","
            " change = ?7"
            " WHERE " ROW_IS_NEWER " OR (NOT ?8 AND " ROLES_ARE_NEWER ") OR " ROW_DIFFERS,
    /* One more role, whatever its time: losing one is worse than keeping it. */
    [ADD] = INSERT "(?1, ?2, ?3, ?4, ?5, ?4, ?6, ?7, '')"
            " ON CONFLICT (upn) DO UPDATE SET" NAMES_OF_A_MEMBER ","
            SET_IF("roles_older", ROW_IS_NEWER, "?6") ","
            " roles = " GROWN("roles") ","
            " roles_time = " NEWER_ROLES_TIME
            " WHERE " ROW_IS_NEWER " OR " GROWS("roles"),
    [ADD_ELIGIBLE] = INSERT "(?1, ?2, ?3, ?4, '', NULL, ?6, ?7, ?5)"
                     " ON CONFLICT (upn) DO UPDATE SET" NAMES_OF_A_MEMBER ","
                     " eligible = " GROWN("eligible")
                     " WHERE " ROW_IS_NEWER " OR " GROWS("eligible"),
    [REMOVE] = "UPDATE identity SET time = " NEWER_TIME ", change = ?7,"
               " roles = (SELECT json_group_array(value) FROM json_each(" KNOWN("roles") ")"
               " WHERE value IS NULL OR value NOT IN (SELECT value FROM json_each(?5))),"
               " roles_time = " NEWER_ROLES_TIME
               " WHERE upn = ?1 AND EXISTS (SELECT 1 FROM json_each(" KNOWN("roles") ")"
               " WHERE value IN (SELECT value FROM json_each(?5)))",
    [FIND_BY_ID] = "SELECT upn FROM identity WHERE object_id = ?1 ORDER BY upn = ?1, id LIMIT 1",
    [READ_HEAD] = "SELECT change, rows, newest FROM role_list",
    [WRITE_HEAD] = "UPDATE role_list SET change = ?1, rows = ?2, newest = ?3",
    [WRITE_SNAPSHOT] = "UPDATE role_list SET snapshot = max(snapshot, ?1)",
    [COUNT_CHANGED] = "SELECT count(*) FROM identity WHERE change = ?1",
    [READ_CHANGED] = "SELECT " ROW " FROM identity WHERE change > ?1",
    [READ_ALL] = "SELECT " ROW " FROM identity ORDER BY upn",
    [READ_SUPERSEDED] = "SELECT " ROW ", superseded FROM identity_superseded"
                        " INDEXED BY identity_superseded_change"
                        " WHERE change > ?1 ORDER BY id",
    /* by the clock that wrote them; one that was far ahead once does not hold the others up */
    [FORGET_SUPERSEDED] = "DELETE FROM identity_superseded WHERE id IN"
                          " (SELECT id FROM identity_superseded ORDER BY id LIMIT ?1)"
                          " AND (superseded < " SCHEMA_NOW " - 864000000000"
                          " OR superseded > " SCHEMA_NOW " + 864000000000)",
};

/* clang-format on */
