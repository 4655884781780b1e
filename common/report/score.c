// SPDX-License-Identifier: Apache-2.0
// Cells of a study whose trials are scores: means and sums of squared deviations from exact sums,
// and the variance of a cell's mean.
#include "common/report/parts.h"

#define MICRO 1e6

// sum (y - mean)^2 = (n sum y^2 - (sum y)^2) / n, exact until the last step: nothing cancels.
static struct rt_sample sample_of(uint64_t n, int64_t sum, const uint64_t squares[2])
{
    unsigned __int128 square = ((unsigned __int128)squares[1] << 64) | squares[0];
    unsigned __int128 of_sum = (unsigned __int128)((__int128)sum * sum);
    unsigned __int128 spread = n * square;
    spread = spread > of_sum ? spread - of_sum : 0;
    return (struct rt_sample){n, (double)sum / (double)n / MICRO,
                              (double)spread / (double)n / MICRO / MICRO};
}

struct sums {
    uint64_t n;
    int64_t sum;
    uint64_t squares[2];
};

enum rt_status rt_slice_scores(struct rt_slice *slice)
{
    const struct rt_study *study = slice->study;
    size_t entries = slice->places * slice->labs;
    struct sums *sums = rt_arena_array(slice->arena, entries, sizeof *sums);
    slice->samples = rt_arena_array(slice->arena, entries, sizeof *slice->samples);
    if (!sums || !slice->samples)
        return RT_NO_MEMORY;
    for (size_t i = 0; i < study->cell_count; i++) {
        const struct rt_study_cell *cell = &study->cells[i];
        const struct rt_study_condition *c = &cell->condition;
        if (c->subject != slice->subject || cell->rater != slice->rater ||
            study->statuses[cell->status].kind != RT_STUDY_COUNTED)
            continue;
        struct rt_slice_place at = {c->arm, c->scenario, c->phrasing, c->temperature};
        struct sums *to = &sums[rt_slice_place(slice, at) * slice->labs + cell->lab];
        to->n += cell->count;
        to->sum += cell->score_sum_micro;
        rt_study_add_squares(to->squares, cell->score_squares);
    }
    for (size_t entry = 0; entry < entries; entry++) {
        const struct sums *from = &sums[entry];
        // A score is there or the trial is missing: a silent trial has none.
        slice->counts[entry] = (struct rt_counts){from->n, 0};
        if (from->n)
            slice->samples[entry] = sample_of(from->n, from->sum, from->squares);
    }
    return RT_OK;
}

double rt_slice_score_variance(const struct rt_slice *slice, uint32_t temperature)
{
    double m2 = 0, freedom = 0;
    for (size_t place = 0; place < slice->places; place++) {
        if (rt_slice_at(slice, place).temperature != temperature)
            continue;
        for (size_t l = 0; l < slice->labs; l++) {
            const struct rt_sample *cell = &slice->samples[place * slice->labs + l];
            m2 += cell->m2;
            freedom += cell->n ? (double)cell->n - 1 : 0;
        }
    }
    return freedom > 0 ? m2 / freedom : -1;
}

bool rt_study_add_squares(uint64_t to[2], const uint64_t more[2])
{
    unsigned __int128 a = ((unsigned __int128)to[1] << 64) | to[0];
    unsigned __int128 b = ((unsigned __int128)more[1] << 64) | more[0], sum = a + b;
    if (sum < a)
        return false;
    to[0] = (uint64_t)sum;
    to[1] = (uint64_t)(sum >> 64);
    return true;
}
