// SPDX-License-Identifier: Apache-2.0
// Text helpers that carry no state: UTF-8 validity (RFC 3629), identifiers, whole numbers and
// decimals read strictly, and "did you mean". Pure; any thread.
#ifndef RT_BASE_TEXT_H
#define RT_BASE_TEXT_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/bytes.h"

// No overlong forms, no surrogates, nothing above U+10FFFF.
bool rt_utf8_valid(struct rt_bytes text);

// [a-z0-9][a-z0-9._-]{0,63}: the form of every id a person gives (lab, scenario, phrasing, subject,
// arm).
#define RT_ID_BYTES 64
bool rt_id_valid(const char *text);

// Decimal digits only, no sign, no leading zero (except "0" itself), within u64.
enum rt_status rt_parse_u64(const char *text, uint64_t *ret_value) RT_WARN_UNUSED;
enum rt_status rt_parse_i64(const char *text, int64_t *ret_value) RT_WARN_UNUSED;
// [-]digits[.digits][e[+-]digits], finite; locale-independent.
enum rt_status rt_parse_double(const char *text, double *ret_value) RT_WARN_UNUSED;
// A decimal with at most six fraction digits as integer micro-units: "0.7" -> 700000. Exact, never
// through a double.
enum rt_status rt_parse_micro(const char *text, int64_t *ret_micro) RT_WARN_UNUSED;
// The inverse: shortest form ("0.7", "1", "-0.25"); ret_text needs 32 bytes.
void rt_format_micro(int64_t micro, char *ret_text);

// The entry of list (NULL-terminated) closest to text within two edits (Damerau-Levenshtein), or
// NULL.
const char *rt_did_you_mean(const char *text, const char *const *list);

#endif
