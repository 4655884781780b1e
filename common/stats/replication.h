// SPDX-License-Identifier: Apache-2.0
// Does an original claim replicate in the labs: a table of criteria side by side and no single bit
// (STATISTICS 3.13). Pure; no allocation; safe from any thread.
#ifndef RT_STATS_REPLICATION_H
#define RT_STATS_REPLICATION_H

#include "common/stats/meta.h"
#include "common/stats/value.h"

enum rt_answer { RT_ANSWER_NO, RT_ANSWER_YES, RT_ANSWER_UNKNOWN };

struct rt_replication {
    struct rt_meta pooled;             // DerSimonian-Laird over labs
    size_t labs_same_sign;             // as the original
    size_t labs_significant_same_sign; // and |y| beyond z sqrt(v)
    enum rt_answer pooled_significant_same_sign;
    enum rt_answer original_in_pooled_interval;
    struct rt_interval prediction_of_pooled; // original +- z sqrt(so^2 + se^2)
    enum rt_answer pooled_in_prediction;
    struct rt_value q; // (original - pooled)^2 / (so^2 + se^2) on 1 degree of freedom
    struct rt_value q_p;
    struct rt_value p_orig;            // Mathur and VanderWeele (2020)
    struct rt_value share_same_sign;   // of true effects, normal model
    struct rt_value sceptical_nominal; // one-sided, Held (2020)
    struct rt_value sceptical_golden;  // with the golden level
};

// original.v is so^2. Without two labs the pooled figures are single_lab.
void rt_replication(struct rt_effect original, const struct rt_effect *labs, size_t count,
                    double confidence, struct rt_replication *ret);

// A claim about a rate without an original estimate: the prediction interval lies wholly above
// (direction +1) or below (-1) the preregistered threshold. UNKNOWN where it contains the threshold
// or is undefined; NO where it lies wholly on the other side.
enum rt_answer rt_claim_replicates(struct rt_interval prediction, double threshold, int direction);

#endif
