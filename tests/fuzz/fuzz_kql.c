/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_kql: any text is parsed or refused at a place inside of it, and what
 * is parsed can be run. The input is a query; or, behind a leading NUL, its
 * bytes choose the words of one, so that most of it is grammar.
 */
#include "fuzz.h"
#include "kql/pipeline.h"

enum { COLUMNS = 6, MOST_WORDS = 400 };

static const kql_column columns[COLUMNS] = {
    {.name = TEXT("s"), .type = KQL_STRING, .slot = 0, .is_verbatim = true},
    {.name = TEXT("d"), .type = KQL_DYNAMIC, .slot = 1, .is_verbatim = true},
    {.name = TEXT("n"), .type = KQL_LONG, .slot = 2},
    {.name = TEXT("b"), .type = KQL_BOOL, .slot = 3},
    {.name = TEXT("t"), .type = KQL_DATETIME, .slot = 4},
    {.name = TEXT("r"), .type = KQL_REAL, .slot = 5},
};

/* --- a query of the grammar, chosen by bytes --- */

typedef struct chooser {
    text left;
    buffer out;
    unsigned depth;
    unsigned words;
} chooser;

static unsigned choose(chooser *c, unsigned count)
{
    unsigned chosen = c->left.length > 0 ? (unsigned char)c->left.bytes[0] % count : 0;

    if (c->left.length > 0)
        c->left = text_from(c->left, 1);
    return chosen;
}

static void put(chooser *c, const char *word)
{
    if (++c->words < MOST_WORDS)
        buffer_append_string(&c->out, word);
}

#define PUT_ONE_OF(c, ...)                                                                         \
    do {                                                                                           \
        static const char *const words_[] = {__VA_ARGS__};                                         \
        put((c), words_[choose((c), sizeof(words_) / sizeof(words_[0]))]);                         \
    } while (0)

static void put_text(chooser *c);
static void put_condition(chooser *c);

static void put_literal_text(chooser *c)
{
    PUT_ONE_OF(c, "\"Sync_\"", "\"\"", "'a'", "@\"\\s\"", "\"\\u00e9\"", "```x```", "\"$.a[0]\"",
               "h'b'", "\"{\\\"a\\\":1}\"", "\"a\" 'b'");
}

static void put_dynamic(chooser *c)
{
    switch (c->depth++ > 6 ? 0 : choose(c, 6)) {
    case 1:
        put_dynamic(c);
        PUT_ONE_OF(c, ".a", "[0]", "[-1]", "['b']", "[\"a b\"]");
        break;
    case 2:
        put(c, "parse_json(");
        put_text(c);
        put(c, ")");
        break;
    case 3:
        put(c, "split(");
        put_text(c);
        put(c, ", \"@\")");
        break;
    case 4:
        PUT_ONE_OF(c, "bag_keys(d)", "dynamic([1,\"a\",null])", "dynamic({\"a\":{}})");
        break;
    default:
        put(c, "d");
    }
    c->depth--;
}

static void put_call(chooser *c)
{
    PUT_ONE_OF(c, "tolower(", "toupper(", "strcat(\"x\", ", "trim(@\"\\s\", ",
               "extractjson(\"$.a\", ", "coalesce(\"\", ");
    put_text(c);
    put(c, ")");
}

static void put_text(chooser *c)
{
    switch (c->depth++ > 6 ? 0 : choose(c, 6)) {
    case 1:
        put_literal_text(c);
        break;
    case 2:
        put(c, "tostring(");
        put_dynamic(c);
        put(c, ")");
        break;
    case 3:
        put_call(c);
        break;
    case 4:
        put(c, "iff(");
        put_condition(c);
        put(c, ", s, \"z\")");
        break;
    case 5:
        put(c, "replace_string(");
        put_text(c);
        put(c, ", \"a\", \"bb\")");
        break;
    default:
        put(c, "s");
    }
    c->depth--;
}

static void put_comparison(chooser *c)
{
    switch (choose(c, 5)) {
    case 1:
        put_text(c);
        PUT_ONE_OF(c, " in (\"a\", \"b\")", " !in~ ('A')", " has_any (\"a b\", \"\")",
                   " has_all (dynamic([\"x\"]))", " matches regex \"^[a-z]+$\"");
        break;
    case 2:
        PUT_ONE_OF(c, "n > 4", "n between (1 .. 5)", "r <= 1.5", "t > ago(1d)", "n in (1, 2)",
                   "b == true", "isnull(n)", "d == 5", "strlen(s) != 2");
        break;
    case 3:
        put_dynamic(c);
        PUT_ONE_OF(c, " == ", " != ", " =~ ", " !has ");
        put_text(c);
        break;
    default:
        put_text(c);
        PUT_ONE_OF(c, " == ", " != ", " =~ ", " !~ ", " has ", " !has_cs ", " contains ",
                   " startswith ", " !endswith ");
        put_text(c);
    }
}

static void put_condition(chooser *c)
{
    switch (c->depth++ > 6 ? 0 : choose(c, 5)) {
    case 1:
        put(c, "(");
        put_condition(c);
        PUT_ONE_OF(c, " and ", " or ");
        put_condition(c);
        put(c, ")");
        break;
    case 2:
        put(c, "not(");
        put_condition(c);
        put(c, ")");
        break;
    default:
        put_comparison(c);
    }
    c->depth--;
}

static void put_op(chooser *c)
{
    switch (choose(c, 7)) {
    case 1:
        put(c, "extend s = ");
        put_text(c);
        break;
    case 2:
        put(c, "mv-expand d");
        break;
    case 3:
        put(c, "mv-apply e = ");
        put_dynamic(c);
        put(c, " on (where e.a == \"x\" | extend z = tostring(e.b))");
        break;
    case 4:
        put(c, "parse s with * \"=\" k \";\" *");
        break;
    case 5:
        PUT_ONE_OF(c, "project s, d, n, b, t, r", "project-away t", "distinct *", "order by s asc",
                   "project-reorder n, s", "take 3");
        break;
    default:
        put(c, "where ");
        put_condition(c);
    }
}

static void write_query(chooser *c)
{
    do {
        put_op(c);
        put(c, " | ");
    } while (c->left.length > 0 && c->words < MOST_WORDS);
    put(c, "where true == b or isnull(b)");
}

/* --- a row, and the run over it --- */

static bool check_row(void *arg, kql_run *r)
{
    const kql_pipeline *pipeline = arg;
    buffer out = {0};

    for (size_t i = 0; i < pipeline->columns.count; i++)
        kql_write_json(&out, r->frame[pipeline->columns.all[i].slot]);
    buffer_free(&out);
    return true;
}

static void run(const kql_parser *p, const kql_pipeline *pipeline, arena *memory)
{
    static const char json[] = "{\"a\":[{\"a\":\"x\",\"b\":1},null,\"a;b=c\"],\"b\":{\"c\":true}}";
    kql_value *frame = arena_alloc(memory, (p->slots + 1) * sizeof(kql_value));
    kql_run r = {.memory = memory, .now = fuzz_now(), .frame = frame};
    kql_passage passage = {
        .run = &r, .pipeline = pipeline, .sink = check_row, .arg = (void *)(uintptr_t)pipeline};

    for (unsigned i = 0; i < p->slots; i++)
        frame[i] = kql_null();
    frame[0] = kql_string((text)TEXT("Sync_A b=c;caf\xC3\xA9\xFF"));
    kql_read_json(text_of(json), memory, &frame[1]);
    frame[2] = kql_number(KIND_LONG, 5);
    frame[3] = kql_bool(true);
    frame[4] = kql_number(KIND_DATETIME, fuzz_now());
    kql_pass(&passage, 0, pipeline->count);
}

static void check_query(text query)
{
    arena *memory = arena_new();
    kql_error error;
    kql_parser p = kql_parser_begin(query, memory, &error);
    kql_pipeline pipeline = {0};

    p.columns = (kql_columns){columns, COLUMNS};
    p.slots = COLUMNS;
    if (kql_parse_ops(&p, &pipeline))
        run(&p, &pipeline, memory);
    else
        FUZZ_REQUIRE(error.line > 0 && error.column > 0 && error.message[0] != '\0', query);
    kql_regexes_free(p.regexes);
    arena_free(memory);
}

int LLVMFuzzerTestOneInput(const char *bytes, size_t length)
{
    chooser c = {.left = {bytes, length}};

    if (length == 0 || bytes[0] != '\0') {
        check_query((text){bytes, length});
        return 0;
    }
    write_query(&c);
    check_query(buffer_text(&c.out));
    buffer_free(&c.out);
    return 0;
}
