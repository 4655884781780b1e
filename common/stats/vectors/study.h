// SPDX-License-Identifier: Apache-2.0
// A vector's table of cells seen as a study: factors, conditions, and the condition x lab tables
// that the statistics take. Part of the program stats-vectors. Single-threaded.
#ifndef RT_STATS_VECTORS_STUDY_H
#define RT_STATS_VECTORS_STUDY_H

#include "common/stats/agreement.h"
#include "common/stats/disagreement.h"
#include "common/stats/vectors/vector.h"

enum { STUDY_LAB, STUDY_SCENARIO, STUDY_PHRASING, STUDY_TEMPERATURE, STUDY_FACTORS };
extern const char *const study_factor_names[STUDY_FACTORS];

struct study {
    struct table table;
    struct factor factors[STUDY_FACTORS];
    struct rt_factor_table cells;
    struct rt_partition conditions; // by scenario, phrasing and temperature
    size_t *first_row;              // of every condition
};

bool study_init(struct vector *vector, const json_t *table, struct study *ret);
size_t study_labs(const struct study *study);
// "S1|P1|0.7".
const char *study_condition_key(struct vector *vector, const struct study *study, size_t condition);
// counts: one per row. conditions x labs; rows of the same cell are added up.
struct rt_count_table study_counts(struct vector *vector, const struct study *study,
                                   const struct rt_counts *counts);
// Those conditions of a full table that are at one temperature.
struct rt_count_table study_at(struct vector *vector, const struct study *study,
                               const struct rt_count_table *whole, size_t temperature);

// The 0/1 table as counts of both categories, for pair disagreement.
struct rt_category_table study_both(struct vector *vector, const struct rt_count_table *table);
const char *effect_name(struct vector *vector, const char *const *factors, unsigned effect);
// Raw components by name of lab, scenario, phrasing and all interactions, per temperature.
json_t *study_components(struct vector *vector, const struct study *study,
                         const struct rt_sample *samples);
json_t *out_sensitivity(struct vector *vector, const struct rt_factor_table *cells,
                        const struct rt_counts *counts, size_t factor);
json_t *out_margins(struct vector *vector, const struct rt_factor_table *cells,
                    const struct rt_counts *counts, size_t factor, const struct factor *levels);
json_t *out_ordanova(const uint64_t *counts, size_t labs, size_t categories);

#endif
