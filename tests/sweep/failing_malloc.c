/* SPDX-License-Identifier: Apache-2.0 */
/* failing_malloc: the C library's functions, or AddressSanitizer's, behind a counter. */
#include "failing_malloc.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#if defined(__SANITIZE_ADDRESS__)
#define UNDER_ADDRESS_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define UNDER_ADDRESS_SANITIZER 1
#endif
#endif

/* Both export their functions under second names, for those who put others in the first's place. */
#ifdef UNDER_ADDRESS_SANITIZER
#define REAL(name) __interceptor_##name
#else
#define REAL(name) __libc_##name
#endif

void *REAL(malloc)(size_t size);
void *REAL(calloc)(size_t count, size_t size);
void *REAL(realloc)(void *block, size_t size);
void *REAL(memalign)(size_t alignment, size_t size);
void REAL(free)(void *block);

#define EXPORTED __attribute__((visibility("default")))

static _Thread_local struct {
    long left; /* allocations up to the one that fails; 0: none does */
    bool lasts;
    bool failed;
    int pauses;
    long live;
} state;

void failing_malloc_begin(long nth, bool lasts)
{
    state.left = nth;
    state.lasts = lasts;
    state.failed = false;
}

bool failing_malloc_end(void)
{
    state.left = 0;
    return state.failed;
}

void failing_malloc_pause(void)
{
    state.pauses++;
}

void failing_malloc_resume(void)
{
    state.pauses--;
}

long failing_malloc_live(void)
{
    return state.live;
}

static bool fails(void)
{
    if (state.left == 0 || state.pauses > 0)
        return false;
    if (state.left > 1) {
        state.left--;
        return false;
    }
    if (!state.lasts)
        state.left = 0;
    state.failed = true;
    errno = ENOMEM;
    return true;
}

static void *counted(void *block)
{
    state.live += block != NULL;
    return block;
}

EXPORTED void *malloc(size_t size)
{
    return fails() ? NULL : counted(REAL(malloc)(size));
}

EXPORTED void *calloc(size_t count, size_t size)
{
    return fails() ? NULL : counted(REAL(calloc)(count, size));
}

EXPORTED void *realloc(void *block, size_t size)
{
    void *moved;

    if (size > 0 && fails())
        return NULL;
    moved = REAL(realloc)(block, size);
    if (block == NULL)
        counted(moved);
    else if (size == 0)
        state.live -= moved == NULL;
    return moved;
}

EXPORTED void *memalign(size_t alignment, size_t size)
{
    return fails() ? NULL : counted(REAL(memalign)(alignment, size));
}

EXPORTED void *aligned_alloc(size_t alignment, size_t size)
{
    return memalign(alignment, size);
}

EXPORTED int posix_memalign(void **block, size_t alignment, size_t size)
{
    void *aligned = memalign(alignment, size);

    if (aligned == NULL)
        return ENOMEM;
    *block = aligned;
    return 0;
}

EXPORTED void free(void *block)
{
    state.live -= block != NULL;
    REAL(free)(block);
}

/* The sanitizer's own would not come by here. */

static char *copy_of(const char *string, size_t length)
{
    char *copy = malloc(length + 1);

    if (copy != NULL) {
        memcpy(copy, string, length);
        copy[length] = '\0';
    }
    return copy;
}

EXPORTED char *strdup(const char *string)
{
    return copy_of(string, strlen(string));
}

EXPORTED char *strndup(const char *string, size_t most)
{
    return copy_of(string, strnlen(string, most));
}
