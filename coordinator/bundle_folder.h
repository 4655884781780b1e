// SPDX-License-Identifier: Apache-2.0
// The folder a bundle is written into: every file goes through here once, is hashed on the way for
// the manifest, and is on disk when the folder takes its final name. Private to coordinator/bundle.
#ifndef RT_COORDINATOR_BUNDLE_FOLDER_H
#define RT_COORDINATOR_BUNDLE_FOLDER_H

#include "common/base/error.h"
#include "common/crypto/hash.h"
#include "proto/evidence.h"

struct rt_bundle_file {
    char *path; // relative to the folder
    struct rt_digest digest;
};

struct rt_bundle_folder {
    char *final;   // where it will be
    char *partial; // where it is written
    struct rt_bundle_file *files;
    size_t count, room;
    uint64_t bytes;
};

// RT_EXISTS when either folder is there.
enum rt_status rt_bundle_folder_make(const char *path, struct rt_bundle_folder *ret_folder,
                                     struct rt_error *err) RT_WARN_UNUSED;
// A new file with the folders it needs; path as rt_evidence_path_valid has it.
enum rt_status rt_bundle_folder_put(struct rt_bundle_folder *folder, const char *path,
                                    struct rt_bytes content, struct rt_error *err) RT_WARN_UNUSED;
// Append the manifest of all files put so far to out, in byte order of their paths.
enum rt_status rt_bundle_folder_manifest(struct rt_bundle_folder *folder,
                                         struct rt_buf *out) RT_WARN_UNUSED;
// Sync and rename; the folder is then released.
enum rt_status rt_bundle_folder_finish(struct rt_bundle_folder *folder,
                                       struct rt_error *err) RT_WARN_UNUSED;
// Remove what was written, unless it was finished, and free.
void rt_bundle_folder_release(struct rt_bundle_folder *folder);

#endif
