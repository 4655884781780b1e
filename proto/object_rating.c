// SPDX-License-Identifier: Apache-2.0
#include "proto/object_rating.h"

#include "proto/schema_define.h"

const char *const rt_rater_kind_words[RT_RATER_KIND_COUNT + 1] = {
#define X(name, word) word,
    RT_RATER_KIND_TABLE(X)
#undef X
        NULL,
};

static enum rt_status check_rated(const void *record)
{
    const struct rt_rated_trial *trial = record;
    if (trial->status == RT_TRIAL_WITHHELD || trial->status == RT_TRIAL_TIMEOUT)
        return RT_MALFORMED;
    if (trial->status != RT_TRIAL_OK && (trial->outcome || trial->severity))
        return RT_MALFORMED;
    return !trial->first_vote && trial->second_vote ? RT_MALFORMED : RT_OK;
}

static void repair_rated(void *record)
{
    struct rt_rated_trial *trial = record;
    if (trial->status == RT_TRIAL_WITHHELD || trial->status == RT_TRIAL_TIMEOUT)
        trial->status = RT_TRIAL_ERROR;
    if (trial->status != RT_TRIAL_OK)
        trial->outcome = trial->severity = 0;
    if (!trial->first_vote)
        trial->second_vote = 0;
}

RT_RECORD_DEFINE(rt_rated_trial, "rated trial", RT_SCHEMA_NO_LEAD, RT_RATED_TRIAL_FIELDS,
                 check_rated, repair_rated,
                 "One trial's label. Never withheld or timeout; outcome and severity are 0 unless "
                 "status is ok; no second vote without a first.")

static enum rt_status check_rating(const void *record)
{
    const struct rt_object_rating *rating = record;
    for (size_t i = 1; i < rating->trials_count; i++)
        if (rating->trials[i].number <= rating->trials[i - 1].number)
            return RT_MALFORMED;
    return RT_OK;
}

static void repair_rating(void *record)
{
    struct rt_object_rating *rating = record;
    struct rt_rated_trial *trials = (struct rt_rated_trial *)(uintptr_t)rating->trials;
    for (size_t i = 0; i < rating->trials_count; i++)
        trials[i].number = (i ? trials[i - 1].number + 1 : 0) + trials[i].number % 1000;
}

RT_RECORD_DEFINE(rt_object_rating, "rating", RT_OBJECT_VERSION, RT_RATING_FIELDS, check_rating,
                 repair_rating,
                 "One rater's labels for trials of one lab. A trial comes once, in ascending "
                 "order. The first label a rater gives a trial, in log order, is the one that "
                 "counts.")
