// SPDX-License-Identifier: Apache-2.0
// A YAML file as a tree of nodes with line marks, held to what our documents need: one document of
// bounded size, depth and number of nodes; keys are plain texts and unique; no anchors, aliases or
// tags (nothing is repeated without being written again); no bare yes/no/on/off, which other
// readers take for truth values; no empty values. Built on libyaml's events, because its document
// API no longer shows anchors. Nodes and texts live in the caller's arena. No I/O; any thread.
#ifndef RT_PROTO_DOC_TREE_H
#define RT_PROTO_DOC_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/error.h"

enum rt_node_kind { RT_NODE_SCALAR, RT_NODE_LIST, RT_NODE_MAP };

struct rt_node {
    enum rt_node_kind kind;
    uint32_t line;        // from 1; of the key for a child of a map
    bool plain;           // a scalar written without quotes
    const char *text;     // scalars: UTF-8 without control characters but LF and TAB
    const char *key;      // children of a map
    struct rt_node *next; // sibling, in document order
    struct rt_node *first;
    size_t count; // children
};

// Parse text; name is what errors call the file. RT_MALFORMED, RT_TOO_LARGE, RT_NO_MEMORY.
enum rt_status rt_tree_parse(struct rt_bytes text, const char *name, struct rt_arena *arena,
                             struct rt_node **ret_root, struct rt_error *err) RT_WARN_UNUSED;

// The child of a map with this key, or NULL.
const struct rt_node *rt_node_child(const struct rt_node *map, const char *key);

#endif
