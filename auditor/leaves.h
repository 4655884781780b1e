// SPDX-License-Identifier: Apache-2.0
// The leaves of a bundle's log one after another, as they lie in its tiles. Checks that the tiles
// can be read and nothing else; whether the log holds is verify.h's to say. One thread.
#ifndef RT_AUDITOR_LEAVES_H
#define RT_AUDITOR_LEAVES_H

#include "auditor/folder.h"
#include "common/tlog/checkpoint.h"

struct rt_leaves {
    struct rt_folder folder;
    struct rt_checkpoint checkpoint;
    uint64_t next; // index of the leaf that comes next
    struct rt_buf bundle;
    struct rt_bytes rest; // of bundle
};

// Open the folder and read its checkpoint. RT_NOT_FOUND, RT_IO, RT_MALFORMED, RT_NO_MEMORY.
// Release it in any case.
enum rt_status rt_leaves_open(const char *path, struct rt_leaves *ret_leaves,
                              struct rt_error *err) RT_WARN_UNUSED;
void rt_leaves_release(struct rt_leaves *leaves);

// The next leaf: a view that lasts until the call after. RT_NOT_FOUND at the end, RT_CORRUPT.
enum rt_status rt_leaves_next(struct rt_leaves *leaves, struct rt_bytes *ret_leaf,
                              struct rt_error *err) RT_WARN_UNUSED;

// A leaf's text on standard output, without letting it play tricks on the terminal.
void rt_leaf_show(const char *indent, struct rt_bytes leaf);

#endif
