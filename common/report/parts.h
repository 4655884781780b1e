// SPDX-License-Identifier: Apache-2.0
// The pieces rt_report_make is put together from, one source file each. Private to common/report.
// Pure; memory in the slice's or report's arena.
#ifndef RT_REPORT_PARTS_H
#define RT_REPORT_PARTS_H

#include "common/report/model.h"
#include "common/report/slice.h"
#include "common/stats/precision.h"

// estimate.c
enum rt_status rt_estimate_make(const struct rt_slice *slice, const struct rt_filter *filter,
                                struct rt_estimate *ret) RT_WARN_UNUSED;
enum rt_status rt_estimate_block(const struct rt_slice *slice, const struct rt_filter *filter,
                                 const struct rt_block *block,
                                 struct rt_estimate *ret) RT_WARN_UNUSED;
// One lab's difference of rates with the normal interval of its own sampling, inside [-1, 1]
// where it is no difference of scores.
struct rt_interval rt_lab_interval(struct rt_effect lab, double confidence, bool scores);
enum rt_status rt_spread_block(struct rt_arena *arena, const struct rt_block *block,
                               struct rt_spread *ret) RT_WARN_UNUSED;

// margins.c: by_arm, by_phrasing, by_temperature, grid, contrasts of part.
enum rt_status rt_margins_make(const struct rt_slice *slice,
                               struct rt_report_part *part) RT_WARN_UNUSED;
enum rt_status rt_contrasts_make(const struct rt_slice *slice,
                                 struct rt_report_part *part) RT_WARN_UNUSED;

// compare.c
enum rt_status rt_dependence_make(const struct rt_slice *slice,
                                  struct rt_report_part *part) RT_WARN_UNUSED;

// labs.c: rows, h, k and looks (without Holm).
enum rt_status rt_labs_make(const struct rt_slice *slice,
                            struct rt_report_part *part) RT_WARN_UNUSED;
// Within-lab variation of a column pooled over conditions, as one sample whose variance is the
// pooled one and whose mean is the one given.
struct rt_sample rt_lab_sample(const struct rt_block *block, size_t column, double mean);
// Holm over the looks of all parts under each rater, then the odd flags.
enum rt_status rt_labs_flag(struct rt_report *report) RT_WARN_UNUSED;

// agree.c: agreement on verdicts, heterogeneity table, figures with labs left out (needs the
// flags).
enum rt_status rt_agreement_make(const struct rt_slice *slice,
                                 struct rt_report_part *part) RT_WARN_UNUSED;

enum rt_status rt_heterogeneity_make(const struct rt_slice *slice,
                                     struct rt_report_part *part) RT_WARN_UNUSED;
enum rt_status rt_without_make(const struct rt_slice *slice,
                               struct rt_report_part *part) RT_WARN_UNUSED;

// variance.c, moves.c, severity.c
enum rt_status rt_variance_make(const struct rt_slice *slice,
                                struct rt_report_part *part) RT_WARN_UNUSED;
enum rt_status rt_moves_make(const struct rt_slice *slice,
                             struct rt_report_part *part) RT_WARN_UNUSED;
enum rt_status rt_severity_make(const struct rt_slice *slice,
                                struct rt_report_part *part) RT_WARN_UNUSED;

// oddity.c; needs the looks of labs.c.
enum rt_status rt_odd_tests_make(const struct rt_slice *slice,
                                 struct rt_report_part *part) RT_WARN_UNUSED;

// criteria.c: result->check of a result whose estimate is there.
enum rt_status rt_criteria_make(const struct rt_slice *slice, const struct rt_filter *filter,
                                struct rt_hypothesis_result *result) RT_WARN_UNUSED;

// deviations.c; needs the parts and the participation.
enum rt_status rt_deviations_make(struct rt_report *report) RT_WARN_UNUSED;
// What was registered to be judged and what was not, by the names of the JSON report's members.
extern const char *const rt_report_confirmatory[], *const rt_report_exploratory[]; // end in NULL

// resample.c (needs the agreement), reliability.c, odds.c, stacks.c, languages.c
enum rt_status rt_resampled_make(const struct rt_slice *slice,
                                 struct rt_report_part *part) RT_WARN_UNUSED;
enum rt_status rt_reliability_make(const struct rt_slice *slice,
                                   struct rt_report_part *part) RT_WARN_UNUSED;
enum rt_status rt_odds_make(const struct rt_slice *slice,
                            struct rt_report_part *part) RT_WARN_UNUSED;
enum rt_status rt_stacks_make(const struct rt_slice *slice,
                              struct rt_report_part *part) RT_WARN_UNUSED;
enum rt_status rt_languages_make(const struct rt_slice *slice,
                                 struct rt_report_part *part) RT_WARN_UNUSED;

// strata.c: the keys of every odd lab.
enum rt_status rt_strata_make(struct rt_report *report) RT_WARN_UNUSED;

// verdict.c; needs the odd flags.
enum rt_status rt_hypotheses_make(const struct rt_slice *slice,
                                  struct rt_report_part *part) RT_WARN_UNUSED;

// scenarios.c
enum rt_status rt_scenarios_make(const struct rt_slice *slice,
                                 struct rt_report_part *part) RT_WARN_UNUSED;

// missing.c: both maps.
enum rt_status rt_missing_make(struct rt_report *report) RT_WARN_UNUSED;

// participation.c
enum rt_status rt_participation_make(struct rt_report *report) RT_WARN_UNUSED;

// finding.c: headline, finding, next, method.
enum rt_status rt_finding_make(struct rt_report *report) RT_WARN_UNUSED;

#endif
