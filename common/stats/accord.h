// SPDX-License-Identifier: Apache-2.0
// Agreement of yes/no outcomes inside and between labs: accordance, concordance and their odds
// ratio (Langton et al. 2002), homogeneity over labs with both tails, and the beta-binomial model
// (STATISTICS 3.3, 3.5). Pure; no allocation; safe from any thread.
#ifndef RT_STATS_ACCORD_H
#define RT_STATS_ACCORD_H

#include "common/stats/value.h"

struct rt_accord {
    struct rt_value accordance;  // two trials of one lab agree; one lab, one vote; labs with n >= 2
    struct rt_value concordance; // a trial of one lab and a trial of another agree
    struct rt_value odds_ratio;  // A(1 - C) / (C(1 - A)); above 1 where labs differ
    size_t within;               // labs, or conditions in a study, behind accordance
    size_t between;              // labs, or conditions in a study, behind concordance
};

// One condition: labs holds one cell per lab, count of them.
void rt_accord(const struct rt_counts *labs, size_t count, struct rt_accord *ret);
// The study: plain means over conditions of 1 - A (with a lab of n >= 2) and of 1 - C (with two
// labs).
void rt_accord_study(const struct rt_count_table *table, struct rt_accord *ret);

// The odds ratio from the disagreements 1 - A and 1 - C.
struct rt_value rt_accord_odds_ratio(double within, double between);

struct rt_homogeneity {
    struct rt_value chi2;    // Pearson X^2 over labs
    struct rt_value p_upper; // small: labs differ
    struct rt_value p_lower; // below 0.001: labs too alike; suspect shared seeds, caches or copies
    struct rt_value g;       // likelihood ratio statistic, on the same degrees of freedom
    struct rt_value g_p;
    uint64_t df;
};

void rt_homogeneity(const struct rt_counts *labs, size_t count, struct rt_homogeneity *ret);
// X^2 and df summed over the conditions that are not degenerate; g is summed alike.
void rt_homogeneity_study(const struct rt_count_table *table, struct rt_homogeneity *ret);

struct rt_beta_binomial {
    struct rt_value mu;
    struct rt_value rho;    // intra-lab correlation, 1 / (alpha + beta + 1)
    struct rt_value loglik; // with the binomial coefficients
    enum rt_reason note;    // BOUNDARY_RHO_ZERO where rho is 0 because the binomial is not beaten
};

// Maximum likelihood over labs.
void rt_beta_binomial(const struct rt_counts *labs, size_t count, struct rt_beta_binomial *ret);

#endif
