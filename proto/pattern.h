// SPDX-License-Identifier: Apache-2.0
// Patterns of scenarios (PCRE2), compiled with one set of options everywhere, so that a pattern
// that was valid at `campaign check` means the same in the scorer and in an auditor's replay.
// Matching has limits on steps and depth: a pattern that needs more is an error, never a hang. A
// compiled pattern may be shared; matching allocates its own scratch. Any thread.
#ifndef RT_PROTO_PATTERN_H
#define RT_PROTO_PATTERN_H

#include "common/base/bytes.h"
#include "common/base/error.h"

struct rt_pattern;

// UTF, no \C, no callouts. RT_MALFORMED with PCRE2's own words and the offset ("... at byte 12").
enum rt_status rt_pattern_compile(const char *text, struct rt_pattern **ret_pattern,
                                  struct rt_error *err) RT_WARN_UNUSED;
void rt_pattern_free(struct rt_pattern *pattern); // takes NULL
// Does it match anywhere in text (UTF-8)? RT_TOO_LARGE when a limit was reached, RT_MALFORMED when
// text is not UTF-8.
enum rt_status rt_pattern_match(const struct rt_pattern *pattern, struct rt_bytes text,
                                bool *ret_matched) RT_WARN_UNUSED;
// The first match at or after byte `from`: where it starts and ends; both text.size without one.
enum rt_status rt_pattern_find(const struct rt_pattern *pattern, struct rt_bytes text, size_t from,
                               bool *ret_matched, size_t *ret_start,
                               size_t *ret_end) RT_WARN_UNUSED;

#endif
