/* SPDX-License-Identifier: Apache-2.0 */
/* The rooms that hand out memory. */
#include "base/arena.h"
#include "base/buffer.h"
#include "sweep.h"

static outcome take_pieces(arena *memory)
{
    static const size_t sizes[] = {1, 100, 16 * 1024, 40 * 1024, 1, 200 * 1024};
    outcome came = AS_ALWAYS;

    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        char *piece = arena_alloc(memory, sizes[i]);
        text copy = arena_copy(memory, (text)TEXT("a text"));

        if (piece == NULL || copy.bytes == NULL)
            came = OUT_OF_MEMORY;
        if (piece != NULL)
            memset(piece, 1, sizes[i]);
        if (copy.bytes != NULL && !text_equal(copy, (text)TEXT("a text")))
            return WRONG;
    }
    return came;
}

static outcome run_arena(void)
{
    outcome came = OUT_OF_MEMORY;
    arena *memory;

    sweep_begin();
    memory = arena_new();
    if (memory != NULL) {
        came = take_pieces(memory);
        arena_reset(memory);
        if (came == AS_ALWAYS)
            came = take_pieces(memory);
        arena_free(memory);
    }
    sweep_end();
    return came;
}

static outcome run_buffer(void)
{
    buffer b = {0};
    bool has_failed;
    outcome came;

    sweep_begin();
    for (int i = 0; i < 2000; i++)
        buffer_append_string(&b, "some words");
    has_failed = buffer_string(&b) == NULL || buffer_failed(&b);
    sweep_end();
    came = has_failed ? OUT_OF_MEMORY : sweep_compare(buffer_text(&b));
    buffer_clear(&b);
    buffer_append_char(&b, 'x'); /* memory is there again, and so is the buffer */
    if (buffer_failed(&b) || b.length != 1)
        came = WRONG;
    buffer_free(&b);
    return came;
}

const sweep_run memory_runs[] = {
    {"arena", run_arena},
    {"buffer", run_buffer},
    RUNS_END,
};
