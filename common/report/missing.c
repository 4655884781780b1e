// SPDX-License-Identifier: Apache-2.0
// The missing-trials map: what was planned and what is missing, lab by lab, in two groupings of the
// conditions: by scenario, and by prompt x configuration without the scenario (subject, arm,
// phrasing, temperature). Known-answer scenarios are part of it: they are trials like any others.
#include <string.h>

#include "common/report/parts.h"

// The group of a condition in a map.
static size_t group_of(const struct rt_study *study, enum rt_map_by by,
                       const struct rt_study_condition *c)
{
    if (by == RT_MAP_SCENARIO)
        return c->scenario;
    return ((c->subject * study->arm_count + c->arm) * study->phrasing_count + c->phrasing) *
               study->temperature_count +
           c->temperature;
}

static void name_group(const struct rt_study *study, enum rt_map_by by, size_t group,
                       struct rt_map_group *ret)
{
    *ret = (struct rt_map_group){RT_STUDY_NONE, RT_STUDY_NONE, RT_STUDY_NONE, RT_STUDY_NONE,
                                 RT_STUDY_NONE};
    if (by == RT_MAP_SCENARIO) {
        ret->scenario = (uint32_t)group;
        return;
    }
    ret->temperature = (uint32_t)(group % study->temperature_count);
    group /= study->temperature_count;
    ret->phrasing = (uint32_t)(group % study->phrasing_count);
    group /= study->phrasing_count;
    ret->arm = (uint32_t)(group % study->arm_count);
    ret->subject = (uint32_t)(group / study->arm_count);
}

// Trials whose result is in the denominator, per place and lab, and those that came back without.
struct tally {
    uint64_t *in, *lost;
};

static enum rt_status count(const struct rt_report *report, struct tally *ret)
{
    const struct rt_study *study = report->study;
    size_t entries = rt_study_places(study) * study->lab_count;
    uint32_t rater = rt_study_primary_rater(study);
    ret->in = rt_arena_array(report->arena, entries, sizeof *ret->in);
    ret->lost = rt_arena_array(report->arena, entries, sizeof *ret->lost);
    if (!ret->in || !ret->lost)
        return RT_NO_MEMORY;
    for (size_t i = 0; i < study->cell_count; i++) {
        const struct rt_study_cell *cell = &study->cells[i];
        if (cell->rater != rater)
            continue;
        enum rt_study_status_kind kind = study->statuses[cell->status].kind;
        bool lost = kind == RT_STUDY_WITHHELD || kind == RT_STUDY_FAILED;
        size_t entry = rt_study_place(study, &cell->condition) * study->lab_count + cell->lab;
        (lost ? ret->lost : ret->in)[entry] += cell->count;
    }
    return RT_OK;
}

static struct rt_study_condition condition_at(const struct rt_study *study, size_t place)
{
    struct rt_study_condition c;
    c.temperature = (uint32_t)(place % study->temperature_count);
    place /= study->temperature_count;
    c.phrasing = (uint32_t)(place % study->phrasing_count);
    place /= study->phrasing_count;
    c.scenario = (uint32_t)(place % study->scenario_count);
    place /= study->scenario_count;
    c.arm = (uint32_t)(place % study->arm_count);
    c.subject = (uint32_t)(place / study->arm_count);
    return c;
}

static void add_place(const struct rt_study *study, const struct tally *tally, size_t place,
                      struct rt_map *map)
{
    struct rt_study_condition condition = condition_at(study, place);
    size_t labs = study->lab_count, group = group_of(study, map->by, &condition);
    for (size_t l = 0; l < labs; l++) {
        struct rt_map_cell *to = &map->cells[group * labs + l];
        uint64_t in = tally->in[place * labs + l], lost = tally->lost[place * labs + l];
        uint64_t planned = study->planned ? study->planned[place * labs + l] : in + lost;
        // More than was planned makes up for nothing elsewhere.
        to->planned += planned;
        to->missing += planned > in ? planned - in : 0;
    }
}

// Groups nobody planned anything in are no groups of this study (a bench may have phrasings of one
// scenario only, or arms of another subject's).
static void drop_empty(size_t labs, size_t groups, struct rt_map *map)
{
    for (size_t g = 0; g < groups; g++) {
        uint64_t planned = 0, missing = 0;
        size_t holes = 0;
        for (size_t l = 0; l < labs; l++) {
            planned += map->cells[g * labs + l].planned;
            missing += map->cells[g * labs + l].missing;
            holes += !map->cells[g * labs + l].planned;
        }
        if (!planned)
            continue;
        if (map->group_count != g)
            memmove(&map->cells[map->group_count * labs], &map->cells[g * labs],
                    labs * sizeof *map->cells);
        map->groups[map->group_count] = map->groups[g];
        map->with_missing += missing > 0;
        map->with_holes += holes > 0;
        map->group_count++;
    }
}

enum rt_status rt_missing_make(struct rt_report *report)
{
    const struct rt_study *study = report->study;
    struct tally tally;
    enum rt_status status = count(report, &tally);
    if (status)
        return status;
    for (enum rt_map_by by = RT_MAP_SCENARIO; by <= RT_MAP_CONFIGURATION; by++) {
        struct rt_map *map = &report->maps[by];
        size_t groups = by == RT_MAP_SCENARIO
                            ? study->scenario_count
                            : study->subject_count * study->arm_count * study->phrasing_count *
                                  study->temperature_count;
        *map = (struct rt_map){.by = by};
        map->groups = rt_arena_array(report->arena, groups, sizeof *map->groups);
        map->cells = rt_arena_array(report->arena, groups * study->lab_count, sizeof *map->cells);
        if (!map->groups || !map->cells)
            return RT_NO_MEMORY;
        for (size_t g = 0; g < groups; g++)
            name_group(study, by, g, &map->groups[g]);
        for (size_t place = 0; place < rt_study_places(study); place++)
            add_place(study, &tally, place, map);
        drop_empty(study->lab_count, groups, map);
    }
    return RT_OK;
}
