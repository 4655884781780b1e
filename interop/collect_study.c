// SPDX-License-Identifier: Apache-2.0
// The counted trials as a study, so that the tidy table is the one the report writes.
#include <stdlib.h>

#include "interop/collect.h"

#define OBJECT_MOST ((size_t)4 << 20)

struct counting {
    struct rt_collected *from;
    struct rt_arena *arena;
    struct rt_facts_cell *cells;
    struct rt_facts_fingerprint *fingerprints;
    size_t fingerprint_count, fingerprint_room;
};

static enum rt_status object(const struct counting *counting, const struct rt_digest *digest,
                             struct rt_bytes *ret_bytes)
{
    struct rt_buf out;
    rt_buf_init(&out, OBJECT_MOST);
    enum rt_status status = rt_collected_object(counting->from, digest, &out);
    if (!status) {
        *ret_bytes = rt_arena_bytes(counting->arena, rt_buf_bytes(&out));
        status = ret_bytes->data ? RT_OK : RT_NO_MEMORY;
    }
    rt_buf_release(&out);
    return status;
}

static enum rt_status fingerprint_of(struct counting *counting, const struct rt_digest *digest,
                                     uint32_t *ret_place)
{
    for (uint32_t i = 0; i < counting->fingerprint_count; i++)
        if (rt_digest_equal(&counting->fingerprints[i].digest, digest)) {
            *ret_place = i;
            return RT_OK;
        }
    if (counting->fingerprint_count == counting->fingerprint_room) {
        size_t room = counting->fingerprint_room ? 2 * counting->fingerprint_room : 16;
        struct rt_facts_fingerprint *grown = realloc(counting->fingerprints, room * sizeof *grown);
        if (!grown)
            return RT_NO_MEMORY;
        counting->fingerprints = grown;
        counting->fingerprint_room = room;
    }
    struct rt_bytes bytes;
    struct rt_object_fingerprint *decoded = rt_arena_alloc(counting->arena, sizeof *decoded);
    enum rt_status status = decoded ? object(counting, digest, &bytes) : RT_NO_MEMORY;
    if (!status)
        status = rt_object_fingerprint_decode(bytes, counting->arena, decoded, NULL);
    if (status)
        return status;
    *ret_place = (uint32_t)counting->fingerprint_count;
    counting->fingerprints[counting->fingerprint_count++] =
        (struct rt_facts_fingerprint){*digest, decoded};
    return RT_OK;
}

static enum rt_status cell_of(struct counting *counting, size_t i, struct rt_error *err)
{
    const struct rt_campaign *campaign = counting->from->campaign;
    struct rt_interop_trial trial;
    struct rt_trial place;
    struct rt_facts_cell *cell = &counting->cells[i];
    enum rt_status status =
        rt_collected_trial(counting->from, i, false, counting->arena, &trial, err);
    if (status)
        return status;
    rt_collected_place(counting->from, i, &cell->lab, &place);
    cell->prompt = place.prompt;
    cell->configuration = place.configuration;
    cell->status = trial.status;
    cell->outcome = trial.status == RT_TRIAL_OK ? rt_campaign_label(campaign, trial.outcome) : 0;
    cell->severity = trial.severity;
    cell->count = 1;
    cell->same_as = trial.same_as > 0;
    cell->score_micro = trial.score_micro;
    status = fingerprint_of(counting, &trial.fingerprint, &cell->fingerprint);
    return status ? rt_error_set(err, status, "the fingerprint of a result: %s",
                                 rt_status_text(status))
                  : RT_OK;
}

static enum rt_status make(struct counting *counting, struct rt_study *ret_study)
{
    const struct rt_campaign *campaign = counting->from->campaign;
    struct rt_roster *roster = NULL;
    struct rt_bytes bytes;
    enum rt_status status = object(counting, &campaign->roster_digest, &bytes);
    if (!status)
        status = rt_roster_decode(bytes, counting->arena, &roster);
    struct rt_facts_lab *labs = rt_arena_array(counting->arena, campaign->lab_count, sizeof *labs);
    if (!status && !labs)
        status = RT_NO_MEMORY;
    if (status)
        return status;
    for (size_t l = 0; l < campaign->lab_count; l++)
        labs[l] = (struct rt_facts_lab){RT_STUDY_LAB_OPEN, true, false, "", {0}};
    struct rt_facts facts = {.campaign = campaign,
                             .roster = roster,
                             .labs = labs,
                             .cells = counting->cells,
                             .cell_count = counting->from->trial_count,
                             .fingerprints = counting->fingerprints,
                             .fingerprint_count = counting->fingerprint_count,
                             .origin = "export",
                             .started = true,
                             .started_ms = counting->from->started_ms,
                             .draw = counting->from->draw};
    return rt_facts_study(&facts, counting->arena, ret_study);
}

enum rt_status rt_collected_study(struct rt_collected *collected, struct rt_arena *arena,
                                  struct rt_study *ret_study, struct rt_error *err)
{
    struct counting counting = {.from = collected, .arena = arena};
    counting.cells = calloc(collected->trial_count + 1, sizeof *counting.cells);
    enum rt_status status =
        counting.cells ? RT_OK : rt_error_set(err, RT_NO_MEMORY, "counting the trials");
    for (size_t i = 0; i < collected->trial_count && !status; i++)
        status = cell_of(&counting, i, err);
    if (!status && (status = make(&counting, ret_study)))
        rt_error_set(err, status, "the study of campaign %s: %s", collected->campaign->id,
                     rt_status_text(status));
    free(counting.cells);
    free(counting.fingerprints);
    return status;
}
