// SPDX-License-Identifier: Apache-2.0
// The simulated labs: workers that store, run, answer, hang up, lose power and leave.
#ifndef RT_TESTS_SIM_LABS_H
#define RT_TESTS_SIM_LABS_H

#include "tests/sim/store/world.h"

static void connect_instance(struct world *world, uint32_t index)
{
    struct instance *instance = &world->instances[index];
    struct parcel gone = {.kind = UP_GONE,
                          .instance = index,
                          .at_ms = world->now_ms + draw_below(world, 2000),
                          .connection = instance->connection};
    if (chance(world, 700))
        push(world, gone);
    instance->connected = true;
    instance->connection++;
    struct parcel hello = {.kind = UP_HELLO, .instance = index};
    for (uint32_t h = 0; h < instance->hand_count; h++) {
        size_t number = 0;
        while (world->units[number] != instance->hand[h])
            number++;
        hello.units[hello.unit_count++] = (uint32_t)number;
    }
    send_parcel(world, hello);
}

static void make_result(struct world *world, struct sim_unit *unit)
{
    unit->made = true;
    fixture_aim_unit(&unit->unit);
    size_t count = fixture_trials(world->campaign, unit->lab, &world->draw, &unit->unit.unit,
                                  RT_TRIAL_OK, unit->trials);
    for (size_t t = 0; t < count; t++) {
        struct rt_trial_result *trial = &unit->trials[t];
        world->trials_run++;
        if (chance(world, world->faults.trial_error)) {
            trial->status = chance(world, 500) ? RT_TRIAL_TIMEOUT : RT_TRIAL_ERROR;
            trial->error =
                trial->status == RT_TRIAL_ERROR ? RT_ERROR_KIND_HTTP : RT_ERROR_KIND_NONE;
            trial->outcome = trial->severity = 0;
            trial->score_micro = 0;
        } else if (chance(world, 50)) {
            trial->status = chance(world, 500) ? RT_TRIAL_WITHHELD : RT_TRIAL_TRUNCATED;
            trial->outcome = trial->severity = 0;
            trial->score_micro = 0;
        }
    }
    unit->result = (struct rt_object_result){
        .unit = unit->unit.digest,
        .software = rt_bytes_str("sim"),
        .started_ms = world->now_ms,
        .finished_ms = world->now_ms,
        .fingerprint = fixture_digest(draw_below(world, 5) ? "server" : "another server"),
        .trials = unit->trials,
        .trials_count = count};
    rt_buf_init(&unit->object, RT_RESULT_MOST);
    unit->digest = fixture_encode_result(&unit->result, &unit->object);
}

static void drop_from_hand(struct instance *instance, uint32_t h)
{
    instance->hand_count--;
    instance->hand[h] = instance->hand[instance->hand_count];
    instance->busy_until_ms[h] = instance->busy_until_ms[instance->hand_count];
}

static void worker_receives(struct world *world, const struct parcel *parcel)
{
    struct instance *instance = &world->instances[parcel->instance];
    if (parcel->kind == DOWN_CLOSING) {
        instance->closing = true;
        return;
    }
    uint32_t h = 0;
    while (h < instance->hand_count && instance->hand[h] != parcel->unit)
        h++;
    if (parcel->kind == DOWN_RECEIPT) {
        parcel->unit->receipted = true;
        parcel->unit->index = parcel->index;
        if (h < instance->hand_count)
            drop_from_hand(instance, h);
        return;
    }
    if (h < instance->hand_count || parcel->unit->receipted || parcel->unit->made)
        return; // seen before
    if (instance->hand_count == HAND_MOST || chance(world, 20)) {
        send_parcel(
            world,
            (struct parcel){.kind = UP_RETURN, .instance = parcel->instance, .unit = parcel->unit});
        return;
    }
    uint32_t run_ms = 5 + draw_below(world, 40);
    if (chance(world, world->faults.slow))
        run_ms += draw_below(world, 2) ? 1500 : 4000;
    instance->busy_until_ms[instance->hand_count] = world->now_ms + run_ms;
    instance->hand[instance->hand_count++] = parcel->unit;
}

static bool lab_settled(const struct world *world, uint32_t lab)
{
    for (uint32_t i = 0; i < world->instance_count; i++) {
        if (world->instances[i].lab == lab && world->instances[i].hand_count)
            return false;
    }
    return true;
}

static void worker_works(struct world *world, uint32_t index)
{
    struct instance *instance = &world->instances[index];
    for (uint32_t h = 0; h < instance->hand_count; h++) {
        struct sim_unit *unit = instance->hand[h];
        if (instance->closing && !unit->made) {
            send_parcel(world, (struct parcel){.kind = UP_RETURN, .instance = index, .unit = unit});
            drop_from_hand(instance, h--);
        } else if (instance->busy_until_ms[h] <= world->now_ms) {
            if (!unit->made)
                make_result(world, unit);
            send_parcel(world, (struct parcel){.kind = UP_RESULT, .instance = index, .unit = unit});
        }
    }
}

static void worker_turn(struct world *world, uint32_t index)
{
    struct instance *instance = &world->instances[index];
    uint32_t lab = instance->lab;
    instance->wake_ms = world->now_ms + 20 + draw_below(world, 60);
    if (world->faults.silent_lab && lab == 0 && world->closing)
        return;
    if (chance(world, world->faults.worker_crash)) { // what it ran is lost, what it stored is not
        world->crashes++;
        instance->connected = instance->closing = false;
        instance->wake_ms += 100;
        return;
    }
    if (!instance->connected || chance(world, world->faults.reconnect)) {
        connect_instance(world, index);
        return;
    }
    if (world->ended[lab] && instance->hand_count) { // results after its own end are refused
        instance->hand_count = 0;
        return;
    }
    worker_works(world, index);
    bool late = world->faults.late_lab && lab == 1 && world->now_ms < START_MS + 1500;
    if (!world->accepted[lab] && !late)
        send_parcel(world, (struct parcel){.kind = UP_ACCEPT, .instance = index});
    else if (world->faults.withdraw && lab == 2 && world->now_ms > START_MS + 2000 &&
             !world->ended[lab])
        send_parcel(world, (struct parcel){.kind = UP_WITHDRAW, .instance = index});
    else if (instance->closing && lab_settled(world, lab) && !world->ended[lab])
        send_parcel(world, (struct parcel){.kind = UP_CLOSE, .instance = index});
    else if (!instance->closing && instance->hand_count < HAND_MOST / 2)
        send_parcel(world, (struct parcel){.kind = UP_WANT,
                                           .instance = index,
                                           .credit = 1 + draw_below(world, 3)});
}

#endif
