// SPDX-License-Identifier: Apache-2.0
// People who rate: which trials a person is to see next, and when a trial is settled. Two people
// (or as many as the scenario says) look at each sampled trial, blind to one another, to the lab,
// to the subject and to the arm; a third where the first two differ. Reads no clock. One thread.
#ifndef RT_WORKER_RATING_PANEL_H
#define RT_WORKER_RATING_PANEL_H

#include "worker/rating/desk.h"
#include "worker/rating/journal.h"

#define RT_PANEL_RATER "people" // their id as one rater

struct rt_panel_trial {
    const struct rt_desk_trial *trial;
    const struct rt_scenario *scenario;
    uint32_t per_trial; // people before it can be settled
    uint64_t order;     // place in this person's own order
};

struct rt_panel {
    struct rt_desk desk;
    struct rt_journal journal;
    struct rt_panel_trial *trials; // the sample, by number
    size_t count;
};

// outside: NULL for the lab's own people, else the id of a rater of another organisation, who has a
// journal apart and is asked for the whole sample.
enum rt_status rt_panel_open(const char *config, const char *campaign, const char *outside,
                             struct rt_panel *ret_panel, struct rt_error *err) RT_WARN_UNUSED;
void rt_panel_release(struct rt_panel *panel);

// What this person is to rate, in their own order: pointers into panel->trials. ret_queue has
// panel->count places; returns how many.
size_t rt_panel_queue(struct rt_panel *panel, const char *person,
                      struct rt_panel_trial **ret_queue);
// Keep a label. RT_EXISTS when this person has rated the trial, RT_OUT_OF_RANGE for a label the
// taxonomy does not have, RT_NOT_FOUND for a trial that is not in the sample.
enum rt_status rt_panel_rate(struct rt_panel *panel, const char *person, uint64_t trial,
                             uint32_t label, struct rt_error *err) RT_WARN_UNUSED;

// What the votes amount to, first come first: false while more people must look. Two that agree
// settle it; so does the third by siding with one of them; three that all differ leave it unrated
// (RT_TRIAL_ERROR).
bool rt_panel_settle(const uint32_t *votes, size_t count, uint32_t per_trial,
                     enum rt_trial_status *ret_status, uint32_t *ret_label);

// Hand in every settled trial that has not been; *ret_trials of them.
enum rt_status rt_panel_hand_in(struct rt_panel *panel, size_t *ret_trials,
                                struct rt_error *err) RT_WARN_UNUSED;

// Write what an outside rater has said into a file, which it signs itself; *ret_trials of them.
enum rt_status rt_panel_hand_out(struct rt_panel *panel, const char *rater, const char *path,
                                 size_t *ret_trials, struct rt_error *err) RT_WARN_UNUSED;

#endif
