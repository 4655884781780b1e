// SPDX-License-Identifier: Apache-2.0
// A bootstrap anyone can repeat: Philox4x64-10 (Salmon et al. 2011) keyed by seed and stream, so
// any replicate can be computed alone, in any order, on any machine, and percentile intervals by
// order statistics (STATISTICS 7). Units are resampled, never trials. Pure; the caller lends the
// workspace; safe from any thread.
#ifndef RT_STATS_BOOTSTRAP_H
#define RT_STATS_BOOTSTRAP_H

#include "common/stats/agreement.h"
#include "common/stats/philox.h"
#include "common/stats/value.h"

#define RT_BOOTSTRAP_REPLICATES 1999

// A resampling scheme. stream is one fixed number per scheme, so that all statistics share its
// resamples.
struct rt_bootstrap_plan {
    uint64_t seed; // of the registered protocol
    uint64_t stream;
    size_t replicates;
    double confidence;
};

// FNV-1a of the scheme's name.
uint64_t rt_bootstrap_stream(const char *name);
// Draw number draw of replicate: a place below count > 0.
size_t rt_bootstrap_index(const struct rt_bootstrap_plan *plan, size_t replicate, size_t draw,
                          size_t count);

struct rt_bootstrap {
    struct rt_interval interval; // too_many_undefined where over a tenth of the replicates are
    size_t undefined;
};

// Statistic of one resample: drawn holds the places of count units.
typedef struct rt_value rt_bootstrap_statistic(const size_t *drawn, size_t count,
                                               const void *context);

// One replicate. drawn: count sizes of workspace.
struct rt_value rt_bootstrap_replicate(const struct rt_bootstrap_plan *plan, size_t replicate,
                                       size_t count, rt_bootstrap_statistic *statistic,
                                       const void *context, size_t *drawn);
// All of them. values: plan->replicates doubles of workspace, left holding the defined ones in
// ascending order.
void rt_bootstrap_run(const struct rt_bootstrap_plan *plan, size_t count,
                      rt_bootstrap_statistic *statistic, const void *context, size_t *drawn,
                      double *values, struct rt_bootstrap *ret);

// Krippendorff's alpha over resampled units.
struct rt_bootstrap_alpha {
    const struct rt_rating_patterns *patterns;
    enum rt_metric metric;
};
struct rt_value rt_bootstrap_alpha(const size_t *drawn, size_t count, const void *context);

// Study agreement over resampled clusters (scenarios): a drawn one brings all its conditions.
struct rt_accord_cluster {
    double within; // sums of 1 - A and 1 - C over its conditions, and how many there are
    double between;
    size_t conditions_within;
    size_t conditions_between;
};
// clusters[condition] is the cluster of each condition of table; ret has count entries.
void rt_accord_clusters(const struct rt_count_table *table, const size_t *clusters, size_t count,
                        struct rt_accord_cluster *ret);
// context: const struct rt_accord_cluster *.
rt_bootstrap_statistic rt_bootstrap_accordance, rt_bootstrap_concordance, rt_bootstrap_odds_ratio;

#endif
