// SPDX-License-Identifier: Apache-2.0
// The RFC 6962 Merkle tree (section 2.1): leaf and node hashes, a compact range that appends one
// leaf at a time, proofs made from stored nodes and proofs checked. A node is named (level, index):
// the complete subtree over leaves [index << level, (index + 1) << level). Only complete subtrees
// are ever stored, and they never change. Does no I/O and allocates nothing; storage is behind
// callbacks. Any thread on distinct values.
#ifndef RT_TLOG_TREE_H
#define RT_TLOG_TREE_H

#include "common/crypto/hash.h"

#define RT_TREE_LEVELS    64
#define RT_TREE_SIZE_MOST INT64_MAX // leaves

void rt_leaf_hash(struct rt_bytes leaf, struct rt_digest *ret_hash); // SHA-256(0x00 ‖ leaf)
void rt_node_hash(const struct rt_digest *left, const struct rt_digest *right,
                  struct rt_digest *ret_hash); // SHA-256(0x01 ‖ left ‖ right)

// The compact range of the first `size` leaves: nodes[level] is the root of the complete subtree of
// 2^level leaves for every bit `level` set in size (the last one of that level, index
// (size >> level) - 1); other entries mean nothing. Plain data: copy it to roll back.
struct rt_tree {
    uint64_t size;
    struct rt_digest nodes[RT_TREE_LEVELS];
};

// Told every node that has become complete, level 0 (the leaf hash) first; each (level, index)
// comes once in a tree's life. Another status than RT_OK ends the append with that status.
typedef enum rt_status rt_tree_write_fn(void *ctx, uint8_t level, uint64_t index,
                                        const struct rt_digest *hash);
// Gives the hash of a complete node that was written earlier; any failure ends the call.
typedef enum rt_status rt_tree_read_fn(void *ctx, uint8_t level, uint64_t index,
                                       struct rt_digest *ret_hash);

void rt_tree_init(struct rt_tree *tree);
// Append one leaf hash; write may be NULL. About one node hash a leaf on average. On failure the
// tree is unchanged, though write may have been called.
enum rt_status rt_tree_append(struct rt_tree *tree, const struct rt_digest *leaf_hash,
                              rt_tree_write_fn *write, void *ctx) RT_WARN_UNUSED;
// SHA-256("") for the empty tree.
void rt_tree_root(const struct rt_tree *tree, struct rt_digest *ret_root);
// The compact range of the first size leaves, from stored nodes (at most 63 reads).
enum rt_status rt_tree_load(struct rt_tree *tree, uint64_t size, rt_tree_read_fn *read,
                            void *ctx) RT_WARN_UNUSED;
// The root over count leaf hashes in memory.
void rt_tree_root_of(const struct rt_digest *leaf_hashes, size_t count, struct rt_digest *ret_root);

#define RT_PROOF_MOST 65
struct rt_proof {
    size_t count;
    struct rt_digest hashes[RT_PROOF_MOST];
};

// RFC 6962 section 2.1.1: the audit path of leaf index in the tree of size leaves, index < size
// (RT_OUT_OF_RANGE). Reads at most 2·log2(size) nodes. ret_proof means nothing on failure.
enum rt_status rt_tree_inclusion(uint64_t index, uint64_t size, rt_tree_read_fn *read, void *ctx,
                                 struct rt_proof *ret_proof) RT_WARN_UNUSED;
// RFC 6962 section 2.1.2: that the tree of old_size leaves is a prefix of that of new_size. Empty
// when old_size is 0 or equals new_size; RT_OUT_OF_RANGE when it is larger.
enum rt_status rt_tree_consistency(uint64_t old_size, uint64_t new_size, rt_tree_read_fn *read,
                                   void *ctx, struct rt_proof *ret_proof) RT_WARN_UNUSED;

// RT_OK or RT_BAD_PROOF; hashes may be any count of bytes from outside.
enum rt_status rt_tree_verify_inclusion(const struct rt_digest *leaf_hash, uint64_t index,
                                        uint64_t size, const struct rt_digest *hashes, size_t count,
                                        const struct rt_digest *root) RT_WARN_UNUSED;
// An old tree of size 0 must have the empty root, and the proof must be empty.
enum rt_status rt_tree_verify_consistency(uint64_t old_size, uint64_t new_size,
                                          const struct rt_digest *hashes, size_t count,
                                          const struct rt_digest *old_root,
                                          const struct rt_digest *new_root) RT_WARN_UNUSED;

#endif
