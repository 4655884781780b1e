// SPDX-License-Identifier: Apache-2.0
// What a report says beyond its headline: variance components, how far phrasing and temperature
// move the rate, severity. Part of the model (model.h), under the same rules: numbers only,
// computed from a sealed study by pure functions, undefined with a reason, memory in the caller's
// arena, single-threaded.
//
// At temperature 0 identical outputs of a cell count once wherever the study knows them
// (STATISTICS, decision 4); everywhere else every trial counts. The second half of a null pair is
// never a phrasing of its own here: it would dilute every figure about phrasings.
#ifndef RT_REPORT_FURTHER_H
#define RT_REPORT_FURTHER_H

#include "common/report/slice.h"
#include "common/report/study.h"
#include "common/stats/accord.h"
#include "common/stats/agreement.h"
#include "common/stats/bootstrap.h"
#include "common/stats/components.h"
#include "common/stats/contrast.h"
#include "common/stats/disagreement.h"
#include "common/stats/icc.h"
#include "common/stats/meta.h"
#include "common/stats/ordinal.h"
#include "common/stats/replication.h"
#include "common/stats/sensitivity.h"
#include "common/stats/value.h"

// ---- variance components (STATISTICS 3.10)

// Bits of an effect.
#define RT_VARIANCE_LAB      1u
#define RT_VARIANCE_SCENARIO 2u
#define RT_VARIANCE_PHRASING 4u

struct rt_variance_projection {
    const char *label; // "as run", "twice the labs" ...
    struct rt_design design;
    struct rt_projection projection;
};

// One treatment arm at one temperature: both are fixed factors.
struct rt_variance_row {
    uint32_t arm, temperature;
    bool nested;  // phrasings are levels within their scenario
    bool reduced; // cells are missing or very unequal: no three-way interaction
    struct rt_components components;
    size_t labs, scenarios, phrasings; // with trials; phrasings: most in any scenario
    struct rt_variance_projection projections[6];
    size_t projection_count;
};

// ---- prompt and temperature sensitivity (STATISTICS 3.11)

enum rt_move_factor { RT_MOVE_PHRASING, RT_MOVE_TEMPERATURE, RT_MOVE_LAB, RT_MOVE_NULL_PAIR };

struct rt_move_row {
    enum rt_move_factor factor;
    uint32_t temperature; // or NONE: all of them
    struct rt_sensitivity sensitivity;
};

struct rt_temperature_row {
    uint32_t temperature;
    struct rt_level_margin margin;
};

// Phrasings of one scenario, each averaged over labs, temperatures and treatment arms.
struct rt_scenario_move {
    uint32_t scenario;
    size_t phrasings;
    struct rt_value low, high;       // the phrasings' rates
    struct rt_value spread;          // high - low
    struct rt_value corrected_sd;    // noise of counting removed, 0 where that leaves nothing
    struct rt_value counting_floor;  // the spread that counting noise alone is expected to give
    struct rt_value null_difference; // |difference| of the scenario's null pair
};

struct rt_moves {
    struct rt_move_row *rows;
    size_t row_count;
    struct rt_temperature_row *temperatures;
    size_t temperature_count;
    struct rt_scenario_move *scenarios;
    size_t scenario_count;
    struct rt_trend trend; // on trials pooled over cells that were run at every temperature
};

// ---- ordinal severity (STATISTICS 3.12)

enum rt_severity_by { RT_SEVERITY_ALL, RT_SEVERITY_TEMPERATURE, RT_SEVERITY_LAB };

struct rt_severity_row {
    enum rt_severity_by by;
    uint32_t level; // temperature or lab; NONE for all
    uint64_t counts[RT_SEVERITIES];
    uint64_t n;
    struct rt_value share[RT_SEVERITIES];
    struct rt_value at_least[RT_SEVERITIES]; // P(Y >= t); [0] is 1
    struct rt_value mean;
    struct rt_value dispersion;  // h^2
    struct rt_value superiority; // of a lab over the others together; no lab: single_level
};

struct rt_severity_test {
    uint32_t temperature; // or NONE
    struct rt_ordinal ordinal;
};

struct rt_severity {
    bool graded; // more than one severity above 0 is declared: else the rate says it all
    struct rt_severity_row *rows;
    size_t row_count;
    struct rt_severity_test *tests;
    size_t test_count;
    size_t conditions;
    uint64_t minority; // verdicts (lower medians) outside the commonest category, of `verdicts`
    uint64_t verdicts;
    bool shown; // else `reason`
    const char *reason;
    struct rt_coefficient ac2; // Gwet's, quadratic weights
    struct rt_value ordinal_alpha, interval_alpha;
};

// ---- tests for odd labs (STATISTICS 3.2, 3.15): one line a test and lab, adjusted together

struct rt_odd_test {
    const char *test; // "Grubbs", "Cochran C", "Mandel h", "Mandel k", "Algorithm A z", "z'" ...
    uint32_t lab;     // the one it points at
    struct rt_value statistic, critical;
    struct rt_value p;    // unadjusted
    struct rt_value holm; // over all lines of this subject and rater that have a p value
    struct rt_value benjamini_hochberg;
    bool flagged; // Holm's p <= 1 - confidence
};

struct rt_odd_tests {
    struct rt_odd_test *rows;
    size_t count;
    size_t looks; // lines with a p value
    size_t flagged;
};

// ---- what else is said about a hypothesis (STATISTICS 3.1, 3.13, 3.14)

struct rt_claim_check {
    // Valid at any stopping rule. A difference: both arms' sequences at half the error each.
    struct rt_interval sequence;
    // Two one-sided tests against the registered margin, differences only, at 2 confidence - 1.
    struct rt_interval newcombe; // all trials taken as independent
    struct rt_interval tost;     // on scenario means: this one decides
    bool has_margin, equivalent;
    // Against the original estimate, where one was registered.
    bool has_original;
    size_t labs;
    struct rt_replication criteria;
    const char *sentence; // the criteria in words; NULL without an original
};

// ---- resampling and reliability over labs (STATISTICS 3.4, 3.5, 3.9, 7)

struct rt_resampled {
    size_t replicates; // 0: none registered
    uint64_t seed;
    size_t scenarios, units;                                 // clusters, and conditions
    struct rt_bootstrap accordance, concordance, odds_ratio; // over scenarios
    struct rt_bootstrap alpha; // over conditions; not_registered where alpha is not shown
};

struct rt_reliability {
    size_t conditions, labs; // of the complete matrix
    struct rt_icc icc;
    struct rt_kendall kendall;
    struct rt_disagreement behaviour; // nominal
    struct rt_disagreement severity;  // ordinal
    struct rt_beta_binomial beta_binomial;
};

// ---- odds ratios of one level of a factor against another, per lab and pooled (STATISTICS 3.7)

struct rt_odds_lab {
    uint32_t lab;
    struct rt_mantel_haenszel ratio;
};

struct rt_odds_row {
    enum rt_move_factor factor; // RT_MOVE_TEMPERATURE or RT_MOVE_PHRASING
    uint32_t level, reference;
    struct rt_odds_lab *labs;
    size_t lab_count;
    size_t pooled; // labs with a ratio
    struct rt_meta dl, reml;
};

struct rt_odds {
    struct rt_odds_row *rows;
    size_t count;
};

// ---- do labs disagree, or do their serving stacks?

struct rt_stack_stratum {
    const char *value; // of the key, joined by " | " where a lab has several
    size_t labs;
    struct rt_value mean; // plain mean of the labs' standardised rates
};

// One fingerprint key on which compared labs differ.
struct rt_stack_key {
    const char *name;
    struct rt_stack_stratum *strata;
    size_t stratum_count;
    struct rt_value range;      // largest less smallest stratum mean
    struct rt_value tau_within; // DerSimonian-Laird, one tau for all strata
    struct rt_value q_between, q_p;
    struct rt_value explained; // share of the tau^2 over all labs that is gone within strata
};

struct rt_stacks {
    struct rt_value tau; // DerSimonian-Laird over all compared labs
    struct rt_stack_key *rows;
    size_t count;
};

// ---- language, a property of phrasings

struct rt_language_row {
    const char *language;
    size_t phrasings;
    size_t scenarios;
    struct rt_value mean; // plain mean of scenario means
    struct rt_interval like_these;
};

struct rt_language_pair {
    size_t a, b; // rows
    size_t scenarios;
    struct rt_value difference;
    struct rt_interval interval; // simultaneous (Bonferroni), t on scenario differences
};

struct rt_languages { // count is 0 where there are not two
    struct rt_language_row *rows;
    size_t count;
    struct rt_language_pair *pairs;
    size_t pair_count;
};

// ---- each scenario by itself

struct rt_scenario_row {
    uint32_t scenario;
    size_t conditions; // in which every compared lab has trials
    struct rt_value mean;
    struct rt_value effect; // treatment - inert of the first inert arm
};

struct rt_scenarios {
    struct rt_scenario_row *rows; // in the study's order, those with conditions
    size_t count;
};

#endif
