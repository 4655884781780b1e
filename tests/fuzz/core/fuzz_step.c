// SPDX-License-Identifier: Apache-2.0
// Any sequence of events, well-formed ones mixed with hostile ones: the core refuses or takes each,
// never fails, and its counts stay consistent. The input is a program: one byte of kind and a few
// of arguments an event.
#include <inttypes.h>

#include "tests/unit/core/fixture.h"

#define UNITS 64

struct fuzz {
    const uint8_t *data;
    size_t size;
    int64_t now;
    struct rt_campaign *campaign;
    struct rt_core *core;
    struct rt_core_effects effects;
    struct rt_digest draw;
    struct fixture_unit units[UNITS];
    uint32_t unit_labs[UNITS];
    size_t unit_count;
    uint64_t leaves;
};

static uint8_t next(struct fuzz *fuzz)
{
    if (!fuzz->size)
        return 0;
    fuzz->size--;
    return *fuzz->data++;
}

static void check(struct fuzz *fuzz)
{
    for (uint32_t l = 0; l < fuzz->campaign->lab_count; l++) {
        struct rt_core_lab_view view;
        if (rt_core_lab_view(fuzz->core, 0, l, &view) != RT_OK)
            return;
        if (view.final + view.tentative > view.total || view.exhausted > view.tentative ||
            view.outstanding > view.total || (!view.units && view.outstanding))
            abort();
    }
}

static void step(struct fuzz *fuzz, struct rt_core_event *event)
{
    event->time_ms = fuzz->now;
    if (rt_core_step(fuzz->core, event, &fuzz->effects) != RT_OK)
        abort();
    if (fuzz->effects.verdict != RT_OK && fuzz->effects.log)
        abort();
    for (size_t i = 0; i < fuzz->effects.count; i++) {
        const struct rt_core_effect *effect = &fuzz->effects.list[i];
        if (effect->kind != RT_DO_UNIT)
            continue;
        size_t at = fuzz->unit_count++ % UNITS;
        fixture_encode_unit(fuzz->campaign, effect, &fuzz->units[at]);
        fuzz->unit_labs[at] = effect->lab;
        rt_core_bind(fuzz->core, effect->unit.serial, &fuzz->units[at].digest);
    }
}

// A result to one of the units, as it should be or with something wrong.
static void answer(struct fuzz *fuzz, struct rt_core_event *event)
{
    static struct rt_trial_result trials[RT_UNIT_TRIALS_MOST + 1];
    if (!fuzz->unit_count)
        return;
    size_t at = next(fuzz) % (fuzz->unit_count < UNITS ? fuzz->unit_count : UNITS);
    struct fixture_unit *unit = &fuzz->units[at];
    fixture_aim_unit(unit);
    uint8_t how = next(fuzz);
    struct rt_object_result result = {.unit = unit->digest, .trials = trials};
    result.trials_count =
        fixture_trials(fuzz->campaign, fuzz->unit_labs[at], &fuzz->draw, &unit->unit,
                       (enum rt_trial_status)(how % RT_TRIAL_STATUS_COUNT), trials);
    result.fingerprint.bytes[0] = next(fuzz);
    if (how & 16)
        trials[0].number += next(fuzz);
    if (how & 32)
        result.trials_count += how & 64 ? 1 : (size_t)-1;
    struct rt_object_unit copy = unit->unit;
    struct rt_unit_run run = {next(fuzz), 1 + next(fuzz)};
    if (how & 128) {
        copy.runs = &run;
        copy.runs_count = 1;
    }
    struct rt_core_pair pair = {.unit_digest = unit->digest,
                                .unit = &copy,
                                .result = &result,
                                .unit_verified = next(fuzz) & 1,
                                .fingerprint_given = next(fuzz) & 1};
    event->result.pairs = &pair;
    event->result.pair_count = 1;
    step(fuzz, event);
}

static void hello(struct fuzz *fuzz, struct rt_core_event *event)
{
    struct rt_core_held held[8];
    size_t count = next(fuzz) % 8;
    for (size_t i = 0; i < count; i++) {
        struct fixture_unit *unit = &fuzz->units[next(fuzz) % UNITS];
        fixture_aim_unit(unit);
        held[i] = (struct rt_core_held){unit->digest, next(fuzz) & 1 ? &unit->unit : NULL};
        unit->unit.epoch = next(fuzz) & 1;
    }
    event->hello.held = held;
    event->hello.held_count = count;
    step(fuzz, event);
}

static void one_event(struct fuzz *fuzz)
{
    static const char *const ids[] = {"lab-aa", "lab-ab", "lab-ac", "nobody", "", "NOT AN ID"};
    uint8_t kind = next(fuzz), who = next(fuzz);
    struct rt_core_event event = {.kind = (enum rt_core_event_kind)(kind % (RT_CORE_ROSTER + 1)),
                                  .peer = who & 7,
                                  .lab = rt_bytes_str(ids[(who >> 3) % 6]),
                                  .instance = fixture_instance(who & 3),
                                  .logged = kind > 250,
                                  .campaign = fuzz->campaign->digest,
                                  .signer = rt_bytes_str(ids[(who >> 3) % 6])};
    fuzz->now += next(fuzz) * 20;
    switch (event.kind) {
    case RT_CORE_HELLO:
        hello(fuzz, &event);
        return;
    case RT_CORE_RESULT:
        answer(fuzz, &event);
        return;
    case RT_CORE_WANT:
        event.want.units = next(fuzz) * 5u;
        event.want.trials = next(fuzz) % 7u;
        break;
    case RT_CORE_RETURN:
        event.give_back.unit = fuzz->units[next(fuzz) % UNITS].digest;
        break;
    case RT_CORE_CAMPAIGN:
        event.campaign_new.campaign = fuzz->campaign;
        break;
    case RT_CORE_ACCEPT:
        event.digest.bytes[0] = who;
        event.accept.seen_size = next(fuzz);
        break;
    case RT_CORE_STATE:
        event.state.action = (enum rt_statement_action)(next(fuzz) % RT_STATEMENT_ACTION_COUNT);
        event.state.seq = next(fuzz);
        event.state.draw = fuzz->draw;
        break;
    case RT_CORE_CLOSE:
    case RT_CORE_WITHDRAW:
        event.end.results = next(fuzz) & 1;
        break;
    case RT_CORE_ROSTER:
        event.roster.version = next(fuzz);
        event.roster.has_previous = who & 1;
        break;
    default:
        break;
    }
    step(fuzz, &event);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fixture_shape shape = fixture_small;
    struct rt_arena arena;
    struct fuzz *fuzz = calloc(1, sizeof *fuzz);
    struct rt_core_limits limits = {
        .leases_most = 40, .lab_leases_most = 20, .tentative_most = 25, .gather_ms = 100};
    rt_arena_init(&arena, 1 << 20);
    fuzz->data = data;
    fuzz->size = size;
    fuzz->now = 1000;
    shape.trials = 1 + next(fuzz) % 9;
    shape.attempts = 1 + next(fuzz) % 3;
    fuzz->campaign = fixture_campaign(&arena, "fuzz", &shape);
    fuzz->draw = fixture_digest("draw");
    fuzz->core = rt_core_new(&limits, 1, fuzz->now);
    rt_core_effects_init(&fuzz->effects);
    while (fuzz->size) {
        one_event(fuzz);
        check(fuzz);
    }
    rt_core_free(fuzz->core);
    rt_core_effects_release(&fuzz->effects);
    rt_arena_release(&arena);
    free(fuzz);
    return 0;
}
