// SPDX-License-Identifier: Apache-2.0
// Running reference vectors (tests/vectors/statistics/README.md): read a vector's inputs, compute
// what rt_stats says, compare with what the vector expects. Part of the program stats-vectors; ends
// the program when memory runs out. Single-threaded.
#ifndef RT_STATS_VECTORS_VECTOR_H
#define RT_STATS_VECTORS_VECTOR_H

#include <jansson.h>

#include "common/base/arena.h"
#include "common/stats/agreement.h"
#include "common/stats/factor.h"
#include "common/stats/precision.h"
#include "common/stats/value.h"

enum vector_verdict { VECTOR_PASS, VECTOR_FAIL, VECTOR_SKIP };

#define VECTOR_TEXT_BYTES 400

// One vector while it is run. Memory lent by vector_alloc lasts until vector_release.
struct vector {
    const char *folder; // for inputs that name another vector
    json_t *whole;
    json_t *other; // the other vector's document, if one was named
    const json_t *inputs;
    void *chunks;
    struct rt_arena arena;        // for rt_stats functions that want one
    char text[VECTOR_TEXT_BYTES]; // why it failed or was skipped
};

// Loads folder/name; false with text set when it is not a vector.
bool vector_load(struct vector *vector, const char *folder, const char *name);
void vector_release(struct vector *vector);
enum vector_verdict vector_run(struct vector *vector);

// Zeroed memory for count items.
void *vector_alloc(struct vector *vector, size_t count, size_t each);

// A runner makes the object that is compared with `expected`. NULL: the inputs are unusable.
typedef json_t *vector_runner(struct vector *vector);
// The runner for a statistic, NULL where there is none.
vector_runner *vector_runner_of(const char *statistic);

vector_runner run_binomial_intervals, run_difference, run_iso5725, run_critical_values;
vector_runner run_binary_interlab, run_mantel_haenszel, run_trend;
vector_runner run_agreement_ratings, run_meta, run_meta_proportions;
vector_runner run_p_adjust, run_algorithm_a, run_confidence_sequence;
vector_runner run_reliability, run_study_agreement, run_components, run_dstudy;
vector_runner run_ordinal, run_sensitivity, run_replication;
vector_runner run_philox, run_bootstrap_alpha, run_bootstrap_study;
vector_runner run_study_binary, run_study_ordinal, run_study_continuous;

// Inputs. A missing or ill-typed member reads as 0 or empty; counts are never negative, and k never
// above n.
double in_number(const json_t *object, const char *key);
uint64_t in_count(const json_t *object, const char *key);
uint64_t as_count(const json_t *number);
struct rt_counts in_counts(const json_t *object, const char *n_key, const char *k_key);
double *in_numbers(struct vector *vector, const json_t *array, size_t *ret_count);

// A table {columns, rows}.
struct table {
    const json_t *columns;
    const json_t *rows;
    size_t count; // rows
};
struct table in_table(const json_t *json);
// NULL where the column or the row's entry is absent.
const json_t *table_at(const struct table *table, size_t row, const char *column);
bool table_has(const struct table *table, const char *column);
struct rt_counts table_counts(const struct table *table, size_t row);
// Levels of a factor numbered by first appearance.
struct factor {
    size_t *codes; // one per row
    const json_t **names;
    size_t levels;
};
struct factor table_factor(struct vector *vector, const struct table *table, const char *column);
// The rows' n and k in order; those of one lab each.
struct rt_counts *table_all_counts(struct vector *vector, const struct table *table);

// values[rater][unit] of the inputs, null where missing, as counts per unit and category.
bool read_ratings(struct vector *vector, struct rt_ratings *ret);

// Counts per category of one row: columns <prefix>0, <prefix>1 ...
void table_categories(const struct table *table, size_t row, size_t categories, uint64_t *ret);
// The codes of the named columns, cell after cell, and each one's factor.
struct rt_factor_table table_factors(struct vector *vector, const struct table *table,
                                     const char *const *columns, size_t count,
                                     struct factor *ret_factors);

// Outputs. An undefined value becomes null.
json_t *out_value(struct rt_value value);
json_t *out_interval(struct rt_interval interval);
void put(json_t *object, const char *key, struct rt_value value);
void put_interval(json_t *object, const char *key, struct rt_interval interval);
void put_number(json_t *object, const char *key, double number);
void put_count(json_t *object, const char *key, uint64_t count);
// "0.7" for the number 0.7; the text itself for a string.
const char *key_text(struct vector *vector, const json_t *level);

// The first key at which actual does not meet expected, or NULL (ret_text is VECTOR_TEXT_BYTES
// long).
bool vector_compare(const json_t *expected, const json_t *actual, const json_t *tolerance,
                    char *ret_text);

#endif
