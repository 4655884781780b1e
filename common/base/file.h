// SPDX-License-Identifier: Apache-2.0
// Files, whole and safely: bounded reads, writes that appear complete or not at all (temporary
// file, fsync, rename, fsync of the folder), folders made with their parents, and which file
// systems are unfit for a database. Blocks on the disk; safe from any thread on different paths.
#ifndef RT_BASE_FILE_H
#define RT_BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "common/base/bytes.h"
#include "common/base/error.h"

// Append the file's contents to buf (whose limit bounds it). Errors name the path.
enum rt_status rt_file_read(const char *path, struct rt_buf *buf,
                            struct rt_error *err) RT_WARN_UNUSED;
// Replace path atomically with bytes; mode as for open.
enum rt_status rt_file_write(const char *path, struct rt_bytes bytes, mode_t mode,
                             struct rt_error *err) RT_WARN_UNUSED;
// As rt_file_write, but fails with RT_EXISTS where path exists.
enum rt_status rt_file_create(const char *path, struct rt_bytes bytes, mode_t mode,
                              struct rt_error *err) RT_WARN_UNUSED;
// mkdir -p; mode for the folders made.
enum rt_status rt_file_mkdir(const char *path, mode_t mode, struct rt_error *err) RT_WARN_UNUSED;
bool rt_file_exists(const char *path);
// RT_NOT_PERMITTED with the chmod remedy unless the file is readable by its owner only.
enum rt_status rt_file_check_private(const char *path, struct rt_error *err) RT_WARN_UNUSED;
// RT_POLICY with the remedy when path (or its nearest existing parent) lies on NFS, Lustre, GPFS,
// BeeGFS, CIFS, FUSE or another file system that LMDB's memory map and locks are not safe on
// (statfs f_type).
enum rt_status rt_file_check_local(const char *path, struct rt_error *err) RT_WARN_UNUSED;

// Join folder and name into ret_path (capacity bytes): RT_TOO_LARGE when it does not fit.
enum rt_status rt_path_join(char *ret_path, size_t capacity, const char *folder,
                            const char *name) RT_WARN_UNUSED;
// "~/x" becomes "$HOME/x"; anything else is copied.
enum rt_status rt_path_expand(char *ret_path, size_t capacity, const char *path) RT_WARN_UNUSED;

// Sorted names of the entries of a folder (without . and ..); each name and the array from malloc,
// freed with rt_file_list_free. At most `most` entries, else RT_TOO_LARGE.
enum rt_status rt_file_list(const char *folder, size_t most, char ***ret_names, size_t *ret_count,
                            struct rt_error *err) RT_WARN_UNUSED;
void rt_file_list_free(char **names, size_t count);

#endif
