// SPDX-License-Identifier: Apache-2.0
// Bearer tokens of operators and auditors: one file each, keys/NAME.token, mode 0600, "rt1_" and 64
// hex digits. Whoever holds one sees a campaign before it has closed. A token is withdrawn by
// deleting its file. Reads the folder at every question; any thread.
#ifndef RT_COORDINATOR_HTTP_TOKEN_H
#define RT_COORDINATOR_HTTP_TOKEN_H

#include <stdbool.h>

#include "common/base/bytes.h"
#include "common/base/error.h"

#define RT_TOKEN_TEXT_BYTES (4 + 64 + 1)
#define RT_TOKENS_MOST      256

// Make FOLDER/NAME.token: RT_EXISTS, RT_MALFORMED for a name that is no id. ret_path may be NULL.
enum rt_status rt_token_make(const char *folder, const char *name,
                             char ret_text[RT_TOKEN_TEXT_BYTES],
                             struct rt_error *err) RT_WARN_UNUSED;
// Whether text is one of the folder's tokens; compared in constant time. Files that are readable by
// others than their owner do not count.
bool rt_token_known(const char *folder, struct rt_bytes text);
// Whether this process can read any token of the folder: the operator at the state folder.
bool rt_token_held(const char *folder);

#endif
