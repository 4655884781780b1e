// SPDX-License-Identifier: Apache-2.0
// An error with words, for the shell: a status and one line of text that names the place and the
// remedy. Shell functions take `struct rt_error *err` last, fill it only on failure, and callers
// wrap it with context on the way up ("campaign.yaml:14: temperature 3.5 is above 2.0"). err may be
// NULL. Plain data; no ownership.
#ifndef RT_BASE_ERROR_H
#define RT_BASE_ERROR_H

#include "common/base/status.h"

#define RT_ERROR_TEXT_BYTES 1024

struct rt_error {
    enum rt_status status;
    char text[RT_ERROR_TEXT_BYTES];
};

// Fill err (if not NULL) and return status, so that `return rt_error_set(err, RT_IO, ...)` reads
// well. Text beyond the buffer is cut. Control characters in the result are replaced by '?'.
enum rt_status rt_error_set(struct rt_error *err, enum rt_status status, const char *format, ...)
    RT_PRINTF(3, 4);

// As rt_error_set, with ": " and strerror(errno_value) appended; status becomes RT_NO_SPACE for
// ENOSPC/EDQUOT.
enum rt_status rt_error_errno(struct rt_error *err, int errno_value, const char *format, ...)
    RT_PRINTF(3, 4);

// Put "context: " before the text that is there. Returns err's status (RT_OK when err is NULL).
enum rt_status rt_error_wrap(struct rt_error *err, const char *format, ...) RT_PRINTF(2, 3);

#endif
