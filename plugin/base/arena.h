/* SPDX-License-Identifier: Apache-2.0 */
/*
 * arena: memory that is handed out piece by piece and taken back all at once.
 *
 * Each thread that reads records has one; what a message needs lives until
 * the next arena_reset, so the hit path frees nothing piece by piece.
 * Not for sharing between threads.
 */
#ifndef SYNCTAP_ARENA_H
#define SYNCTAP_ARENA_H

#include "base/text.h"

typedef struct arena arena;

/* An empty arena, or NULL when memory is out. The caller frees it. */
arena *arena_new(void);

/* Frees the arena and all that it handed out; NULL is allowed. */
void arena_free(arena *self);

/* Takes back all that was handed out; one block is kept for the next round. */
void arena_reset(arena *self);

/* `size` bytes, aligned for any type, or NULL when memory is out. */
void *arena_alloc(arena *self, size_t size);

/* A NUL-terminated copy of t; its bytes are NULL when memory is out. */
text arena_copy(arena *self, text t);

#endif
