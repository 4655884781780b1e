// SPDX-License-Identifier: Apache-2.0
#include "proto/rating.h"

enum rt_status rt_rating_find(const struct rt_object_result *const *results, size_t count,
                              const struct rt_rated_trial *rated, size_t *ret_result,
                              const struct rt_trial_result **ret_trial)
{
    const struct rt_trial_result *found = NULL;
    for (size_t r = 0; r < count; r++) {
        for (size_t t = 0; t < results[r]->trials_count; t++) {
            if (results[r]->trials[t].number != rated->number)
                continue;
            if (found)
                return RT_CONFLICT;
            found = &results[r]->trials[t];
            *ret_result = r;
        }
    }
    if (!found || !rt_digest_equal(&found->transcript, &rated->transcript))
        return RT_CONFLICT;
    struct rt_trial_status_flags flags = rt_trial_status_flags(found->status);
    if (!flags.final || !flags.denominator)
        return RT_CONFLICT;
    *ret_trial = found;
    return RT_OK;
}

struct rt_rating_label rt_rating_rules(const struct rt_trial_result *trial)
{
    return (struct rt_rating_label){.rater = 0,
                                    .outcome = (uint16_t)trial->outcome,
                                    .severity = (uint8_t)trial->severity,
                                    .status = (uint8_t)trial->status};
}

static uint16_t pack(uint8_t status, uint16_t outcome)
{
    return (uint16_t)((unsigned)status << 8 | (outcome & 0xff));
}

// The rater with the higher number is `rater`, whoever spoke first.
static struct rt_rating_cell joint(const struct rt_rating_label *a, const struct rt_rating_label *b)
{
    const struct rt_rating_label *high = a->rater > b->rater ? a : b, *low = high == a ? b : a;
    return (struct rt_rating_cell){.rater = high->rater,
                                   .outcome = high->outcome,
                                   .status = high->status,
                                   .beside = (uint16_t)(low->rater + 1),
                                   .beside_label = pack(low->status, low->outcome)};
}

size_t rt_rating_cells(uint16_t rater, const struct rt_rated_trial *rated,
                       const struct rt_rating_label *known, size_t known_count,
                       struct rt_rating_cell *ret_cells)
{
    struct rt_rating_label mine = {.rater = rater,
                                   .outcome = (uint16_t)rated->outcome,
                                   .severity = (uint8_t)rated->severity,
                                   .status = (uint8_t)rated->status};
    size_t count = 0;
    for (size_t i = 0; i < known_count; i++)
        if (known[i].rater == rater)
            return 0;
    ret_cells[count++] = (struct rt_rating_cell){
        .rater = rater, .outcome = mine.outcome, .severity = mine.severity, .status = mine.status};
    for (size_t i = 0; i < known_count; i++)
        ret_cells[count++] = joint(&mine, &known[i]);
    if (rated->first_vote && rated->second_vote)
        ret_cells[count++] = (struct rt_rating_cell){
            .rater = rater,
            .outcome = (uint16_t)(rated->second_vote - 1),
            .status = RT_TRIAL_OK,
            .beside = (uint16_t)(rater + 1),
            .beside_label = pack(RT_TRIAL_OK, (uint16_t)(rated->first_vote - 1))};
    return count;
}
