// SPDX-License-Identifier: Apache-2.0
// One line an event on stderr: wall and monotonic time, level, message, key=value pairs; text or
// JSON. Strings from peers are escaped. Libraries do not log above debug; the caller logs once.
// Lines are written whole, so any thread may log; rt_log_setup is called once at start.
#ifndef RT_BASE_LOG_H
#define RT_BASE_LOG_H

#include <stdbool.h>

#include "common/base/status.h"

enum rt_log_level { RT_LOG_ERROR, RT_LOG_WARN, RT_LOG_INFO, RT_LOG_DEBUG };

// program: the name in front of each line. json: one JSON object a line.
void rt_log_setup(const char *program, enum rt_log_level level, bool json);
bool rt_log_enabled(enum rt_log_level level);

// message is a constant phrase; format (may be NULL) renders "key=value key=value" where every
// value is either a number, an identifier, or passed through RT_LOG_STR.
void rt_log(enum rt_log_level level, const char *message, const char *format, ...) RT_PRINTF(3, 4);

// Escape a string of unknown origin into a quoted, printable form of at most 200 bytes; the result
// lives in one of eight per-thread buffers.
const char *rt_log_quote(const char *text);

#define rt_log_error(...) rt_log(RT_LOG_ERROR, __VA_ARGS__)
#define rt_log_warn(...)  rt_log(RT_LOG_WARN, __VA_ARGS__)
#define rt_log_info(...)  rt_log(RT_LOG_INFO, __VA_ARGS__)
#define rt_log_debug(...)                                                                          \
    do {                                                                                           \
        if (rt_log_enabled(RT_LOG_DEBUG))                                                          \
            rt_log(RT_LOG_DEBUG, __VA_ARGS__);                                                     \
    } while (0)

#endif
