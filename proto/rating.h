// SPDX-License-Identifier: Apache-2.0
// How ratings count: which result a rated trial points at, and what one label adds to the cells.
// The one rule behind the coordinator's cells, fsck and the auditor. A rater's first label of a
// trial in log order counts; every later one is a duplicate, reported and never added. A label
// counts only for the result that counts. Pure, nothing allocated; any thread.
#ifndef RT_PROTO_RATING_H
#define RT_PROTO_RATING_H

#include "proto/object_rating.h"

#define RT_RATERS_MOST 64 // of one campaign, `rules` (rater 0) among them

// One rater's word on a trial. Rater 0 is `rules`: the result itself.
struct rt_rating_label {
    uint16_t rater;
    uint16_t outcome;
    uint8_t severity;
    uint8_t status; // enum rt_trial_status
};

// Where a label adds one. beside 0: to the rater's own cell. Otherwise to a joint cell: trials that
// `rater` put into (status, outcome) and rater beside - 1 into beside_label = status * 256 +
// outcome; severity is 0 there. beside - 1 == rater: the first vote of two people against the
// second.
struct rt_rating_cell {
    uint16_t rater;
    uint16_t outcome;
    uint8_t severity;
    uint8_t status;
    uint16_t beside;
    uint16_t beside_label;
};

// The trial a rated trial speaks of, among the results of the leaf it names (all of its pairs):
// there exactly once, final, in the denominator, and with that transcript. RT_CONFLICT otherwise.
enum rt_status rt_rating_find(const struct rt_object_result *const *results, size_t count,
                              const struct rt_rated_trial *rated, size_t *ret_result,
                              const struct rt_trial_result **ret_trial) RT_WARN_UNUSED;

// The result's own label, as rater 0.
struct rt_rating_label rt_rating_rules(const struct rt_trial_result *trial);

// What the label of `rater` adds: its own cell, one joint cell for each of the labels known of the
// trial before (rules first, then earlier raters), and the votes. ret_cells has room for
// known_count
// + 2; returns how many, 0 when the rater is among the known (a duplicate).
size_t rt_rating_cells(uint16_t rater, const struct rt_rated_trial *rated,
                       const struct rt_rating_label *known, size_t known_count,
                       struct rt_rating_cell *ret_cells);

#endif
