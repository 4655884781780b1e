// SPDX-License-Identifier: Apache-2.0
// Trees of random leaves against the recursive definition of RFC 6962: all roots, all inclusion and
// consistency proofs, and no flipped bit survives. RT_SEED chooses other leaves.
#include "common/tlog/tree.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define SIZE_MOST 66
#define LEVELS    8

static uint64_t seed = 1;
static struct rt_digest leaves[SIZE_MOST];
static struct rt_digest stored[LEVELS][SIZE_MOST];
static size_t counts[LEVELS];

static uint64_t next(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed;
}

static enum rt_status write_node(void *ctx, uint8_t level, uint64_t index,
                                 const struct rt_digest *hash)
{
    (void)ctx;
    assert_int_equal(index, counts[level]);
    stored[level][counts[level]++] = *hash;
    return RT_OK;
}

// Only nodes that are complete in a tree of *ctx leaves may be asked for.
static enum rt_status read_node(void *ctx, uint8_t level, uint64_t index,
                                struct rt_digest *ret_hash)
{
    uint64_t size = *(uint64_t *)ctx;
    assert_true(level < LEVELS && (index + 1) << level <= size);
    *ret_hash = stored[level][index];
    return RT_OK;
}

static int start(void **state)
{
    (void)state;
    const char *text = getenv("RT_SEED");
    if (text && strtoull(text, NULL, 10))
        seed = strtoull(text, NULL, 10);
    printf("RT_SEED=%llu\n", (unsigned long long)seed);
    struct rt_tree tree;
    rt_tree_init(&tree);
    for (size_t i = 0; i < SIZE_MOST; i++) {
        uint8_t leaf[64];
        size_t size = next() % sizeof leaf;
        for (size_t n = 0; n < size; n++)
            leaf[n] = (uint8_t)next();
        rt_leaf_hash(rt_bytes(leaf, size), &leaves[i]);
        if (rt_tree_append(&tree, &leaves[i], write_node, NULL))
            return 1;
    }
    return 0;
}

// MTH of RFC 6962 section 2.1, word for word.
static struct rt_digest defined_root(size_t first, size_t size)
{
    struct rt_digest root;
    if (size == 0) {
        rt_sha256(rt_bytes(NULL, 0), &root);
        return root;
    }
    if (size == 1)
        return leaves[first];
    size_t split = 1;
    while (split * 2 < size)
        split *= 2;
    struct rt_digest left = defined_root(first, split);
    struct rt_digest right = defined_root(first + split, size - split);
    rt_node_hash(&left, &right, &root);
    return root;
}

static void test_roots(void **state)
{
    (void)state;
    for (uint64_t size = 0; size <= SIZE_MOST; size++) {
        struct rt_digest root, want = defined_root(0, size);
        struct rt_tree tree;
        rt_tree_root_of(leaves, size, &root);
        assert_true(rt_digest_equal(&root, &want));
        assert_int_equal(rt_tree_load(&tree, size, read_node, &size), RT_OK);
        rt_tree_root(&tree, &root);
        assert_true(rt_digest_equal(&root, &want));
        // A tree that was loaded goes on like one that was built.
        for (uint64_t i = size; i < SIZE_MOST; i++)
            assert_int_equal(rt_tree_append(&tree, &leaves[i], NULL, NULL), RT_OK);
        rt_tree_root(&tree, &root);
        want = defined_root(0, SIZE_MOST);
        assert_true(rt_digest_equal(&root, &want));
    }
}

static void flip(struct rt_digest *digest)
{
    uint64_t bit = next() % (8 * RT_DIGEST_BYTES);
    digest->bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
}

static void test_inclusion(void **state)
{
    (void)state;
    for (uint64_t size = 1; size <= SIZE_MOST; size++) {
        struct rt_digest root = defined_root(0, size);
        for (uint64_t index = 0; index < size; index++) {
            struct rt_proof proof;
            assert_int_equal(rt_tree_inclusion(index, size, read_node, &size, &proof), RT_OK);
            struct rt_digest *hashes = proof.hashes;
            size_t count = proof.count;
#define VERIFY(leaf, i, n, c, r) rt_tree_verify_inclusion(leaf, i, n, hashes, c, r)
            assert_int_equal(VERIFY(&leaves[index], index, size, count, &root), RT_OK);
            for (size_t i = 0; i < count; i++) {
                struct rt_digest kept = hashes[i];
                flip(&hashes[i]);
                assert_int_equal(VERIFY(&leaves[index], index, size, count, &root), RT_BAD_PROOF);
                hashes[i] = kept;
            }
            struct rt_digest other = root;
            flip(&other);
            assert_int_equal(VERIFY(&leaves[index], index, size, count, &other), RT_BAD_PROOF);
            other = leaves[index];
            flip(&other);
            assert_int_equal(VERIFY(&other, index, size, count, &root), RT_BAD_PROOF);
            for (uint64_t wrong = 0; wrong <= size; wrong++)
                if (wrong != index)
                    assert_int_equal(VERIFY(&leaves[index], wrong, size, count, &root),
                                     RT_BAD_PROOF);
            if (count)
                assert_int_equal(VERIFY(&leaves[index], index, size, count - 1, &root),
                                 RT_BAD_PROOF);
            hashes[count] = root;
            assert_int_equal(VERIFY(&leaves[index], index, size, count + 1, &root), RT_BAD_PROOF);
#undef VERIFY
        }
    }
}

static void test_consistency(void **state)
{
    (void)state;
    for (uint64_t size = 0; size <= SIZE_MOST; size++) {
        struct rt_digest root = defined_root(0, size);
        for (uint64_t old_size = 0; old_size <= size; old_size++) {
            struct rt_digest old_root = defined_root(0, old_size);
            struct rt_proof proof;
            assert_int_equal(rt_tree_consistency(old_size, size, read_node, &size, &proof), RT_OK);
            struct rt_digest *hashes = proof.hashes;
            size_t count = proof.count;
#define VERIFY(m, n, c, r1, r2) rt_tree_verify_consistency(m, n, hashes, c, r1, r2)
            assert_int_equal(VERIFY(old_size, size, count, &old_root, &root), RT_OK);
            for (size_t i = 0; i < count; i++) {
                struct rt_digest kept = hashes[i];
                flip(&hashes[i]);
                assert_int_equal(VERIFY(old_size, size, count, &old_root, &root), RT_BAD_PROOF);
                hashes[i] = kept;
            }
            struct rt_digest other = old_root;
            flip(&other);
            assert_int_equal(VERIFY(old_size, size, count, &other, &root), RT_BAD_PROOF);
            other = root;
            flip(&other);
            if (old_size) // from the empty tree every root is consistent
                assert_int_equal(VERIFY(old_size, size, count, &old_root, &other), RT_BAD_PROOF);
            for (uint64_t wrong = 0; wrong <= size; wrong++)
                if (wrong != old_size)
                    assert_int_equal(VERIFY(wrong, size, count, &old_root, &root), RT_BAD_PROOF);
            hashes[count] = root;
            assert_int_equal(VERIFY(old_size, size, count + 1, &old_root, &root), RT_BAD_PROOF);
            if (count)
                assert_int_equal(VERIFY(old_size, size, count - 1, &old_root, &root), RT_BAD_PROOF);
#undef VERIFY
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_roots),
        cmocka_unit_test(test_inclusion),
        cmocka_unit_test(test_consistency),
    };
    return cmocka_run_group_tests_name("tree", tests, start, NULL);
}
