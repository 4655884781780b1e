// SPDX-License-Identifier: Apache-2.0
// What a model is, as files: a canonical list of a folder's files with size and SHA-256, whose own
// SHA-256 names the model. Two labs with the same files have the same digest, wherever the files
// lie and whenever they were copied. Hashing goes in steps, so that a loop stays responsive, and
// remembers what it hashed by device, inode, size and times. Names that begin with a dot are left
// out (version control, download caches). Never writes into the folder. One thread a scan.
//
//   ringtrial-manifest/v1
//   sha256:<64 hex digits> <size> <path>      ascending by the path's bytes, "/" between folders
#ifndef RT_WORKER_SUBJECT_MANIFEST_H
#define RT_WORKER_SUBJECT_MANIFEST_H

#include "common/base/arena.h"
#include "common/base/bytes.h"
#include "common/base/error.h"
#include "common/crypto/hash.h"

#define RT_MANIFEST_FILES_MOST 16384
#define RT_MANIFEST_PATH_MOST  512 // bytes of a path inside the folder
#define RT_MANIFEST_DEPTH_MOST 16
#define RT_MANIFEST_MOST       ((size_t)16 << 20) // bytes of the text

struct rt_manifest_file {
    const char *path;
    uint64_t size;
    struct rt_digest digest;
};
struct rt_manifest {
    const struct rt_manifest_file *files;
    size_t count;
};

// Read a manifest strictly: one text for one list. RT_MALFORMED, RT_TOO_LARGE, RT_NO_MEMORY; err
// names the line. Everything in arena.
enum rt_status rt_manifest_read(struct rt_bytes text, struct rt_arena *arena,
                                struct rt_manifest *ret_manifest,
                                struct rt_error *err) RT_WARN_UNUSED;
// Append the canonical text. Files must ascend by path.
enum rt_status rt_manifest_write(const struct rt_manifest *manifest,
                                 struct rt_buf *out) RT_WARN_UNUSED;
// The first difference in words ("model.safetensors: another content"), "" for none; at most size
// bytes.
void rt_manifest_difference(const struct rt_manifest *want, const struct rt_manifest *have,
                            char *ret_text, size_t size);

// ---- scanning

struct rt_manifest_scan;

// root is a folder, or one file. files (may be 0 of them) are names below root to take instead of
// everything. Symbolic links are followed where they lead to something inside root; any other is
// refused with the remedy, for what it leads to is not the lab's to vouch for, except that a name
// in `files` and root itself may be links. cache is a file that remembers what was hashed, or NULL;
// what it says of a file counts only while device, inode, size and both times are the same.
// RT_NOT_FOUND, RT_IO, RT_POLICY (a link), RT_TOO_LARGE, RT_MALFORMED (a name that cannot be
// written down), RT_NO_MEMORY.
enum rt_status rt_manifest_begin(const char *root, const char *const *files, size_t file_count,
                                 const char *cache, struct rt_manifest_scan **ret_scan,
                                 struct rt_error *err) RT_WARN_UNUSED;
// Hash for about budget_ms. RT_AGAIN while there is more to do. RT_CONFLICT when a file changed
// while it was read. The cache is written every few seconds and at the end.
enum rt_status rt_manifest_step(struct rt_manifest_scan *scan, int64_t budget_ms,
                                struct rt_error *err) RT_WARN_UNUSED;
// How far it is, and the bytes that had to be read.
struct rt_manifest_progress {
    uint64_t done_bytes, total_bytes, read_bytes;
    const char *file; // that is read now, "" none
};
void rt_manifest_progress(const struct rt_manifest_scan *scan,
                          struct rt_manifest_progress *ret_progress);
// After RT_OK: the list, borrowed from the scan.
void rt_manifest_result(const struct rt_manifest_scan *scan, struct rt_manifest *ret_manifest);
void rt_manifest_scan_free(struct rt_manifest_scan *scan); // keeps what the cache learned

#endif
