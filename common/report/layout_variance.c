// SPDX-License-Identifier: Apache-2.0
// Variance components, prompt and temperature sensitivity and severity as tables.
#include <math.h>

#include "common/report/document.h"

#define EACH_PART(document, part)                                                                  \
    for (const struct rt_report_part *part = (document)->report->parts;                            \
         part < (document)->report->parts + (document)->report->part_count; part++)

#define LONG_TABLE 12

static const char *temperature_text(struct rt_document *document, uint32_t index)
{
    return index == RT_STUDY_NONE
               ? "all"
               : rt_words_temperature(document->arena,
                                      document->report->study->temperatures_micro[index]);
}

// ---- variance components

// Which arm and temperature a table is about.
static const char *variance_caption(struct rt_document *document, const struct rt_report_part *part,
                                    const struct rt_variance_row *row, const char *what)
{
    const struct rt_study *study = document->report->study;
    size_t treatments = 0;
    for (size_t i = 0; i < study->arm_count; i++)
        treatments += study->arms[i].role == RT_STUDY_TREATMENT;
    const char *degrees = temperature_text(document, row->temperature);
    return rt_page_caption(document, part,
                           rt_arena_printf(document->arena, "%s at temperature %s%s%s", what,
                                           degrees ? degrees : "", treatments > 1 ? ", arm " : "",
                                           treatments > 1 ? study->arms[row->arm].id : ""));
}

static const char *component_text(const struct rt_component *own, bool nested)
{
    static const char *const names[] = {"single trials (residual)",
                                        "lab",
                                        "scenario",
                                        "lab x scenario",
                                        "phrasing",
                                        "lab x phrasing",
                                        "scenario x phrasing",
                                        "lab x scenario x phrasing"};
    if (nested && own->effect == (RT_VARIANCE_SCENARIO | RT_VARIANCE_PHRASING))
        return "phrasing within scenario";
    return names[own->effect];
}

static void components_table(struct rt_document *document, struct rt_page_section *section,
                             const struct rt_report_part *part, const struct rt_variance_row *row)
{
    static const struct rt_page_column columns[] = {
        {"source", false, 0},    {"levels", true, 2}, {"variance", true, 0}, {"sd", true, 1},
        {"% of total", true, 0}, {"raw", true, 3},    {NULL, false, 0}};
    struct rt_page_table *table = rt_page_table(
        document, section, variance_caption(document, part, row, "Variance of single outcomes"),
        columns);
    for (size_t i = 0; i < row->components.effects; i++) {
        const struct rt_component *own = &row->components.effect[i];
        bool known = rt_value_ok(own->truncated);
        rt_page_row(document, table);
        rt_page_text(document, table, component_text(own, row->nested));
        rt_page_count(document, table, own->levels);
        rt_page_fine(document, table, own->truncated);
        rt_page_value(document, table,
                      known ? rt_value(sqrt(own->truncated.number)) : own->truncated);
        rt_page_value(document, table, own->percent);
        rt_page_fine(document, table, own->raw);
    }
    if (row->reduced)
        rt_page_note(document, table,
                     "Cells are missing or very unequal: without the three-way interaction, which "
                     "is part of the residual here.");
}

static void projections_table(struct rt_document *document, struct rt_page_section *section,
                              const struct rt_report_part *part, const struct rt_variance_row *row)
{
    static const struct rt_page_column columns[] = {{"design", false, 0},
                                                    {"labs", true, 2},
                                                    {"scenarios", true, 2},
                                                    {"phrasings", true, 2},
                                                    {"trials a cell", true, 2},
                                                    {"se of the mean", true, 0},
                                                    {"sd of a new lab's mean", true, 0},
                                                    {"E rho^2", true, 1},
                                                    {"Phi", true, 1},
                                                    {NULL, false, 0}};
    if (!row->projection_count)
        return;
    struct rt_page_table *table = rt_page_table(
        document, section, variance_caption(document, part, row, "What other designs would give"),
        columns);
    for (size_t i = 0; i < row->projection_count; i++) {
        const struct rt_variance_projection *own = &row->projections[i];
        const struct rt_design *design = &own->design;
        rt_page_row(document, table);
        rt_page_text(document, table, own->label);
        rt_page_text(document, table, rt_arena_printf(document->arena, "%.0f", design->labs));
        rt_page_text(document, table, rt_arena_printf(document->arena, "%.0f", design->scenarios));
        rt_page_text(document, table, rt_arena_printf(document->arena, "%.0f", design->phrasings));
        rt_page_text(document, table, rt_arena_printf(document->arena, "%.3g", design->replicates));
        rt_page_value(document, table, own->projection.grand_mean_se);
        rt_page_value(document, table, own->projection.new_lab_sd);
        rt_page_value(document, table, own->projection.coefficient);
        rt_page_value(document, table, own->projection.dependability);
    }
    rt_page_note(document, table,
                 "A D-study: the components above, divided by another design's numbers. The se of "
                 "the mean takes labs, scenarios and phrasings as samples of more of their kind.");
    table->folded = true;
}

void rt_layout_variance(struct rt_document *document)
{
    struct rt_page_section *section = rt_page_section(
        document, "variance", "Where the variance comes from",
        "Variance of a single outcome (0 or 1) split by its sources, separately per temperature "
        "(Henderson's method I). The residual is trials of one cell differing among themselves. "
        "Exploratory: no hypothesis was registered about it.");
    EACH_PART(document, part)
    {
        for (size_t i = 0; i < part->variance_count; i++) {
            components_table(document, section, part, &part->variance[i]);
            projections_table(document, section, part, &part->variance[i]);
        }
    }
    if (!section->table_count)
        document->section_count--;
}

// ---- sensitivity to phrasing and temperature

static void factor_table(struct rt_document *document, struct rt_page_section *section,
                         const struct rt_report_part *part)
{
    static const struct rt_page_column columns[] = {
        {"what varies", false, 0}, {"temperature", true, 0},
        {"blocks", true, 2},       {"noise-corrected sd", true, 0},
        {"sd", true, 1},           {"mean |difference|", true, 1},
        {"mean spread", true, 2},  {"largest spread", true, 3},
        {NULL, false, 0}};
    static const char *const names[] = {"phrasing", "temperature", "lab", "null pair"};
    if (!part->moves.row_count)
        return;
    struct rt_page_table *table =
        rt_page_table(document, section,
                      rt_page_caption(document, part, "With everything else held fixed"), columns);
    for (size_t i = 0; i < part->moves.row_count; i++) {
        const struct rt_move_row *row = &part->moves.rows[i];
        rt_page_row(document, table);
        rt_page_text(document, table, names[row->factor]);
        rt_page_text(document, table, temperature_text(document, row->temperature));
        rt_page_count(document, table, row->sensitivity.blocks);
        rt_page_value(document, table, row->sensitivity.corrected_sd);
        rt_page_value(document, table, row->sensitivity.rms_sd);
        rt_page_value(document, table, row->sensitivity.mean_abs_difference);
        rt_page_value(document, table, row->sensitivity.mean_spread);
        rt_page_value(document, table, row->sensitivity.max_spread);
        if (row->factor == RT_MOVE_NULL_PAIR)
            rt_page_mark_row(table, RT_MARK_NULL);
    }
    rt_page_note(
        document, table,
        "Counting a few trials a cell alone makes rates differ, so only the noise-corrected "
        "sd says how far a factor moves the rate; null pairs show what is left of noise.");
}

static void temperature_table(struct rt_document *document, struct rt_page_section *section,
                              const struct rt_report_part *part)
{
    static const struct rt_page_column columns[] = {
        {"temperature", true, 0}, {"trials", true, 1},
        {"cells", true, 2},       {"mean of cells", true, 0},
        {"pooled rate", true, 1}, {"repeatability variance", true, 0},
        {NULL, false, 0}};
    const struct rt_moves *moves = &part->moves;
    if (!moves->temperature_count)
        return;
    struct rt_page_table *table = rt_page_table(
        document, section,
        rt_page_caption(document, part, "Variation of trials of one cell, by temperature"),
        columns);
    for (size_t i = 0; i < moves->temperature_count; i++) {
        const struct rt_temperature_row *row = &moves->temperatures[i];
        rt_page_row(document, table);
        rt_page_text(document, table, temperature_text(document, row->temperature));
        rt_page_count(document, table, row->margin.counts.n);
        rt_page_count(document, table, row->margin.cells);
        rt_page_value(document, table, row->margin.cell_mean_rate);
        rt_page_value(document, table, row->margin.pooled_rate);
        rt_page_value(document, table, row->margin.repeatability);
    }
    if (rt_value_ok(moves->trend.z))
        rt_page_note(document, table,
                     rt_arena_printf(document->arena,
                                     "Trend over temperature (Cochran-Armitage): z = %s, slope %s "
                                     "logit a unit. It takes all trials as independent, so z is "
                                     "too large where scenarios differ.",
                                     rt_words_number(document->arena, moves->trend.z),
                                     rt_words_number(document->arena, moves->trend.slope)));
}

static void scenario_table(struct rt_document *document, struct rt_page_section *section,
                           const struct rt_report_part *part)
{
    static const struct rt_page_column columns[] = {
        {"scenario", false, 0}, {"phrasings", true, 2},
        {"lowest", true, 1},    {"highest", true, 1},
        {"spread", true, 0},    {"counting noise", true, 0},
        {"null pair", true, 1}, {"noise-corrected sd", true, 0},
        {NULL, false, 0}};
    const struct rt_study *study = document->report->study;
    const struct rt_moves *moves = &part->moves;
    bool twins = false;
    if (!moves->scenario_count)
        return;
    struct rt_page_table *table = rt_page_table(
        document, section, rt_page_caption(document, part, "Phrasings of each scenario"), columns);
    for (size_t i = 0; i < moves->scenario_count; i++) {
        const struct rt_scenario_move *row = &moves->scenarios[i];
        twins |= rt_value_ok(row->null_difference);
        rt_page_row(document, table);
        rt_page_text(document, table, study->scenarios[row->scenario].id);
        rt_page_count(document, table, row->phrasings);
        rt_page_value(document, table, row->low);
        rt_page_value(document, table, row->high);
        rt_page_value(document, table, row->spread);
        rt_page_value(document, table, row->counting_floor);
        rt_page_text(document, table, rt_words_number(document->arena, row->null_difference));
        rt_page_value(document, table, row->corrected_sd);
    }
    rt_page_note(document, table,
                 "Averaged over labs, temperatures above 0 and treatment arms. Counting noise: the "
                 "spread that equal phrasings would be expected to show.");
    if (twins)
        rt_page_note(document, table, "Null pair: |difference| of one text sent twice.");
    table->folded = moves->scenario_count > LONG_TABLE;
}

void rt_layout_moves(struct rt_document *document)
{
    struct rt_page_section *section = rt_page_section(
        document, "moves", "How far phrasing and temperature move it",
        "Cells that differ in one factor alone. Exploratory: no hypothesis was registered "
        "about it.");
    EACH_PART(document, part)
    {
        factor_table(document, section, part);
        temperature_table(document, section, part);
        scenario_table(document, section, part);
        rt_layout_odds(document, section, part);
    }
    if (!section->table_count)
        document->section_count--;
}
