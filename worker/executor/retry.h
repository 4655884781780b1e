// SPDX-License-Identifier: Apache-2.0
// How long a server asks to be left alone, from its response's header lines: Retry-After in seconds
// or as an HTTP date (RFC 9110 sections 10.2.3 and 5.6.7, all three date forms) and
// x-ratelimit-reset-* as a span ("1m30s", "250ms", seconds) or a time (seconds since 1970). Lines
// come from outside: bounded, and what cannot be read says nothing. Pure; any thread.
#ifndef RT_WORKER_EXECUTOR_RETRY_H
#define RT_WORKER_EXECUTOR_RETRY_H

#include "common/base/bytes.h"

#define RT_RETRY_MOST_MS 3600000 // an hour: what asks for more gets that
#define RT_RETRY_NONE    (-1)

// Take one header line, with or without its line end, into *wait_ms (RT_RETRY_NONE before the
// first): the largest wish wins. now_ms is the wall clock. True when the line was such a wish.
bool rt_retry_read(struct rt_bytes line, int64_t now_ms, int64_t *wait_ms);

// "90", "1.5", "1m30s", "250ms", "2h": milliseconds, rounded up, at most RT_RETRY_MOST_MS; or
// RT_RETRY_NONE.
int64_t rt_retry_span_ms(const char *text);
// An HTTP date as milliseconds since 1970, or RT_RETRY_NONE. now_ms decides the century of a
// two-digit year (RFC 9110: more than 50 years ahead means the past).
int64_t rt_retry_date_ms(const char *text, int64_t now_ms);

#endif
