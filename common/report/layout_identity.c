// SPDX-License-Identifier: Apache-2.0
// How it is known which model each lab measured.
#include <string.h>

#include "common/report/document.h"

// 1 hashed, 2 behavioural, 3 declared; 0 where the fingerprint does not say.
static uint8_t level_of(const struct rt_study_fingerprint *fingerprint, const char *const *words)
{
    for (size_t p = 0; p < fingerprint->pair_count; p++)
        for (uint8_t w = 1; w <= 3; w++)
            if (strcmp(fingerprint->pairs[p].name, "identity") == 0 &&
                strcmp(fingerprint->pairs[p].value, words[w]) == 0)
                return w;
    return 0;
}

const char **rt_layout_identity(struct rt_document *document)
{
    static const char *const words[] = {"", "hashed", "behavioural", "declared"};
    const struct rt_study *study = document->report->study;
    uint8_t *levels = rt_arena_array(document->arena, study->fingerprint_count + 1, 1);
    uint8_t *weakest = rt_arena_array(document->arena, study->lab_count + 1, 1);
    const char **names = rt_arena_array(document->arena, study->lab_count + 1, sizeof *names);
    bool known = false;
    document->failed |= !levels || !weakest || !names;
    if (document->failed)
        return NULL;
    for (size_t f = 0; f < study->fingerprint_count; f++)
        levels[f] = level_of(&study->fingerprints[f], words);
    for (size_t i = 0; i < study->cell_count; i++) {
        const struct rt_study_cell *cell = &study->cells[i];
        if (cell->fingerprint != RT_STUDY_NONE && levels[cell->fingerprint] > weakest[cell->lab])
            weakest[cell->lab] = levels[cell->fingerprint];
    }
    for (size_t l = 0; l < study->lab_count; l++) {
        names[l] = words[weakest[l]];
        known |= weakest[l] != 0;
    }
    return known ? names : NULL;
}
