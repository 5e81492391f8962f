/* SPDX-License-Identifier: Apache-2.0 */
/* patience: how long something may take in all, its own work and its pauses together. */
#ifndef SYNCTAP_PATIENCE_H
#define SYNCTAP_PATIENCE_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

typedef struct patience {
    int64_t until; /* milliseconds of the monotonic clock */
} patience;

static inline int64_t patience_clock(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static inline patience patience_of(int milliseconds)
{
    return (patience){patience_clock() + milliseconds};
}

/* Sleeps a moment; false, at once, when the patience is over. */
static inline bool patience_pause(patience p)
{
    enum { PAUSE = 10 }; /* milliseconds */
    int64_t left = p.until - patience_clock();
    struct timespec moment = {.tv_nsec = 1000000L * (left < PAUSE ? (long)left : PAUSE)};

    if (left <= 0)
        return false;
    nanosleep(&moment, NULL);
    return true;
}

#endif
