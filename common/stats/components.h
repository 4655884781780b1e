// SPDX-License-Identifier: Apache-2.0
// Variance components by Henderson's method I, which on balanced data is the classical analysis of
// variance, and what they project for other designs (STATISTICS 3.10). Working memory comes from
// the caller's arena. Pure; safe from any thread on different arenas.
#ifndef RT_STATS_COMPONENTS_H
#define RT_STATS_COMPONENTS_H

#include "common/stats/factor.h"
#include "common/stats/precision.h"
#include "common/stats/value.h"

#define RT_EFFECTS_MAX ((1u << RT_FACTORS_MAX) - 1)

struct rt_component {
    unsigned effect;     // bits of the factors; 0 is the residual
    size_t levels;       // cells' trials for the residual
    struct rt_value raw; // may be negative; or the reason why the effect was dropped
    struct rt_value truncated;
    struct rt_value percent; // of the truncated total
    enum rt_reason note;     // TRUNCATED_AT_ZERO or NONE
};

struct rt_components {
    uint64_t trials;
    size_t cells; // with trials
    struct rt_value mean;
    struct rt_value total; // truncated
    size_t effects; // entries of effect[]: those asked for, in their order, then the residual
    struct rt_component effect[RT_EFFECTS_MAX + 1];
};

// samples: one per cell of table (n = 0: missing). effects: masks asked for, count of them; all
// random. Effects with one level, with the partition of an earlier one, or with one trial per level
// are dropped, in order of increasing size, with that reason. singular_or_insufficient where the
// rest is not determined.
enum rt_status rt_components(const struct rt_factor_table *table, const struct rt_sample *samples,
                             const unsigned *effects, size_t count, struct rt_arena *arena,
                             struct rt_components *ret) RT_WARN_UNUSED;

// Components of lab, scenario, phrasing and their interactions, truncated at 0 before use.
struct rt_generalizability {
    double lab, scenario, phrasing;
    double lab_scenario, lab_phrasing, scenario_phrasing, lab_scenario_phrasing;
    double residual;
};

struct rt_design {
    double labs, scenarios, phrasings, replicates;
};

// Scenario is the object of measurement (Brennan 2001).
struct rt_projection {
    struct rt_value relative;      // error variance of differences between scenarios
    struct rt_value absolute;      // error variance of a scenario's level
    struct rt_value coefficient;   // generalizability, E rho^2
    struct rt_value dependability; // Phi
    struct rt_value grand_mean_se; // everything sampled anew
    struct rt_value new_lab_sd;    // a new lab's study mean, same scenarios and phrasings
};

void rt_project(const struct rt_generalizability *components, const struct rt_design *design,
                struct rt_projection *ret);

#endif
