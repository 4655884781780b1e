// SPDX-License-Identifier: Apache-2.0
// Zip archives through libzip, with our bounds: reading refuses names that lead elsewhere,
// encryption, too many or too large members, and stops at a budget whatever the archive declares;
// of members with one name the last counts. Writing makes each member when its turn comes, so that
// an archive never needs the memory of all its members, and the same members give the same bytes.
// One thread at a time.
#ifndef RT_INTEROP_ZIP_H
#define RT_INTEROP_ZIP_H

#include "common/base/bytes.h"
#include "common/base/error.h"

#define RT_ZIP_MEMBERS_MOST ((size_t)1 << 20)
#define RT_ZIP_MEMBER_MOST  ((size_t)256 << 20) // bytes of one member, unpacked
#define RT_ZIP_BUDGET_BYTES ((uint64_t)8 << 30) // unpacked, over one reader's life
#define RT_ZIP_NAME_BYTES   512

struct rt_zip_reader;

// RT_IO, RT_MALFORMED, RT_TOO_LARGE, RT_NOT_PERMITTED (a name that leads elsewhere, encryption).
enum rt_status rt_zip_open(const char *path, struct rt_zip_reader **ret_reader,
                           struct rt_error *err) RT_WARN_UNUSED;
// The same for an archive in memory, which must outlive the reader; name is for messages.
enum rt_status rt_zip_open_memory(const char *name, struct rt_bytes bytes,
                                  struct rt_zip_reader **ret_reader,
                                  struct rt_error *err) RT_WARN_UNUSED;
void rt_zip_free(struct rt_zip_reader *reader); // takes NULL

size_t rt_zip_count(const struct rt_zip_reader *reader);
const char *rt_zip_name(const struct rt_zip_reader *reader, size_t i);
// The last member of that name, or SIZE_MAX.
size_t rt_zip_find(const struct rt_zip_reader *reader, const char *name);
// Append member i to out.
enum rt_status rt_zip_read(struct rt_zip_reader *reader, size_t i, struct rt_buf *out,
                           struct rt_error *err) RT_WARN_UNUSED;

// Appends member i's contents to out.
typedef enum rt_status rt_zip_make_fn(void *ctx, size_t i, struct rt_buf *out,
                                      struct rt_error *err);
// Write an archive of count members, deflated, dated 1980-01-01; names[i] are valid names. make is
// called once a member, in order, while the archive is written. path appears complete or not at
// all.
enum rt_status rt_zip_write(const char *path, const char *const *names, size_t count,
                            rt_zip_make_fn *make, void *ctx, struct rt_error *err) RT_WARN_UNUSED;

#endif
