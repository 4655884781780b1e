// SPDX-License-Identifier: Apache-2.0
// The core against a Slurm that does what it likes: jobs wait, start, are preempted, requeued, lost
// with their node or cancelled by others; commands fail, answer late or not at all; the worker
// forgets everything but its folders. Whatever happens: never more jobs than allowed, no job is
// used that does not run, none goes on unknown once there is no work, and work finds a job in the
// end.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "worker/slurm/core.h"

#define REAL_MOST 4096
#define RUNS      400
#define STEPS     3000
#define AT_MOST   3

enum real { NONE, WAITING, RUNNING, COMPLETING, GONE };

static struct {
    enum real state[REAL_MOST]; // by id
    uint64_t token[REAL_MOST], start[REAL_MOST];
    bool requeues[REAL_MOST];
    uint64_t next;
} slurm;

static struct folder {
    uint64_t token, id;
    uint32_t job;
} folders[RT_SLURM_JOBS_MOST];

static struct rt_slurm_core core;
static uint64_t seed, tokens;
static int64_t now;
static bool calm; // nothing goes wrong any more
static bool dies; // the worker, at the end of this second

static uint64_t below(uint64_t bound)
{
    seed ^= seed >> 12;
    seed ^= seed << 25;
    seed ^= seed >> 27;
    return (seed * UINT64_C(2685821657736338717) >> 11) % bound;
}

static void make_core(void)
{
    struct rt_slurm_pool pool = {.jobs_at_most = AT_MOST,
                                 .trials_a_job = 4,
                                 .idle_exit_ms = 60000,
                                 .ready_within_ms = 30000,
                                 .margin_ms = 10000,
                                 .demand_ms = now};
    rt_slurm_core_init(&core, 10000);
    rt_slurm_core_pool(&core, &pool);
}

static void give(struct rt_slurm_event event);

static void answer_queue(void)
{
    struct rt_slurm_row rows[REAL_MOST];
    size_t count = 0;
    if (!calm && below(8) == 0) {
        give((struct rt_slurm_event){.kind = RT_SLURM_NO_SNAPSHOT});
        return;
    }
    for (uint64_t id = 1; id < slurm.next; id++)
        if (slurm.state[id] != GONE)
            rows[count++] = (struct rt_slurm_row){
                id, slurm.token[id],
                slurm.state[id] == WAITING   ? RT_SLURM_STATE_WAITING
                : slurm.state[id] == RUNNING ? RT_SLURM_STATE_RUNNING
                                             : RT_SLURM_STATE_LEAVING,
                calm ? -1 : (int64_t)below(100000)};
    give((struct rt_slurm_event){.kind = RT_SLURM_SNAPSHOT, .rows = rows, .row_count = count});
}

static void submit(const struct rt_slurm_effect *effect)
{
    struct folder *folder = &folders[effect->job];
    uint64_t fate = calm ? 9 : below(10);
    *folder = (struct folder){core.jobs[effect->job].token = ++tokens, 0, effect->job};
    if (fate > 0 && slurm.next < REAL_MOST) {
        slurm.state[slurm.next] = WAITING;
        slurm.token[slurm.next] = folder->token;
        slurm.next++;
    }
    if (fate <= 1 || slurm.next == REAL_MOST) { // refused, or taken and the answer lost
        if (fate == 0 || slurm.next == REAL_MOST)
            give((struct rt_slurm_event){.kind = RT_SLURM_NOT_SUBMITTED, .job = effect->job});
        else
            dies = true;
        return;
    }
    folder->id = slurm.next - 1;
    give((struct rt_slurm_event){
        .kind = RT_SLURM_SUBMITTED, .job = effect->job, .number = folder->id});
}

static void carry_out(const struct rt_slurm_effect *effect)
{
    uint64_t id = effect->was.id;
    switch (effect->kind) {
    case RT_SLURM_DO_SUBMIT:
        submit(effect);
        break;
    case RT_SLURM_DO_CANCEL:
        if (slurm.state[id] != GONE && (calm || below(10)))
            slurm.state[id] = slurm.state[id] == RUNNING ? COMPLETING : GONE;
        slurm.requeues[id] = false;
        break;
    case RT_SLURM_DO_QUEUE:
        answer_queue();
        break;
    case RT_SLURM_DO_ACCOUNT:
        give((struct rt_slurm_event){.kind = RT_SLURM_ACCOUNT,
                                     .job = effect->job,
                                     .state = (enum rt_slurm_state)below(6)});
        break;
    case RT_SLURM_DO_FORGET:
        folders[effect->job] = (struct folder){0};
    }
}

static void give(struct rt_slurm_event event)
{
    struct rt_slurm_effects effects;
    event.mono_ms = now;
    rt_slurm_core_step(&core, &event, &effects);
    for (size_t e = 0; e < effects.count; e++)
        carry_out(&effects.items[e]);
}

// The worker is killed and started again: only the folders are left.
static void restart(void)
{
    struct folder kept[RT_SLURM_JOBS_MOST];
    memcpy(kept, folders, sizeof kept);
    memset(folders, 0, sizeof folders);
    make_core();
    for (size_t f = 0; f < RT_SLURM_JOBS_MOST; f++) {
        if (!kept[f].token)
            continue;
        give((struct rt_slurm_event){
            .kind = RT_SLURM_FOUND, .token = kept[f].token, .number = kept[f].id});
        for (uint32_t j = 0; j < RT_SLURM_JOBS_MOST; j++)
            if (core.jobs[j].stage != RT_SLURM_FREE && core.jobs[j].token == kept[f].token)
                folders[j] = (struct folder){kept[f].token, kept[f].id, j};
    }
}

static void cluster_moves(void)
{
    for (uint64_t id = 1; id < slurm.next; id++) {
        uint64_t dice = calm ? 90 + below(10) : below(400);
        if (slurm.state[id] == COMPLETING && (calm || below(3)))
            slurm.state[id] = slurm.requeues[id] ? WAITING : GONE;
        else if (slurm.state[id] == WAITING && (calm || below(10) == 0)) {
            slurm.state[id] = RUNNING;
            slurm.start[id]++;
            slurm.requeues[id] = false;
        } else if (slurm.state[id] == RUNNING && dice < 2) {
            slurm.state[id] = COMPLETING;
            slurm.requeues[id] = dice == 0;
        } else if (dice == 3 && slurm.state[id] != COMPLETING) {
            slurm.state[id] = GONE;
        }
    }
}

static void jobs_speak(void)
{
    for (uint32_t j = 0; j < RT_SLURM_JOBS_MOST; j++) {
        uint64_t id = core.jobs[j].id;
        if (core.jobs[j].stage == RT_SLURM_FREE || !id)
            continue;
        bool runs = slurm.state[id] == RUNNING;
        if (slurm.start[id])
            give((struct rt_slurm_event){
                .kind = RT_SLURM_STARTED, .job = j, .number = slurm.start[id]});
        give((struct rt_slurm_event){
            .kind = RT_SLURM_HEALTH, .job = j, .yes = runs && (calm || below(5))});
        if (runs && !calm && below(200) == 0)
            give((struct rt_slurm_event){.kind = RT_SLURM_WARNED, .job = j});
        if (below(4) == 0)
            give((struct rt_slurm_event){.kind = RT_SLURM_DRAINED, .job = j});
    }
}

static void second(uint64_t demand)
{
    now += 1000;
    cluster_moves();
    give((struct rt_slurm_event){.kind = RT_SLURM_DEMAND, .number = demand});
    jobs_speak();
    give((struct rt_slurm_event){.kind = RT_SLURM_TICK});
    assert_true(rt_slurm_core_jobs(&core, 0) <= AT_MOST);
    for (uint32_t j = 0; j < RT_SLURM_JOBS_MOST; j++)
        if (rt_slurm_job_serves(&core.jobs[j]))
            assert_int_equal(slurm.state[core.jobs[j].id], RUNNING);
}

static unsigned alive(void)
{
    unsigned count = 0;
    for (uint64_t id = 1; id < slurm.next; id++)
        count += slurm.state[id] != GONE;
    return count;
}

static void whatever_slurm_does(void **state)
{
    (void)state;
    for (uint64_t run = 1; run <= RUNS; run++) {
        seed = run * UINT64_C(0x9e3779b97f4a7c15) + 1;
        memset(&slurm, 0, sizeof slurm);
        memset(folders, 0, sizeof folders);
        slurm.next = 1;
        now = 1000000;
        calm = false;
        make_core();
        uint64_t demand = 4;
        for (int s = 0; s < STEPS / 10; s++) {
            if (below(40) == 0)
                demand = below(3) ? below(40) : 0;
            second(demand);
            if (dies || below(100) == 0)
                restart();
            dies = false;
        }
        // Once the cluster behaves, trials find a server ...
        restart();
        calm = true;
        bool serves = false;
        for (int s = 0; s < 4000 && !serves; s++) {
            second(8);
            for (uint32_t j = 0; j < RT_SLURM_JOBS_MOST; j++)
                serves |= rt_slurm_job_serves(&core.jobs[j]);
        }
        if (!serves)
            print_error("run %llu: no job in the end\n", (unsigned long long)run);
        assert_true(serves);
        // ... and without trials there is no job.
        for (int s = 0; s < 600; s++)
            second(0);
        if (alive())
            print_error("run %llu: %u jobs go on\n", (unsigned long long)run, alive());
        assert_int_equal(alive(), 0);
        assert_int_equal(rt_slurm_core_jobs(&core, 0), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(whatever_slurm_does)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
