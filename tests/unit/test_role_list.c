/* SPDX-License-Identifier: Apache-2.0 */
/* arg_max(TimeGenerated, *) by AccountUPN in the database, and what a reader sees of it. */
#include "state/role_list.h"

#include <sqlite3.h>
#include <stdlib.h>

#include "fixtures.h"
#include "suites.h"
#include "test.h"

#define HOUR_1 "2026-06-01T01:00:00Z"
#define HOUR_2 "2026-06-01T02:00:00Z"
#define HOUR_3 "2026-06-01T03:00:00Z"

static identity_record row(const char *upn, const char *roles, const char *time)
{
    return identity_row(upn, test_string("id of %s", upn), roles, time);
}

static role_list *new_role_list(void)
{
    return open_role_list(open_store(STORE_IN_MEMORY));
}

/* A list of what a sink was handed: "upn=roles upn=roles ". */
static void note_row(void *arg, const identity_record *r)
{
    buffer *out = arg;

    buffer_append(out, r->account_upn);
    buffer_append_char(out, '=');
    buffer_append(out, r->assigned_roles);
    buffer_append_char(out, ' ');
}

static const char *noted(buffer *out)
{
    const char *copy = test_string("%s", buffer_string(out));

    buffer_free(out);
    return copy;
}

static const char *all_rows(role_list *list)
{
    buffer out = {0};

    EXPECT(role_list_each(list, note_row, &out));
    return noted(&out);
}

static int compare_words(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Changes come in no order: they are sorted here. */
static const char *sorted(const char *rows)
{
    char *copy = arena_alloc(test_arena(), strlen(rows) + 1), *next = copy;
    const char *words[32], *word;
    size_t count = 0;
    buffer out = {0};

    strcpy(copy, rows);
    while ((word = strsep(&next, " ")) != NULL && count < LENGTH_OF(words))
        if (*word != '\0')
            words[count++] = word;
    qsort(words, count, sizeof(words[0]), compare_words);
    for (size_t i = 0; i < count; i++) {
        buffer_append_string(&out, words[i]);
        buffer_append_char(&out, ' ');
    }
    return noted(&out);
}

static const char *changes(role_list *list, int64_t *change)
{
    buffer out = {0};
    bool restarted;

    EXPECT(role_list_changes(list, change, &restarted, note_row, &out));
    EXPECT_NOT(restarted);
    return sorted(noted(&out));
}

/* --- the newest row of each account --- */

static void test_the_newest_row_of_an_account_counts_whatever_the_order(void)
{
    role_list *list = new_role_list();

    PUT_ROWS(list, row("up@x", "1", HOUR_1), row("up@x", "2", HOUR_2), row("up@x", "3", HOUR_3),
             row("down@x", "3", HOUR_3), row("down@x", "2", HOUR_2), row("down@x", "1", HOUR_1),
             row("mixed@x", "2", HOUR_2), row("mixed@x", "3", HOUR_3), row("mixed@x", "1", HOUR_1));
    EXPECT_STRING(all_rows(list), "down@x=3 mixed@x=3 up@x=3 ");
}

static void test_the_newest_row_counts_over_several_transactions(void)
{
    role_list *list = new_role_list();

    PUT_ROWS(list, row("a@x", "2", HOUR_2));
    PUT_ROWS(list, row("a@x", "1", HOUR_1));
    EXPECT_STRING(all_rows(list), "a@x=2 ");
    PUT_ROWS(list, row("a@x", "3", HOUR_3));
    EXPECT_STRING(all_rows(list), "a@x=3 ");
}

static void test_arg_max_on_recorded_rows(void)
{
    role_list *list = new_role_list();

    PUT_ROWS(list, row("Apple", "Red", HOUR_1), row("Pear", "Brown", HOUR_1),
             row("Pear", "Green", HOUR_2), row("1", "b", HOUR_3));
    EXPECT_STRING(all_rows(list), "1=b Apple=Red Pear=Green ");
}

static void test_of_equal_times_the_row_that_came_first_stays(void)
{
    role_list *list = new_role_list();

    PUT_ROWS(list, row("a@x", "first", HOUR_1), row("a@x", "second", HOUR_1));
    PUT_ROWS(list, row("a@x", "third", HOUR_1));
    EXPECT_STRING(all_rows(list), "a@x=first ");
}

static void test_one_tick_makes_a_row_newer(void)
{
    role_list *list = new_role_list();
    identity_record old = row("a@x", "old", HOUR_1), new = row("a@x", "new", HOUR_1);

    new.time_generated += 1;
    PUT_ROWS(list, old, new);
    EXPECT_STRING(all_rows(list), "a@x=new ");
}

static void test_a_newer_row_without_roles_takes_them_away(void)
{
    role_list *list = new_role_list();

    PUT_ROWS(list, row("a@x", SYNC_ROLE, HOUR_1));
    PUT_ROWS(list, row("a@x", "[]", HOUR_2));
    EXPECT_STRING(all_rows(list), "a@x=[] ");
}

static void test_accounts_that_differ_in_case_are_two(void)
{
    role_list *list = new_role_list();

    PUT_ROWS(list, row("a@x", "lower", HOUR_1), row("A@x", "upper", HOUR_2));
    EXPECT_STRING(all_rows(list), "A@x=upper a@x=lower ");
}

static void test_an_empty_upn_is_an_account(void)
{
    role_list *list = new_role_list();

    PUT_ROWS(list, row("", "1", HOUR_1), row("", "2", HOUR_2), row("a@x", "3", HOUR_1));
    EXPECT_STRING(all_rows(list), "=2 a@x=3 ");
}

static void test_upns_with_and_without_a_blank_are_two_accounts(void)
{
    role_list *list = new_role_list();

    PUT_ROWS(list, row("a@x", "1", HOUR_1), row("a@x\t", "2", HOUR_1));
    EXPECT_STRING(all_rows(list), "a@x=1 a@x\t=2 ");
}

static void take_copy(void *arg, const identity_record *r)
{
    identity_record *copy = arg;

    copy->time_generated = r->time_generated;
    copy->account_upn = arena_copy(test_arena(), r->account_upn);
    copy->account_object_id = arena_copy(test_arena(), r->account_object_id);
    copy->account_display_name = arena_copy(test_arena(), r->account_display_name);
    copy->assigned_roles = arena_copy(test_arena(), r->assigned_roles);
}

static void check_survival(identity_record r)
{
    role_list *list = new_role_list();
    identity_record read = {0};

    put_rows(list, &r, 1);
    EXPECT(role_list_each(list, take_copy, &read));
    EXPECT_TIME(read.time_generated, r.time_generated);
    EXPECT_TEXT(read.account_upn, r.account_upn);
    EXPECT_TEXT(read.account_object_id, r.account_object_id);
    EXPECT_TEXT(read.account_display_name, r.account_display_name);
    EXPECT_TEXT(read.assigned_roles, r.assigned_roles);
}

static void test_all_columns_are_kept(void)
{
    check_survival((identity_record){.time_generated = INT64_C(17803152001234567),
                                     .account_upn = TEXT("Sync_x@contoso.com"),
                                     .account_object_id = TEXT("id-1"),
                                     .account_display_name = TEXT("On-Premises é"),
                                     .assigned_roles = TEXT("[\"a\",\"b\"]")});
}

static void test_any_bytes_are_kept(void)
{
    check_survival((identity_record){.time_generated = -1,
                                     .account_upn = TEXT("a\0b'\"\377"),
                                     .account_object_id = TEXT("\0"),
                                     .account_display_name = TEXT("\303"),
                                     .assigned_roles = TEXT("")});
}

static void test_texts_without_bytes_are_empty(void)
{
    role_list *list = new_role_list();
    const identity_record none = {.time_generated = 1};

    put_rows(list, &none, 1);
    EXPECT_STRING(all_rows(list), "= ");
}

static void test_rows_come_in_the_order_of_their_upns(void)
{
    role_list *list = new_role_list();

    PUT_ROWS(list, row("c", "", HOUR_1), row("a", "", HOUR_1), row("é", "", HOUR_1),
             row("B", "", HOUR_1), row("ab", "", HOUR_1));
    EXPECT_STRING(all_rows(list), "B= a= ab= c= é= ");
}

/* --- facts --- */

static role_list_facts facts_of(role_list *list)
{
    role_list_facts facts = {.rows = -1};

    EXPECT(role_list_read_facts(list, &facts));
    return facts;
}

static void test_an_empty_list_has_no_newest_row(void)
{
    role_list_facts facts = facts_of(new_role_list());

    EXPECT_INT(facts.rows, 0);
    EXPECT_NOT(facts.has_rows);
}

static void test_the_facts_count_accounts_and_know_the_newest_row(void)
{
    role_list *list = new_role_list();

    PUT_ROWS(list, row("a@x", "", HOUR_2), row("b@x", "", HOUR_1), row("a@x", "", HOUR_1));
    EXPECT_INT(facts_of(list).rows, 2);
    EXPECT(facts_of(list).has_rows);
    EXPECT_TIME(facts_of(list).newest, time_of(HOUR_2));
    PUT_ROWS(list, row("b@x", "", HOUR_3), row("c@x", "", HOUR_1));
    EXPECT_INT(facts_of(list).rows, 3);
    EXPECT_TIME(facts_of(list).newest, time_of(HOUR_3));
}

static void test_a_row_before_1970_is_a_row(void)
{
    role_list *list = new_role_list();

    PUT_ROWS(list, row("a@x", "", "1960-01-01T00:00:00Z"));
    EXPECT(facts_of(list).has_rows);
    EXPECT_TIME(facts_of(list).newest, time_of("1960-01-01T00:00:00Z"));
}

/* --- transactions --- */

static void test_a_transaction_tells_how_many_accounts_it_changed(void)
{
    role_list *list = new_role_list();

    PUT_ROWS(list, row("a@x", "", HOUR_2), row("b@x", "", HOUR_2), row("c@x", "", HOUR_2));
    EXPECT_INT(role_list_changed(list), 3);
    PUT_ROWS(list, row("a@x", "", HOUR_1), row("b@x", "", HOUR_2), row("c@x", "", HOUR_3));
    EXPECT_INT(role_list_changed(list), 1);
}

static void test_an_account_that_is_put_twice_has_changed_once(void)
{
    role_list *list = new_role_list();

    PUT_ROWS(list, row("a@x", "", HOUR_1), row("a@x", "", HOUR_2));
    EXPECT_INT(role_list_changed(list), 1);
}

static void test_a_transaction_that_is_rolled_back_changes_nothing(void)
{
    role_list *list = new_role_list();
    const identity_record more = row("b@x", "2", HOUR_2), newer = row("a@x", "2", HOUR_2);
    int64_t change = 0;

    PUT_ROWS(list, row("a@x", "1", HOUR_1));
    changes(list, &change);
    EXPECT(role_list_begin(list));
    EXPECT(role_list_put(list, &more));
    EXPECT(role_list_put(list, &newer));
    role_list_rollback(list);
    EXPECT_STRING(all_rows(list), "a@x=1 ");
    EXPECT_INT(facts_of(list).rows, 1);
    EXPECT_TIME(facts_of(list).newest, time_of(HOUR_1));
    EXPECT_STRING(changes(list, &change), "");
}

static void test_a_list_goes_on_after_a_rollback(void)
{
    role_list *list = new_role_list();
    const identity_record dropped = row("b@x", "2", HOUR_2);

    EXPECT(role_list_begin(list));
    EXPECT(role_list_put(list, &dropped));
    role_list_rollback(list);
    PUT_ROWS(list, row("a@x", "1", HOUR_1));
    EXPECT_INT(role_list_changed(list), 1);
    EXPECT_INT(facts_of(list).rows, 1);
}

static void test_nothing_begins_while_another_writes(void)
{
    store *other = open_store(test_path("state.db")), *own = open_store(test_path("state.db"));
    role_list *list = open_role_list(own);

    EXPECT(store_begin(other));
    EXPECT_NOT(role_list_begin(list));
    EXPECT(store_is_busy(own));
    store_rollback(other);
    PUT_ROWS(list, row("a@x", "1", HOUR_1));
    EXPECT_STRING(all_rows(list), "a@x=1 ");
}

/* --- changes --- */

static void test_from_zero_all_rows_are_changes(void)
{
    role_list *list = new_role_list();
    int64_t change = 0;

    PUT_ROWS(list, row("a@x", "1", HOUR_1), row("b@x", "1", HOUR_1));
    PUT_ROWS(list, row("c@x", "1", HOUR_1));
    EXPECT_STRING(changes(list, &change), "a@x=1 b@x=1 c@x=1 ");
    EXPECT_STRING(changes(list, &change), "");
}

static void test_only_what_changed_since_is_handed_out(void)
{
    role_list *list = new_role_list();
    int64_t change = 0;

    PUT_ROWS(list, row("a@x", "1", HOUR_1), row("b@x", "1", HOUR_1));
    changes(list, &change);
    PUT_ROWS(list, row("b@x", "2", HOUR_2), row("c@x", "2", HOUR_2), row("a@x", "0", HOUR_1));
    EXPECT_STRING(changes(list, &change), "b@x=2 c@x=2 ");
}

static void test_changes_of_several_transactions_come_together(void)
{
    role_list *list = new_role_list();
    int64_t change = 0;

    PUT_ROWS(list, row("a@x", "1", HOUR_1));
    changes(list, &change);
    PUT_ROWS(list, row("a@x", "2", HOUR_2));
    PUT_ROWS(list, row("a@x", "3", HOUR_3), row("b@x", "1", HOUR_1));
    EXPECT_STRING(changes(list, &change), "a@x=3 b@x=1 ");
}

static void test_a_transaction_that_changes_nothing_is_no_change(void)
{
    role_list *list = new_role_list();
    int64_t change = 0, before;

    PUT_ROWS(list, row("a@x", "1", HOUR_1));
    changes(list, &change);
    before = change;
    PUT_ROWS(list, row("a@x", "0", HOUR_1));
    EXPECT_STRING(changes(list, &change), "");
    EXPECT_INT(change, before);
}

static void test_another_connection_sees_the_changes(void)
{
    role_list *a = open_role_list(open_store(test_path("state.db")));
    role_list *b = open_role_list(open_store(test_path("state.db")));
    int64_t change = 0;

    PUT_ROWS(a, row("a@x", "1", HOUR_1));
    EXPECT_STRING(changes(b, &change), "a@x=1 ");
    PUT_ROWS(a, row("a@x", "2", HOUR_2));
    EXPECT_STRING(changes(b, &change), "a@x=2 ");
    EXPECT_STRING(all_rows(b), "a@x=2 ");
}

static void test_several_writers_count_their_changes_together(void)
{
    role_list *a = open_role_list(open_store(test_path("state.db")));
    role_list *b = open_role_list(open_store(test_path("state.db")));
    int64_t change = 0;

    PUT_ROWS(a, row("a@x", "1", HOUR_1));
    PUT_ROWS(b, row("b@x", "1", HOUR_1));
    changes(a, &change);
    PUT_ROWS(b, row("c@x", "1", HOUR_1));
    PUT_ROWS(a, row("d@x", "1", HOUR_1));
    EXPECT_STRING(changes(a, &change), "c@x=1 d@x=1 ");
    EXPECT_INT(facts_of(a).rows, 4);
    EXPECT_INT(facts_of(b).rows, 4);
}

static void test_another_database_makes_a_reader_start_again(void)
{
    role_list *list = new_role_list();
    int64_t change = 5;
    bool restarted = false;
    buffer out = {0};

    PUT_ROWS(list, row("a@x", "1", HOUR_1));
    EXPECT(role_list_changes(list, &change, &restarted, note_row, &out));
    EXPECT(restarted);
    EXPECT_INT(change, 0);
    EXPECT_STRING(noted(&out), "");
    EXPECT_STRING(changes(list, &change), "a@x=1 ");
}

static void test_the_list_outlives_its_connection(void)
{
    char *error;
    store *s = store_open(test_path("state.db"), STORE_CREATE, &error);
    role_list *list;

    REQUIRE(s != NULL);
    list = role_list_open(s);
    REQUIRE(list != NULL);
    PUT_ROWS(list, row("a@x", "1", HOUR_1));
    role_list_close(list);
    store_close(s);
    EXPECT_STRING(all_rows(open_role_list(open_store(test_path("state.db")))), "a@x=1 ");
}

/* --- snapshots --- */

static void put_snapshot(role_list *list, const char *now, const identity_record *rows,
                         size_t count)
{
    REQUIRE(role_list_begin_snapshot(list, time_of(now)));
    for (size_t i = 0; i < count; i++)
        REQUIRE(role_list_put(list, &rows[i]));
    REQUIRE(role_list_commit(list));
}

static void test_who_is_absent_from_a_snapshot_has_lost_his_roles(void)
{
    role_list *list = new_role_list();
    const identity_record stays = row("a@x", "kept", HOUR_2);
    int64_t change = 0;

    PUT_ROWS(list, row("a@x", "kept", HOUR_1), row("b@x", SYNC_ROLE, HOUR_1));
    changes(list, &change);
    put_snapshot(list, HOUR_3, &stays, 1);
    EXPECT_STRING(all_rows(list), "a@x=kept b@x= ");
    EXPECT_STRING(changes(list, &change), "a@x=kept b@x= ");
    EXPECT_INT(facts_of(list).rows, 2);
}

static void test_a_snapshot_wins_over_what_was_said_before(void)
{
    role_list *list = new_role_list();
    const identity_record old = row("a@x", "older", HOUR_1);

    PUT_ROWS(list, row("a@x", SYNC_ROLE, HOUR_2));
    put_snapshot(list, HOUR_3, &old, 1);
    EXPECT_STRING(all_rows(list), "a@x=older ");
}

static void test_roles_are_lost_as_of_the_snapshots_time(void)
{
    role_list *list = new_role_list();

    PUT_ROWS(list, row("b@x", "role", HOUR_1));
    put_snapshot(list, HOUR_2, NULL, 0);
    EXPECT_TIME(facts_of(list).newest, time_of(HOUR_2));
    PUT_ROWS(list, row("b@x", "between", "2026-06-01T01:30:00Z"));
    EXPECT_STRING(all_rows(list), "b@x= ");
    PUT_ROWS(list, row("b@x", "again", HOUR_3));
    EXPECT_STRING(all_rows(list), "b@x=again ");
}

static void test_a_snapshot_that_is_rolled_back_takes_no_roles(void)
{
    role_list *list = new_role_list();

    PUT_ROWS(list, row("b@x", "role", HOUR_1));
    REQUIRE(role_list_begin_snapshot(list, time_of(HOUR_3)));
    role_list_rollback(list);
    PUT_ROWS(list, row("a@x", "role", HOUR_1));
    EXPECT_STRING(all_rows(list), "a@x=role b@x=role ");
}

static void test_each_snapshot_begins_anew(void)
{
    role_list *list = new_role_list();
    const identity_record first = row("a@x", "1", HOUR_1), second = row("b@x", "1", HOUR_1);

    put_snapshot(list, HOUR_2, &first, 1);
    put_snapshot(list, HOUR_3, &second, 1);
    EXPECT_STRING(all_rows(list), "a@x= b@x=1 ");
}

/* --- roles --- */

static void note_object_id(void *arg, const identity_record *r)
{
    buffer_append(arg, r->account_object_id);
}

static identity_record saying(const char *roles, identity_roles how, const char *time)
{
    identity_record made = row("a@x", roles, time);

    made.roles = how;
    return made;
}

/* The row of a Log Analytics table without AssignedRoles. */
static identity_record silent(const char *time)
{
    identity_record made = saying("", ROLES_ABSENT, time);

    made.roles_are_older = true;
    return made;
}

static void note_older(void *arg, const identity_record *r)
{
    *(bool *)arg = r->roles_are_older;
}

static bool roles_are_older(role_list *list)
{
    bool older = false;

    EXPECT(role_list_each(list, note_older, &older));
    return older;
}

static void test_absent_roles_leave_those_last_known(void)
{
    role_list *list = new_role_list();

    PUT_ROWS(list, row("a@x", "known", HOUR_1), saying("", ROLES_ABSENT, HOUR_3));
    EXPECT_STRING(all_rows(list), "a@x=known ");
    EXPECT_TIME(facts_of(list).newest, time_of(HOUR_3));
    PUT_ROWS(list, row("a@x", "newer", HOUR_2));
    EXPECT_STRING(all_rows(list), "a@x=newer ");
    PUT_ROWS(list, row("a@x", "older", HOUR_1));
    EXPECT_STRING(all_rows(list), "a@x=newer ");
}

static void test_the_newest_row_tells_whether_its_roles_are_older(void)
{
    role_list *list = new_role_list();

    PUT_ROWS(list, row("a@x", "known", HOUR_1), silent(HOUR_2));
    EXPECT(roles_are_older(list));
    PUT_ROWS(list, row("a@x", "late", HOUR_1));
    EXPECT(roles_are_older(list));
    PUT_ROWS(list, saying("", ROLES_ABSENT, HOUR_3));
    EXPECT_NOT(roles_are_older(list));
}

static void test_a_row_that_comes_late_and_says_roles_is_a_change(void)
{
    role_list *list = new_role_list();
    int64_t change = 0;

    PUT_ROWS(list, silent(HOUR_2));
    changes(list, &change);
    PUT_ROWS(list, row("a@x", "late", HOUR_1));
    EXPECT_STRING(changes(list, &change), "a@x=late ");
}

static void test_added_roles_come_to_those_known(void)
{
    role_list *list = new_role_list();

    PUT_ROWS(list, row("a@x", "plain", HOUR_2), saying("[\"r\",\"t\"]", ROLES_ADDED, HOUR_3),
             saying("[\"t\",\"s\"]", ROLES_ADDED, HOUR_1));
    EXPECT_STRING(all_rows(list), "a@x=[\"plain\",\"r\",\"t\",\"s\"] ");
    EXPECT_TIME(facts_of(list).newest, time_of(HOUR_3));
}

static void test_adding_what_is_known_changes_nothing(void)
{
    role_list *list = new_role_list();

    PUT_ROWS(list, saying("[\"r\",\"t\"]", ROLES_ADDED, HOUR_1));
    PUT_ROWS(list, saying("[\"r\"]", ROLES_ADDED, HOUR_1));
    EXPECT_INT(role_list_changed(list), 0);
    EXPECT_STRING(all_rows(list), "a@x=[\"r\",\"t\"] ");
}

static void test_whole_roles_replace_added_ones_when_they_are_newer(void)
{
    role_list *list = new_role_list();

    PUT_ROWS(list, saying("[\"r\"]", ROLES_ADDED, HOUR_2));
    PUT_ROWS(list, row("a@x", "older", HOUR_1));
    EXPECT_STRING(all_rows(list), "a@x=[\"r\"] ");
    PUT_ROWS(list, row("a@x", "newer", HOUR_3));
    EXPECT_STRING(all_rows(list), "a@x=newer ");
}

static void test_the_first_added_role_of_a_snapshot_replaces(void)
{
    role_list *list = new_role_list();
    const identity_record added[] = {saying("[\"r\"]", ROLES_ADDED, HOUR_2),
                                     saying("[\"s\"]", ROLES_ADDED, HOUR_2)};

    PUT_ROWS(list, row("a@x", "known", HOUR_1));
    put_snapshot(list, HOUR_2, added, 2);
    EXPECT_STRING(all_rows(list), "a@x=[\"r\",\"s\"] ");
}

static void test_who_lost_his_roles_has_them_again_by_a_snapshot_with_an_old_row(void)
{
    role_list *list = new_role_list();
    const identity_record old = row("a@x", "old", HOUR_1);

    PUT_ROWS(list, old);
    put_snapshot(list, HOUR_2, NULL, 0);
    PUT_ROWS(list, old);
    EXPECT_STRING(all_rows(list), "a@x= ");
    put_snapshot(list, HOUR_3, &old, 1);
    EXPECT_STRING(all_rows(list), "a@x=old ");
}

static void test_who_says_nothing_of_roles_keeps_them_in_a_snapshot(void)
{
    role_list *list = new_role_list();
    const identity_record present = saying("", ROLES_ABSENT, HOUR_2);

    PUT_ROWS(list, row("a@x", "known", HOUR_1));
    put_snapshot(list, HOUR_3, &present, 1);
    EXPECT_STRING(all_rows(list), "a@x=known ");
}

static void test_an_added_row_without_names_leaves_those_known(void)
{
    role_list *list = new_role_list();
    identity_record nameless = identity_row("a@x", "", "[\"r\"]", HOUR_2);
    buffer out = {0};

    nameless.roles = ROLES_ADDED;
    PUT_ROWS(list, row("a@x", "", HOUR_1), nameless);
    EXPECT(role_list_each(list, note_object_id, &out));
    EXPECT_STRING(noted(&out), "id of a@x");
}

/* --- what was superseded --- */

static void count_version(void *count, const identity_record *row, timestamp superseded)
{
    (void)row;
    (void)superseded;
    ++*(size_t *)count;
}

static size_t count_versions(role_list *list)
{
    size_t count = 0;

    EXPECT(role_list_each_superseded(list, -1, count_version, &count));
    return count;
}

/* An hourly export changes many accounts: what it pushes out goes after a day, however much it is.
 */
static void test_what_was_superseded_a_day_ago_goes_as_fast_as_it_comes(void)
{
    enum { ACCOUNTS = 700, EXPORTS = 6 };
    store *s = open_store(test_path("state.db"));
    role_list *list = open_role_list(s);
    sqlite3_stmt *age = store_prepare(s, "UPDATE identity_superseded SET superseded ="
                                         " superseded + ?1");

    REQUIRE(age != NULL);
    for (int export = 0; export < EXPORTS; export ++) {
        const char *roles = test_string("[\"role %d\"]", export);

        REQUIRE(role_list_begin_snapshot(list, time_of(HOUR_1) + export));
        for (int i = 0; i < ACCOUNTS; i++) {
            const identity_record row =
                identity_row(test_string("user%d@x", i), "id", roles, HOUR_1);

            REQUIRE(role_list_put(list, &row));
        }
        REQUIRE(role_list_commit(list));
        EXPECT_INT(count_versions(list), export == 0 ? 0 : ACCOUNTS);
        /* two days go by; or the clock was far ahead, and is right again */
        sqlite3_bind_int64(age, 1, export % 2 ? -2 * TICKS_PER_DAY : 400 * TICKS_PER_DAY);
        EXPECT_INT(sqlite3_step(age), SQLITE_DONE);
        sqlite3_reset(age);
    }
    sqlite3_finalize(age);
}

CU_TestInfo role_list_tests[] = {
    TEST(test_the_newest_row_of_an_account_counts_whatever_the_order),
    TEST(test_the_newest_row_counts_over_several_transactions),
    TEST(test_arg_max_on_recorded_rows),
    TEST(test_of_equal_times_the_row_that_came_first_stays),
    TEST(test_one_tick_makes_a_row_newer),
    TEST(test_a_newer_row_without_roles_takes_them_away),
    TEST(test_accounts_that_differ_in_case_are_two),
    TEST(test_an_empty_upn_is_an_account),
    TEST(test_upns_with_and_without_a_blank_are_two_accounts),
    TEST(test_all_columns_are_kept),
    TEST(test_any_bytes_are_kept),
    TEST(test_texts_without_bytes_are_empty),
    TEST(test_rows_come_in_the_order_of_their_upns),
    TEST(test_an_empty_list_has_no_newest_row),
    TEST(test_the_facts_count_accounts_and_know_the_newest_row),
    TEST(test_a_row_before_1970_is_a_row),
    TEST(test_a_transaction_tells_how_many_accounts_it_changed),
    TEST(test_an_account_that_is_put_twice_has_changed_once),
    TEST(test_a_transaction_that_is_rolled_back_changes_nothing),
    TEST(test_a_list_goes_on_after_a_rollback),
    TEST(test_nothing_begins_while_another_writes),
    TEST(test_from_zero_all_rows_are_changes),
    TEST(test_only_what_changed_since_is_handed_out),
    TEST(test_changes_of_several_transactions_come_together),
    TEST(test_a_transaction_that_changes_nothing_is_no_change),
    TEST(test_another_connection_sees_the_changes),
    TEST(test_several_writers_count_their_changes_together),
    TEST(test_another_database_makes_a_reader_start_again),
    TEST(test_the_list_outlives_its_connection),
    TEST(test_who_is_absent_from_a_snapshot_has_lost_his_roles),
    TEST(test_a_snapshot_wins_over_what_was_said_before),
    TEST(test_roles_are_lost_as_of_the_snapshots_time),
    TEST(test_a_snapshot_that_is_rolled_back_takes_no_roles),
    TEST(test_each_snapshot_begins_anew),
    TEST(test_absent_roles_leave_those_last_known),
    TEST(test_the_newest_row_tells_whether_its_roles_are_older),
    TEST(test_a_row_that_comes_late_and_says_roles_is_a_change),
    TEST(test_added_roles_come_to_those_known),
    TEST(test_adding_what_is_known_changes_nothing),
    TEST(test_whole_roles_replace_added_ones_when_they_are_newer),
    TEST(test_the_first_added_role_of_a_snapshot_replaces),
    TEST(test_who_lost_his_roles_has_them_again_by_a_snapshot_with_an_old_row),
    TEST(test_who_says_nothing_of_roles_keeps_them_in_a_snapshot),
    TEST(test_an_added_row_without_names_leaves_those_known),
    TEST(test_what_was_superseded_a_day_ago_goes_as_fast_as_it_comes),
    TESTS_END,
};
