/* SPDX-License-Identifier: Apache-2.0 */
/* arena: a chain of blocks, each twice as large as needed at least. */
#include "base/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>

enum { FIRST_BLOCK = 16 * 1024 }; /* bytes; holds what one record of a usual size needs */

typedef struct block {
    struct block *next;
    size_t size;
    size_t used;
    alignas(max_align_t) char bytes[];
} block;

struct arena {
    block *blocks; /* the newest first */
};

static block *block_new(size_t size, block *next)
{
    block *b;

    if (size > SIZE_MAX - sizeof(*b))
        return NULL;
    b = malloc(sizeof(*b) + size);
    if (b != NULL)
        *b = (block){.next = next, .size = size};
    return b;
}

static void free_blocks(block *b)
{
    while (b != NULL) {
        block *next = b->next;
        free(b);
        b = next;
    }
}

arena *arena_new(void)
{
    return calloc(1, sizeof(arena));
}

void arena_free(arena *self)
{
    if (self == NULL)
        return;
    free_blocks(self->blocks);
    free(self);
}

void arena_reset(arena *self)
{
    block *kept = self->blocks;

    if (kept == NULL)
        return;
    free_blocks(kept->next);
    kept->next = NULL;
    kept->used = 0;
    /* One huge record must not pin its memory for good. */
    if (kept->size > 64 * FIRST_BLOCK) {
        free(kept);
        self->blocks = NULL;
    }
}

static bool add_block(arena *self, size_t need)
{
    size_t size = self->blocks ? 2 * self->blocks->size : FIRST_BLOCK;
    block *b = block_new(size < need ? need : size, self->blocks);

    if (b == NULL)
        return false;
    self->blocks = b;
    return true;
}

void *arena_alloc(arena *self, size_t size)
{
    size_t aligned = (size + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
    block *b = self->blocks;
    void *piece;

    if (aligned < size)
        return NULL;
    if (b == NULL || b->size - b->used < aligned) {
        if (!add_block(self, aligned))
            return NULL;
        b = self->blocks;
    }
    piece = b->bytes + b->used;
    b->used += aligned;
    return piece;
}

text arena_copy(arena *self, text t)
{
    char *copy = arena_alloc(self, t.length + 1);

    if (copy == NULL)
        return (text){NULL, 0};
    if (t.length > 0)
        memcpy(copy, t.bytes, t.length);
    copy[t.length] = '\0';
    return (text){copy, t.length};
}
