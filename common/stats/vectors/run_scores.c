// SPDX-License-Identifier: Apache-2.0
// End-to-end studies on ordinal and continuous scores.
#include <stdio.h>

#include "common/stats/ordinal.h"
#include "common/stats/vectors/study.h"

// Category counts as conditions x labs x categories.
static uint64_t *category_cells(struct vector *vector, const struct study *study, size_t categories)
{
    size_t labs = study_labs(study);
    uint64_t *cells =
        vector_alloc(vector, study->conditions.levels * labs * categories, sizeof *cells);
    for (size_t row = 0; row < study->table.count; row++) {
        size_t place = study->conditions.ids[row] * labs + study->factors[STUDY_LAB].codes[row];
        table_categories(&study->table, row, categories, cells + place * categories);
    }
    return cells;
}

static void put_precision(json_t *out, const struct rt_precision *p)
{
    put(out, "s_r", p->s_r);
    put(out, "s_L2_raw", p->s_l2_raw);
    put(out, "s_R", p->s_rr);
    put(out, "grand_mean_weighted", p->mean);
}

static json_t *ordinal_conditions(struct vector *vector, const struct study *study,
                                  const uint64_t *cells, size_t categories)
{
    size_t labs = study_labs(study);
    struct rt_sample *samples = vector_alloc(vector, labs, sizeof *samples);
    json_t *out = json_object();
    for (size_t c = 0; c < study->conditions.levels; c++) {
        const uint64_t *own = cells + c * labs * categories;
        struct rt_ordinal_labs all = {own, labs, categories};
        struct rt_ordinal ordinal;
        struct rt_precision p;
        for (size_t l = 0; l < labs; l++)
            samples[l] = rt_sample_ordinal(own + l * categories, categories);
        rt_precision(samples, labs, &p, NULL);
        rt_ordinal(&all, &ordinal);
        json_t *one = json_object();
        put_precision(one, &p);
        put(one, "kruskal_H", ordinal.kruskal_h);
        put(one, "kruskal_p", ordinal.kruskal_p);
        json_object_set_new(one, "ordanova", out_ordanova(own, labs, categories));
        json_object_set_new(out, study_condition_key(vector, study, c), one);
    }
    return out;
}

static json_t *metric_agreement(const struct rt_category_table *table)
{
    static const char *const names[] = {"nominal", "ordinal", "interval"};
    json_t *out = json_object();
    for (int metric = RT_METRIC_NOMINAL; metric <= RT_METRIC_INTERVAL; metric++) {
        struct rt_disagreement d;
        json_t *one = json_object();
        rt_disagreement(table, (enum rt_metric)metric, &d);
        put(one, "D_within", d.within);
        put(one, "D_between", d.between);
        put(one, "D_expected", d.expected);
        put(one, "alpha_within", d.alpha_within);
        put(one, "alpha_between", d.alpha_between);
        json_object_set_new(out, names[metric], one);
    }
    return out;
}

static json_t *pooled_exceedance(const uint64_t *cells, size_t count, size_t categories)
{
    uint64_t pooled[RT_CATEGORIES_MAX] = {0};
    json_t *out = json_object();
    for (size_t i = 0; i < count * categories; i++)
        pooled[i % categories] += cells[i];
    for (size_t threshold = 1; threshold < categories; threshold++) {
        char key[32];
        snprintf(key, sizeof key, "ge_%zu", threshold);
        put(out, key, rt_ordinal_exceedance(pooled, categories, threshold));
    }
    return out;
}

json_t *run_study_ordinal(struct vector *vector)
{
    struct study study;
    size_t categories;
    double *scores = in_numbers(vector, json_object_get(vector->inputs, "categories"), &categories);
    if (categories < 2 || categories > RT_CATEGORIES_MAX ||
        !study_init(vector, json_object_get(vector->inputs, "cells"), &study))
        return NULL;
    size_t labs = study_labs(&study), conditions = study.conditions.levels;
    uint64_t *cells = category_cells(vector, &study, categories);
    struct rt_category_table table = {cells, scores, conditions, labs, categories};
    struct rt_sample *samples = vector_alloc(vector, study.table.count, sizeof *samples);
    uint64_t trials = 0, used = 0;
    for (size_t row = 0; row < study.table.count; row++) {
        uint64_t counts[RT_CATEGORIES_MAX];
        table_categories(&study.table, row, categories, counts);
        samples[row] = rt_sample_ordinal(counts, categories);
        trials += samples[row].n;
        used += samples[row].n > 0;
    }
    json_t *out = json_object(), *totals = json_object();
    put_count(totals, "trials", trials);
    put_count(totals, "conditions", conditions);
    put_count(totals, "cells", used);
    json_object_set_new(out, "totals", totals);
    json_object_set_new(out, "study_agreement", metric_agreement(&table));
    json_object_set_new(out, "per_condition",
                        ordinal_conditions(vector, &study, cells, categories));
    json_object_set_new(out, "variance_components_by_temperature",
                        study_components(vector, &study, samples));
    json_object_set_new(out, "exceedance_pooled",
                        pooled_exceedance(cells, conditions * labs, categories));
    return out;
}

json_t *run_study_continuous(struct vector *vector)
{
    struct study study;
    if (!study_init(vector, json_object_get(vector->inputs, "trials"), &study))
        return NULL;
    size_t labs = study_labs(&study);
    struct rt_sample *cells = vector_alloc(vector, study.conditions.levels * labs, sizeof *cells);
    struct rt_sample *trials = vector_alloc(vector, study.table.count, sizeof *trials);
    for (size_t row = 0; row < study.table.count; row++) {
        double y = json_number_value(table_at(&study.table, row, "y"));
        size_t place = study.conditions.ids[row] * labs + study.factors[STUDY_LAB].codes[row];
        trials[row] = (struct rt_sample){1, y, 0};
        cells[place] = rt_sample_merge(cells[place], trials[row]);
    }
    json_t *out = json_object(), *each = json_object();
    for (size_t c = 0; c < study.conditions.levels; c++) {
        struct rt_precision p;
        rt_precision(cells + c * labs, labs, &p, NULL);
        json_t *one = json_object();
        put_precision(one, &p);
        json_object_set_new(each, study_condition_key(vector, &study, c), one);
    }
    json_object_set_new(out, "per_condition", each);
    json_object_set_new(out, "variance_components_by_temperature",
                        study_components(vector, &study, trials));
    return out;
}
