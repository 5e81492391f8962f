/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A detector that follows a stream: what it alerts of, once, late, after a
 * restart, and in which incident. Time is the test's own.
 */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "detector/keeper.h"
#include "fixtures.h"
#include "rule/watchlists.h"
#include "state/action_row.h"
#include "state/alert_log.h"
#include "state/stream_entry.h"
#include "suites.h"
#include "test.h"

#define NOW "2026-06-01T12:00:00Z"
#define ALICE "alice@contoso.com"
#define HOUR (3600 * TICKS_PER_SECOND)

/* One life of a detector on a database, with a worker and a second connection for the role list. */
typedef struct life {
    detector *detector;
    keeper *keeper;
    detector_worker *worker;
    role_list *elsewhere;
    timestamp now;
    bool refuses;     /* the sink hands nothing on */
    char alerts[512]; /* "record-1 record-2(late) ": those that were handed on */
    unsigned incident_count;
    bool incident_is_new;
    char incident_id[UUID_TEXT_SIZE];
    char alert_id[UUID_TEXT_SIZE];
} life;

static stream_options options_of_test(void)
{
    return (stream_options){
        .action = "test",
        .journal = test_path("state.db-test.stream"),
        .latejoin = true,
        .incidents = INCIDENTS_AS_IN_SENTINEL,
        .most_pending = STREAM_MOST_PENDING,
        .most_pending_bytes = STREAM_MOST_PENDING_BYTES,
    };
}

static bool take_alert(void *arg, const alert *a)
{
    life *l = arg;

    if (a->duplicate || l->refuses)
        return a->duplicate;
    snprintf(l->alerts + strlen(l->alerts), sizeof(l->alerts) - strlen(l->alerts), "%.*s%s ",
             (int)a->record->record_id.length, a->record->record_id.bytes, a->late ? "(late)" : "");
    l->incident_count = a->incident.alert_count;
    l->incident_is_new = a->incident.is_new;
    memcpy(l->incident_id, a->incident.id, sizeof(l->incident_id));
    memcpy(l->alert_id, a->id, sizeof(l->alert_id));
    return true;
}

static void end_life(life *l)
{
    detector_worker_free(l->worker);
    keeper_free(l->keeper);
    detector_free(l->detector);
    l->worker = NULL;
    l->keeper = NULL;
    l->detector = NULL;
}

static void end_life_at_last(void *l)
{
    end_life(l);
    free(l);
}

static life *begin_life_with(const stream_options *options, rule *r)
{
    life *l = calloc(1, sizeof(*l));
    char *error;

    REQUIRE(l != NULL);
    l->now = time_of(NOW);
    l->elsewhere = open_role_list(open_store(test_path("state.db")));
    l->detector = detector_new(r);
    REQUIRE(l->detector != NULL);
    l->keeper = keeper_new(l->detector);
    REQUIRE(l->keeper != NULL && keeper_follow(l->keeper, options));
    l->worker = detector_worker_new(l->detector);
    REQUIRE(l->worker != NULL);
    REQUIRE(keeper_open(l->keeper, test_path("state.db"), STORE_CREATE, l->now, &error));
    test_at_end(end_life_at_last, l);
    return l;
}

static life *begin_life(void)
{
    const stream_options options = options_of_test();

    return begin_life_with(&options, new_rule(SEMANTICS_WIDE));
}

static detection feed(life *l, const char *message)
{
    return detector_feed(l->worker, text_of(message), l->now, take_alert, l);
}

static keeper_status update(life *l)
{
    char *error;
    keeper_status status = keeper_update(l->keeper, l->now, take_alert, l, &error);

    EXPECT(status == KEEPER_UNCHANGED || status == KEEPER_CHANGED);
    free(error);
    return status;
}

/* What was handed on since the last time. */
static const char *alerts_of(life *l)
{
    const char *copy = test_string("%s", l->alerts);

    l->alerts[0] = '\0';
    return copy;
}

static stream_facts facts_of(life *l)
{
    return keeper_read_facts(l->keeper, l->now).stream;
}

static const char *record_of_alice(const char *id)
{
    return AUDIT_TEXT(SHAPE_DIAGNOSTIC, .upn = ALICE, .record_id = id);
}

static const char *record_of_sync(const char *id)
{
    return AUDIT_TEXT(SHAPE_DIAGNOSTIC, .record_id = id);
}

static void put_alice(life *l, const char *roles, const char *time)
{
    PUT_ROWS(l->elsewhere, identity_row(ALICE, "id of alice", roles, time));
}

static void put_alice_at(life *l, const char *roles, timestamp time)
{
    char written[TIMESTAMP_TEXT_SIZE];

    timestamp_format(time, written);
    put_alice(l, roles, written);
}

static const char *record_without_time(const char *id)
{
    return AUDIT_TEXT(SHAPE_DIAGNOSTIC, .upn = ALICE, .time = "never", .record_id = id);
}

/* --- once --- */

static void test_a_row_alerts_once(void)
{
    life *l = begin_life();
    detection again;

    EXPECT_INT(feed(l, record_of_sync("one")).duplicates, 0);
    again = feed(l, record_of_sync("one"));
    EXPECT_INT(again.rows, 1);
    EXPECT_INT(again.duplicates, 1);
    EXPECT_STRING(alerts_of(l), "one ");
}

static void test_an_alert_that_was_not_handed_on_is_new_the_next_time(void)
{
    life *l = begin_life();

    l->refuses = true;
    EXPECT_INT(feed(l, record_of_sync("one")).refused, 1);
    l->refuses = false;
    EXPECT_INT(feed(l, record_of_sync("one")).duplicates, 0);
    EXPECT_STRING(alerts_of(l), "one ");
    EXPECT_INT(l->incident_count, 1);
}

static void test_an_alert_that_was_not_handed_on_comes_with_the_next_look(void)
{
    life *l = begin_life();

    l->refuses = true;
    feed(l, record_of_sync("one"));
    update(l);
    l->refuses = false;
    update(l);
    EXPECT_STRING(alerts_of(l), "one(late) ");
    update(l);
    EXPECT_STRING(alerts_of(l), "");
}

static void test_what_was_handed_on_is_known_after_a_restart(void)
{
    life *l = begin_life();

    feed(l, record_of_sync("one"));
    end_life(l);
    l = begin_life();
    EXPECT_INT(feed(l, record_of_sync("one")).duplicates, 1);
    EXPECT_STRING(alerts_of(l), "");
}

static void test_a_row_may_alert_again_when_it_has_left_the_lookback(void)
{
    life *l = begin_life();
    rule *r = new_rule(SEMANTICS_WIDE);
    const stream_options options = options_of_test();

    rule_set_lookback(r, 0);
    end_life(l);
    l = begin_life_with(&options, r);
    feed(l, record_of_sync("one"));
    l->now += 13 * TICKS_PER_DAY;
    EXPECT_INT(feed(l, record_of_sync("one")).duplicates, 1);
    l->now += 2 * TICKS_PER_DAY;
    EXPECT_INT(feed(l, record_of_sync("one")).duplicates, 0);
}

static void test_two_actions_on_one_database_do_not_know_each_others_alerts(void)
{
    stream_options options = options_of_test();
    life *one = begin_life(), *other;

    options.action = "other";
    options.journal = test_path("state.db-other.stream");
    other = begin_life_with(&options, new_rule(SEMANTICS_WIDE));
    feed(one, record_of_sync("one"));
    update(one);
    update(other);
    feed(other, record_of_sync("one"));
    EXPECT_STRING(alerts_of(other), "one ");
}

static void test_a_tags_alert_is_written_down_when_its_message_has_surely_gone(void)
{
    stream_options options = options_of_test();
    life *l;

    options.tag_is_all = true;
    l = begin_life_with(&options, new_rule(SEMANTICS_WIDE));
    feed(l, record_of_sync("one"));
    update(l);
    EXPECT_INT(access(test_path("state.db-test.stream.1"), F_OK), -1);
    l->now += 11 * TICKS_PER_SECOND;
    update(l);
    end_life(l);
    l = begin_life_with(&options, new_rule(SEMANTICS_WIDE));
    EXPECT_INT(feed(l, record_of_sync("one")).duplicates, 1);
}

/* --- late --- */

static void test_a_record_alerts_when_the_role_list_gains_its_account(void)
{
    life *l = begin_life();

    EXPECT_INT(feed(l, record_of_alice("one")).rows, 0);
    update(l);
    EXPECT_INT(facts_of(l).pending, 1);
    put_alice(l, SYNC_ROLE, NOW);
    update(l);
    EXPECT_STRING(alerts_of(l), "one(late) ");
    EXPECT_INT(facts_of(l).pending, 0);
    EXPECT_INT(feed(l, record_of_alice("one")).duplicates, 1);
}

static void test_a_record_alerts_when_its_target_id_becomes_known(void)
{
    life *l = begin_life();

    feed(l, record_of_alice("one"));
    update(l);
    PUT_ROWS(l->elsewhere, identity_row("other@x", TARGET_ID, SYNC_ROLE, NOW));
    update(l);
    EXPECT_STRING(alerts_of(l), "one(late) ");
}

static void test_other_accounts_make_nothing_alert(void)
{
    life *l = begin_life();

    feed(l, record_of_alice("one"));
    update(l);
    PUT_ROWS(l->elsewhere, identity_row("other@x", "other id", SYNC_ROLE, NOW));
    put_alice(l, "[\"Reader\"]", NOW);
    update(l);
    EXPECT_STRING(alerts_of(l), "");
    EXPECT_INT(facts_of(l).pending, 1);
}

static void test_a_record_that_waits_outlives_a_restart(void)
{
    life *l = begin_life();

    feed(l, record_of_alice("one"));
    end_life(l);
    l = begin_life();
    put_alice(l, SYNC_ROLE, NOW);
    update(l);
    EXPECT_STRING(alerts_of(l), "one(late) ");
}

static void test_a_change_of_the_role_list_while_nothing_ran_counts(void)
{
    life *l = begin_life();

    feed(l, record_of_alice("one"));
    update(l);
    end_life(l);
    put_alice(l, SYNC_ROLE, NOW);
    l = begin_life();
    update(l);
    EXPECT_STRING(alerts_of(l), "one(late) ");
}

static void test_a_record_that_was_judged_by_an_older_role_list_is_judged_again(void)
{
    life *l = begin_life();

    feed(l, record_of_sync("to take the snapshot"));
    put_alice(l, SYNC_ROLE, NOW);
    feed(l, record_of_alice("one")); /* by the snapshot from before the change */
    update(l);
    EXPECT_STRING(alerts_of(l), "to take the snapshot one(late) ");
}

static void test_a_record_expires_with_the_lookback(void)
{
    life *l = begin_life();

    feed(l, record_of_alice("one"));
    update(l);
    l->now += 24 * HOUR;
    put_alice(l, SYNC_ROLE, NOW);
    update(l);
    EXPECT_STRING(alerts_of(l), "");
    EXPECT_INT(facts_of(l).pending, 0);
}

static void test_a_record_alerts_up_to_the_end_of_the_lookback(void)
{
    life *l = begin_life();

    feed(l, record_of_alice("one"));
    update(l);
    l->now += 24 * HOUR - 1;
    put_alice(l, SYNC_ROLE, NOW);
    update(l);
    EXPECT_STRING(alerts_of(l), "one(late) ");
}

static void test_an_alert_that_the_queue_does_not_take_comes_again(void)
{
    life *l = begin_life();

    feed(l, record_of_alice("one"));
    update(l);
    put_alice(l, SYNC_ROLE, NOW);
    l->refuses = true;
    update(l);
    update(l);
    l->refuses = false;
    update(l);
    EXPECT_STRING(alerts_of(l), "one(late) ");
    update(l);
    EXPECT_STRING(alerts_of(l), "");
}

static void test_a_role_that_came_and_went_between_two_looks_counts(void)
{
    life *l = begin_life();

    l->now = timestamp_now() - HOUR; /* superseded rows carry the writer's clock */
    feed(l, record_without_time("one"));
    update(l);
    put_alice_at(l, SYNC_ROLE, l->now - 2);
    put_alice_at(l, "[]", l->now - 1);
    update(l);
    EXPECT_STRING(alerts_of(l), "one(late) ");
}

/* Of accounts that did not have the role within the last 30 minutes. */
static const char rule_of_absence[] =
    "id: 1\nname: absence\nseverity: Low\nqueryPeriod: 2h\nquery: |\n"
    "  let Known = IdentityInfo | where TimeGenerated > ago(30m)\n"
    "    | summarize arg_max(TimeGenerated, *) by AccountUPN\n"
    "    | where AssignedRoles has 'Directory Synchronization Accounts' | project AccountUPN;\n"
    "  AuditLogs | where OperationName has 'security info' | mv-expand TargetResources\n"
    "  | where tostring(TargetResources.userPrincipalName) !in~ (Known)\n";

static rule *rule_of(const char *content)
{
    rule *r = new_rule(SEMANTICS_WIDE);
    char *error;
    rule_file *file = rule_file_read(text_of(content), "test.yaml", &error);

    REQUIRE(file != NULL && rule_use_file(r, file, &error));
    return r;
}

static life *begin_life_of_absence(void)
{
    const stream_options options = options_of_test();

    return begin_life_with(&options, rule_of(rule_of_absence));
}

/* A record of an account whose row counts until half past. */
static life *life_with_a_row_that_ends(void)
{
    life *l = begin_life_of_absence();

    put_alice(l, SYNC_ROLE, NOW);
    update(l);
    l->now += HOUR / 60;
    feed(l, record_of_alice("one"));
    update(l);
    EXPECT_STRING(alerts_of(l), "");
    EXPECT_INT(keeper_next_end(l->keeper), time_of(NOW) + HOUR / 2);
    return l;
}

static void test_a_row_that_gets_too_old_counts_from_that_instant_on(void)
{
    life *l = life_with_a_row_that_ends();

    l->now = time_of(NOW) + HOUR / 2 - 1;
    update(l);
    EXPECT_STRING(alerts_of(l), "");
    l->now++;
    update(l);
    EXPECT_STRING(alerts_of(l), "one(late) ");
    l->now += HOUR;
    update(l);
    EXPECT_STRING(alerts_of(l), "");
    EXPECT_INT(keeper_next_end(l->keeper), INT64_MAX);
}

static const char rule_of_watchlist[] =
    "id: 1\nname: watched\nseverity: Low\nqueryPeriod: 2h\nquery: |\n"
    "  let Watched = (_GetWatchlist('vips') | project SearchKey);\n"
    "  AuditLogs | where OperationName has 'security info' | mv-expand TargetResources\n"
    "  | where tostring(TargetResources.userPrincipalName) in~ (Watched)\n";

/* Watchlists that are replaced, and looked at by the keeper, while a record is judged. */
typedef struct replacement {
    life *life;
    const rule *rule;
    bool is_done;
} replacement;

static void set_watchlist(life *l, const rule *r, const char *upn)
{
    const watchlist_source source = {TEXT("vips"), test_path("vips.csv"), NULL};
    FILE *file = fopen(source.path, "w");
    watchlists *lists;
    char *error;

    REQUIRE(file != NULL && fprintf(file, "upn\n%s\n", upn) > 0 && fclose(file) == 0);
    lists = watchlists_open(rule_get_plan(r), SEMANTICS_WIDE, &source, 1, &error);
    REQUIRE(lists != NULL);
    detector_set_watchlists(l->detector, lists);
    watchlists_unref(lists);
}

static bool replace_once(void *arg)
{
    replacement *r = arg;

    if (!r->is_done) {
        r->is_done = true;
        set_watchlist(r->life, r->rule, ALICE);
        update(r->life);
    }
    return false;
}

static void test_a_watchlist_that_is_replaced_while_a_record_is_judged_counts(void)
{
    const stream_options options = options_of_test();
    rule *r = rule_of(rule_of_watchlist);
    life *l = begin_life_with(&options, r);
    replacement replaced = {.life = l, .rule = r};

    set_watchlist(l, r, "other@x");
    update(l);
    detector_worker_stop_when(l->worker, replace_once, &replaced);
    feed(l, record_of_alice("one"));
    EXPECT(replaced.is_done);
    EXPECT_STRING(alerts_of(l), "");
    update(l);
    EXPECT_STRING(alerts_of(l), "one(late) ");
    update(l);
    EXPECT_STRING(alerts_of(l), "");
}

static void test_a_row_that_got_too_old_while_nothing_ran_counts(void)
{
    life *l = life_with_a_row_that_ends();

    end_life(l);
    l = begin_life_of_absence();
    l->now = time_of(NOW) + HOUR;
    update(l);
    EXPECT_STRING(alerts_of(l), "one(late) ");
}

static void test_a_row_that_got_too_old_counts_though_a_newer_one_came_since(void)
{
    life *l = life_with_a_row_that_ends();

    l->now = time_of(NOW) + HOUR;
    put_alice_at(l, SYNC_ROLE, l->now);
    l->refuses = true;
    update(l);
    update(l);
    EXPECT_STRING(alerts_of(l), "");
    l->refuses = false;
    update(l);
    EXPECT_STRING(alerts_of(l), "one(late) ");
    update(l);
    EXPECT_INT(keeper_next_end(l->keeper), time_of(NOW) + 3 * HOUR / 2);
}

static void test_a_row_that_is_renewed_in_time_does_not_end(void)
{
    life *l = life_with_a_row_that_ends();

    l->now = time_of(NOW) + HOUR / 3;
    put_alice_at(l, SYNC_ROLE, l->now);
    update(l);
    l->now = time_of(NOW) + HOUR / 2;
    update(l);
    EXPECT_STRING(alerts_of(l), "");
}

static void test_only_rules_that_ask_who_is_absent_wait_for_ends(void)
{
    life *l = begin_life();

    put_alice(l, SYNC_ROLE, NOW);
    update(l);
    EXPECT_INT(keeper_next_end(l->keeper), INT64_MAX);
}

static void test_a_role_that_went_before_the_record_came_does_not_count(void)
{
    life *l = begin_life();

    l->now = timestamp_now() + HOUR;
    put_alice_at(l, SYNC_ROLE, l->now - 2);
    put_alice_at(l, "[]", l->now - 1);
    feed(l, record_without_time("one"));
    update(l);
    EXPECT_STRING(alerts_of(l), "");
}

static void test_without_latejoin_nothing_is_remembered_of_what_did_not_match(void)
{
    stream_options options = options_of_test();
    life *l;

    options.latejoin = false;
    l = begin_life_with(&options, new_rule(SEMANTICS_WIDE));
    feed(l, record_of_alice("one"));
    update(l);
    EXPECT_INT(facts_of(l).pending, 0);
    put_alice(l, SYNC_ROLE, NOW);
    update(l);
    EXPECT_STRING(alerts_of(l), "");
}

static void test_of_too_many_records_the_oldest_go(void)
{
    stream_options options = options_of_test();
    life *l;

    options.most_pending = 3;
    l = begin_life_with(&options, new_rule(SEMANTICS_WIDE));
    for (int i = 1; i <= 5; i++)
        feed(l, record_of_alice(test_string("%d", i)));
    update(l);
    EXPECT_INT(facts_of(l).pending, 3);
    EXPECT_INT(facts_of(l).dropped, 2);
    put_alice(l, SYNC_ROLE, NOW);
    update(l);
    EXPECT_STRING(alerts_of(l), "3(late) 4(late) 5(late) ");
}

static void test_a_record_with_two_targets_alerts_for_each_in_its_time(void)
{
    life *l = begin_life();
    const char *record = quoted(
        "{'time':'" NOW "','operationName':'Register security info','category':'AuditLogs',"
        "'properties':{'id':'two','targetResources':[{'id':'1','userPrincipalName':'" SYNC_UPN
        "'},{'id':'2','userPrincipalName':'" ALICE "'}]}}");

    EXPECT_INT(feed(l, record).rows, 1);
    EXPECT_STRING(alerts_of(l), "two ");
    update(l);
    put_alice(l, SYNC_ROLE, NOW);
    update(l);
    EXPECT_STRING(alerts_of(l), "two(late) ");
    EXPECT_INT(facts_of(l).pending, 0);
}

static const char *record_with_targets(const char *targets)
{
    return quoted(test_string("{'time':'" NOW
                              "','operationName':'Register security info','category':'AuditLogs',"
                              "'properties':{'id':'two','targetResources':[%s]}}",
                              targets));
}

static void test_a_record_with_fewer_targets_does_not_stand_in_for_one_with_more(void)
{
    static const char other[] = "{'id':'1','userPrincipalName':'bob@x'}";
    life *l = begin_life();

    feed(l, record_with_targets(other));
    feed(l,
         record_with_targets(test_string("%s,{'id':'2','userPrincipalName':'" ALICE "'}", other)));
    update(l);
    EXPECT_INT(facts_of(l).pending, 2);
    put_alice(l, SYNC_ROLE, NOW);
    update(l);
    EXPECT_STRING(alerts_of(l), "two(late) ");
}

static void test_a_time_beyond_tomorrow_is_remembered_as_now(void)
{
    life *l = begin_life();

    feed(l, AUDIT_TEXT(SHAPE_DIAGNOSTIC, .upn = ALICE, .time = "9999-12-31T23:59:59Z"));
    update(l);
    EXPECT_INT(facts_of(l).pending, 1);
    l->now += 24 * HOUR;
    update(l);
    EXPECT_INT(facts_of(l).pending, 0);
}

static void test_of_too_many_bytes_the_oldest_go(void)
{
    stream_options options = options_of_test();
    life *l;

    options.most_pending_bytes = 3 * packed_length(text_of(record_of_alice("1")));
    l = begin_life_with(&options, new_rule(SEMANTICS_WIDE));
    for (int i = 1; i <= 9; i++)
        feed(l, record_of_alice(test_string("%d", i)));
    update(l);
    EXPECT(facts_of(l).pending >= 2);
    EXPECT(facts_of(l).pending <= 4);
    EXPECT_INT(facts_of(l).dropped + (uint64_t)facts_of(l).pending, 9);
    put_alice(l, SYNC_ROLE, NOW);
    update(l);
    EXPECT(strstr(alerts_of(l), "8(late) 9(late) ") != NULL);
}

static void run_elsewhere(const char *sql);

static void test_a_damaged_record_goes_and_is_counted(void)
{
    life *l = begin_life();

    feed(l, record_of_alice("one"));
    feed(l, record_of_alice("two"));
    feed(l, record_of_alice("three"));
    update(l);
    run_elsewhere("UPDATE pending SET record = '' WHERE id = 1");
    run_elsewhere("UPDATE pending SET record = '{\"cut' WHERE id = 2");
    put_alice(l, SYNC_ROLE, NOW);
    update(l);
    EXPECT_STRING(alerts_of(l), "three(late) ");
    EXPECT_INT(facts_of(l).unreadable, 2);
    EXPECT_INT(facts_of(l).pending, 0);
    EXPECT_INT(strlen(facts_of(l).last_unreadable), 54);
}

/* The sink of a daemon that is told to stop while a late alert is handed on. */
static bool take_alert_and_stop(void *arg, const alert *a)
{
    life *l = arg;

    keeper_stop(l->keeper);
    return take_alert(l, a);
}

static void test_a_stop_ends_a_late_join_and_what_is_left_comes_with_the_next_start(void)
{
    life *l = begin_life();
    char *error;

    for (int i = 1; i <= 1000; i++) {
        const char *upn = test_string("user%d@x", i);

        feed(l, AUDIT_TEXT(SHAPE_DIAGNOSTIC, .upn = upn, .record_id = upn));
        PUT_ROWS(l->elsewhere, identity_row(upn, upn, SYNC_ROLE, NOW));
    }
    keeper_update(l->keeper, l->now, take_alert_and_stop, l, &error);
    EXPECT_STRING(alerts_of(l), "user1@x(late) ");
    end_life(l);
    l = begin_life();
    EXPECT_INT(facts_of(l).pending, 999);
    l->refuses = true;
    update(l);
    EXPECT_INT(facts_of(l).pending, 999);
}

/* --- a message whose judgement is stopped --- */

/* A stop that comes when the sink has handed on so many alerts, and lasts. */
static bool stops_after_one(void *arg)
{
    const life *l = arg;

    return l->alerts[0] != '\0';
}

static const char *message_of_four(void)
{
    return test_string("{\"records\":[%s,%s,%s,%s]}", record_of_sync("one"), record_of_sync("two"),
                       record_of_alice("alice"), record_of_sync("three"));
}

/* All but its first record is left for later. */
static life *life_with_a_stopped_message(void)
{
    life *l = begin_life();
    detection found;

    detector_worker_stop_when(l->worker, stops_after_one, l);
    found = feed(l, message_of_four());
    EXPECT(found.left);
    EXPECT_INT(found.rows, 1);
    EXPECT_STRING(alerts_of(l), "one ");
    EXPECT(detector_keep(l->worker, text_of(message_of_four()), l->now));
    end_life(l);
    return l;
}

static void test_what_a_stop_left_of_a_message_comes_with_the_next_start(void)
{
    life *l = life_with_a_stopped_message();

    l = begin_life();
    update(l);
    EXPECT_STRING(alerts_of(l), "two three ");
    EXPECT_INT(facts_of(l).pending, 1);
    put_alice(l, SYNC_ROLE, NOW);
    update(l);
    EXPECT_STRING(alerts_of(l), "alice(late) ");
    EXPECT_INT(facts_of(l).pending, 0);
}

static void test_a_stopped_message_is_judged_as_of_when_it_came(void)
{
    life *l = life_with_a_stopped_message();

    l = begin_life();
    l->now += 5 * TICKS_PER_DAY;
    update(l);
    EXPECT_STRING(alerts_of(l), "two three ");
}

/* One alert, then the keeper is told to stop. */
static void test_a_stopped_message_may_be_stopped_again(void)
{
    life *l = life_with_a_stopped_message();
    char *error;

    l = begin_life();
    keeper_update(l->keeper, l->now, take_alert_and_stop, l, &error);
    EXPECT_STRING(alerts_of(l), "two ");
    end_life(l);
    l = begin_life();
    update(l);
    EXPECT_STRING(alerts_of(l), "three ");
}

static void test_alerts_of_a_stopped_message_that_are_refused_come_again(void)
{
    life *l = life_with_a_stopped_message();

    l = begin_life();
    l->refuses = true;
    update(l);
    update(l);
    l->refuses = false;
    update(l);
    EXPECT_STRING(alerts_of(l), "two(late) three(late) ");
    EXPECT_INT(facts_of(l).pending, 1);
}

static void test_a_stop_between_the_rows_of_a_record(void)
{
    life *l = begin_life();
    buffer message = {0};
    detection found;

    buffer_append_string(&message, "{\"time\":\"" NOW "\",\"category\":\"AuditLogs\","
                                   "\"operationName\":\"Admin registered security info\","
                                   "\"properties\":{\"id\":\"r\",\"targetResources\":[");
    for (int i = 0; i < 200; i++)
        buffer_append_string(
            &message, test_string("%s{\"userPrincipalName\":\"Sync_%d@x\"}", i > 0 ? "," : "", i));
    buffer_append_string(&message, "]}}");
    detector_worker_stop_when(l->worker, stops_after_one, l);
    found = feed(l, buffer_string(&message));
    EXPECT(found.left);
    EXPECT_INT(found.rows, 63);
    EXPECT(detector_keep(l->worker, buffer_text(&message), l->now));
    alerts_of(l);
    update(l);
    EXPECT_INT(strlen(alerts_of(l)), (200 - 63) * strlen("r "));
    buffer_free(&message);
}

static void test_a_degraded_alert_that_was_refused_comes_with_its_message(void)
{
    static const char broken[] = "{\"operationName\":\"Admin registered security info\","
                                 "\"targetResources\":[{\"userPrincipalName\":\"Sync_a@x\"";
    life *l = begin_life();

    l->refuses = true;
    EXPECT(feed(l, broken).left);
    EXPECT(detector_keep(l->worker, text_of(broken), l->now));
    update(l);
    l->refuses = false;
    EXPECT_STRING(alerts_of(l), "");
    update(l);
    EXPECT_STRING(alerts_of(l), " ");
    update(l);
    EXPECT_STRING(alerts_of(l), "");
    EXPECT_INT(facts_of(l).pending, 0);
}

static void test_a_tags_message_is_not_kept(void)
{
    stream_options options = options_of_test();
    life *l;

    options.tag_is_all = true;
    l = begin_life_with(&options, new_rule(SEMANTICS_WIDE));
    EXPECT_NOT(detector_keep(l->worker, text_of(message_of_four()), l->now));
}

static void test_a_long_journal_is_taken_up_in_several_looks(void)
{
    enum { SEGMENTS = 9 };
    life *l;

    for (int i = 1; i <= SEGMENTS; i++) {
        buffer segment = {0}, entry = {0};
        const char *id = test_string("%d", i);
        FILE *file = fopen(test_path(test_string("state.db-test.stream.%d", i)), "wb");

        stream_entry_write_pending(&entry, &(pending_record){.row_id = text_of(id),
                                                             .expires = time_of(NOW) + HOUR,
                                                             .record = TEXT("{}")});
        journal_write_header(&segment);
        REQUIRE(journal_write_entry(&segment, buffer_text(&entry)) && file != NULL);
        fwrite(segment.bytes, 1, segment.length, file);
        fclose(file);
        buffer_free(&segment);
        buffer_free(&entry);
    }
    l = begin_life();
    for (int i = 1; i < SEGMENTS; i++) {
        EXPECT_INT(facts_of(l).pending, i);
        update(l);
    }
    EXPECT_INT(facts_of(l).pending, SEGMENTS);
    EXPECT_NOT(facts_of(l).has_backlog);
}

/* --- incidents --- */

static void test_alerts_of_a_tenant_share_an_incident_for_its_window(void)
{
    life *l = begin_life();
    char first[UUID_TEXT_SIZE];

    feed(l, record_of_sync("one"));
    EXPECT(l->incident_is_new);
    memcpy(first, l->incident_id, sizeof(first));
    l->now += 24 * HOUR - 1;
    feed(l, AUDIT_TEXT(SHAPE_DIAGNOSTIC, .time = "2026-06-02T11:00:00Z", .record_id = "two"));
    EXPECT_NOT(l->incident_is_new);
    EXPECT_INT(l->incident_count, 2);
    EXPECT_STRING(l->incident_id, first);
    l->now += 1;
    feed(l, AUDIT_TEXT(SHAPE_DIAGNOSTIC, .time = "2026-06-02T11:00:00Z", .record_id = "three"));
    EXPECT(l->incident_is_new);
    EXPECT_INT(l->incident_count, 1);
}

static void test_an_incident_goes_on_after_a_restart(void)
{
    life *l = begin_life();
    char first[UUID_TEXT_SIZE];

    feed(l, record_of_sync("one"));
    memcpy(first, l->incident_id, sizeof(first));
    end_life(l);
    l = begin_life();
    feed(l, record_of_sync("two"));
    EXPECT_STRING(l->incident_id, first);
    EXPECT_INT(l->incident_count, 2);
    EXPECT_INT(facts_of(l).open_incidents, 1);
}

static void test_a_full_incident_takes_no_more(void)
{
    stream_options options = options_of_test();
    life *l;

    options.incidents.most_alerts = 2;
    l = begin_life_with(&options, new_rule(SEMANTICS_WIDE));
    for (int i = 1; i <= 3; i++)
        feed(l, record_of_sync(test_string("%d", i)));
    EXPECT(l->incident_is_new);
    EXPECT_INT(l->incident_count, 1);
}

static void close_incident_elsewhere(const char *id, timestamp now)
{
    int closed;

    REQUIRE(incident_rows_close(open_store(test_path("state.db")), id,
                                &(incident_closing){.at = now}, &closed));
    EXPECT_INT(closed, 1);
}

static void test_a_closed_incident_is_not_reopened(void)
{
    life *l = begin_life();

    feed(l, record_of_sync("one"));
    update(l);
    close_incident_elsewhere(l->incident_id, l->now);
    update(l);
    EXPECT_INT(facts_of(l).open_incidents, 0);
    feed(l, record_of_sync("two"));
    EXPECT(l->incident_is_new);
    EXPECT_INT(l->incident_count, 1);
}

static void add_repeats(void *arg, const incident_alert_row *row)
{
    *(int64_t *)arg = *(int64_t *)arg * 10 + row->repeats;
}

/* A digit for each alert. */
static int64_t repeats_in(const char *incident_id)
{
    store *s = open_store(test_path("state.db"));
    action_row row;
    int64_t repeats = 0;

    REQUIRE(action_row_find(s, options_of_test().action, &row));
    EXPECT(incident_rows_each_alert(s, row.id, incident_id, add_repeats, &repeats));
    return repeats;
}

static void test_a_row_that_comes_again_is_counted_in_its_incident(void)
{
    life *l = begin_life();

    feed(l, record_of_sync("one"));
    feed(l, record_of_sync("two"));
    feed(l, record_of_sync("one"));
    feed(l, record_of_sync("one"));
    update(l);
    EXPECT_INT(repeats_in(l->incident_id), 20);
}

/* As another program: a store would refuse what is not its own schema. */
static void run_elsewhere(const char *sql)
{
    sqlite3 *other = NULL;

    REQUIRE(sqlite3_open(test_path("state.db"), &other) == SQLITE_OK);
    EXPECT_INT(sqlite3_exec(other, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(other);
}

static void test_a_close_that_could_not_be_read_is_read_with_the_next_look(void)
{
    life *l = begin_life();
    char *error;

    feed(l, record_of_sync("one"));
    update(l);
    close_incident_elsewhere(l->incident_id, l->now);
    run_elsewhere("ALTER TABLE incident RENAME TO gone");
    EXPECT_INT(keeper_update(l->keeper, l->now, take_alert, l, &error), KEEPER_FAILED);
    free(error);
    run_elsewhere("ALTER TABLE gone RENAME TO incident");
    update(l);
    EXPECT_INT(facts_of(l).open_incidents, 0);
}

static void test_an_incidents_id_comes_from_its_first_alert_alone(void)
{
    life *l = begin_life();
    char expected[UUID_TEXT_SIZE];

    feed(l, record_of_sync("one"));
    digest_uuid((text[]){text_of(RULE_ID), TEXT("incident"), text_of(l->alert_id)}, 3, expected);
    EXPECT_STRING(l->incident_id, expected);
}

static void test_with_a_window_of_0_there_are_no_incidents(void)
{
    stream_options options = options_of_test();
    life *l;

    options.incidents.window = 0;
    l = begin_life_with(&options, new_rule(SEMANTICS_WIDE));
    feed(l, record_of_sync("one"));
    EXPECT_STRING(l->incident_id, "");
    EXPECT_INT(facts_of(l).open_incidents, 0);
}

static unsigned incidents_of_two_targets(incident_matching matching)
{
    stream_options options = options_of_test();
    life *l;

    options.incidents.matching = matching;
    l = begin_life_with(&options, new_rule(SEMANTICS_WIDE));
    feed(l, record_of_sync("one"));
    feed(l, AUDIT_TEXT(SHAPE_DIAGNOSTIC, .upn = "Sync_2@x", .record_id = "two"));
    feed(l, record_of_sync("three"));
    return (unsigned)facts_of(l).open_incidents;
}

static void test_any_alert_makes_one_incident_of_a_tenant(void)
{
    EXPECT_INT(incidents_of_two_targets(MATCHING_ANY_ALERT), 1);
}

static void test_selected_makes_one_of_each_target(void)
{
    EXPECT_INT(incidents_of_two_targets(MATCHING_SELECTED), 2);
}

static void test_all_entities_makes_one_of_each_target(void)
{
    EXPECT_INT(incidents_of_two_targets(MATCHING_ALL_ENTITIES), 2);
}

static void remove_database(void)
{
    REQUIRE(unlink(test_path("state.db")) == 0);
    unlink(test_path("state.db-wal"));
    unlink(test_path("state.db-shm"));
}

/* --- bounds of a message --- */

typedef struct flood {
    size_t alerts, bytes;
    size_t more; /* said by the last one */
    bool last_is_degraded;
} flood;

static bool count_flood(void *arg, const alert *a)
{
    flood *f = arg;

    EXPECT(a->written.length > 0);
    f->alerts += !a->duplicate;
    f->bytes += a->written.length;
    f->more = a->more;
    f->last_is_degraded = a->degraded;
    return true;
}

/* A record of so many targets, and of an actor of that length. */
static const char *record_of_many(size_t targets, size_t actor_length)
{
    buffer out = {0};
    const char *copy;

    buffer_append_string(&out, "{\"time\":\"" NOW "\",\"operationName\":\"Register security info\","
                               "\"category\":\"AuditLogs\",\"properties\":{\"id\":\"many");
    buffer_append_string(
        &out, test_string("-%zu\",\"initiatedBy\":{\"user\":{\"userPrincipalName\":\"", targets));
    for (size_t i = 0; i < actor_length; i++)
        buffer_append_char(&out, 'a');
    buffer_append_string(&out, "\"}},\"targetResources\":[");
    for (size_t i = 0; i < targets; i++)
        buffer_append_string(
            &out, test_string("%s{\"type\":\"User\",\"userPrincipalName\":\"Sync_%zu@x\"}",
                              i > 0 ? "," : "", i));
    buffer_append_string(&out, "]}}");
    copy = test_string("%s", buffer_string(&out));
    buffer_free(&out);
    return copy;
}

static detection feed_flood(life *l, const char *message, flood *f)
{
    *f = (flood){0};
    return detector_feed(l->worker, text_of(message), l->now, count_flood, f);
}

static void test_a_thousand_rows_alert_and_the_rest_is_one_alert_that_says_how_many(void)
{
    life *l = begin_life();
    flood f;
    detection whole = feed_flood(l, record_of_many(1000, 1), &f);

    EXPECT_INT(f.alerts, 1000);
    EXPECT_INT(f.more, 0);
    EXPECT_INT(whole.bounded, 0);
    whole = feed_flood(l, record_of_many(1234, 1), &f);
    EXPECT_INT(f.alerts, 1001);
    EXPECT_INT(f.more, 234);
    EXPECT(f.last_is_degraded);
    EXPECT_INT(whole.bounded, BOUND_ROWS);
    EXPECT_INT(whole.degraded, 1);
    feed_flood(l, record_of_many(1234, 1), &f);
    EXPECT_INT(f.alerts, 0);
}

static void test_the_alerts_of_a_message_end_at_8_mb(void)
{
    life *l = begin_life();
    flood f;
    detection came = feed_flood(l, record_of_many(1000, 20000), &f);

    EXPECT_INT(came.bounded, BOUND_TEXT | BOUND_BYTES);
    EXPECT(f.bytes >= 8 << 20);
    EXPECT(f.bytes < (8 << 20) + 2 * 100000);
    EXPECT_INT(f.alerts - 1 + f.more, 1000);
}

static bool refuse_those_for_many(void *arg, const alert *a)
{
    return a->more == 0 && count_flood(arg, a);
}

static void test_an_alert_for_many_that_was_refused_comes_again(void)
{
    life *l = begin_life();
    flood f = {0};
    char *error;
    detection came = detector_feed(l->worker, text_of(record_of_many(1003, 1)), l->now,
                                   refuse_those_for_many, &f);

    EXPECT_INT(f.alerts, 1000);
    EXPECT_INT(came.refused, 1);
    f = (flood){0};
    EXPECT_INT(keeper_update(l->keeper, l->now, count_flood, &f, &error), KEEPER_UNCHANGED);
    EXPECT_INT(f.alerts, 1);
    EXPECT_INT(f.more, 3);
}

/* --- a database that is lost --- */

static void test_a_deleted_database_is_written_anew_with_all_that_was_in_it(void)
{
    life *l = begin_life(), *next;
    char *error;

    put_alice(l, SYNC_ROLE, NOW);
    feed(l, AUDIT_TEXT(SHAPE_DIAGNOSTIC, .upn = "bob@x", .record_id = "one"));
    update(l);
    remove_database();
    REQUIRE(keeper_restore(l->keeper, test_path("state.db"), l->now, &error));
    EXPECT(store_is_in_place(keeper_store(l->keeper)));
    EXPECT_INT(facts_of(l).pending, 1);
    end_life(l);
    next = begin_life();
    EXPECT_INT(feed(next, record_of_alice("two")).rows, 1);
}

static void write_garbage(const char *path, long from, size_t length)
{
    FILE *file = fopen(path, "r+b");

    REQUIRE(file != NULL);
    fseek(file, from, SEEK_SET);
    for (size_t i = 0; i < length; i++)
        fputc('#', file);
    fclose(file);
}

static void test_a_damaged_database_is_moved_aside_and_what_was_known_stays_known(void)
{
    life *l = begin_life();
    char *error, *moved_to;

    put_alice(l, SYNC_ROLE, NOW);
    update(l);
    write_garbage(test_path("state.db"), 0, 100);
    REQUIRE(keeper_replace_damaged(l->keeper, test_path("state.db"), l->now, &moved_to, &error));
    REQUIRE(moved_to != NULL);
    EXPECT_INT(access(moved_to, F_OK), 0);
    free(moved_to);
    EXPECT_INT(feed(l, record_of_alice("one")).rows, 1);
    update(l);
    EXPECT_STRING(alerts_of(l), "one ");
}

CU_TestInfo stream_tests[] = {
    TEST(test_a_row_alerts_once),
    TEST(test_a_thousand_rows_alert_and_the_rest_is_one_alert_that_says_how_many),
    TEST(test_the_alerts_of_a_message_end_at_8_mb),
    TEST(test_an_alert_for_many_that_was_refused_comes_again),
    TEST(test_an_alert_that_was_not_handed_on_is_new_the_next_time),
    TEST(test_an_alert_that_was_not_handed_on_comes_with_the_next_look),
    TEST(test_what_was_handed_on_is_known_after_a_restart),
    TEST(test_a_row_may_alert_again_when_it_has_left_the_lookback),
    TEST(test_two_actions_on_one_database_do_not_know_each_others_alerts),
    TEST(test_a_tags_alert_is_written_down_when_its_message_has_surely_gone),
    TEST(test_a_record_alerts_when_the_role_list_gains_its_account),
    TEST(test_a_record_alerts_when_its_target_id_becomes_known),
    TEST(test_other_accounts_make_nothing_alert),
    TEST(test_a_record_that_waits_outlives_a_restart),
    TEST(test_a_change_of_the_role_list_while_nothing_ran_counts),
    TEST(test_a_record_that_was_judged_by_an_older_role_list_is_judged_again),
    TEST(test_a_record_expires_with_the_lookback),
    TEST(test_a_record_alerts_up_to_the_end_of_the_lookback),
    TEST(test_an_alert_that_the_queue_does_not_take_comes_again),
    TEST(test_a_role_that_came_and_went_between_two_looks_counts),
    TEST(test_a_row_that_gets_too_old_counts_from_that_instant_on),
    TEST(test_a_watchlist_that_is_replaced_while_a_record_is_judged_counts),
    TEST(test_a_row_that_got_too_old_while_nothing_ran_counts),
    TEST(test_a_row_that_got_too_old_counts_though_a_newer_one_came_since),
    TEST(test_a_row_that_is_renewed_in_time_does_not_end),
    TEST(test_only_rules_that_ask_who_is_absent_wait_for_ends),
    TEST(test_a_role_that_went_before_the_record_came_does_not_count),
    TEST(test_without_latejoin_nothing_is_remembered_of_what_did_not_match),
    TEST(test_of_too_many_records_the_oldest_go),
    TEST(test_a_record_with_two_targets_alerts_for_each_in_its_time),
    TEST(test_a_record_with_fewer_targets_does_not_stand_in_for_one_with_more),
    TEST(test_a_time_beyond_tomorrow_is_remembered_as_now),
    TEST(test_of_too_many_bytes_the_oldest_go),
    TEST(test_a_damaged_record_goes_and_is_counted),
    TEST(test_a_stop_ends_a_late_join_and_what_is_left_comes_with_the_next_start),
    TEST(test_what_a_stop_left_of_a_message_comes_with_the_next_start),
    TEST(test_a_stopped_message_is_judged_as_of_when_it_came),
    TEST(test_a_stopped_message_may_be_stopped_again),
    TEST(test_alerts_of_a_stopped_message_that_are_refused_come_again),
    TEST(test_a_stop_between_the_rows_of_a_record),
    TEST(test_a_degraded_alert_that_was_refused_comes_with_its_message),
    TEST(test_a_tags_message_is_not_kept),
    TEST(test_a_long_journal_is_taken_up_in_several_looks),
    TEST(test_alerts_of_a_tenant_share_an_incident_for_its_window),
    TEST(test_an_incident_goes_on_after_a_restart),
    TEST(test_a_full_incident_takes_no_more),
    TEST(test_a_closed_incident_is_not_reopened),
    TEST(test_a_row_that_comes_again_is_counted_in_its_incident),
    TEST(test_a_close_that_could_not_be_read_is_read_with_the_next_look),
    TEST(test_an_incidents_id_comes_from_its_first_alert_alone),
    TEST(test_with_a_window_of_0_there_are_no_incidents),
    TEST(test_any_alert_makes_one_incident_of_a_tenant),
    TEST(test_selected_makes_one_of_each_target),
    TEST(test_all_entities_makes_one_of_each_target),
    TEST(test_a_deleted_database_is_written_anew_with_all_that_was_in_it),
    TEST(test_a_damaged_database_is_moved_aside_and_what_was_known_stays_known),
    TESTS_END,
};
