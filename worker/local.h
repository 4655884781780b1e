// SPDX-License-Identifier: Apache-2.0
// A lab's own view of one campaign, for commands that look without running: the row in the outbox,
// and where asked for the decoded campaign and scenarios that were fetched for it. Opens the outbox
// for reading alone, so a running worker is not disturbed. One thread.
#ifndef RT_WORKER_LOCAL_H
#define RT_WORKER_LOCAL_H

#include "proto/trial.h"
#include "worker/home.h"
#include "worker/outbox.h"

enum rt_local_part {
    RT_LOCAL_ROW,
    RT_LOCAL_DOCUMENTS, // and campaign, scenarios, lab, plan
};

struct rt_local {
    struct rt_home *home; // without keys
    struct rt_outbox *outbox;
    struct rt_arena arena;
    char name[RT_ID_BYTES + 1];
    struct rt_digest digest;
    struct rt_row_campaign row; // views into arena
    struct rt_campaign *campaign;
    const struct rt_scenario **scenarios;
    uint32_t lab;
    bool drawn; // plan and draw are the campaign's; otherwise they stand on a draw of zeros
    struct rt_digest draw;
    struct rt_lab_plan plan;
    struct rt_lab_order order;
};

// campaign: its id or "sha256:..."; NULL or "" where there is only one. RT_NOT_FOUND says which are
// known.
enum rt_status rt_local_open(const char *config, const char *campaign, enum rt_local_part part,
                             struct rt_local **ret_local, struct rt_error *err) RT_WARN_UNUSED;
void rt_local_free(struct rt_local *local); // takes NULL

// A trial's place as an executor wants it; the seed is that of the draw.
struct rt_local_trial {
    struct rt_trial place;
    const struct rt_scenario *scenario;
    const char *arm_id, *phrasing_id, *subject;
    uint32_t scenario_index, arm, phrasing, subject_index;
    int64_t temperature_micro;
    uint32_t seed;
};
enum rt_status rt_local_trial(const struct rt_local *local, uint64_t number,
                              struct rt_local_trial *ret_trial) RT_WARN_UNUSED;

// The indices of a prompt's arm and phrasing in the scenario itself, which may have more of them
// than the campaign uses. RT_CONFLICT when it does not have them.
enum rt_status rt_prompt_in_scenario(const struct rt_campaign *campaign, uint32_t prompt,
                                     const struct rt_scenario *scenario, uint32_t *ret_arm,
                                     uint32_t *ret_phrasing) RT_WARN_UNUSED;

#endif
