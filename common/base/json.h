// SPDX-License-Identifier: Apache-2.0
// JSON through jansson, with our bounds: strict parsing of bytes from outside (depth and size
// limits, no duplicate keys) and one canonical form for output: sorted keys, no spaces, numbers
// rounded to 10 significant digits in shortest form, so the same values have the same bytes
// (DESIGN.md section 11). Thread-safe on distinct values.
#ifndef RT_BASE_JSON_H
#define RT_BASE_JSON_H

#include <jansson.h>

#include "common/base/bytes.h"
#include "common/base/error.h"

// Parse one JSON value; the caller decrefs *ret_json. Rejects duplicate keys, depth above 64 and
// trailing bytes.
enum rt_status rt_json_parse(struct rt_bytes text, json_t **ret_json,
                             struct rt_error *err) RT_WARN_UNUSED;
// Append the canonical form to out. Reals must be finite.
enum rt_status rt_json_write(const json_t *json, struct rt_buf *out) RT_WARN_UNUSED;
// The same with two-space indentation and a final newline, for people.
enum rt_status rt_json_write_pretty(const json_t *json, struct rt_buf *out) RT_WARN_UNUSED;
// The shortest decimal form of value rounded to 10 significant digits ("0.1", "1e-07" never
// "1e-7"); 32 bytes.
void rt_json_number(double value, char *ret_text);

#endif
