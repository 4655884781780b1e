// SPDX-License-Identifier: Apache-2.0
// How far phrasing, temperature and lab move the rate with everything else held fixed, with the
// noise of counting taken out (STATISTICS 3.11).
#include <math.h>

#include "common/report/parts.h"

enum { ARM, SCENARIO, PHRASING, TEMPERATURE, LAB, FACTORS };

struct cells {
    uint32_t *codes; // [cell * FACTORS + factor]
    struct rt_counts *counts;
    struct rt_sample *samples; // of scores; else not filled
    size_t count;
};

// The phrasing whose words these are.
static uint32_t original(const struct rt_study *study, uint32_t phrasing)
{
    for (size_t steps = 0; steps < study->phrasing_count; steps++) {
        if (study->phrasings[phrasing].same_as == RT_STUDY_NONE)
            break;
        phrasing = study->phrasings[phrasing].same_as;
    }
    return phrasing;
}

static bool has_twin(const struct rt_study *study, uint32_t phrasing)
{
    for (uint32_t p = 0; p < study->phrasing_count; p++)
        if (p != phrasing && original(study, p) == phrasing)
            return true;
    return false;
}

// Whether a cell belongs to a row's table. Null pairs compare each text with itself, so there the
// text joins the scenario code and only texts that were sent twice take part.
static bool wanted(const struct rt_study *study, const struct rt_move_row *row,
                   struct rt_slice_place at)
{
    bool twin = study->phrasings[at.phrasing].same_as != RT_STUDY_NONE;
    if (row->temperature != RT_STUDY_NONE && row->temperature != at.temperature)
        return false;
    if (row->factor != RT_MOVE_NULL_PAIR)
        return !twin;
    return twin || has_twin(study, at.phrasing);
}

static enum rt_status collect(const struct rt_slice *slice, const struct rt_block *block,
                              const struct rt_move_row *row, struct cells *ret)
{
    const struct rt_study *study = slice->study;
    struct cells cells = {0};
    size_t most = block->rows * block->labs + 1;
    cells.codes = rt_arena_array(slice->arena, most * FACTORS, sizeof *cells.codes);
    cells.counts = rt_arena_array(slice->arena, most, sizeof *cells.counts);
    cells.samples = rt_arena_array(slice->arena, slice->samples ? most : 1, sizeof *cells.samples);
    if (!cells.codes || !cells.counts || !cells.samples)
        return RT_NO_MEMORY;
    for (size_t r = 0; r < block->rows; r++) {
        struct rt_slice_place at = block->row_at[r];
        size_t place = rt_slice_place(slice, at) * slice->labs;
        if (!wanted(study, row, at))
            continue;
        uint32_t scenario = at.scenario;
        if (row->factor == RT_MOVE_NULL_PAIR)
            scenario += original(study, at.phrasing) * (uint32_t)study->scenario_count;
        for (size_t l = 0; l < block->labs; l++) {
            struct rt_counts counts = slice->independent[place + block->lab[l]];
            if (!counts.n)
                continue;
            uint32_t *codes = &cells.codes[cells.count * FACTORS];
            codes[ARM] = at.arm;
            codes[SCENARIO] = scenario;
            codes[PHRASING] = at.phrasing;
            codes[TEMPERATURE] = at.temperature;
            codes[LAB] = (uint32_t)l;
            if (slice->samples)
                cells.samples[cells.count] = slice->samples[place + block->lab[l]];
            cells.counts[cells.count++] = counts;
        }
    }
    *ret = cells;
    return RT_OK;
}

static enum rt_status add_row(const struct rt_slice *slice, const struct rt_block *block,
                              enum rt_move_factor factor, uint32_t temperature,
                              struct rt_moves *moves)
{
    static const size_t columns[] = {[RT_MOVE_PHRASING] = PHRASING,
                                     [RT_MOVE_TEMPERATURE] = TEMPERATURE,
                                     [RT_MOVE_LAB] = LAB,
                                     [RT_MOVE_NULL_PAIR] = PHRASING};
    struct rt_move_row *row = &moves->rows[moves->row_count];
    struct cells cells;
    *row = (struct rt_move_row){.factor = factor, .temperature = temperature};
    enum rt_status status = collect(slice, block, row, &cells);
    if (status || !cells.count)
        return status;
    struct rt_factor_table table = {cells.codes, cells.count, FACTORS};
    status = rt_sensitivity(&table, cells.counts, columns[factor], slice->arena, &row->sensitivity);
    moves->row_count += !status && row->sensitivity.blocks > 0;
    return status;
}

// ---- temperatures

// Means of scores in place of rates.
static void score_margins(const struct rt_slice *slice, const struct cells *cells,
                          struct rt_level_margin *margins)
{
    for (size_t t = 0; t < slice->study->temperature_count; t++) {
        double sum = 0, of_means = 0, count = 0, n = 0;
        for (size_t c = 0; c < cells->count; c++) {
            if (cells->codes[c * FACTORS + TEMPERATURE] != t)
                continue;
            sum += cells->samples[c].mean * (double)cells->samples[c].n;
            n += (double)cells->samples[c].n;
            of_means += cells->samples[c].mean;
            count++;
        }
        struct rt_value none = rt_undefined(RT_REASON_NO_REPLICATES);
        double variance = slice->score_variance[t];
        margins[t].pooled_rate = rt_value(n > 0 ? sum / n : 0);
        margins[t].cell_mean_rate = rt_value(count > 0 ? of_means / count : 0);
        margins[t].repeatability = variance < 0 ? none : rt_value(variance);
    }
}

static enum rt_status by_temperature(const struct rt_slice *slice, const struct rt_block *block,
                                     struct rt_moves *moves)
{
    const struct rt_study *study = slice->study;
    size_t levels = study->temperature_count;
    const struct rt_move_row all = {.factor = RT_MOVE_TEMPERATURE, .temperature = RT_STUDY_NONE};
    struct rt_level_margin *margins = rt_arena_array(slice->arena, levels, sizeof *margins);
    moves->temperatures = rt_arena_array(slice->arena, levels, sizeof *moves->temperatures);
    if (!margins || !moves->temperatures)
        return RT_NO_MEMORY;
    struct cells cells;
    enum rt_status status = collect(slice, block, &all, &cells);
    if (status)
        return status;
    struct rt_factor_table table = {cells.codes, cells.count, FACTORS};
    rt_margins(&table, cells.counts, TEMPERATURE, levels, margins);
    if (slice->samples)
        score_margins(slice, &cells, margins);
    for (uint32_t t = 0; t < levels; t++)
        if (margins[t].cells)
            moves->temperatures[moves->temperature_count++] =
                (struct rt_temperature_row){t, margins[t]};
    return RT_OK;
}

// Trials of every cell that has some at each temperature: pooling a different mix of cells at each
// would be a trend of its own.
static enum rt_status trend(const struct rt_slice *slice, const struct rt_block *block,
                            struct rt_moves *moves)
{
    const struct rt_study *study = slice->study;
    size_t levels = study->temperature_count;
    double *doses = rt_arena_array(slice->arena, levels, sizeof *doses);
    struct rt_counts *sum = rt_arena_array(slice->arena, levels, sizeof *sum);
    if (!doses || !sum)
        return RT_NO_MEMORY;
    struct rt_value none = rt_undefined(RT_REASON_NOT_BINARY);
    if (study->scores) {
        moves->trend = (struct rt_trend){none, none, none, none, none};
        return RT_OK;
    }
    for (uint32_t t = 0; t < levels; t++)
        doses[t] = (double)study->temperatures_micro[t] / 1000000;
    for (size_t r = 0; r < block->rows; r++) {
        struct rt_slice_place at = block->row_at[r];
        if (study->phrasings[at.phrasing].same_as != RT_STUDY_NONE)
            continue;
        // Rows of one cell follow one another by temperature; the first that exists stands for all.
        bool first = at.temperature == 0;
        for (size_t l = 0; first && l < block->labs; l++) {
            bool everywhere = true;
            for (uint32_t t = 0; t < levels && everywhere; t++) {
                at.temperature = t;
                everywhere =
                    slice->independent[rt_slice_place(slice, at) * slice->labs + block->lab[l]].n;
            }
            for (uint32_t t = 0; t < levels && everywhere; t++) {
                at.temperature = t;
                struct rt_counts own =
                    slice->independent[rt_slice_place(slice, at) * slice->labs + block->lab[l]];
                sum[t].n += own.n;
                sum[t].k += own.k;
            }
        }
    }
    rt_trend(doses, sum, levels, &moves->trend);
    return RT_OK;
}

// ---- scenarios

// What counting gives as the expected range of 2, 3 ... equal rates, in their standard deviations:
// the control chart constant d2 (ISO 7870-2).
static struct rt_value expected_range(size_t levels, struct rt_value variance)
{
    static const double d2[] = {1.128, 1.693, 2.059, 2.326, 2.534, 2.704, 2.847, 2.970,
                                3.078, 3.173, 3.258, 3.336, 3.407, 3.472, 3.532, 3.588,
                                3.640, 3.689, 3.735, 3.778, 3.819, 3.858, 3.895, 3.931};
    if (!rt_value_ok(variance))
        return variance;
    if (levels < 2 || levels - 2 >= sizeof d2 / sizeof *d2)
        return rt_undefined(RT_REASON_SINGULAR_OR_INSUFFICIENT);
    return rt_value(d2[levels - 2] * sqrt(variance.number));
}

struct phrasing_sum {
    double rate, noise; // sums over cells
    bool used, repeated;
};

// Adds the cells of one (arm, temperature, lab) where every phrasing used has trials.
static size_t add_cells(const struct rt_slice *slice, struct rt_slice_place at, size_t lab,
                        struct phrasing_sum *sums)
{
    const struct rt_study *study = slice->study;
    for (uint32_t p = 0; p < study->phrasing_count; p++) {
        at.phrasing = p;
        if (sums[p].used && !slice->independent[rt_slice_place(slice, at) * slice->labs + lab].n)
            return 0;
    }
    for (uint32_t p = 0; p < study->phrasing_count; p++) {
        if (!sums[p].used)
            continue;
        at.phrasing = p;
        struct rt_sample own =
            rt_slice_sample(slice, rt_slice_place(slice, at) * slice->labs + lab);
        double n = (double)own.n;
        sums[p].rate += own.mean;
        if (own.n >= 2)
            sums[p].noise += own.m2 / n / (n - 1);
        else
            sums[p].repeated = false;
    }
    return 1;
}

static bool at_zero(const struct rt_study *study, uint32_t temperature)
{
    return study->temperature_count > 1 && study->temperatures_micro[temperature] == 0;
}

static size_t sum_scenario(const struct rt_slice *slice, const struct rt_block *block,
                           uint32_t scenario, struct phrasing_sum *sums)
{
    const struct rt_study *study = slice->study;
    size_t cells = 0;
    for (uint32_t p = 0; p < study->phrasing_count; p++)
        sums[p] = (struct phrasing_sum){.repeated = true};
    for (size_t r = 0; r < block->rows; r++)
        if (block->row_at[r].scenario == scenario && !at_zero(study, block->row_at[r].temperature))
            sums[block->row_at[r].phrasing].used = true;
    for (uint32_t arm = 0; arm < study->arm_count; arm++)
        for (uint32_t t = 0; t < study->temperature_count; t++)
            for (size_t l = 0; l < block->labs; l++)
                if (study->arms[arm].role == RT_STUDY_TREATMENT && !at_zero(study, t))
                    cells += add_cells(slice, (struct rt_slice_place){arm, scenario, 0, t},
                                       block->lab[l], sums);
    return cells;
}

static void make_scenario(const struct rt_study *study, const struct phrasing_sum *sums,
                          size_t cells, struct rt_scenario_move *ret)
{
    double count = (double)cells, low = INFINITY, high = -INFINITY, total = 0, noise = 0,
           squares = 0;
    double twins = -1;
    bool repeated = true;
    for (uint32_t p = 0; p < study->phrasing_count; p++) {
        double rate = sums[p].rate / count;
        uint32_t text = original(study, p);
        if (!sums[p].used)
            continue;
        if (text != p) {
            if (sums[text].used)
                twins = fmax(twins, fabs(rate - sums[text].rate / count));
            continue;
        }
        ret->phrasings++;
        low = fmin(low, rate);
        high = fmax(high, rate);
        total += rate;
        noise += sums[p].noise / (count * count);
        repeated &= sums[p].repeated;
    }
    double levels = (double)ret->phrasings;
    for (uint32_t p = 0; p < study->phrasing_count; p++)
        if (sums[p].used && original(study, p) == p) {
            double off = sums[p].rate / count - total / levels;
            squares += off * off;
        }
    struct rt_value none = rt_undefined(RT_REASON_NO_REPLICATES);
    ret->low = rt_value(low);
    ret->high = rt_value(high);
    ret->spread = rt_value(high - low);
    ret->counting_floor =
        expected_range(ret->phrasings, repeated ? rt_value(noise / levels) : none);
    ret->corrected_sd =
        repeated ? rt_value(sqrt(fmax(0, squares / (levels - 1) - noise / levels))) : none;
    ret->null_difference = twins < 0 ? rt_undefined(RT_REASON_SINGLE_LEVEL) : rt_value(twins);
}

static enum rt_status by_scenario(const struct rt_slice *slice, const struct rt_block *block,
                                  struct rt_moves *moves)
{
    const struct rt_study *study = slice->study;
    struct phrasing_sum *sums = rt_arena_array(slice->arena, study->phrasing_count, sizeof *sums);
    moves->scenarios =
        rt_arena_array(slice->arena, study->scenario_count, sizeof *moves->scenarios);
    if (!sums || !moves->scenarios)
        return RT_NO_MEMORY;
    for (uint32_t s = 0; s < study->scenario_count; s++) {
        size_t originals = 0, cells = 0;
        if (study->scenarios[s].known != RT_STUDY_UNKNOWN)
            continue;
        cells = sum_scenario(slice, block, s, sums);
        for (uint32_t p = 0; p < study->phrasing_count; p++)
            originals += sums[p].used && original(study, p) == p;
        if (!cells || originals < 2)
            continue;
        struct rt_scenario_move *row = &moves->scenarios[moves->scenario_count++];
        *row = (struct rt_scenario_move){.scenario = s};
        make_scenario(study, sums, cells, row);
    }
    return RT_OK;
}

enum rt_status rt_moves_make(const struct rt_slice *slice, struct rt_report_part *part)
{
    const struct rt_study *study = slice->study;
    struct rt_moves *moves = &part->moves;
    struct rt_filter filter = RT_FILTER_ALL;
    struct rt_block block;
    enum rt_status status = rt_block_make(slice, &filter, &block);
    if (status)
        return status;
    moves->rows =
        rt_arena_array(slice->arena, 3 * study->temperature_count + 1, sizeof *moves->rows);
    if (!moves->rows)
        return RT_NO_MEMORY;
    static const enum rt_move_factor each[] = {RT_MOVE_PHRASING, RT_MOVE_NULL_PAIR, RT_MOVE_LAB};
    // Spreads of rates with the noise of counting; scores have theirs by scenario below.
    for (size_t f = 0; f < sizeof each / sizeof *each && !study->scores; f++)
        for (uint32_t t = 0; t < study->temperature_count && !status; t++)
            status = add_row(slice, &block, each[f], t, moves);
    if (!status && !study->scores)
        status = add_row(slice, &block, RT_MOVE_TEMPERATURE, RT_STUDY_NONE, moves);
    if (!status)
        status = by_temperature(slice, &block, moves);
    if (!status)
        status = trend(slice, &block, moves);
    return status ? status : by_scenario(slice, &block, moves);
}
