// SPDX-License-Identifier: Apache-2.0
// The layout of a bundle (EVIDENCE, Bundle): the names of its files, the text of its README, and
// the manifest in the format of sha256sum. Shared by the coordinator, which writes bundles, and the
// auditor, who checks them. Does no I/O. Pure; any thread.
#ifndef RT_PROTO_EVIDENCE_H
#define RT_PROTO_EVIDENCE_H

#include "common/base/bytes.h"
#include "common/crypto/hash.h"

#define RT_EVIDENCE_README     "README.txt"
#define RT_EVIDENCE_REPORT     "report.json"
#define RT_EVIDENCE_HTML       "report.html"
#define RT_EVIDENCE_MANIFEST   "manifest.sha256"
#define RT_EVIDENCE_SIGNATURE  "manifest.minisig"
#define RT_EVIDENCE_CHECKPOINT "log/checkpoint"
#define RT_EVIDENCE_LOG        "log/" // then a path of common/tlog/tile.h
#define RT_EVIDENCE_VKEY       "keys/log.vkey"
#define RT_EVIDENCE_SIGNER     "keys/operator.pub" // whose key signed the manifest
#define RT_EVIDENCE_MIRROR     "mirror.txt" // marks a mirror: a log without report and manifest
#define RT_EVIDENCE_REDACTED   "redacted.txt" // objects that were left out, in the manifest's form
#define RT_EVIDENCE_RECEIPTS   "receipts/"
#define RT_EVIDENCE_RECEIPT    ".tlog-proof"

#define RT_EVIDENCE_PATH_BYTES 200 // a path of a bundle with its NUL
#define RT_EVIDENCE_FILES_MOST ((size_t)1 << 24)

// What README.txt says, always the same.
extern const char rt_evidence_readme[];

// "objects/ab/cdef…"; ret_path needs RT_EVIDENCE_PATH_BYTES. Parsing takes exactly that form.
void rt_evidence_object_path(const struct rt_digest *digest, char *ret_path);
enum rt_status rt_evidence_object_parse(struct rt_bytes path,
                                        struct rt_digest *ret_digest) RT_WARN_UNUSED;
// "keys/roster-<version>.yaml"; parsing takes versions from 1 on.
void rt_evidence_roster_path(uint64_t version, char *ret_path);
enum rt_status rt_evidence_roster_parse(struct rt_bytes path, uint64_t *ret_version) RT_WARN_UNUSED;

// A path of a bundle: 1 to RT_EVIDENCE_PATH_BYTES - 1 bytes of [A-Za-z0-9._-] and single slashes
// between parts, no part beginning with a dot.
bool rt_evidence_path_valid(struct rt_bytes path);

// One line of the manifest, "<64 hex digits>  <path>\n".
void rt_evidence_manifest_add(const char *path, const struct rt_digest *digest, struct rt_buf *out);
// Take the next line off *rest. previous is the path of the line before ("" for the first): lines
// ascend in byte order. RT_NOT_FOUND at the clean end, RT_MALFORMED for anything but such a line.
// ret_path needs RT_EVIDENCE_PATH_BYTES and may be previous.
enum rt_status rt_evidence_manifest_next(struct rt_bytes *rest, const char *previous,
                                         char *ret_path,
                                         struct rt_digest *ret_digest) RT_WARN_UNUSED;

#endif
