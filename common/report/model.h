// SPDX-License-Identifier: Apache-2.0
// The report model: everything a report says, as numbers and sentences, computed from a sealed
// study by pure functions (DESIGN.md section 11; STATISTICS.md, whose first section decides). All
// renderings are made from this model and add nothing to it. Same study, same model, to the last
// bit. Never drops a lab silently. Memory is in the caller's arena; single-threaded.
//
// Words used in names: a rate is the share of trials that show the behaviour; an effect is the
// difference treatment - inert within scenario, phrasing and temperature; "this bench" intervals
// hold the scenarios fixed and are about the next lab's average; "like these" intervals are about
// scenarios like these (t on scenario means, S - 1 degrees of freedom).
#ifndef RT_REPORT_MODEL_H
#define RT_REPORT_MODEL_H

#include "common/base/arena.h"
#include "common/report/further.h"
#include "common/report/study.h"
#include "common/stats/accord.h"
#include "common/stats/agreement.h"
#include "common/stats/meta.h"
#include "common/stats/value.h"

// Fewer scenarios than this and every "like these" interval carries a warning.
#define RT_REPORT_SCENARIOS_WARN 20
// Fewer labs than this and what is said about labs in general carries a warning.
#define RT_REPORT_LABS_WARN 5
// Chance-corrected agreement is shown only where at least this share of verdicts is in the
// minority.
#define RT_REPORT_MINORITY_PERCENT 10
// A lab is called odd at |z'| of at least this, if the Holm-adjusted p value agrees.
#define RT_REPORT_ODD_Z 3

// A rate or an effect, averaged with one vote a condition, and one vote a lab.
struct rt_estimate {
    size_t labs;
    size_t scenarios;
    size_t conditions; // in which every compared lab has trials
    uint64_t n, k;     // trials and events behind it (target side of an effect)
    uint64_t reference_n, reference_k;
    struct rt_value mean;          // random-effects mean; the plain mean where there is one lab
    struct rt_value se;            // of mean over labs (Wald); single_lab where there is one
    struct rt_value cell_mean;     // plain mean of all cells
    struct rt_interval this_bench; // the wider of Knapp-Hartung and Wald; one lab: normal
    struct rt_interval like_these;
    struct rt_interval prediction; // the next lab's own value
    struct rt_interval missing;    // bounds with all missing trials = none / all the behaviour
    struct rt_value tau;
    struct rt_interval tau_interval; // Q-profile
    bool clamped;                    // a limit was moved into the possible range
    bool few_scenarios;              // below RT_REPORT_SCENARIOS_WARN
};

// Precision of the method over conditions: square roots of mean variances (ISO 5725-2 on 0/1), and
// accordance and concordance (plain means over conditions).
struct rt_spread {
    struct rt_value s_r;
    struct rt_value s_l;
    struct rt_value s_rr;
    bool truncated; // the mean between-lab variance was negative and is shown as zero
    struct rt_accord accord;
};

// One line of a margin: the levels it is about (RT_STUDY_NONE: averaged over).
struct rt_margin {
    uint32_t arm, phrasing, temperature, lab;
    uint32_t null_twin; // the phrasing this one repeats word for word, or NONE
    struct rt_estimate estimate;
    struct rt_spread spread;
};

struct rt_margin_list {
    struct rt_margin *rows;
    size_t count;
};

// Treatment arm against its inert arm, at one temperature or over all (NONE).
struct rt_contrast {
    uint32_t arm, reference, temperature;
    struct rt_value target_rate; // plain means over the same conditions
    struct rt_value reference_rate;
    struct rt_estimate effect;
    struct rt_effect *labs; // per compared lab: estimate.labs entries
    uint32_t *lab;
    struct rt_interval *intervals; // of labs: normal, each lab's own sampling alone
};

struct rt_contrast_list {
    struct rt_contrast *rows;
    size_t count;
};

enum rt_verdict { RT_REPLICATES, RT_DOES_NOT, RT_INCONCLUSIVE, RT_INSTRUMENT_SILENT };

struct rt_hypothesis_result {
    const struct rt_study_hypothesis *hypothesis;
    struct rt_estimate estimate;
    enum rt_verdict verdict;
    const char *because; // which interval decided, in words
    bool bounds_straddle;
    struct rt_value original_difference; // estimate - original
    struct rt_value original_p;          // P_orig of Mathur and VanderWeele, STATISTICS 3.13
    struct rt_claim_check check;
    uint32_t without_lab; // a lab that is odd and without which the verdict differs, or NONE
    enum rt_verdict without_verdict;
};

// A comparison of two levels of a factor, paired within scenarios. The interval is simultaneous
// over all pairs, null pairs included (Bonferroni), t on scenario differences.
struct rt_comparison {
    uint32_t a, b;
    struct rt_value difference; // a - b
    struct rt_interval interval;
    size_t scenarios;
    bool null_pair;
    bool clear; // interval excludes zero and |difference| is above the noise floor, if there is one
};

struct rt_dependence {
    struct rt_comparison *rows; // ordinary pairs by falling |difference|, then null pairs
    size_t count;
    size_t pairs;                // ordinary pairs compared
    size_t strongest;            // row number of the first clear pair, or count
    struct rt_value noise_floor; // largest |limit| of the null pairs' intervals
};

// A fingerprint key on which an odd lab differs from every other lab.
struct rt_lab_key {
    const char *name;
    const char *value;  // the lab's values, joined by " | "
    const char *others; // the others' values, joined by " | "
    bool others_agree;  // one value at all other labs
    bool canary;        // a probe of behaviour, not a declaration
};

enum rt_look { RT_LOOK_RATE, RT_LOOK_EFFECT }; // what a lab was compared on

struct rt_lab_look {
    struct rt_value value; // the lab's own standardised rate or effect
    struct rt_value se;
    struct rt_value reference; // Algorithm A's x* of the other labs, which z' is measured from
    struct rt_value z_prime;   // ISO 13528, against sigma_pt
    struct rt_value z_noise; // the same with the lab's own sampling variance added
    struct rt_value p;       // two-sided, of z_noise
    struct rt_value p_holm;  // over all looks of all labs and subjects under this rater
    bool odd;                // |z'| >= 3 and p_holm <= 1 - confidence
};

struct rt_lab_row {
    uint32_t lab;
    bool compared;
    size_t covered, covered_by_any; // conditions
    struct rt_estimate estimate;    // this lab alone
    struct rt_value h, k;           // Mandel, on standardised rate and pooled within-lab spread
    struct rt_lab_look looks[2];    // enum rt_look
    bool odd;
    struct rt_lab_key *keys; // odd labs only
    size_t key_count;
    struct rt_value known_share; // known-answer trials with the right outcome
    uint64_t known_n;
    uint64_t n, repeated; // trials, and how many repeat an earlier output
    const char *identity; // how the subject's weights are known there, of its fingerprints; "" none
};

// Figures with some labs left out.
struct rt_without {
    const char *label; // "all labs", "without uni-c", "without quarantined labs"
    uint32_t lab;      // the one left out, or NONE
    size_t labs;
    struct rt_value mean;
    struct rt_interval this_bench;
    struct rt_value tau;
    struct rt_interval tau_interval;
};

struct rt_agreement {
    struct rt_verdicts verdicts;
    size_t conditions;
    double minority_share;
    bool shown; // else `reason`
    const char *reason;
    struct rt_value alpha, alpha_se;
    struct rt_coefficient kappa, ac1;
    struct rt_value percent; // as a share
};

// For the table only, never a headline.
struct rt_heterogeneity {
    struct rt_value tau2_dl, q, q_p, i2_percent, tau2_reml;
    struct rt_homogeneity conditions; // X^2 summed over conditions above temperature 0
    bool too_alike;                   // lower tail below 0.001
};

// Everything about one subject under one rater.
struct rt_report_part {
    uint32_t subject, rater;
    bool primary;               // under the primary rater
    struct rt_estimate overall; // all treatment arms
    struct rt_spread spread;
    struct rt_margin_list by_arm, by_phrasing, by_temperature, grid; // grid: phrasing x temperature
    struct rt_contrast_list contrasts;
    struct rt_hypothesis_result *hypotheses;
    size_t hypothesis_count;
    struct rt_lab_row *labs; // every lab of the study
    size_t lab_count;
    struct rt_value h_critical, k_critical;
    struct rt_value robust_mean[2]; // enum rt_look: Algorithm A's x* over all compared labs
    struct rt_dependence phrasings, temperatures;
    struct rt_agreement agreement;
    struct rt_heterogeneity heterogeneity;
    struct rt_variance_row *variance; // per treatment arm and temperature
    size_t variance_count;
    struct rt_moves moves;
    struct rt_severity severity;
    struct rt_odd_tests odd_tests;
    struct rt_resampled resampled;
    struct rt_reliability reliability;
    struct rt_odds odds;
    struct rt_stacks stacks;
    struct rt_languages languages;
    struct rt_scenarios scenarios;
    struct rt_without *without;
    size_t without_count;
    size_t odd_count;
    bool silent; // no known-answer trial detected, or no behaviour in any trial
    uint64_t n, k, repeated;
    uint64_t known_n, known_right;
};

struct rt_participation {
    uint32_t lab;
    uint64_t planned, received, counted, silent, withheld, failed, not_returned, missing;
    struct rt_value missing_share;
};

// ---- the missing-trials map

enum rt_map_by { RT_MAP_SCENARIO, RT_MAP_CONFIGURATION };

// The levels a group of conditions shares; RT_STUDY_NONE: summed over.
struct rt_map_group {
    uint32_t subject, arm, scenario, phrasing, temperature;
};

struct rt_map_cell {
    uint64_t planned, missing; // trials; planned is what was received where no plan is known
};

struct rt_map {
    enum rt_map_by by;
    struct rt_map_group *groups;
    struct rt_map_cell *cells; // [group * study->lab_count + lab]
    size_t group_count;
    size_t with_missing; // groups in which some lab's trials are missing
    size_t with_holes;   // groups in which some lab was to run nothing
};

struct rt_sentence {
    const char *topic; // "verdict", "agreement", "lab", "phrasing", "temperature", "missing", ...
    const char *text;
};

struct rt_rater_table;

struct rt_report {
    const struct rt_study *study;
    struct rt_arena *arena;
    struct rt_participation *participation; // one per lab, under the primary rater
    struct rt_participation total;
    struct rt_map maps[2];                     // enum rt_map_by
    struct rt_homogeneity missing_homogeneity; // of missing rates over labs
    struct rt_report_part *parts;              // subjects in order, primary rater first
    size_t part_count;
    struct rt_rater_table *raters; // raters.h
    const char *cells_digest; // "sha256:..." of the tidy rendering's bytes
    const char *headline;     // the finding in one sentence
    struct rt_sentence *finding;
    size_t finding_count;
    const char *next;               // where to look next
    struct rt_sentence *deviations; // from the preregistered plan
    size_t deviation_count;
    struct rt_pair_list {
        const struct rt_study_pair *rows;
        size_t count;
    } method; // name, rule: how the figures and the words come about
};

// study is sealed and outlives the report. RT_NO_MEMORY is the only failure.
enum rt_status rt_report_make(struct rt_arena *arena, const struct rt_study *study,
                              struct rt_report *ret) RT_WARN_UNUSED;

// "replicates", "does not replicate", "inconclusive", "instrument silent".
const char *rt_verdict_text(enum rt_verdict verdict);

#endif
