// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>

#include "coordinator/core/internal.h"

// So many trials in one statement keep its effects within their bound.
#define STATEMENT_TRIALS_MOST 16384

// ---- checking: nothing changes here

static enum rt_status add_arrival(struct rt_core *core, const struct core_arrival *arrival)
{
    if (core->arrival_count == core->arrival_room) {
        size_t room = core->arrival_room ? core->arrival_room * 2 : 256;
        struct core_arrival *grown = realloc(core->arrivals, room * sizeof *grown);
        if (!grown) {
            core->failed = true;
            return RT_NO_MEMORY;
        }
        core->arrivals = grown;
        core->arrival_room = room;
    }
    core->arrivals[core->arrival_count++] = *arrival;
    return RT_OK;
}

// The result must name exactly the unit's trials, in the order of the unit's positions.
static enum rt_status match_trials(struct rt_core *core, const struct rt_campaign *campaign,
                                   struct core_lab *lab, const struct rt_core_pair *pair)
{
    size_t next = 0;
    for (size_t r = 0; r < pair->unit->runs_count; r++) {
        const struct rt_unit_run *run = &pair->unit->runs[r];
        if (run->first >= lab->bitmap.total || run->count > lab->bitmap.total - run->first)
            return RT_OUT_OF_RANGE;
        for (uint64_t i = 0; i < run->count; i++, next++) {
            struct core_arrival arrival = {.position = run->first + i};
            struct rt_trial trial;
            uint64_t number;
            if (next >= pair->result->trials_count)
                return RT_CONFLICT;
            arrival.trial = &pair->result->trials[next];
            if (rt_lab_trial(&lab->plan, &lab->order, arrival.position, &number) != RT_OK ||
                number != arrival.trial->number || rt_trial_of(campaign, number, &trial) != RT_OK)
                return RT_CONFLICT;
            if (arrival.trial->outcome >= campaign->label_count)
                return RT_OUT_OF_RANGE;
            arrival.prompt = trial.prompt;
            arrival.configuration = trial.configuration;
            enum rt_status status = add_arrival(core, &arrival);
            if (status != RT_OK)
                return status;
        }
    }
    return next == pair->result->trials_count ? RT_OK : RT_CONFLICT;
}

static enum rt_status check_pair(struct rt_core *core, const struct rt_core_event *event,
                                 uint32_t campaign, uint32_t index, const struct rt_core_pair *pair)
{
    struct core_lab *lab = &core->campaigns[campaign].labs[index];
    const struct rt_object_unit *unit = pair->unit;
    if (!rt_digest_equal(&pair->result->unit, &pair->unit_digest) ||
        !rt_digest_equal(&unit->campaign, &event->campaign))
        return RT_CONFLICT;
    if (!rt_bytes_equal(unit->lab, event->lab))
        return RT_NOT_PERMITTED;
    if (!pair->unit_verified && !rt_core_knows_unit(core, &pair->unit_digest))
        return RT_BAD_SIGNATURE;
    if (!rt_digest_equal(&unit->accept, &lab->row.accept))
        return RT_CONFLICT;
    if (!pair->fingerprint_given && !rt_core_knows_fingerprint(core, &pair->result->fingerprint))
        return RT_NOT_FOUND;
    if (core->arrival_count + pair->result->trials_count > STATEMENT_TRIALS_MOST)
        return RT_TOO_LARGE;
    return match_trials(core, core->campaigns[campaign].campaign, lab, pair);
}

static enum rt_status check(struct rt_core *core, const struct rt_core_event *event,
                            uint32_t campaign, uint32_t index)
{
    const struct core_lab *lab = &core->campaigns[campaign].labs[index];
    if (!core->campaigns[campaign].row.drawn || lab->row.state == RT_LAB_INVITED)
        return RT_NOT_PERMITTED;
    if (lab->row.state != RT_LAB_ACCEPTED)
        return RT_TOO_LATE;
    if (event->result.pair_count == 0 || event->result.pair_count > RT_PAIRS_MOST)
        return RT_OUT_OF_RANGE;
    uint32_t fingerprints = core->fingerprints.count;
    core->arrival_count = 0;
    for (size_t i = 0; i < event->result.pair_count; i++) {
        enum rt_status status = check_pair(core, event, campaign, index, &event->result.pairs[i]);
        if (status != RT_OK)
            return status;
        fingerprints +=
            !rt_core_knows_fingerprint(core, &event->result.pairs[i].result->fingerprint);
    }
    if (fingerprints > RT_CORE_FINGERPRINTS_MOST ||
        (fingerprints != core->fingerprints.count &&
         core->names[lab->name].fingerprints >= RT_CORE_LAB_FINGERPRINTS_MOST) ||
        lab->tentatives.count + core->arrival_count >
            2 * (uint64_t)core->limits.tentative_most + STATEMENT_TRIALS_MOST)
        return RT_TOO_LARGE;
    return RT_OK;
}

// ---- applying: nothing fails here but memory

static uint32_t number_fingerprint(struct rt_core *core, struct core_lab *lab,
                                   const struct rt_digest *digest, struct rt_core_effects *effects)
{
    uint32_t index = core_digest_map_get(&core->fingerprints, digest);
    if (index != NONE)
        return index;
    index = core->fingerprints.count;
    if (core_digest_map_put(&core->fingerprints, digest, index) != RT_OK)
        core->failed = true;
    core->names[lab->name].fingerprints++;
    struct rt_core_effect *effect =
        core_effect(core, effects, RT_DO_FINGERPRINT, lab->row.campaign, lab->row.lab);
    effect->fingerprint.index = index;
    effect->fingerprint.digest = *digest;
    return index;
}

static void add_cell(struct rt_core *core, struct rt_core_effects *effects,
                     const struct rt_cell_key *key, const struct rt_cell_sum *sum)
{
    struct rt_core_effect *effect = core_effect(core, effects, RT_DO_CELL, key->campaign, key->lab);
    effect->cell.key = *key;
    effect->cell.sum = *sum;
}

static void take_back(struct rt_core *core, struct rt_core_effects *effects,
                      const struct rt_core_tentative *value)
{
    const struct rt_cell_sum *sum = &value->sum;
    add_cell(core, effects, &value->key,
             &(struct rt_cell_sum){-sum->count, -sum->same_as, -sum->score_micro, -sum->tokens_in,
                                   -sum->tokens_out, -sum->latency_ms});
}

// Neighbouring positions share one effect.
static void add_final(struct rt_core *core, struct rt_core_effects *effects,
                      const struct core_lab *lab, uint64_t position, size_t first)
{
    for (size_t i = effects->count; i-- > first;) {
        struct rt_core_effect *effect = &effects->list[i];
        if (effect->kind != RT_DO_FINAL)
            continue;
        if (effect->final.first + effect->final.count == position) {
            effect->final.count++;
            return;
        }
        break;
    }
    core_effect(core, effects, RT_DO_FINAL, lab->row.campaign, lab->row.lab)->final =
        (struct rt_unit_run){position, 1};
}

void rt_core_trial_cell(const struct rt_trial_result *trial, const struct rt_cell_key *where,
                        struct rt_cell_key *ret_key, struct rt_cell_sum *ret_sum)
{
    *ret_key = *where;
    ret_key->outcome = (uint16_t)trial->outcome;
    ret_key->severity = (uint8_t)trial->severity;
    ret_key->status = (uint8_t)trial->status;
    *ret_sum = (struct rt_cell_sum){.count = 1,
                                    .same_as = trial->same_as != 0,
                                    .score_micro = trial->score_micro,
                                    .tokens_in = (int64_t)trial->tokens_in,
                                    .tokens_out = (int64_t)trial->tokens_out,
                                    .latency_ms = (int64_t)trial->latency_ms};
}

// The trial's result counts from now on, as final or until something better comes.
static void count_trial(struct rt_core *core, struct core_lab *lab,
                        const struct core_arrival *arrival, const struct rt_cell_key *where,
                        const struct rt_count *count, size_t first, struct rt_core_effects *effects)
{
    uint32_t attempts_most = core->campaigns[lab->row.campaign].campaign->unit.attempts;
    struct rt_core_tentative *before = core_tentative_map_get(&lab->tentatives, arrival->position);
    struct rt_core_tentative now = {.attempts = count->attempts};
    rt_core_trial_cell(arrival->trial, where, &now.key, &now.sum);
    if (before) {
        take_back(core, effects, before);
        lab->exhausted -= before->attempts >= attempts_most;
    }
    add_cell(core, effects, &now.key, &now.sum);
    if (count->standing == RT_STANDING_FINAL) {
        if (before) {
            core_tentative_map_remove(&lab->tentatives, arrival->position);
            core_effect(core, effects, RT_DO_TENTATIVE_END, lab->row.campaign, lab->row.lab)
                ->tentative.position = arrival->position;
        }
        if (core_bitmap_set_final(&lab->bitmap, arrival->position) != RT_OK)
            core->failed = true;
        add_final(core, effects, lab, arrival->position, first);
        return;
    }
    struct rt_core_effect *effect =
        core_effect(core, effects, RT_DO_TENTATIVE, lab->row.campaign, lab->row.lab);
    effect->tentative.position = arrival->position;
    effect->tentative.value = now;
    if (core_tentative_map_put(&lab->tentatives, arrival->position, &now) != RT_OK)
        core->failed = true;
    if (now.attempts >= attempts_most) {
        lab->exhausted++;
        if (core_bitmap_set_busy(&lab->bitmap, arrival->position) != RT_OK)
            core->failed = true;
    }
}

static void apply_trial(struct rt_core *core, struct core_lab *lab,
                        const struct core_arrival *arrival, const struct rt_object_unit *unit,
                        const struct rt_cell_key *where, size_t first,
                        struct rt_core_counters *counters, struct rt_core_effects *effects)
{
    const struct rt_core_tentative *before =
        core_tentative_map_get(&lab->tentatives, arrival->position);
    struct rt_count count = {0};
    if (core_bitmap_final(&lab->bitmap, arrival->position)) {
        count.standing = RT_STANDING_FINAL;
    } else if (before) {
        count = (struct rt_count){.standing = RT_STANDING_TENTATIVE,
                                  .status = (enum rt_trial_status)before->key.status,
                                  .attempts = before->attempts};
    }
    struct rt_arrival fact = {.status = arrival->trial->status,
                              .received_ms = core->now_ms,
                              .accept_until_ms = unit->accept_until_ms};
    enum rt_count_effect effect = rt_count_step(&count, &fact);
    counters->retried += effect == RT_COUNT_REPLACES;
    // A rating of what this leaf says of the trial must find out that it does not count.
    if (effect == RT_COUNT_LATE || effect == RT_COUNT_DUPLICATE)
        core_effect(core, effects, RT_DO_SPARE, lab->row.campaign, lab->row.lab)->spare.number =
            arrival->trial->number;
    switch (effect) {
    case RT_COUNT_LATE:
        counters->late++;
        break;
    case RT_COUNT_DUPLICATE:
        counters->duplicate++;
        break;
    default:
        count_trial(core, lab, arrival, where, &count, first, effects);
    }
}

static void apply(struct rt_core *core, const struct rt_core_event *event, uint32_t campaign,
                  uint32_t index, struct rt_core_effects *effects)
{
    struct core_lab *lab = &core->campaigns[campaign].labs[index];
    const struct core_arrival *arrival = core->arrivals;
    struct rt_core_counters counters = {0};
    size_t first = effects->count;
    for (size_t i = 0; i < event->result.pair_count; i++) {
        const struct rt_core_pair *pair = &event->result.pairs[i];
        struct rt_cell_key where = {.campaign = campaign, .lab = index};
        where.fingerprint = number_fingerprint(core, lab, &pair->result->fingerprint, effects);
        if (pair->part_count &&
            core_print_set(core, where.fingerprint, pair->parts, pair->part_count) != RT_OK)
            core->failed = true;
        core_served(core, campaign, index, where.fingerprint, effects);
        for (size_t t = 0; t < pair->result->trials_count; t++, arrival++) {
            where.prompt = arrival->prompt;
            where.configuration = arrival->configuration;
            apply_trial(core, lab, arrival, pair->unit, &where, first, &counters, effects);
        }
        uint32_t lease = core_digest_map_get(&core->lease_map, &pair->unit_digest);
        if (lease != NONE) {
            uint32_t instance = core->leases[lease].instance;
            core_lease_end(core, lease, true);
            core_instance_settle(core, effects, instance);
        }
    }
    if (counters.late || counters.duplicate || counters.retried)
        core_effect(core, effects, RT_DO_COUNTERS, campaign, index)->counters = counters;
}

enum rt_status core_step_result(struct rt_core *core, const struct rt_core_event *event,
                                struct rt_core_effects *effects)
{
    uint32_t campaign, index;
    enum rt_status status = core_find(core, event, &campaign, &index);
    if (status != RT_OK)
        return status;
    effects->campaign = campaign;
    effects->lab = index;
    (void)core_speaker(core, event); // heard of
    if (event->logged)
        return RT_DUPLICATE;
    status = rt_bytes_equal(event->signer, event->lab) ? check(core, event, campaign, index)
                                                       : RT_NOT_PERMITTED;
    if (status != RT_OK) {
        core_effect_counters(core, effects, campaign, index)->invalid++;
        return status;
    }
    core_log(core, effects);
    effects->is_result = true;
    apply(core, event, campaign, index, effects);
    core_serve(core, campaign, index, effects);
    return RT_OK;
}
