// SPDX-License-Identifier: Apache-2.0
// A study from a tidy table, wherever it was made: one row a trial, or one row a cell with its
// number of trials. Columns (any order): lab, scenario, phrasing, temperature; optional subject,
// arm, rater, status, fingerprint, n, repeated; and what was seen: behaviour (0/1), k (of n),
// outcome, value or severity. Reads bytes, never files; one thread at a time.
#ifndef RT_AUDITOR_CSV_STUDY_H
#define RT_AUDITOR_CSV_STUDY_H

#include "common/base/error.h"
#include "common/base/option.h"
#include "common/report/study.h"

// What the table cannot say itself. Lists hold texts as a person types them.
struct rt_csv_reading {
    const char *title;             // NULL: made from the name
    struct rt_text_list behaviour; // outcome labels that are the behaviour
    struct rt_text_list inert;     // "INERT=TREATMENT" pairs of arms
    struct rt_text_list same_as;   // "REPEAT=ORIGINAL" pairs of phrasings
    const char *value_from;        // values at or above count as the behaviour; NULL: 0 and 1 only
    const char *severity_from;     // severities at or above count as the behaviour
    const char *rater;             // the primary rater; NULL: the first in order
    double sigma_pt;               // 0: none
    double tau_at_most;            // 0: none
    double confidence;             // 0: 0.95
};

// The columns that were not used, separated by commas ("" for none), go to *ret_unused (in the
// study's arena). name is the table's, for messages ("trials.csv:12: ..."). The study is sealed.
enum rt_status rt_csv_study(struct rt_bytes table, const char *name,
                            const struct rt_csv_reading *reading, struct rt_arena *arena,
                            struct rt_study *ret, const char **ret_unused,
                            struct rt_error *err) RT_WARN_UNUSED;

#endif
