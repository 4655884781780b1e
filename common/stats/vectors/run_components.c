// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "common/stats/components.h"
#include "common/stats/vectors/study.h"

// A row's sample from n and k, or from n, sum and sumsq.
static struct rt_sample row_sample(const struct table *table, size_t row)
{
    struct rt_counts counts = table_counts(table, row);
    if (table_has(table, "k") || counts.n == 0)
        return rt_sample_binary(counts);
    double n = (double)counts.n, sum = json_number_value(table_at(table, row, "sum"));
    double squares = json_number_value(table_at(table, row, "sumsq"));
    return (struct rt_sample){counts.n, sum / n, squares - sum * sum / n};
}

// The effects of a case as masks over its factors, which are the single-factor effects' columns and
// any other column named in an effect.
static size_t read_effects(const json_t *json, const char **factors, size_t *ret_factors,
                           unsigned *effects)
{
    size_t count = 0;
    *ret_factors = 0;
    for (size_t i = 0; i < json_array_size(json) && count < RT_EFFECTS_MAX; i++) {
        const json_t *effect = json_array_get(json, i);
        unsigned mask = 0;
        for (size_t j = 0; j < json_array_size(effect); j++) {
            const char *name = json_string_value(json_array_get(effect, j));
            size_t f = 0;
            while (name && f < *ret_factors && strcmp(factors[f], name) != 0)
                f++;
            if (!name || f == RT_FACTORS_MAX)
                return 0;
            if (f == *ret_factors)
                factors[(*ret_factors)++] = name;
            mask |= 1u << f;
        }
        effects[count++] = mask;
    }
    return count;
}

static void put_components(struct vector *vector, json_t *out, const char *const *factors,
                           const struct rt_components *c)
{
    json_t *levels = json_object(), *raw = json_object(), *truncated = json_object();
    json_t *percent = json_object();
    for (size_t i = 0; i < c->effects; i++) {
        const char *name = effect_name(vector, factors, c->effect[i].effect);
        put_count(levels, name, c->effect[i].levels);
        put(raw, name, c->effect[i].raw);
        put(truncated, name, c->effect[i].truncated);
        put(percent, name, c->effect[i].percent);
    }
    put_count(out, "N", c->trials);
    put_count(out, "n_cells", c->cells);
    put(out, "grand_mean", c->mean);
    put(out, "total_truncated", c->total);
    json_object_set_new(out, "levels", levels);
    json_object_set_new(out, "components_raw", raw);
    json_object_set_new(out, "components_truncated", truncated);
    json_object_set_new(out, "percent", percent);
}

json_t *run_components(struct vector *vector)
{
    json_t *out = json_object();
    const char *name;
    json_t *one;
    json_object_foreach(json_object_get(vector->inputs, "cases"), name, one)
    {
        const char *factors[RT_FACTORS_MAX];
        unsigned effects[RT_EFFECTS_MAX];
        struct factor levels[RT_FACTORS_MAX];
        struct rt_components components;
        size_t factor_count;
        size_t count =
            read_effects(json_object_get(one, "effects"), factors, &factor_count, effects);
        struct table table = in_table(json_object_get(one, "cells"));
        struct rt_factor_table cells = table_factors(vector, &table, factors, factor_count, levels);
        struct rt_sample *samples = vector_alloc(vector, table.count, sizeof *samples);
        for (size_t row = 0; row < table.count; row++)
            samples[row] = row_sample(&table, row);
        json_t *result = json_object();
        if (rt_components(&cells, samples, effects, count, &vector->arena, &components) == RT_OK)
            put_components(vector, result, factors, &components);
        json_object_set_new(out, name, result);
    }
    return json_pack("{s:o}", "cases", out);
}

json_t *run_dstudy(struct vector *vector)
{
    const json_t *raw = json_object_get(vector->inputs, "components_raw");
    const json_t *designs = json_object_get(vector->inputs, "designs");
    struct rt_generalizability components = {
        .lab = in_number(raw, "lab"),
        .scenario = in_number(raw, "scenario"),
        .phrasing = in_number(raw, "phrasing"),
        .lab_scenario = in_number(raw, "lab:scenario"),
        .lab_phrasing = in_number(raw, "lab:phrasing"),
        .scenario_phrasing = in_number(raw, "scenario:phrasing"),
        .lab_scenario_phrasing = in_number(raw, "lab:scenario:phrasing"),
        .residual = in_number(raw, "residual"),
    };
    json_t *out = json_array();
    for (size_t i = 0; i < json_array_size(designs); i++) {
        const json_t *design = json_array_get(designs, i);
        struct rt_design sizes = {in_number(design, "nL"), in_number(design, "nS"),
                                  in_number(design, "nP"), in_number(design, "nr")};
        struct rt_projection p;
        rt_project(&components, &sizes, &p);
        json_t *row = json_object();
        put(row, "relative_error_variance", p.relative);
        put(row, "absolute_error_variance", p.absolute);
        put(row, "generalizability_coefficient", p.coefficient);
        put(row, "dependability_phi", p.dependability);
        put(row, "grand_mean_se_all_random", p.grand_mean_se);
        put(row, "new_lab_sd_same_design", p.new_lab_sd);
        json_array_append_new(out, row);
    }
    return json_pack("{s:o}", "designs", out);
}

json_t *run_sensitivity(struct vector *vector)
{
    static const int order[] = {STUDY_PHRASING, STUDY_TEMPERATURE, STUDY_LAB};
    struct study study;
    if (!study_init(vector, json_object_get(vector->inputs, "cells"), &study))
        return NULL;
    struct rt_counts *counts = table_all_counts(vector, &study.table);
    json_t *out = json_object();
    for (size_t i = 0; i < 3; i++) {
        size_t f = (size_t)order[i];
        char key[64] = "marginal_";
        strncat(key, study_factor_names[f], sizeof key - 16);
        json_object_set_new(out, study_factor_names[f],
                            out_sensitivity(vector, &study.cells, counts, f));
        json_object_set_new(out, key,
                            out_margins(vector, &study.cells, counts, f, &study.factors[f]));
    }
    return out;
}
