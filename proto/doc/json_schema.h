// SPDX-License-Identifier: Apache-2.0
// JSON Schemas (draft 7) of the documents people write, made from the tables that read them, so
// that editors complete and check as `check` and `lint` will. A schema knows forms, bounds and
// keys; references, templates and patterns are the reader's to check. No I/O; any thread.
#ifndef RT_PROTO_DOC_JSON_SCHEMA_H
#define RT_PROTO_DOC_JSON_SCHEMA_H

#include "common/base/bytes.h"

// The kinds of documents that have a schema ("bench", "scenario", "campaign", ...), NULL at the
// end.
extern const char *const rt_json_schema_kinds[];

// Append the schema of a kind, with indentation and a final newline; the same bytes every time.
// RT_NOT_FOUND for an unknown kind, RT_NO_MEMORY.
enum rt_status rt_json_schema(const char *kind, struct rt_buf *out) RT_WARN_UNUSED;
// Append the keys of a kind with their forms, defaults and meanings, one a line, for people.
enum rt_status rt_json_schema_keys(const char *kind, struct rt_buf *out) RT_WARN_UNUSED;

#endif
