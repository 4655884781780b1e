// SPDX-License-Identifier: Apache-2.0
// GPU hours. A server that the lab runs itself holds its `gpus` while a request of ours is in
// flight there; one in a job holds what its sbatch options ask for from the moment it starts until
// squeue no longer shows it, busy or not. Time is added up by the monotonic clock, a little at
// a time.
#include <stdio.h>

#include "common/base/log.h"
#include "worker/run_state.h"

#define TICK_MS     250
#define TICK_MOST   60000 // of one tick: a machine that slept did not use its GPUs
#define FLUSH_MS    10000
#define GAP_EXTRA   300000 // a job whose worker is gone ends so long after idle_exit
#define GAP_WAIT_MS 120000 // squeue has told by then which jobs are left
#define SEEN        "gpu-seen"

bool run_any_gpus(const struct rt_run *run)
{
    const struct rt_labconfig *config = run->home->config;
    for (size_t s = 0; s < config->subject_count; s++)
        if (rt_lab_gpus(&config->subjects[s]))
            return true;
    return false;
}

bool run_campaign_gpus(const struct rt_run *run, const struct run_campaign *campaign)
{
    const struct rt_campaign *document = campaign->campaign;
    for (uint32_t s = 0; s < document->subject_count; s++) {
        const struct rt_lab_subject *subject =
            document->labs[campaign->lab].runs >> s & 1
                ? rt_labconfig_subject(run->home->config, document->subjects[s].id)
                : NULL;
        if (subject && rt_lab_gpus(subject))
            return true;
    }
    return false;
}

void run_usage_begin(struct rt_run *run)
{
    struct rt_buf value;
    run->gpu_ms = run->mono_ms;
    if (!run->slurm)
        return;
    rt_buf_init(&value, 64);
    // Jobs went on while nobody looked.
    if (!rt_outbox_meta(run->outbox, SEEN, &value) && value.size == 8) {
        int64_t seen_ms = (int64_t)rt_get_u64be(value.data);
        if (seen_ms > 0 && seen_ms < run->now_ms)
            run->gpu_gap_ms = run->now_ms - seen_ms;
    }
    rt_buf_release(&value);
}

static struct run_exec *exec_of(struct run_campaign *campaign, const char *id)
{
    for (uint32_t s = 0; campaign->execs && s < campaign->campaign->subject_count; s++)
        if (!strcmp(campaign->campaign->subjects[s].id, id))
            return &campaign->execs[s];
    return NULL;
}

// Is a subject at work for a campaign? Servers of the lab's own are while they are asked; a job is
// while there are trials for it.
static bool works_for(struct run_campaign *campaign, const char *id, bool job)
{
    const struct run_exec *slot = exec_of(campaign, id);
    if (!slot)
        return false;
    return (slot->exec && rt_exec_in_flight(slot->exec)) || (job && campaign->units);
}

// How many servers of a subject hold their GPUs now.
static uint64_t servers_holding(struct rt_run *run, const struct rt_lab_subject *subject)
{
    uint64_t in_flight = 0;
    int pool = rt_slurm_pool_of(run->slurm, subject->id);
    if (pool >= 0)
        return rt_slurm_holding(run->slurm, (uint32_t)pool);
    if (rt_lab_array(subject)) // its tasks, as far as squeue has said
        return rt_array_holding(rt_slurm_array(run->slurm), subject->id);
    for (size_t c = 0; c < run->campaign_count; c++) {
        const struct run_exec *slot = exec_of(run->campaigns[c], subject->id);
        in_flight += slot && slot->exec ? rt_exec_in_flight(slot->exec) : 0;
    }
    return in_flight > 0;
}

static void count_subject(struct rt_run *run, const struct rt_lab_subject *subject)
{
    uint64_t servers = servers_holding(run, subject), sharing = 0;
    int64_t most_ms = TICK_MOST, since_ms = run->gpu_ms;
    bool job = subject->slurm != NULL;
    if (!servers)
        return;
    if (run->gpu_gap_ms && job) {
        int64_t gap_most = subject->slurm->idle_exit_ms + GAP_EXTRA;
        int64_t gap_ms = run->gpu_gap_ms < gap_most ? run->gpu_gap_ms : gap_most;
        since_ms -= gap_ms;
        most_ms += gap_ms;
    }
    uint64_t gpu_ms =
        rt_usage_gpu_ms(servers * rt_lab_gpus(subject), since_ms, run->mono_ms, most_ms);
    int64_t day = run_local_day(run->now_ms);
    rt_outbox_use_gpu(run->outbox, day, gpu_ms);
    for (size_t c = 0; c < run->campaign_count; c++)
        sharing += works_for(run->campaigns[c], subject->id, job);
    for (size_t c = 0; c < run->campaign_count && sharing; c++)
        if (works_for(run->campaigns[c], subject->id, job))
            rt_outbox_use_gpu_for(run->outbox, &run->campaigns[c]->digest, subject->id, day,
                                  gpu_ms / sharing);
}

// Jobs whose cap is reached have nothing left to do: they end now and not when they are idle.
static void end_jobs(struct rt_run *run)
{
    struct rt_permit permit = run_permit_trial(run, true);
    bool reached = permit.cause == RT_PERMIT_GPU_DAY || permit.cause == RT_PERMIT_GPU_TOTAL;
    if (!reached || run->flying) {
        run->gpus_ended = run->gpus_ended && reached;
        return;
    }
    if (!run->gpus_ended) {
        rt_log_warn("GPU hours are used up: jobs end", "policy=%s", rt_permit_word(permit.cause));
        rt_slurm_end_jobs(run->slurm);
    }
    run->gpus_ended = true;
}

void run_usage_turn(struct rt_run *run)
{
    if (run->mono_ms - run->gpu_ms < TICK_MS)
        return;
    const struct rt_labconfig *config = run->home->config;
    bool held = false;
    for (size_t s = 0; s < config->subject_count; s++)
        if (rt_lab_gpus(&config->subjects[s])) {
            held |= config->subjects[s].slurm && servers_holding(run, &config->subjects[s]);
            count_subject(run, &config->subjects[s]);
        }
    run->gpu_ms = run->mono_ms;
    if (held || run->mono_ms - run->welcomed_ms > GAP_WAIT_MS)
        run->gpu_gap_ms = 0;
    if (run->slurm)
        end_jobs(run);
    if (run->stalled || run->mono_ms < run->gpu_flush_ms)
        return;
    run->gpu_flush_ms = run->mono_ms + FLUSH_MS;
    if (held) {
        uint8_t bytes[8];
        rt_put_u64be(bytes, (uint64_t)run->now_ms);
        rt_outbox_put_meta(run->outbox, SEEN, rt_bytes(bytes, sizeof bytes));
    }
    rt_outbox_flush_usage(run->outbox);
}
