/* SPDX-License-Identifier: Apache-2.0 */
/* incident_view: rows and their alerts, sorted and counted. */
#include "cli/incident_view.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/room.h"
#include "dialect/dialect.h"
#include "state/account_history.h"

/* An alert carries a record, and stands a few levels around it. */
enum { MOST_DEPTH = DIALECT_MOST_DEPTH };

const char *incident_status(const incident_row *row, timestamp now)
{
    if (row->is_closed)
        return "closed";
    return row->opened + row->window > now ? "open" : "expired";
}

static const text NOBODY = TEXT("(nobody named)");

text view_name_or_id(text name, text id)
{
    if (name.length > 0)
        return name;
    return id.length > 0 ? id : NOBODY;
}

text view_pass(const view_alert *a, const char *member)
{
    return json_string(json_member(json_member(a->tree, "tap"), member));
}

/* --- names --- */

/* The place of that name, made if it is new. */
static size_t place_of(incident_view *self, view_names *in, text name, text id, size_t first)
{
    for (size_t i = 0; i < in->count; i++) {
        if (!text_equal(in->names[i].name, name))
            continue;
        in->names[i].count++;
        if (in->names[i].id.length == 0)
            in->names[i].id = id;
        return i;
    }
    if (!room_for_one_more(&in->names, sizeof(*in->names), in->count, &in->room)) {
        self->failed = true;
        return 0;
    }
    in->names[in->count] = (view_name){.name = name,
                                       .id = id,
                                       .stands_for = name.bytes == NOBODY.bytes,
                                       .count = 1,
                                       .first = first};
    return in->count++;
}

/* --- alerts --- */

static timestamp time_of(json *tree, const char *member)
{
    timestamp t = 0;

    timestamp_parse(json_string(json_member(tree, member)), &t);
    return t;
}

static text string_of(json *tree, const char *member)
{
    text t = json_string(json_member(tree, member));

    return t.bytes != NULL ? t : (text)TEXT("");
}

/* An alert without a rule is as old as the built-in one. */
static bool is_of_built_in_rule(json *tree)
{
    text id = string_of(tree, "rule_id");

    return id.length == 0 || text_equal(id, text_of(RULE_ID));
}

static view_alert read_alert(json *tree, int64_t repeats)
{
    static const text degraded = TEXT("degraded");

    return (view_alert){
        .tree = tree,
        .event = time_of(tree, "time_generated"),
        .detected = time_of(tree, "detected_at"),
        .id = string_of(tree, "alert_id"),
        .operation = string_of(tree, "operation_name"),
        .method = string_of(tree, "method"),
        .actor = string_of(tree, "actor"),
        .actor_id = string_of(tree, "actor_id"),
        .target = string_of(tree, "target_upn"),
        .target_id = string_of(tree, "target_id"),
        .source = string_of(tree, "source_ip"),
        .repeats = repeats,
        .is_late = json_is_true(json_member(tree, "late")),
        .is_cut = json_is_true(json_member(tree, "cut")),
        .is_built_in = is_of_built_in_rule(tree),
        .is_degraded = text_equal(string_of(tree, "confidence"), degraded),
    };
}

static void take_alert(void *arg, const incident_alert_row *row)
{
    incident_view *self = arg;
    json *tree;
    size_t taken;

    if (!room_for_one_more(&self->alerts, sizeof(*self->alerts), self->count, &self->room)) {
        self->failed = true;
        return;
    }
    if (json_parse(self->parser, row->alert, &tree, &taken) == NULL)
        self->alerts[self->count++] = read_alert(tree, row->repeats);
    else if (json_parser_ran_out(self->parser))
        self->failed = true;
    else
        self->unreadable++;
}

static int by_id(const void *left, const void *right)
{
    return text_compare(((const view_alert *)left)->id, ((const view_alert *)right)->id);
}

static int by_event(const void *left, const void *right)
{
    const view_alert *a = left, *b = right;

    if (a->event != b->event)
        return a->event < b->event ? -1 : 1;
    if (a->detected != b->detected)
        return a->detected < b->detected ? -1 : 1;
    return by_id(left, right);
}

/* Two actions that got the same record have one alert, which came twice. */
static void join_copies(incident_view *self)
{
    size_t kept = 0;

    qsort(self->alerts, self->count, sizeof(*self->alerts), by_id);
    for (size_t i = 0; i < self->count; i++) {
        view_alert *before = kept > 0 ? &self->alerts[kept - 1] : NULL;

        if (before != NULL && text_equal(before->id, self->alerts[i].id)) {
            before->repeats += 1 + self->alerts[i].repeats;
            json_free(self->alerts[i].tree);
        } else {
            self->alerts[kept++] = self->alerts[i];
        }
    }
    self->count = kept;
}

static void count_reasons(incident_view *self, size_t at)
{
    json *reasons = json_member(self->alerts[at].tree, "matched_by");

    for (size_t i = 0; i < json_array_length(reasons); i++)
        place_of(self, &self->reasons, json_string(json_array_item(reasons, i)), (text)TEXT(""),
                 at);
}

static void count_alert(incident_view *self, size_t at)
{
    view_alert *a = &self->alerts[at];

    self->late += a->is_late;
    self->degraded += a->is_degraded;
    self->repeats += (size_t)a->repeats;
    a->actor_at =
        place_of(self, &self->actors, view_name_or_id(a->actor, a->actor_id), a->actor_id, at);
    a->target_at =
        place_of(self, &self->targets, view_name_or_id(a->target, a->target_id), a->target_id, at);
    a->source_at = 0;
    if (a->source.length > 0)
        a->source_at = place_of(self, &self->sources, a->source, (text)TEXT(""), at);
    place_of(self, &self->operations, a->operation, (text)TEXT(""), at);
    count_reasons(self, at);
}

static text or_else(text t, const char *otherwise)
{
    return t.length > 0 ? t : text_of(otherwise);
}

static void take_rule(incident_view *self)
{
    json *tree = self->count > 0 ? self->alerts[0].tree : NULL;

    self->rule_id = or_else(string_of(tree, "rule_id"), RULE_ID);
    self->rule_name = or_else(string_of(tree, "rule_name"), RULE_NAME);
    self->rule_version = or_else(string_of(tree, "rule_version"), RULE_VERSION);
    self->severity = or_else(string_of(tree, "severity"), RULE_SEVERITY);
}

static void put_in_order(incident_view *self)
{
    if (self->count == 0)
        return;
    join_copies(self);
    qsort(self->alerts, self->count, sizeof(*self->alerts), by_event);
    for (size_t i = 0; i < self->count; i++)
        count_alert(self, i);
}

/* The alerts are all there. */
static void look_through(incident_view *self)
{
    put_in_order(self);
    take_rule(self);
}

/* --- the incident --- */

static text keep(incident_view *self, text t)
{
    text kept = arena_copy(self->memory, t);

    self->failed |= kept.bytes == NULL;
    return kept.bytes != NULL ? kept : (text)TEXT("");
}

/* The key is an array, the tenant first. */
static text tenant_of(text key)
{
    text rest = key.length > 2 ? text_from(key, 2) : key;
    const char *end = memchr(rest.bytes, '"', rest.length);

    return key.length > 2 && end != NULL ? text_between(rest.bytes, end) : (text)TEXT("");
}

/* The first action's that has it; one that is open keeps it open. */
static void take_head(incident_view *self, const incident_row *row, timestamp now)
{
    const char *status = incident_status(row, now);

    if (self->actions.count > 0 && strcmp(status, "open") != 0)
        return;
    snprintf(self->id, sizeof(self->id), "%s", row->id);
    self->status = status;
    self->opened = row->opened;
    self->window = row->window;
    self->last_alert = row->last_alert;
    self->closed = row->closed;
    self->key = keep(self, row->key);
    self->tenant = tenant_of(self->key);
    self->first_alert = keep(self, text_of(row->first_alert));
    self->closed_reason = keep(self, row->closed_reason);
    self->closed_by = keep(self, row->closed_by);
}

typedef struct view_reading {
    incident_view *view;
    store *store;
    timestamp now;
} view_reading;

static void take_row(void *arg, const incident_row *row)
{
    view_reading *r = arg;
    incident_view *self = r->view;

    take_head(self, row, r->now);
    place_of(self, &self->actions, keep(self, text_of(row->action)), (text)TEXT(""), 0);
    if (!incident_rows_each_alert(r->store, row->action_id, row->id, take_alert, self))
        self->failed = true;
}

static bool begin(incident_view *self)
{
    self->memory = arena_new();
    self->parser = json_parser_new(MOST_DEPTH);
    self->failed = self->memory == NULL || self->parser == NULL;
    return !self->failed;
}

bool incident_view_read(incident_view *self, store *s, const char *id, timestamp now)
{
    view_reading r = {self, s, now};

    if (!begin(self) || !incident_rows_each(s, id, take_row, &r))
        return false;
    look_through(self);
    return !self->failed;
}

bool incident_view_read_row(incident_view *self, store *s, const incident_row *row, timestamp now)
{
    view_reading r = {self, s, now};

    if (!begin(self))
        return false;
    take_row(&r, row);
    look_through(self);
    return !self->failed;
}

/* --- roles --- */

typedef struct roles_reading {
    incident_view *view;
    view_roles *roles;
    const rule *rule;
    timestamp event;
} roles_reading;

static text tostring(incident_view *self, json *value)
{
    text t = json_tostring(value, self->memory);

    self->failed |= t.bytes == NULL;
    return t.bytes != NULL ? t : (text)TEXT("");
}

/* The strings of an array side by side; of anything else, what it is. */
static text join_roles(incident_view *self, text roles)
{
    buffer joined = {0};
    json *array;
    size_t taken;
    text kept;

    if (roles.length == 0 || json_parse(self->parser, roles, &array, &taken) != NULL) {
        self->failed |= roles.length > 0 && json_parser_ran_out(self->parser);
        return keep(self, roles);
    }
    for (size_t i = 0; i < json_array_length(array); i++) {
        buffer_append_string(&joined, i > 0 ? ", " : "");
        buffer_append(&joined, tostring(self, json_array_item(array, i)));
    }
    kept = keep(self, buffer_text(&joined));
    self->failed |= buffer_failed(&joined);
    buffer_free(&joined);
    json_free(array);
    return kept;
}

static view_account account_of(roles_reading *r, const identity_record *row)
{
    return (view_account){
        .is_known = true,
        .upn = keep(r->view, row->account_upn),
        .display_name = keep(r->view, row->account_display_name),
        .roles = join_roles(r->view, row->assigned_roles),
        .eligible = join_roles(r->view, row->eligible_roles),
        .is_sync_account = rule_is_sync_account(r->rule, row, SEMANTICS_WIDE),
        .time = row->time_generated,
    };
}

/* The version of then is the first that was superseded after it. */
static void take_version(void *arg, const identity_record *row, timestamp superseded)
{
    roles_reading *r = arg;

    if (superseded > r->event && !r->roles->then.is_known)
        r->roles->then = account_of(r, row);
    if (superseded == ACCOUNT_STILL_SO)
        r->roles->now = account_of(r, row);
}

static bool read_roles(incident_view *self, store *s, const rule *r, size_t target, timestamp now)
{
    const view_alert *a = &self->alerts[self->targets.names[target].first];
    roles_reading reading = {self, &self->roles[target], r, a->event};

    self->roles[target].then_is_kept = now - a->event < TICKS_PER_DAY;
    return account_history_each(s, a->target, self->targets.names[target].id, take_version,
                                &reading);
}

bool incident_view_read_roles(incident_view *self, store *s, const rule *r, timestamp now)
{
    if (self->targets.count == 0)
        return true;
    self->roles = calloc(self->targets.count, sizeof(*self->roles));
    self->failed |= self->roles == NULL;
    for (size_t i = 0; !self->failed && i < self->targets.count; i++)
        self->failed |= !read_roles(self, s, r, i, now);
    return !self->failed;
}

void incident_view_free(incident_view *self)
{
    for (size_t i = 0; i < self->count; i++)
        json_free(self->alerts[i].tree);
    free(self->alerts);
    free(self->actions.names);
    free(self->actors.names);
    free(self->targets.names);
    free(self->sources.names);
    free(self->operations.names);
    free(self->reasons.names);
    free(self->roles);
    arena_free(self->memory);
    json_parser_free(self->parser);
    *self = (incident_view){0};
}
