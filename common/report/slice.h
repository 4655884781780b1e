// SPDX-License-Identifier: Apache-2.0
// Numbers of one subject under one rater, laid out for computing: a dense table of trials, events
// and missing trials per (arm, scenario, phrasing, temperature) and lab, and blocks, which are
// complete condition x lab matrices of rates or of treatment - inert differences. Private to
// common/report. Pure; results live in the caller's arena.
#ifndef RT_REPORT_SLICE_H
#define RT_REPORT_SLICE_H

#include "common/base/arena.h"
#include "common/report/study.h"
#include "common/stats/contrast.h"
#include "common/stats/meta.h"
#include "common/stats/precision.h"

// A lab is compared with others only where it has trials in at least this share (percent) of the
// conditions any lab has: one that left early would otherwise shrink the common ground of all.
#define RT_REPORT_COVERAGE_PERCENT 80

#define RT_SEVERITIES 5

struct rt_slice {
    const struct rt_study *study;
    struct rt_arena *arena;
    uint32_t subject;
    uint32_t rater;
    size_t places; // arms x scenarios x phrasings x temperatures
    size_t labs;
    struct rt_counts *counts;      // [place * labs + lab]; n: denominator, k: behaviour
    uint64_t *missing;             // [place * labs + lab]
    uint64_t *repeated;            // [place * labs + lab], of n
    struct rt_counts *distinct;    // as counts, outputs that repeat an earlier one left out
    struct rt_counts *independent; // distinct at temperature 0, counts elsewhere
    uint64_t
        *severities; // [(place * labs + lab) * RT_SEVERITIES + severity], trials as independent
    struct rt_sample *samples; // [place * labs + lab] of a study of scores, else NULL; counts has n
    double *score_variance;    // [temperature] within cells, pooled; negative: no cell has two
    bool *compared;            // [lab]
    size_t *covered;           // [lab] conditions with trials
    size_t covered_by_any;
    uint64_t events; // of all trials, known-answer scenarios included
};

// Where a place lies.
struct rt_slice_place {
    uint32_t arm;
    uint32_t scenario;
    uint32_t phrasing;
    uint32_t temperature;
};

enum rt_status rt_slice_make(struct rt_arena *arena, const struct rt_study *study, uint32_t subject,
                             uint32_t rater, struct rt_slice *ret) RT_WARN_UNUSED;
size_t rt_slice_place(const struct rt_slice *slice, struct rt_slice_place at);
struct rt_slice_place rt_slice_at(const struct rt_slice *slice, size_t place);

// score.c: samples of a study of scores in place of counts; and one temperature's pooled variance.
enum rt_status rt_slice_scores(struct rt_slice *slice) RT_WARN_UNUSED;
double rt_slice_score_variance(const struct rt_slice *slice, uint32_t temperature);
// The cell at [place * labs + lab] for what works on any score; 0/1 outcomes as independent.
struct rt_sample rt_slice_sample(const struct rt_slice *slice, size_t entry);

// Which places and labs a figure is about. RT_STUDY_NONE: any; arm NONE: all treatment arms.
// Known-answer scenarios are never part of a figure. labs: one flag per lab, or NULL for all
// compared labs (a lab that is not compared is left out in either case).
struct rt_filter {
    uint32_t arm;
    uint32_t phrasing;
    uint32_t temperature;
    uint32_t reference; // arm: the figure is the difference arm - reference; NONE: a rate
    const bool *labs;
};
#define RT_FILTER_ALL                                                                              \
    (struct rt_filter)                                                                             \
    {                                                                                              \
        RT_STUDY_NONE, RT_STUDY_NONE, RT_STUDY_NONE, RT_STUDY_NONE, NULL                           \
    }

// A complete matrix: every lab has trials in every condition kept. y is a rate or a difference of
// rates; v its sampling variance (Beta posterior variance, STATISTICS 3.7).
struct rt_block {
    size_t labs;
    uint32_t *lab; // study lab of each column
    size_t conditions;
    struct rt_slice_place *at; // [condition]
    double *y;                 // [condition * labs + column]
    double *v;
    uint64_t n, k;                     // of the target side
    uint64_t reference_n, reference_k; // of the reference side; 0 for rates
    // Cells of the target arm with trials, complete or not, for what does not need completeness.
    size_t rows;
    struct rt_counts *cells;   // [row * labs + column]
    struct rt_sample *samples; // as cells, of a study of scores; else NULL
    const bool *by_square;     // [temperature] replicates say nothing: variances are mean squares
    bool unreplicated;         // a study of scores with such a temperature above 0
    struct rt_slice_place *row_at;
};

enum rt_status rt_block_make(const struct rt_slice *slice, const struct rt_filter *filter,
                             struct rt_block *ret) RT_WARN_UNUSED;

// Each column's mean and variance. At temperature 0 replicates are no independent trials, so those
// rows take their variance from the lab x condition mean square (STATISTICS, decision 4) wherever
// there are two rows and two labs. ret: block->labs entries. NO_COMMON_CONDITIONS where empty.
enum rt_reason rt_block_effects(const struct rt_block *block, const struct rt_study *study,
                                struct rt_arena *arena, struct rt_effect *ret);

// Means over everything but the scenario, one per scenario of the block, in scenario order. column:
// one lab only, or RT_STUDY_NONE for the plain mean over labs. ret and workspace have
// study->scenario_count entries. Returns how many means there are.
size_t rt_block_scenario_means(const struct rt_block *block, const struct rt_study *study,
                               uint32_t column, double *ret, double *workspace);

// The two extreme figures that missing trials allow: all of them the behaviour, none of them.
// Averages over all planned cells of all labs (or of the filter's), one cell one vote, whether
// compared or not. NO_TRIALS where nothing was planned.
struct rt_interval rt_slice_bounds(const struct rt_slice *slice, const struct rt_filter *filter);

#endif
