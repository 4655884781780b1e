// SPDX-License-Identifier: Apache-2.0
#include "proto/counting.h"

#include <stddef.h>

const char *const rt_trial_status_words[RT_TRIAL_STATUS_COUNT + 1] = {
#define X(name, word, final, denominator, missing, retry) word,
    RT_TRIAL_STATUS_TABLE(X)
#undef X
        NULL,
};

struct rt_trial_status_flags rt_trial_status_flags(enum rt_trial_status status)
{
    static const struct rt_trial_status_flags flags[RT_TRIAL_STATUS_COUNT] = {
#define X(name, word, final, denominator, missing, retry) {final, denominator, missing, retry},
        RT_TRIAL_STATUS_TABLE(X)
#undef X
    };
    RT_ASSERT((unsigned)status < RT_TRIAL_STATUS_COUNT);
    return flags[status];
}

enum rt_count_effect rt_count_step(struct rt_count *count, const struct rt_arrival *arrival)
{
    if (arrival->received_ms > arrival->accept_until_ms)
        return RT_COUNT_LATE;
    if (count->standing == RT_STANDING_FINAL)
        return RT_COUNT_DUPLICATE;
    bool replaces = count->standing == RT_STANDING_TENTATIVE;
    bool final = rt_trial_status_flags(arrival->status).final;
    count->standing = final ? RT_STANDING_FINAL : RT_STANDING_TENTATIVE;
    count->status = arrival->status;
    count->index = arrival->index;
    if (count->attempts < UINT32_MAX)
        count->attempts++;
    return replaces ? RT_COUNT_REPLACES : RT_COUNT_FIRST;
}

bool rt_count_open(const struct rt_count *count, uint32_t attempts_most)
{
    return count->standing != RT_STANDING_FINAL && count->attempts < attempts_most;
}
