// SPDX-License-Identifier: Apache-2.0
// Is it still the same instrument? Weights are held against worker.yaml at every start, a little at
// a time; what serves a subject is watched for a change between two starts.
#include <stdio.h>
#include <string.h>

#include "common/base/log.h"
#include "worker/run_state.h"

#define WEIGH_MS 20

const struct rt_digest *run_campaign_weights(const struct run_campaign *campaign, const char *id)
{
    for (size_t s = 0; s < campaign->campaign->subject_count; s++)
        if (strcmp(campaign->campaign->subjects[s].id, id) == 0)
            return campaign->campaign->subjects[s].has_weights
                       ? &campaign->campaign->subjects[s].weights
                       : NULL;
    return NULL;
}

enum rt_status run_weigh(struct rt_run *run, const struct rt_lab_subject *subject,
                         struct run_exec *slot, struct rt_error *err)
{
    if (slot->weighed || !subject->has_weights || !*subject->weights_dir)
        return RT_OK;
    enum rt_status status =
        slot->weights ? RT_OK : rt_weights_begin(run->home, subject, &slot->weights, err);
    if (!status)
        status = rt_weights_step(slot->weights, WEIGH_MS, err);
    if (status == RT_AGAIN)
        return status;
    rt_weights_free(slot->weights);
    slot->weights = NULL;
    slot->weighed = !status;
    // Files that are not there now may be mounted later.
    return status == RT_NOT_FOUND ? rt_error_set(err, RT_CONFLICT, "subject %s: its weights are "
                                                 "not in %s", subject->id, subject->weights_dir)
                                  : status;
}

// The coordinator will see it and hold this lab; the lab is told first.
void run_identity_compare(struct run_exec *slot, const char *subject, struct rt_bytes object)
{
    struct rt_arena arena;
    struct rt_object_fingerprint now;
    struct rt_digest identity;
    rt_arena_init(&arena, (size_t)1 << 20);
    enum rt_status status = rt_object_fingerprint_decode(object, &arena, &now, NULL);
    if (!status)
        status = rt_fingerprint_identity(&now, &identity);
    if (!status && slot->has_identity && !rt_digest_equal(&identity, &slot->identity)) {
        char was[2 * RT_DIGEST_BYTES + 1], is[2 * RT_DIGEST_BYTES + 1];
        rt_hex_encode(slot->identity.bytes, RT_DIGEST_BYTES, was);
        rt_hex_encode(identity.bytes, RT_DIGEST_BYTES, is);
        snprintf(slot->changed, sizeof slot->changed,
                 "%s: identity %.12s became %.12s; it calls itself %.*s", subject, was, is,
                 (int)(now.model_reported.size < 40 ? now.model_reported.size : 40),
                 (const char *)now.model_reported.data);
        rt_log_warn("what serves the subject has changed: the coordinator holds this lab until an "
                    "operator has looked at it",
                    "subject=%s was=%.12s is=%.12s", subject, was, is);
    }
    if (!status) {
        slot->has_identity = true;
        slot->identity = identity;
        slot->level = now.identity;
    }
    rt_arena_release(&arena);
}

void run_identity_watch(struct rt_run *run, struct run_exec *slot, const char *subject)
{
    // Several endpoints may name themselves differently; their order says nothing.
    if (!slot->ready || rt_exec_endpoint_count(slot->exec) != 1 || !rt_exec_changed(slot->exec))
        return;
    rt_log_warn("what serves the subject is another program, or calls itself or its model "
                "something else: probing before going on",
                "subject=%s", subject);
    slot->ready = false;
    slot->retry_ms = run->mono_ms;
}
