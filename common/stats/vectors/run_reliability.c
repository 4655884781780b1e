// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>

#include "common/stats/accord.h"
#include "common/stats/icc.h"
#include "common/stats/ordinal.h"
#include "common/stats/replication.h"
#include "common/stats/vectors/study.h"

json_t *run_reliability(struct vector *vector)
{
    const json_t *rows = json_object_get(vector->inputs, "values");
    size_t units = json_array_size(rows), labs = json_array_size(json_array_get(rows, 0));
    double *values = vector_alloc(vector, units * labs, sizeof *values);
    for (size_t u = 0; u < units; u++)
        for (size_t l = 0; l < labs; l++)
            values[u * labs + l] = json_number_value(json_array_get(json_array_get(rows, u), l));
    struct rt_icc icc;
    struct rt_kendall kendall;
    rt_icc(values, units, labs, 0.95, &icc);
    rt_kendall_w(values, units, labs, vector_alloc(vector, units, sizeof(double)),
                 vector_alloc(vector, units, sizeof(size_t)), &kendall);
    json_t *out = json_object(), *w = json_object();
    put(out, "MSR", icc.msr);
    put(out, "MSC", icc.msc);
    put(out, "MSE", icc.mse);
    put(out, "icc_a1", icc.a1);
    put(out, "icc_c1", icc.c1);
    put_interval(out, "icc_a1_ci", icc.a1_interval);
    put_interval(out, "icc_c1_ci", icc.c1_interval);
    put(w, "W", kendall.w);
    put(w, "chi2", kendall.chi2);
    put_count(w, "df", units ? units - 1 : 0);
    put(w, "p", kendall.p);
    json_object_set_new(out, "kendall", w);
    return out;
}

static json_t *out_disagreement(const struct rt_category_table *table, enum rt_metric metric)
{
    struct rt_disagreement d;
    rt_disagreement(table, metric, &d);
    json_t *out = json_object();
    put(out, "D_within", d.within);
    put(out, "D_between", d.between);
    put(out, "D_expected", d.expected);
    put_count(out, "n_units_within", d.units_within);
    put_count(out, "n_units_between", d.units_between);
    put(out, "alpha_within", d.alpha_within);
    put(out, "alpha_between", d.alpha_between);
    put(out, "krippendorff_alpha_trials_pooled", d.alpha_trials);
    if (metric == RT_METRIC_NOMINAL && rt_value_ok(d.within) && rt_value_ok(d.between)) {
        put_number(out, "accordance", 1 - d.within.number);
        put_number(out, "concordance", 1 - d.between.number);
        put(out, "concordance_odds_ratio", rt_accord_odds_ratio(d.within.number, d.between.number));
    }
    return out;
}

json_t *run_study_agreement(struct vector *vector)
{
    static const char *const names[] = {"nominal", "ordinal", "interval"};
    struct table table = in_table(json_object_get(vector->inputs, "cells"));
    struct factor unit = table_factor(vector, &table, "unit");
    struct factor lab = table_factor(vector, &table, "lab");
    size_t categories;
    double *scores = in_numbers(vector, json_object_get(vector->inputs, "categories"), &categories);
    if (categories < 2 || categories > RT_CATEGORIES_MAX)
        return NULL;
    uint64_t *counts = vector_alloc(vector, unit.levels * lab.levels * categories, sizeof *counts);
    for (size_t row = 0; row < table.count; row++)
        table_categories(&table, row, categories,
                         counts + (unit.codes[row] * lab.levels + lab.codes[row]) * categories);
    struct rt_category_table cells = {counts, scores, unit.levels, lab.levels, categories};
    json_t *out = json_object();
    for (int metric = RT_METRIC_NOMINAL; metric <= RT_METRIC_INTERVAL; metric++)
        json_object_set_new(out, names[metric], out_disagreement(&cells, (enum rt_metric)metric));
    return out;
}

static json_t *out_exceedance(const uint64_t *counts, size_t labs, size_t categories)
{
    json_t *out = json_object();
    for (size_t threshold = 1; threshold < categories; threshold++) {
        char key[32];
        json_t *shares = json_array();
        snprintf(key, sizeof key, "ge_%zu", threshold);
        for (size_t l = 0; l < labs; l++)
            json_array_append_new(shares, out_value(rt_ordinal_exceedance(counts + l * categories,
                                                                          categories, threshold)));
        json_object_set_new(out, key, shares);
    }
    return out;
}

static json_t *ordinal_condition(struct vector *vector, const json_t *json, size_t categories)
{
    struct table table = in_table(json);
    size_t labs = table.count;
    uint64_t *counts = vector_alloc(vector, labs * categories, sizeof *counts);
    struct rt_sample *samples = vector_alloc(vector, labs, sizeof *samples);
    struct rt_lab_precision *each = vector_alloc(vector, labs, sizeof *each);
    for (size_t l = 0; l < labs; l++) {
        table_categories(&table, l, categories, counts + l * categories);
        samples[l] = rt_sample_ordinal(counts + l * categories, categories);
    }
    struct rt_ordinal_labs all = {counts, labs, categories};
    struct rt_ordinal ordinal;
    struct rt_precision p;
    rt_ordinal(&all, &ordinal);
    rt_precision(samples, labs, &p, each);
    json_t *out = json_object(), *mean = json_array(), *sd = json_array();
    json_t *median = json_array(), *superiority = json_array();
    for (size_t l = 0; l < labs; l++) {
        json_array_append_new(mean, out_value(each[l].mean));
        json_array_append_new(sd, out_value(each[l].sd));
        json_array_append_new(
            median, json_integer(rt_verdict_ordinal(counts + l * categories, categories)));
        json_array_append_new(superiority, out_value(rt_ordinal_superiority(&all, l)));
    }
    put_count(out, "L", ordinal.labs);
    put_count(out, "N", ordinal.trials);
    json_object_set_new(out, "lab_mean", mean);
    json_object_set_new(out, "lab_sd", sd);
    json_object_set_new(out, "lab_median_category", median);
    json_object_set_new(out, "superiority_vs_rest", superiority);
    json_object_set_new(out, "exceedance", out_exceedance(counts, labs, categories));
    json_object_set_new(out, "ordanova", out_ordanova(counts, labs, categories));
    put(out, "s_r", p.s_r);
    put(out, "s_L2_raw", p.s_l2_raw);
    put(out, "s_R", p.s_rr);
    put(out, "kruskal_H", ordinal.kruskal_h);
    put(out, "kruskal_p", ordinal.kruskal_p);
    put(out, "chi2", ordinal.chi2);
    put_count(out, "chi2_df", ordinal.chi2_df);
    put(out, "chi2_p", ordinal.chi2_p);
    return out;
}

json_t *run_ordinal(struct vector *vector)
{
    size_t categories = json_array_size(json_object_get(vector->inputs, "categories"));
    json_t *out = json_object();
    const char *name;
    json_t *condition;
    if (categories < 2 || categories > RT_CATEGORIES_MAX)
        return NULL;
    json_object_foreach(json_object_get(vector->inputs, "conditions"), name, condition)
        json_object_set_new(out, name, ordinal_condition(vector, condition, categories));
    return json_pack("{s:o}", "conditions", out);
}

static json_t *out_answer(enum rt_answer answer)
{
    return answer == RT_ANSWER_UNKNOWN ? json_null() : json_boolean(answer == RT_ANSWER_YES);
}

static json_t *replication_case(struct vector *vector, const json_t *json)
{
    const json_t *original = json_object_get(json, "original");
    struct table table = in_table(json_object_get(json, "labs"));
    struct rt_effect *labs = vector_alloc(vector, table.count, sizeof *labs);
    double so = in_number(original, "se");
    for (size_t row = 0; row < table.count; row++) {
        double se = json_number_value(table_at(&table, row, "se"));
        labs[row] =
            (struct rt_effect){json_number_value(table_at(&table, row, "estimate")), se * se};
    }
    struct rt_effect claim = {in_number(original, "estimate"), so * so};
    struct rt_replication r;
    rt_replication(claim, labs, table.count, 0.95, &r);
    json_t *out = json_object(), *pooled = json_object();
    put(pooled, "mu", r.pooled.mu);
    put(pooled, "se", r.pooled.se_wald);
    put(pooled, "tau2", r.pooled.tau2);
    put_interval(pooled, "ci", r.pooled.wald);
    json_object_set_new(out, "pooled_dl", pooled);
    put_count(out, "labs_same_sign", r.labs_same_sign);
    put_count(out, "labs_significant_same_sign", r.labs_significant_same_sign);
    json_object_set_new(out, "pooled_significant_same_sign",
                        out_answer(r.pooled_significant_same_sign));
    json_object_set_new(out, "original_in_pooled_ci", out_answer(r.original_in_pooled_interval));
    put_interval(out, "prediction_interval_original", r.prediction_of_pooled);
    json_object_set_new(out, "pooled_in_prediction_interval", out_answer(r.pooled_in_prediction));
    put(out, "Q_original_vs_pooled", r.q);
    put(out, "Q_p", r.q_p);
    put(out, "p_orig", r.p_orig);
    put(out, "share_true_effects_same_sign", r.share_same_sign);
    put(out, "sceptical_p_nominal_one_sided", r.sceptical_nominal);
    put(out, "sceptical_p_golden_one_sided", r.sceptical_golden);
    return out;
}

json_t *run_replication(struct vector *vector)
{
    const json_t *cases = json_object_get(vector->inputs, "cases");
    json_t *out = json_array();
    for (size_t i = 0; i < json_array_size(cases); i++)
        json_array_append_new(out, replication_case(vector, json_array_get(cases, i)));
    return json_pack("{s:o}", "cases", out);
}
