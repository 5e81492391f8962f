/* SPDX-License-Identifier: Apache-2.0 */
/* selftest_example: an example, and the mark put over it. */
#include "cli/selftest_example.h"

#include <stdio.h>

#include "rule/selftest.h"

static const text UPN = TEXT("selftest@selftest.invalid");

example *selftest_examples(const rule_plan *plan)
{
    return example_new(plan, (text)TEXT("selftest"), UPN);
}

/* Which target a row is of is the query's matter: each has the mark. */
static bool mark_targets(arena *memory, example_node *row)
{
    example_node *targets = example_member(memory, row, "TargetResources");

    if (targets == NULL)
        return false;
    if (targets->first == NULL && example_node_at(memory, targets, &(kql_step){NULL, 0}, 1) == NULL)
        return false;
    for (example_node *n = targets->first; n != NULL; n = n->next)
        if (n->key == NULL && (!example_default(memory, n, "id", SELFTEST_TARGET_ID) ||
                               !example_default(memory, n, "userPrincipalName", UPN)))
            return false;
    return true;
}

static bool set_member(arena *memory, example_node *row, const char *key, text value)
{
    example_node *member = example_member(memory, row, key);

    if (member != NULL)
        member->value = value;
    return member != NULL;
}

/* Unless the query asks for somebody. */
static bool name_initiator(arena *memory, example_node *row, const char *host)
{
    example_node *by = example_member(memory, row, "InitiatedBy"), *app;
    char name[300];
    text copy;

    snprintf(name, sizeof(name), "synctap selftest on %s", host);
    copy = arena_copy(memory, text_of(name));
    if (by == NULL || copy.bytes == NULL)
        return false;
    if (by->first != NULL)
        return true;
    app = example_member(memory, by, "app");
    return app != NULL && example_default(memory, app, "displayName", copy);
}

static bool fill_row(const example *e, size_t n, const char *id, const char *time, arena *memory,
                     example_node *row)
{
    return set_member(memory, row, "Type", (text)TEXT("AuditLogs")) &&
           set_member(memory, row, "TimeGenerated", text_of(time)) &&
           example_fill(e, n, memory, row) && set_member(memory, row, "Id", text_of(id)) &&
           set_member(memory, row, "AADTenantId", SELFTEST_TENANT) &&
           example_default(memory, row, "OperationName", (text)TEXT("synctap selftest")) &&
           example_default(memory, row, "CorrelationId", text_of(id)) && mark_targets(memory, row);
}

void selftest_write_example(const example *e, size_t n, const char *id, const char *host,
                            timestamp now, arena *memory, buffer *out)
{
    char time[TIMESTAMP_TEXT_SIZE];
    example_node row = {.first = NULL};

    arena_reset(memory);
    timestamp_format(now, time);
    if (fill_row(e, n, id, time, memory, &row) && name_initiator(memory, &row, host))
        example_write(&row, out);
    else
        out->failed = true;
}
