/* The gate: it may say yes too often, but never no to a text that decodes to a phrase. */
#include "gate.h"

#include <stdio.h>
#include <stdlib.h>

#include "buffer.h"
#include "suites.h"
#include "test.h"

#define PHRASE "Create temporary access pass"
#define LONG_S "\305\277"
#define KELVIN_SIGN "\342\204\252"

static void give_back(void *g)
{
    gate_free(g);
}

static const gate *gate_for(const char *phrase, semantics s)
{
    text t = text_of(phrase);
    gate *g = gate_new(&t, 1, s);

    REQUIRE(g != NULL);
    test_at_end(give_back, g);
    return g;
}

static bool may_hold(const gate *g, text t)
{
    gate_scratch *scratch = gate_scratch_new(g);
    bool result;

    REQUIRE(scratch != NULL);
    result = gate_may_hold(g, scratch, t);
    gate_scratch_free(scratch);
    return result;
}

static bool passes(const char *message)
{
    return may_hold(gate_for(PHRASE, SEMANTICS_KQL), tight_of(message));
}

static bool passes_wide(const char *message)
{
    return may_hold(gate_for(PHRASE, SEMANTICS_WIDE), tight_of(message));
}

/* --- yes and no ---------------------------------------------------------------------------- */

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
    gate *g = gate_new(phrases, 2, SEMANTICS_KQL);

    REQUIRE(g != NULL);
    test_at_end(give_back, g);
    EXPECT(may_hold(g, tight_of("x register security info")));
    EXPECT(may_hold(g, tight_of("x create temporary access pass")));
    EXPECT_NOT(may_hold(g, tight_of("x issue temporary access pass")));
}

static void test_without_phrases_nothing_passes(void)
{
    gate *g = gate_new(NULL, 0, SEMANTICS_KQL);

    REQUIRE(g != NULL);
    test_at_end(give_back, g);
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
    const gate *g = gate_for(phrase, SEMANTICS_KQL);

    memset(phrase, 'x', strlen(phrase));
    EXPECT(may_hold(g, tight_of(PHRASE)));
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

/* --- escapes ------------------------------------------------------------------------------- */

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

/* --- wide ---------------------------------------------------------------------------------- */

static void test_wide_passes_the_letters_that_fold_to_s_and_k(void)
{
    const gate *token = gate_for("kiosk", SEMANTICS_WIDE);

    EXPECT(passes_wide("Create temporary acces" LONG_S " pass"));
    EXPECT(passes_wide("Create temporary acce\\u017f\\u017F pass"));
    EXPECT(passes_wide("Create temporary acce\\\\u017fs pass"));
    EXPECT(may_hold(token, tight_of(KELVIN_SIGN "iosk")));
    EXPECT(may_hold(token, tight_of("\\u212Aio" LONG_S "\\u212a")));
    EXPECT(may_hold(gate_for("security", SEMANTICS_WIDE), tight_of(LONG_S "ecurity")));
}

static void test_wide_passes_what_kql_passes(void)
{
    EXPECT(passes_wide("CREATE temporary\\u0020access pass"));
    EXPECT_NOT(passes_wide("Delete temporary access pass"));
}

/* --- random escaping ----------------------------------------------------------------------- */

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
    const gate *kql = gate_for(PHRASE, SEMANTICS_KQL), *wide = gate_for(PHRASE, SEMANTICS_WIDE);
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
    TEST(test_wide_passes_what_kql_passes),
    TEST(test_random_escapes_in_a_string_hide_nothing),
    TEST(test_random_escapes_in_a_string_in_a_string_hide_nothing),
    TEST(test_random_escapes_three_strings_deep_hide_nothing),
    TESTS_END,
};
