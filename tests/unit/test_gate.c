/* SPDX-License-Identifier: Apache-2.0 */
/* The gate: it may say yes too often, but never no to a text that decodes to a phrase. */
#include "gate/engine.h"
#include "gate/gate.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/buffer.h"
#include "naive_gate.h"
#include "suites.h"
#include "test.h"

#define PHRASE "Create temporary access pass"
#define LONG_S "\305\277"
#define KELVIN_SIGN "\342\204\252"

/* The phrases behind every engine, and what the naive matcher needs to know of them. */
typedef struct gates {
    semantics semantics;
    size_t count;
    const text *phrases;
    gate *engines[6];
} gates;

static void give_back(void *arg)
{
    gates *g = arg;

    for (size_t i = 0; i < LENGTH_OF(g->engines); i++) {
        gate_free(g->engines[i]);
    }
}

static const gates *gates_for_all(const text *phrases, size_t count, semantics s)
{
    static const engine *const engines[] = {NULL,
                                            &engine_vectors,
                                            &engine_narrow_vectors,
                                            &engine_buckets,
                                            &engine_narrow_buckets,
                                            &engine_wide_buckets};
    gates *g = arena_alloc(test_arena(), sizeof(*g));

    REQUIRE(g != NULL);
    *g = (gates){.semantics = s, .count = count, .phrases = phrases};
    test_at_end(give_back, g);
    for (size_t i = 0; i < LENGTH_OF(engines); i++) {
        g->engines[i] = gate_new_with(engines[i], phrases, count, s);
        REQUIRE(g->engines[i] != NULL);
    }
    return g;
}

static const gates *gate_for(const char *phrase, semantics s)
{
    text *one = arena_alloc(test_arena(), sizeof(*one));

    REQUIRE(one != NULL);
    *one = text_of(test_string("%s", phrase));
    return gates_for_all(one, 1, s);
}

/* Nothing that could be a hit ends before the offset, and it lies in one. */
static void check_place(const gates *g, text t, size_t at)
{
    size_t longest = 0;

    for (size_t i = 0; i < at; i++)
        if (naive_gate_is_hit(g->phrases, g->count, g->semantics, (text){t.bytes, at}, i))
            longest = i + 1;
    EXPECT_INT(longest, 0);
    for (size_t i = 0; i <= at && longest == 0; i++)
        longest = naive_gate_is_hit(g->phrases, g->count, g->semantics, t, i) ? i + 1 : 0;
    EXPECT(longest > 0);
}

/* The lines are line_scan's, and the place one in them, found as without them. */
static void check_lines(const gates *g, const gate *asked, text t)
{
    line_run expected = line_scan(t), lines = {0};
    size_t at = gate_find_in_lines(asked, t, &lines), known;
    text known_lines = {t.bytes, expected.length};

    EXPECT_INT(lines.length, expected.length);
    EXPECT_INT(lines.lines, expected.lines);
    known = gate_find_in_lines(asked, t, &expected);
    EXPECT_INT(known, gate_find(asked, known_lines));
    if (naive_gate_may_hold(g->phrases, g->count, g->semantics, known_lines))
        EXPECT(at <= known);
    else
        EXPECT(at == lines.length || naive_gate_may_hold(g->phrases, g->count, g->semantics, t));
    if (at < lines.length)
        check_place(g, t, at);
}

/* Every engine must say what the naive matcher says. */
static bool may_hold(const gates *g, text t)
{
    bool expected = naive_gate_may_hold(g->phrases, g->count, g->semantics, t);

    for (size_t i = 0; i < LENGTH_OF(g->engines); i++) {
        size_t at = gate_find(g->engines[i], t);

        check_lines(g, g->engines[i], t);
        EXPECT_INT(gate_may_hold(g->engines[i], t), expected);
        EXPECT_INT(at < t.length, expected && t.length > 0);
        if (at < t.length)
            check_place(g, t, at);
    }
    return expected;
}

static bool passes(const char *message)
{
    return may_hold(gate_for(PHRASE, SEMANTICS_KQL), tight_of(message));
}

static bool passes_wide(const char *message)
{
    return may_hold(gate_for(PHRASE, SEMANTICS_WIDE), tight_of(message));
}

/* --- yes and no --- */

static void test_a_text_with_the_phrase_passes(void)
{
    EXPECT(passes("{\"operationName\":\"Create temporary access pass\"}"));
    EXPECT(passes(PHRASE));
    EXPECT(passes("x" PHRASE "x"));
}

static void test_a_text_without_the_phrase_does_not_pass(void)
{
    EXPECT_NOT(passes(""));
    EXPECT_NOT(passes("<30>Jun  1 12:00:00 host sshd[1]: Accepted publickey for root"));
    EXPECT_NOT(passes("{\"operationName\":\"Delete temporary access pass\"}"));
    EXPECT_NOT(passes("Create temporary access"));
    EXPECT_NOT(passes("Create  temporary access pass"));
}

static void test_a_text_with_other_escapes_does_not_pass(void)
{
    EXPECT_NOT(passes("{\"a\":\"C:\\\\Users\\\\Create\\n\\t\\\"temporary\\\"\"}"));
    EXPECT_NOT(passes("caf\\u00e9 Create\\u00e9temporary access pass"));
}

static void test_the_phrase_passes_in_any_case(void)
{
    EXPECT(passes("CREATE TEMPORARY ACCESS PASS"));
    EXPECT(passes("create temporary access pass"));
    EXPECT(passes("cReAtE tEmPoRaRy AcCeSs PaSs"));
    EXPECT(may_hold(gate_for("create", SEMANTICS_KQL), tight_of("CREATE")));
    EXPECT(may_hold(gate_for("CREATE", SEMANTICS_KQL), tight_of("create")));
}

static void test_any_of_several_phrases_passes(void)
{
    const text phrases[] = {TEXT("Register security info"), TEXT(PHRASE)};
    const gates *g = gates_for_all(phrases, 2, SEMANTICS_KQL);

    EXPECT(may_hold(g, tight_of("x register security info")));
    EXPECT(may_hold(g, tight_of("x create temporary access pass")));
    EXPECT_NOT(may_hold(g, tight_of("x issue temporary access pass")));
}

static void test_without_phrases_nothing_passes(void)
{
    const gates *g = gates_for_all(NULL, 0, SEMANTICS_KQL);

    EXPECT_NOT(may_hold(g, tight_of(PHRASE)));
}

static void test_an_empty_phrase_is_in_every_text(void)
{
    EXPECT(may_hold(gate_for("", SEMANTICS_KQL), tight_of("anything")));
    EXPECT(may_hold(gate_for("", SEMANTICS_KQL), tight_of("")));
}

static void test_the_phrases_are_copied(void)
{
    char phrase[] = PHRASE;
    text t = text_of(phrase);
    gate *g = gate_new(&t, 1, SEMANTICS_KQL);

    REQUIRE(g != NULL);
    memset(phrase, 'x', strlen(phrase));
    EXPECT(gate_may_hold(g, tight_of(PHRASE)));
    gate_free(g);
}

static void test_bytes_around_the_phrase_do_not_matter(void)
{
    static const text nul = TEXT("\0\0" PHRASE "\0"), broken = TEXT("\377\376\303" PHRASE "\200");

    EXPECT(may_hold(gate_for(PHRASE, SEMANTICS_KQL), tight(nul)));
    EXPECT(may_hold(gate_for(PHRASE, SEMANTICS_KQL), tight(broken)));
    EXPECT(passes("\357\273\277" PHRASE));
}

/* Whoever reads on behind a NUL byte reads a blank in its place. */
static void test_a_nul_byte_may_stand_for_a_blank(void)
{
    static const text message = TEXT("Create\0temporary access\0pass");

    EXPECT(may_hold(gate_for(PHRASE, SEMANTICS_KQL), tight(message)));
}

static void test_a_false_start_hides_no_phrase(void)
{
    EXPECT(passes("Create temporary Create temporary access pass"));
    EXPECT(passes("CCreate temporary access pass"));
}

/* --- escapes --- */

static void test_a_unicode_escape_hides_no_character(void)
{
    for (size_t i = 0; i < strlen(PHRASE); i++) {
        const char *message =
            test_string("\"%.*s\\u%04x%s\"", (int)i, PHRASE, (unsigned)PHRASE[i], &PHRASE[i + 1]);

        test_case("%s", message);
        EXPECT(passes(message));
    }
}

static void test_the_hex_digits_of_an_escape_may_be_upper_case(void)
{
    EXPECT(passes("Create temp\\u006Frary access pass"));
    EXPECT(passes("Create temp\\u006frary access pass"));
    EXPECT(passes("Create temp\\u004Frary access pass"));
}

static void test_a_phrase_of_nothing_but_escapes_passes(void)
{
    buffer escaped = {0};
    char one[8];

    for (const char *at = PHRASE; *at != '\0'; at++) {
        snprintf(one, sizeof(one), "\\u%04hhx", (unsigned char)*at);
        buffer_append_string(&escaped, one);
    }
    EXPECT(passes(buffer_string(&escaped)));
    buffer_free(&escaped);
}

static void test_escapes_in_nested_strings_hide_nothing(void)
{
    EXPECT(passes("{\"message\":\"{\\\"a\\\":\\\"Create temporary\\\\u0020access pass\\\"}\"}"));
    EXPECT(passes("Create temporary\\\\\\\\u0020access pass"));
    EXPECT(passes("\\\\u0043reate temporary access pass"));
}

static void test_an_escape_behind_an_escaped_backslash_is_found(void)
{
    EXPECT(passes("\\\\\\u0043reate temporary access pass"));
    EXPECT(passes("\\n\\u0043reate temporary access pass"));
    EXPECT(passes("\\\"\\u0043reate temporary access pass"));
}

static void test_an_escape_that_hides_an_escape_passes(void)
{
    EXPECT(passes("\\u005cu0043reate temporary access pass"));
    EXPECT(passes("\\\\\\u00750043reate temporary access pass"));
    EXPECT(passes("\\\\u\\u0030043reate temporary access pass"));
}

static void test_a_text_may_end_inside_an_escape(void)
{
    static const char whole[] = "Create\\u0020temporary access pas\\u0073";

    for (size_t length = 0; length < sizeof(whole); length++) {
        text cut = tight((text){whole, length});

        test_case("%zu bytes", length);
        EXPECT_INT(may_hold(gate_for(PHRASE, SEMANTICS_KQL), cut), length >= strlen(whole));
    }
}

static void test_a_phrase_that_needs_escapes_of_its_own_is_never_missed(void)
{
    EXPECT(may_hold(gate_for("a\"b", SEMANTICS_KQL), tight_of("{\"x\":\"a\\\"b\"}")));
    EXPECT(may_hold(gate_for("a/b", SEMANTICS_KQL), tight_of("{\"x\":\"a\\/b\"}")));
    EXPECT(may_hold(gate_for("a\\b", SEMANTICS_KQL), tight_of("{\"x\":\"a\\\\b\"}")));
    EXPECT(may_hold(gate_for("a\tb", SEMANTICS_KQL), tight_of("{\"x\":\"a\\tb\"}")));
    EXPECT(may_hold(gate_for("café", SEMANTICS_KQL), tight_of("{\"x\":\"CAF\\u00c9\"}")));
}

/* --- wide --- */

static void test_wide_passes_the_letters_that_fold_to_s_and_k(void)
{
    const gates *token = gate_for("kiosk", SEMANTICS_WIDE);

    EXPECT(passes_wide("Create temporary acces" LONG_S " pass"));
    EXPECT(passes_wide("Create temporary acce\\u017f\\u017F pass"));
    EXPECT(passes_wide("Create temporary acce\\\\u017fs pass"));
    EXPECT(may_hold(token, tight_of(KELVIN_SIGN "iosk")));
    EXPECT(may_hold(token, tight_of("\\u212Aio" LONG_S "\\u212a")));
    EXPECT(may_hold(gate_for("security", SEMANTICS_WIDE), tight_of(LONG_S "ecurity")));
}

static void test_wide_passes_such_letters_as_escapes_at_the_beginning(void)
{
    EXPECT(may_hold(gate_for("security", SEMANTICS_WIDE), tight_of("\\u017fecurity")));
    EXPECT(may_hold(gate_for("security", SEMANTICS_WIDE), tight_of("\\\\u017Fecurity")));
    EXPECT(may_hold(gate_for("kiosk", SEMANTICS_WIDE), tight_of("\\u212aiosk")));
    EXPECT(may_hold(gate_for("kiosk", SEMANTICS_WIDE), tight_of("\\u212Aiosk")));
    EXPECT_NOT(may_hold(gate_for("kiosk", SEMANTICS_KQL), tight_of("\\u212aiosk")));
}

/* The longest piece without a look-alike has a blank. */
static void test_a_nul_byte_for_a_blank_is_found_by_every_engine(void)
{
    static const text message = TEXT("create temporary\0access pass");

    EXPECT(may_hold(gate_for("temporary acce", SEMANTICS_WIDE), tight(message)));
}

static void test_wide_passes_what_kql_passes(void)
{
    EXPECT(passes_wide("CREATE temporary\\u0020access pass"));
    EXPECT_NOT(passes_wide("Delete temporary access pass"));
}

/* --- random escaping --- */

static void append_escape(buffer *out, unsigned char c, random_source *r)
{
    char escape[8];

    snprintf(escape, sizeof(escape), random_below(r, 2) ? "\\u%04hhx" : "\\u%04hhX", c);
    buffer_append_string(out, escape);
}

/* Some way in which an encoder may put the character into a JSON string. */
static void append_encoded(buffer *out, char c, random_source *r, size_t one_escape_in)
{
    bool must = c == '"' || c == '\\';

    if (random_below(r, one_escape_in) == 0) {
        append_escape(out, (unsigned char)c, r);
        return;
    }
    if (must || (c == '/' && random_below(r, 2)))
        buffer_append_char(out, '\\');
    buffer_append_char(out, c);
}

/* {"m":"..."} with the message in the string. */
static const char *nested(const char *message, random_source *r, size_t one_escape_in)
{
    buffer out = {0};
    const char *copy;

    buffer_append_string(&out, "{\"m\":\"");
    for (; *message != '\0'; message++)
        append_encoded(&out, *message, r, one_escape_in);
    buffer_append_string(&out, "\"}");
    copy = test_string("%s", buffer_string(&out));
    buffer_free(&out);
    return copy;
}

static const char *in_random_case(const char *phrase, random_source *r)
{
    char *copy = arena_alloc(test_arena(), strlen(phrase) + 1);

    strcpy(copy, phrase);
    for (char *at = copy; *at != '\0'; at++)
        if (*at != ' ' && random_below(r, 2))
            *at ^= 0x20;
    return copy;
}

/*
 * The message carries the phrase inside `levels` strings in strings, each of
 * them escaped at random; whatever takes them off again finds the phrase.
 */
static void check_nested(size_t levels, size_t one_escape_in)
{
    const gates *kql = gate_for(PHRASE, SEMANTICS_KQL), *wide = gate_for(PHRASE, SEMANTICS_WIDE);
    random_source r = random_new(levels * 100 + one_escape_in);

    for (int i = 0; i < 500; i++) {
        const char *message = test_string("say \"\\/%s\" \\", in_random_case(PHRASE, &r));

        for (size_t level = 0; level < levels; level++)
            message = nested(message, &r, one_escape_in);
        test_case("%s", message);
        EXPECT(may_hold(kql, tight_of(message)));
        EXPECT(may_hold(wide, tight_of(message)));
    }
}

static void test_random_escapes_in_a_string_hide_nothing(void)
{
    check_nested(1, 2);
    check_nested(1, 10);
    check_nested(1, 100);
}

static void test_random_escapes_in_a_string_in_a_string_hide_nothing(void)
{
    check_nested(2, 2);
    check_nested(2, 10);
    check_nested(2, 100);
}

static void test_random_escapes_three_strings_deep_hide_nothing(void)
{
    check_nested(3, 2);
    check_nested(3, 10);
    check_nested(3, 100);
}

/* --- random texts --- */

/* What phrases are made of in a text, what comes near it, and what has nothing to do with it. */
static void append_random_piece(buffer *out, random_source *r, text phrase)
{
    static const char *const pieces[] = {
        LONG_S,    KELVIN_SIGN, "\\",    "\\\\", "\\u",     "\\u0020", "\\\\u0073", "\\u017f",
        "\\u212A", "\\u0053",   "\\u00", "u",    "\\u0063", "\\u005c", "\\\"",      "\303\251",
        "y ",      "ty i",      "|u",    "y\t",  "0",       "20",      "{",         "\377",
    };
    static const char *const ends[] = {"\n", "}\n{\"", "\"}\n"};
    size_t from = random_below(r, phrase.length), length = random_below(r, phrase.length);

    switch (random_below(r, 7)) {
    case 0:
        buffer_append_string(out, pieces[random_below(r, LENGTH_OF(pieces))]);
        break;
    case 1:
        buffer_append_char(out, (char)random_below(r, 256));
        break;
    case 2:
        buffer_append(out, phrase);
        break;
    case 3:
        append_escape(out, (unsigned char)phrase.bytes[from], r);
        buffer_append(out, text_from(phrase, from + 1));
        break;
    case 4:
        buffer_append_char(out, '\0');
        break;
    case 5:
        buffer_append_string(out, ends[random_below(r, LENGTH_OF(ends))]);
        break;
    default:
        length = length < phrase.length - from ? length : phrase.length - from;
        buffer_append(out, (text){phrase.bytes + from, length});
    }
}

static void check_random_texts(const text *phrases, size_t count, semantics s, size_t seed)
{
    const gates *g = gates_for_all(phrases, count, s);
    random_source r = random_new(seed);
    buffer out = {0};

    for (int i = 0; i < 1500; i++) {
        buffer_clear(&out);
        for (size_t pieces = random_below(&r, 24); pieces > 0; pieces--)
            append_random_piece(&out, &r, phrases[random_below(&r, count)]);
        test_case("%d of seed %zu", i, seed);
        may_hold(g, tight(buffer_text(&out)));
    }
    buffer_free(&out);
}

static void test_random_texts_are_judged_as_the_naive_matcher_does(void)
{
    static const text rule[] = {TEXT("Admin registered security info"),
                                TEXT("Register security info"), TEXT(PHRASE),
                                TEXT("Admin Issued Temporary Access Pass")};
    static const text folded[] = {TEXT("kiosk"), TEXT("skip this"), TEXT("ask")};
    static const text digits[] = {TEXT("0030"), TEXT("u0030"), TEXT("aaaab")};

    check_random_texts(rule, LENGTH_OF(rule), SEMANTICS_KQL, 1);
    check_random_texts(rule, LENGTH_OF(rule), SEMANTICS_WIDE, 2);
    check_random_texts(folded, LENGTH_OF(folded), SEMANTICS_KQL, 3);
    check_random_texts(folded, LENGTH_OF(folded), SEMANTICS_WIDE, 4);
    check_random_texts(digits, LENGTH_OF(digits), SEMANTICS_WIDE, 5);
}

/* In no piece of "ssk" nor of "x" can anything be looked for that stands only for itself. */
static void test_phrases_without_an_anchor_are_found(void)
{
    static const text phrases[] = {TEXT("ssk"), TEXT("x"), TEXT("security")};

    EXPECT(may_hold(gates_for_all(phrases, 3, SEMANTICS_WIDE), tight_of("a " LONG_S "SK")));
    EXPECT(may_hold(gates_for_all(phrases, 3, SEMANTICS_WIDE), tight_of("...X")));
    EXPECT(may_hold(gates_for_all(phrases, 3, SEMANTICS_WIDE), tight_of(LONG_S "ecurity")));
    check_random_texts(phrases, 3, SEMANTICS_WIDE, 6);
    check_random_texts(phrases, 3, SEMANTICS_KQL, 7);
}

/* More than the portable engine would look for by pairs. */
static void test_hundreds_of_phrases_are_found(void)
{
    text phrases[300];

    for (size_t i = 0; i < LENGTH_OF(phrases); i++)
        phrases[i] = text_of(test_string("%c%c", (int)('a' + i % 26), (int)('a' + i / 26)));
    check_random_texts(phrases, LENGTH_OF(phrases), SEMANTICS_KQL, 8);
    check_random_texts(phrases, 20, SEMANTICS_WIDE, 9);
    check_random_texts(phrases, 70, SEMANTICS_WIDE, 10);
}

/* As many as the engine of buckets takes, and one more. */
static void test_phrases_that_share_buckets_are_found(void)
{
    text phrases[257];

    for (size_t i = 0; i < LENGTH_OF(phrases); i++)
        phrases[i] = text_of(
            test_string("%c%c %c", (int)('a' + i % 26), (int)('a' + i / 26), (int)('z' - i % 23)));
    check_random_texts(phrases, 7, SEMANTICS_KQL, 11);
    check_random_texts(phrases, 40, SEMANTICS_KQL, 12);
    check_random_texts(phrases, 256, SEMANTICS_KQL, 13);
    check_random_texts(phrases, 257, SEMANTICS_KQL, 14);
    check_random_texts(phrases, 10, SEMANTICS_WIDE, 15);
}

/* --- at the end of what there is --- */

/* Texts of all lengths behind which there is no memory: who reads on ends the process. */
static void check_at_the_end(const text *phrases, size_t count, semantics s, size_t seed)
{
    enum { MOST = 300, ROUNDS = 20 };
    const gates *g = gates_for_all(phrases, count, s);
    random_source r = random_new(seed);
    text room = guarded_of(test_string("%0*d", MOST, 0));
    buffer out = {0};

    for (size_t i = 0; i < ROUNDS * MOST; i++) {
        text end = text_from(room, i % MOST);

        buffer_clear(&out);
        while (out.length < end.length)
            append_random_piece(&out, &r, phrases[random_below(&r, count)]);
        memcpy((char *)(uintptr_t)end.bytes, buffer_string(&out), end.length);
        test_case("%zu of seed %zu: %zu bytes", i, seed, end.length);
        may_hold(g, end);
    }
    buffer_free(&out);
}

static void test_nothing_behind_a_text_is_read(void)
{
    static const text rule[] = {TEXT("Admin registered security info"),
                                TEXT("Register security info"), TEXT(PHRASE), TEXT("kiosk mode")};
    text phrases[257];

    for (size_t i = 0; i < LENGTH_OF(phrases); i++)
        phrases[i] = text_of(
            test_string("%c%c %c", (int)('a' + i % 26), (int)('a' + i / 26), (int)('z' - i % 23)));
    check_at_the_end(rule, LENGTH_OF(rule), SEMANTICS_KQL, 21);
    check_at_the_end(rule, LENGTH_OF(rule), SEMANTICS_WIDE, 22);
    check_at_the_end(phrases, 20, SEMANTICS_KQL, 23);
    check_at_the_end(phrases, 70, SEMANTICS_WIDE, 24);
    check_at_the_end(phrases, 257, SEMANTICS_KQL, 25);
}

/* --- places --- */

static void test_a_phrase_is_found_at_every_offset(void)
{
    const gates *g = gate_for(PHRASE, SEMANTICS_WIDE);
    buffer out = {0};

    for (size_t before = 0; before < 300; before++) {
        test_case("%zu bytes before", before);
        buffer_clear(&out);
        for (size_t i = 0; i < before; i++)
            buffer_append_char(&out, '.');
        buffer_append_string(&out, PHRASE);
        EXPECT(may_hold(g, tight(buffer_text(&out))));
        EXPECT(may_hold(g, tight_of(test_string("%s\n\n", buffer_string(&out)))));
        EXPECT_NOT(may_hold(g, tight((text){buffer_string(&out), buffer_text(&out).length - 1})));
    }
    buffer_free(&out);
}

static void test_the_first_of_several_hits_is_found(void)
{
    const gates *g = gate_for(PHRASE, SEMANTICS_KQL);
    text t = tight_of("nothing, " PHRASE ", " PHRASE);

    for (size_t i = 0; i < LENGTH_OF(g->engines); i++) {
        size_t at = gate_find(g->engines[i], t);

        EXPECT(at >= strlen("nothing, ") && at < strlen("nothing, " PHRASE));
    }
}

static void test_every_text_is_a_hit_when_all_pass(void)
{
    EXPECT(may_hold(gate_for("a\"b", SEMANTICS_KQL), tight_of("x")));
    EXPECT(may_hold(gate_for("a\"b", SEMANTICS_KQL), tight_of("")));
}

CU_TestInfo gate_tests[] = {
    TEST(test_a_text_with_the_phrase_passes),
    TEST(test_a_text_without_the_phrase_does_not_pass),
    TEST(test_a_text_with_other_escapes_does_not_pass),
    TEST(test_the_phrase_passes_in_any_case),
    TEST(test_any_of_several_phrases_passes),
    TEST(test_without_phrases_nothing_passes),
    TEST(test_an_empty_phrase_is_in_every_text),
    TEST(test_the_phrases_are_copied),
    TEST(test_bytes_around_the_phrase_do_not_matter),
    TEST(test_a_nul_byte_may_stand_for_a_blank),
    TEST(test_a_false_start_hides_no_phrase),
    TEST(test_a_unicode_escape_hides_no_character),
    TEST(test_the_hex_digits_of_an_escape_may_be_upper_case),
    TEST(test_a_phrase_of_nothing_but_escapes_passes),
    TEST(test_escapes_in_nested_strings_hide_nothing),
    TEST(test_an_escape_behind_an_escaped_backslash_is_found),
    TEST(test_an_escape_that_hides_an_escape_passes),
    TEST(test_a_text_may_end_inside_an_escape),
    TEST(test_a_phrase_that_needs_escapes_of_its_own_is_never_missed),
    TEST(test_wide_passes_the_letters_that_fold_to_s_and_k),
    TEST(test_wide_passes_such_letters_as_escapes_at_the_beginning),
    TEST(test_a_nul_byte_for_a_blank_is_found_by_every_engine),
    TEST(test_wide_passes_what_kql_passes),
    TEST(test_random_escapes_in_a_string_hide_nothing),
    TEST(test_random_escapes_in_a_string_in_a_string_hide_nothing),
    TEST(test_random_escapes_three_strings_deep_hide_nothing),
    TEST(test_random_texts_are_judged_as_the_naive_matcher_does),
    TEST(test_phrases_without_an_anchor_are_found),
    TEST(test_hundreds_of_phrases_are_found),
    TEST(test_phrases_that_share_buckets_are_found),
    TEST(test_nothing_behind_a_text_is_read),
    TEST(test_a_phrase_is_found_at_every_offset),
    TEST(test_the_first_of_several_hits_is_found),
    TEST(test_every_text_is_a_hit_when_all_pass),
    TESTS_END,
};
