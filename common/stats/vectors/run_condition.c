// SPDX-License-Identifier: Apache-2.0
#include <math.h>
#include <stdio.h>

#include "common/stats/accord.h"
#include "common/stats/contrast.h"
#include "common/stats/precision.h"
#include "common/stats/vectors/vector.h"

static json_t *out_cochran(const struct rt_sample *samples, size_t count)
{
    struct rt_cochran cochran;
    rt_cochran(samples, count, &cochran);
    json_t *out = json_object();
    put(out, "C", cochran.c);
    put_count(out, "lab_index0", cochran.lab);
    put(out, "p_value", cochran.p);
    put(out, "crit_05", rt_cochran_critical(count, samples[0].n, 0.05));
    put(out, "crit_01", rt_cochran_critical(count, samples[0].n, 0.01));
    return out;
}

static json_t *out_grubbs(const struct rt_sample *samples, size_t count)
{
    struct rt_grubbs grubbs;
    rt_grubbs(samples, count, &grubbs);
    json_t *out = json_object();
    put(out, "G_high", grubbs.g_high);
    put(out, "G_low", grubbs.g_low);
    put(out, "p_value_two_sided", grubbs.p);
    put(out, "crit_05", rt_grubbs_critical(count, 0.05));
    put(out, "crit_01", rt_grubbs_critical(count, 0.01));
    return out;
}

static void put_labs(json_t *out, const struct rt_lab_precision *labs, size_t count)
{
    json_t *mean = json_array(), *sd = json_array(), *h = json_array(), *k = json_array();
    for (size_t i = 0; i < count; i++) {
        json_array_append_new(mean, out_value(labs[i].mean));
        json_array_append_new(sd, out_value(labs[i].sd));
        json_array_append_new(h, out_value(labs[i].h));
        json_array_append_new(k, out_value(labs[i].k));
    }
    json_object_set_new(out, "lab_mean", mean);
    json_object_set_new(out, "lab_sd", sd);
    json_object_set_new(out, "mandel_h", h);
    json_object_set_new(out, "mandel_k", k);
}

static json_t *precision_level(struct vector *vector, const json_t *json)
{
    struct table table = in_table(json);
    struct factor lab = table_factor(vector, &table, "lab");
    struct rt_sample *samples = vector_alloc(vector, lab.levels, sizeof *samples);
    struct rt_lab_precision *labs = vector_alloc(vector, lab.levels, sizeof *labs);
    double *values = vector_alloc(vector, table.count, sizeof *values);
    for (size_t l = 0; l < lab.levels; l++) {
        size_t n = 0;
        for (size_t row = 0; row < table.count; row++)
            if (lab.codes[row] == l)
                values[n++] = json_number_value(table_at(&table, row, "y"));
        samples[l] = rt_sample_values(values, n);
    }
    struct rt_precision p;
    rt_precision(samples, lab.levels, &p, labs);
    json_t *out = json_object();
    put_count(out, "p", p.labs);
    put_count(out, "N", p.trials);
    put_labs(out, labs, lab.levels);
    put(out, "grand_mean_weighted", p.mean);
    put(out, "mean_of_lab_means", p.mean_of_labs);
    put(out, "s_xbar", p.sd_of_labs);
    put(out, "s_r", p.s_r);
    put(out, "s_L2_raw", p.s_l2_raw);
    put(out, "s_L", p.s_l);
    put(out, "s_R", p.s_rr);
    put(out, "repeatability_limit_r", p.limit_r);
    put(out, "reproducibility_limit_R", p.limit_rr);
    put(out, "n_bar", p.n_bar);
    put(out, "F", p.f);
    put(out, "F_p", p.f_p);
    put(out, "h_crit_05", rt_mandel_h_critical(p.labs, 0.05));
    put(out, "h_crit_005", rt_mandel_h_critical(p.labs, 0.005));
    if (lab.levels > 0) {
        put(out, "k_crit_05", rt_mandel_k_critical(p.labs, samples[0].n, 0.05));
        put(out, "k_crit_005", rt_mandel_k_critical(p.labs, samples[0].n, 0.005));
        json_object_set_new(out, "cochran", out_cochran(samples, lab.levels));
        json_object_set_new(out, "grubbs", out_grubbs(samples, lab.levels));
    }
    return out;
}

json_t *run_iso5725(struct vector *vector)
{
    json_t *out = json_object();
    const char *name;
    json_t *level;
    json_object_foreach(json_object_get(vector->inputs, "levels"), name, level)
        json_object_set_new(out, name, precision_level(vector, level));
    return json_pack("{s:o}", "levels", out);
}

json_t *run_critical_values(struct vector *vector)
{
    const json_t *grid = json_object_get(vector->inputs, "grid");
    json_t *out = json_array();
    for (size_t i = 0; i < json_array_size(grid); i++) {
        const json_t *one = json_array_get(grid, i);
        size_t labs = in_count(one, "p");
        uint64_t n = in_count(one, "n");
        json_t *row = json_object();
        put_count(row, "p", labs);
        put_count(row, "n", n);
        put(row, "h_05", rt_mandel_h_critical(labs, 0.05));
        put(row, "h_005", rt_mandel_h_critical(labs, 0.005));
        put(row, "k_05", rt_mandel_k_critical(labs, n, 0.05));
        put(row, "k_005", rt_mandel_k_critical(labs, n, 0.005));
        put(row, "cochran_05", rt_cochran_critical(labs, n, 0.05));
        put(row, "cochran_01", rt_cochran_critical(labs, n, 0.01));
        put(row, "grubbs_05", rt_grubbs_critical(labs, 0.05));
        put(row, "grubbs_01", rt_grubbs_critical(labs, 0.01));
        json_array_append_new(out, row);
    }
    return json_pack("{s:o}", "critical", out);
}

static void put_beta_binomial(json_t *out, const struct rt_counts *labs, size_t count)
{
    struct rt_beta_binomial fit;
    rt_beta_binomial(labs, count, &fit);
    json_t *model = json_object();
    put(model, "mu", fit.mu);
    put(model, "rho", fit.rho);
    put(model, "loglik", fit.loglik);
    json_object_set_new(out, "beta_binomial", model);
}

static json_t *binary_condition(struct vector *vector, const json_t *json)
{
    struct table table = in_table(json);
    struct rt_counts *labs = table_all_counts(vector, &table);
    struct rt_precision p;
    struct rt_accord accord;
    struct rt_homogeneity same;
    rt_precision_binary(labs, table.count, &p, NULL);
    rt_accord(labs, table.count, &accord);
    rt_homogeneity(labs, table.count, &same);
    json_t *out = json_object();
    put_count(out, "L", p.labs);
    put_count(out, "N", p.trials);
    put(out, "pooled_rate", p.mean);
    put(out, "mean_lab_rate", p.mean_of_labs);
    put(out, "s_r", p.s_r);
    put(out, "s_L2_raw", p.s_l2_raw);
    put(out, "s_L", p.s_l);
    put(out, "s_R", p.s_rr);
    put(out, "accordance", accord.accordance);
    put(out, "concordance", accord.concordance);
    put(out, "concordance_odds_ratio", accord.odds_ratio);
    put(out, "chi2", same.chi2);
    put_count(out, "chi2_df", same.df);
    put(out, "chi2_p_upper", same.p_upper);
    put(out, "chi2_p_lower", same.p_lower);
    put(out, "G", same.g);
    put(out, "G_p", same.g_p);
    put(out, "icc_anova_raw", p.icc);
    put_beta_binomial(out, labs, table.count);
    return out;
}

json_t *run_binary_interlab(struct vector *vector)
{
    json_t *out = json_object();
    const char *name;
    json_t *condition;
    json_object_foreach(json_object_get(vector->inputs, "conditions"), name, condition)
        json_object_set_new(out, name, binary_condition(vector, condition));
    return json_pack("{s:o}", "conditions", out);
}

json_t *run_mantel_haenszel(struct vector *vector)
{
    json_t *out = json_object();
    const char *name;
    json_t *contrast;
    json_object_foreach(json_object_get(vector->inputs, "contrasts"), name, contrast)
    {
        struct table table = in_table(contrast);
        struct rt_stratum *strata = vector_alloc(vector, table.count, sizeof *strata);
        for (size_t row = 0; row < table.count; row++) {
            strata[row].target.n = as_count(table_at(&table, row, "n_target"));
            strata[row].target.k = as_count(table_at(&table, row, "k_target"));
            strata[row].reference.n = as_count(table_at(&table, row, "n_reference"));
            strata[row].reference.k = as_count(table_at(&table, row, "k_reference"));
        }
        struct rt_mantel_haenszel mh;
        rt_mantel_haenszel(strata, table.count, &mh);
        json_t *one = json_object();
        put_count(one, "n_strata_used", mh.strata);
        put(one, "log_or", mh.log_or);
        put(one, "se", mh.se);
        put(one, "cmh_chi2", mh.chi2);
        put(one, "cmh_p", mh.p);
        json_object_set_new(out, name, one);
    }
    return json_pack("{s:o}", "contrasts", out);
}

json_t *run_trend(struct vector *vector)
{
    const json_t *cases = json_object_get(vector->inputs, "cases");
    json_t *out = json_array();
    for (size_t i = 0; i < json_array_size(cases); i++) {
        const json_t *one = json_array_get(cases, i);
        size_t count;
        double *doses = in_numbers(vector, json_object_get(one, "temperature"), &count);
        struct rt_counts *cells = vector_alloc(vector, count, sizeof *cells);
        for (size_t j = 0; j < count; j++) {
            cells[j].n = as_count(json_array_get(json_object_get(one, "n"), j));
            cells[j].k = as_count(json_array_get(json_object_get(one, "k"), j));
        }
        struct rt_trend trend;
        rt_trend(doses, cells, count, &trend);
        json_t *row = json_object();
        put(row, "z", trend.z);
        put(row, "p_two_sided", trend.p);
        put(row, "logistic_intercept", trend.intercept);
        put(row, "logistic_slope", trend.slope);
        put(row, "logistic_slope_se", trend.slope_se);
        json_array_append_new(out, row);
    }
    return json_pack("{s:o}", "cases", out);
}
