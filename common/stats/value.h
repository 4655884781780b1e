// SPDX-License-Identifier: Apache-2.0
// What a statistic is in ringtrial: a number, or no number and the reason why. Every reason is
// declared once here. Never holds NaN or infinity and never a magic number. Pure; safe from any
// thread.
#ifndef RT_STATS_VALUE_H
#define RT_STATS_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/status.h"

//  X(name, code printed in reports, words)
// The codes from TRUNCATED_AT_ZERO on are notes beside a value that is defined, except
// BOUNDARY_RHO_ONE, which takes the estimate away.
#define RT_REASON_TABLE(X)                                                                         \
    X(NONE, "", "defined")                                                                         \
    X(NO_TRIALS, "no_trials", "no trial was run")                                                  \
    X(SINGLE_LAB, "single_lab", "fewer than two labs")                                             \
    X(NO_REPLICATES, "no_replicates", "no lab ran a trial twice")                                  \
    X(SINGLE_TRIAL, "single_trial", "this lab ran one trial only")                                 \
    X(NO_VARIATION, "no_variation", "all outcomes are equal")                                      \
    X(NO_DISAGREEMENT, "no_disagreement", "all trials agree")                                      \
    X(ACCORDANCE_IS_ONE, "accordance_is_one", "every lab agrees with itself in all trials")        \
    X(CONCORDANCE_IS_ZERO, "concordance_is_zero", "no pair of labs ever agrees")                   \
    X(ZERO_WITHIN_VARIANCE, "zero_within_variance", "no variation within labs")                    \
    X(ZERO_BETWEEN_SPREAD, "zero_between_spread", "all labs have the same mean")                   \
    X(COCHRAN_NOT_APPLICABLE, "unequal_or_no_replicates_or_zero_variance",                         \
      "needs equal replicates and some variation within labs")                                     \
    X(SINGLE_CATEGORY, "single_category", "only one category was used")                            \
    X(NO_PAIRABLE_VALUES, "no_pairable_values", "no unit was rated twice")                         \
    X(ZERO_RESIDUAL, "zero_residual", "no residual variation")                                     \
    X(ALL_TIED, "all_tied", "every lab ties all conditions")                                       \
    X(POSITIVE_INFINITE, "positive_infinite", "the estimate is plus infinity")                     \
    X(NEGATIVE_INFINITE, "negative_infinite", "the estimate is minus infinity")                    \
    X(NO_INFORMATIVE_STRATA, "no_informative_strata",                                              \
      "no stratum has both sides and both outcomes")                                               \
    X(SEPARATION, "separation", "the predictor separates the outcomes completely")                 \
    X(SINGLE_LEVEL, "single_level", "fewer than two levels")                                       \
    X(ALIASED, "aliased", "same partition as an earlier effect")                                   \
    X(CONFOUNDED_WITH_RESIDUAL, "confounded_with_residual", "one trial per level")                 \
    X(SINGULAR_OR_INSUFFICIENT, "singular_or_insufficient",                                        \
      "the data do not determine the components")                                                  \
    X(ZERO_MAD, "zero_mad", "the median absolute deviation is zero")                               \
    X(FEWER_THAN_3_LABS, "fewer_than_3_labs", "fewer than three labs")                             \
    X(TOO_MANY_UNDEFINED, "too_many_undefined", "over 10 % of bootstrap replicates are undefined") \
    X(NO_COMMON_CONDITIONS, "no_common_conditions", "no condition was run by every lab")           \
    X(NOT_REGISTERED, "not_registered", "nothing was preregistered to judge it by")                \
    X(NOT_BINARY, "not_binary", "defined for a behaviour, not for scores")                         \
    X(NOT_FINITE, "not_finite", "the numbers are too large for the calculation")                   \
    X(UNINFORMATIVE_RATER, "uninformative_rater",                                                  \
      "sensitivity and specificity add up to one or less")                                         \
    X(TRUNCATED_AT_ZERO, "truncated_at_zero", "a negative variance estimate is shown as zero")     \
    X(CLAMPED_TO_RANGE, "clamped_to_range", "a limit outside 0 to 1 is shown at the end")          \
    X(BOUNDARY_RHO_ZERO, "boundary_rho_zero", "the likelihood is highest without overdispersion")  \
    X(BOUNDARY_RHO_ONE, "boundary_rho_one", "every lab is all or nothing")                         \
    X(ZERO_WIDTH, "zero_width", "all lab estimates coincide, read the Wald interval")              \
    X(NARROWER_THAN_WALD, "narrower_than_wald", "the Knapp-Hartung factor is below one")

enum rt_reason {
#define X(name, code, words) RT_REASON_##name,
    RT_REASON_TABLE(X)
#undef X
        RT_REASON_COUNT
};

// number is meaningful only where reason is RT_REASON_NONE, and 0 otherwise.
struct rt_value {
    double number;
    enum rt_reason reason;
};

// A closed interval with lower <= upper, under the same rule.
struct rt_interval {
    double lower;
    double upper;
    enum rt_reason reason;
};

// A number that is not finite becomes undefined with RT_REASON_NOT_FINITE; minus zero becomes zero.
struct rt_value rt_value(double number);
struct rt_value rt_undefined(enum rt_reason reason);
struct rt_interval rt_interval(double lower, double upper);
struct rt_interval rt_interval_undefined(enum rt_reason reason);

static inline bool rt_value_ok(struct rt_value value)
{
    return value.reason == RT_REASON_NONE;
}
static inline bool rt_interval_ok(struct rt_interval interval)
{
    return interval.reason == RT_REASON_NONE;
}
// The number, or fallback where undefined.
static inline double rt_value_or(struct rt_value value, double fallback)
{
    return rt_value_ok(value) ? value.number : fallback;
}

// The code of the table ("no_trials"; "" for NONE) and its words. Values outside the table are
// programmer error.
const char *rt_reason_code(enum rt_reason reason);
const char *rt_reason_text(enum rt_reason reason);

// Trials and events of one binary cell: k <= n; n = 0 means the cell is missing.
struct rt_counts {
    uint64_t n;
    uint64_t k;
};

// conditions x labs cells, the cell of (condition, lab) at cells[condition * labs + lab]. Borrowed.
struct rt_count_table {
    const struct rt_counts *cells;
    size_t conditions;
    size_t labs;
};

static inline struct rt_counts rt_count_table_at(const struct rt_count_table *table,
                                                 size_t condition, size_t lab)
{
    return table->cells[condition * table->labs + lab];
}

#endif
