/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_fragment: whatever a broken text shows, the alert made of it is whole JSON. */
#include "fuzz.h"

#include "dialect/own_alert.h"
#include "rule/fragment.h"
#include "rule/sync_accounts.h"

static rule *wide_rule;
static sync_accounts *accounts;
static arena *memory;
static json_parser *parser;

static sync_accounts *role_accounts(void)
{
    const identity_record row = {
        .time_generated = fuzz_now() - TICKS_PER_DAY,
        .account_upn = TEXT(FUZZ_ROLE_UPN),
        .account_object_id = TEXT(FUZZ_ROLE_OBJECT_ID),
        .account_display_name = TEXT(""),
        .assigned_roles = TEXT("[\"Directory Synchronization Accounts\"]"),
    };
    sync_accounts *none = sync_accounts_new(SEMANTICS_WIDE), *one;
    sync_accounts_edit *edit = sync_accounts_edit_begin(none);

    rule_put_account(wide_rule, edit, &row);
    one = sync_accounts_edit_end(edit);
    sync_accounts_unref(none);
    return one;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    wide_rule = fuzz_rule(SEMANTICS_WIDE);
    accounts = role_accounts();
    memory = arena_new();
    parser = json_parser_new(JSON_MOST_DEPTH);
    return 0;
}

static bool holds_any(text t, const char *characters)
{
    for (size_t i = 0; i < t.length; i++)
        if (t.bytes[i] != '\0' && strchr(characters, t.bytes[i]) != NULL)
            return true;
    return false;
}

static void check_name(text name, text input)
{
    FUZZ_REQUIRE(name.length <= FRAGMENT_MOST_NAME, input);
    FUZZ_REQUIRE(!holds_any(name, "\"{}"), input);
}

/* The alert is whole JSON, and one of our own as far as that can be told when it was cut. */
static void check_alert(void *arg, fragment *found)
{
    text input = *(const text *)arg;
    alert a = {
        .rule = wide_rule,
        .record = &found->record,
        .target = found->target,
        .matched_by = found->matched_by,
        .degraded = true,
        .collector = TEXT(""),
    };
    buffer written = {0};
    json *tree;
    size_t taken;

    FUZZ_REQUIRE(found->matched_by != 0, input);
    check_name(found->target.upn, input);
    check_name(found->target.id, input);
    FUZZ_REQUIRE(alert_give_id(&a), input);
    alert_write(&a, &written);
    FUZZ_REQUIRE(json_parse(parser, buffer_text(&written), &tree, &taken) == NULL, input);
    FUZZ_REQUIRE(taken == written.length, input);
    FUZZ_REQUIRE(own_alert_is(tree), buffer_text(&written));
    FUZZ_REQUIRE(own_alert_line_length(parser, (text){written.bytes, written.length - 1}) > 0,
                 buffer_text(&written));
    json_free(tree);
    buffer_free(&written);
}

int LLVMFuzzerTestOneInput(const char *bytes, size_t length)
{
    text input = {bytes, length};

    FUZZ_REQUIRE(
        fragment_read(input, false, wide_rule, accounts, fuzz_now(), memory, check_alert, &input),
        input);
    arena_reset(memory);
    return 0;
}
