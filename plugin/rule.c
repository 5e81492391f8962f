/* rule: the rule's own strings, and the clauses over them. */
#include "rule.h"

#include <stdlib.h>

#include "sync_accounts.h"

const char RULE_ID[] = "9b1a0008-1008-4108-9108-aadprov00008";
const char RULE_NAME[] = "TAP Added to Entra Connector Account (Backdoor)";
const char RULE_VERSION[] = "1.0.0";
const char RULE_SEVERITY[] = "High";

enum { MOST_DEFAULTS = 6 };

static const struct {
    const char *parameter;
    const char *option;
    text defaults[MOST_DEFAULTS];
} lists[RULE_LISTS] = {
    [RULE_OPERATIONS] = {"operations",
                         "operations",
                         {TEXT("Admin registered security info"), TEXT("Register security info"),
                          TEXT("Create temporary access pass"), TEXT("Issue temporary access pass"),
                          TEXT("Admin Issued Temporary Access Pass"),
                          TEXT("User registered security info")}},
    [RULE_ROLES] = {"roles",
                    "roles",
                    {TEXT("Directory Synchronization Accounts"),
                     TEXT("On Premises Directory Sync Account")}},
    [RULE_UPN_STARTSWITH] = {"upn.startswith", "upn-startswith", {TEXT("Sync_")}},
    [RULE_UPN_CONTAINS] = {"upn.contains", "upn-contains", {TEXT("DirSync")}},
    [RULE_UPN_HAS] = {"upn.has", "upn-has", {TEXT("On-Premises Directory Synchronization")}},
    [RULE_DISPLAYNAME_HAS] = {"displayname.has",
                              "displayname-has",
                              {TEXT("On-Premises Directory Synchronization Service Account")}},
};

typedef struct string_list {
    text *strings; /* one block: the views, then their bytes */
    size_t count;
} string_list;

struct rule {
    semantics semantics;
    timespan lookback;
    timespan identity_window;
    string_list lists[RULE_LISTS];
};

static size_t count_defaults(rule_list list)
{
    size_t count = 0;

    while (count < MOST_DEFAULTS && lists[list].defaults[count].bytes != NULL)
        count++;
    return count;
}

rule *rule_new(void)
{
    rule *self = calloc(1, sizeof(*self));

    if (self == NULL)
        return NULL;
    self->semantics = SEMANTICS_KQL;
    self->lookback = TICKS_PER_DAY;
    self->identity_window = 14 * TICKS_PER_DAY;
    for (rule_list l = 0; l < RULE_LISTS; l++) {
        if (!rule_set_list(self, l, lists[l].defaults, count_defaults(l))) {
            rule_free(self);
            return NULL;
        }
    }
    return self;
}

void rule_free(rule *self)
{
    if (self == NULL)
        return;
    for (rule_list l = 0; l < RULE_LISTS; l++)
        free(self->lists[l].strings);
    free(self);
}

bool rule_set_list(rule *self, rule_list list, const text *strings, size_t count)
{
    size_t bytes = 0;
    text *copy;
    char *at;

    for (size_t i = 0; i < count; i++)
        bytes += strings[i].length;
    copy = malloc(count * sizeof(text) + bytes + 1);
    if (copy == NULL)
        return false;
    at = (char *)(copy + count);
    for (size_t i = 0; i < count; i++) {
        memcpy(at, strings[i].bytes, strings[i].length);
        copy[i] = (text){at, strings[i].length};
        at += strings[i].length;
    }
    free(self->lists[list].strings);
    self->lists[list] = (string_list){copy, count};
    return true;
}

void rule_set_semantics(rule *self, semantics s)
{
    self->semantics = s;
}

void rule_set_lookback(rule *self, timespan lookback)
{
    self->lookback = lookback;
}

void rule_set_identity_window(rule *self, timespan window)
{
    self->identity_window = window;
}

const text *rule_get_list(const rule *self, rule_list list, size_t *count)
{
    *count = self->lists[list].count;
    return self->lists[list].strings;
}

semantics rule_get_semantics(const rule *self)
{
    return self->semantics;
}

timespan rule_get_lookback(const rule *self)
{
    return self->lookback;
}

timespan rule_get_identity_window(const rule *self)
{
    return self->identity_window;
}

const char *rule_list_parameter(rule_list list)
{
    return lists[list].parameter;
}

const char *rule_list_option(rule_list list)
{
    return lists[list].option;
}

typedef bool string_operator(text left, text right, semantics s);

/* left OPERATOR any string of the list. */
static bool any(const rule *self, rule_list list, string_operator *holds, text left)
{
    const string_list *right = &self->lists[list];

    for (size_t i = 0; i < right->count; i++)
        if (holds(left, right->strings[i], self->semantics))
            return true;
    return false;
}

bool rule_is_operation(const rule *self, const audit_record *record)
{
    return any(self, RULE_OPERATIONS, kql_has, record->operation_name);
}

bool rule_is_sync_account(const rule *self, const identity_record *row)
{
    return any(self, RULE_ROLES, kql_has, row->assigned_roles) ||
           any(self, RULE_UPN_STARTSWITH, kql_startswith, row->account_upn) ||
           any(self, RULE_DISPLAYNAME_HAS, kql_has, row->account_display_name);
}

/* One clause: a look-up in the role list, or an operator over one of the rule's lists. */
typedef struct clause {
    const char *name;
    bool (*looked_up)(const sync_accounts *, text, timestamp since);
    string_operator *holds;
    rule_list list;
    bool over_id; /* of the target's id; else of its UPN */
} clause;

static const clause clauses[RULE_CLAUSES] = {
    [CLAUSE_IDENTITY_UPN] = {.name = "identity_upn", .looked_up = sync_accounts_has_upn},
    [CLAUSE_IDENTITY_OBJECT_ID] = {.name = "identity_object_id",
                                   .looked_up = sync_accounts_has_object_id,
                                   .over_id = true},
    [CLAUSE_UPN_STARTSWITH] = {.name = "upn_startswith",
                               .holds = kql_startswith,
                               .list = RULE_UPN_STARTSWITH},
    [CLAUSE_UPN_CONTAINS] = {.name = "upn_contains",
                             .holds = kql_contains,
                             .list = RULE_UPN_CONTAINS},
    [CLAUSE_UPN_HAS] = {.name = "upn_has", .holds = kql_has, .list = RULE_UPN_HAS},
};

const char *rule_clause_name(rule_clause c)
{
    return clauses[c].name;
}

static bool clause_holds(const clause *c, const rule *self, const sync_accounts *accounts,
                         const audit_target *target, timestamp now)
{
    text operand = c->over_id ? target->id : target->upn;

    if (c->looked_up != NULL)
        return c->looked_up(accounts, operand, now - self->identity_window);
    return any(self, c->list, c->holds, operand);
}

unsigned rule_match_target(const rule *self, const sync_accounts *accounts,
                           const audit_target *target, timestamp now)
{
    unsigned matched = 0;

    for (rule_clause c = 0; c < RULE_CLAUSES; c++)
        if (clause_holds(&clauses[c], self, accounts, target, now))
            matched |= 1u << c;
    return matched;
}
