/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gate_speed: what a call per message costs, of the gate and of what it is compared with.
 *
 *   gate_speed FILE TURNS [PHRASES]
 *
 * Prints one JSON object per turn: nanoseconds of processor time per line of
 * the file, by name. "fresh" walks through the whole file, which is to be much
 * larger than the processor's caches; "cached" goes over its first 400 lines
 * again and again.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

#include "gate/engine.h"
#include "gate/gate.h"
#include "rule/rule.h"

enum { CACHED_LINES = 400, LEAST_LINE = 4, MOST_PHRASES = 64 };

typedef struct messages {
    text *lines;
    size_t count;
} messages;

typedef struct contender {
    const char *name;
    bool (*may_hold)(const struct contender *self, text t);
    gate *gate;
} contender;

static text phrases[MOST_PHRASES];
static size_t phrase_count;

static void require(bool holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "gate_speed: %s\n", what);
    exit(1);
}

/* --- the contenders --- */

static bool ask_gate(const contender *self, text t)
{
    return gate_may_hold(self->gate, t);
}

/* As far as memory can be read. */
static bool look_for_absent_byte(const contender *self, text t)
{
    (void)self;
    return memchr(t.bytes, 1, t.length) != NULL;
}

/* What the rule's phrases have in common, in one case and without escapes. */
static bool look_for_words(const contender *self, text t)
{
    (void)self;
    return memmem(t.bytes, t.length, "security info", 13) != NULL ||
           memmem(t.bytes, t.length, "temporary access pass", 21) != NULL;
}

static void add_phrases(const text *more, size_t count)
{
    for (size_t i = 0; i < count; i++)
        phrases[phrase_count++] = more[i];
}

static contender gate_contender(const char *name, const engine *preferred)
{
    contender made = {.name = name, .may_hold = ask_gate};

    made.gate = gate_new_with(preferred, phrases, phrase_count, SEMANTICS_WIDE);
    require(made.gate != NULL, "out of memory");
    return made;
}

static void read_phrases_of_rule(void)
{
    rule *r = rule_new();
    size_t count;
    const text *list;

    require(r != NULL, "out of memory");
    list = rule_get_list(r, RULE_OPERATIONS, &count);
    add_phrases(list, count);
    list = rule_get_wide_list(r, RULE_OPERATIONS, &count);
    add_phrases(list, count);
}

/* --- the messages --- */

static text read_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    struct stat found;
    char *bytes;

    require(file != NULL && fstat(fileno(file), &found) == 0, "cannot read the file");
    bytes = malloc((size_t)found.st_size);
    require(bytes != NULL, "out of memory");
    require(fread(bytes, 1, (size_t)found.st_size, file) == (size_t)found.st_size,
            "cannot read the file");
    fclose(file);
    return (text){bytes, (size_t)found.st_size};
}

static messages lines_of(text all)
{
    size_t most = all.length / LEAST_LINE;
    messages found = {calloc(most + 1, sizeof(text)), 0};
    const char *end;

    require(found.lines != NULL, "out of memory");
    while (found.count < most && (end = memchr(all.bytes, '\n', all.length)) != NULL) {
        found.lines[found.count++] = text_between(all.bytes, end);
        all = text_from(all, (size_t)(end + 1 - all.bytes));
    }
    return found;
}

/* A phrase in each line: how it is with many. */
static void read_phrases_of_file(const char *path)
{
    messages found = lines_of(read_file(path));

    require(found.count <= MOST_PHRASES, "too many phrases");
    add_phrases(found.lines, found.count);
}

/* --- turns --- */

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static double measure(const contender *c, const messages *all, size_t count, size_t rounds)
{
    static volatile size_t held;
    double begin = now();

    for (size_t round = 0; round < rounds; round++)
        for (size_t i = 0; i < count; i++)
            held += c->may_hold(c, all->lines[i]);
    return (now() - begin) / (double)(count * rounds);
}

static void take_turn(const contender *contenders, size_t count, const messages *all)
{
    size_t cached = all->count < CACHED_LINES ? all->count : CACHED_LINES;

    for (size_t i = 0; i < count; i++)
        printf("%s\"%s\":%.1f,\"%s cached\":%.1f", i > 0 ? "," : "{", contenders[i].name,
               measure(&contenders[i], all, all->count, 5), contenders[i].name,
               measure(&contenders[i], all, cached, 5 * all->count / cached));
    puts("}");
}

int main(int argc, char **argv)
{
    messages all;

    require(argc == 3 || argc == 4, "usage: gate_speed FILE TURNS [PHRASES]");
    all = lines_of(read_file(argv[1]));
    require(all.count > 0, "the file has no lines");
    if (argc == 4)
        read_phrases_of_file(argv[3]);
    else
        read_phrases_of_rule();
    const contender contenders[] = {
        {.name = "memchr", .may_hold = look_for_absent_byte},
        gate_contender("gate", NULL),
        gate_contender("wide", &engine_vectors),
        gate_contender("narrow", &engine_narrow_vectors),
        gate_contender("buckets", &engine_buckets),
        gate_contender("narrow buckets", &engine_narrow_buckets),
        {.name = "memmem", .may_hold = look_for_words},
    };
    for (int turn = 0; turn < atoi(argv[2]); turn++)
        take_turn(contenders, sizeof(contenders) / sizeof(contenders[0]), &all);
    return 0;
}
