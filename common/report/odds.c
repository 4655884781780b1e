// SPDX-License-Identifier: Apache-2.0
// Does a contrast of two levels hold in every lab: Mantel-Haenszel log odds ratios per lab over
// strata with everything else equal, then random effects over labs (STATISTICS 3.7, row F).
#include "common/report/parts.h"

// The two sides of one lab in every (arm, scenario, other factor) where either has trials.
static size_t strata(const struct rt_slice *slice, const struct rt_odds_row *row, uint32_t lab,
                     struct rt_stratum *ret)
{
    const struct rt_study *study = slice->study;
    bool by_temperature = row->factor == RT_MOVE_TEMPERATURE;
    size_t others = by_temperature ? study->phrasing_count : study->temperature_count;
    size_t count = 0;
    for (uint32_t arm = 0; arm < study->arm_count; arm++)
        for (uint32_t scenario = 0; scenario < study->scenario_count; scenario++) {
            if (study->arms[arm].role != RT_STUDY_TREATMENT ||
                study->scenarios[scenario].known != RT_STUDY_UNKNOWN)
                continue;
            for (uint32_t other = 0; other < others; other++) {
                struct rt_slice_place x = {arm, scenario, row->level, other};
                struct rt_slice_place y = {arm, scenario, row->reference, other};
                if (by_temperature) {
                    x = (struct rt_slice_place){arm, scenario, other, row->level};
                    y = (struct rt_slice_place){arm, scenario, other, row->reference};
                }
                ret[count].target =
                    slice->independent[rt_slice_place(slice, x) * slice->labs + lab];
                ret[count].reference =
                    slice->independent[rt_slice_place(slice, y) * slice->labs + lab];
                count += ret[count].target.n && ret[count].reference.n;
            }
        }
    return count;
}

static enum rt_status make_row(const struct rt_slice *slice, struct rt_odds_row *row)
{
    double confidence = slice->study->plan.confidence;
    struct rt_stratum *sides = rt_arena_array(slice->arena, slice->places + 1, sizeof *sides);
    struct rt_effect *effects = rt_arena_array(slice->arena, slice->labs + 1, sizeof *effects);
    row->labs = rt_arena_array(slice->arena, slice->labs + 1, sizeof *row->labs);
    if (!sides || !effects || !row->labs)
        return RT_NO_MEMORY;
    for (uint32_t l = 0; l < slice->labs; l++) {
        if (!slice->compared[l])
            continue;
        struct rt_odds_lab *own = &row->labs[row->lab_count++];
        own->lab = l;
        rt_mantel_haenszel(sides, strata(slice, row, l, sides), &own->ratio);
        if (rt_value_ok(own->ratio.log_or) && rt_value_ok(own->ratio.se) &&
            own->ratio.se.number > 0)
            effects[row->pooled++] = (struct rt_effect){
                own->ratio.log_or.number, own->ratio.se.number * own->ratio.se.number};
    }
    rt_meta(effects, row->pooled, RT_TAU2_DL, confidence, &row->dl);
    rt_meta(effects, row->pooled, RT_TAU2_REML, confidence, &row->reml);
    return RT_OK;
}

enum rt_status rt_odds_make(const struct rt_slice *slice, struct rt_report_part *part)
{
    const struct rt_study *study = slice->study;
    struct rt_odds *odds = &part->odds;
    enum rt_status status = RT_OK;
    odds->rows = rt_arena_array(slice->arena, study->phrasing_count + 1, sizeof *odds->rows);
    if (!odds->rows)
        return RT_NO_MEMORY;
    if (study->scores)
        return RT_OK;
    if (study->temperature_count > 1) {
        struct rt_odds_row *row = &odds->rows[odds->count++];
        *row = (struct rt_odds_row){.factor = RT_MOVE_TEMPERATURE,
                                    .level = (uint32_t)study->temperature_count - 1};
        status = make_row(slice, row);
    }
    // A nested phrasing has no counterpart in other scenarios.
    for (uint32_t p = 1; p < study->phrasing_count && !study->phrasings_nested && !status; p++) {
        struct rt_odds_row *row = &odds->rows[odds->count++];
        *row = (struct rt_odds_row){.factor = RT_MOVE_PHRASING, .level = p};
        status = make_row(slice, row);
    }
    return status;
}
