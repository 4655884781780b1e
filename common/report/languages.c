// SPDX-License-Identifier: Apache-2.0
// Language as a factor of its own where phrasings come in more than one (STATISTICS, decision 8).
#include <string.h>

#include "common/report/parts.h"
#include "common/stats/interval.h"

// Means of one language, one per scenario; count[scenario] 0 where there is none.
static void scenario_means(const struct rt_slice *slice, const struct rt_block *block,
                           const char *language, double *mean, size_t *count)
{
    const struct rt_study *study = slice->study;
    memset(mean, 0, study->scenario_count * sizeof *mean);
    memset(count, 0, study->scenario_count * sizeof *count);
    for (size_t c = 0; c < block->conditions; c++) {
        const struct rt_study_phrasing *phrasing = &study->phrasings[block->at[c].phrasing];
        if (phrasing->same_as != RT_STUDY_NONE || strcmp(phrasing->language, language) != 0)
            continue;
        for (size_t l = 0; l < block->labs; l++) {
            mean[block->at[c].scenario] += block->y[c * block->labs + l];
            count[block->at[c].scenario]++;
        }
    }
    for (size_t s = 0; s < study->scenario_count; s++)
        if (count[s])
            mean[s] /= (double)count[s];
}

static void list(const struct rt_study *study, struct rt_languages *languages)
{
    for (size_t p = 0; p < study->phrasing_count; p++) {
        const struct rt_study_phrasing *phrasing = &study->phrasings[p];
        size_t at = 0;
        if (phrasing->same_as != RT_STUDY_NONE || !*phrasing->language)
            continue;
        while (at < languages->count &&
               strcmp(languages->rows[at].language, phrasing->language) != 0)
            at++;
        if (at == languages->count)
            languages->rows[languages->count++] =
                (struct rt_language_row){.language = phrasing->language};
        languages->rows[at].phrasings++;
    }
}

struct scenario_table {
    double *mean; // [language * scenarios + scenario]
    size_t *count;
    double *picked;
};

static void compare(const struct rt_study *study, const struct scenario_table *table,
                    struct rt_languages *languages)
{
    size_t scenarios = study->scenario_count;
    double pairs = (double)(languages->count * (languages->count - 1) / 2);
    double error = (1 - study->plan.confidence) / pairs;
    for (size_t a = 0; a < languages->count; a++)
        for (size_t b = a + 1; b < languages->count; b++) {
            struct rt_language_pair *pair = &languages->pairs[languages->pair_count++];
            *pair = (struct rt_language_pair){.a = a, .b = b};
            for (size_t s = 0; s < scenarios; s++)
                if (table->count[a * scenarios + s] && table->count[b * scenarios + s])
                    table->picked[pair->scenarios++] =
                        table->mean[a * scenarios + s] - table->mean[b * scenarios + s];
            pair->difference = rt_mean(table->picked, pair->scenarios);
            pair->interval = rt_interval_mean_t(table->picked, pair->scenarios, 1 - error);
        }
}

enum rt_status rt_languages_make(const struct rt_slice *slice, struct rt_report_part *part)
{
    const struct rt_study *study = slice->study;
    struct rt_languages *languages = &part->languages;
    struct rt_filter filter = RT_FILTER_ALL;
    struct rt_block block;
    languages->rows = rt_arena_array(slice->arena, study->phrasing_count, sizeof *languages->rows);
    if (!languages->rows)
        return RT_NO_MEMORY;
    list(study, languages);
    if (languages->count < 2) {
        languages->count = 0;
        return RT_OK;
    }
    enum rt_status status = rt_block_make(slice, &filter, &block);
    if (status)
        return status;
    size_t scenarios = study->scenario_count, cells = languages->count * scenarios;
    struct scenario_table table = {rt_arena_array(slice->arena, cells, sizeof *table.mean),
                                   rt_arena_array(slice->arena, cells, sizeof *table.count),
                                   rt_arena_array(slice->arena, scenarios, sizeof *table.picked)};
    languages->pairs =
        rt_arena_array(slice->arena, languages->count * languages->count, sizeof *languages->pairs);
    if (!table.mean || !table.count || !table.picked || !languages->pairs)
        return RT_NO_MEMORY;
    for (size_t i = 0; i < languages->count; i++) {
        struct rt_language_row *row = &languages->rows[i];
        double *mean = &table.mean[i * scenarios];
        size_t *count = &table.count[i * scenarios];
        scenario_means(slice, &block, row->language, mean, count);
        for (size_t s = 0; s < scenarios; s++)
            if (count[s])
                table.picked[row->scenarios++] = mean[s];
        row->mean = rt_mean(table.picked, row->scenarios);
        row->like_these = rt_interval_clamp(
            rt_interval_mean_t(table.picked, row->scenarios, study->plan.confidence), 0, 1, NULL);
    }
    compare(study, &table, languages);
    return RT_OK;
}
