// SPDX-License-Identifier: Apache-2.0
// A log's verifier key as a reader gives it: the key itself, or a file that holds it. Blocks on the
// disk; any thread.
#ifndef RT_AUDITOR_LOG_KEY_H
#define RT_AUDITOR_LOG_KEY_H

#include "common/base/error.h"
#include "common/crypto/note.h"

// RT_MALFORMED, RT_IO, RT_NOT_FOUND.
enum rt_status rt_log_key_read(const char *text, struct rt_vkey *ret_key,
                               struct rt_error *err) RT_WARN_UNUSED;

#endif
