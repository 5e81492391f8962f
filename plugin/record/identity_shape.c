/* SPDX-License-Identifier: Apache-2.0 */
/* identity_shape: one table, and the shape of which most is there. */
#include "record/identity_shape.h"

#include <strings.h>

enum { ALTERNATIVES = 2 };

typedef struct shape_facts {
    const char *names[IDENTITY_COLUMNS][ALTERNATIVES]; /* the shape's own name first */
    bool (*is_there)(const identity_layout *layout);   /* without these names it is not it */
    identity_column telling[2]; /* what is_there asks for, or one of them: no other's name */
} shape_facts;

static bool has(const identity_layout *self, identity_column column)
{
    return self->places[column] != IDENTITY_NOWHERE;
}

static bool is_row(const identity_layout *layout)
{
    return has(layout, IDENTITY_UPN) || has(layout, IDENTITY_OBJECT_ID);
}

static bool has_members(const identity_layout *layout)
{
    return has(layout, IDENTITY_MEMBERS);
}

static bool is_assignment(const identity_layout *layout)
{
    return has(layout, IDENTITY_ROLES) && has(layout, IDENTITY_OBJECT_ID);
}

/* A group has members, too, but no template. */
static bool is_role(const identity_layout *layout)
{
    return has(layout, IDENTITY_ROLES) && has(layout, IDENTITY_MEMBERS);
}

static const shape_facts shapes[IDENTITY_SHAPES] = {
    /* azure-monitor-docs, reference/tables/identityinfo */
    [IDENTITY_LOG_ANALYTICS] = {.names = {[IDENTITY_TIME] = {"TimeGenerated", "Timestamp"},
                                          [IDENTITY_UPN] = {"AccountUPN"},
                                          [IDENTITY_OBJECT_ID] = {"AccountObjectId"},
                                          [IDENTITY_DISPLAY_NAME] = {"AccountDisplayName"},
                                          [IDENTITY_ROLES] = {"AssignedRoles"},
                                          [IDENTITY_ELIGIBLE] = {"EligibleRoles"}},
                                .is_there = is_row,
                                .telling = {IDENTITY_UPN, IDENTITY_OBJECT_ID}},
    /* defender-docs, advanced-hunting-identityinfo-table (Log Analytics adds TimeGenerated) and
     * advanced-hunting-identityaccountinfo-table */
    [IDENTITY_DEFENDER] =
        {.names = {[IDENTITY_TIME] = {"Timestamp", "TimeGenerated"},
                   [IDENTITY_UPN] = {"AccountUpn"},
                   [IDENTITY_OBJECT_ID] = {"AccountObjectId", "SourceProviderAccountId"},
                   [IDENTITY_DISPLAY_NAME] = {"AccountDisplayName", "DisplayName"},
                   [IDENTITY_ROLES] = {"AssignedRoles"},
                   [IDENTITY_ELIGIBLE] = {"EligibleRoles"}},
         .is_there = is_row,
         .telling = {IDENTITY_UPN, IDENTITY_OBJECT_ID}},
    /* microsoft-graph-docs, resources/directoryrole */
    [IDENTITY_GRAPH_ROLE] = {.names = {[IDENTITY_OBJECT_ID] = {"id"},
                                       [IDENTITY_DISPLAY_NAME] = {"displayName"},
                                       [IDENTITY_ROLES] = {"roleTemplateId"},
                                       [IDENTITY_MEMBERS] = {"members"}},
                             .is_there = is_role,
                             .telling = {IDENTITY_ROLES, IDENTITY_ROLES}},
    /* the same, api/directoryrole-delta */
    [IDENTITY_GRAPH_DELTA] = {.names = {[IDENTITY_OBJECT_ID] = {"id"},
                                        [IDENTITY_DISPLAY_NAME] = {"displayName"},
                                        [IDENTITY_ROLES] = {"roleTemplateId"},
                                        [IDENTITY_MEMBERS] = {"members@delta"}},
                              .is_there = has_members,
                              .telling = {IDENTITY_MEMBERS, IDENTITY_MEMBERS}},
    /* the same, resources/unifiedroleassignment and unifiedroleeligibilityscheduleinstance */
    [IDENTITY_GRAPH_ASSIGNMENT] = {.names = {[IDENTITY_OBJECT_ID] = {"principalId"},
                                             [IDENTITY_ROLES] = {"roleDefinitionId"},
                                             [IDENTITY_MEMBERS] = {"principal"},
                                             [IDENTITY_ELIGIBLE] = {"roleEligibilityScheduleId"},
                                             [IDENTITY_DEFINITION] = {"roleDefinition"}},
                                   .is_there = is_assignment,
                                   .telling = {IDENTITY_ROLES, IDENTITY_ROLES}},
    /* the same, resources/user; Graph's PowerShell keeps most of it one level deeper */
    [IDENTITY_GRAPH_MEMBER] = {.names = {[IDENTITY_UPN] = {"userPrincipalName"},
                                         [IDENTITY_OBJECT_ID] = {"id"},
                                         [IDENTITY_DISPLAY_NAME] = {"displayName"},
                                         [IDENTITY_ROLES] = {"templateId", "roleTemplateId"},
                                         [IDENTITY_KIND] = {"@odata.type", "appId"},
                                         [IDENTITY_MEMBERS] = {"additionalProperties"}}},
};

/* Event tables of Defender XDR (CloudAppEvents, IdentityLogonEvents, ...) name accounts alike. */
static const char OF_EVENTS[] = "ActionType";

static bool is_same(text name, const char *wanted, bool any_case)
{
    if (name.length != strlen(wanted))
        return false;
    return any_case ? strncasecmp(name.bytes, wanted, name.length) == 0
                    : memcmp(name.bytes, wanted, name.length) == 0;
}

static size_t place_of(const char *wanted, const text *names, size_t count, bool any_case)
{
    for (size_t i = 0; wanted != NULL && i < count; i++)
        if (is_same(names[i], wanted, any_case))
            return i;
    return IDENTITY_NOWHERE;
}

/* Fills in the places; the result grows with how well the names fit. */
static unsigned lay_out(identity_layout *self, identity_shape shape, const text *names,
                        size_t count, bool any_case)
{
    unsigned fit = 0;

    self->shape = shape;
    for (int c = 0; c < IDENTITY_COLUMNS; c++) {
        self->places[c] = IDENTITY_NOWHERE;
        for (int a = 0; a < ALTERNATIVES && self->places[c] == IDENTITY_NOWHERE; a++) {
            self->places[c] = place_of(shapes[shape].names[c][a], names, count, any_case);
            if (self->places[c] != IDENTITY_NOWHERE)
                fit += (unsigned)(ALTERNATIVES - a);
        }
    }
    return fit;
}

/* A UPN decides between shapes, for it is the key; then how much is there, then their order. */
static unsigned weight_of(identity_layout *self, identity_shape shape, const text *names,
                          size_t count, bool any_case)
{
    enum { OF_UPN = 100 };
    unsigned fit = lay_out(self, shape, names, count, any_case);

    if (!shapes[shape].is_there(self))
        return 0;
    return fit + (has(self, IDENTITY_UPN) ? OF_UPN : 0);
}

static bool find(identity_layout *self, const text *names, size_t count, bool any_case)
{
    unsigned best = 0;

    for (identity_shape s = 0; s < IDENTITY_GRAPH_MEMBER; s++) {
        identity_layout layout;
        unsigned weight = weight_of(&layout, s, names, count, any_case);

        if (weight > best) {
            best = weight;
            *self = layout;
        }
    }
    return best > 0;
}

bool identity_layout_find(identity_layout *self, const text *names, size_t count)
{
    if (place_of(OF_EVENTS, names, count, true) != IDENTITY_NOWHERE)
        return false;
    return find(self, names, count, false) || find(self, names, count, true);
}

static size_t add_names(text *names, size_t count, const char *const *more)
{
    for (int a = 0; a < ALTERNATIVES; a++)
        if (more[a] != NULL && place_of(more[a], names, count, true) == IDENTITY_NOWHERE)
            names[count++] = text_of(more[a]);
    return count;
}

size_t identity_telling_names(text names[static IDENTITY_MOST_TELLING])
{
    size_t count = 0;

    for (identity_shape s = 0; s < IDENTITY_GRAPH_MEMBER; s++)
        for (int t = 0; t < 2; t++)
            count = add_names(names, count, shapes[s].names[shapes[s].telling[t]]);
    return count;
}

identity_layout identity_layout_of_member(const text *names, size_t count)
{
    identity_layout exact, lenient;

    if (lay_out(&exact, IDENTITY_GRAPH_MEMBER, names, count, false) > 0)
        return exact;
    lay_out(&lenient, IDENTITY_GRAPH_MEMBER, names, count, true);
    return lenient;
}
