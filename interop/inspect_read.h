// SPDX-License-Identifier: Apache-2.0
// Reads Inspect logs (EvalLog version 2), `.json` and `.eval`, whoever wrote them: bare NaN and
// Infinity are taken as null, attachments are resolved, and everything is bounded. A sample of one
// of our own logs gives the trial back, transcript and all. One thread.
#ifndef RT_INTEROP_INSPECT_READ_H
#define RT_INTEROP_INSPECT_READ_H

#include "common/base/json.h"
#include "interop/trial.h"

#define RT_INSPECT_FILE_MOST    ((size_t)1 << 30)
#define RT_INSPECT_SAMPLES_MOST ((size_t)1 << 20)

// Parse JSON that may hold bare NaN, Infinity and -Infinity, which become null. name is for
// messages; depth at most 64, no duplicate keys.
enum rt_status rt_inspect_parse(const char *name, struct rt_bytes text, json_t **ret_json,
                                struct rt_error *err) RT_WARN_UNUSED;

// Called for each sample in order, attachments resolved; sample is borrowed. header is the log
// without its samples; place names the file without its folders.
typedef enum rt_status rt_inspect_sample_fn(void *ctx, const json_t *header, const json_t *sample,
                                            const char *place, struct rt_error *err);
enum rt_status rt_inspect_read(const char *path, rt_inspect_sample_fn *visit, void *ctx,
                               struct rt_error *err) RT_WARN_UNUSED;
// The same for bytes: a zip archive or JSON, by their first bytes.
enum rt_status rt_inspect_read_memory(const char *name, struct rt_bytes bytes,
                                      rt_inspect_sample_fn *visit, void *ctx,
                                      struct rt_error *err) RT_WARN_UNUSED;

// A sample of a log that we wrote, as the trial it was. Texts live in arena or in sample.
// RT_UNSUPPORTED for a sample of somebody else's, RT_MALFORMED for a damaged one.
enum rt_status rt_inspect_trial(const json_t *sample, struct rt_arena *arena,
                                struct rt_interop_trial *ret_trial) RT_WARN_UNUSED;

#endif
