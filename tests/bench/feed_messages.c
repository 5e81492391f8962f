/* SPDX-License-Identifier: Apache-2.0 */
/*
 * feed_messages: the detector over the first lines of a file, for a count of its instructions.
 *
 *   feed_messages RULEBASE FILE COUNT TIME [tag|DIALECT]
 *
 * TIME is when all of them were received. With tag, each alert becomes a tree,
 * as mmsynctap's does; with a dialect it is written in that besides. Prints how many were
 * candidates and how many rows matched. With "-" in the place of the rulebase libfastjson reads
 * each line and frees what it made, and nothing else is done. Two runs that differ in COUNT alone
 * differ in nothing but the messages between.
 */
#include <libfastjson/json.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buffer.h"
#include "detector/detector.h"
#include "dialect/dialect.h"
#include "rule/alert.h"
#include "rule/rule.h"

typedef struct tally {
    size_t candidates, rows;
    buffer written;
    json_parser *parser; /* NULL: alerts become no trees */
    const dialect *dialect;
    buffer rendered;
} tally;

static void require(bool holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "feed_messages: %s\n", what);
    exit(1);
}

static text read_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    size_t size = 0, most = 1 << 24;
    char *bytes = malloc(most);

    require(file != NULL && bytes != NULL, "cannot read the file");
    size = fread(bytes, 1, most, file);
    require(feof(file), "the file is too large");
    fclose(file);
    return (text){bytes, size};
}

static void make_tag(tally *t)
{
    json *tree;
    size_t taken;

    require(json_parse(t->parser, buffer_text(&t->written), &tree, &taken) == NULL,
            "an alert is no JSON");
    buffer_clear(&t->rendered);
    if (t->dialect != NULL)
        dialect_write(t->dialect, tree, &t->rendered);
    json_free(tree);
}

static bool take_row(void *arg, const alert *a)
{
    tally *t = arg;

    t->rows++;
    buffer_clear(&t->written);
    alert_write(a, &t->written);
    if (t->parser != NULL)
        make_tag(t);
    return true;
}

static void choose(tally *t, const char *word)
{
    t->parser = json_parser_new(DIALECT_MOST_DEPTH);
    t->dialect = dialect_find(text_of(word));
    require(t->dialect != NULL || strcmp(word, "tag") == 0, "there is no such dialect");
}

static text next_line(text *all)
{
    const char *end = memchr(all->bytes, '\n', all->length);
    text line;

    require(end != NULL, "the file has too few lines");
    line = text_between(all->bytes, end);
    *all = text_from(*all, line.length + 1);
    return line;
}

static void feed(detector_worker *worker, text all, long count, timestamp now, tally *t)
{
    for (; count > 0; count--)
        t->candidates += detector_feed(worker, next_line(&all), now, take_row, t).candidate;
}

static int read_and_free(text all, long count)
{
    struct fjson_tokener *tokener = fjson_tokener_new();

    require(tokener != NULL, "out of memory");
    for (; count > 0; count--) {
        text line = next_line(&all);
        struct fjson_object *read = fjson_tokener_parse_ex(tokener, line.bytes, (int)line.length);

        require(read != NULL, "a line is no JSON");
        fjson_object_put(read);
        fjson_tokener_reset(tokener);
    }
    fjson_tokener_free(tokener);
    return 0;
}

int main(int argc, char **argv)
{
    rule *r = rule_new();
    detector *d = r ? detector_new(r) : NULL;
    detector_worker *worker = d ? detector_worker_new(d) : NULL;
    tally t = {0};
    timestamp now;
    char *error;

    require(argc == 5 || argc == 6, "usage: feed_messages RULEBASE FILE COUNT TIME [tag|DIALECT]");
    if (argc == 6)
        choose(&t, argv[5]);
    if (strcmp(argv[1], "-") == 0)
        return read_and_free(read_file(argv[2]), atol(argv[3]));
    require(worker != NULL, "out of memory");
    require(timestamp_parse(text_of(argv[4]), &now), "that is no time");
    require(detector_open_rulebase(d, argv[1], &error), "cannot read the rulebase");
    feed(worker, read_file(argv[2]), atol(argv[3]), now, &t);
    printf("%zu %zu\n", t.candidates, t.rows);
    buffer_free(&t.written);
    buffer_free(&t.rendered);
    json_parser_free(t.parser);
    detector_worker_free(worker);
    detector_free(d);
    rule_free(r);
    return 0;
}
