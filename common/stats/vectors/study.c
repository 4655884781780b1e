// SPDX-License-Identifier: Apache-2.0
#include "common/stats/vectors/study.h"

#include <stdio.h>
#include <string.h>

#include "common/stats/components.h"
#include "common/stats/ordinal.h"
#include "common/stats/sensitivity.h"

const char *const study_factor_names[STUDY_FACTORS] = {"lab", "scenario", "phrasing",
                                                       "temperature"};

bool study_init(struct vector *vector, const json_t *table, struct study *ret)
{
    unsigned condition = 1u << STUDY_SCENARIO | 1u << STUDY_PHRASING | 1u << STUDY_TEMPERATURE;
    ret->table = in_table(table);
    ret->cells =
        table_factors(vector, &ret->table, study_factor_names, STUDY_FACTORS, ret->factors);
    if (ret->table.count == 0 ||
        rt_partition(&ret->cells, condition, &vector->arena, &ret->conditions) != RT_OK)
        return false;
    ret->first_row = vector_alloc(vector, ret->conditions.levels, sizeof *ret->first_row);
    for (size_t row = ret->table.count; row-- > 0;)
        ret->first_row[ret->conditions.ids[row]] = row;
    return true;
}

size_t study_labs(const struct study *study)
{
    return study->factors[STUDY_LAB].levels;
}

const char *study_condition_key(struct vector *vector, const struct study *study, size_t condition)
{
    size_t row = study->first_row[condition];
    char *key = vector_alloc(vector, 256, 1);
    snprintf(key, 256, "%.80s|%.80s|%.80s",
             key_text(vector, table_at(&study->table, row, "scenario")),
             key_text(vector, table_at(&study->table, row, "phrasing")),
             key_text(vector, table_at(&study->table, row, "temperature")));
    return key;
}

struct rt_count_table study_counts(struct vector *vector, const struct study *study,
                                   const struct rt_counts *counts)
{
    size_t labs = study_labs(study);
    struct rt_counts *cells = vector_alloc(vector, study->conditions.levels * labs, sizeof *cells);
    for (size_t row = 0; row < study->table.count; row++) {
        size_t lab = study->factors[STUDY_LAB].codes[row];
        struct rt_counts *cell = &cells[study->conditions.ids[row] * labs + lab];
        cell->n += counts[row].n;
        cell->k += counts[row].k;
    }
    return (struct rt_count_table){cells, study->conditions.levels, labs};
}

struct rt_count_table study_at(struct vector *vector, const struct study *study,
                               const struct rt_count_table *whole, size_t temperature)
{
    size_t conditions = 0;
    struct rt_counts *cells = vector_alloc(vector, whole->conditions * whole->labs, sizeof *cells);
    for (size_t c = 0; c < whole->conditions; c++) {
        if (study->factors[STUDY_TEMPERATURE].codes[study->first_row[c]] != temperature)
            continue;
        memcpy(cells + conditions * whole->labs, whole->cells + c * whole->labs,
               whole->labs * sizeof *cells);
        conditions++;
    }
    return (struct rt_count_table){cells, conditions, whole->labs};
}

struct rt_category_table study_both(struct vector *vector, const struct rt_count_table *table)
{
    size_t cells = table->conditions * table->labs;
    uint64_t *counts = vector_alloc(vector, 2 * cells, sizeof *counts);
    for (size_t i = 0; i < cells; i++) {
        counts[2 * i] = table->cells[i].n - table->cells[i].k;
        counts[2 * i + 1] = table->cells[i].k;
    }
    return (struct rt_category_table){counts, NULL, table->conditions, table->labs, 2};
}

const char *effect_name(struct vector *vector, const char *const *factors, unsigned effect)
{
    char *name = vector_alloc(vector, 256, 1);
    size_t size = 0;
    if (effect == 0)
        return "residual";
    for (size_t f = 0; f < RT_FACTORS_MAX; f++)
        if (effect >> f & 1)
            size +=
                (size_t)snprintf(name + size, 256 - size, "%s%.40s", size ? ":" : "", factors[f]);
    return name;
}

json_t *study_components(struct vector *vector, const struct study *study,
                         const struct rt_sample *samples)
{
    static const unsigned effects[] = {1, 2, 4, 3, 5, 6, 7};
    const struct factor *temperature = &study->factors[STUDY_TEMPERATURE];
    struct rt_sample *own = vector_alloc(vector, study->table.count, sizeof *own);
    json_t *out = json_object();
    for (size_t t = 0; t < temperature->levels; t++) {
        struct rt_components components;
        for (size_t row = 0; row < study->table.count; row++)
            own[row] = temperature->codes[row] == t ? samples[row] : (struct rt_sample){0};
        if (rt_components(&study->cells, own, effects, 7, &vector->arena, &components) != RT_OK)
            continue;
        json_t *one = json_object();
        for (size_t i = 0; i < components.effects; i++)
            put(one, effect_name(vector, study_factor_names, components.effect[i].effect),
                components.effect[i].raw);
        json_object_set_new(out, key_text(vector, temperature->names[t]), one);
    }
    return out;
}

json_t *out_sensitivity(struct vector *vector, const struct rt_factor_table *cells,
                        const struct rt_counts *counts, size_t factor)
{
    struct rt_sensitivity s;
    if (rt_sensitivity(cells, counts, factor, &vector->arena, &s) != RT_OK)
        return json_null();
    json_t *out = json_object();
    put_count(out, "n_blocks", s.blocks);
    put(out, "mean_spread", s.mean_spread);
    put(out, "max_spread", s.max_spread);
    put(out, "mean_abs_pair_diff", s.mean_abs_difference);
    put(out, "rms_sd", s.rms_sd);
    put(out, "noise_corrected_variance_raw", s.corrected_variance);
    put(out, "noise_corrected_sd", s.corrected_sd);
    return out;
}

json_t *out_margins(struct vector *vector, const struct rt_factor_table *cells,
                    const struct rt_counts *counts, size_t factor, const struct factor *levels)
{
    struct rt_level_margin *margins = vector_alloc(vector, levels->levels, sizeof *margins);
    json_t *out = json_array();
    rt_margins(cells, counts, factor, levels->levels, margins);
    for (size_t i = 0; i < levels->levels; i++) {
        json_t *one = json_object();
        json_object_set_new(one, "level", json_deep_copy(levels->names[i]));
        put_count(one, "n", margins[i].counts.n);
        put_count(one, "k", margins[i].counts.k);
        put_count(one, "n_cells", margins[i].cells);
        put(one, "pooled_rate", margins[i].pooled_rate);
        put(one, "cell_mean_rate", margins[i].cell_mean_rate);
        put(one, "repeatability_variance", margins[i].repeatability);
        json_array_append_new(out, one);
    }
    return out;
}

json_t *out_ordanova(const uint64_t *counts, size_t labs, size_t categories)
{
    struct rt_ordinal_labs all = {counts, labs, categories};
    struct rt_ordinal ordinal;
    json_t *dispersions = json_array(), *out = json_object();
    rt_ordinal(&all, &ordinal);
    for (size_t l = 0; l < labs; l++)
        json_array_append_new(
            dispersions, out_value(rt_ordinal_dispersion(counts + l * categories, categories)));
    json_object_set_new(out, "lab_h2", dispersions);
    put(out, "total", ordinal.total);
    put(out, "within", ordinal.within);
    put(out, "between", ordinal.between);
    put(out, "between_share", ordinal.between_share);
    return out;
}
