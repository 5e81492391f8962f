/* SPDX-License-Identifier: Apache-2.0 */
/* read_ahead: a ring of pieces between two threads. */
#include "files/read_ahead.h"

#include <pthread.h>
#include <stdlib.h>

enum { PIECES = 4, PIECE = 256 * 1024 /* bytes */ };

typedef struct piece {
    size_t at; /* what was given out */
    size_t length;
    char bytes[PIECE];
} piece;

struct read_ahead {
    byte_stream *stream;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t moved;
    size_t filled; /* pieces since the beginning; filled - emptied are full */
    size_t emptied;
    bool ended;
    bool wanted; /* false: the thread shall end */
    piece pieces[PIECES];
};

/* Waits until there is room for a piece; NULL when no more is wanted. */
static piece *next_to_fill(read_ahead *self)
{
    piece *result;

    pthread_mutex_lock(&self->lock);
    while (self->wanted && self->filled - self->emptied == PIECES)
        pthread_cond_wait(&self->moved, &self->lock);
    result = self->wanted ? &self->pieces[self->filled % PIECES] : NULL;
    pthread_mutex_unlock(&self->lock);
    return result;
}

static void note_filled(read_ahead *self, bool ended)
{
    pthread_mutex_lock(&self->lock);
    self->filled++;
    self->ended = ended;
    pthread_cond_signal(&self->moved);
    pthread_mutex_unlock(&self->lock);
}

/* As much as there is room for; less only at the end. */
static bool fill(read_ahead *self, piece *p)
{
    size_t got = 1;

    p->at = 0;
    for (p->length = 0; got > 0 && p->length < PIECE; p->length += got)
        got = byte_stream_read(self->stream, p->bytes + p->length, PIECE - p->length);
    return got > 0;
}

static void *run(void *arg)
{
    read_ahead *self = arg;
    bool goes_on = true;
    piece *p;

    while (goes_on && (p = next_to_fill(self)) != NULL) {
        goes_on = fill(self, p);
        note_filled(self, !goes_on);
    }
    return NULL;
}

read_ahead *read_ahead_begin(byte_stream *stream)
{
    read_ahead *self = calloc(1, sizeof(*self));

    if (self == NULL)
        return NULL;
    self->stream = stream;
    self->wanted = true;
    pthread_mutex_init(&self->lock, NULL);
    pthread_cond_init(&self->moved, NULL);
    if (pthread_create(&self->thread, NULL, run, self) == 0)
        return self;
    pthread_cond_destroy(&self->moved);
    pthread_mutex_destroy(&self->lock);
    free(self);
    return NULL;
}

void read_ahead_end(read_ahead *self)
{
    if (self == NULL)
        return;
    pthread_mutex_lock(&self->lock);
    self->wanted = false;
    pthread_cond_signal(&self->moved);
    pthread_mutex_unlock(&self->lock);
    pthread_join(self->thread, NULL);
    pthread_cond_destroy(&self->moved);
    pthread_mutex_destroy(&self->lock);
    free(self);
}

/* Waits until a piece is full; NULL at the end. */
static piece *next_to_empty(read_ahead *self)
{
    piece *result;

    pthread_mutex_lock(&self->lock);
    while (!self->ended && self->filled == self->emptied)
        pthread_cond_wait(&self->moved, &self->lock);
    result = self->filled > self->emptied ? &self->pieces[self->emptied % PIECES] : NULL;
    pthread_mutex_unlock(&self->lock);
    return result;
}

static void note_emptied(read_ahead *self)
{
    pthread_mutex_lock(&self->lock);
    self->emptied++;
    pthread_cond_signal(&self->moved);
    pthread_mutex_unlock(&self->lock);
}

size_t read_ahead_read(read_ahead *self, char *out, size_t room)
{
    piece *p = next_to_empty(self);
    size_t length;

    while (p != NULL && p->at == p->length) { /* the last one may hold nothing */
        note_emptied(self);
        p = next_to_empty(self);
    }
    if (p == NULL)
        return 0;
    length = p->length - p->at < room ? p->length - p->at : room;
    memcpy(out, p->bytes + p->at, length);
    p->at += length;
    if (p->at == p->length)
        note_emptied(self);
    return length;
}
