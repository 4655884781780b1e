// SPDX-License-Identifier: Apache-2.0
// A copy of a coordinator's log that grows in place: tiles and leaves are taken over only when they
// hash to a checkpoint that continues the highest one ever taken, then the objects that may be
// seen. The folder is laid out as a bundle is. Killed at any moment it goes on where it was. Holds
// an exclusive lock on the folder. One thread.
#ifndef RT_AUDITOR_MIRROR_H
#define RT_AUDITOR_MIRROR_H

#include "auditor/fetch.h"
#include "auditor/follow.h"
#include "common/crypto/digest_map.h"

// The nodes of one tile level that are new in this run, from `base` on.
struct rt_mirror_level {
    uint64_t base;
    struct rt_digest *nodes;
    size_t count, room;
};

struct rt_mirror {
    const char *folder;
    struct rt_fetch *fetch;
    int lock;
    struct rt_vkey log;
    struct rt_seen old, now;
    bool has_old;
    struct rt_follow follow;
    struct rt_tree tree;
    struct rt_tile_reader *reader; // of the log as it was
    struct rt_mirror_level levels[RT_TILE_LEVEL_MOST + 1];
    struct rt_buf bundle, object;
    struct rt_digest_map withheld_campaigns;
    uint64_t fetched, withheld; // objects
    struct rt_error *err;
};

// Open the folder (made if need be) for that log. log_key NULL: the one in keys/log.vkey, which the
// first run puts there. RT_BUSY, RT_USAGE without a key at the first run, RT_CONFLICT for another
// log's folder, RT_CORRUPT when what is there does not hold. Close it in any case.
enum rt_status rt_mirror_open(struct rt_mirror *mirror, const char *folder,
                              const struct rt_vkey *log, struct rt_fetch *fetch,
                              struct rt_error *err) RT_WARN_UNUSED;
void rt_mirror_close(struct rt_mirror *mirror);
// Ask once and take over what is new. RT_OK, RT_CHECK_FAILED for a rollback or a fork (nothing is
// taken over; mirror->follow says what), RT_NETWORK, RT_CORRUPT when what is served is not what
// the checkpoint says, RT_IO.
enum rt_status rt_mirror_pull(struct rt_mirror *mirror) RT_WARN_UNUSED;
// The objects that the log names and that may be seen (mirror_objects.c).
enum rt_status rt_mirror_objects(struct rt_mirror *mirror) RT_WARN_UNUSED;

// FOLDER/path, and what lies there, for the files of the mirror.
enum rt_status rt_mirror_path(const struct rt_mirror *mirror, const char *path, char *ret_path,
                              size_t capacity) RT_WARN_UNUSED;
enum rt_status rt_mirror_put(struct rt_mirror *mirror, const char *path,
                             struct rt_bytes content) RT_WARN_UNUSED;
enum rt_status rt_mirror_get(struct rt_mirror *mirror, const char *path,
                             struct rt_buf *out) RT_WARN_UNUSED;

#endif
