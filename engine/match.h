// SPDX-License-Identifier: Apache-2.0
// One pattern of a scenario against one text of a play (proto/pattern.h has the options and
// limits). A pattern that runs into a limit does not match, and the caller can tell. Pure; any
// thread.
#ifndef RT_ENGINE_MATCH_H
#define RT_ENGINE_MATCH_H

#include "common/base/bytes.h"

// pattern is expanded and NUL-terminated. *limit is set to true when a limit was reached and is
// left alone otherwise; it may be NULL. Patterns that do not compile match nothing.
bool rt_match(const char *pattern, struct rt_bytes text, bool *limit);

#endif
