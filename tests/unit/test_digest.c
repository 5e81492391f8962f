/* SPDX-License-Identifier: Apache-2.0 */
/* Names derived from content: RFC 9562's form, FIPS 180-4's vectors. */
#include "base/digest.h"

#include "suites.h"
#include "test.h"

static const char *uuid_of(const text *parts, size_t count)
{
    char id[UUID_TEXT_SIZE];

    digest_uuid(parts, count, id);
    return test_string("%s", id);
}

#define UUID_OF(...) uuid_of((text[]){__VA_ARGS__}, sizeof((text[]){__VA_ARGS__}) / sizeof(text))
#define T(literal) (text) TEXT(literal)

static const char *sha256_of(text t)
{
    char hash[SHA256_TEXT_SIZE];

    digest_sha256(t, hash);
    return test_string("%s", hash);
}

static bool same(const char *a, const char *b)
{
    return strcmp(a, b) == 0;
}

static void test_a_uuid_has_its_textual_form(void)
{
    const char *id = UUID_OF(T("Sync_x"), T("1"));

    EXPECT_INT(strlen(id), 36);
    for (size_t i = 0; i < 36; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;

        EXPECT(dash ? id[i] == '-' : strchr("0123456789abcdef", id[i]) != NULL);
    }
}

static void test_every_uuid_has_version_5_and_the_rfcs_variant(void)
{
    for (int i = 0; i < 1000; i++) {
        const char *name = test_string("%d", i);
        const char *id = UUID_OF(text_of(name));

        test_case("%s", id);
        EXPECT_INT(id[14], '5');
        EXPECT(strchr("89ab", id[19]) != NULL);
    }
}

/*
 * Worked out by another implementation of RFC 9562 from the same namespace and
 * lengths: the same row keeps its id from one version of the program to the next.
 */
static void test_a_uuid_never_changes(void)
{
    EXPECT_STRING(UUID_OF(T("Sync_x"), T("1")), "c94ffe34-0da5-59d6-a411-db3d4cc1ece4");
    EXPECT_STRING(uuid_of(NULL, 0), "127f3241-4b1d-5bb2-bc2e-50460ae95b3c");
}

static void test_parts_cannot_run_together(void)
{
    EXPECT_NOT(same(UUID_OF(T("ab"), T("c")), UUID_OF(T("a"), T("bc"))));
    EXPECT_NOT(same(UUID_OF(T("ab"), T("c")), UUID_OF(T("abc"))));
    EXPECT_NOT(same(UUID_OF(T("1:a"), T("b")), UUID_OF(T("1"), T("a1:b"))));
    EXPECT_NOT(same(UUID_OF(T("a1:b")), UUID_OF(T("a"), T("b"))));
}

static void test_an_empty_part_counts(void)
{
    EXPECT_NOT(same(UUID_OF(T(""), T("a")), UUID_OF(T("a"), T(""))));
    EXPECT_NOT(same(UUID_OF(T(""), T("a")), UUID_OF(T("a"))));
    EXPECT(same(UUID_OF(T(""), T("a")), UUID_OF(((text){NULL, 0}), T("a"))));
}

static void test_the_order_of_parts_counts(void)
{
    EXPECT_NOT(same(UUID_OF(T("a"), T("b")), UUID_OF(T("b"), T("a"))));
}

static void test_a_nul_byte_in_a_part_counts(void)
{
    EXPECT_NOT(same(UUID_OF(T("a\0b")), UUID_OF(T("a\0c"))));
}

static void test_sha256_of_the_standards_messages(void)
{
    EXPECT_STRING(sha256_of(T("")),
                  "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    EXPECT_STRING(sha256_of(T("abc")),
                  "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    EXPECT_STRING(sha256_of(T("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")),
                  "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

static void test_sha256_of_a_million_letters(void)
{
    enum { MILLION = 1000000 };
    static char letters[MILLION];

    memset(letters, 'a', MILLION);
    EXPECT_STRING(sha256_of((text){letters, MILLION}),
                  "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

static void test_sha256_of_no_bytes_at_all_is_that_of_the_empty_text(void)
{
    EXPECT_STRING(sha256_of((text){NULL, 0}), sha256_of(T("")));
}

CU_TestInfo digest_tests[] = {
    TEST(test_a_uuid_has_its_textual_form),
    TEST(test_every_uuid_has_version_5_and_the_rfcs_variant),
    TEST(test_a_uuid_never_changes),
    TEST(test_parts_cannot_run_together),
    TEST(test_an_empty_part_counts),
    TEST(test_the_order_of_parts_counts),
    TEST(test_a_nul_byte_in_a_part_counts),
    TEST(test_sha256_of_the_standards_messages),
    TEST(test_sha256_of_a_million_letters),
    TEST(test_sha256_of_no_bytes_at_all_is_that_of_the_empty_text),
    TESTS_END,
};
