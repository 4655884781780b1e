// SPDX-License-Identifier: Apache-2.0
// The missing-trials maps as tables: one row a group of conditions, one column a lab.
#include "common/report/document.h"

// Groups a table shows; the JSON has all of them.
#define ROWS_MOST 60

static const char *group_text(struct rt_document *document, const struct rt_map_group *group)
{
    const struct rt_study *study = document->report->study;
    if (group->scenario != RT_STUDY_NONE)
        return study->scenarios[group->scenario].id;
    struct rt_words words = {document->arena, ""};
    if (study->subject_count > 1)
        rt_words_add(&words, "%s, ", study->subjects[group->subject].id);
    if (study->arm_count > 1)
        rt_words_add(&words, "%s, ", study->arms[group->arm].id);
    rt_words_add(
        &words, "%s at %s", study->phrasings[group->phrasing].id,
        rt_words_temperature(document->arena, study->temperatures_micro[group->temperature]));
    return words.text;
}

static bool complete(const struct rt_map_cell *cells, size_t labs)
{
    for (size_t l = 0; l < labs; l++)
        if (cells[l].missing || !cells[l].planned)
            return false;
    return true;
}

static void fill_row(struct rt_document *document, struct rt_page_table *table,
                     const struct rt_map *map, size_t group)
{
    size_t labs = document->report->study->lab_count;
    const struct rt_map_cell *cells = &map->cells[group * labs];
    uint64_t planned = 0, missing = 0;
    rt_page_row(document, table);
    rt_page_text(document, table, group_text(document, &map->groups[group]));
    for (size_t l = 0; l < labs; l++) {
        planned += cells[l].planned;
        missing += cells[l].missing;
    }
    for (size_t l = 0; l <= labs; l++) {
        uint64_t lost = l ? cells[l - 1].missing : missing;
        uint64_t all = l ? cells[l - 1].planned : planned;
        const char *a = rt_words_count(document->arena, lost);
        const char *b = rt_words_count(document->arena, all);
        rt_page_text(document, table,
                     !all     ? "none"
                     : a && b ? rt_arena_printf(document->arena, "%s/%s", a, b)
                              : NULL);
        if (lost && !document->failed)
            rt_page_mark(table, RT_MARK_WARN);
    }
}

static void map_table(struct rt_document *document, struct rt_page_section *section,
                      const struct rt_map *map)
{
    const struct rt_study *study = document->report->study;
    size_t labs = study->lab_count, complete_groups = 0, more = 0;
    struct rt_page_column *columns = rt_arena_array(document->arena, labs + 3, sizeof *columns);
    document->failed |= !columns;
    if (document->failed)
        return;
    columns[0] = (struct rt_page_column){
        map->by == RT_MAP_SCENARIO ? "scenario" : "prompt and configuration", false, 0};
    columns[1] = (struct rt_page_column){"all labs", true, 0};
    for (size_t l = 0; l < labs; l++)
        columns[l + 2] = (struct rt_page_column){study->labs[l].id, true, (unsigned)(1 + l / 4)};
    struct rt_page_table *table = rt_page_table(
        document, section,
        map->by == RT_MAP_SCENARIO ? "Missing trials by scenario and lab"
                                   : "Missing trials by prompt, configuration and lab",
        columns);
    for (size_t g = 0; g < map->group_count; g++) {
        if (complete(&map->cells[g * labs], labs))
            complete_groups++;
        else if (table->row_count < ROWS_MOST)
            fill_row(document, table, map, g);
        else
            more++;
    }
    rt_page_note(document, table,
                 rt_arena_printf(document->arena,
                                 "Missing/planned trials; none: this lab was to run nothing there. "
                                 "%zu of %zu groups are complete at every lab and have no line%s.",
                                 complete_groups, map->group_count,
                                 more ? "; further incomplete ones are in the JSON report" : ""));
    table->folded = table->row_count > 14;
}

void rt_layout_maps(struct rt_document *document, struct rt_page_section *section)
{
    const struct rt_map *maps = document->report->maps;
    for (enum rt_map_by by = RT_MAP_SCENARIO; by <= RT_MAP_CONFIGURATION; by++)
        if (maps[by].with_missing || maps[by].with_holes)
            map_table(document, section, &maps[by]);
}
