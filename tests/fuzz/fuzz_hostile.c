/*
 * fuzz_hostile: long texts made of short parts, over and over; none may take long.
 *
 * The input is a text in which \x01 stands between parts that are there once
 * and parts that are repeated until all are a message of 2 MB, in turn; in a
 * repeated part \x02 becomes the number of the repetition.
 */
#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "unwrap.h"

enum { MESSAGE = 2 * 1024 * 1024, MOST_PARTS = 16 };

/* Of processor time, for one way through the text, with sanitizers; see the file `run`. */
static double most_seconds = 15; /* far from what any takes: a hang, not a speed, is looked for */

static detector *wide_detector;
static detector_worker *worker;
static unwrap *walker;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    const char *given = getenv("FUZZ_MOST_SECONDS");

    (void)argc;
    (void)argv;
    if (given != NULL)
        most_seconds = atof(given);
    wide_detector = fuzz_detector(fuzz_rule(SEMANTICS_WIDE));
    worker = detector_worker_new(wide_detector);
    walker = unwrap_new();
    return 0;
}

/* --- the message --------------------------------------------------------------------------- */

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

static void write_message(text input, buffer *out)
{
    text parts[MOST_PARTS];
    size_t count = split(input, parts);

    for (size_t i = 0; i < count; i++) {
        if (i % 2 == 0)
            buffer_append(out, parts[i]);
        else
            append_repeated(out, parts[i], MESSAGE / (count / 2));
    }
}

/* --- its ways ------------------------------------------------------------------------------ */

static double processor_seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static unwrap_kind look_inside(void *arg, json *object)
{
    (void)arg;
    (void)object;
    return UNWRAP_UNKNOWN;
}

static void walk(text message)
{
    const unwrap_sink sink = {NULL, look_inside, NULL};

    unwrap_text(walker, NULL, message, &sink);
}

static void ignore_alert(void *arg, const alert *a)
{
    (void)arg;
    (void)a;
}

/* Behind words that let it through the gate. */
static void judge(text message)
{
    detector_feed(worker, message, fuzz_now(), ignore_alert, NULL);
}

static void require_in_time(void (*way)(text), const char *name, text message)
{
    double begin = processor_seconds(), taken;

    way(message);
    taken = processor_seconds() - begin;
    if (getenv("FUZZ_SHOW_SECONDS") != NULL)
        fprintf(stderr, "%s: %.3f s for %zu bytes\n", name, taken, message.length);
    FUZZ_REQUIRE(taken < most_seconds, ((text){message.bytes, 200}));
}

int LLVMFuzzerTestOneInput(const char *bytes, size_t length)
{
    buffer message = {0};

    buffer_append_string(&message, "Register security info ");
    write_message((text){bytes, length}, &message);
    require_in_time(walk, "unwrap", buffer_text(&message));
    require_in_time(judge, "detector", buffer_text(&message));
    buffer_free(&message);
    return 0;
}
