/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_identity_record: a text goes into the role list, and from there into a detector.
 *
 * What must hold for any text: a second import of it changes nothing more;
 * the role list's facts tell of its rows; and a detector that takes in the
 * change has the same sync accounts as one that reads the whole list.
 */
#include "fuzz.h"

#include <sqlite3.h>

#include "rule/sync_accounts.h"
#include "state/identity_import.h"

static rule *wide_rule;
static store *database; /* the detector's, and of a second role list beside its own */
static role_list *list;
static keeper *follower;
static identity_import *importer;
static carrier *rulebase;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    char *error;

    (void)argc;
    (void)argv;
    wide_rule = fuzz_rule(SEMANTICS_WIDE);
    database = fuzz_store();
    follower = keeper_new(detector_new(wide_rule));
    fuzz_require(keeper_adopt(follower, database, fuzz_now(), &error), "the set-up works",
                 (text)TEXT("adopting a store"));
    list = role_list_open(database);
    importer = identity_import_new();
    rulebase = fuzz_rulebase("identity-info.rulebase");
    return 0;
}

/* Only another connection's changes are seen; here it is one and the same. */
static void update(text input)
{
    char *error;

    store_forget_version(database);
    FUZZ_REQUIRE(keeper_update(follower, fuzz_now(), NULL, NULL, &error) == KEEPER_CHANGED, input);
}

static void import(const carrier *by, text input)
{
    identity_imported done;

    FUZZ_REQUIRE(role_list_begin(list), input);
    done = identity_import_feed(importer, list, by, input, fuzz_now());
    FUZZ_REQUIRE(!done.failed, input);
    FUZZ_REQUIRE((done.broken > 0) == (done.reason != NULL), input);
    FUZZ_REQUIRE(role_list_changed(list) <= done.rows, input);
    FUZZ_REQUIRE(role_list_commit(list), input);
    update(input);
}

static void put_row(void *edit, const identity_record *row)
{
    rule_put_account(wide_rule, edit, row);
}

/* How many sync accounts the whole list makes. */
static size_t count_accounts(text input)
{
    sync_accounts *none = sync_accounts_new(SEMANTICS_WIDE), *all;
    sync_accounts_edit *edit = sync_accounts_edit_begin(none);
    size_t count;

    FUZZ_REQUIRE(role_list_each(list, put_row, edit), input);
    all = sync_accounts_edit_end(edit);
    count = sync_accounts_count(all);
    sync_accounts_unref(all);
    sync_accounts_unref(none);
    return count;
}

static void count_row(void *arg, const identity_record *row)
{
    int64_t *count = arg;

    (void)row;
    ++*count;
}

static void check_facts(text input)
{
    keeper_facts facts = keeper_read_facts(follower, fuzz_now());
    int64_t rows = 0;

    FUZZ_REQUIRE(role_list_each(list, count_row, &rows), input);
    FUZZ_REQUIRE(facts.identity.rows == rows, input);
    FUZZ_REQUIRE(facts.identity.has_rows == (rows > 0), input);
    FUZZ_REQUIRE(facts.sync_accounts == count_accounts(input), input);
}

/* The next text begins with no rows, and the detector sees a list that began anew. */
static void empty_list(text input)
{
    sqlite3_stmt *any = store_prepare(database, "SELECT 1");

    FUZZ_REQUIRE(sqlite3_exec(sqlite3_db_handle(any),
                              "DELETE FROM identity;"
                              "UPDATE role_list SET change = 0, rows = 0, newest = NULL",
                              NULL, NULL, NULL) == SQLITE_OK,
                 input);
    sqlite3_finalize(any);
    update(input);
}

static void import_all(text input)
{
    import(NULL, input);
    check_facts(input);
    import(NULL, input); /* brings back a role of Graph's that a row behind it had taken away */
    import(NULL, input);
    FUZZ_REQUIRE(role_list_changed(list) == 0, input);
    import(rulebase, input);
    check_facts(input);
    empty_list(input);
    check_facts(input);
}

int LLVMFuzzerTestOneInput(const char *bytes, size_t length)
{
    fuzz_in_both_key_modes(import_all, (text){bytes, length});
    return 0;
}
