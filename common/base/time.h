// SPDX-License-Identifier: Apache-2.0
// Time as milliseconds: the wall clock since the Unix epoch and a monotonic clock, RFC 3339 stamps
// with exactly three fraction digits in UTC, and durations as people write them. Reading a clock is
// the shell's business: the core gets the time inside its events.
#ifndef RT_BASE_TIME_H
#define RT_BASE_TIME_H

#include <stdint.h>

#include "common/base/status.h"

int64_t rt_time_wall_ms(void);
int64_t rt_time_mono_ms(void);
int64_t rt_time_mono_us(void);

#define RT_STAMP_BYTES 25 // "2026-11-20T17:35:28.123Z" and NUL
// Years 1970 to 9999.
void rt_stamp_format(int64_t wall_ms, char ret_text[RT_STAMP_BYTES]);
// Exactly that form and a real calendar date.
enum rt_status rt_stamp_parse(const char *text, int64_t *ret_wall_ms) RT_WARN_UNUSED;
// "2026-11-20" or "2026-11-20T09:00:00Z" (a person's forms) as well as the full stamp.
enum rt_status rt_date_parse(const char *text, int64_t *ret_wall_ms) RT_WARN_UNUSED;

// "30s", "30m", "72h", "7d", "250ms"; a whole number and one unit.
enum rt_status rt_duration_parse(const char *text, int64_t *ret_ms) RT_WARN_UNUSED;
// Short and readable: "45 s", "3 min 20 s", "2 h 5 min", "4 d 3 h"; ret_text needs 32 bytes.
void rt_duration_format(int64_t duration_ms, char *ret_text);

#endif
