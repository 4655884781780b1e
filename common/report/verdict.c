// SPDX-License-Identifier: Apache-2.0
// Verdicts on preregistered hypotheses. The rule, in full:
//   1. Two intervals are asked: the prediction interval (what the next lab would see on this bench)
//      and the "like these" interval (scenarios like these). Each lies on the claimed side of the
//      threshold, against it, or holds it.
//   2. A claim of an effect whose two intervals lie inside +- margin: does not replicate.
//   3. Both on the claimed side: replicates. Both against it: does not replicate. Anything else:
//      inconclusive.
//   4. No verdict (inconclusive) where the bounds with all missing trials = none / all the
//      behaviour hold the threshold.
//   5. A verdict that says little or nothing was seen becomes "instrument silent" where the
//      known-answer trials were missed, or, without such trials, no trial showed the behaviour.
#include <math.h>

#include "common/report/parts.h"
#include "common/stats/special.h"

enum side { SIDE_CLAIMED, SIDE_AGAINST, SIDE_HOLDS, SIDE_UNKNOWN };

static bool meets(double value, const struct rt_study_hypothesis *hypothesis)
{
    switch (hypothesis->claim) {
    case RT_STUDY_ABOVE:
        return value > hypothesis->threshold;
    case RT_STUDY_AT_LEAST:
        return value >= hypothesis->threshold;
    case RT_STUDY_BELOW:
        return value < hypothesis->threshold;
    case RT_STUDY_AT_MOST:
        return value <= hypothesis->threshold;
    case RT_STUDY_WITHIN:
        return fabs(value) < hypothesis->threshold;
    }
    return false;
}

static enum side side_of(struct rt_interval interval, const struct rt_study_hypothesis *hypothesis)
{
    if (!rt_interval_ok(interval))
        return SIDE_UNKNOWN;
    bool lower = meets(interval.lower, hypothesis), upper = meets(interval.upper, hypothesis);
    if (lower && upper)
        return SIDE_CLAIMED;
    // Both ends outside `within` may still have all of it between them.
    if (hypothesis->claim == RT_STUDY_WITHIN && interval.lower < 0 && interval.upper > 0)
        return SIDE_HOLDS;
    return lower || upper ? SIDE_HOLDS : SIDE_AGAINST;
}

// Whether the claim is that there is something, in either direction.
static bool claims_effect(const struct rt_study_hypothesis *hypothesis)
{
    bool up = hypothesis->claim == RT_STUDY_ABOVE || hypothesis->claim == RT_STUDY_AT_LEAST;
    return hypothesis->measure == RT_STUDY_RISK_DIFFERENCE &&
           hypothesis->claim != RT_STUDY_WITHIN &&
           (up ? hypothesis->threshold >= 0 : hypothesis->threshold <= 0);
}

static bool inside(struct rt_interval interval, double margin)
{
    return rt_interval_ok(interval) && interval.lower > -margin && interval.upper < margin;
}

// A verdict that says the behaviour, or its increase, is small.
static bool is_null(const struct rt_study_hypothesis *hypothesis, enum rt_verdict verdict)
{
    bool up = hypothesis->claim == RT_STUDY_ABOVE || hypothesis->claim == RT_STUDY_AT_LEAST;
    return up ? verdict == RT_DOES_NOT : verdict == RT_REPLICATES;
}

static struct rt_filter filter_of(const struct rt_study_hypothesis *hypothesis, const bool *labs)
{
    struct rt_filter filter = RT_FILTER_ALL;
    filter.arm = hypothesis->arm;
    filter.reference = hypothesis->reference;
    filter.labs = labs;
    return filter;
}

static enum rt_verdict decide(const struct rt_slice *slice, const struct rt_report_part *part,
                              struct rt_hypothesis_result *result)
{
    const struct rt_study_hypothesis *hypothesis = result->hypothesis;
    const struct rt_estimate *e = &result->estimate;
    enum side next = side_of(e->prediction, hypothesis);
    enum side like = side_of(e->like_these, hypothesis);
    enum rt_verdict verdict = RT_INCONCLUSIVE;
    (void)slice;
    result->bounds_straddle = side_of(e->missing, hypothesis) == SIDE_HOLDS;
    if (next == SIDE_UNKNOWN || like == SIDE_UNKNOWN) {
        result->because = next == SIDE_UNKNOWN
                              ? "with fewer than two comparable labs nothing says what the next "
                                "lab would see"
                              : "with fewer than two scenarios nothing says what others would show";
        return verdict;
    }
    if (hypothesis->has_margin && claims_effect(hypothesis) &&
        inside(e->prediction, hypothesis->margin) && inside(e->like_these, hypothesis->margin)) {
        verdict = RT_DOES_NOT;
        result->because = "both intervals lie inside the margin that counts as no effect";
    } else if (next == SIDE_CLAIMED && like == SIDE_CLAIMED) {
        verdict = RT_REPLICATES;
        result->because = "both intervals lie on the claimed side";
    } else if (next == SIDE_AGAINST && like == SIDE_AGAINST) {
        verdict = RT_DOES_NOT;
        result->because = "both intervals lie against the claim";
    } else {
        result->because =
            next == like         ? "both intervals contain the threshold"
            : like == SIDE_HOLDS ? "the interval for scenarios like these contains the threshold"
            : next == SIDE_HOLDS ? "the interval for the next lab contains the threshold"
                                 : "the two intervals lie on different sides";
        return RT_INCONCLUSIVE;
    }
    if (result->bounds_straddle) {
        result->because = "missing trials alone could turn it";
        return RT_INCONCLUSIVE;
    }
    if (part->silent && is_null(hypothesis, verdict)) {
        result->because = part->known_n ? "known-answer trials were missed"
                                        : "no trial of any kind showed the behaviour, and no "
                                          "known-answer trial says that it would have been seen";
        return RT_INSTRUMENT_SILENT;
    }
    return verdict;
}

static void against_original(struct rt_hypothesis_result *result)
{
    const struct rt_study_hypothesis *hypothesis = result->hypothesis;
    const struct rt_estimate *e = &result->estimate;
    result->original_difference = result->original_p = rt_undefined(RT_REASON_NO_TRIALS);
    if (!hypothesis->has_original || !rt_value_ok(e->mean))
        return;
    double difference = e->mean.number - hypothesis->original_estimate;
    result->original_difference = rt_value(difference);
    result->original_p = rt_undefined(RT_REASON_SINGLE_LAB);
    if (!rt_value_ok(e->tau) || !rt_value_ok(e->se))
        return;
    double sd = sqrt(e->tau.number * e->tau.number + e->se.number * e->se.number +
                     hypothesis->original_se * hypothesis->original_se);
    if (sd > 0)
        result->original_p = rt_value(2 * rt_normal_cdf(-fabs(difference) / sd).lower);
}

// The first odd lab whose absence changes the verdict.
static enum rt_status without_odd(const struct rt_slice *slice, const struct rt_report_part *part,
                                  struct rt_hypothesis_result *result)
{
    bool *labs = rt_arena_array(slice->arena, slice->labs, sizeof *labs);
    if (!labs)
        return RT_NO_MEMORY;
    for (uint32_t l = 0; l < slice->labs && result->without_lab == RT_STUDY_NONE; l++) {
        if (!part->labs[l].odd)
            continue;
        struct rt_hypothesis_result other = {.hypothesis = result->hypothesis};
        for (size_t i = 0; i < slice->labs; i++)
            labs[i] = i != l;
        struct rt_filter filter = filter_of(result->hypothesis, labs);
        enum rt_status status = rt_estimate_make(slice, &filter, &other.estimate);
        if (status)
            return status;
        enum rt_verdict verdict = decide(slice, part, &other);
        if (verdict != result->verdict) {
            result->without_lab = l;
            result->without_verdict = verdict;
        }
    }
    return RT_OK;
}

enum rt_status rt_hypotheses_make(const struct rt_slice *slice, struct rt_report_part *part)
{
    const struct rt_study_plan *plan = &slice->study->plan;
    part->hypotheses =
        rt_arena_array(slice->arena, plan->hypothesis_count + 1, sizeof *part->hypotheses);
    if (!part->hypotheses)
        return RT_NO_MEMORY;
    for (size_t i = 0; i < plan->hypothesis_count; i++) {
        if (plan->hypotheses[i].subject != slice->subject)
            continue;
        struct rt_hypothesis_result *result = &part->hypotheses[part->hypothesis_count++];
        *result = (struct rt_hypothesis_result){.hypothesis = &plan->hypotheses[i],
                                                .without_lab = RT_STUDY_NONE};
        struct rt_filter filter = filter_of(result->hypothesis, NULL);
        enum rt_status status = rt_estimate_make(slice, &filter, &result->estimate);
        if (status)
            return status;
        result->verdict = decide(slice, part, result);
        against_original(result);
        status = rt_criteria_make(slice, &filter, result);
        if (status)
            return status;
        status = without_odd(slice, part, result);
        if (status)
            return status;
    }
    return RT_OK;
}

const char *rt_verdict_text(enum rt_verdict verdict)
{
    static const char *const texts[] = {"replicates", "does not replicate", "inconclusive",
                                        "instrument silent"};
    RT_ASSERT((size_t)verdict < sizeof texts / sizeof *texts);
    return texts[verdict];
}
