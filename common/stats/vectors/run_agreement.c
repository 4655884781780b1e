// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>

#include "common/stats/agreement.h"
#include "common/stats/vectors/vector.h"

bool read_ratings(struct vector *vector, struct rt_ratings *ret)
{
    const json_t *values = json_object_get(vector->inputs, "values");
    size_t categories, units = json_array_size(json_array_get(values, 0));
    double *scores = in_numbers(vector, json_object_get(vector->inputs, "categories"), &categories);
    uint32_t *counts = vector_alloc(vector, units * categories, sizeof *counts);
    if (categories > RT_CATEGORIES_MAX)
        return false;
    for (size_t r = 0; r < json_array_size(values); r++) {
        const json_t *row = json_array_get(values, r);
        for (size_t u = 0; u < units; u++) {
            const json_t *value = json_array_get(row, u);
            for (size_t c = 0; c < categories && json_is_number(value); c++)
                counts[u * categories + c] += json_number_value(value) == scores[c];
        }
    }
    *ret = (struct rt_ratings){counts, scores, units, categories};
    return true;
}

static json_t *out_coefficient(const struct rt_coefficient *coefficient)
{
    json_t *out = json_object();
    put(out, "value", coefficient->estimate);
    put(out, "se", coefficient->se);
    put(out, "pe", coefficient->expected);
    bool defined = rt_interval_ok(coefficient->interval);
    json_object_set_new(out, "ci_lower",
                        defined ? json_real(coefficient->interval.lower) : json_null());
    json_object_set_new(out, "ci_upper",
                        defined ? json_real(coefficient->interval.upper) : json_null());
    return out;
}

static json_t *out_family(const struct rt_ratings *ratings, enum rt_weight weight)
{
    static const char *const names[] = {"gwet_ac", "fleiss_kappa", "brennan_prediger"};
    json_t *out = json_object();
    struct rt_coefficient coefficient = {0};
    for (int kind = RT_GWET_AC; kind <= RT_BRENNAN_PREDIGER; kind++) {
        rt_agreement_coefficient(ratings, (enum rt_coefficient_kind)kind, weight, 0.95,
                                 &coefficient);
        json_object_set_new(out, names[kind], out_coefficient(&coefficient));
    }
    put(out, "percent_agreement", coefficient.observed);
    if (weight == RT_WEIGHT_IDENTITY)
        put(out, "percent_agreement", rt_percent_agreement(ratings));
    put_count(out, "n_units", coefficient.units);
    put_count(out, "n_units_pairable", coefficient.units_pairable);
    return out;
}

json_t *run_agreement_ratings(struct vector *vector)
{
    static const char *const metrics[] = {"nominal", "ordinal", "interval", "ratio"};
    struct rt_ratings ratings;
    if (!read_ratings(vector, &ratings))
        return NULL;
    json_t *alpha = json_object(), *se = json_object();
    for (int metric = RT_METRIC_NOMINAL; metric <= RT_METRIC_RATIO; metric++) {
        put(alpha, metrics[metric], rt_krippendorff_alpha(&ratings, (enum rt_metric)metric));
        put(se, metrics[metric], rt_krippendorff_jackknife(&ratings, (enum rt_metric)metric));
    }
    return json_pack("{s:o,s:o,s:o,s:o,s:o}", "krippendorff_alpha", alpha,
                     "krippendorff_jackknife_se", se, "chance_corrected_identity",
                     out_family(&ratings, RT_WEIGHT_IDENTITY), "chance_corrected_linear",
                     out_family(&ratings, RT_WEIGHT_LINEAR), "chance_corrected_quadratic",
                     out_family(&ratings, RT_WEIGHT_QUADRATIC));
}
