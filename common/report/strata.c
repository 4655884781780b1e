// SPDX-License-Identifier: Apache-2.0
// Do labs disagree, or do their serving stacks? For every odd lab: the fingerprint keys whose value
// no other lab has.
#include <stdlib.h>
#include <string.h>

#include "common/report/parts.h"

static const char absent[] = "not stated";

static const char *value_of(const struct rt_study_fingerprint *fingerprint, const char *name)
{
    for (size_t i = 0; i < fingerprint->pair_count; i++)
        if (strcmp(fingerprint->pairs[i].name, name) == 0)
            return fingerprint->pairs[i].value;
    return absent;
}

// used[lab * fingerprints + fingerprint]: whether the lab served this subject so.
static bool *usage(const struct rt_report *report, const struct rt_report_part *part)
{
    const struct rt_study *study = report->study;
    bool *used = rt_arena_array(report->arena, study->lab_count * study->fingerprint_count + 1,
                                sizeof *used);
    for (size_t i = 0; used && i < study->cell_count; i++) {
        const struct rt_study_cell *cell = &study->cells[i];
        if (cell->condition.subject == part->subject && cell->fingerprint != RT_STUDY_NONE)
            used[cell->lab * study->fingerprint_count + cell->fingerprint] = true;
    }
    return used;
}

// A set of texts in order of first appearance; texts are borrowed, text has room for all there are.
struct values {
    const char **text;
    size_t count;
};

static bool has(const struct values *values, const char *text)
{
    for (size_t i = 0; i < values->count; i++)
        if (strcmp(values->text[i], text) == 0)
            return true;
    return false;
}

static void add(struct values *values, const char *text)
{
    if (!has(values, text))
        values->text[values->count++] = text;
}

static const char *join(struct rt_arena *arena, const struct values *values)
{
    char *joined = rt_arena_strdup(arena, values->count ? values->text[0] : "");
    for (size_t i = 1; joined && i < values->count; i++)
        joined = rt_arena_printf(arena, "%s | %s", joined, values->text[i]);
    return joined;
}

// Values of one key at the odd lab and at all labs that are not odd.
static void split(const struct rt_study *study, const struct rt_report_part *part, const bool *used,
                  uint32_t odd, const char *name, struct values *mine, struct values *others)
{
    for (uint32_t l = 0; l < study->lab_count; l++)
        for (size_t f = 0; f < study->fingerprint_count; f++) {
            if (!used[l * study->fingerprint_count + f])
                continue;
            const char *value = value_of(&study->fingerprints[f], name);
            if (l == odd)
                add(mine, value);
            else if (!part->labs[l].odd)
                add(others, value);
        }
}

static int by_weight(const void *left, const void *right)
{
    const struct rt_lab_key *a = left, *b = right;
    if (a->canary != b->canary)
        return a->canary ? -1 : 1;
    if (a->others_agree != b->others_agree)
        return a->others_agree ? -1 : 1;
    return strcmp(a->name, b->name);
}

static enum rt_status find_keys(struct rt_report *report, struct rt_report_part *part,
                                const bool *used, const struct values *names, uint32_t lab)
{
    struct rt_lab_row *row = &part->labs[lab];
    row->keys = rt_arena_array(report->arena, names->count + 1, sizeof *row->keys);
    if (!row->keys)
        return RT_NO_MEMORY;
    size_t room = report->study->fingerprint_count;
    for (size_t i = 0; i < names->count; i++) {
        struct values mine = {rt_arena_array(report->arena, room, sizeof *mine.text), 0};
        struct values others = {rt_arena_array(report->arena, room, sizeof *others.text), 0};
        if (!mine.text || !others.text)
            return RT_NO_MEMORY;
        const char *name = names->text[i];
        split(report->study, part, used, lab, name, &mine, &others);
        bool shared = !mine.count || !others.count;
        for (size_t v = 0; v < mine.count; v++)
            shared |= has(&others, mine.text[v]);
        if (shared)
            continue;
        struct rt_lab_key key = {name, join(report->arena, &mine), join(report->arena, &others),
                                 others.count == 1, strncmp(name, "canary.", 7) == 0};
        if (!key.value || !key.others)
            return RT_NO_MEMORY;
        row->keys[row->key_count++] = key;
    }
    qsort(row->keys, row->key_count, sizeof *row->keys, by_weight);
    return RT_OK;
}

static enum rt_status all_names(struct rt_report *report, struct values *ret)
{
    const struct rt_study *study = report->study;
    size_t room = 0;
    for (size_t f = 0; f < study->fingerprint_count; f++)
        room += study->fingerprints[f].pair_count;
    *ret = (struct values){rt_arena_array(report->arena, room + 1, sizeof *ret->text), 0};
    if (!ret->text)
        return RT_NO_MEMORY;
    for (size_t f = 0; f < study->fingerprint_count; f++)
        for (size_t i = 0; i < study->fingerprints[f].pair_count; i++)
            add(ret, study->fingerprints[f].pairs[i].name);
    return RT_OK;
}

enum rt_status rt_strata_make(struct rt_report *report)
{
    struct values names;
    if (all_names(report, &names))
        return RT_NO_MEMORY;
    for (size_t p = 0; p < report->part_count; p++) {
        struct rt_report_part *part = &report->parts[p];
        if (!part->odd_count)
            continue;
        bool *used = usage(report, part);
        if (!used)
            return RT_NO_MEMORY;
        for (uint32_t l = 0; l < part->lab_count; l++) {
            if (!part->labs[l].odd)
                continue;
            enum rt_status status = find_keys(report, part, used, &names, l);
            if (status)
                return status;
        }
    }
    return RT_OK;
}
