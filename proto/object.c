// SPDX-License-Identifier: Apache-2.0
#include "proto/object.h"

#include "proto/schema_define.h"

const char *const rt_error_kind_words[RT_ERROR_KIND_COUNT + 1] = {
#define X(name, word) word,
    RT_ERROR_KIND_TABLE(X)
#undef X
        NULL,
};

const char *const rt_identity_words[RT_IDENTITY_COUNT + 1] = {
#define X(name, word) word,
    RT_IDENTITY_TABLE(X)
#undef X
        NULL,
};

RT_RECORD_DEFINE(rt_unit_run, "run", RT_SCHEMA_NO_LEAD, RT_UNIT_RUN_FIELDS, NULL, NULL,
                 "Consecutive positions of a lab's run order.")

uint64_t rt_object_unit_positions(const struct rt_object_unit *unit)
{
    uint64_t positions = 0;
    for (size_t i = 0; i < unit->runs_count; i++)
        positions += unit->runs[i].count;
    return positions;
}

static enum rt_status check_unit(const void *record)
{
    const struct rt_object_unit *unit = record;
    if (unit->issued_ms > unit->reissue_at_ms || unit->reissue_at_ms > unit->accept_until_ms)
        return RT_MALFORMED;
    uint64_t end = 0; // first position behind the run before
    for (size_t i = 0; i < unit->runs_count; i++) {
        const struct rt_unit_run *run = &unit->runs[i];
        // Two runs that touch are one run: a set of positions has one encoding.
        if (i && run->first <= end)
            return RT_MALFORMED;
        end = run->first + run->count; // both below 2^63
    }
    return rt_object_unit_positions(unit) > RT_TRIALS_MOST ? RT_OUT_OF_RANGE : RT_OK;
}

static void repair_unit(void *record)
{
    struct rt_object_unit *unit = record;
    if (unit->reissue_at_ms < unit->issued_ms)
        unit->reissue_at_ms = unit->issued_ms;
    if (unit->accept_until_ms < unit->reissue_at_ms)
        unit->accept_until_ms = unit->reissue_at_ms;
    struct rt_unit_run *runs = (struct rt_unit_run *)(uintptr_t)unit->runs;
    uint64_t end = 0;
    for (size_t i = 0; i < unit->runs_count; i++) {
        runs[i].count = runs[i].count % (RT_TRIALS_MOST / unit->runs_count) + 1;
        runs[i].first = i ? end + 1 + runs[i].first % 1000 : runs[i].first >> 2;
        end = runs[i].first + runs[i].count;
    }
}

RT_RECORD_DEFINE(rt_object_unit, "unit", RT_OBJECT_VERSION, RT_UNIT_FIELDS, check_unit, repair_unit,
                 "A batch of trials dealt to one lab. issued_ms <= reissue_at_ms <= "
                 "accept_until_ms; runs are ascending and never touch; together they have at "
                 "most 4096 positions.")

static enum rt_status check_trial(const void *record)
{
    const struct rt_trial_result *trial = record;
    if ((trial->status == RT_TRIAL_ERROR) != (trial->error != RT_ERROR_KIND_NONE))
        return RT_MALFORMED;
    if (trial->status != RT_TRIAL_OK && (trial->outcome || trial->severity || trial->score_micro))
        return RT_MALFORMED;
    return RT_OK;
}

static void repair_trial(void *record)
{
    struct rt_trial_result *trial = record;
    if (trial->status != RT_TRIAL_ERROR)
        trial->error = RT_ERROR_KIND_NONE;
    else if (trial->error == RT_ERROR_KIND_NONE)
        trial->error = RT_ERROR_KIND_HTTP;
    if (trial->status != RT_TRIAL_OK) {
        trial->outcome = trial->severity = 0;
        trial->score_micro = 0;
    }
}

RT_RECORD_DEFINE(rt_trial_result, "trial", RT_SCHEMA_NO_LEAD, RT_TRIAL_RESULT_FIELDS, check_trial,
                 repair_trial,
                 "How one trial ended. error is none unless status is error; outcome, severity and "
                 "score_micro are 0 unless status is ok.")

static enum rt_status check_result(const void *record)
{
    const struct rt_object_result *result = record;
    return result->started_ms > result->finished_ms ? RT_MALFORMED : RT_OK;
}

static void repair_result(void *record)
{
    struct rt_object_result *result = record;
    if (result->finished_ms < result->started_ms)
        result->finished_ms = result->started_ms;
}

RT_RECORD_DEFINE(rt_object_result, "result", RT_OBJECT_VERSION, RT_RESULT_FIELDS, check_result,
                 repair_result, "What a lab measured for one unit. started_ms <= finished_ms.")

RT_RECORD_DEFINE(rt_named_value, "named value", RT_SCHEMA_NO_LEAD, RT_NAMED_VALUE_FIELDS, NULL,
                 NULL, "One setting or one canary.")

RT_RECORD_DEFINE(rt_object_fingerprint, "fingerprint", RT_OBJECT_VERSION, RT_FINGERPRINT_FIELDS,
                 NULL, NULL, "What served the model: a cell is counted apart for each.")
