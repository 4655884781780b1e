// SPDX-License-Identifier: Apache-2.0
// Variance components of single outcomes per treatment arm and temperature, and what they project
// for other designs (STATISTICS 3.10).
#include "common/report/parts.h"

#define FACTORS 3 // lab, scenario, phrasing: bits of an effect in that order

enum { LAB = RT_VARIANCE_LAB, SCENARIO = RT_VARIANCE_SCENARIO, PHRASING = RT_VARIANCE_PHRASING };

// Cells of one arm and temperature in the shape the stats floor takes.
struct cells {
    uint32_t *codes;
    struct rt_sample *samples;
    size_t count;
    uint64_t least, most; // trials of a cell
    bool missing;         // a lab has no trials in a condition another lab has
};

static enum rt_status collect(const struct rt_slice *slice, const struct rt_variance_row *row,
                              struct cells *ret)
{
    const struct rt_study *study = slice->study;
    struct rt_filter filter = RT_FILTER_ALL;
    struct rt_block block;
    filter.arm = row->arm;
    filter.temperature = row->temperature;
    enum rt_status status = rt_block_make(slice, &filter, &block);
    if (status)
        return status;
    struct cells cells = {.least = UINT64_MAX};
    cells.codes =
        rt_arena_array(slice->arena, block.rows * block.labs * FACTORS + 1, sizeof *cells.codes);
    cells.samples =
        rt_arena_array(slice->arena, block.rows * block.labs + 1, sizeof *cells.samples);
    if (!cells.codes || !cells.samples)
        return RT_NO_MEMORY;
    for (size_t r = 0; r < block.rows; r++) {
        struct rt_slice_place at = block.row_at[r];
        if (study->phrasings[at.phrasing].same_as != RT_STUDY_NONE)
            continue;
        size_t place = rt_slice_place(slice, at) * slice->labs;
        for (size_t l = 0; l < block.labs; l++) {
            struct rt_counts counts = slice->independent[place + block.lab[l]];
            if (!counts.n) {
                cells.missing = true;
                continue;
            }
            uint32_t *codes = &cells.codes[cells.count * FACTORS];
            codes[0] = (uint32_t)l;
            codes[1] = at.scenario;
            codes[2] = row->nested ? at.scenario * (uint32_t)study->phrasing_count + at.phrasing
                                   : at.phrasing;
            cells.samples[cells.count++] = rt_slice_sample(slice, place + block.lab[l]);
            cells.least = counts.n < cells.least ? counts.n : cells.least;
            cells.most = counts.n > cells.most ? counts.n : cells.most;
        }
    }
    *ret = cells;
    return RT_OK;
}

// How many levels a factor has among the cells.
static enum rt_status levels_of(const struct rt_slice *slice, const struct rt_factor_table *table,
                                unsigned mask, size_t *ret)
{
    struct rt_partition partition;
    *ret = 0;
    if (!table->cells)
        return RT_OK;
    enum rt_status status = rt_partition(table, mask, slice->arena, &partition);
    if (!status)
        *ret = partition.levels;
    return status;
}

static double component_of(const struct rt_components *all, unsigned effect)
{
    for (size_t i = 0; i < all->effects; i++)
        if (all->effect[i].effect == effect)
            return rt_value_or(all->effect[i].truncated, 0);
    return 0;
}

static void add_projection(struct rt_variance_row *row, const char *label, struct rt_design design)
{
    const struct rt_components *all = &row->components;
    const struct rt_generalizability components = {
        .lab = component_of(all, LAB),
        .scenario = component_of(all, SCENARIO),
        .phrasing = component_of(all, PHRASING),
        .lab_scenario = component_of(all, LAB | SCENARIO),
        .lab_phrasing = component_of(all, LAB | PHRASING),
        .scenario_phrasing = component_of(all, SCENARIO | PHRASING),
        .lab_scenario_phrasing = component_of(all, LAB | SCENARIO | PHRASING),
        .residual = component_of(all, 0)};
    struct rt_variance_projection *to = &row->projections[row->projection_count++];
    *to = (struct rt_variance_projection){.label = label, .design = design};
    rt_project(&components, &design, &to->projection);
    if (row->labs < 2)
        to->projection.new_lab_sd = rt_undefined(RT_REASON_SINGLE_LAB);
}

static void project(struct rt_variance_row *row)
{
    const struct rt_components *all = &row->components;
    if (!all->cells || !rt_value_ok(all->total) || row->scenarios < 2)
        return;
    struct rt_design run = {(double)row->labs, (double)row->scenarios, (double)row->phrasings,
                            (double)all->trials / (double)all->cells};
    struct rt_design labs = run, scenarios = run, phrasings = run, replicates = run, one = run;
    labs.labs *= 2;
    scenarios.scenarios *= 2;
    phrasings.phrasings *= 2;
    replicates.replicates *= 2;
    one.phrasings = 1;
    add_projection(row, "as run", run);
    add_projection(row, "twice the labs", labs);
    add_projection(row, "twice the scenarios", scenarios);
    add_projection(row, "twice the phrasings", phrasings);
    add_projection(row, "twice the trials a cell", replicates);
    add_projection(row, "one phrasing only", one);
}

static enum rt_status make_row(const struct rt_slice *slice, struct rt_variance_row *row)
{
    static const unsigned crossed[] = {LAB,
                                       SCENARIO,
                                       PHRASING,
                                       LAB | SCENARIO,
                                       LAB | PHRASING,
                                       SCENARIO | PHRASING,
                                       LAB | SCENARIO | PHRASING};
    static const unsigned nested[] = {LAB, SCENARIO, LAB | SCENARIO, SCENARIO | PHRASING,
                                      LAB | SCENARIO | PHRASING};
    struct cells cells;
    enum rt_status status = collect(slice, row, &cells);
    if (status)
        return status;
    struct rt_factor_table table = {cells.codes, cells.count, FACTORS};
    // Henderson's first method is noisy for high interactions where cells are missing or unequal.
    row->reduced = cells.count && (cells.missing || cells.most > 2 * cells.least);
    const unsigned *effects = row->nested ? nested : crossed;
    size_t count = row->nested ? sizeof nested / sizeof *nested : sizeof crossed / sizeof *crossed;
    count -= row->reduced;
    size_t phrasings = 0;
    status = levels_of(slice, &table, LAB, &row->labs);
    if (!status)
        status = levels_of(slice, &table, SCENARIO, &row->scenarios);
    if (!status)
        status = levels_of(slice, &table, PHRASING, &phrasings);
    row->phrasings = row->nested && row->scenarios
                         ? (phrasings + row->scenarios - 1) / row->scenarios
                         : phrasings;
    if (!status)
        status =
            rt_components(&table, cells.samples, effects, count, slice->arena, &row->components);
    if (!status)
        project(row);
    return status;
}

enum rt_status rt_variance_make(const struct rt_slice *slice, struct rt_report_part *part)
{
    const struct rt_study *study = slice->study;
    part->variance = rt_arena_array(slice->arena, study->arm_count * study->temperature_count + 1,
                                    sizeof *part->variance);
    if (!part->variance)
        return RT_NO_MEMORY;
    enum rt_status status = RT_OK;
    for (uint32_t arm = 0; arm < study->arm_count && !status; arm++)
        for (uint32_t t = 0; t < study->temperature_count && !status; t++) {
            if (study->arms[arm].role != RT_STUDY_TREATMENT)
                continue;
            struct rt_variance_row *row = &part->variance[part->variance_count];
            *row = (struct rt_variance_row){
                .arm = arm, .temperature = t, .nested = study->phrasings_nested};
            status = make_row(slice, row);
            part->variance_count += !status && row->components.cells > 0;
        }
    return status;
}
