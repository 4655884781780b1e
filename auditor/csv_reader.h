// SPDX-License-Identifier: Apache-2.0
// The reader of tidy tables between its files: csv_row.c understands the header and one row after
// another, csv_cells.c adds rows up by what they are about, csv_study.c makes the study of that.
// Private to auditor/csv_*. One thread at a time.
#ifndef RT_AUDITOR_CSV_READER_H
#define RT_AUDITOR_CSV_READER_H

#include "auditor/csv_levels.h"
#include "auditor/csv_study.h"
#include "common/base/csv.h"

enum rt_csv_column {
    RT_CSV_LAB,
    RT_CSV_SCENARIO,
    RT_CSV_PHRASING,
    RT_CSV_TEMPERATURE,
    RT_CSV_SUBJECT,
    RT_CSV_ARM,
    RT_CSV_RATER,
    RT_CSV_STATUS,
    RT_CSV_FINGERPRINT,
    RT_CSV_OUTCOME, // the last one with levels of its own
    RT_CSV_N,
    RT_CSV_REPEATED,
    RT_CSV_SCORE,
    RT_CSV_BEHAVIOUR,
    RT_CSV_K,
    RT_CSV_VALUE,
    RT_CSV_SEVERITY,
    RT_CSV_COUNT
};
#define RT_CSV_FACTORS (RT_CSV_OUTCOME + 1)

#define RT_CSV_STATUSES 7
extern const struct rt_study_status rt_csv_statuses[RT_CSV_STATUSES];
extern const char *const rt_csv_names[RT_CSV_COUNT + 1];

// Rows that are about the same: level numbers in the order of first appearance.
struct rt_csv_cell {
    uint32_t level[RT_CSV_FACTORS]; // RT_STUDY_NONE: the row leaves it empty
    uint32_t severity;
    uint32_t shows; // the behaviour
    uint64_t n, repeated;
    int64_t score_micro;
    uint64_t squares[2];
};

struct rt_csv_cells {
    struct rt_arena *arena;
    struct rt_csv_cell *rows;
    size_t count, room;
    uint32_t *slots; // cell number + 1
    size_t slot_count;
};

struct rt_csv_reader {
    const struct rt_csv_reading *reading;
    struct rt_arena *arena;
    struct rt_csv csv;
    int at[RT_CSV_COUNT];       // column of the table, -1: none
    enum rt_csv_column measure; // RT_CSV_BEHAVIOUR, _K, _OUTCOME, _VALUE or _SEVERITY
    double from;                // of RT_CSV_VALUE and RT_CSV_SEVERITY
    struct rt_csv_levels levels[RT_CSV_FACTORS];
    uint32_t last[RT_CSV_FACTORS]; // the row before's levels: mostly this one's too
    struct rt_csv_cells cells;
    bool oversized; // a row of more trials than scores can be summed of
    bool fractions; // a value that is neither 0 nor 1: the table holds scores
    struct rt_study *study;
};

// One row, understood.
struct rt_csv_row {
    uint32_t level[RT_CSV_FACTORS];
    uint64_t n;
    uint64_t k; // of n, where the measure is RT_CSV_K; else n or 0
    uint64_t repeated;
    uint64_t severity;
    int64_t score_micro;
    int64_t value_micro; // of one trial, where values may be scores
    bool counted;        // its status lets it show the behaviour
};

// An error at the present row.
enum rt_status rt_csv_fail(const struct rt_csv_reader *r, struct rt_error *err, const char *format,
                           ...) RT_PRINTF(3, 4);
// csv_row.c
enum rt_status rt_csv_header(struct rt_csv_reader *r, const char **ret_unused,
                             struct rt_error *err) RT_WARN_UNUSED;
enum rt_status rt_csv_understand(struct rt_csv_reader *r, struct rt_csv_row *row,
                                 struct rt_error *err) RT_WARN_UNUSED;
// csv_cells.c: one row's trials. RT_OUT_OF_RANGE where sums do not fit.
enum rt_status rt_csv_cells_add(struct rt_csv_reader *r,
                                const struct rt_csv_row *row) RT_WARN_UNUSED;

#endif
