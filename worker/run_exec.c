// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>

#include "common/base/log.h"
#include "common/base/time.h"
#include "worker/home_exec.h"
#include "worker/run_state.h"

#define PROBE_MS      60000
#define PROBE_WAIT_MS 10
#define PAUSE_LEAST   2000
#define PAUSE_MOST    120000
#define ERRORS_IN_ROW 8 // then the subject is probed before it is asked again

static enum rt_status open_exec(struct rt_run *run, struct run_campaign *campaign,
                                const struct rt_lab_subject *subject, struct run_exec *slot,
                                struct rt_error *err)
{
    char key_file[PATH_MAX];
    char *kept = NULL;
    if (*subject->key_file) {
        enum rt_status status =
            rt_home_path(run->home->folder, subject->key_file, key_file, err);
        if (status)
            return status;
        kept = rt_arena_strdup(&run->home->arena, key_file);
        if (!kept)
            return rt_error_set(err, RT_NO_MEMORY, "out of memory");
    }
    struct rt_exec_options options = {
        .key_file = kept,
        .labels = campaign->campaign->labels,
        .label_count = campaign->campaign->label_count,
        .scenarios = campaign->scenarios,
        .scenario_count = campaign->campaign->scenario_count,
        .stopping = run_stopping,
        .known = &slot->known,
        .campaign_weights = run_campaign_weights(campaign, subject->id),
    };
    enum rt_status status = rt_home_exec(run->home, subject, &options, err);
    if (status)
        return status;
    if (rt_lab_pilot(subject))
        options.sandbox = rt_sandbox_word(RT_SANDBOX_SLURM_JOB);
    if (rt_lab_array(subject))
        status = rt_array_open(rt_slurm_array(run->slurm), &options, err);
    return status ? status : rt_exec_open(&options, &slot->exec, err);
}

void run_exec_fingerprint(struct rt_run *run, struct run_exec *slot, const char *subject,
                          struct rt_bytes object)
{
    struct rt_digest before = slot->fingerprint;
    rt_sha256(object, &slot->fingerprint);
    if (rt_digest_equal(&before, &slot->fingerprint))
        return;
    run_identity_compare(slot, subject, object);
    rt_outbox_put_object(run->outbox, &slot->fingerprint, object);
    char hex[2 * RT_DIGEST_BYTES + 1];
    rt_hex_encode(slot->fingerprint.bytes, RT_DIGEST_BYTES, hex);
    rt_log_info("subject ready", "subject=%s fingerprint=%.16s", subject, hex);
}

// Open and probe; a subject that cannot be reached is tried again with growing pauses, and no unit
// is asked for meanwhile.
static void prepare(struct rt_run *run, struct run_campaign *campaign, struct run_exec *slot,
                    const char *id)
{
    struct rt_error err;
    const struct rt_lab_subject *subject = rt_labconfig_subject(run->home->config, id);
    enum rt_status status = RT_OK;
    if (!subject)
        status = rt_error_set(&err, RT_NOT_FOUND, "worker.yaml has no subject %s; add it with "
                              "`ringtrial-worker subject add`", id);
    if (!status)
        status = run_weigh(run, subject, slot, &err);
    // A probe may have been made by hand since.
    if (!status && !rt_known_load(run->home->state, id, &slot->known))
        slot->known = (struct rt_exec_known){0};
    if (!status && !slot->exec)
        status = open_exec(run, campaign, subject, slot, &err);
    slot->failed = status == RT_UNSUPPORTED || status == RT_NOT_FOUND;
    if (!status && rt_exec_plays_whole(slot->exec)) {
        slot->ready = true; // each job probes its own node, and says so with each trial
        slot->errors = 0;
        return;
    }
    if (!status && !rt_exec_endpoint_count(slot->exec))
        return; // run_slurm_turn gives it one once a job serves
    // Step by step: a server that is slow, or goes away meanwhile, holds up nothing else.
    if (!status && !rt_exec_probing(slot->exec))
        status = rt_exec_probe_begin(slot->exec, PROBE_MS, &err);
    if (!status)
        status = rt_exec_probe_step(slot->exec, PROBE_WAIT_MS, &err);
    run->mono_ms = rt_time_mono_ms();
    run->now_ms = rt_time_wall_ms();
    run->progress |= status == RT_AGAIN;
    if (status == RT_AGAIN)
        return;
    if (status) {
        slot->pause_ms = slot->pause_ms ? 2 * slot->pause_ms : PAUSE_LEAST;
        if (slot->pause_ms > PAUSE_MOST)
            slot->pause_ms = PAUSE_MOST;
        slot->retry_ms = run->mono_ms + slot->pause_ms;
        rt_log_error("subject cannot be used", "subject=%s again_in_ms=%lld why=%s", id,
                     slot->failed ? -1LL : (long long)slot->pause_ms, rt_log_quote(err.text));
        return;
    }
    slot->ready = true;
    slot->weighed = false; // held against worker.yaml again at the next start
    slot->errors = 0;
    slot->pause_ms = 0;
    struct rt_digest digest;
    run_exec_fingerprint(run, slot, id, rt_exec_fingerprint(slot->exec, &digest));
    run->progress = true;
}

struct run_exec *run_exec_ready(struct rt_run *run, struct run_campaign *campaign,
                                uint32_t subject)
{
    struct run_exec *slot = &campaign->execs[subject];
    run_identity_watch(run, slot, campaign->campaign->subjects[subject].id);
    if (!slot->ready && !slot->failed && run->mono_ms >= slot->retry_ms &&
        (!slot->exec || !rt_exec_in_flight(slot->exec)))
        prepare(run, campaign, slot, campaign->campaign->subjects[subject].id);
    return slot->ready && !slot->closing ? slot : NULL;
}

void run_exec_count(struct rt_run *run, struct run_exec *exec, enum rt_trial_status status)
{
    if (!rt_trial_status_flags(status).retry) {
        exec->errors = 0;
        return;
    }
    if (++exec->errors < ERRORS_IN_ROW || !exec->ready)
        return;
    // Attempts are few and a server that is down would use them all up within seconds.
    rt_log_warn("many errors in a row: probing the subject before going on", "errors=%u",
                exec->errors);
    exec->ready = false;
    exec->retry_ms = run->mono_ms + PAUSE_LEAST;
}

void run_execs_free(struct run_campaign *campaign)
{
    for (size_t s = 0; campaign->execs && s < campaign->campaign->subject_count; s++) {
        rt_exec_free(campaign->execs[s].exec);
        rt_weights_free(campaign->execs[s].weights);
        run_slurm_detach(&campaign->execs[s]);
    }
    free(campaign->execs);
    campaign->execs = NULL;
}
