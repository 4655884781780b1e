// SPDX-License-Identifier: Apache-2.0
// Do labs disagree, or do their serving stacks? Labs grouped by each fingerprint key on which they
// differ: how far group means are apart and how much of tau is left inside groups (STATISTICS 3.6
// by groups: Q = Q_between + Q_within, one tau^2 for all groups by DerSimonian and Laird).
#include <math.h>
#include <string.h>

#include "common/report/parts.h"
#include "common/stats/special.h"

struct sums {
    double w, wy, wyy, ww; // of weights 1/v
    size_t labs;
    double y; // plain sum
};

static void add(struct sums *sums, struct rt_effect own)
{
    double w = 1 / own.v;
    sums->w += w;
    sums->wy += w * own.y;
    sums->wyy += w * own.y * own.y;
    sums->ww += w * w;
    sums->y += own.y;
    sums->labs++;
}

static double q_of(const struct sums *sums)
{
    return sums->labs > 1 ? fmax(0, sums->wyy - sums->wy * sums->wy / sums->w) : 0;
}

// The denominator of DerSimonian and Laird's estimator.
static double c_of(const struct sums *sums)
{
    return sums->labs > 1 ? sums->w - sums->ww / sums->w : 0;
}

static const char absent[] = "not stated";

static const char *value_of(const struct rt_study_fingerprint *fingerprint, const char *name)
{
    for (size_t i = 0; i < fingerprint->pair_count; i++)
        if (strcmp(fingerprint->pairs[i].name, name) == 0)
            return fingerprint->pairs[i].value;
    return absent;
}

// The key's value at a lab over all its fingerprints of this subject, in the study's order.
static const char *value_at(const struct rt_slice *slice, const bool *used, uint32_t lab,
                            const char *name)
{
    const struct rt_study *study = slice->study;
    const bool *mine = &used[lab * study->fingerprint_count];
    const char *joined = NULL;
    for (size_t f = 0; f < study->fingerprint_count; f++) {
        const char *value = value_of(&study->fingerprints[f], name);
        bool again = !mine[f];
        for (size_t g = 0; g < f && !again; g++)
            again = mine[g] && strcmp(value, value_of(&study->fingerprints[g], name)) == 0;
        if (again)
            continue;
        joined = joined ? rt_arena_printf(slice->arena, "%s | %s", joined, value) : value;
        if (!joined)
            return NULL;
    }
    return joined ? joined : absent;
}

struct labs {
    const struct rt_block *block;
    const struct rt_effect *effects;
    const bool *used;
    struct sums all;
};

static void judge(const struct labs *labs, const struct sums *groups, struct rt_stack_key *key)
{
    double within = 0, c = 0, low = INFINITY, high = -INFINITY;
    size_t freedom = 0;
    for (size_t g = 0; g < key->stratum_count; g++) {
        double mean = groups[g].y / (double)groups[g].labs;
        key->strata[g].labs = groups[g].labs;
        key->strata[g].mean = rt_value(mean);
        low = fmin(low, mean);
        high = fmax(high, mean);
        within += q_of(&groups[g]);
        c += c_of(&groups[g]);
        freedom += groups[g].labs - 1;
    }
    double between = fmax(0, q_of(&labs->all) - within);
    double all = fmax(0, (q_of(&labs->all) - (double)(labs->all.labs - 1)) / c_of(&labs->all));
    key->range = rt_value(high - low);
    key->q_between = rt_value(between);
    key->q_p = rt_value(rt_chi2_cdf(between, (double)(key->stratum_count - 1)).upper);
    // Groups of one lab each say nothing about what is left inside.
    key->tau_within = key->explained = rt_undefined(RT_REASON_SINGLE_LAB);
    if (!freedom || !(c > 0))
        return;
    double left = fmax(0, (within - (double)freedom) / c);
    key->tau_within = rt_value(sqrt(left));
    key->explained =
        all > 0 ? rt_value(fmax(0, 1 - left / all)) : rt_undefined(RT_REASON_ZERO_BETWEEN_SPREAD);
}

// How each lab knows which weights it served: "hashed", "behavioural", "declared".
static enum rt_status take_identity(const struct rt_slice *slice, const bool *used,
                                    struct rt_report_part *part)
{
    for (uint32_t l = 0; l < slice->labs; l++) {
        const char *value = value_at(slice, used, l, "identity");
        if (!value)
            return RT_NO_MEMORY;
        part->labs[l].identity = strcmp(value, absent) == 0 ? "" : value;
    }
    return RT_OK;
}

static enum rt_status make_key(const struct rt_slice *slice, const struct labs *labs,
                               const char *name, struct rt_stacks *stacks)
{
    size_t count = labs->block->labs;
    struct rt_stack_key *key = &stacks->rows[stacks->count];
    struct sums *groups = rt_arena_array(slice->arena, count, sizeof *groups);
    *key = (struct rt_stack_key){.name = name};
    key->strata = rt_arena_array(slice->arena, count, sizeof *key->strata);
    if (!groups || !key->strata)
        return RT_NO_MEMORY;
    for (size_t l = 0; l < count; l++) {
        const char *value = value_at(slice, labs->used, labs->block->lab[l], name);
        size_t g = 0;
        if (!value)
            return RT_NO_MEMORY;
        while (g < key->stratum_count && strcmp(key->strata[g].value, value) != 0)
            g++;
        if (g == key->stratum_count)
            key->strata[key->stratum_count++].value = value;
        add(&groups[g], labs->effects[l]);
    }
    if (key->stratum_count < 2)
        return RT_OK;
    judge(labs, groups, key);
    stacks->count++;
    return RT_OK;
}

// Names of keys, once each, in order of first appearance.
static const char **names_of(const struct rt_slice *slice, size_t *ret_count)
{
    const struct rt_study *study = slice->study;
    size_t room = 1, count = 0;
    for (size_t f = 0; f < study->fingerprint_count; f++)
        room += study->fingerprints[f].pair_count;
    const char **names = rt_arena_array(slice->arena, room, sizeof *names);
    for (size_t f = 0; names && f < study->fingerprint_count; f++)
        for (size_t i = 0; i < study->fingerprints[f].pair_count; i++) {
            size_t at = 0;
            while (at < count && strcmp(names[at], study->fingerprints[f].pairs[i].name) != 0)
                at++;
            names[at] = study->fingerprints[f].pairs[i].name;
            count += at == count;
        }
    *ret_count = count;
    return names;
}

static bool *usage(const struct rt_slice *slice)
{
    const struct rt_study *study = slice->study;
    bool *used =
        rt_arena_array(slice->arena, slice->labs * study->fingerprint_count + 1, sizeof *used);
    for (size_t i = 0; used && i < study->cell_count; i++) {
        const struct rt_study_cell *cell = &study->cells[i];
        if (cell->condition.subject == slice->subject && cell->fingerprint != RT_STUDY_NONE)
            used[cell->lab * study->fingerprint_count + cell->fingerprint] = true;
    }
    return used;
}

enum rt_status rt_stacks_make(const struct rt_slice *slice, struct rt_report_part *part)
{
    struct rt_stacks *stacks = &part->stacks;
    struct rt_filter filter = RT_FILTER_ALL;
    struct rt_block block;
    size_t count;
    stacks->tau = rt_undefined(RT_REASON_SINGLE_LAB);
    const bool *used = usage(slice);
    enum rt_status status = used ? take_identity(slice, used, part) : RT_NO_MEMORY;
    if (!status)
        status = rt_block_make(slice, &filter, &block);
    if (status || block.labs < 2)
        return status;
    struct rt_effect *effects = rt_arena_array(slice->arena, block.labs, sizeof *effects);
    const char **names = names_of(slice, &count);
    struct labs labs = {.block = &block, .effects = effects, .used = used};
    stacks->rows = rt_arena_array(slice->arena, count + 1, sizeof *stacks->rows);
    if (!effects || !names || !stacks->rows)
        return RT_NO_MEMORY;
    enum rt_reason reason = rt_block_effects(&block, slice->study, slice->arena, effects);
    for (size_t l = 0; l < block.labs && reason == RT_REASON_NONE; l++)
        if (!(effects[l].v > 0))
            reason = RT_REASON_ZERO_WITHIN_VARIANCE;
    if (reason != RT_REASON_NONE) {
        stacks->tau = rt_undefined(reason);
        return RT_OK;
    }
    for (size_t l = 0; l < block.labs; l++)
        add(&labs.all, effects[l]);
    stacks->tau =
        rt_value(sqrt(fmax(0, (q_of(&labs.all) - (double)(block.labs - 1)) / c_of(&labs.all))));
    for (size_t i = 0; i < count && !status; i++)
        status = make_key(slice, &labs, names[i], stacks);
    return status;
}
