// SPDX-License-Identifier: Apache-2.0
// Campaigns, units and results made in memory, for the tests of the core and the store. Digests are
// real SHA-256 values of the objects as encoded; signatures are the shell's business and left out.
#ifndef RT_TESTS_CORE_FIXTURE_H
#define RT_TESTS_CORE_FIXTURE_H

#include <stdio.h>
#include <stdlib.h>

#include "common/base/arena.h"
#include "coordinator/core/core.h"
#include "proto/campaign.h"
#include "proto/trial.h"

#define FIXTURE_LABELS 3

struct fixture_shape {
    uint32_t labs, prompts, configurations, replicates, at_zero;
    uint32_t trials, attempts;
    int64_t reissue_after_ms, accept_until_ms, close_within_ms;
};

// A crossed campaign of the given shape; configuration 0 is at temperature 0. Lives in arena.
static inline struct rt_campaign *fixture_campaign(struct rt_arena *arena, const char *id,
                                                   const struct fixture_shape *shape)
{
    struct rt_campaign *campaign = rt_arena_alloc(arena, sizeof *campaign);
    campaign->id = rt_arena_strdup(arena, id);
    campaign->labs = rt_arena_array(arena, shape->labs, sizeof *campaign->labs);
    campaign->lab_count = shape->labs;
    for (uint32_t l = 0; l < shape->labs; l++) {
        campaign->labs[l].id = rt_arena_printf(arena, "lab-%c%c", 'a' + l / 26, 'a' + l % 26);
        campaign->labs[l].runs = 1;
    }
    campaign->configurations =
        rt_arena_array(arena, shape->configurations, sizeof *campaign->configurations);
    campaign->configuration_count = shape->configurations;
    for (uint32_t c = 0; c < shape->configurations; c++)
        campaign->configurations[c].temperature_micro = c * 100000;
    campaign->prompt_count = shape->prompts;
    campaign->label_count = FIXTURE_LABELS;
    campaign->design.replicates = shape->replicates;
    campaign->design.replicates_at_zero = shape->at_zero;
    campaign->unit.trials = shape->trials;
    campaign->unit.attempts = shape->attempts;
    campaign->unit.reissue_after_ms = shape->reissue_after_ms;
    campaign->unit.accept_until_ms = shape->accept_until_ms;
    campaign->close_within_ms = shape->close_within_ms;
    rt_sha256(rt_bytes_str(id), &campaign->digest);
    return campaign;
}

static const struct fixture_shape fixture_small = {.labs = 3,
                                                   .prompts = 5,
                                                   .configurations = 2,
                                                   .replicates = 4,
                                                   .at_zero = 2,
                                                   .trials = 4,
                                                   .attempts = 3,
                                                   .reissue_after_ms = 1000,
                                                   .accept_until_ms = 10000,
                                                   .close_within_ms = 5000};

static inline struct rt_digest fixture_digest(const char *text)
{
    struct rt_digest digest;
    rt_sha256(rt_bytes_str(text), &digest);
    return digest;
}

// A unit as the shell encodes it from RT_DO_UNIT.
struct fixture_unit {
    struct rt_digest digest;
    struct rt_object_unit unit;
    struct rt_unit_run runs[RT_CORE_RUNS_MOST];
    char lab[RT_ID_BYTES + 1];
    uint8_t bytes[RT_UNIT_MOST];
    size_t size;
};

static inline void fixture_encode_unit(const struct rt_campaign *campaign,
                                       const struct rt_core_effect *effect,
                                       struct fixture_unit *ret_unit)
{
    memset(ret_unit, 0, sizeof *ret_unit);
    snprintf(ret_unit->lab, sizeof ret_unit->lab, "%s", campaign->labs[effect->lab].id);
    memcpy(ret_unit->runs, effect->unit.runs, effect->unit.run_count * sizeof *ret_unit->runs);
    ret_unit->unit = (struct rt_object_unit){
        .campaign = campaign->digest,
        .lab = rt_bytes_str(ret_unit->lab),
        .epoch = effect->unit.epoch,
        .serial = effect->unit.serial,
        .issued_ms = effect->unit.issued_ms,
        .reissue_at_ms = effect->unit.reissue_at_ms,
        .accept_until_ms = effect->unit.accept_until_ms,
        .accept = effect->unit.accept,
        .runs = ret_unit->runs,
        .runs_count = effect->unit.run_count,
    };
    struct rt_buf out;
    const char *field = "";
    rt_buf_init(&out, RT_UNIT_MOST);
    if (rt_object_unit_encode(&ret_unit->unit, &out, &field) != RT_OK) {
        fprintf(stderr, "unit does not encode: %s\n", field);
        abort();
    }
    memcpy(ret_unit->bytes, out.data, out.size);
    ret_unit->size = out.size;
    rt_sha256(rt_buf_bytes(&out), &ret_unit->digest);
    rt_buf_release(&out);
}

// The struct's own views point into itself; after a copy they must be aimed again.
static inline void fixture_aim_unit(struct fixture_unit *unit)
{
    unit->unit.lab = rt_bytes_str(unit->lab);
    unit->unit.runs = unit->runs;
}

// The trials a unit asks for, as the worker computes them, all ending in `status`.
static inline size_t fixture_trials(const struct rt_campaign *campaign, uint32_t lab,
                                    const struct rt_digest *draw, const struct rt_object_unit *unit,
                                    enum rt_trial_status status, struct rt_trial_result *ret_trials)
{
    struct rt_lab_plan *plan = malloc(sizeof *plan);
    struct rt_lab_order order = {0};
    size_t count = 0;
    rt_lab_plan_init(plan, campaign, lab, draw);
    for (size_t r = 0; r < unit->runs_count; r++) {
        for (uint64_t i = 0; i < unit->runs[r].count; i++) {
            struct rt_trial_result *trial = &ret_trials[count++];
            memset(trial, 0, sizeof *trial);
            if (rt_lab_trial(plan, &order, unit->runs[r].first + i, &trial->number) != RT_OK)
                abort();
            trial->status = status;
            trial->error = status == RT_TRIAL_ERROR ? RT_ERROR_KIND_NETWORK : RT_ERROR_KIND_NONE;
            if (status == RT_TRIAL_OK) {
                trial->outcome = trial->number % FIXTURE_LABELS;
                trial->severity = trial->outcome;
                trial->score_micro = (int64_t)trial->number;
            }
            trial->tokens_in = 10;
            trial->tokens_out = 20;
            trial->latency_ms = 30;
        }
    }
    free(plan);
    return count;
}

// Encode a result and name it; appends to out.
static inline struct rt_digest fixture_encode_result(const struct rt_object_result *result,
                                                     struct rt_buf *out)
{
    struct rt_digest digest;
    const char *field = "";
    size_t before = out->size;
    if (rt_object_result_encode(result, out, &field) != RT_OK) {
        fprintf(stderr, "result does not encode: %s\n", field);
        abort();
    }
    rt_sha256(rt_bytes(out->data + before, out->size - before), &digest);
    return digest;
}

static inline struct rt_instance fixture_instance(uint8_t number)
{
    struct rt_instance instance;
    memset(instance.bytes, number, sizeof instance.bytes);
    return instance;
}

#endif
