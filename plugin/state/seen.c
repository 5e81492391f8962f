/* SPDX-License-Identifier: Apache-2.0 */
/* seen: a hash table of UUIDs, open addressing; a UUID is its own hash. */
#include "state/seen.h"

#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LEAST_ROOM = 64 };

typedef enum entry_state { FREE, CLAIMED, KEPT } entry_state;

typedef struct entry {
    uint8_t id[16];
    timestamp expires;
    entry_state state;
} entry;

struct seen {
    pthread_mutex_t mutex;
    pthread_cond_t decided; /* an id that was claimed is kept or given up */
    entry *entries;
    size_t room; /* a power of two, at most half full */
    size_t count;
};

seen *seen_new(void)
{
    seen *self = calloc(1, sizeof(*self));

    if (self == NULL)
        return NULL;
    pthread_mutex_init(&self->mutex, NULL);
    pthread_cond_init(&self->decided, NULL);
    self->room = LEAST_ROOM;
    self->entries = calloc(self->room, sizeof(entry));
    if (self->entries != NULL)
        return self;
    seen_free(self);
    return NULL;
}

void seen_free(seen *self)
{
    if (self == NULL)
        return;
    pthread_cond_destroy(&self->decided);
    pthread_mutex_destroy(&self->mutex);
    free(self->entries);
    free(self);
}

static unsigned nibble(char c)
{
    return (unsigned)(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10) & 0xF;
}

static void read_id(const char *id, uint8_t bytes[static 16])
{
    for (size_t i = 0; i < 16; id += 2) {
        if (*id == '-')
            id++;
        bytes[i++] = (uint8_t)(nibble(id[0]) << 4 | nibble(id[1]));
    }
}

/* The id's entry, or the free one where it would stand. */
static entry *find(const seen *self, const uint8_t id[static 16])
{
    size_t hash;
    size_t at;

    memcpy(&hash, id, sizeof(hash));
    for (at = hash & (self->room - 1); self->entries[at].state != FREE;
         at = (at + 1) & (self->room - 1))
        if (memcmp(self->entries[at].id, id, 16) == 0)
            break;
    return &self->entries[at];
}

/* Moves what has not expired into a table of that room. */
static bool rebuild(seen *self, size_t room, timestamp now)
{
    seen old = {.entries = self->entries, .room = self->room};
    entry *entries = calloc(room, sizeof(entry));

    if (entries == NULL)
        return false;
    self->entries = entries;
    self->room = room;
    self->count = 0;
    for (size_t i = 0; i < old.room; i++) {
        const entry *e = &old.entries[i];

        if (e->state == FREE || (e->state == KEPT && e->expires <= now))
            continue;
        *find(self, e->id) = *e;
        self->count++;
    }
    free(old.entries);
    return true;
}

static bool make_room(seen *self)
{
    return 2 * (self->count + 1) <= self->room || rebuild(self, 2 * self->room, INT64_MIN);
}

/* The id's entry, made if there is none; NULL when memory is out. */
static entry *entry_of(seen *self, const char *id)
{
    uint8_t bytes[16];
    entry *e;

    read_id(id, bytes);
    e = find(self, bytes);
    if (e->state != FREE)
        return e;
    if (!make_room(self))
        return NULL;
    e = find(self, bytes);
    memcpy(e->id, bytes, sizeof(bytes));
    e->expires = INT64_MIN;
    e->state = KEPT;
    self->count++;
    return e;
}

static seen_claim claim(seen *self, const char *id, timestamp now)
{
    entry *e;

    while ((e = entry_of(self, id)) != NULL && e->state == CLAIMED)
        pthread_cond_wait(&self->decided, &self->mutex);
    if (e == NULL)
        return SEEN_FAILED;
    if (e->expires > now)
        return SEEN_BEFORE;
    e->state = CLAIMED;
    return SEEN_NEW;
}

seen_claim seen_claim_id(seen *self, const char id[static UUID_TEXT_SIZE], timestamp now)
{
    seen_claim result;

    pthread_mutex_lock(&self->mutex);
    result = claim(self, id, now);
    pthread_mutex_unlock(&self->mutex);
    return result;
}

static bool set(seen *self, const char *id, timestamp expires)
{
    entry *e;

    pthread_mutex_lock(&self->mutex);
    e = entry_of(self, id);
    if (e != NULL) {
        e->state = KEPT;
        e->expires = expires;
    }
    pthread_cond_broadcast(&self->decided);
    pthread_mutex_unlock(&self->mutex);
    return e != NULL;
}

void seen_keep(seen *self, const char id[static UUID_TEXT_SIZE], timestamp expires)
{
    set(self, id, expires); /* its entry is there since it was claimed */
}

bool seen_prolong(seen *self, const char id[static UUID_TEXT_SIZE], timestamp expires)
{
    uint8_t bytes[16];
    bool longer;
    entry *e;

    read_id(id, bytes);
    pthread_mutex_lock(&self->mutex);
    e = find(self, bytes);
    longer = e->state == KEPT && e->expires < expires;
    if (longer)
        e->expires = expires;
    pthread_mutex_unlock(&self->mutex);
    return longer;
}

void seen_give_up(seen *self, const char id[static UUID_TEXT_SIZE])
{
    set(self, id, INT64_MIN);
}

bool seen_put(seen *self, const char id[static UUID_TEXT_SIZE], timestamp expires)
{
    return set(self, id, expires);
}

void seen_expire(seen *self, timestamp now)
{
    size_t room = LEAST_ROOM;

    pthread_mutex_lock(&self->mutex);
    while (room < 2 * (self->count + 1))
        room *= 2;
    rebuild(self, room, now); /* without memory all stays */
    pthread_mutex_unlock(&self->mutex);
}
