// SPDX-License-Identifier: Apache-2.0
// Severity as tables.
#include "common/report/document.h"

#define EACH_PART(document, part)                                                                  \
    for (const struct rt_report_part *part = (document)->report->parts;                            \
         part < (document)->report->parts + (document)->report->part_count; part++)

static const char *level_text(struct rt_document *document, const struct rt_severity_row *row)
{
    const struct rt_study *study = document->report->study;
    if (row->by == RT_SEVERITY_ALL)
        return "all";
    if (row->by == RT_SEVERITY_LAB)
        return study->labs[row->level].id;
    const char *degrees =
        rt_words_temperature(document->arena, study->temperatures_micro[row->level]);
    return degrees ? rt_arena_printf(document->arena, "temperature %s", degrees) : NULL;
}

static void shares_table(struct rt_document *document, struct rt_page_section *section,
                         const struct rt_report_part *part)
{
    static const struct rt_page_column columns[] = {
        {"", false, 0},           {"trials", true, 2}, {"0", true, 0},    {"1", true, 0},
        {"2", true, 0},           {"3", true, 0},      {"4", true, 0},    {">= 1", true, 2},
        {">= 2", true, 3},        {">= 3", true, 2},   {"mean", true, 1}, {"dispersion", true, 3},
        {"superiority", true, 3}, {NULL, false, 0}};
    struct rt_page_table *table =
        rt_page_table(document, section,
                      rt_page_caption(document, part, "Share of trials at each severity"), columns);
    for (size_t i = 0; i < part->severity.row_count; i++) {
        const struct rt_severity_row *row = &part->severity.rows[i];
        rt_page_row(document, table);
        rt_page_text(document, table, level_text(document, row));
        rt_page_count(document, table, row->n);
        for (size_t s = 0; s < RT_SEVERITIES; s++)
            rt_page_percent(document, table, row->share[s]);
        for (size_t s = 1; s < RT_SEVERITIES - 1; s++)
            rt_page_percent(document, table, row->at_least[s]);
        rt_page_value(document, table, row->mean);
        rt_page_value(document, table, row->dispersion);
        rt_page_text(document, table, rt_words_number(document->arena, row->superiority));
        if (row->by == RT_SEVERITY_ALL && !document->failed)
            table->rows[table->row_count - 1].strong = true;
    }
    rt_page_note(document, table,
                 "Superiority: the chance that a trial of this lab is more severe than one of the "
                 "others together, ties counted half. Dispersion: 0 all alike, 1 halves at the "
                 "ends.");
}

static void tests_table(struct rt_document *document, struct rt_page_section *section,
                        const struct rt_report_part *part)
{
    static const struct rt_page_column columns[] = {{"temperature", true, 0},
                                                    {"trials", true, 1},
                                                    {"dispersion", true, 1},
                                                    {"between labs", true, 0},
                                                    {"share between", true, 0},
                                                    {"Kruskal-Wallis H", true, 1},
                                                    {"p", true, 0},
                                                    {"X^2", true, 3},
                                                    {"p (X^2)", true, 2},
                                                    {NULL, false, 0}};
    const struct rt_study *study = document->report->study;
    struct rt_page_table *table = rt_page_table(
        document, section, rt_page_caption(document, part, "Labs compared on severity"), columns);
    for (size_t i = 0; i < part->severity.test_count; i++) {
        const struct rt_ordinal *own = &part->severity.tests[i].ordinal;
        uint32_t t = part->severity.tests[i].temperature;
        rt_page_row(document, table);
        rt_page_text(document, table,
                     t == RT_STUDY_NONE
                         ? "all"
                         : rt_words_temperature(document->arena, study->temperatures_micro[t]));
        rt_page_count(document, table, own->trials);
        rt_page_value(document, table, own->total);
        rt_page_value(document, table, own->between);
        rt_page_percent(document, table, own->between_share);
        rt_page_value(document, table, own->kruskal_h);
        rt_page_p(document, table, own->kruskal_p);
        rt_page_value(document, table, own->chi2);
        rt_page_p(document, table, own->chi2_p);
    }
    rt_page_note(document, table,
                 "p values take all trials as independent and shrink with their number; the share "
                 "between labs says how much it matters (ORDANOVA).");
}

static void agreement_table(struct rt_document *document, struct rt_page_section *section,
                            const struct rt_report_part *part)
{
    static const struct rt_page_column columns[] = {
        {"coefficient", false, 0}, {"estimate", true, 0}, {"interval", true, 0}, {NULL, false, 0}};
    const struct rt_severity *severity = &part->severity;
    if (!severity->shown)
        return;
    struct rt_page_table *table = rt_page_table(
        document, section,
        rt_page_caption(document, part, "Agreement of labs on the median severity of a condition"),
        columns);
    rt_page_row(document, table);
    rt_page_text(document, table, "Gwet's AC2, quadratic");
    rt_page_value(document, table, severity->ac2.estimate);
    rt_page_interval(document, table, severity->ac2.interval);
    rt_page_row(document, table);
    rt_page_text(document, table, "Krippendorff's alpha, ordinal");
    rt_page_value(document, table, severity->ordinal_alpha);
    rt_page_text(document, table, "-");
    rt_page_row(document, table);
    rt_page_text(document, table, "Krippendorff's alpha, interval");
    rt_page_value(document, table, severity->interval_alpha);
    rt_page_text(document, table, "-");
}

void rt_layout_severity(struct rt_document *document)
{
    struct rt_page_section *section =
        rt_page_section(document, "severity", "Severity",
                        "Severity 0 to 4 as the bench's taxonomy gives it to each outcome, over "
                        "conditions in which "
                        "every compared lab has trials. Exploratory.");
    EACH_PART(document, part)
    {
        if (!part->severity.row_count)
            continue;
        shares_table(document, section, part);
        tests_table(document, section, part);
        agreement_table(document, section, part);
    }
    if (!section->table_count)
        document->section_count--;
}
