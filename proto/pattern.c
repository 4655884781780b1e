// SPDX-License-Identifier: Apache-2.0
#include "proto/pattern.h"

#include <stdlib.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#define MATCH_STEPS_MOST 1000000
#define MATCH_DEPTH_MOST 10000
#define MATCH_HEAP_KIB   4096
#define PATTERN_MOST     65536 // bytes of a pattern
#define PARENS_MOST      32

struct rt_pattern {
    pcre2_code *code;
};

enum rt_status rt_pattern_compile(const char *text, struct rt_pattern **ret_pattern,
                                  struct rt_error *err)
{
    struct rt_pattern *pattern = malloc(sizeof *pattern);
    pcre2_compile_context *context = pcre2_compile_context_create(NULL);
    enum rt_status status = RT_OK;
    int code = 0;
    PCRE2_SIZE offset = 0;
    if (!pattern || !context) {
        status = rt_error_set(err, RT_NO_MEMORY, "pattern: out of memory");
        goto out;
    }
    pcre2_set_max_pattern_length(context, PATTERN_MOST);
    pcre2_set_parens_nest_limit(context, PARENS_MOST);
    pattern->code = pcre2_compile((PCRE2_SPTR)text, PCRE2_ZERO_TERMINATED,
                                  PCRE2_UTF | PCRE2_NEVER_BACKSLASH_C, &code, &offset, context);
    if (!pattern->code) {
        PCRE2_UCHAR words[160];
        if (pcre2_get_error_message(code, words, sizeof words) < 0)
            words[0] = 0;
        status = rt_error_set(err, RT_MALFORMED, "%s at byte %zu", (const char *)words, offset);
        goto out;
    }
    *ret_pattern = pattern;
    pattern = NULL;
out:
    pcre2_compile_context_free(context);
    free(pattern);
    return status;
}

void rt_pattern_free(struct rt_pattern *pattern)
{
    if (!pattern)
        return;
    pcre2_code_free(pattern->code);
    free(pattern);
}

enum rt_status rt_pattern_match(const struct rt_pattern *pattern, struct rt_bytes text,
                                bool *ret_matched)
{
    size_t start, end;
    return rt_pattern_find(pattern, text, 0, ret_matched, &start, &end);
}

enum rt_status rt_pattern_find(const struct rt_pattern *pattern, struct rt_bytes text, size_t from,
                               bool *ret_matched, size_t *ret_start, size_t *ret_end)
{
    pcre2_match_data *data = pcre2_match_data_create(1, NULL);
    pcre2_match_context *context = pcre2_match_context_create(NULL);
    enum rt_status status = RT_NO_MEMORY;
    if (data && context) {
        pcre2_set_match_limit(context, MATCH_STEPS_MOST);
        pcre2_set_depth_limit(context, MATCH_DEPTH_MOST);
        pcre2_set_heap_limit(context, MATCH_HEAP_KIB);
        const uint8_t *bytes = text.size ? text.data : (const uint8_t *)"";
        int result = pcre2_match(pattern->code, bytes, text.size, from, 0, data, context);
        bool limit = result == PCRE2_ERROR_MATCHLIMIT || result == PCRE2_ERROR_DEPTHLIMIT ||
                     result == PCRE2_ERROR_HEAPLIMIT;
        if (result >= 0 || result == PCRE2_ERROR_NOMATCH) {
            const size_t *places = pcre2_get_ovector_pointer(data);
            *ret_matched = result >= 0;
            *ret_start = result >= 0 ? places[0] : text.size;
            *ret_end = result >= 0 ? places[1] : text.size;
            status = RT_OK;
        } else {
            status = limit                            ? RT_TOO_LARGE
                     : result == PCRE2_ERROR_NOMEMORY ? RT_NO_MEMORY
                                                      : RT_MALFORMED;
        }
    }
    pcre2_match_context_free(context);
    pcre2_match_data_free(data);
    return status;
}
