// SPDX-License-Identifier: Apache-2.0
#include "common/stats/replication.h"

#include <math.h>

#include "common/stats/special.h"
#include "common/stats/summary.h"

#define SQRT_GOLDEN 1.27201964951406896425

static enum rt_answer answer(bool yes)
{
    return yes ? RT_ANSWER_YES : RT_ANSWER_NO;
}

// z_S of Held (2020) from the squared z values of original and replication and c = so^2 / sr^2.
static double sceptical_z(double original2, double replication2, double c)
{
    double arithmetic = (original2 + replication2) / 2;
    double harmonic = 2 / (1 / original2 + 1 / replication2);
    double square = harmonic / 2;
    if (c != 1) {
        double root = sqrt(arithmetic * (arithmetic + (c - 1) * harmonic));
        square = (root - arithmetic) / (c - 1);
    }
    return sqrt(fmax(0, square));
}

static void sceptical(struct rt_effect original, double mu, double se, struct rt_replication *ret)
{
    double zo2 = original.y * original.y / original.v, zr2 = mu * mu / (se * se);
    struct rt_value none = rt_undefined(RT_REASON_NO_VARIATION);
    ret->sceptical_nominal = ret->sceptical_golden = none;
    if (!(zo2 > 0) || !(zr2 > 0))
        return;
    double z = sceptical_z(zo2, zr2, original.v / (se * se));
    struct rt_tails nominal = rt_normal_cdf(z), golden = rt_normal_cdf(z * SQRT_GOLDEN);
    bool same = original.y * mu > 0;
    ret->sceptical_nominal = rt_value(same ? nominal.upper : nominal.lower);
    ret->sceptical_golden = rt_value(same ? golden.upper : golden.lower);
}

static void against_pool(struct rt_effect original, double z, struct rt_replication *ret)
{
    double mu = ret->pooled.mu.number, se = ret->pooled.se_wald.number;
    double tau = ret->pooled.tau.number;
    double sign = original.y < 0 ? -1 : 1;
    double both = original.v + se * se, gap = original.y - mu;
    ret->pooled_significant_same_sign = answer(sign * mu > z * se);
    ret->original_in_pooled_interval = answer(fabs(gap) <= z * se);
    ret->prediction_of_pooled =
        rt_interval(original.y - z * sqrt(both), original.y + z * sqrt(both));
    ret->pooled_in_prediction = answer(fabs(gap) <= z * sqrt(both));
    ret->q = rt_value(gap * gap / both);
    ret->q_p = rt_value(rt_chi2_cdf(gap * gap / both, 1).upper);
    ret->p_orig = rt_value(fmin(1, 2 * rt_normal_cdf(fabs(gap) / sqrt(tau * tau + both)).upper));
    if (tau > 0)
        ret->share_same_sign = rt_value(rt_normal_cdf(sign * mu / tau).lower);
    else
        ret->share_same_sign = rt_value(sign * mu > 0);
    sceptical(original, mu, se, ret);
}

void rt_replication(struct rt_effect original, const struct rt_effect *labs, size_t count,
                    double confidence, struct rt_replication *ret)
{
    double z = rt_normal_upper(rt_tail(confidence));
    double sign = original.y < 0 ? -1 : 1;
    *ret = (struct rt_replication){0};
    rt_meta(labs, count, RT_TAU2_DL, confidence, &ret->pooled);
    for (size_t i = 0; i < count; i++) {
        ret->labs_same_sign += sign * labs[i].y > 0;
        ret->labs_significant_same_sign += sign * labs[i].y > z * sqrt(labs[i].v);
    }
    enum rt_reason reason = ret->pooled.mu.reason;
    if (reason == RT_REASON_NONE && !(original.v > 0))
        reason = RT_REASON_ZERO_WITHIN_VARIANCE;
    if (reason == RT_REASON_NONE) {
        against_pool(original, z, ret);
        return;
    }
    struct rt_value none = rt_undefined(reason);
    ret->pooled_significant_same_sign = ret->original_in_pooled_interval = RT_ANSWER_UNKNOWN;
    ret->pooled_in_prediction = RT_ANSWER_UNKNOWN;
    ret->prediction_of_pooled = rt_interval_undefined(reason);
    ret->q = ret->q_p = ret->p_orig = ret->share_same_sign = none;
    ret->sceptical_nominal = ret->sceptical_golden = none;
}

enum rt_answer rt_claim_replicates(struct rt_interval prediction, double threshold, int direction)
{
    if (!rt_interval_ok(prediction))
        return RT_ANSWER_UNKNOWN;
    if (prediction.lower > threshold)
        return answer(direction > 0);
    if (prediction.upper < threshold)
        return answer(direction < 0);
    return RT_ANSWER_UNKNOWN;
}
