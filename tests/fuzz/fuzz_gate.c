/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_gate: all engines say what the naive matcher says, and none misses what a decoder finds.
 *
 * The decoder takes the input for the inside of a JSON string, for that of a
 * string in a string, and so on.
 */
#include "fuzz.h"

#include "../unit/naive_gate.h"
#include "base/json.h"
#include "gate/engine.h"
#include "gate/gate.h"

enum { ENGINES = 6, MOST_LEVELS = 4 };

typedef struct side {
    semantics semantics;
    const text *phrases;
    size_t count;
    gate *gates[ENGINES];
} side;

static const text few[] = {
    TEXT("Admin registered security info"),
    TEXT("Register security info"),
    TEXT("Create temporary access pass"),
    TEXT("kiosk mode"),
};
/* Buckets hold several; look-alikes are around the pieces, in wide. */
static const text shared[] = {
    TEXT("delete policy"), TEXT("delete role"),   TEXT("add role"),    TEXT("skip task"),
    TEXT("add to disk"),   TEXT("remove kiosk"),  TEXT("reset token"), TEXT("0030 u005c"),
    TEXT("verify domain"), TEXT("elevate again"), TEXT("{[`@"),        TEXT("pass  word"),
};
/* More pairs of characters than are looked for as such. */
static const text many[] = {
    TEXT("ab"), TEXT("cd"), TEXT("ef"), TEXT("gh"),  TEXT("ij"),
    TEXT("lm"), TEXT("no"), TEXT("pq"), TEXT("k s"), TEXT("0030"),
};
/* In the first nothing stands only for itself. */
static const text bare[] = {TEXT("ks"), TEXT("y")};

static side sides[8];
static json_parser *parser;

static side make_side(semantics s, const text *phrases, size_t count)
{
    static const engine *const engines[ENGINES] = {NULL,
                                                   &engine_vectors,
                                                   &engine_narrow_vectors,
                                                   &engine_buckets,
                                                   &engine_narrow_buckets,
                                                   &engine_wide_buckets};
    side made = {.semantics = s, .phrases = phrases, .count = count};

    for (size_t i = 0; i < ENGINES; i++) {
        made.gates[i] = gate_new_with(engines[i], phrases, count, s);
        FUZZ_REQUIRE(made.gates[i] != NULL, phrases[0]);
    }
    return made;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    parser = json_parser_new(JSON_MOST_DEPTH);
    for (size_t s = SEMANTICS_KQL; s <= SEMANTICS_WIDE; s++) {
        sides[4 * s] = make_side((semantics)s, few, sizeof(few) / sizeof(few[0]));
        sides[4 * s + 1] = make_side((semantics)s, many, sizeof(many) / sizeof(many[0]));
        sides[4 * s + 2] = make_side((semantics)s, bare, sizeof(bare) / sizeof(bare[0]));
        sides[4 * s + 3] = make_side((semantics)s, shared, sizeof(shared) / sizeof(shared[0]));
    }
    return 0;
}

static bool check_engines(const side *of, text input)
{
    bool expected = naive_gate_may_hold(of->phrases, of->count, of->semantics, input);
    size_t before = 0;

    for (size_t i = 0; i < ENGINES; i++) {
        size_t at = gate_find(of->gates[i], input);

        FUZZ_REQUIRE((at < input.length) == expected, input);
        FUZZ_REQUIRE(gate_may_hold(of->gates[i], input) == expected, input);
        before = at < input.length && at > before ? at : before;
    }
    /* nothing ends before where the last of them found something */
    FUZZ_REQUIRE(
        !naive_gate_may_hold(of->phrases, of->count, of->semantics, (text){input.bytes, before}),
        input);
    return expected;
}

static bool any_phrase_in(const side *of, text decoded)
{
    for (size_t i = 0; i < of->count; i++)
        if (kql_contains(decoded, of->phrases[i], of->semantics))
            return true;
    return false;
}

static bool decoder_finds_one(const side *of, text inside, int level)
{
    json *string;
    bool found;

    if (any_phrase_in(of, inside))
        return true;
    string = level < MOST_LEVELS ? json_unescape(parser, inside) : NULL;
    found = string != NULL && decoder_finds_one(of, json_string(string), level + 1);
    json_free(string);
    return found;
}

int LLVMFuzzerTestOneInput(const char *bytes, size_t length)
{
    text input = {bytes, length};

    for (size_t i = 0; i < sizeof(sides) / sizeof(sides[0]); i++)
        if (!check_engines(&sides[i], input))
            FUZZ_REQUIRE(!decoder_finds_one(&sides[i], input, 0), input);
    return 0;
}
