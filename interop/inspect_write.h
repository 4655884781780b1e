// SPDX-License-Identifier: Apache-2.0
// A trial as a sample of an Inspect log (EvalLog version 2), and the numbers around the samples.
// Field by field after the published schema; docs/INTEROP.md has the mapping. Builds JSON values
// alone; pure; any thread on distinct values.
#ifndef RT_INTEROP_INSPECT_WRITE_H
#define RT_INTEROP_INSPECT_WRITE_H

#include "common/base/json.h"
#include "interop/trial.h"
#include "proto/scenario.h"

#define RT_INSPECT_VERSION 2

// One sample. scenario (may be NULL) gives the tools' descriptions. *ret_sample is the caller's.
enum rt_status rt_inspect_sample(const struct rt_interop_trial *trial,
                                 const struct rt_scenario *scenario,
                                 json_t **ret_sample) RT_WARN_UNUSED;
// The entry of summaries.json for a sample that rt_inspect_sample made.
enum rt_status rt_inspect_summary(json_t *sample, json_t **ret_summary) RT_WARN_UNUSED;

// "scenario.arm.phrasing"; ret_id needs 3 · 64 + 3 bytes.
#define RT_INSPECT_ID_BYTES 196
void rt_inspect_id(const struct rt_interop_trial *trial, char *ret_id);

// Append in the order the keys were set, reals with 10 digits, never a NaN.
enum rt_status rt_inspect_dump(const json_t *json, struct rt_buf *out) RT_WARN_UNUSED;

#endif
