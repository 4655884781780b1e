// SPDX-License-Identifier: Apache-2.0
// Random-effects meta-analysis over labs: DerSimonian-Laird, Paule-Mandel and REML, Q, I^2, H^2,
// the Q-profile interval of the between-lab variance, Wald and Knapp-Hartung intervals and the
// prediction interval for the next lab (STATISTICS 3.6). Pure; no allocation; safe from any thread.
#ifndef RT_STATS_META_H
#define RT_STATS_META_H

#include "common/stats/value.h"

// One lab's estimate y and its sampling variance v > 0. Undefined entries are left out by the
// caller.
struct rt_effect {
    double y;
    double v;
};

enum rt_tau2_method { RT_TAU2_DL, RT_TAU2_PM, RT_TAU2_REML };

struct rt_meta {
    size_t labs;
    struct rt_value fixed_mu; // common-effect estimate and standard error
    struct rt_value fixed_se;
    struct rt_value q;
    struct rt_value q_p; // upper tail on labs - 1
    struct rt_value typical_variance;
    struct rt_value tau2;
    struct rt_value tau;
    struct rt_value i2_percent; // never a headline: tends to 100 with the number of trials
    struct rt_value h2;
    struct rt_value mu;
    struct rt_value se_wald;
    struct rt_value se_hk;
    struct rt_value hk_factor; // q of Knapp and Hartung; below 1 their interval is the narrower one
    struct rt_interval wald;   // of mu
    struct rt_interval hk;     // of mu, labs - 1 degrees of freedom
    struct rt_interval prediction;   // of the next lab's true value
    struct rt_interval tau2_profile; // Q-profile interval of tau^2
    struct rt_interval tau_profile;  // its square roots
    enum rt_reason
        note; // ZERO_WIDTH or NARROWER_THAN_WALD on the Knapp-Hartung interval, else NONE
};

// With one lab: fixed_mu and fixed_se are defined, everything else is single_lab. A v that is not
// above zero makes everything zero_within_variance.
void rt_meta(const struct rt_effect *labs, size_t count, enum rt_tau2_method method,
             double confidence, struct rt_meta *ret);

// Effect of one lab on another scale (STATISTICS 3.7); false (nothing written) where n = 0.
bool rt_effect_logit(struct rt_counts counts,
                     struct rt_effect *ret); // 1/2 added only where k = 0 or k = n
bool rt_effect_arcsine(struct rt_counts counts, struct rt_effect *ret); // asin sqrt p, 1/(4n)
// Back to a probability.
double rt_logit_inverse(double x);
double rt_arcsine_inverse(double x); // x is first moved into [0, pi/2]

#endif
