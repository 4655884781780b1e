// SPDX-License-Identifier: Apache-2.0
// The files of a bundle: found once, each read at most into a bounded buffer, each remembered as
// used or not, so that what nobody refers to is seen. Follows no link and opens nothing outside the
// folder. One thread.
#ifndef RT_AUDITOR_FOLDER_H
#define RT_AUDITOR_FOLDER_H

#include "auditor/checks.h"
#include "common/base/arena.h"
#include "common/base/error.h"
#include "proto/evidence.h"

struct rt_folder_file {
    const char *path; // relative, as rt_evidence_path_valid has it
    uint64_t size;
    const struct rt_digest *digest; // of its contents; NULL when not known, or when named
    bool used;
    bool named; // an object whose contents have the digest of its name
};

struct rt_folder {
    int fd;
    struct rt_folder_file *files; // ascending by path
    size_t count, room;
    struct rt_arena arena; // paths and digests
};

#define RT_FOLDER_FILE_MOST ((size_t)1 << 30) // bytes of one file

// List the folder. What is no regular file or folder, has a name no bundle uses, or is an empty
// folder, fails LAYOUT. RT_IO, RT_NOT_FOUND, RT_TOO_LARGE above RT_EVIDENCE_FILES_MOST.
enum rt_status rt_folder_open(const char *path, struct rt_checks *checks,
                              struct rt_folder *ret_folder, struct rt_error *err) RT_WARN_UNUSED;
void rt_folder_close(struct rt_folder *folder);

// NULL when there is none.
struct rt_folder_file *rt_folder_find(const struct rt_folder *folder, const char *path);
// Append the file's bytes to out and mark it used: RT_NOT_FOUND, RT_IO, or what the buffer says.
enum rt_status rt_folder_read(struct rt_folder *folder, const char *path,
                              struct rt_buf *out) RT_WARN_UNUSED;
// The same without marking it; any thread, while nobody changes the folder. In parts of at most
// RT_FOLDER_PART_BYTES for files of any size: anything but RT_OK from part ends it.
#define RT_FOLDER_PART_BYTES 65536
typedef enum rt_status rt_folder_part_fn(void *ctx, struct rt_bytes part);
enum rt_status rt_folder_read_parts(const struct rt_folder *folder,
                                    const struct rt_folder_file *file, rt_folder_part_fn *part,
                                    void *ctx) RT_WARN_UNUSED;
enum rt_status rt_folder_read_file(const struct rt_folder *folder,
                                   const struct rt_folder_file *file,
                                   struct rt_buf *out) RT_WARN_UNUSED;
// The same as rt_folder_read for an object, whose bytes must have its digest (RT_CORRUPT).
enum rt_status rt_folder_object(struct rt_folder *folder, const struct rt_digest *digest,
                                struct rt_buf *out) RT_WARN_UNUSED;

#endif
