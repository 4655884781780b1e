// SPDX-License-Identifier: Apache-2.0
#include "common/tlog/tree.h"

static unsigned lowest_bit(uint64_t value)
{
    return (unsigned)__builtin_ctzll(value);
}

void rt_leaf_hash(struct rt_bytes leaf, struct rt_digest *ret_hash)
{
    struct rt_sha256_state state;
    rt_sha256_init(&state);
    rt_sha256_update(&state, "\0", 1);
    rt_sha256_update(&state, leaf.data, leaf.size);
    rt_sha256_final(&state, ret_hash);
}

void rt_node_hash(const struct rt_digest *left, const struct rt_digest *right,
                  struct rt_digest *ret_hash)
{
    uint8_t node[1 + 2 * RT_DIGEST_BYTES];
    node[0] = 1;
    memcpy(node + 1, left->bytes, RT_DIGEST_BYTES);
    memcpy(node + 1 + RT_DIGEST_BYTES, right->bytes, RT_DIGEST_BYTES);
    rt_sha256(rt_bytes(node, sizeof node), ret_hash);
}

void rt_tree_init(struct rt_tree *tree)
{
    memset(tree, 0, sizeof *tree);
}

enum rt_status rt_tree_append(struct rt_tree *tree, const struct rt_digest *leaf_hash,
                              rt_tree_write_fn *write, void *ctx)
{
    if (tree->size >= RT_TREE_SIZE_MOST)
        return RT_OUT_OF_RANGE;
    struct rt_digest hash = *leaf_hash;
    uint64_t index = tree->size;
    uint8_t level = 0;
    for (;;) {
        if (write) {
            enum rt_status status = write(ctx, level, index, &hash);
            if (status)
                return status;
        }
        if (!(index & 1))
            break;
        rt_node_hash(&tree->nodes[level], &hash, &hash);
        index >>= 1;
        level++;
    }
    tree->nodes[level] = hash;
    tree->size++;
    return RT_OK;
}

void rt_tree_root(const struct rt_tree *tree, struct rt_digest *ret_root)
{
    if (tree->size == 0) {
        rt_sha256(rt_bytes(NULL, 0), ret_root);
        return;
    }
    uint64_t rest = tree->size;
    struct rt_digest root = tree->nodes[lowest_bit(rest)];
    for (rest &= rest - 1; rest; rest &= rest - 1)
        rt_node_hash(&tree->nodes[lowest_bit(rest)], &root, &root);
    *ret_root = root;
}

enum rt_status rt_tree_load(struct rt_tree *tree, uint64_t size, rt_tree_read_fn *read, void *ctx)
{
    if (size > RT_TREE_SIZE_MOST)
        return RT_OUT_OF_RANGE;
    struct rt_tree loaded;
    rt_tree_init(&loaded);
    for (uint64_t rest = size; rest; rest &= rest - 1) {
        unsigned level = lowest_bit(rest);
        enum rt_status status =
            read(ctx, (uint8_t)level, (size >> level) - 1, &loaded.nodes[level]);
        if (status)
            return status;
    }
    loaded.size = size;
    *tree = loaded;
    return RT_OK;
}

void rt_tree_root_of(const struct rt_digest *leaf_hashes, size_t count, struct rt_digest *ret_root)
{
    struct rt_tree tree;
    rt_tree_init(&tree);
    for (size_t i = 0; i < count; i++)
        RT_ASSERT(rt_tree_append(&tree, &leaf_hashes[i], NULL, NULL) == RT_OK);
    rt_tree_root(&tree, ret_root);
}

// ---- proofs made

// The root over leaves [start, size), where start is a multiple of 2^level and fewer than 2^level
// leaves follow: the right edge, put together from the complete subtrees of size's low bits.
static enum rt_status edge_root(uint64_t start, uint64_t size, rt_tree_read_fn *read, void *ctx,
                                struct rt_digest *ret_root)
{
    struct rt_digest root, hash;
    bool first = true;
    for (uint64_t rest = size - start; rest; rest &= rest - 1) {
        unsigned level = lowest_bit(rest);
        enum rt_status status = read(ctx, (uint8_t)level, (size >> level) - 1, &hash);
        if (status)
            return status;
        if (first)
            root = hash;
        else
            rt_node_hash(&hash, &root, &root);
        first = false;
    }
    *ret_root = root;
    return RT_OK;
}

// Append to proof the siblings on the way from node (level, index) to the root of size leaves.
static enum rt_status path(uint8_t level, uint64_t index, uint64_t size, rt_tree_read_fn *read,
                           void *ctx, struct rt_proof *proof)
{
    for (; (size - 1) >> level; level++, index >>= 1) {
        uint64_t sibling = index ^ 1;
        uint64_t start = sibling << level;
        if (start >= size) // the node is itself the right edge at this level
            continue;
        RT_ASSERT(proof->count < RT_PROOF_MOST);
        struct rt_digest *hash = &proof->hashes[proof->count];
        bool complete = size - start >= UINT64_C(1) << level;
        enum rt_status status =
            complete ? read(ctx, level, sibling, hash) : edge_root(start, size, read, ctx, hash);
        if (status)
            return status;
        proof->count++;
    }
    return RT_OK;
}

enum rt_status rt_tree_inclusion(uint64_t index, uint64_t size, rt_tree_read_fn *read, void *ctx,
                                 struct rt_proof *ret_proof)
{
    if (size > RT_TREE_SIZE_MOST || index >= size)
        return RT_OUT_OF_RANGE;
    ret_proof->count = 0;
    return path(0, index, size, read, ctx, ret_proof);
}

enum rt_status rt_tree_consistency(uint64_t old_size, uint64_t new_size, rt_tree_read_fn *read,
                                   void *ctx, struct rt_proof *ret_proof)
{
    if (new_size > RT_TREE_SIZE_MOST || old_size > new_size)
        return RT_OUT_OF_RANGE;
    ret_proof->count = 0;
    if (old_size == 0 || old_size == new_size)
        return RT_OK;
    // The proof climbs from the last complete subtree of the old tree. Where that is the whole old
    // tree, its hash is the old root, which the verifier has.
    uint8_t level = (uint8_t)lowest_bit(old_size);
    uint64_t index = (old_size >> level) - 1;
    if (index != 0) {
        enum rt_status status = read(ctx, level, index, &ret_proof->hashes[0]);
        if (status)
            return status;
        ret_proof->count = 1;
    }
    return path(level, index, new_size, read, ctx, ret_proof);
}

// ---- proofs checked (RFC 9162 sections 2.1.3.2 and 2.1.4.2)

// The two numbers drop their low bits together; the algorithm is the RFC's.
struct position {
    uint64_t node;
    uint64_t last;
};

static void up(struct position *at)
{
    at->node >>= 1;
    at->last >>= 1;
}

// Whether the next hash lies to the left; climbs past levels without a sibling in that case.
static bool from_left(struct position *at)
{
    bool left = (at->node & 1) || at->node == at->last;
    if (left)
        while (at->node && !(at->node & 1))
            up(at);
    up(at);
    return left;
}

enum rt_status rt_tree_verify_inclusion(const struct rt_digest *leaf_hash, uint64_t index,
                                        uint64_t size, const struct rt_digest *hashes, size_t count,
                                        const struct rt_digest *root)
{
    if (size > RT_TREE_SIZE_MOST || index >= size)
        return RT_BAD_PROOF;
    struct position at = {index, size - 1};
    struct rt_digest hash = *leaf_hash;
    for (size_t i = 0; i < count; i++) {
        if (at.last == 0)
            return RT_BAD_PROOF;
        if (from_left(&at))
            rt_node_hash(&hashes[i], &hash, &hash);
        else
            rt_node_hash(&hash, &hashes[i], &hash);
    }
    return at.last == 0 && rt_digest_equal(&hash, root) ? RT_OK : RT_BAD_PROOF;
}

enum rt_status rt_tree_verify_consistency(uint64_t old_size, uint64_t new_size,
                                          const struct rt_digest *hashes, size_t count,
                                          const struct rt_digest *old_root,
                                          const struct rt_digest *new_root)
{
    if (new_size > RT_TREE_SIZE_MOST || old_size > new_size)
        return RT_BAD_PROOF;
    if (old_size == 0) {
        struct rt_digest empty;
        rt_sha256(rt_bytes(NULL, 0), &empty);
        if (!rt_digest_equal(old_root, &empty))
            return RT_BAD_PROOF;
    }
    if (old_size == new_size)
        return count == 0 && rt_digest_equal(old_root, new_root) ? RT_OK : RT_BAD_PROOF;
    if (old_size == 0)
        return count == 0 ? RT_OK : RT_BAD_PROOF;
    struct position at = {old_size - 1, new_size - 1};
    while (at.node & 1)
        up(&at);
    bool whole = (old_size & (old_size - 1)) == 0;
    if (count == 0)
        return RT_BAD_PROOF;
    struct rt_digest old_hash = whole ? *old_root : hashes[0], new_hash = old_hash;
    for (size_t i = whole ? 0 : 1; i < count; i++) {
        if (at.last == 0)
            return RT_BAD_PROOF;
        if (from_left(&at)) {
            rt_node_hash(&hashes[i], &old_hash, &old_hash);
            rt_node_hash(&hashes[i], &new_hash, &new_hash);
        } else {
            rt_node_hash(&new_hash, &hashes[i], &new_hash);
        }
    }
    return at.last == 0 && rt_digest_equal(&old_hash, old_root) &&
                   rt_digest_equal(&new_hash, new_root)
               ? RT_OK
               : RT_BAD_PROOF;
}
