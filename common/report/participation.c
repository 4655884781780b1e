// SPDX-License-Identifier: Apache-2.0
// Who took part, what was planned and what is missing, under the primary rater.
#include "common/report/parts.h"

static void add_cells(struct rt_report *report, uint32_t rater)
{
    const struct rt_study *study = report->study;
    for (size_t i = 0; i < study->cell_count; i++) {
        const struct rt_study_cell *cell = &study->cells[i];
        struct rt_participation *row = &report->participation[cell->lab];
        if (cell->rater != rater)
            continue;
        row->received += cell->count;
        switch (study->statuses[cell->status].kind) {
        case RT_STUDY_COUNTED:
            row->counted += cell->count;
            break;
        case RT_STUDY_SILENT:
            row->silent += cell->count;
            break;
        case RT_STUDY_WITHHELD:
            row->withheld += cell->count;
            break;
        case RT_STUDY_FAILED:
            row->failed += cell->count;
            break;
        }
    }
}

static void add_up(struct rt_participation *total, const struct rt_participation *row)
{
    total->planned += row->planned;
    total->received += row->received;
    total->counted += row->counted;
    total->silent += row->silent;
    total->withheld += row->withheld;
    total->failed += row->failed;
    total->not_returned += row->not_returned;
    total->missing += row->missing;
}

static struct rt_value share(const struct rt_participation *row)
{
    return row->planned ? rt_value((double)row->missing / (double)row->planned)
                        : rt_undefined(RT_REASON_NO_TRIALS);
}

enum rt_status rt_participation_make(struct rt_report *report)
{
    const struct rt_study *study = report->study;
    size_t labs = study->lab_count;
    report->participation = rt_arena_array(report->arena, labs, sizeof *report->participation);
    struct rt_counts *rates = rt_arena_array(report->arena, labs, sizeof *rates);
    if (!report->participation || !rates)
        return RT_NO_MEMORY;
    add_cells(report, rt_study_primary_rater(study));
    for (uint32_t l = 0; l < labs; l++) {
        struct rt_participation *row = &report->participation[l];
        row->lab = l;
        if (study->planned)
            for (size_t place = 0; place < rt_study_places(study); place++)
                row->planned += study->planned[place * labs + l];
        else
            row->planned = row->received;
        row->not_returned = row->planned > row->received ? row->planned - row->received : 0;
        row->missing = row->not_returned + row->withheld + row->failed;
        row->missing_share = share(row);
        add_up(&report->total, row);
        rates[l] = (struct rt_counts){row->planned,
                                      row->missing < row->planned ? row->missing : row->planned};
    }
    report->total.lab = RT_STUDY_NONE;
    report->total.missing_share = share(&report->total);
    rt_homogeneity(rates, labs, &report->missing_homogeneity);
    return RT_OK;
}
