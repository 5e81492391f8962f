/* SPDX-License-Identifier: Apache-2.0 */
/* progress: the line is written over, with blanks where it was longer. */
#include "files/progress.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/shown.h"

enum { INTERVAL = 500 * 1000 * 1000 /* nanoseconds */, LONGEST_NAME = 40 };

static int64_t nanoseconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

progress progress_begin(void)
{
    return (progress){.is_on = isatty(STDERR_FILENO), .since = nanoseconds()};
}

bool progress_is_due(const progress *self)
{
    return self->is_on && nanoseconds() - self->since >= INTERVAL;
}

/* Its end tells more of a long path than its beginning. */
static const char *short_name(const char *name)
{
    size_t length = strlen(name);

    return length > LONGEST_NAME ? name + length - LONGEST_NAME : name;
}

static int write_share(char *out, size_t room, const progress_state *state)
{
    double megabytes = (double)state->done / 1e6;

    if (state->size == 0)
        return snprintf(out, room, "%.0f MB", megabytes);
    return snprintf(out, room, "%.0f %%", 100.0 * (double)state->done / (double)state->size);
}

void progress_show(progress *self, const progress_state *state)
{
    int64_t now = nanoseconds();
    double speed = (double)(state->bytes - self->bytes) / (double)(now - self->since); /* GB/s */
    char share[32];
    buffer name = {0};
    int width;

    write_share(share, sizeof(share), state);
    shown_append(&name, text_of(short_name(state->name)));
    fputc('\r', stderr);
    width = fprintf(stderr, "synctap: %.*s: %s, %.*f %s/s", (int)name.length, name.bytes, share,
                    speed < 1 ? 0 : 1, speed < 1 ? speed * 1e3 : speed, speed < 1 ? "MB" : "GB");
    if (width < self->width)
        fprintf(stderr, "%*s", self->width - width, "");
    fflush(stderr);
    buffer_free(&name);
    self->width = width > self->width ? width : self->width;
    self->since = now;
    self->bytes = state->bytes;
}

void progress_wipe(progress *self)
{
    if (self->width > 0)
        fprintf(stderr, "\r%*s\r", self->width, "");
    self->width = 0;
}
