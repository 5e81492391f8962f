/* SPDX-License-Identifier: Apache-2.0 */
/* surplus: an alert's view of its record is made a copy of it. */
#include "detector/surplus.h"

void surplus_free(surplus *self)
{
    arena_free(self->memory);
    buffer_free(&self->object);
}

void surplus_clear(surplus *self)
{
    self->count = 0;
    if (self->memory != NULL)
        arena_reset(self->memory);
}

/* Everything of a record that is a view of the message. */
static bool copy_texts(surplus *self)
{
    audit_record *r = &self->record;
    text *const texts[] = {
        &r->operation_name,
        &r->activity_name,
        &r->actor,
        &r->actor_id,
        &r->source_ip,
        &r->caller_ip,
        &r->result,
        &r->result_reason,
        &r->record_id,
        &r->correlation_id,
        &r->tenant_id,
        &r->logged_by_service,
        &r->content,
        &r->unread_time,
        &self->first.target.upn,
        &self->first.target.id,
    };

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        *texts[i] = arena_copy(self->memory, *texts[i]);
        if (texts[i]->bytes == NULL)
            return false;
    }
    return true;
}

/* The content's hash, if the id is made of that, came with the alert: the tree is not needed. */
static bool keep(surplus *self, const alert *row, json *object)
{
    if (self->memory == NULL)
        self->memory = arena_new();
    if (self->memory == NULL)
        return false;
    self->record = *row->record;
    self->record.object = NULL;
    self->record.target_resources = NULL;
    self->record.targets = (json_list){0};
    self->record.hidden = NULL;
    self->record.trees = NULL;
    self->first = *row;
    self->first.record = &self->record;
    self->first.target.key = NULL;
    self->first.target.value = NULL;
    buffer_clear(&self->object);
    if (object != NULL)
        json_write_value(&self->object, object);
    if (row->told != NULL) {
        self->first.told = plan_text_copy(row->told, self->memory);
        if (self->first.told == NULL)
            return false;
    }
    return copy_texts(self) && !buffer_failed(&self->object);
}

bool surplus_add(surplus *self, const alert *row, json *object)
{
    return self->count++ > 0 || keep(self, row, object);
}

alert surplus_alert(const surplus *self)
{
    alert all = self->first;

    all.more = self->count;
    all.degraded = true;
    all.kql = false;
    return all;
}
