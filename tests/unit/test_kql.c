/* SPDX-License-Identifier: Apache-2.0 */
/* The operators against their table, their words, and a second reading of the words. */
#include "base/kql.h"

#include <stdlib.h>

#include "kql_cases.h"
#include "suites.h"
#include "test.h"

#define LONG_S "\305\277"           /* U+017F */
#define KELVIN_SIGN "\342\204\252"  /* U+212A */
#define COMBINING_ACUTE "\314\201"  /* U+0301 */
#define FULL_WIDTH_A "\357\274\241" /* U+FF21 */

static bool has(const char *left, const char *right)
{
    return kql_has(tight_of(left), tight_of(right), SEMANTICS_KQL);
}

static bool wide_has(const char *left, const char *right)
{
    return kql_has(tight_of(left), tight_of(right), SEMANTICS_WIDE);
}

static bool contains(const char *left, const char *right)
{
    return kql_contains(tight_of(left), tight_of(right), SEMANTICS_KQL);
}

static bool starts_with(const char *left, const char *right)
{
    return kql_startswith(tight_of(left), tight_of(right), SEMANTICS_KQL);
}

static bool equals(const char *left, const char *right)
{
    return kql_equals(tight_of(left), tight_of(right), SEMANTICS_KQL);
}

/* --- the table --- */

typedef bool binary(text left, text right, semantics s);

static bool equals_exactly(text left, text right, semantics s)
{
    (void)s;
    return text_equal(left, right);
}

static binary *const binaries[] = {
    [HAS] = kql_has,           [NOT_HAS] = kql_has,           [HAS_ANY] = kql_has,
    [CONTAINS] = kql_contains, [STARTSWITH] = kql_startswith, [EQUALS] = kql_equals,
    [IN_FOLDED] = kql_equals,  [IN] = equals_exactly,
};

static bool judge(const kql_case *c, semantics s)
{
    bool any = false;

    for (size_t i = 0; i < MOST_RIGHTS && c->right[i] != NULL; i++)
        any |= binaries[c->op](tight_of(c->left), tight_of(c->right[i]), s);
    return any != (c->op == NOT_HAS);
}

static void check_cases_of(kql_operator op)
{
    for (size_t i = 0; i < LENGTH_OF(kql_cases); i++) {
        const kql_case *c = &kql_cases[i];

        if (c->op != op)
            continue;
        test_case("\"%s\", \"%s\"...", c->left, c->right[0]);
        EXPECT_INT(judge(c, SEMANTICS_KQL), c->kql);
        EXPECT_INT(judge(c, SEMANTICS_WIDE), c->wide);
    }
}

static void test_has_on_recorded_pairs(void)
{
    check_cases_of(HAS);
}

static void test_not_has_on_recorded_pairs(void)
{
    check_cases_of(NOT_HAS);
}

static void test_has_any_on_recorded_pairs(void)
{
    check_cases_of(HAS_ANY);
}

static void test_contains_on_recorded_pairs(void)
{
    check_cases_of(CONTAINS);
}

static void test_startswith_on_recorded_pairs(void)
{
    check_cases_of(STARTSWITH);
}

static void test_equality_on_recorded_pairs(void)
{
    check_cases_of(EQUALS);
}

static void test_folded_in_on_recorded_pairs(void)
{
    check_cases_of(IN_FOLDED);
}

static void test_exact_in_on_recorded_pairs(void)
{
    check_cases_of(IN);
}

/* --- has --- */

static void test_has_of_an_empty_right_side_is_true_for_every_left_side(void)
{
    EXPECT(has("", ""));
    EXPECT(has("Sync_x", ""));
    EXPECT(kql_has((text){NULL, 0}, (text){NULL, 0}, SEMANTICS_KQL));
}

static void test_has_folds_case_beyond_ascii(void)
{
    EXPECT(has("un CAFÉ noir", "café"));
    EXPECT(has("МИР", "мир"));
    EXPECT(has("ΟΔΟΣ", "οδοσ"));
    EXPECT(has("\360\220\220\200", "\360\220\220\250")); /* U+10400, U+10428 */
}

static void test_has_does_not_normalise(void)
{
    EXPECT_NOT(has("cafe" COMBINING_ACUTE, "café"));
    EXPECT_NOT(has("café", "cafe" COMBINING_ACUTE));
}

static void test_sharp_s_is_not_two_s(void)
{
    EXPECT_NOT(has("strasse", "straße"));
    EXPECT_NOT(has("straße", "strasse"));
    EXPECT_NOT(equals("STRASSE", "straße"));
}

static void test_dotted_and_dotless_i_are_letters_of_their_own(void)
{
    EXPECT_NOT(equals("\304\260", "i")); /* U+0130 */
    EXPECT_NOT(equals("\304\261", "I")); /* U+0131 */
    EXPECT_NOT(kql_equals(text_of("\304\260"), text_of("i"), SEMANTICS_WIDE));
    EXPECT_NOT(kql_equals(text_of("\304\261"), text_of("I"), SEMANTICS_WIDE));
}

static void test_has_does_not_fold_width(void)
{
    EXPECT_NOT(has(FULL_WIDTH_A, "A"));
    EXPECT_NOT(wide_has(FULL_WIDTH_A, "A"));
}

static void test_has_compares_separators_as_they_are(void)
{
    EXPECT_NOT(has("Create  temporary", "Create temporary"));
    EXPECT_NOT(has("Create-temporary", "Create temporary"));
    EXPECT_NOT(has("Create\ttemporary", "Create temporary"));
    EXPECT_NOT(has("On Premises", "On-Premises"));
}

static void test_has_looks_on_after_an_occurrence_inside_a_word(void)
{
    EXPECT(has("DirSyncer DirSync", "DirSync"));
    EXPECT(has("xDirSync DirSync", "DirSync"));
}

static void test_has_looks_on_inside_an_occurrence_that_does_not_count(void)
{
    EXPECT(has("xa a a", "a a"));
    EXPECT(has("xa-a-a", "a-a"));
}

static void test_has_wants_the_left_edge_free(void)
{
    EXPECT_NOT(has("Recreate", "create"));
    EXPECT_NOT(has("9create", "create"));
    EXPECT_NOT(has("écreate", "create"));
    EXPECT(has(".create", "create"));
}

static void test_has_wants_the_right_edge_free(void)
{
    EXPECT_NOT(has("created", "create"));
    EXPECT_NOT(has("create9", "create"));
    EXPECT_NOT(has("createé", "create"));
    EXPECT(has("create.", "create"));
}

static void test_an_edge_is_free_where_right_has_a_separator_of_its_own(void)
{
    EXPECT(has("user@contoso.com", "@contoso.com"));
    EXPECT(has("xSync_y", "_"));
    EXPECT_NOT(has("xSync_y", "Sync_"));
    EXPECT(has("x Sync_y", "Sync_"));
}

static void test_an_underscore_is_a_separator(void)
{
    EXPECT(has("pre_hello_post", "hello"));
}

static void test_what_an_ascii_boundary_is(void)
{
    for (char c = 1; c > 0 && c < 127; c++) {
        bool word = strchr("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", c);

        test_case("character %d", c);
        EXPECT_INT(has(test_string("%ccreate", c), "create"), !word);
        EXPECT_INT(has(test_string("create%c", c), "create"), !word);
        EXPECT_INT(wide_has(test_string("create%c", c), "create"), !word);
    }
}

static void test_a_digit_of_another_script_is_no_boundary(void)
{
    EXPECT_NOT(has("create\331\241", "create")); /* U+0661, Arabic-Indic one */
}

static void test_a_letter_beyond_the_basic_plane_is_no_boundary(void)
{
    EXPECT_NOT(has("create\360\220\220\200", "create"));
    EXPECT_NOT(has("\360\220\220\200create", "create"));
}

static void test_a_symbol_that_is_not_ascii_is_a_boundary(void)
{
    EXPECT(has("create€", "create"));
    EXPECT(has("–create", "create"));
    EXPECT(has("\360\237\230\200create\360\237\230\200", "create")); /* U+1F600 */
}

static void test_a_combining_mark_is_a_boundary(void)
{
    EXPECT(has("cafe" COMBINING_ACUTE, "cafe"));
}

/* --- startswith, contains, equality --- */

static void test_startswith_trims_nothing(void)
{
    EXPECT_NOT(starts_with(" Sync_x", "Sync_"));
    EXPECT_NOT(starts_with("Sync_x", " Sync_"));
    EXPECT_NOT(starts_with("Sync_x", "Sync_x "));
}

static void test_startswith_knows_no_wildcards(void)
{
    EXPECT_NOT(starts_with("Sync_x", "Sync*"));
    EXPECT_NOT(starts_with("SyncAx", "Sync_"));
    EXPECT(starts_with("Sync*x", "Sync*"));
}

static void test_startswith_does_not_ask_for_a_boundary(void)
{
    EXPECT(starts_with("Synchronizer", "sync"));
}

static void test_contains_does_not_ask_for_a_boundary(void)
{
    EXPECT(contains("aaDIRSYNCaa", "DirSync"));
}

static void test_contains_knows_no_wildcards(void)
{
    EXPECT_NOT(contains("DirXSync", "Dir_Sync"));
    EXPECT_NOT(contains("DirXSync", "Dir*Sync"));
    EXPECT_NOT(contains("abc", "%"));
}

static void test_contains_finds_what_overlaps_a_false_start(void)
{
    EXPECT(contains("DirDirSync", "DirSync"));
    EXPECT(contains("aaab", "aab"));
}

static void test_equality_wants_the_whole_of_both(void)
{
    EXPECT_NOT(equals("Sync_x", "Sync_"));
    EXPECT_NOT(equals("Sync_", "Sync_x"));
    EXPECT_NOT(equals("", "x"));
    EXPECT(equals("", ""));
}

static void test_the_sigmas_are_one_letter(void)
{
    EXPECT(equals("ΟΔΟΣ", "οδος"));
    EXPECT(equals("οδοσ", "οδος"));
}

/* --- bytes --- */

static void test_a_text_ends_at_its_length(void)
{
    EXPECT(kql_has((text){"helloworld", 5}, text_of("hello"), SEMANTICS_KQL));
    EXPECT_NOT(kql_contains((text){"hello world", 5}, text_of("world"), SEMANTICS_KQL));
    EXPECT(kql_equals((text){"helloworld", 5}, (text){"hello", 5}, SEMANTICS_KQL));
}

static void test_a_nul_byte_is_a_character(void)
{
    static const text left = TEXT("Dir\0Sync\0DirSync"), cut = TEXT("Dir\0Sync");

    EXPECT(kql_has(left, text_of("DirSync"), SEMANTICS_KQL));
    EXPECT_NOT(kql_contains(cut, text_of("DirSync"), SEMANTICS_KQL));
    EXPECT_NOT(kql_equals(cut, text_of("Dir"), SEMANTICS_KQL));
}

static void test_a_byte_that_is_not_utf8_is_a_boundary(void)
{
    EXPECT(has("\377create\377", "create"));
    EXPECT(has("é\200create", "create"));
    EXPECT(has("create\303", "create"));
    EXPECT(has("create\342\204", "create"));
}

static void test_bytes_that_are_not_utf8_equal_the_replacement_character_one_each(void)
{
    EXPECT(equals("\377", "\357\277\275"));
    EXPECT(equals("\342\204", "\357\277\275\357\277\275"));
    EXPECT_NOT(equals("\342\204", "\357\277\275"));
    EXPECT(equals("\355\240\200", "\377\377\377")); /* a surrogate is no UTF-8 */
}

/* --- wide --- */

static void test_long_s_is_an_s_in_wide_only(void)
{
    EXPECT(kql_startswith(text_of(LONG_S "ync_x"), text_of("Sync_"), SEMANTICS_WIDE));
    EXPECT(kql_contains(text_of("Dir" LONG_S "ync"), text_of("DirSync"), SEMANTICS_WIDE));
    EXPECT(kql_equals(text_of("s"), text_of(LONG_S), SEMANTICS_WIDE));
    EXPECT_NOT(starts_with(LONG_S "ync_x", "Sync_"));
    EXPECT_NOT(contains("Dir" LONG_S "ync", "DirSync"));
    EXPECT_NOT(equals("s", LONG_S));
}

static void test_the_kelvin_sign_is_a_k_in_wide_only(void)
{
    EXPECT(kql_equals(text_of("to" KELVIN_SIGN "en"), text_of("token"), SEMANTICS_WIDE));
    EXPECT(kql_equals(text_of("TOKEN"), text_of("to" KELVIN_SIGN "en"), SEMANTICS_WIDE));
    EXPECT_NOT(equals("to" KELVIN_SIGN "en", "token"));
}

static void test_a_foreign_letter_beside_a_phrase_is_a_boundary_in_wide_only(void)
{
    EXPECT(wide_has("écreate", "create"));
    EXPECT(wide_has("createж", "create"));
    EXPECT_NOT(has("écreate", "create"));
    EXPECT_NOT(has("createж", "create"));
}

static void test_an_ascii_letter_beside_a_phrase_is_no_boundary_in_wide(void)
{
    EXPECT_NOT(wide_has("created", "create"));
    EXPECT_NOT(wide_has("recreate", "create"));
    EXPECT_NOT(wide_has("create1", "create"));
}

/* --- a second reading of the words --- */

/* A character as the words speak of it: what it folds to, and what it is to a neighbour. */
typedef struct character {
    text bytes;
    char kql_fold; /* equal for what KQL folds together */
    char wide_fold;
    enum { SEPARATOR, ASCII_WORD, FOREIGN_WORD } kind;
} character;

static const character alphabet[] = {
    {TEXT("s"), 's', 's', ASCII_WORD},
    {TEXT("S"), 's', 's', ASCII_WORD},
    {TEXT(LONG_S), 'l', 's', FOREIGN_WORD},
    {TEXT("k"), 'k', 'k', ASCII_WORD},
    {TEXT(KELVIN_SIGN), 'K', 'k', FOREIGN_WORD},
    {TEXT("é"), 'e', 'e', FOREIGN_WORD},
    {TEXT("É"), 'e', 'e', FOREIGN_WORD},
    {TEXT("1"), '1', '1', ASCII_WORD},
    {TEXT("_"), '_', '_', SEPARATOR},
    {TEXT(" "), ' ', ' ', SEPARATOR},
    {TEXT("\0"), '0', '0', SEPARATOR},
    {TEXT("\377"), '?', '?', SEPARATOR},
    {TEXT("\303"), '?', '?', SEPARATOR},
    {TEXT("\357\277\275"), '?', '?', SEPARATOR},
};

enum { MOST_CHARACTERS = 8 };

typedef struct word {
    const character *characters[MOST_CHARACTERS];
    size_t count;
    char bytes[4 * MOST_CHARACTERS];
    size_t length;
} word;

static word random_word(random_source *r, size_t most)
{
    word w = {.count = random_below(r, most + 1)};

    for (size_t i = 0; i < w.count; i++) {
        const character *c = &alphabet[random_below(r, LENGTH_OF(alphabet))];

        w.characters[i] = c;
        memcpy(w.bytes + w.length, c->bytes.bytes, c->bytes.length);
        w.length += c->bytes.length;
    }
    return w;
}

static text text_of_word(const word *w)
{
    return tight((text){w->bytes, w->length});
}

static char fold(const character *c, semantics s)
{
    return s == SEMANTICS_WIDE ? c->wide_fold : c->kql_fold;
}

static bool stands_at(const word *left, size_t at, const word *right, semantics s)
{
    if (left->count - at < right->count)
        return false;
    for (size_t i = 0; i < right->count; i++)
        if (fold(left->characters[at + i], s) != fold(right->characters[i], s))
            return false;
    return true;
}

static bool edge_is_free(const character *own, const word *left, bool at_end, size_t neighbour,
                         semantics s)
{
    if (at_end || own->kind == SEPARATOR)
        return true;
    if (s == SEMANTICS_WIDE)
        return left->characters[neighbour]->kind != ASCII_WORD;
    return left->characters[neighbour]->kind == SEPARATOR;
}

static bool reads_as_has(const word *left, const word *right, semantics s)
{
    if (right->count == 0)
        return true;
    for (size_t at = 0; at + right->count <= left->count; at++) {
        size_t end = at + right->count;

        if (stands_at(left, at, right, s) &&
            edge_is_free(right->characters[0], left, at == 0, at - 1, s) &&
            edge_is_free(right->characters[right->count - 1], left, end == left->count, end, s))
            return true;
    }
    return false;
}

static bool reads_as_contains(const word *left, const word *right, semantics s)
{
    for (size_t at = 0; at + right->count <= left->count; at++)
        if (stands_at(left, at, right, s))
            return true;
    return false;
}

static bool reads_as_startswith(const word *left, const word *right, semantics s)
{
    return stands_at(left, 0, right, s);
}

static bool reads_as_equals(const word *left, const word *right, semantics s)
{
    return left->count == right->count && stands_at(left, 0, right, s);
}

enum { RANDOM_PAIRS = 20000 };

typedef bool word_reading(const word *left, const word *right, semantics s);

static bool judge_words(binary *op, const word *left, const word *right, semantics s)
{
    return op(text_of_word(left), text_of_word(right), s);
}

static void name_case(const word *left, const word *right, semantics s)
{
    test_case("%s, %s, %s", test_show((text){left->bytes, left->length}),
              test_show((text){right->bytes, right->length}), s == SEMANTICS_WIDE ? "wide" : "kql");
}

static bool agrees(binary *op, word_reading *reading, const word *left, const word *right,
                   semantics s)
{
    bool got = judge_words(op, left, right, s), expected = reading(left, right, s);

    if (got == expected)
        return true;
    name_case(left, right, s);
    EXPECT_INT(got, expected);
    return false;
}

static void compare_readings(binary *op, word_reading *reading, size_t most_left)
{
    random_source r = random_new(most_left);

    for (size_t i = 0; i < RANDOM_PAIRS; i++) {
        word left = random_word(&r, most_left), right = random_word(&r, 3);

        if (!agrees(op, reading, &left, &right, SEMANTICS_KQL) ||
            !agrees(op, reading, &left, &right, SEMANTICS_WIDE))
            return;
    }
}

static void test_has_on_random_texts(void)
{
    compare_readings(kql_has, reads_as_has, MOST_CHARACTERS);
}

static void test_contains_on_random_texts(void)
{
    compare_readings(kql_contains, reads_as_contains, MOST_CHARACTERS);
}

static void test_startswith_on_random_texts(void)
{
    compare_readings(kql_startswith, reads_as_startswith, 5);
}

static void test_equality_on_random_texts(void)
{
    compare_readings(kql_equals, reads_as_equals, 3);
}

static void test_wide_finds_all_that_kql_finds(void)
{
    static binary *const operators[] = {kql_has, kql_contains, kql_startswith, kql_equals};
    random_source r = random_new(11);

    for (size_t i = 0; i < RANDOM_PAIRS; i++) {
        word left = random_word(&r, MOST_CHARACTERS), right = random_word(&r, 3);
        binary *op = operators[i % LENGTH_OF(operators)];

        if (judge_words(op, &left, &right, SEMANTICS_KQL)) {
            name_case(&left, &right, SEMANTICS_WIDE);
            EXPECT(judge_words(op, &left, &right, SEMANTICS_WIDE));
        }
    }
}

/* --- kql_compare --- */

static int compare(const word *a, const word *b, semantics s)
{
    return kql_compare(text_of_word(a), text_of_word(b), s);
}

static bool compares_equal(text left, text right, semantics s)
{
    return kql_compare(left, right, s) == 0;
}

static void test_compare_is_zero_for_what_is_equal_and_only_that(void)
{
    compare_readings(compares_equal, reads_as_equals, 3);
}

static void test_compare_turns_its_sign_with_its_sides(void)
{
    random_source r = random_new(17);

    for (size_t i = 0; i < RANDOM_PAIRS; i++) {
        word a = random_word(&r, 3), b = random_word(&r, 3);

        name_case(&a, &b, i % 2);
        EXPECT_INT(compare(&a, &b, i % 2), -compare(&b, &a, i % 2));
    }
}

static int compare_words(const void *a, const void *b)
{
    return compare(a, b, SEMANTICS_WIDE);
}

static void test_compare_sorts_so_that_every_pair_is_in_order(void)
{
    enum { WORDS = 200 };
    static word words[WORDS];
    random_source r = random_new(19);

    for (size_t i = 0; i < WORDS; i++)
        words[i] = random_word(&r, 4);
    qsort(words, WORDS, sizeof(word), compare_words);
    for (size_t i = 0; i < WORDS; i++)
        for (size_t j = i; j < WORDS; j++)
            EXPECT(compare_words(&words[i], &words[j]) <= 0);
}

static void test_a_prefix_comes_before_what_it_begins(void)
{
    EXPECT_INT(kql_compare(text_of("SYNC"), text_of("sync_"), SEMANTICS_KQL), -1);
    EXPECT_INT(kql_compare(text_of("sync_"), text_of("SYNC"), SEMANTICS_KQL), 1);
    EXPECT_INT(kql_compare(text_of(""), text_of("a"), SEMANTICS_KQL), -1);
}

CU_TestInfo kql_tests[] = {
    TEST(test_has_on_recorded_pairs),
    TEST(test_not_has_on_recorded_pairs),
    TEST(test_has_any_on_recorded_pairs),
    TEST(test_contains_on_recorded_pairs),
    TEST(test_startswith_on_recorded_pairs),
    TEST(test_equality_on_recorded_pairs),
    TEST(test_folded_in_on_recorded_pairs),
    TEST(test_exact_in_on_recorded_pairs),
    TEST(test_has_of_an_empty_right_side_is_true_for_every_left_side),
    TEST(test_has_folds_case_beyond_ascii),
    TEST(test_has_does_not_normalise),
    TEST(test_sharp_s_is_not_two_s),
    TEST(test_dotted_and_dotless_i_are_letters_of_their_own),
    TEST(test_has_does_not_fold_width),
    TEST(test_has_compares_separators_as_they_are),
    TEST(test_has_looks_on_after_an_occurrence_inside_a_word),
    TEST(test_has_looks_on_inside_an_occurrence_that_does_not_count),
    TEST(test_has_wants_the_left_edge_free),
    TEST(test_has_wants_the_right_edge_free),
    TEST(test_an_edge_is_free_where_right_has_a_separator_of_its_own),
    TEST(test_an_underscore_is_a_separator),
    TEST(test_what_an_ascii_boundary_is),
    TEST(test_a_digit_of_another_script_is_no_boundary),
    TEST(test_a_letter_beyond_the_basic_plane_is_no_boundary),
    TEST(test_a_symbol_that_is_not_ascii_is_a_boundary),
    TEST(test_a_combining_mark_is_a_boundary),
    TEST(test_startswith_trims_nothing),
    TEST(test_startswith_knows_no_wildcards),
    TEST(test_startswith_does_not_ask_for_a_boundary),
    TEST(test_contains_does_not_ask_for_a_boundary),
    TEST(test_contains_knows_no_wildcards),
    TEST(test_contains_finds_what_overlaps_a_false_start),
    TEST(test_equality_wants_the_whole_of_both),
    TEST(test_the_sigmas_are_one_letter),
    TEST(test_a_text_ends_at_its_length),
    TEST(test_a_nul_byte_is_a_character),
    TEST(test_a_byte_that_is_not_utf8_is_a_boundary),
    TEST(test_bytes_that_are_not_utf8_equal_the_replacement_character_one_each),
    TEST(test_long_s_is_an_s_in_wide_only),
    TEST(test_the_kelvin_sign_is_a_k_in_wide_only),
    TEST(test_a_foreign_letter_beside_a_phrase_is_a_boundary_in_wide_only),
    TEST(test_an_ascii_letter_beside_a_phrase_is_no_boundary_in_wide),
    TEST(test_has_on_random_texts),
    TEST(test_contains_on_random_texts),
    TEST(test_startswith_on_random_texts),
    TEST(test_equality_on_random_texts),
    TEST(test_wide_finds_all_that_kql_finds),
    TEST(test_compare_is_zero_for_what_is_equal_and_only_that),
    TEST(test_compare_turns_its_sign_with_its_sides),
    TEST(test_compare_sorts_so_that_every_pair_is_in_order),
    TEST(test_a_prefix_comes_before_what_it_begins),
    TESTS_END,
};
