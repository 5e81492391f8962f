/* SPDX-License-Identifier: Apache-2.0 */
/* audit_record: the fields, from wherever the shape has them. */
#include "record/audit_record.h"

#include <string.h>

#include "record/audit_shape.h"

static json *opened_value(const audit_record *record, json_view *view, audit_field f)
{
    bool one_path = audit_is_query_column[f] && !audit_shape_is_renamed(record->shape);

    return json_view_open(
        view, audit_first_of(view, record->object, audit_shapes[record->shape].paths[f], one_path));
}

json *audit_record_initiated_by(const audit_record *record, json_view *view)
{
    return opened_value(record, view, INITIATOR);
}

json *audit_record_additional_details(const audit_record *record, json_view *view)
{
    return opened_value(record, view, DETAILS);
}

static text field_text(audit_reading *r, audit_field f)
{
    return json_view_text(&r->eyes, audit_value_of(r, f));
}

static void read_names(audit_reading *r)
{
    r->record->operation_name = field_text(r, OPERATION);
    r->record->activity_name = field_text(r, ACTIVITY);
}

static void read_texts(audit_reading *r)
{
    audit_record *record = r->record;
    const struct {
        audit_field field;
        text *text;
    } texts[] = {
        {RESULT, &record->result},       {RESULT_REASON, &record->result_reason},
        {RECORD_ID, &record->record_id}, {CORRELATION_ID, &record->correlation_id},
        {TENANT_ID, &record->tenant_id}, {SERVICE, &record->logged_by_service},
    };

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        *texts[i].text = field_text(r, texts[i].field);
}

static void read_time(audit_reading *r)
{
    audit_record *record = r->record;
    text t = field_text(r, TIME);
    timestamp_reading told = timestamp_read(t, &record->time_generated);

    record->has_time = told == TIMESTAMP_READ;
    record->unread_time = told == TIMESTAMP_NOT_UNDERSTOOD ? t : (text)TEXT("");
}

/* A diagnostic record without tenantId names it in resourceId: /tenants/<guid>/providers/... */
static void read_tenant_of_resource(audit_reading *r)
{
    static const text prefix = TEXT("/tenants/");
    text id = field_text(r, RESOURCE_ID);
    const char *end;

    if (r->record->tenant_id.length > 0 || !kql_startswith(id, prefix, SEMANTICS_KQL))
        return;
    id = text_from(id, prefix.length);
    end = memchr(id.bytes, '/', id.length);
    r->record->tenant_id = end ? text_between(id.bytes, end) : id;
}

/* --- parts that cannot be read --- */

/*
 * Words may stand where JSON is due, "None" in the details of 2018. But these
 * begin JSON that was cut, or what PowerShell writes beyond its -Depth.
 */
static bool should_be_json(text t)
{
    static const text begins[] = {TEXT("{"),  TEXT("["),       TEXT("\""),
                                  TEXT("@{"), TEXT("System."), TEXT("Microsoft.")};

    for (size_t i = 0; i < sizeof(begins) / sizeof(begins[0]); i++)
        if (kql_startswith(t, begins[i], SEMANTICS_KQL))
            return true;
    return false;
}

bool audit_reading_met_broken_json(const json_view *r)
{
    return r->unreadable != NULL && should_be_json(json_string(r->unreadable));
}

/* --- the initiator --- */

static text initiator_text(audit_reading *r, json *initiator, const char *const *paths,
                           bool one_path)
{
    return json_view_text(&r->eyes, audit_first_of(&r->eyes, initiator, paths, one_path));
}

/* Of the user and of the app: the id of the one that the actor is named after comes first. */
static text actor_id(audit_reading *r, json *initiator, bool is_app)
{
    static const char *const user[AUDIT_MOST_PATHS] = {"user.id"};
    static const char *const app[AUDIT_MOST_PATHS] = {"app.id", "app.servicePrincipalId",
                                                      "app.service_principal_id", "app.appId"};
    text id = initiator_text(r, initiator, is_app ? app : user, false);

    return id.length > 0 || r->record->actor.length > 0 ? id
                                                        : initiator_text(r, initiator, app, false);
}

/* KQL's coalesce over what initiated it: the first that is not empty. */
static void read_actor(audit_reading *r, json *initiator)
{
    audit_record *record = r->record;
    const audit_shape_row *s = &audit_shapes[record->shape];
    bool is_app = false;

    record->actor = initiator_text(r, initiator, s->user_upn, true);
    if (record->actor.length == 0) {
        record->actor = initiator_text(r, initiator, s->app_name, true);
        is_app = record->actor.length > 0;
    }
    if (record->actor.length == 0 && record->view == SEMANTICS_WIDE &&
        record->shape == SHAPE_DIAGNOSTIC_2018)
        record->actor = field_text(r, IDENTITY);
    record->actor_id = actor_id(r, initiator, is_app);
}

static bool is_null_word(text t)
{
    static const text words[] = {TEXT("<null>"), TEXT("&lt;null&gt;")};

    return text_equal(t, words[0]) || text_equal(t, words[1]);
}

static text address_or_nothing(text t)
{
    return is_null_word(t) ? (text)TEXT("") : t;
}

/* The address in additionalDetails: [{"key":"ipaddr","value":"203.0.113.7"}]. */
static text address_in_details(audit_reading *r)
{
    static const text keys[] = {TEXT("ipaddr"), TEXT("ipAddress")};
    json_list details =
        json_view_list(&r->eyes, json_view_open(&r->eyes, audit_value_of(r, DETAILS)));

    for (size_t i = 0; i < details.count; i++) {
        json *pair = json_list_item(&details, i);
        text key = json_string(json_view_at(&r->eyes, pair, "key"));

        if (kql_equals(key, keys[0], SEMANTICS_KQL) || kql_equals(key, keys[1], SEMANTICS_KQL))
            return json_view_plain_text(&r->eyes, json_view_at(&r->eyes, pair, "value"));
    }
    return (text)TEXT("");
}

/* The request's address; source_ip is the query's, the initiating user's. */
static void read_caller_ip(audit_reading *r, json *initiator)
{
    static const char *const of_app[AUDIT_MOST_PATHS] = {"app.ipAddress", "app.ip_address"};
    text address = address_or_nothing(field_text(r, CALLER_IP));

    if (address.length == 0)
        address = address_or_nothing(initiator_text(r, initiator, of_app, false));
    if (address.length == 0)
        address = address_or_nothing(address_in_details(r));
    r->record->caller_ip = address;
}

static void read_initiator(audit_reading *r)
{
    static const char *const address[AUDIT_MOST_PATHS] = {"user.ipAddress", "user.ip_address"};
    json *initiator = json_view_open(&r->eyes, audit_value_of(r, INITIATOR));

    read_actor(r, initiator);
    r->record->source_ip = initiator_text(r, initiator, address, true);
    r->record->has_broken_part |= audit_reading_met_broken_json(&r->eyes);
    r->eyes.unreadable = NULL;
    read_caller_ip(r, initiator);
    r->record->has_broken_part |= audit_reading_met_broken_json(&r->eyes);
}

/* --- targets --- */

bool audit_is_hidden_target(json *target)
{
    switch (json_kind_of(target)) {
    case JSON_NULL:
    case JSON_OBJECT:
        return false;
    case JSON_STRING:
        return !json_view_says_nothing(json_string(target));
    default:
        return true;
    }
}

static bool has_hidden_target(const json_list *targets)
{
    for (size_t i = 0; i < targets->count; i++)
        if (audit_is_hidden_target(json_list_item(targets, i)))
            return true;
    return false;
}

/* A single value, or none at all, is one row. */
static json_list list_of_one(audit_reading *r, json *value)
{
    json_list all = {.opened = arena_alloc(r->eyes.memory, sizeof(json *)), .count = 1};

    if (all.opened == NULL) {
        r->eyes.out_of_memory = true;
        return (json_list){0};
    }
    all.opened[0] = value;
    return all;
}

/* What mv-expand makes of the value. */
static json_list expand(audit_reading *r, json *value)
{
    if (json_kind_of(value) == JSON_ARRAY ||
        (json_kind_of(value) == JSON_OBJECT && json_view_is_keyed_by_number(value)))
        return json_view_list(&r->eyes, value);
    return list_of_one(r, value);
}

static void read_kql_targets(audit_reading *r)
{
    audit_record *record = r->record;
    json *value = audit_value_of(r, TARGETS);

    record->target_resources = value;
    record->is_split = json_kind_of(value) == JSON_OBJECT;
    if (!record->is_split)
        record->targets = expand(r, value);
}

/* The query has no row for [] or null; another field may name the target all the same. */
static void read_target_elsewhere(audit_reading *r)
{
    audit_record *record = r->record;
    json *targets = record->target_resources;

    if (targets != NULL && (json_kind_of(targets) != JSON_ARRAY || json_array_length(targets) > 0))
        return;
    record->target_elsewhere = field_text(r, TARGET_ELSEWHERE);
    if (record->target_elsewhere.length > 0)
        r->eyes.notes |= NOTE_TARGET_ELSEWHERE;
}

static void read_wide_targets(audit_reading *r)
{
    audit_record *record = r->record;
    json *value = audit_value_of(r, TARGETS), *opened;

    r->eyes.unpacked_count = false;
    opened = json_view_open(&r->eyes, value);
    if (opened == NULL)
        record->hidden = r->eyes.unreadable;
    else if (audit_is_hidden_target(opened) && json_kind_of(opened) != JSON_ARRAY)
        record->hidden = opened;
    record->is_hidden_above = value == NULL;
    record->target_resources = opened;
    record->targets = expand(r, opened);
    record->hides_targets = record->hidden != NULL || has_hidden_target(&record->targets);
    if (r->eyes.unpacked_count || json_kind_of(opened) == JSON_OBJECT)
        r->eyes.notes |= NOTE_TARGET_OBJECT;
    read_target_elsewhere(r);
}

json_view audit_record_view(const audit_record *record, const audit_reader *reader)
{
    return (json_view){
        .semantics = record->view,
        .memory = reader->memory,
        .parser = reader->parser,
        .trees = record->trees,
    };
}

static audit_reading begin_reading(audit_record *record, const audit_reader *reader)
{
    return (audit_reading){.record = record, .eyes = audit_record_view(record, reader)};
}

audit_result audit_record_read(json *object, semantics view, const audit_reader *reader,
                               audit_record *record)
{
    audit_result told;
    audit_reading r;

    *record = (audit_record){.object = object, .view = view};
    record->trees = opened_trees_new(reader->memory);
    if (record->trees == NULL)
        return AUDIT_OUT_OF_MEMORY;
    r = begin_reading(record, reader);
    told = audit_tell_shape(&r);
    if (told != AUDIT_RECORD)
        return r.eyes.out_of_memory ? AUDIT_OUT_OF_MEMORY : told;
    read_names(&r);
    read_time(&r);
    r.eyes.unreadable = NULL; /* what stands on the way to the targets is asked for again */
    if (view == SEMANTICS_WIDE)
        read_wide_targets(&r);
    else
        read_kql_targets(&r);
    record->notes = r.eyes.notes;
    return r.eyes.out_of_memory ? AUDIT_OUT_OF_MEMORY : AUDIT_RECORD;
}

bool audit_record_read_rest(audit_record *record, const audit_reader *reader)
{
    audit_reading r = begin_reading(record, reader);

    read_texts(&r);
    r.eyes.unreadable = NULL;
    read_initiator(&r);
    read_tenant_of_resource(&r);
    record->notes |= r.eyes.notes;
    return !r.eyes.out_of_memory;
}

void audit_record_release(audit_record *record)
{
    opened_trees_release(record->trees);
}

static const char *const target_upn[AUDIT_MOST_PATHS] = {"userPrincipalName",
                                                         "user_principal_name"};
static const char *const target_id[AUDIT_MOST_PATHS] = {"id"};

size_t audit_record_target_count(const audit_record *record)
{
    if (record->target_elsewhere.length > 0)
        return 1;
    return record->is_split ? json_member_count(record->target_resources) : record->targets.count;
}

/* The n-th part of a text whose parts `__` separates. */
static text part_of(text t, size_t n)
{
    for (;;) {
        const char *end = memmem(t.bytes, t.length, "__", 2);

        if (n == 0 || end == NULL)
            return n > 0 ? (text)TEXT("") : end ? text_between(t.bytes, end) : t;
        t = text_from(t, (size_t)(end - t.bytes) + 2);
        n--;
    }
}

/* The `Sync_` of a UPN has one underscore, so `__` does not tear it apart. */
static bool read_row_elsewhere(const audit_record *record, audit_target *target)
{
    target->value = record->target_resources;
    target->upn = part_of(record->target_elsewhere, 0);
    target->id = part_of(record->target_elsewhere, 3);
    return true;
}

/* KQL's row of an expanded object holds one property alone. */
static bool read_property_row(const audit_record *record, audit_target *target, arena *memory)
{
    bool is_upn, is_id;

    json_nth_member(record->target_resources, target->index, &target->key, &target->value);
    is_upn = strcmp(target->key, target_upn[0]) == 0;
    is_id = strcmp(target->key, target_id[0]) == 0;
    target->upn = json_tostring(is_upn ? target->value : NULL, memory);
    target->id = json_tostring(is_id ? target->value : NULL, memory);
    return target->upn.bytes != NULL && target->id.bytes != NULL;
}

/* A target has been opened already: its own members are keys and their values alone. */
static bool read_row(const audit_record *record, audit_target *target, arena *memory)
{
    json_view r = {.semantics = record->view, .memory = memory};

    target->value = json_list_item(&record->targets, target->index);
    target->upn = json_view_text(&r, audit_first_of(&r, target->value, target_upn, true));
    target->id = json_view_text(&r, audit_first_of(&r, target->value, target_id, true));
    target->notes |= r.notes;
    return !r.out_of_memory;
}

bool audit_record_target(const audit_record *record, size_t index, arena *memory,
                         audit_target *target)
{
    *target = (audit_target){.index = index, .notes = record->notes};
    if (record->target_elsewhere.length > 0)
        return read_row_elsewhere(record, target);
    if (record->is_split)
        return read_property_row(record, target, memory);
    return read_row(record, target, memory);
}

void audit_target_write(const audit_target *target, buffer *out)
{
    if (target->key == NULL) {
        json_write_last(out, target->value);
        return;
    }
    buffer_append_char(out, '{');
    json_write_key(out, target->key);
    json_write_last(out, target->value);
    buffer_append_char(out, '}');
}
