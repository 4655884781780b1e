// SPDX-License-Identifier: Apache-2.0
// A hypothesis beside its verdict: an interval that any stopping rule leaves valid, equivalence
// against the registered margin, and the criteria of replication side by side (STATISTICS 3.1,
// 3.13, 3.14). None of it changes the verdict.
#include "common/report/parts.h"
#include "common/report/words.h"
#include "common/stats/interval.h"

static struct rt_interval sequence(const struct rt_estimate *e, double confidence)
{
    struct rt_counts target = {e->n, e->k}, reference = {e->reference_n, e->reference_k};
    if (!e->n)
        return rt_interval_undefined(RT_REASON_NO_TRIALS);
    if (!e->reference_n)
        return rt_interval_sequence(target, 1, 1, 1 - confidence);
    struct rt_interval up = rt_interval_sequence(target, 1, 1, (1 - confidence) / 2);
    struct rt_interval down = rt_interval_sequence(reference, 1, 1, (1 - confidence) / 2);
    return rt_interval(up.lower - down.upper, up.upper - down.lower);
}

static enum rt_status equivalence(const struct rt_slice *slice, const struct rt_block *block,
                                  struct rt_hypothesis_result *result)
{
    const struct rt_study *study = slice->study;
    struct rt_claim_check *check = &result->check;
    const struct rt_estimate *e = &result->estimate;
    double level = 2 * study->plan.confidence - 1; // each side is tested at 1 - confidence
    double *means = rt_arena_array(slice->arena, study->scenario_count * 2, sizeof *means);
    if (!means)
        return RT_NO_MEMORY;
    check->newcombe = rt_interval_rate_difference(
        (struct rt_counts){e->n, e->k}, (struct rt_counts){e->reference_n, e->reference_k}, level);
    size_t scenarios =
        rt_block_scenario_means(block, study, RT_STUDY_NONE, means, means + study->scenario_count);
    check->tost = scenarios ? rt_interval_mean_t(means, scenarios, level)
                            : rt_interval_undefined(RT_REASON_NO_COMMON_CONDITIONS);
    check->equivalent = rt_interval_ok(check->tost) &&
                        rt_interval_equivalent(check->tost, result->hypothesis->margin);
    return RT_OK;
}

static const char *yes(enum rt_answer answer)
{
    return answer == RT_ANSWER_YES ? "" : "not ";
}

static const char *sentence(const struct rt_slice *slice, const struct rt_hypothesis_result *result)
{
    const struct rt_claim_check *check = &result->check;
    const struct rt_replication *c = &check->criteria;
    struct rt_words words = {slice->arena, ""};
    rt_words_add(&words,
                 "%zu of %zu lab%s the sign of the original, %zu of them with an interval "
                 "of their own that excludes zero",
                 c->labs_same_sign, check->labs, check->labs == 1 ? " has" : "s have",
                 c->labs_significant_same_sign);
    if (!rt_value_ok(c->pooled.mu) || !rt_interval_ok(c->prediction_of_pooled)) {
        rt_words_add(&words, "; the pooled criteria need two labs and an original with a standard "
                             "error.");
        return words.text;
    }
    const char *mu = rt_words_number(slice->arena, c->pooled.mu);
    const char *interval = rt_words_interval(slice->arena, c->pooled.wald);
    const char *p = rt_words_p(slice->arena, c->p_orig);
    if (!mu || !interval || !p)
        return NULL;
    rt_words_add(&words,
                 "; pooled %s (%s), %sof the original's sign with an interval that excludes zero; "
                 "the original's %.10g lies %sinside the pooled interval, and the pooled value %s"
                 "inside what the original predicts; P_orig %s%s.",
                 mu, interval, yes(c->pooled_significant_same_sign),
                 result->hypothesis->original_estimate, yes(c->original_in_pooled_interval),
                 yes(c->pooled_in_prediction), c->p_orig.number < 0.001 ? "" : "= ", p);
    return words.text;
}

enum rt_status rt_criteria_make(const struct rt_slice *slice, const struct rt_filter *filter,
                                struct rt_hypothesis_result *result)
{
    const struct rt_study_hypothesis *hypothesis = result->hypothesis;
    struct rt_claim_check *check = &result->check;
    double confidence = slice->study->plan.confidence;
    struct rt_block block;
    *check = (struct rt_claim_check){.newcombe = rt_interval_undefined(RT_REASON_NOT_REGISTERED),
                                     .tost = rt_interval_undefined(RT_REASON_NOT_REGISTERED),
                                     .has_margin = hypothesis->has_margin &&
                                                   hypothesis->measure == RT_STUDY_RISK_DIFFERENCE,
                                     .has_original = hypothesis->has_original};
    check->sequence = sequence(&result->estimate, confidence);
    enum rt_status status = rt_block_make(slice, filter, &block);
    if (!status && check->has_margin)
        status = equivalence(slice, &block, result);
    if (status || !check->has_original)
        return status;
    struct rt_effect *effects = rt_arena_array(slice->arena, block.labs + 1, sizeof *effects);
    if (!effects)
        return RT_NO_MEMORY;
    bool some = rt_block_effects(&block, slice->study, slice->arena, effects) == RT_REASON_NONE;
    check->labs = some ? block.labs : 0;
    rt_replication((struct rt_effect){hypothesis->original_estimate,
                                      hypothesis->original_se * hypothesis->original_se},
                   effects, check->labs, confidence, &check->criteria);
    check->sentence = sentence(slice, result);
    return check->sentence ? RT_OK : RT_NO_MEMORY;
}
