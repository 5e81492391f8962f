/* SPDX-License-Identifier: Apache-2.0 */
/* file_view: a piece of the file, mapped, and the handler of the signal that it may raise. */
#include "files/file_view.h"

#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum { LEAST = 256 * 1024 }; /* bytes; with less of them left the view moves on */

struct file_view {
    int file;
    size_t page;
    size_t begin; /* of what is mapped, in the file */
    size_t length;
    char *bytes; /* NULL: nothing is */
    volatile sig_atomic_t is_torn;
};

/* What this thread looks at: a handler is given an address, and nothing else. */
static _Thread_local file_view *volatile looked_at;
static pthread_once_t handler_once = PTHREAD_ONCE_INIT;

/* --- the signal --- */

static bool is_inside(const file_view *self, const char *address)
{
    return self != NULL && (uintptr_t)address - (uintptr_t)self->bytes < self->length;
}

/* Zeros from that address's page on. mmap is a bare call of the system, safe in a handler. */
static bool blank_out(file_view *self, const char *address)
{
    size_t at = (size_t)(address - self->bytes) / self->page * self->page;

    self->is_torn = 1;
    return mmap(self->bytes + at, self->length - at, PROT_READ,
                MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != MAP_FAILED;
}

/* Another's signal does, once this returns, what it does without a handler. */
static void take_signal(int number, siginfo_t *info, void *context)
{
    file_view *self = looked_at;

    (void)context;
    if (is_inside(self, info->si_addr) && blank_out(self, info->si_addr))
        return;
    signal(number, SIG_DFL);
    raise(number);
}

static void install_handler(void)
{
    struct sigaction action = {.sa_sigaction = take_signal, .sa_flags = SA_SIGINFO};

    sigemptyset(&action.sa_mask);
    sigaction(SIGBUS, &action, NULL);
}

/* --- the piece --- */

file_view *file_view_new(int file)
{
    file_view *self = calloc(1, sizeof(*self));

    if (self == NULL)
        return NULL;
    pthread_once(&handler_once, install_handler);
    self->file = file;
    self->page = (size_t)sysconf(_SC_PAGESIZE);
    return self;
}

static void unmap(file_view *self)
{
    if (self->bytes != NULL)
        munmap(self->bytes, self->length);
    self->bytes = NULL;
    self->length = 0;
}

void file_view_free(file_view *self)
{
    if (self == NULL)
        return;
    unmap(self);
    free(self);
}

/* All of it at once: a fault for each page would take longer than the look. */
static void map(file_view *self, size_t begin, size_t end)
{
    size_t length;
    void *bytes;

    unmap(self);
    begin = begin / self->page * self->page;
    length = end - begin < FILE_VIEW_LARGEST ? end - begin : FILE_VIEW_LARGEST;
    bytes = mmap(NULL, length, PROT_READ, MAP_SHARED | MAP_POPULATE, self->file, (off_t)begin);
    if (bytes == MAP_FAILED)
        return;
    self->bytes = bytes;
    self->begin = begin;
    self->length = length;
    self->is_torn = 0;
}

/* Is enough of it mapped? */
static bool has(const file_view *self, size_t begin, size_t end)
{
    size_t left;

    if (self->bytes == NULL || begin < self->begin || begin - self->begin >= self->length)
        return false;
    left = self->length - (begin - self->begin);
    return left >= LEAST || left >= end - begin;
}

text file_view_begin(file_view *self, size_t begin, size_t end)
{
    text t;

    if (begin >= end)
        return (text)TEXT("");
    if (!has(self, begin, end) || self->is_torn)
        map(self, begin, end);
    if (self->bytes == NULL)
        return (text)TEXT("");
    looked_at = self;
    t = text_from((text){self->bytes, self->length}, begin - self->begin);
    return (text){t.bytes, t.length < end - begin ? t.length : end - begin};
}

bool file_view_end(file_view *self)
{
    looked_at = NULL;
    return !self->is_torn;
}
