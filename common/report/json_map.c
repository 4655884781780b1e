// SPDX-License-Identifier: Apache-2.0
// The missing-trials maps and each scenario's own figures as JSON. A map is two matrices, one row a
// group and one column a lab in the order of participation.labs: few bytes for many cells.
#include "common/report/out.h"

static json_t *matrix(struct rt_out *b, const struct rt_map *map, bool missing)
{
    size_t labs = b->report->study->lab_count;
    json_t *rows = rt_out_array(b);
    for (size_t g = 0; g < map->group_count; g++) {
        json_t *row = rt_out_array(b);
        for (size_t l = 0; l < labs; l++) {
            const struct rt_map_cell *cell = &map->cells[g * labs + l];
            rt_out_append(b, row,
                          json_integer((json_int_t)(missing ? cell->missing : cell->planned)));
        }
        rt_out_append(b, rows, row);
    }
    return rows;
}

static json_t *map_object(struct rt_out *b, const struct rt_map *map)
{
    const struct rt_study *study = b->report->study;
    json_t *to = rt_out_object(b), *groups = rt_out_array(b);
    for (size_t g = 0; g < map->group_count; g++) {
        const struct rt_map_group *group = &map->groups[g];
        json_t *row = rt_out_object(b);
        if (group->subject != RT_STUDY_NONE && study->subject_count > 1)
            rt_out_put_text(b, row, "subject", study->subjects[group->subject].id);
        if (group->scenario != RT_STUDY_NONE)
            rt_out_put_text(b, row, "scenario", study->scenarios[group->scenario].id);
        rt_out_put_id(b, row, "arm", rt_out_arm_id(b, group->arm));
        rt_out_put_id(b, row, "phrasing", rt_out_phrasing_id(b, group->phrasing));
        rt_out_put_temperature(b, row, group->temperature);
        rt_out_append(b, groups, row);
    }
    rt_out_put(b, to, "groups", groups);
    rt_out_put(b, to, "planned", matrix(b, map, false));
    rt_out_put(b, to, "missing", matrix(b, map, true));
    rt_out_put_count(b, to, "groups_with_missing", map->with_missing);
    rt_out_put_count(b, to, "groups_not_at_every_lab", map->with_holes);
    return to;
}

json_t *rt_out_maps(struct rt_out *b)
{
    json_t *to = rt_out_object(b);
    rt_out_put(b, to, "by_scenario", map_object(b, &b->report->maps[RT_MAP_SCENARIO]));
    rt_out_put(b, to, "by_prompt_and_configuration",
               map_object(b, &b->report->maps[RT_MAP_CONFIGURATION]));
    return to;
}

json_t *rt_out_scenarios(struct rt_out *b, const struct rt_scenarios *from)
{
    const struct rt_study *study = b->report->study;
    json_t *rows = rt_out_array(b);
    for (size_t i = 0; i < from->count; i++) {
        const struct rt_scenario_row *row = &from->rows[i];
        json_t *to = rt_out_object(b);
        rt_out_put_text(b, to, "scenario", study->scenarios[row->scenario].id);
        rt_out_put_count(b, to, "conditions", row->conditions);
        rt_out_put_value(b, to, "mean", row->mean);
        rt_out_put_value(b, to, "effect", row->effect);
        rt_out_append(b, rows, to);
    }
    return rows;
}
