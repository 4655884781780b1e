// SPDX-License-Identifier: Apache-2.0
// Random events against a shadow count: nothing counts twice, nothing is leased twice, credit is
// kept, and at any moment every planned trial is counted, out of attempts, or can still be had by
// asking.
#include <inttypes.h>
#include <stdlib.h>

#include "tests/unit/core/fixture.h"

#define LABS      2
#define INSTANCES 3 // of each lab
#define UNITS     4096
#define POSITIONS 4096

struct shadow_unit {
    struct fixture_unit unit;
    uint32_t lab, instance;
    bool answered;
};

struct run {
    uint64_t seed, rng;
    int64_t now;
    struct rt_arena arena;
    struct rt_campaign *campaign;
    struct rt_core *core;
    struct rt_core_effects effects;
    struct rt_digest draw;
    struct shadow_unit *units;
    size_t unit_count;
    int64_t counted[LABS]; // by cell deltas
    uint64_t final[LABS];
    bool is_final[LABS][POSITIONS];
    uint32_t attempts[LABS][POSITIONS];
    uint32_t credit[LABS][INSTANCES];
};

#define RULE(run, condition)                                                                       \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "line %d: %s (seed %" PRIu64 ")\n", __LINE__, #condition,              \
                    (run)->seed);                                                                  \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

static uint32_t below(struct run *run, uint32_t bound)
{
    run->rng ^= run->rng << 13;
    run->rng ^= run->rng >> 7;
    run->rng ^= run->rng << 17;
    return (uint32_t)((run->rng * 0x2545f4914f6cdd1du >> 32) * bound >> 32);
}

static struct rt_core_event from(struct run *run, enum rt_core_event_kind kind, uint32_t lab,
                                 uint32_t instance)
{
    struct rt_bytes id = rt_bytes_str(run->campaign->labs[lab].id);
    return (struct rt_core_event){.kind = kind,
                                  .peer = 1 + lab * INSTANCES + instance,
                                  .lab = id,
                                  .instance = fixture_instance((uint8_t)(1 + instance)),
                                  .campaign = run->campaign->digest,
                                  .signer = id};
}

static void note_unit(struct run *run, const struct rt_core_effect *effect)
{
    RULE(run, run->unit_count < UNITS);
    struct shadow_unit *of = &run->units[run->unit_count++];
    uint64_t trials = 0, end = 0;
    fixture_encode_unit(run->campaign, effect, &of->unit);
    fixture_aim_unit(&of->unit);
    of->lab = effect->lab;
    of->instance = (uint32_t)effect->unit.peer - 1 - effect->lab * INSTANCES;
    of->answered = false;
    rt_core_bind(run->core, effect->unit.serial, &of->unit.digest);
    RULE(run, run->credit[of->lab][of->instance]-- > 0);
    for (size_t r = 0; r < effect->unit.run_count; r++) {
        const struct rt_unit_run *runs = effect->unit.runs;
        RULE(run, r == 0 || runs[r].first > end); // ascending and apart
        end = runs[r].first + runs[r].count;
        trials += runs[r].count;
        for (uint64_t p = runs[r].first; p < end; p++)
            RULE(run, !run->is_final[of->lab][p] &&
                          run->attempts[of->lab][p] < run->campaign->unit.attempts);
    }
    RULE(run, trials && trials <= run->campaign->unit.trials);
}

static enum rt_status step(struct run *run, struct rt_core_event event)
{
    event.time_ms = run->now;
    RULE(run, rt_core_step(run->core, &event, &run->effects) == RT_OK);
    for (size_t i = 0; i < run->effects.count; i++) {
        const struct rt_core_effect *effect = &run->effects.list[i];
        if (effect->kind == RT_DO_CELL)
            run->counted[effect->lab] += effect->cell.sum.count;
        else if (effect->kind == RT_DO_UNIT)
            note_unit(run, effect);
        else if (effect->kind == RT_DO_FINAL) {
            for (uint64_t p = effect->final.first; p < effect->final.first + effect->final.count;
                 p++) {
                RULE(run, !run->is_final[effect->lab][p]);
                run->is_final[effect->lab][p] = true;
                run->final[effect->lab]++;
            }
        }
    }
    return run->effects.verdict;
}

static void check_counts(struct run *run)
{
    for (uint32_t l = 0; l < LABS; l++) {
        struct rt_core_lab_view view;
        uint64_t exhausted = 0, tentative = 0;
        RULE(run, rt_core_lab_view(run->core, 0, l, &view) == RT_OK);
        for (uint64_t p = 0; p < view.total; p++) {
            bool open = !run->is_final[l][p] && run->attempts[l][p];
            tentative += open;
            exhausted += open && run->attempts[l][p] >= run->campaign->unit.attempts;
        }
        RULE(run, view.final == run->final[l]);
        RULE(run, view.tentative == tentative && view.exhausted == exhausted);
        RULE(run, (uint64_t)run->counted[l] == view.final + view.tentative);
        RULE(run, view.final + view.tentative <= view.total);
        RULE(run, view.outstanding <= view.total);
    }
}

static void want(struct run *run, uint32_t lab, uint32_t instance, uint32_t units)
{
    struct rt_core_event event = from(run, RT_CORE_WANT, lab, instance);
    event.want.units = units;
    event.want.trials = below(run, 3) ? 0 : 1 + below(run, 4);
    run->credit[lab][instance] = units;
    RULE(run, step(run, event) == RT_OK);
}

static void answer(struct run *run, struct shadow_unit *of)
{
    static struct rt_trial_result trials[RT_UNIT_TRIALS_MOST];
    const struct rt_object_unit *unit = &of->unit.unit;
    struct rt_object_result result = {
        .unit = of->unit.digest, .fingerprint = fixture_digest("f"), .trials = trials};
    result.trials_count =
        fixture_trials(run->campaign, of->lab, &run->draw, unit, RT_TRIAL_OK, trials);
    for (size_t t = 0; t < result.trials_count; t++) {
        if (below(run, 4) == 0)
            trials[t].status = below(run, 2) ? RT_TRIAL_ERROR : RT_TRIAL_TIMEOUT;
    }
    struct rt_core_pair pair = {.unit_digest = of->unit.digest,
                                .unit = unit,
                                .result = &result,
                                .unit_verified = true,
                                .fingerprint_given = true};
    struct rt_core_event event = from(run, RT_CORE_RESULT, of->lab, of->instance);
    event.result.pairs = &pair;
    event.result.pair_count = 1;
    // The shadow's own rule: in time, and not final before.
    size_t t = 0;
    for (size_t r = 0; r < unit->runs_count; r++) {
        for (uint64_t p = unit->runs[r].first; p < unit->runs[r].first + unit->runs[r].count;
             p++, t++)
            run->attempts[of->lab][p] +=
                run->now <= unit->accept_until_ms && !run->is_final[of->lab][p];
    }
    RULE(run, step(run, event) == RT_OK);
    of->answered = true;
}

static void hello(struct run *run, uint32_t lab, uint32_t instance)
{
    static struct rt_core_held held[UNITS];
    struct rt_core_event event = from(run, RT_CORE_HELLO, lab, instance);
    for (size_t i = 0; i < run->unit_count && event.hello.held_count < 1000; i++) {
        struct shadow_unit *of = &run->units[i];
        if (of->lab == lab && of->instance == instance && !of->answered && below(run, 3))
            held[event.hello.held_count++] =
                (struct rt_core_held){.digest = of->unit.digest, .unit = &of->unit.unit};
    }
    event.hello.held = held;
    run->credit[lab][instance] = 0;
    RULE(run, step(run, event) == RT_OK);
}

static void act(struct run *run, enum rt_statement_action action)
{
    static uint64_t seq;
    struct rt_core_event event = {.kind = RT_CORE_STATE, .campaign = run->campaign->digest};
    event.state.action = action;
    event.state.seq = ++seq;
    event.state.draw = run->draw;
    (void)step(run, event);
}

static void random_event(struct run *run)
{
    uint32_t lab = below(run, LABS), instance = below(run, INSTANCES);
    struct shadow_unit *of =
        run->unit_count ? &run->units[below(run, (uint32_t)run->unit_count)] : NULL;
    run->now += below(run, 20);
    switch (below(run, 12)) {
    case 0:
        hello(run, lab, instance);
        break;
    case 1:
    case 2:
        hello(run, lab, instance);
        want(run, lab, instance, below(run, 12));
        break;
    case 3:
        if (of) {
            struct rt_core_event event = from(run, RT_CORE_RETURN, of->lab, of->instance);
            event.give_back.unit = of->unit.digest;
            enum rt_status status = step(run, event);
            RULE(run, status == RT_OK || status == RT_AGAIN);
        }
        break;
    case 4:
        run->credit[lab][instance] = 0;
        RULE(run, step(run, from(run, RT_CORE_DISCONNECT, lab, instance)) == RT_OK);
        break;
    case 5:
        run->now += below(run, 400);
        RULE(run, step(run, (struct rt_core_event){.kind = RT_CORE_TICK}) == RT_OK);
        break;
    case 6:
        act(run, below(run, 2) ? RT_STATEMENT_ACTION_PAUSE : RT_STATEMENT_ACTION_RESUME);
        break;
    default:
        if (of && (!of->answered || below(run, 10) == 0))
            answer(run, of);
    }
}

// When everything out has run out of time, asking must bring exactly what is left, each once.
static void check_the_rest(struct run *run)
{
    for (uint32_t w = 0; w < LABS * INSTANCES; w++)
        RULE(run, step(run, from(run, RT_CORE_DISCONNECT, w % LABS, w / LABS)) == RT_OK);
    act(run, RT_STATEMENT_ACTION_RESUME);
    for (uint32_t l = 0; l < LABS; l++) {
        struct rt_core_lab_view view;
        static bool got[POSITIONS];
        memset(got, 0, sizeof got);
        run->now += run->campaign->unit.reissue_after_ms;
        RULE(run, step(run, (struct rt_core_event){.kind = RT_CORE_TICK}) == RT_OK);
        RULE(run, rt_core_lab_view(run->core, 0, l, &view) == RT_OK && view.units == 0);
        uint64_t left = view.total - view.final - view.exhausted, had = 0;
        for (uint32_t i = 0; i < INSTANCES; i++)
            hello(run, l, i);
        while (had < left) {
            size_t before = run->unit_count;
            run->unit_count = before > UNITS - 1100 ? 0 : before;
            before = run->unit_count;
            want(run, l, 0, RT_CREDIT_MOST);
            RULE(run, run->unit_count > before);
            for (size_t u = before; u < run->unit_count; u++) {
                const struct rt_object_unit *unit = &run->units[u].unit.unit;
                for (size_t r = 0; r < unit->runs_count; r++) {
                    for (uint64_t i = 0; i < unit->runs[r].count; i++, had++) {
                        RULE(run, !got[unit->runs[r].first + i]);
                        got[unit->runs[r].first + i] = true;
                    }
                }
            }
        }
        RULE(run, had == left);
    }
}

static void play(uint64_t seed)
{
    struct run *run = calloc(1, sizeof *run);
    run->seed = seed;
    run->rng = seed * 0x9e3779b97f4a7c15u + 1;
    run->now = 1000;
    run->units = calloc(UNITS, sizeof *run->units);
    run->draw = fixture_digest("draw");
    rt_arena_init(&run->arena, 1 << 20);
    rt_core_effects_init(&run->effects);
    struct fixture_shape shape = {.labs = LABS,
                                  .prompts = 1 + below(run, 40),
                                  .configurations = 1 + below(run, 3),
                                  .replicates = 2 + below(run, seed % 5 ? 4 : 30),
                                  .at_zero = 1 + below(run, 2),
                                  .trials = 1 + below(run, 9),
                                  .attempts = 1 + below(run, 3),
                                  .reissue_after_ms = 300,
                                  .accept_until_ms = 1500,
                                  .close_within_ms = 1000};
    run->campaign = fixture_campaign(&run->arena, "property", &shape);
    struct rt_core_limits limits = {
        .leases_most = 8192, .lab_leases_most = 8192, .tentative_most = 100000, .gather_ms = 100};
    run->core = rt_core_new(&limits, 1, run->now);
    struct rt_core_event event = {.kind = RT_CORE_CAMPAIGN, .campaign = run->campaign->digest};
    event.campaign_new.campaign = run->campaign;
    RULE(run, step(run, event) == RT_OK);
    for (uint32_t l = 0; l < LABS; l++) {
        event = from(run, RT_CORE_ACCEPT, l, 0);
        event.accept.seen_size = 1;
        RULE(run, step(run, event) == RT_OK);
    }
    act(run, RT_STATEMENT_ACTION_START);
    for (int i = 0; i < 600 && run->unit_count < UNITS - 1200; i++)
        random_event(run);
    check_counts(run);
    check_the_rest(run);
    rt_core_free(run->core);
    rt_core_effects_release(&run->effects);
    rt_arena_release(&run->arena);
    free(run->units);
    free(run);
}

int main(void)
{
    const char *one = getenv("RT_PROPERTY_SEED");
    uint64_t seed;
    if (one && rt_parse_u64(one, &seed) == RT_OK) {
        play(seed);
        return 0;
    }
    for (seed = 1; seed <= 300; seed++)
        play(seed);
    printf("300 random histories: every rule held\n");
    return 0;
}
