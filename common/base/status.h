// SPDX-License-Identifier: Apache-2.0
// Every way a call of ours can end, declared once: name, text, whether trying again may help, and
// the process exit code it maps to. The core returns these codes alone; the shell adds words
// (error.h). Pure; safe from any thread.
#ifndef RT_BASE_STATUS_H
#define RT_BASE_STATUS_H

#include <stdbool.h>

// Exit codes are one table for all programs (docs: each man page repeats it).
enum rt_exit {
    RT_EXIT_OK = 0,
    RT_EXIT_CHECK_FAILED = 1, // the check said no
    RT_EXIT_USAGE = 2,
    RT_EXIT_IO = 3,
    RT_EXIT_BAD_DATA = 4,
    RT_EXIT_INCOMPLETE = 5, // authentic but incomplete
    RT_EXIT_POLICY = 6,
};

//  X(name, text, retryable, exit code)
#define RT_STATUS_TABLE(X)                                                                         \
    X(OK, "ok", false, RT_EXIT_OK)                                                                 \
    X(USAGE, "wrong usage", false, RT_EXIT_USAGE)                                                  \
    X(NO_MEMORY, "out of memory", true, RT_EXIT_IO)                                                \
    X(IO, "input/output error", true, RT_EXIT_IO)                                                  \
    X(NO_SPACE, "no space left", true, RT_EXIT_IO)                                                 \
    X(NETWORK, "network error", true, RT_EXIT_IO)                                                  \
    X(TIMEOUT, "timed out", true, RT_EXIT_IO)                                                      \
    X(AGAIN, "not ready, try again", true, RT_EXIT_IO)                                             \
    X(BUSY, "in use by another process", true, RT_EXIT_IO)                                         \
    X(CORRUPT, "stored data is damaged", false, RT_EXIT_BAD_DATA)                                  \
    X(NOT_FOUND, "not found", false, RT_EXIT_BAD_DATA)                                             \
    X(EXISTS, "already exists", false, RT_EXIT_BAD_DATA)                                           \
    X(MALFORMED, "malformed", false, RT_EXIT_BAD_DATA)                                             \
    X(OUT_OF_RANGE, "out of range", false, RT_EXIT_BAD_DATA)                                       \
    X(TOO_LARGE, "over the size limit", false, RT_EXIT_BAD_DATA)                                   \
    X(UNSUPPORTED, "not supported by this version", false, RT_EXIT_BAD_DATA)                       \
    X(BAD_SIGNATURE, "signature does not verify", false, RT_EXIT_BAD_DATA)                         \
    X(BAD_PROOF, "proof does not verify", false, RT_EXIT_BAD_DATA)                                 \
    X(UNKNOWN_KEY, "key is not in the roster", false, RT_EXIT_BAD_DATA)                            \
    X(REVOKED, "key is revoked", false, RT_EXIT_BAD_DATA)                                          \
    X(NOT_PERMITTED, "not permitted", false, RT_EXIT_POLICY)                                       \
    X(CONFLICT, "contradicts what is already recorded", false, RT_EXIT_BAD_DATA)                   \
    X(DUPLICATE, "already recorded", false, RT_EXIT_OK)                                            \
    X(TOO_LATE, "too late", false, RT_EXIT_BAD_DATA)                                               \
    X(CHECK_FAILED, "check failed", false, RT_EXIT_CHECK_FAILED)                                   \
    X(INCOMPLETE, "authentic but incomplete", false, RT_EXIT_INCOMPLETE)                           \
    X(POLICY, "policy does not allow it", false, RT_EXIT_POLICY)                                   \
    X(CANCELLED, "cancelled", false, RT_EXIT_IO)

enum rt_status {
#define X(name, text, retryable, exit_code) RT_##name,
    RT_STATUS_TABLE(X)
#undef X
        RT_STATUS_COUNT
};

#define RT_WARN_UNUSED       __attribute__((warn_unused_result))
#define RT_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))

// The table's text, name ("NOT_FOUND"), retryability and exit code. Values outside the table are a
// programmer error.
const char *rt_status_text(enum rt_status status);
const char *rt_status_name(enum rt_status status);
bool rt_status_retryable(enum rt_status status);
int rt_status_exit(enum rt_status status);

// Programmer error only; stays on in release builds. Bytes from outside never reach one
// unvalidated.
#define RT_ASSERT(condition)                                                                       \
    ((condition) ? (void)0 : rt_assert_failed(#condition, __FILE__, __LINE__))
_Noreturn void rt_assert_failed(const char *condition, const char *file, int line);

#endif
