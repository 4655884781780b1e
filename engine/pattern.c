// SPDX-License-Identifier: Apache-2.0
#include "engine/pattern.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

static PCRE2_SPTR units(struct rt_bytes bytes)
{
    return bytes.size ? bytes.data : (PCRE2_SPTR) "";
}

enum rt_match rt_pattern_match(struct rt_bytes pattern, struct rt_bytes text)
{
    enum rt_match match = RT_MATCH_BAD;
    int error;
    PCRE2_SIZE offset;
    pcre2_match_data *data = NULL;
    pcre2_match_context *context = NULL;
    pcre2_code *code =
        pcre2_compile(units(pattern), pattern.size, PCRE2_UTF | PCRE2_UCP | PCRE2_NEVER_BACKSLASH_C,
                      &error, &offset, NULL);
    if (!code)
        goto out;
    data = pcre2_match_data_create(1, NULL);
    context = pcre2_match_context_create(NULL);
    if (!data || !context)
        goto out;
    pcre2_set_match_limit(context, RT_PATTERN_MATCH_MOST);
    pcre2_set_depth_limit(context, RT_PATTERN_DEPTH_MOST);
    pcre2_set_heap_limit(context, RT_PATTERN_HEAP_KIB);
    int found = pcre2_match(code, units(text), text.size, 0, 0, data, context);
    if (found >= 0)
        match = RT_MATCH_YES;
    else if (found == PCRE2_ERROR_NOMATCH)
        match = RT_MATCH_NO;
    else if (found == PCRE2_ERROR_MATCHLIMIT || found == PCRE2_ERROR_DEPTHLIMIT ||
             found == PCRE2_ERROR_HEAPLIMIT || found == PCRE2_ERROR_NOMEMORY)
        match = RT_MATCH_LIMIT;
out:
    pcre2_match_context_free(context);
    pcre2_match_data_free(data);
    pcre2_code_free(code);
    return match;
}
