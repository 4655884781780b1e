// SPDX-License-Identifier: Apache-2.0
// What the files that write an imported bench share: which item is which phrasing of which
// scenario. Nothing else includes this. One thread.
#ifndef RT_INTEROP_IMPORT_BENCH_H
#define RT_INTEROP_IMPORT_BENCH_H

#include "common/base/text.h"
#include "common/crypto/hash.h"
#include "interop/import.h"

// A scenario to be: items in the order they came.
struct rt_import_group {
    char id[RT_ID_BYTES + 1];
    size_t *items;
    size_t count, room;
    bool expecting; // some item has a rule of its own
};

struct rt_import_place {
    size_t group;
    char phrasing[RT_ID_BYTES + 1];
    size_t same_as; // the item whose words these are in the same scenario, or SIZE_MAX
};

struct rt_import_bench {
    struct rt_import *import;
    char folder[3900]; // the partial one
    char id[RT_ID_BYTES + 1];
    char canary[64];
    char digest[RT_DIGEST_TEXT_BYTES]; // of the content, once it has been read back; "" before
    char source[256];                  // printable, for comments
    struct rt_import_group *groups;
    size_t group_count;
    struct rt_import_place *places; // one an item
    bool crossed;                   // every scenario has the same phrasings
    bool plain, expecting;          // some scenario has no rule, has one
};

// Group the items and name everything. Release in any case.
enum rt_status rt_import_arrange(struct rt_import_bench *bench, const char *folder,
                                 struct rt_error *err) RT_WARN_UNUSED;
void rt_import_bench_release(struct rt_import_bench *bench);
// Append scenario g's file.
enum rt_status rt_import_scenario(struct rt_import_bench *bench, size_t g, struct rt_buf *out,
                                  struct rt_error *err) RT_WARN_UNUSED;

#endif
