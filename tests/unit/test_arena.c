/* SPDX-License-Identifier: Apache-2.0 */
/* The arena: pieces that do not touch each other, and what a reset takes back. */
#include "base/arena.h"

#include <stdalign.h>

#include "suites.h"
#include "test.h"

static void test_a_piece_is_aligned_for_any_type(void)
{
    for (size_t size = 0; size < 100; size++) {
        void *piece = arena_alloc(test_arena(), size);

        test_case("%zu bytes", size);
        REQUIRE(piece != NULL);
        EXPECT_INT((uintptr_t)piece % alignof(max_align_t), 0);
    }
}

static void test_pieces_do_not_overlap(void)
{
    enum { PIECES = 2000, SIZE = 61 };
    static unsigned char *pieces[PIECES];
    bool intact = true;

    for (size_t i = 0; i < PIECES; i++) {
        pieces[i] = arena_alloc(test_arena(), SIZE);
        REQUIRE(pieces[i] != NULL);
        memset(pieces[i], (int)(i % 251), SIZE);
    }
    for (size_t i = 0; i < PIECES; i++)
        for (size_t b = 0; b < SIZE; b++)
            intact &= pieces[i][b] == i % 251;
    EXPECT(intact);
}

static void test_a_piece_may_be_larger_than_any_before_it(void)
{
    enum { MEGABYTES = 5 << 20 };
    char *small = arena_alloc(test_arena(), 1), *large = arena_alloc(test_arena(), MEGABYTES);

    REQUIRE(small != NULL && large != NULL);
    *small = 's';
    memset(large, 'l', MEGABYTES);
    EXPECT_INT(*small, 's');
}

static void test_a_size_that_no_memory_has_gives_null(void)
{
    EXPECT(arena_alloc(test_arena(), SIZE_MAX) == NULL);
    EXPECT(arena_alloc(test_arena(), 10) != NULL);
}

static void test_a_copy_ends_in_nul(void)
{
    text copy = arena_copy(test_arena(), (text){"Sync_x@contoso.com", 6});

    EXPECT_TEXT_IS(copy, "Sync_x");
    EXPECT_INT(copy.bytes[6], '\0');
}

static void test_a_copy_keeps_nul_bytes(void)
{
    static const text original = TEXT("a\0b");

    EXPECT_TEXT(arena_copy(test_arena(), original), original);
}

static void test_a_copy_of_nothing_is_an_empty_string(void)
{
    text copy = arena_copy(test_arena(), (text){NULL, 0});

    REQUIRE(copy.bytes != NULL);
    EXPECT_INT(copy.length, 0);
    EXPECT_INT(copy.bytes[0], '\0');
}

static void test_an_arena_can_be_used_again_after_a_reset(void)
{
    for (int round = 0; round < 3; round++) {
        char *small = arena_alloc(test_arena(), 100), *large = arena_alloc(test_arena(), 3 << 20);

        REQUIRE(small != NULL && large != NULL);
        memset(small, 's', 100);
        memset(large, 'l', 3 << 20);
        EXPECT_INT(small[99], 's');
        arena_reset(test_arena());
    }
}

static void test_reset_of_an_unused_arena_does_nothing(void)
{
    arena_reset(test_arena());
    EXPECT(arena_alloc(test_arena(), 1) != NULL);
}

static void test_null_can_be_freed(void)
{
    arena_free(NULL);
    EXPECT(true);
}

CU_TestInfo arena_tests[] = {
    TEST(test_a_piece_is_aligned_for_any_type),
    TEST(test_pieces_do_not_overlap),
    TEST(test_a_piece_may_be_larger_than_any_before_it),
    TEST(test_a_size_that_no_memory_has_gives_null),
    TEST(test_a_copy_ends_in_nul),
    TEST(test_a_copy_keeps_nul_bytes),
    TEST(test_a_copy_of_nothing_is_an_empty_string),
    TEST(test_an_arena_can_be_used_again_after_a_reset),
    TEST(test_reset_of_an_unused_arena_does_nothing),
    TEST(test_null_can_be_freed),
    TESTS_END,
};
