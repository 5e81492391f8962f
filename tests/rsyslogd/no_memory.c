/* SPDX-License-Identifier: Apache-2.0 */
/*
 * no_memory: for LD_PRELOAD: while the file that NO_MEMORY names is there, the
 * modules' own callocs fail, but for the smallest: rsyslog's macros have one
 * that no module sees, for what belongs to a worker.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SMALLEST = 32 };

void *__libc_calloc(size_t count, size_t size);

static int is_ours(void *caller)
{
    Dl_info found;

    return dladdr(caller, &found) != 0 && found.dli_fname != NULL &&
           (strstr(found.dli_fname, "/mmsynctap.so") != NULL ||
            strstr(found.dli_fname, "/omidentityinfo.so") != NULL);
}

void *calloc(size_t count, size_t size)
{
    const char *path = getenv("NO_MEMORY");

    if (path == NULL || count * size < SMALLEST || access(path, F_OK) != 0 ||
        !is_ours(__builtin_return_address(0)))
        return __libc_calloc(count, size);
    errno = ENOMEM;
    return NULL;
}
