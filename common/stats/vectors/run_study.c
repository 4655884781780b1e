// SPDX-License-Identifier: Apache-2.0
// End-to-end studies: the same calls a report makes.
#include <string.h>

#include "common/stats/accord.h"
#include "common/stats/contrast.h"
#include "common/stats/icc.h"
#include "common/stats/ordinal.h"
#include "common/stats/sensitivity.h"
#include "common/stats/vectors/study.h"

static void put_rates(json_t *out, const struct rt_meta *m)
{
    if (!rt_value_ok(m->mu))
        return;
    put_number(out, "rate_REML", rt_logit_inverse(m->mu.number));
    put_interval(out, "rate_ci_hk_REML",
                 rt_interval(rt_logit_inverse(m->hk.lower), rt_logit_inverse(m->hk.upper)));
    put_interval(
        out, "rate_pi_hk_REML",
        rt_interval(rt_logit_inverse(m->prediction.lower), rt_logit_inverse(m->prediction.upper)));
}

static json_t *per_condition(struct vector *vector, const struct study *study,
                             const struct rt_count_table *table)
{
    json_t *out = json_object();
    for (size_t c = 0; c < table->conditions; c++) {
        const struct rt_counts *labs = table->cells + c * table->labs;
        struct rt_precision p;
        struct rt_accord accord;
        struct rt_homogeneity same;
        rt_precision_binary(labs, table->labs, &p, NULL);
        rt_accord(labs, table->labs, &accord);
        rt_homogeneity(labs, table->labs, &same);
        json_t *one = json_object();
        put(one, "pooled_rate", p.mean);
        put(one, "s_r", p.s_r);
        put(one, "s_L2_raw", p.s_l2_raw);
        put(one, "s_L", p.s_l);
        put(one, "s_R", p.s_rr);
        put(one, "accordance", accord.accordance);
        put(one, "concordance", accord.concordance);
        put(one, "concordance_odds_ratio", accord.odds_ratio);
        put(one, "chi2", same.chi2);
        put_count(one, "chi2_df", same.df);
        put(one, "chi2_p_upper", same.p_upper);
        json_object_set_new(out, study_condition_key(vector, study, c), one);
    }
    return out;
}

static json_t *verdicts(struct vector *vector, const struct rt_count_table *table)
{
    uint32_t *counts = vector_alloc(vector, 2 * table->conditions, sizeof *counts);
    struct rt_verdicts summary;
    struct rt_coefficient ac1, kappa;
    rt_verdicts_binary(table, 500000, counts, &summary);
    struct rt_ratings ratings = {counts, NULL, table->conditions, 2};
    rt_agreement_coefficient(&ratings, RT_GWET_AC, RT_WEIGHT_IDENTITY, 0.95, &ac1);
    rt_agreement_coefficient(&ratings, RT_FLEISS_KAPPA, RT_WEIGHT_IDENTITY, 0.95, &kappa);
    json_t *out = json_object();
    put(out, "krippendorff_alpha_nominal", rt_krippendorff_alpha(&ratings, RT_METRIC_NOMINAL));
    put(out, "gwet_ac1", ac1.estimate);
    put(out, "fleiss_kappa", kappa.estimate);
    put(out, "percent_agreement", rt_percent_agreement(&ratings));
    put_count(out, "ties", summary.ties);
    return out;
}

static json_t *icc_of_rates(struct vector *vector, const struct rt_count_table *table)
{
    double *rates = vector_alloc(vector, table->conditions * table->labs, sizeof *rates);
    bool *common = vector_alloc(vector, table->conditions, sizeof *common);
    size_t rows = 0, complete = rt_common_conditions(table, common);
    for (size_t c = 0; c < table->conditions; c++) {
        if (!common[c])
            continue;
        for (size_t l = 0; l < table->labs; l++) {
            struct rt_counts cell = rt_count_table_at(table, c, l);
            rates[rows * table->labs + l] = (double)cell.k / (double)cell.n;
        }
        rows++;
    }
    struct rt_icc icc;
    rt_icc(rates, rows, table->labs, 0.95, &icc);
    json_t *out = json_object();
    put_count(out, "n_conditions", complete);
    put(out, "icc_a1", icc.a1);
    put(out, "icc_c1", icc.c1);
    return out;
}

static json_t *pooled_logit(struct vector *vector, const struct rt_count_table *table)
{
    struct rt_effect *labs = vector_alloc(vector, table->labs, sizeof *labs);
    struct rt_meta dl, pm, reml;
    size_t count = 0;
    for (size_t l = 0; l < table->labs; l++) {
        struct rt_counts sum = {0};
        for (size_t c = 0; c < table->conditions; c++) {
            sum.n += rt_count_table_at(table, c, l).n;
            sum.k += rt_count_table_at(table, c, l).k;
        }
        count += rt_effect_logit(sum, &labs[count]);
    }
    rt_meta(labs, count, RT_TAU2_DL, 0.95, &dl);
    rt_meta(labs, count, RT_TAU2_PM, 0.95, &pm);
    rt_meta(labs, count, RT_TAU2_REML, 0.95, &reml);
    json_t *out = json_object();
    put(out, "Q", dl.q);
    put(out, "tau2_DL", dl.tau2);
    put(out, "tau2_PM", pm.tau2);
    put(out, "tau2_REML", reml.tau2);
    put(out, "I2_DL", dl.i2_percent);
    put_rates(out, &reml);
    return out;
}

static json_t *standardised(struct vector *vector, const struct rt_count_table *table)
{
    struct rt_effect *labs = vector_alloc(vector, table->labs, sizeof *labs);
    bool *common = vector_alloc(vector, table->conditions, sizeof *common);
    struct rt_meta dl, reml;
    size_t conditions = rt_common_conditions(table, common);
    if (rt_standardised_rates(table, common, RT_RATE_VARIANCE_POSTERIOR, labs) != RT_REASON_NONE)
        return json_null();
    rt_meta(labs, table->labs, RT_TAU2_DL, 0.95, &dl);
    rt_meta(labs, table->labs, RT_TAU2_REML, 0.95, &reml);
    json_t *out = json_object(), *rates = json_array(), *variances = json_array();
    for (size_t l = 0; l < table->labs; l++) {
        json_array_append_new(rates, json_real(labs[l].y));
        json_array_append_new(variances, json_real(labs[l].v));
    }
    put_count(out, "n_conditions", conditions);
    json_object_set_new(out, "lab_rate", rates);
    json_object_set_new(out, "lab_variance", variances);
    put(out, "Q", dl.q);
    put(out, "Q_p", dl.q_p);
    put(out, "tau2_DL", dl.tau2);
    put(out, "tau2_REML", reml.tau2);
    put(out, "mu_REML", reml.mu);
    put_interval(out, "ci_hk_REML", reml.hk);
    put_interval(out, "pi_hk_REML", reml.prediction);
    put_interval(out, "tau2_qprofile_ci95", reml.tau2_profile);
    return out;
}

// The strata of one lab: the cells of a scenario and phrasing at the higher temperature against the
// lower one.
static size_t lab_strata(const struct study *study, const struct rt_count_table *table, size_t lab,
                         size_t high, size_t low, struct rt_stratum *ret)
{
    const struct factor *f = study->factors;
    size_t count = 0;
    for (size_t c = 0; c < table->conditions; c++) {
        size_t row = study->first_row[c];
        if (f[STUDY_TEMPERATURE].codes[row] != high)
            continue;
        for (size_t other = 0; other < table->conditions; other++) {
            size_t other_row = study->first_row[other];
            if (f[STUDY_TEMPERATURE].codes[other_row] != low ||
                f[STUDY_SCENARIO].codes[other_row] != f[STUDY_SCENARIO].codes[row] ||
                f[STUDY_PHRASING].codes[other_row] != f[STUDY_PHRASING].codes[row])
                continue;
            ret[count++] = (struct rt_stratum){rt_count_table_at(table, c, lab),
                                               rt_count_table_at(table, other, lab)};
        }
    }
    return count;
}

static json_t *temperature_contrast(struct vector *vector, const struct study *study,
                                    const struct rt_count_table *table)
{
    const struct factor *temperature = &study->factors[STUDY_TEMPERATURE];
    size_t high = 0, low = 0, count = 0;
    for (size_t t = 0; t < temperature->levels; t++) {
        double value = json_number_value(temperature->names[t]);
        high = value > json_number_value(temperature->names[high]) ? t : high;
        low = value < json_number_value(temperature->names[low]) ? t : low;
    }
    struct rt_stratum *strata = vector_alloc(vector, table->conditions, sizeof *strata);
    struct rt_effect *labs = vector_alloc(vector, table->labs, sizeof *labs);
    json_t *out = json_object(), *each = json_object();
    for (size_t l = 0; l < table->labs; l++) {
        struct rt_mantel_haenszel mh;
        rt_mantel_haenszel(strata, lab_strata(study, table, l, high, low, strata), &mh);
        json_t *one = json_object();
        put(one, "log_or", mh.log_or);
        put(one, "se", mh.se);
        put(one, "cmh_p", mh.p);
        json_object_set_new(each, key_text(vector, study->factors[STUDY_LAB].names[l]), one);
        if (rt_value_ok(mh.log_or))
            labs[count++] = (struct rt_effect){mh.log_or.number, mh.se.number * mh.se.number};
    }
    struct rt_meta dl;
    rt_meta(labs, count, RT_TAU2_DL, 0.95, &dl);
    json_object_set_new(out, "high", json_deep_copy(temperature->names[high]));
    json_object_set_new(out, "low", json_deep_copy(temperature->names[low]));
    json_object_set_new(out, "per_lab", each);
    put(out, "Q", dl.q);
    put(out, "tau2_DL", dl.tau2);
    put(out, "mu_DL", dl.mu);
    put_interval(out, "ci_hk_DL", dl.hk);
    return out;
}

static json_t *at_temperature(const struct rt_count_table *table, struct rt_value repeatability)
{
    struct rt_accord accord;
    rt_accord_study(table, &accord);
    json_t *out = json_object();
    put(out, "accordance", accord.accordance);
    put(out, "concordance", accord.concordance);
    put(out, "repeatability_variance", repeatability);
    return out;
}

static void put_by_temperature(struct vector *vector, const struct study *study,
                               const struct rt_count_table *table, const struct rt_counts *counts,
                               json_t *out)
{
    const struct factor *temperature = &study->factors[STUDY_TEMPERATURE];
    struct rt_level_margin *margins = vector_alloc(vector, temperature->levels, sizeof *margins);
    json_t *agreement = json_object(), *meta = json_object(), *rates = json_object();
    rt_margins(&study->cells, counts, STUDY_TEMPERATURE, temperature->levels, margins);
    for (size_t t = 0; t < temperature->levels; t++) {
        struct rt_count_table own = study_at(vector, study, table, t);
        const char *key = key_text(vector, temperature->names[t]);
        json_object_set_new(agreement, key, at_temperature(&own, margins[t].repeatability));
        json_object_set_new(meta, key, pooled_logit(vector, &own));
        json_object_set_new(rates, key, standardised(vector, &own));
    }
    json_object_set_new(out, "by_temperature", agreement);
    json_object_set_new(out, "meta_by_temperature", meta);
    json_object_set_new(out, "standardized_lab_rates_by_temperature", rates);
}

static json_t *study_agreement(struct vector *vector, const struct rt_count_table *table)
{
    struct rt_category_table both = study_both(vector, table);
    struct rt_accord accord;
    struct rt_disagreement d;
    rt_accord_study(table, &accord);
    rt_disagreement(&both, RT_METRIC_NOMINAL, &d);
    json_t *out = json_object();
    put(out, "accordance", accord.accordance);
    put(out, "concordance", accord.concordance);
    put(out, "concordance_odds_ratio", accord.odds_ratio);
    put(out, "alpha_within", d.alpha_within);
    put(out, "alpha_between", d.alpha_between);
    return out;
}

static json_t *totals(const struct study *study, const struct rt_counts *counts)
{
    uint64_t trials = 0, events = 0, cells = 0;
    for (size_t row = 0; row < study->table.count; row++) {
        trials += counts[row].n;
        events += counts[row].k;
        cells += counts[row].n > 0;
    }
    json_t *out = json_object();
    put_count(out, "trials", trials);
    put_count(out, "events", events);
    put_count(out, "labs", study_labs(study));
    put_count(out, "conditions", study->conditions.levels);
    put_count(out, "cells", cells);
    return out;
}

static void put_factors(struct vector *vector, const struct study *study,
                        const struct rt_counts *counts, json_t *out)
{
    static const size_t order[] = {STUDY_PHRASING, STUDY_TEMPERATURE, STUDY_LAB};
    json_t *sensitivity = json_object(), *marginal = json_object();
    for (size_t i = 0; i < 3; i++) {
        const char *name = study_factor_names[order[i]];
        json_object_set_new(sensitivity, name,
                            out_sensitivity(vector, &study->cells, counts, order[i]));
        json_object_set_new(
            marginal, name,
            out_margins(vector, &study->cells, counts, order[i], &study->factors[order[i]]));
    }
    json_object_set_new(out, "sensitivity", sensitivity);
    json_object_set_new(out, "marginal", marginal);
}

json_t *run_study_binary(struct vector *vector)
{
    struct study study;
    if (!study_init(vector, json_object_get(vector->inputs, "cells"), &study))
        return NULL;
    struct rt_counts *counts = table_all_counts(vector, &study.table);
    struct rt_count_table table = study_counts(vector, &study, counts);
    struct rt_sample *samples = vector_alloc(vector, study.table.count, sizeof *samples);
    struct rt_homogeneity same;
    json_t *out = json_object(), *homogeneity = json_object();
    for (size_t row = 0; row < study.table.count; row++)
        samples[row] = rt_sample_binary(counts[row]);
    rt_homogeneity_study(&table, &same);
    put(homogeneity, "chi2", same.chi2);
    put_count(homogeneity, "df", same.df);
    put(homogeneity, "p_upper", same.p_upper);
    json_object_set_new(out, "totals", totals(&study, counts));
    json_object_set_new(out, "per_condition", per_condition(vector, &study, &table));
    json_object_set_new(out, "homogeneity_total", homogeneity);
    json_object_set_new(out, "study_agreement", study_agreement(vector, &table));
    json_object_set_new(out, "verdicts", verdicts(vector, &table));
    json_object_set_new(out, "icc", icc_of_rates(vector, &table));
    json_object_set_new(out, "temperature_contrast", temperature_contrast(vector, &study, &table));
    json_object_set_new(out, "variance_components_by_temperature",
                        study_components(vector, &study, samples));
    put_by_temperature(vector, &study, &table, counts, out);
    put_factors(vector, &study, counts, out);
    return out;
}
