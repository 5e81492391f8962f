/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_hostile: long texts made of short parts, over and over; none may take long.
 *
 * The input is a text in which \x01 stands between parts that are there once
 * and parts that are repeated until all are a message of 512 KB, in turn; in
 * a repeated part \x02 becomes the number of the repetition.
 */
#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { MESSAGE = 512 * 1024, SHORT_MESSAGE = MESSAGE / 8, MOST_PARTS = 16 };

/*
 * Of processor time, with sanitizers: far from what any takes (1 s), as it is
 * work that grows with the square of the text that is looked for.
 */
static double most_seconds = 3;

/* Work that grows with the square takes this much of it in a message of an eighth. */
#define SHARE_OF_SHORT_MESSAGE (1 / 64.0)

static detector *wide_detector;
static detector_worker *worker;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    const char *given = getenv("FUZZ_MOST_SECONDS");

    (void)argc;
    (void)argv;
    if (given != NULL)
        most_seconds = atof(given);
    wide_detector = fuzz_detector(fuzz_rule(SEMANTICS_WIDE));
    worker = detector_worker_new(wide_detector);
    return 0;
}

/* --- the message --- */

static size_t split(text input, text parts[static MOST_PARTS])
{
    size_t count = 0;

    while (count < MOST_PARTS) {
        const char *end = memchr(input.bytes, '\x01', input.length);

        parts[count++] = end ? text_between(input.bytes, end) : input;
        if (end == NULL)
            break;
        input = text_from(input, parts[count - 1].length + 1);
    }
    return count;
}

static void append_numbered(buffer *out, text part, size_t number)
{
    char written[24];

    snprintf(written, sizeof(written), "%zu", number);
    for (;;) {
        const char *mark = memchr(part.bytes, '\x02', part.length);
        text plain = mark ? text_between(part.bytes, mark) : part;

        buffer_append(out, plain);
        if (mark == NULL)
            return;
        buffer_append_string(out, written);
        part = text_from(part, plain.length + 1);
    }
}

static void append_repeated(buffer *out, text part, size_t room)
{
    size_t begin = out->length;

    for (size_t n = 0; part.length > 0 && out->length - begin < room; n++)
        append_numbered(out, part, n);
}

static void write_message(text input, size_t size, buffer *out)
{
    text parts[MOST_PARTS];
    size_t count = split(input, parts);

    for (size_t i = 0; i < count; i++) {
        if (i % 2 == 0)
            buffer_append(out, parts[i]);
        else
            append_repeated(out, parts[i], size / (count / 2));
    }
}

/* --- its way --- */

static double processor_seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static bool ignore_alert(void *arg, const alert *a)
{
    (void)arg;
    (void)a;
    return true;
}

/* Of processor time. The first words let the message through the gate. */
static double seconds_of(text input, size_t size)
{
    buffer message = {0};
    double begin, taken;

    buffer_append_string(&message, "Register security info ");
    write_message(input, size, &message);
    begin = processor_seconds();
    detector_feed(worker, buffer_text(&message), fuzz_now(), ignore_alert, NULL);
    taken = processor_seconds() - begin;
    if (getenv("FUZZ_SHOW_SECONDS") != NULL)
        fprintf(stderr, "%.3f s for %zu bytes\n", taken, message.length);
    buffer_free(&message);
    return taken;
}

int LLVMFuzzerTestOneInput(const char *bytes, size_t length)
{
    const text input = {bytes, length};

    if (seconds_of(input, SHORT_MESSAGE) >= most_seconds * SHARE_OF_SHORT_MESSAGE)
        FUZZ_REQUIRE(seconds_of(input, MESSAGE) < most_seconds, input);
    return 0;
}
