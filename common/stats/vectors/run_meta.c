// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>
#include <string.h>

#include "common/stats/meta.h"
#include "common/stats/vectors/vector.h"

typedef double back_transform(double x);

static void put_rates(json_t *out, const struct rt_meta *m, back_transform *back)
{
    if (!back || !rt_value_ok(m->mu))
        return;
    put_number(out, "rate", back(m->mu.number));
    put_interval(out, "rate_ci_hk", rt_interval(back(m->hk.lower), back(m->hk.upper)));
    put_interval(out, "rate_pi_hk",
                 rt_interval(back(m->prediction.lower), back(m->prediction.upper)));
}

static json_t *out_method(const struct rt_meta *m, back_transform *back)
{
    json_t *out = json_object();
    put(out, "tau2", m->tau2);
    put(out, "tau", m->tau);
    put(out, "mu", m->mu);
    put(out, "se_wald", m->se_wald);
    put_interval(out, "ci_wald", m->wald);
    put(out, "I2_percent", m->i2_percent);
    put(out, "H2", m->h2);
    put(out, "hk_q", m->hk_factor);
    put(out, "se_hk", m->se_hk);
    put_interval(out, "ci_hk", m->hk);
    put_interval(out, "pi_hk", m->prediction);
    put_rates(out, m, back);
    return out;
}

static json_t *out_meta(const struct rt_effect *labs, size_t count, back_transform *back)
{
    static const char *const names[] = {"DL", "PM", "REML"};
    struct rt_meta m = {0};
    json_t *methods = json_object(), *fixed = json_object(), *out = json_object();
    for (int method = RT_TAU2_DL; method <= RT_TAU2_REML; method++) {
        rt_meta(labs, count, (enum rt_tau2_method)method, 0.95, &m);
        json_object_set_new(methods, names[method], out_method(&m, back));
    }
    put(fixed, "mu", m.fixed_mu);
    put(fixed, "se", m.fixed_se);
    put_count(out, "k", m.labs);
    put(out, "Q", m.q);
    put_count(out, "Q_df", m.labs ? m.labs - 1 : 0);
    put(out, "Q_p", m.q_p);
    put_interval(out, "tau2_qprofile_ci95", m.tau2_profile);
    put(out, "typical_within_variance", m.typical_variance);
    json_object_set_new(out, "fixed", fixed);
    json_object_set_new(out, "methods", methods);
    return out;
}

json_t *run_meta(struct vector *vector)
{
    json_t *out = json_object();
    const char *name;
    json_t *one;
    json_object_foreach(json_object_get(vector->inputs, "cases"), name, one)
    {
        size_t count, variances;
        double *y = in_numbers(vector, json_object_get(one, "yi"), &count);
        double *v = in_numbers(vector, json_object_get(one, "vi"), &variances);
        struct rt_effect *labs = vector_alloc(vector, count, sizeof *labs);
        for (size_t i = 0; i < count; i++)
            labs[i] = (struct rt_effect){y[i], i < variances ? v[i] : 0};
        json_object_set_new(out, name, out_meta(labs, count, NULL));
    }
    return json_pack("{s:o}", "cases", out);
}

static json_t *proportions(struct vector *vector, const struct table *table, bool logit)
{
    struct rt_effect *labs = vector_alloc(vector, table->count, sizeof *labs);
    size_t count = 0;
    json_t *y = json_array(), *v = json_array();
    for (size_t row = 0; row < table->count; row++) {
        struct rt_counts counts = table_counts(table, row);
        if (!(logit ? rt_effect_logit : rt_effect_arcsine)(counts, &labs[count]))
            continue;
        json_array_append_new(y, json_real(labs[count].y));
        json_array_append_new(v, json_real(labs[count].v));
        count++;
    }
    json_t *out = out_meta(labs, count, logit ? rt_logit_inverse : rt_arcsine_inverse);
    json_object_set_new(out, "effects", json_pack("{s:o,s:o}", "yi", y, "vi", v));
    return out;
}

json_t *run_meta_proportions(struct vector *vector)
{
    json_t *out = json_object();
    const char *name;
    json_t *condition;
    json_object_foreach(json_object_get(vector->inputs, "conditions"), name, condition)
    {
        char key[256];
        struct table table = in_table(condition);
        snprintf(key, sizeof key, "%.200s_logit", name);
        json_object_set_new(out, key, proportions(vector, &table, true));
        snprintf(key, sizeof key, "%.200s_arcsine", name);
        json_object_set_new(out, key, proportions(vector, &table, false));
    }
    return json_pack("{s:o}", "cases", out);
}
