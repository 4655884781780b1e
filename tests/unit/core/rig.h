// SPDX-License-Identifier: Apache-2.0
// One core, one campaign and short words for events, for the scheduler's unit tests.
#ifndef RT_TESTS_CORE_RIG_H
#define RT_TESTS_CORE_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/unit/core/fixture.h"

struct rig {
    struct rt_arena arena;
    struct rt_campaign *campaign;
    struct rt_core *core;
    struct rt_core_effects effects;
    struct rt_digest draw;
    int64_t now;
    uint64_t seq;
};

static const struct rt_core_effect *find(const struct rt_core_effects *effects,
                                         enum rt_core_effect_kind kind, size_t nth)
{
    for (size_t i = 0; i < effects->count; i++) {
        if (effects->list[i].kind == kind && nth-- == 0)
            return &effects->list[i];
    }
    return NULL;
}

static size_t count(const struct rt_core_effects *effects, enum rt_core_effect_kind kind)
{
    size_t n = 0;
    while (find(effects, kind, n))
        n++;
    return n;
}

static enum rt_status step(struct rig *rig, struct rt_core_event event)
{
    event.time_ms = rig->now;
    assert_int_equal(rt_core_step(rig->core, &event, &rig->effects), RT_OK);
    return rig->effects.verdict;
}

static struct rt_core_event from(struct rig *rig, enum rt_core_event_kind kind, uint32_t lab,
                                 uint8_t instance)
{
    return (struct rt_core_event){.kind = kind,
                                  .peer = 100 + instance,
                                  .lab = rt_bytes_str(rig->campaign->labs[lab].id),
                                  .instance = fixture_instance(instance),
                                  .campaign = rig->campaign->digest,
                                  .signer = rt_bytes_str(rig->campaign->labs[lab].id)};
}

static enum rt_status hello(struct rig *rig, uint32_t lab, uint8_t instance,
                            const struct rt_core_held *held, size_t held_count)
{
    struct rt_core_event event = from(rig, RT_CORE_HELLO, lab, instance);
    event.hello.held = held;
    event.hello.held_count = held_count;
    return step(rig, event);
}

static enum rt_status want(struct rig *rig, uint32_t lab, uint8_t instance, uint32_t units)
{
    struct rt_core_event event = from(rig, RT_CORE_WANT, lab, instance);
    event.want.units = units;
    enum rt_status status = step(rig, event);
    return status;
}

static enum rt_status accept_lab(struct rig *rig, uint32_t lab)
{
    struct rt_core_event event = from(rig, RT_CORE_ACCEPT, lab, 0);
    event.digest = fixture_digest(rig->campaign->labs[lab].id);
    event.accept.seen_size = 1;
    return step(rig, event);
}

static enum rt_status act(struct rig *rig, enum rt_statement_action action)
{
    struct rt_core_event event = {.kind = RT_CORE_STATE, .campaign = rig->campaign->digest};
    event.state.action = action;
    event.state.seq = ++rig->seq;
    event.state.draw = rig->draw;
    return step(rig, event);
}

static enum rt_status end(struct rig *rig, enum rt_core_event_kind kind, uint32_t lab)
{
    return step(rig, from(rig, kind, lab, 0));
}

static struct rig *start_rig(const struct fixture_shape *shape)
{
    struct rig *rig = calloc(1, sizeof *rig);
    rt_arena_init(&rig->arena, 1 << 20);
    rig->campaign = fixture_campaign(&rig->arena, "campaign", shape);
    rig->core = rt_core_new(NULL, 7, 1000);
    rig->now = 1000;
    rig->draw = fixture_digest("draw");
    rt_core_effects_init(&rig->effects);
    struct rt_core_event event = {.kind = RT_CORE_CAMPAIGN, .campaign = rig->campaign->digest};
    event.campaign_new.campaign = rig->campaign;
    assert_int_equal(step(rig, event), RT_OK);
    assert_true(rig->effects.log);
    assert_int_equal(count(&rig->effects, RT_DO_LAB), shape->labs);
    return rig;
}

static void stop_rig(struct rig *rig)
{
    rt_core_free(rig->core);
    rt_core_effects_release(&rig->effects);
    rt_arena_release(&rig->arena);
    free(rig);
}

// The n-th unit of the last step, bound as the shell does it.
static struct fixture_unit take(struct rig *rig, size_t nth)
{
    struct fixture_unit unit;
    const struct rt_core_effect *effect = find(&rig->effects, RT_DO_UNIT, nth);
    assert_non_null(effect);
    fixture_encode_unit(rig->campaign, effect, &unit);
    rt_core_bind(rig->core, unit.unit.serial, &unit.digest);
    return unit;
}

struct answer {
    struct rt_trial_result trials[RT_UNIT_TRIALS_MOST];
    struct rt_object_result result;
    struct rt_core_pair pair;
    struct rt_core_event event;
};

static void answer(struct rig *rig, struct fixture_unit *unit, uint32_t lab, uint8_t instance,
                   enum rt_trial_status status, struct answer *ret)
{
    fixture_aim_unit(unit);
    memset(ret, 0, sizeof *ret);
    ret->result = (struct rt_object_result){
        .unit = unit->digest, .fingerprint = fixture_digest("fingerprint"), .trials = ret->trials};
    ret->result.trials_count =
        fixture_trials(rig->campaign, lab, &rig->draw, &unit->unit, status, ret->trials);
    ret->pair = (struct rt_core_pair){.unit_digest = unit->digest,
                                      .unit = &unit->unit,
                                      .result = &ret->result,
                                      .fingerprint_given = true};
    ret->event = from(rig, RT_CORE_RESULT, lab, instance);
    ret->event.result.pairs = &ret->pair;
    ret->event.result.pair_count = 1;
}

static struct rt_core_lab_view view(const struct rig *rig, uint32_t lab)
{
    struct rt_core_lab_view view;
    assert_int_equal(rt_core_lab_view(rig->core, 0, lab, &view), RT_OK);
    return view;
}

static void started(struct rig *rig)
{
    assert_int_equal(accept_lab(rig, 0), RT_OK);
    assert_int_equal(hello(rig, 0, 1, NULL, 0), RT_OK);
    assert_int_equal(act(rig, RT_STATEMENT_ACTION_START), RT_OK);
}

#endif
