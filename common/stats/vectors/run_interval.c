// SPDX-License-Identifier: Apache-2.0
#include "common/stats/interval.h"
#include "common/stats/oddlab.h"
#include "common/stats/vectors/vector.h"

json_t *run_binomial_intervals(struct vector *vector)
{
    const json_t *cases = json_object_get(vector->inputs, "cases");
    json_t *out = json_array();
    for (size_t i = 0; i < json_array_size(cases); i++) {
        const json_t *one = json_array_get(cases, i);
        struct rt_counts counts = in_counts(one, "n", "k");
        double confidence = in_number(one, "confidence");
        if (!(confidence > 0 && confidence < 1))
            confidence = 0.95;
        json_t *row = json_object();
        put(row, "estimate", rt_rate(counts));
        put_interval(row, "wilson", rt_interval_wilson(counts, confidence));
        put_interval(row, "clopper_pearson", rt_interval_clopper_pearson(counts, confidence));
        put_interval(row, "jeffreys", rt_interval_jeffreys(counts, confidence));
        json_array_append_new(out, row);
    }
    return json_pack("{s:o}", "cases", out);
}

json_t *run_difference(struct vector *vector)
{
    const json_t *cases = json_object_get(vector->inputs, "cases");
    double margin = in_number(vector->inputs, "margin");
    json_t *out = json_array();
    for (size_t i = 0; i < json_array_size(cases); i++) {
        const json_t *one = json_array_get(cases, i);
        struct rt_counts a = in_counts(one, "n1", "k1"), b = in_counts(one, "n2", "k2");
        struct rt_interval ci90 = rt_interval_rate_difference(a, b, 0.90);
        json_t *row = json_object();
        put(row, "difference", rt_rate_difference(a, b));
        put_interval(row, "ci95", rt_interval_rate_difference(a, b, 0.95));
        put_interval(row, "ci90", ci90);
        json_object_set_new(row, "equivalent_at_margin",
                            json_boolean(rt_interval_equivalent(ci90, margin)));
        json_array_append_new(out, row);
    }
    return json_pack("{s:o}", "cases", out);
}

json_t *run_confidence_sequence(struct vector *vector)
{
    const json_t *cases = json_object_get(vector->inputs, "cases");
    json_t *out = json_array();
    for (size_t i = 0; i < json_array_size(cases); i++) {
        const json_t *one = json_array_get(cases, i);
        double a = in_number(one, "a"), b = in_number(one, "b"), alpha = in_number(one, "alpha");
        struct rt_interval interval = rt_interval_undefined(RT_REASON_NOT_FINITE);
        if (a > 0 && b > 0 && alpha > 0 && alpha < 1)
            interval = rt_interval_sequence(in_counts(one, "n", "k"), a, b, alpha);
        json_array_append_new(
            out, json_pack("{s:f,s:f}", "lower", interval.lower, "upper", interval.upper));
    }
    return json_pack("{s:o}", "cases", out);
}

json_t *run_p_adjust(struct vector *vector)
{
    const json_t *sets = json_object_get(vector->inputs, "p");
    json_t *holm = json_array(), *hochberg = json_array();
    for (size_t i = 0; i < json_array_size(sets); i++) {
        size_t count;
        double *p = in_numbers(vector, json_array_get(sets, i), &count);
        size_t *workspace = vector_alloc(vector, count, sizeof *workspace);
        double *adjusted = vector_alloc(vector, count, sizeof *adjusted);
        json_t *row = json_array();
        rt_adjust_holm(p, count, workspace, adjusted);
        for (size_t j = 0; j < count; j++)
            json_array_append_new(row, json_real(adjusted[j]));
        json_array_append_new(holm, row);
        row = json_array();
        rt_adjust_benjamini_hochberg(p, count, workspace, adjusted);
        for (size_t j = 0; j < count; j++)
            json_array_append_new(row, json_real(adjusted[j]));
        json_array_append_new(hochberg, row);
    }
    return json_pack("{s:o,s:o}", "holm", holm, "benjamini_hochberg", hochberg);
}

json_t *run_algorithm_a(struct vector *vector)
{
    const json_t *cases = json_object_get(vector->inputs, "cases");
    json_t *out = json_array();
    for (size_t i = 0; i < json_array_size(cases); i++) {
        size_t count;
        double *values = in_numbers(vector, json_array_get(cases, i), &count);
        double *workspace = vector_alloc(vector, count, sizeof *workspace);
        struct rt_robust robust;
        rt_algorithm_a(values, count, workspace, &robust);
        json_t *row = json_object(), *z = json_array();
        put(row, "x_star", robust.mean);
        put(row, "s_star", robust.sd);
        put(row, "uncertainty", robust.uncertainty);
        for (size_t j = 0; j < count; j++)
            json_array_append_new(z, out_value(rt_robust_z(values[j], &robust)));
        json_object_set_new(row, "z", z);
        json_array_append_new(out, row);
    }
    return json_pack("{s:o}", "cases", out);
}
