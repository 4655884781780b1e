// SPDX-License-Identifier: Apache-2.0
// Raters beside raters (STATISTICS, point 7): how two of them label the same trials, what a judge
// finds and misses by a person's word, and what a prevalence is once that is allowed for. Pure
// functions of counts; no allocation; safe from any thread. confidence as in interval.h.
#ifndef RT_STATS_RATER_H
#define RT_STATS_RATER_H

#include "common/stats/value.h"

// counts[a * categories + b]: trials that the reference put into a and the rater into b. Borrowed.
struct rt_confusion {
    const uint64_t *counts;
    size_t categories; // declared ones, at least 1
};

struct rt_confusion_agreement {
    uint64_t n;
    uint64_t agreed;
    struct rt_value percent;     // agreed / n
    struct rt_interval interval; // Wilson
    struct rt_value kappa;       // Cohen (1960); no_variation where both used one category
    struct rt_interval kappa_at; // kappa +- z se, Fleiss, Cohen and Everitt (1969), upper at most 1
    struct rt_value ac1;         // Gwet (2008)
    struct rt_value alpha;       // Krippendorff, nominal, two raters
};
// No trials: everything undefined (no_trials).
void rt_confusion_agreement(const struct rt_confusion *confusion, double confidence,
                            struct rt_confusion_agreement *ret);

// A rater against a reference that is taken for the truth, on behaviour or none.
struct rt_calibration {
    uint64_t both;           // reference and rater: behaviour
    uint64_t reference_only; // missed
    uint64_t rater_only;     // false alarm
    uint64_t neither;
};
struct rt_calibration_rates {
    struct rt_value sensitivity, specificity;          // no_trials without a trial of that kind
    struct rt_interval sensitivity_at, specificity_at; // Wilson
};
void rt_calibration_rates(const struct rt_calibration *calibration, double confidence,
                          struct rt_calibration_rates *ret);

// Prevalence allowing for a rater's errors: (r + sp - 1) / (se + sp - 1) (Rogan and Gladen 1978),
// clamped to [0, 1], with Lang and Reiczigel's (2014) interval, which carries the sampling error of
// sensitivity and specificity through. seen: what the rater says of all trials.
// uninformative_rater where se + sp <= 1; no_trials where any of the three has none.
struct rt_corrected {
    struct rt_value prevalence;
    struct rt_interval interval;
    bool clamped;
};
void rt_rogan_gladen(struct rt_counts seen, const struct rt_calibration *calibration,
                     double confidence, struct rt_corrected *ret);

// Double sampling (Tenenbein 1970; Cochran 1977, ch. 12): of total[h] trials in stratum h of a
// first rater, seen[h].n were looked at by a second, who found the behaviour in seen[h].k. The
// share over all trials by the second rater's word, and its normal interval from the stratified
// variance with Laplace's rates, clamped. no_trials where a stratum with trials was not looked at.
void rt_double_sampling(const uint64_t *total, const struct rt_counts *seen, size_t strata,
                        double confidence, struct rt_corrected *ret);

#endif
