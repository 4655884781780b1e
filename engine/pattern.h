// SPDX-License-Identifier: Apache-2.0
// One regular expression against one text, under PCRE2's match, depth and heap limits, so that
// neither a careless pattern nor a hostile text can hold the engine up. Patterns see UTF-8 with
// Unicode word characters. Nothing is kept between calls. Pure; any thread.
#ifndef RT_ENGINE_PATTERN_H
#define RT_ENGINE_PATTERN_H

#include "common/base/bytes.h"

#define RT_PATTERN_MATCH_MOST 1000000u // backtracking steps
#define RT_PATTERN_DEPTH_MOST 10000u
#define RT_PATTERN_HEAP_KIB   16384u

enum rt_match {
    RT_MATCH_NO,
    RT_MATCH_YES,
    RT_MATCH_LIMIT, // gave up at a limit
    RT_MATCH_BAD,   // the pattern does not compile, or the text is not UTF-8
};

enum rt_match rt_pattern_match(struct rt_bytes pattern, struct rt_bytes text);

#endif
