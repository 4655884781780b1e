// SPDX-License-Identifier: Apache-2.0
// Rules, judges and people on the same trials (STATISTICS, point 7): each rater's own figure, how
// it labels beside the primary rater, and what it finds and misses by people's word. Over treatment
// arms of one subject, known-answer scenarios left out. Nothing here changes a result: the primary
// rater's figures stand where they stood. Private to common/report. Pure.
#ifndef RT_REPORT_RATERS_H
#define RT_REPORT_RATERS_H

#include "common/report/model.h"
#include "common/stats/rater.h"

// One rater of one subject.
struct rt_rater_row {
    uint32_t subject, rater;
    bool primary;
    struct rt_counts seen; // trials in the denominator, behaviours
    uint64_t unrated;      // trials it gave no usable answer for
    struct rt_value rate;
    struct rt_interval rate_at;

    // Beside the primary rater: [outcome of the primary * categories + its own], the last category
    // being trials with no label (not exposed, truncated, bad format). NULL for the primary itself.
    uint64_t *confusion;
    size_t categories;
    struct rt_confusion_agreement agreement;
    struct rt_confusion_agreement behaviour; // the same on behaviour or none: two categories

    // By the word of people, where people rated some of the same trials.
    bool calibrated;
    struct rt_calibration calibration;
    struct rt_calibration_rates rates;
    struct rt_corrected corrected; // Rogan and Gladen
    // Of a rater of people: its share over all trials, weighted by the rules' labels it was drawn
    // by.
    bool weighted;
    struct rt_corrected double_sampling;
    // Two people on the same trials, blind: NULL where there were none.
    bool votes;
    struct rt_confusion_agreement between;
};

struct rt_rater_table {
    struct rt_rater_row *rows; // by subject, then rater
    size_t count;              // 0: nobody but the primary rater labelled anything
};

enum rt_status rt_raters_make(struct rt_report *report) RT_WARN_UNUSED;

#endif
