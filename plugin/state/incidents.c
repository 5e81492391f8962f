/* SPDX-License-Identifier: Apache-2.0 */
/* incidents: the newest of each key, sorted by key. */
#include "state/incidents.h"

#include <pthread.h>
#include <stdlib.h>
#include <strings.h>

#include "base/room.h"
#include "rule/selftest.h"

const incident_options INCIDENTS_AS_IN_SENTINEL = {TICKS_PER_DAY, MATCHING_ANY_ALERT, 150};

typedef struct incident {
    char id[UUID_TEXT_SIZE];
    char first_alert[UUID_TEXT_SIZE];
    timestamp opened;
    unsigned alert_count;
    unsigned last_place; /* that an alert was given; more than alert_count when one left */
    bool has_been_told;  /* an alert that was handed on, or still may be, says that it is new */
    bool is_closed;
    text key; /* its bytes stand behind the struct */
} incident;

struct incidents {
    incident_options options;
    pthread_mutex_t mutex;
    incident **sorted;
    size_t count;
    size_t room;
};

static const char *const matching_names[INCIDENT_MATCHINGS] = {
    [MATCHING_ANY_ALERT] = "AnyAlert",
    [MATCHING_ALL_ENTITIES] = "AllEntities",
    [MATCHING_SELECTED] = "Selected",
};

bool incident_matching_read(text word, incident_matching *matching)
{
    for (incident_matching m = 0; m < INCIDENT_MATCHINGS; m++) {
        text name = text_of(matching_names[m]);

        if (word.length != name.length || strncasecmp(word.bytes, name.bytes, name.length) != 0)
            continue;
        *matching = m;
        return true;
    }
    return false;
}

/* Without grouping each alert has an incident of its own. */
void incidents_configure(incident_options *options, const rule_facts *facts)
{
    if (!facts->says_incidents)
        return;
    if (!facts->creates_incident)
        options->window = 0;
    else if (facts->grouping_window > 0)
        options->window = facts->grouping_window;
    if (!facts->groups_incidents)
        options->most_alerts = 1;
    incident_matching_read(facts->matching, &options->matching);
}

incidents *incidents_new(const incident_options *options)
{
    incidents *self = calloc(1, sizeof(*self));

    if (self == NULL)
        return NULL;
    self->options = *options;
    pthread_mutex_init(&self->mutex, NULL);
    return self;
}

void incidents_free(incidents *self)
{
    if (self == NULL)
        return;
    for (size_t i = 0; i < self->count; i++)
        free(self->sorted[i]);
    free(self->sorted);
    pthread_mutex_destroy(&self->mutex);
    free(self);
}

/* --- the key --- */

static void write_folded(buffer *key, text part)
{
    buffer folded = {0};

    kql_fold(part, SEMANTICS_WIDE, &folded);
    json_write_item(key);
    json_write_string(key, buffer_text(&folded));
    key->failed |= buffer_failed(&folded);
    buffer_free(&folded);
}

/*
 * Entities are told apart as Sentinel does: the target by its UPN, without one by its id. False:
 * there are no incidents, the alert is a self-test's, or memory is out.
 */
static bool write_key(const incidents *self, const alert *a, buffer *key)
{
    incident_matching matching = self->options.matching;

    buffer_clear(key);
    if (self->options.window == 0 || selftest_is(a->record, &a->target))
        return false;
    buffer_append_char(key, '[');
    write_folded(key, a->record->tenant_id);
    if (matching != MATCHING_ANY_ALERT)
        write_folded(key, a->target.upn.length > 0 ? a->target.upn : a->target.id);
    if (matching == MATCHING_ALL_ENTITIES) {
        write_folded(key, a->record->actor);
        write_folded(key, a->record->source_ip);
    }
    buffer_append_char(key, ']');
    return !buffer_failed(key);
}

/* --- the sorted array; the mutex is held --- */

static size_t first_not_before(const incidents *self, text key)
{
    size_t low = 0, high = self->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (text_compare(self->sorted[middle]->key, key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static incident *find(const incidents *self, text key)
{
    size_t at = first_not_before(self, key);

    return at < self->count && text_equal(self->sorted[at]->key, key) ? self->sorted[at] : NULL;
}

static incident *make_incident(text key)
{
    incident *made = calloc(1, sizeof(*made) + key.length);

    if (made == NULL)
        return NULL;
    memcpy((char *)(made + 1), key.bytes, key.length);
    made->key = (text){(const char *)(made + 1), key.length};
    return made;
}

/* The key's incident, made if there is none; NULL when memory is out. */
static incident *incident_of(incidents *self, text key)
{
    size_t at = first_not_before(self, key);
    incident *made;

    if (at < self->count && text_equal(self->sorted[at]->key, key))
        return self->sorted[at];
    made = room_for_one_more(&self->sorted, sizeof(incident *), self->count, &self->room)
               ? make_incident(key)
               : NULL;
    if (made == NULL)
        return NULL;
    memmove(&self->sorted[at + 1], &self->sorted[at], (self->count - at) * sizeof(*self->sorted));
    self->sorted[at] = made;
    self->count++;
    return made;
}

static bool is_in_window(const incidents *self, const incident *i, timestamp now)
{
    return now - i->opened < self->options.window;
}

static bool is_over(const incidents *self, const incident *i)
{
    return i->is_closed || i->alert_count >= self->options.most_alerts;
}

static bool takes_alerts(const incidents *self, const incident *i, timestamp now)
{
    return i->alert_count > 0 && !is_over(self, i) && is_in_window(self, i, now);
}

static void open_incident(incident *i, const alert *a)
{
    digest_uuid((text[]){rule_id(a->rule), TEXT("incident"), text_of(a->id)}, 3, i->id);
    memcpy(i->first_alert, a->id, sizeof(i->first_alert));
    i->opened = a->detected_at;
    i->alert_count = i->last_place = 0;
    i->has_been_told = i->is_closed = false;
}

static void tell(alert *a, const incident *i)
{
    a->incident = (alert_incident){
        .alert_count = i->alert_count, .place = i->last_place, .opened = i->opened};
    memcpy(a->incident.id, i->id, sizeof(i->id));
    memcpy(a->incident.first_alert, i->first_alert, sizeof(i->first_alert));
}

static void join(incidents *self, alert *a, text key)
{
    incident *i = incident_of(self, key);

    if (i == NULL)
        return;
    if (!takes_alerts(self, i, a->detected_at))
        open_incident(i, a);
    i->alert_count++;
    i->last_place++;
    tell(a, i);
    a->incident.is_new = !i->has_been_told;
    i->has_been_told = true;
}

void incidents_join(incidents *self, alert *a, buffer *key)
{
    if (!write_key(self, a, key))
        return;
    pthread_mutex_lock(&self->mutex);
    join(self, a, buffer_text(key));
    pthread_mutex_unlock(&self->mutex);
}

/* Its place is free again only if no alert has a later one. */
static void leave(incident *i, const alert_incident *told)
{
    i->alert_count--;
    if (told->place == i->last_place)
        i->last_place--;
    if (told->is_new)
        i->has_been_told = false;
}

void incidents_leave(incidents *self, const alert *a)
{
    pthread_mutex_lock(&self->mutex);
    for (size_t n = 0; a->incident.id[0] != '\0' && n < self->count; n++) {
        incident *i = self->sorted[n];

        if (strcmp(i->id, a->incident.id) == 0 && i->alert_count > 0)
            leave(i, &a->incident);
    }
    pthread_mutex_unlock(&self->mutex);
}

void incidents_look_up(incidents *self, alert *a, buffer *key)
{
    const incident *i;

    if (!write_key(self, a, key))
        return;
    pthread_mutex_lock(&self->mutex);
    i = find(self, buffer_text(key));
    if (i != NULL && i->alert_count > 0)
        tell(a, i);
    pthread_mutex_unlock(&self->mutex);
}

/* Of two that were opened at one instant, the first is over: there would be no second. */
static bool is_newer(const incidents *self, const incident *i, const incident_facts *facts)
{
    return i->alert_count > 0 &&
           (i->opened > facts->opened || (i->opened == facts->opened && !is_over(self, i)));
}

static void take_in(const incidents *self, incident *i, const incident_facts *facts)
{
    bool is_same = strcmp(i->id, facts->id) == 0;

    if (!is_same && is_newer(self, i, facts))
        return;
    if (!is_same || facts->alert_count > i->alert_count)
        i->alert_count = facts->alert_count;
    if (!is_same || facts->last_place > i->last_place)
        i->last_place = facts->last_place;
    i->has_been_told = true;
    memcpy(i->id, facts->id, sizeof(i->id));
    memcpy(i->first_alert, facts->first_alert, sizeof(i->first_alert));
    i->opened = facts->opened;
    i->is_closed = facts->is_closed || (is_same && i->is_closed);
}

bool incidents_put(incidents *self, const incident_facts *facts)
{
    incident *i;

    pthread_mutex_lock(&self->mutex);
    i = incident_of(self, facts->key);
    if (i != NULL)
        take_in(self, i, facts);
    pthread_mutex_unlock(&self->mutex);
    return i != NULL;
}

void incidents_expire(incidents *self, timestamp now)
{
    size_t kept = 0;

    pthread_mutex_lock(&self->mutex);
    for (size_t i = 0; i < self->count; i++) {
        if (is_in_window(self, self->sorted[i], now))
            self->sorted[kept++] = self->sorted[i];
        else
            free(self->sorted[i]);
    }
    self->count = kept;
    pthread_mutex_unlock(&self->mutex);
}

size_t incidents_count_open(incidents *self, timestamp now)
{
    size_t open = 0;

    pthread_mutex_lock(&self->mutex);
    for (size_t n = 0; n < self->count; n++) {
        const incident *i = self->sorted[n];

        open += i->alert_count > 0 && !i->is_closed && is_in_window(self, i, now);
    }
    pthread_mutex_unlock(&self->mutex);
    return open;
}
