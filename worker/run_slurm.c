// SPDX-License-Identifier: Apache-2.0
// Jobs as the loop sees them. Pilots: how many trials wait for them, which of their servers an
// executor may ask, and which units are let go of when a job's time is over.
#include <stdio.h>
#include <stdlib.h>

#include "common/base/log.h"
#include "common/base/time.h"
#include "worker/run_state.h"

#define DEMAND_EVERY_MS 500
#define STOP_MS         10000 // at the end: for Slurm to be told that the jobs are to end

// A server that an executor was given.
struct run_attached {
    uint64_t token, start;
    char *url;
};

enum rt_status run_slurm_begin(struct rt_run *run, struct rt_error *err)
{
    enum rt_status status = rt_slurm_new(run->home->config, run->home->folder, run->home->state,
                                         &run->slurm, err);
    return status == RT_NOT_FOUND ? RT_OK : status;
}

void run_slurm_end(struct rt_run *run)
{
    // A worker that is stopped comes back; one that has nothing left to do needs no jobs either.
    if (run->slurm && !run_stopping() && !run->fatal)
        rt_slurm_stop(run->slurm, STOP_MS);
    rt_slurm_free(run->slurm);
    run->slurm = NULL;
}

static int pool_of(const struct rt_run *run, const struct run_campaign *campaign, uint32_t subject)
{
    return run->slurm ? rt_slurm_pool_of(run->slurm, campaign->campaign->subjects[subject].id)
                      : -1;
}

// ---- what there is to do

// Trials in hand that have not finished, by subject; counts has one for each.
static void count_trials(const struct run_unit *unit, uint64_t *counts)
{
    const struct rt_campaign *campaign = unit->campaign->campaign;
    struct rt_trial place;
    if (campaign->subject_count == 1) {
        counts[0] += unit->trial_count - unit->done;
        return;
    }
    for (uint32_t i = 0; i < unit->trial_count; i++)
        if (unit->trials[i].state != RUN_DONE &&
            !rt_trial_of(campaign, unit->trials[i].number, &place))
            counts[campaign->configurations[place.configuration].subject]++;
}

static void count_demand(struct rt_run *run)
{
    uint64_t demand[RT_SLURM_POOLS_MOST] = {0};
    bool may[2];
    for (int gpus = 0; gpus < 2; gpus++) {
        struct rt_permit permit = run_permit_trial(run, gpus);
        may[gpus] = rt_permit_yes(permit) || permit.cause == RT_PERMIT_BUSY;
    }
    for (size_t u = 0; u < run->unit_count; u++) {
        const struct run_unit *unit = run->units[u];
        const struct run_campaign *campaign = unit->campaign;
        bool going = campaign->stage == RT_STAGE_ACCEPTED || campaign->stage == RT_STAGE_LEAVING;
        bool wanted = may[campaign->gpus] && going && campaign->state == RT_OFFER_STARTED;
        if (!wanted && !unit->flying)
            continue;
        uint64_t counts[RT_SUBJECTS_MOST] = {0};
        count_trials(unit, counts);
        for (uint32_t s = 0; s < campaign->campaign->subject_count; s++) {
            int pool = pool_of(run, campaign, s);
            if (pool >= 0)
                demand[pool] += counts[s];
        }
    }
    for (uint32_t p = 0; p < RT_SLURM_POOLS_MOST && rt_slurm_has_pool(run->slurm, p); p++)
        rt_slurm_demand(run->slurm, p, demand[p]);
}

// ---- which servers

static void detach(struct run_exec *slot, size_t index)
{
    (void)rt_exec_endpoint_drop(slot->exec, slot->attached[index].url);
    free(slot->attached[index].url);
    slot->attached_count--;
    memmove(&slot->attached[index], &slot->attached[index + 1],
            (slot->attached_count - index) * sizeof *slot->attached);
}

static bool is_attached(const struct run_exec *slot, const struct rt_slurm_server *server)
{
    for (size_t a = 0; a < slot->attached_count; a++)
        if (slot->attached[a].token == server->token && slot->attached[a].start == server->start)
            return true;
    return false;
}

static void attach(struct run_exec *slot, const struct rt_slurm_server *server)
{
    struct rt_error err;
    if (!slot->attached)
        slot->attached = calloc(RT_SLURM_JOBS_MOST, sizeof *slot->attached);
    char *url = strdup(server->url);
    if (!slot->attached || !url || slot->attached_count == RT_SLURM_JOBS_MOST) {
        free(url);
        return;
    }
    enum rt_status status =
        rt_exec_endpoint_add(slot->exec, url, *server->key ? server->key : NULL, &err);
    if (status) {
        rt_log_warn("a job's server cannot be used", "url=%s why=%s", url,
                    rt_log_quote(err.text));
        free(url);
        return;
    }
    slot->attached[slot->attached_count++] =
        (struct run_attached){server->token, server->start, url};
    slot->retry_ms = 0; // probed at once
}

// Make an executor's endpoints those of the jobs that serve. One that drains keeps its endpoint for
// what is in flight there, as long as no other job can take that over.
static void sync_exec(struct run_exec *slot, const struct rt_slurm_server *servers, size_t count)
{
    bool serving = false, draining = false;
    for (size_t s = 0; s < count; s++) {
        serving |= servers[s].serves;
        draining |= servers[s].draining;
    }
    slot->closing = draining && !serving;
    if (!slot->exec)
        return;
    for (size_t s = 0; s < count; s++)
        if (servers[s].serves && !is_attached(slot, &servers[s]))
            attach(slot, &servers[s]);
    for (size_t a = slot->attached_count; a-- > 0;) {
        bool keep = false;
        for (size_t s = 0; s < count; s++)
            keep |= servers[s].token == slot->attached[a].token &&
                    servers[s].start == slot->attached[a].start &&
                    (servers[s].serves || !serving);
        if (!keep)
            detach(slot, a);
    }
    if (!slot->attached_count) {
        slot->ready = false; // the next server is probed before it is trusted
        rt_exec_probe_abandon(slot->exec);
    }
}

static void sync_pool(struct rt_run *run, uint32_t pool)
{
    struct rt_slurm_server servers[RT_SLURM_JOBS_MOST];
    size_t count = rt_slurm_servers(run->slurm, pool, servers), in_flight = 0;
    bool closing = false;
    for (size_t c = 0; c < run->campaign_count; c++) {
        struct run_campaign *campaign = run->campaigns[c];
        for (uint32_t s = 0; campaign->execs && s < campaign->campaign->subject_count; s++) {
            struct run_exec *slot = &campaign->execs[s];
            if (pool_of(run, campaign, s) != (int)pool)
                continue;
            sync_exec(slot, servers, count);
            closing |= slot->closing;
            in_flight += slot->exec ? rt_exec_in_flight(slot->exec) : 0;
        }
    }
    for (size_t s = 0; s < count; s++)
        if (servers[s].draining && (!closing || !in_flight))
            rt_slurm_drained(run->slurm, servers[s].token);
}

void run_slurm_turn(struct rt_run *run)
{
    if (!run->slurm)
        return;
    if (run->mono_ms >= run->demand_ms) {
        run->demand_ms = run->mono_ms + DEMAND_EVERY_MS;
        count_demand(run);
    }
    rt_slurm_turn(run->slurm);
    for (uint32_t p = 0; rt_slurm_has_pool(run->slurm, p); p++)
        sync_pool(run, p);
}

void run_slurm_detach(struct run_exec *slot)
{
    for (size_t a = 0; a < slot->attached_count; a++)
        free(slot->attached[a].url);
    free(slot->attached);
    slot->attached = NULL;
    slot->attached_count = 0;
}

// ---- units

bool run_slurm_awaits(const struct rt_run *run, const struct run_campaign *campaign,
                      uint32_t subject)
{
    const struct run_exec *slot = &campaign->execs[subject];
    return pool_of(run, campaign, subject) >= 0 && !slot->failed && !slot->ready && !slot->closing;
}

// Do array jobs that gave nothing keep the subject's trials waiting?
static bool rests(const struct rt_run *run, const struct run_campaign *campaign, uint32_t subject)
{
    const struct rt_array *array = rt_slurm_array(run->slurm);
    return array && rt_array_rests(array, campaign->campaign->subjects[subject].id);
}

// Nothing of the unit has been played, and no node works for its subjects: their jobs wait.
static bool queued(const struct rt_run *run, const struct run_unit *unit)
{
    const struct rt_array *array = rt_slurm_array(run->slurm);
    const struct run_campaign *campaign = unit->campaign;
    bool any = false;
    for (uint32_t s = 0; array && !unit->done && s < campaign->campaign->subject_count; s++) {
        const struct run_exec *slot = &campaign->execs[s];
        if (!slot->exec || !rt_exec_in_flight(slot->exec))
            continue;
        if (!rt_exec_plays_whole(slot->exec) ||
            rt_array_runs(array, campaign->campaign->subjects[s].id))
            return false;
        any = true;
    }
    return any;
}

const char *run_slurm_why_return(const struct rt_run *run, const struct run_unit *unit)
{
    const struct run_campaign *campaign = unit->campaign;
    if (!run->slurm || !campaign->execs)
        return NULL;
    bool late = unit->reissue_at_ms <= run_server_ms(run);
    if (unit->flying)
        return late && queued(run, unit) ? "no array job has started in time" : NULL;
    uint64_t counts[RT_SUBJECTS_MOST] = {0};
    count_trials(unit, counts);
    for (uint32_t s = 0; s < campaign->campaign->subject_count; s++) {
        if (counts[s] && rests(run, campaign, s) && late)
            return "its jobs gave nothing";
        if (!counts[s] || pool_of(run, campaign, s) < 0)
            continue;
        if (campaign->execs[s].closing)
            return "its job's time is over";
        if (!campaign->execs[s].ready && late)
            return "no job has started in time";
    }
    return NULL;
}
