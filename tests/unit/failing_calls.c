/* SPDX-License-Identifier: Apache-2.0 */
/* failing_calls: a counter for each call, and the one that is to fail. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>
#include <sys/file.h>
#include <sys/types.h>
#include <unistd.h>

#include "failing_calls.h"

typedef struct plan {
    unsigned made;
    unsigned n; /* 0: none fails */
    bool is_lasting;
} plan;

static plan plans[FAILING_CALLS];

void fail_call(failing_call which, unsigned n, bool is_lasting)
{
    plans[which] = (plan){.n = n, .is_lasting = is_lasting};
}

void fail_no_call(void)
{
    memset(plans, 0, sizeof(plans));
}

static bool must_fail(failing_call which, int error)
{
    plan *p = &plans[which];
    unsigned made = ++p->made;

    if (p->n == 0 || made < p->n || (made > p->n && !p->is_lasting))
        return false;
    errno = error;
    return true;
}

/* The names are the linker's, and those that files of more than 2 GB have. */
int __real_open64(const char *path, int flags, ...);
int __wrap_open64(const char *path, int flags, ...);
ssize_t __real_write(int file, const void *bytes, size_t length);
ssize_t __wrap_write(int file, const void *bytes, size_t length);
int __real_ftruncate64(int file, off_t length);
int __wrap_ftruncate64(int file, off_t length);
int __real_unlink(const char *path);
int __wrap_unlink(const char *path);
int __real_flock(int file, int operation);
int __wrap_flock(int file, int operation);

int __wrap_open64(const char *path, int flags, ...)
{
    va_list arguments;
    int mode;

    va_start(arguments, flags);
    mode = (flags & O_CREAT) != 0 ? va_arg(arguments, int) : 0;
    va_end(arguments);
    return must_fail(FAILING_OPEN, EMFILE) ? -1 : __real_open64(path, flags, mode);
}

ssize_t __wrap_write(int file, const void *bytes, size_t length)
{
    if (must_fail(FAILING_WRITE, ENOSPC))
        return -1;
    return __real_write(file, bytes, must_fail(FAILING_WRITE_HALF, 0) ? length / 2 : length);
}

int __wrap_ftruncate64(int file, off_t length)
{
    return must_fail(FAILING_TRUNCATE, EIO) ? -1 : __real_ftruncate64(file, length);
}

int __wrap_unlink(const char *path)
{
    return must_fail(FAILING_UNLINK, EROFS) ? -1 : __real_unlink(path);
}

int __wrap_flock(int file, int operation)
{
    return must_fail(FAILING_LOCK, EWOULDBLOCK) ? -1 : __real_flock(file, operation);
}
