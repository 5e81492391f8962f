/* SPDX-License-Identifier: Apache-2.0 */
/* The rooms that read a record, judge it and write of it. */
#include "cli/selftest_example.h"
#include "failing_malloc.h"
#include "rule/alert.h"
#include "rule/explain.h"
#include "rule/fragment.h"
#include "rule/judge.h"
#include "rule/sync_accounts.h"
#include "sweep.h"

/* A record whose parts stand in strings, so that reading it takes most. */
static const char record_text[] =
    "{\"TimeGenerated\":\"2026-06-01T12:00:00Z\",\"OperationName\":[\"Register security info\"],"
    "\"ResultReason\":{\"a\":1},\"AADTenantId\":7,"
    "\"InitiatedBy\":\"{\\\"user\\\":{\\\"userPrincipalName\\\":[\\\"a@b\\\"]}}\","
    "\"TargetResources\":\"[{\\\"userPrincipalName\\\":\\\"Sync_a\\\",\\\"id\\\":[1],"
    "\\\"modifiedProperties\\\":[]},{\\\"userPrincipalName\\\":[\\\"dirsync\\\"]}]\"}";

/* What reading a record needs, and what comes of it. */
typedef struct record_desk {
    json_parser *parser;
    arena *memory;
    json *tree;
    audit_record record;
} record_desk;

static record_desk begin_desk(void)
{
    record_desk desk = {.parser = json_parser_new(JSON_MOST_DEPTH), .memory = arena_new()};
    size_t taken;

    SWEEP_REQUIRE(desk.parser != NULL && desk.memory != NULL);
    SWEEP_REQUIRE(json_parse(desk.parser, text_of(record_text), &desk.tree, &taken) == NULL);
    return desk;
}

static void end_desk(record_desk *desk)
{
    audit_record_release(&desk->record);
    json_free(desk->tree);
    arena_free(desk->memory);
    json_parser_free(desk->parser);
}

static audit_result read_at_desk(record_desk *desk, semantics view)
{
    const audit_reader reader = {desk->memory, desk->parser};

    audit_result reading = audit_record_read(desk->tree, view, &reader, &desk->record);

    if (reading != AUDIT_RECORD)
        return reading;
    return audit_record_read_rest(&desk->record, &reader) ? AUDIT_RECORD : AUDIT_OUT_OF_MEMORY;
}

/* --- audit_record --- */

static bool read_targets(const record_desk *desk, audit_target *targets, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!audit_record_target(&desk->record, i, desk->memory, &targets[i]))
            return false;
    return true;
}

static outcome compare_record(const audit_record *r, const audit_target *targets, size_t count)
{
    const text fields[] = {r->operation_name, r->activity_name, r->actor,         r->actor_id,
                           r->source_ip,      r->caller_ip,     r->result,        r->result_reason,
                           r->record_id,      r->tenant_id,     r->correlation_id};
    buffer written = {0};
    outcome came;

    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
        json_write_string(&written, fields[i]);
    for (size_t i = 0; i < count; i++) {
        json_write_string(&written, targets[i].upn);
        json_write_string(&written, targets[i].id);
        audit_target_write(&targets[i], &written);
    }
    came = sweep_compare(buffer_text(&written));
    buffer_free(&written);
    return came;
}

static outcome read_record(semantics view)
{
    enum { MOST_TARGETS = 2 };
    record_desk desk = begin_desk();
    audit_target targets[MOST_TARGETS];
    audit_result reading;
    bool has_targets = false;
    size_t count = 0;
    outcome came = OUT_OF_MEMORY;

    sweep_begin();
    reading = read_at_desk(&desk, view);
    if (reading == AUDIT_RECORD) {
        count = audit_record_target_count(&desk.record);
        has_targets = count <= MOST_TARGETS && read_targets(&desk, targets, count);
    }
    sweep_end();
    if (reading != AUDIT_RECORD && reading != AUDIT_OUT_OF_MEMORY)
        came = WRONG;
    else if (has_targets)
        came = compare_record(&desk.record, targets, count);
    end_desk(&desk);
    return came;
}

static outcome run_record_in_kql(void)
{
    return read_record(SEMANTICS_KQL);
}

static outcome run_record_in_wide(void)
{
    return read_record(SEMANTICS_WIDE);
}

/* --- rule --- */

static outcome run_rule(void)
{
    static const text operations[] = {TEXT("one"), TEXT("two")};
    bool is_set = false;
    size_t count;
    outcome came;
    rule *r;

    sweep_begin();
    r = rule_new();
    if (r != NULL)
        is_set = rule_set_list(r, RULE_OPERATIONS, operations, 2);
    sweep_end();
    if (r == NULL)
        return OUT_OF_MEMORY;
    rule_get_list(r, RULE_OPERATIONS, &count);
    came = SWEEP_EXPECT(count == (is_set ? 2 : 6));
    rule_free(r);
    return came == AS_ALWAYS && !is_set ? OUT_OF_MEMORY : came;
}

static rule *wide_rule(void)
{
    rule *r = rule_new();

    SWEEP_REQUIRE(r != NULL);
    return r;
}

/* --- sync_accounts --- */

static identity_record account(const char *upn, const char *id)
{
    return (identity_record){
        .time_generated = sweep_now(),
        .account_upn = text_of(upn),
        .account_object_id = text_of(id),
        .account_display_name = TEXT(""),
        .assigned_roles = TEXT(""),
    };
}

/* Puts more rows than an edit has room for at first; one of `old` goes. */
static sync_accounts *edit_accounts(const sync_accounts *old, const rule *r)
{
    sync_accounts_edit *edit = sync_accounts_edit_begin(old);
    identity_record row = account("gone", "1");

    if (edit == NULL)
        return NULL;
    rule_put_account(r, edit, &row);
    for (char upn[] = "Sync_a"; upn[5] <= 'z'; upn[5]++) {
        row = account(upn, upn);
        rule_put_account(r, edit, &row);
    }
    return sync_accounts_edit_end(edit);
}

static outcome run_sync_accounts(void)
{
    rule *r = wide_rule();
    outcome came = OUT_OF_MEMORY;
    sync_accounts *none, *some = NULL;

    sweep_begin();
    none = sync_accounts_new(SEMANTICS_WIDE);
    if (none != NULL)
        some = edit_accounts(none, r);
    sweep_end();
    if (some != NULL)
        came =
            SWEEP_EXPECT(sync_accounts_count(some) == 26 &&
                         sync_accounts_in_set(some, &(account_question){.value = TEXT("SYNC_Z"),
                                                                        .is_folded = true,
                                                                        .set = 1,
                                                                        .semantics = SEMANTICS_WIDE,
                                                                        .since = sweep_now() - 1}));
    sync_accounts_unref(some);
    sync_accounts_unref(none);
    rule_free(r);
    return came;
}

/* --- a rule file --- */

/* A bit of all that a file can say. */
static const char rule_text[] =
    "id: 1\nname: A rule\nqueryPeriod: soon\ntactics: [a, b]\nquery: |\n"
    "  let L = dynamic([\"Register security info\"]);\n"
    "  let S = IdentityInfo | summarize arg_max(TimeGenerated, *) by AccountUPN\n"
    "    | where AccountUPN matches regex 'a+' | project AccountUPN;\n"
    "  AuditLogs | where OperationName has_any (L)\n"
    "  | mv-apply T = TargetResources on (where isnotempty(T.id) | extend U = tolower(T.id))\n"
    "  | parse U with * '[' V ']'\n"
    "  | extend X = strcat(V, '-', trim('x', V)), D = parse_json('{\"a\":[1]}')\n"
    "  | where U in~ (S) or D.a[0] == 1\n"
    "entityMappings:\n  - entityType: Account\n    fieldMappings:\n"
    "      - {identifier: FullName, columnName: X}\n"
    "customDetails: {a: X, b: Gone}\n"
    "alertDetailsOverride: {alertDisplayNameFormat: 'x {{X}} y'}\n";

/* NULL without memory; any other reason is wrong. */
static rule *rule_of_file(outcome *came)
{
    char *error = NULL;
    rule *r = rule_new();
    rule_file *file = r != NULL ? rule_file_read(text_of(rule_text), "rule", &error) : NULL;
    bool used = file != NULL && rule_use_file(r, file, &error);

    *came = OUT_OF_MEMORY;
    if (!used && error != NULL)
        *came = SWEEP_EXPECT(strstr(error, "memory") != NULL) == WRONG ? WRONG : OUT_OF_MEMORY;
    free(error);
    if (used)
        return r;
    rule_free(r);
    return NULL;
}

static outcome run_rule_file(void)
{
    outcome came;
    rule *r;

    sweep_begin();
    r = rule_of_file(&came);
    sweep_end();
    if (r == NULL)
        return came;
    rule_free(r);
    return AS_ALWAYS;
}

static void write_matched(void *arg, alert *row)
{
    buffer *out = arg;

    if (alert_give_id(row))
        alert_write(row, out);
    else
        out->failed = true;
}

static outcome run_judge_by_file(void)
{
    record_desk desk = begin_desk();
    sync_accounts *none = sync_accounts_new(SEMANTICS_WIDE);
    buffer written = {0};
    outcome came;
    rule *r = rule_of_file(&came);
    judgement j = {.rule = r,
                   .accounts = none,
                   .now = sweep_now(),
                   .received = sweep_now(),
                   .collector = TEXT("here"),
                   .memory = desk.memory,
                   .parser = desk.parser,
                   .take_match = write_matched,
                   .arg = &written};
    audit_result reading;

    SWEEP_REQUIRE(r != NULL && none != NULL);
    sweep_begin();
    reading = judge_record(&j, desk.tree);
    sweep_end();
    came = OUT_OF_MEMORY;
    if (reading == AUDIT_RECORD && !j.out_of_memory && !buffer_failed(&written))
        came = sweep_compare(buffer_text(&written));
    buffer_free(&written);
    sync_accounts_unref(none);
    rule_free(r);
    end_desk(&desk);
    return came;
}

/* Its first example that the rule may find, as a self-test's record. */
static outcome run_example_of_file(void)
{
    outcome came;
    rule *r = rule_of_file(&came);
    arena *memory = arena_new();
    buffer written = {0};
    example *e;

    SWEEP_REQUIRE(r != NULL && memory != NULL);
    sweep_begin();
    e = selftest_examples(rule_get_plan(r));
    if (e != NULL)
        selftest_write_example(e, 0, "id", "host", sweep_now(), memory, &written);
    sweep_end();
    came = OUT_OF_MEMORY;
    if (e != NULL && !buffer_failed(&written))
        came = sweep_compare(buffer_text(&written));
    buffer_free(&written);
    example_free(e);
    arena_free(memory);
    rule_free(r);
    return came;
}

/* --- alert --- */

static outcome write_alert(record_desk *desk, const rule *r, bool as_row)
{
    alert a = {.rule = r, .record = &desk->record, .matched_by = 5, .collector = TEXT("here")};
    const audit_reader reader = {desk->memory, desk->parser};
    buffer written = {0};
    outcome came = OUT_OF_MEMORY;
    bool has_id;

    SWEEP_REQUIRE(audit_record_target(&desk->record, 0, desk->memory, &a.target));
    sweep_begin();
    has_id =
        registration_read(&desk->record, &a.target, &reader, &a.registration) && alert_give_id(&a);
    if (has_id && as_row)
        alert_write_row(&a, &written);
    else if (has_id)
        alert_write(&a, &written);
    sweep_end();
    if (has_id && !buffer_failed(&written))
        came = sweep_compare(buffer_text(&written));
    buffer_free(&written);
    return came;
}

static outcome write_at_desk(bool as_row)
{
    record_desk desk = begin_desk();
    rule *r = wide_rule();
    outcome came;

    SWEEP_REQUIRE(read_at_desk(&desk, SEMANTICS_WIDE) == AUDIT_RECORD);
    came = write_alert(&desk, r, as_row);
    rule_free(r);
    end_desk(&desk);
    return came;
}

static outcome run_alert(void)
{
    return write_at_desk(false);
}

static outcome run_alert_row(void)
{
    return write_at_desk(true);
}

/* --- explain --- */

static outcome explain_record(record_desk *desk, const rule *r, const sync_accounts *accounts)
{
    const explanation e = {.rule = r,
                           .accounts = accounts,
                           .now = sweep_now(),
                           .record = &desk->record,
                           .kql = &desk->record,
                           .memory = desk->memory};
    buffer written = {0};
    bool is_whole;
    outcome came;

    sweep_begin();
    is_whole = explain_write_members(&e, &written);
    sweep_end();
    came = is_whole ? sweep_compare(buffer_text(&written)) : OUT_OF_MEMORY;
    buffer_free(&written);
    return came;
}

static outcome run_explain(void)
{
    record_desk desk = begin_desk();
    rule *r = wide_rule();
    sync_accounts *accounts = sync_accounts_new(SEMANTICS_WIDE);
    outcome came;

    SWEEP_REQUIRE(read_at_desk(&desk, SEMANTICS_WIDE) == AUDIT_RECORD);
    came = explain_record(&desk, r, accounts);
    sync_accounts_unref(accounts);
    rule_free(r);
    end_desk(&desk);
    return came;
}

/* --- fragment --- */

static void count_fragment(void *arg, fragment *found)
{
    size_t *count = arg;

    (void)found;
    ++*count;
}

static outcome run_fragment(void)
{
    static const text broken = TEXT("{\"operationName\":\"Register\\u0020security info\",\"Sync_a");
    rule *r = wide_rule();
    sync_accounts *none = sync_accounts_new(SEMANTICS_WIDE);
    arena *memory = arena_new();
    size_t count = 0;
    bool is_read;
    outcome came;

    sweep_begin();
    is_read = fragment_read(broken, false, r, none, sweep_now(), memory, count_fragment, &count);
    sweep_end();
    came = is_read ? SWEEP_EXPECT(count == 1) : OUT_OF_MEMORY;
    arena_free(memory);
    sync_accounts_unref(none);
    rule_free(r);
    return came;
}

const sweep_run record_runs[] = {
    {"audit_record in kql", run_record_in_kql},
    {"audit_record in wide", run_record_in_wide},
    {"rule", run_rule},
    {"rule file", run_rule_file},
    {"judge by a rule file", run_judge_by_file},
    {"example of a rule file", run_example_of_file},
    {"sync_accounts", run_sync_accounts},
    {"alert", run_alert},
    {"alert, row", run_alert_row},
    {"explain", run_explain},
    {"fragment", run_fragment},
    RUNS_END,
};
