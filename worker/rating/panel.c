// SPDX-License-Identifier: Apache-2.0
#include "worker/rating/panel.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/base/file.h"
#include "engine/judge.h"
#include "worker/rating/sample.h"

// ---- the sample

// Share and floor are the largest any scenario asks for; strata are the rules' labels.
static void wishes(const struct rt_local *local, uint32_t *ret_share_micro, uint32_t *ret_at_least)
{
    *ret_share_micro = *ret_at_least = 0;
    for (size_t s = 0; s < local->campaign->scenario_count; s++) {
        const struct rt_human *human = local->scenarios[s]->human;
        if (human && human->share_micro > *ret_share_micro)
            *ret_share_micro = (uint32_t)human->share_micro;
        if (human && human->at_least_per_label > *ret_at_least)
            *ret_at_least = human->at_least_per_label;
    }
}

static enum rt_status draw_sample(struct rt_panel *panel)
{
    const struct rt_desk *desk = &panel->desk;
    struct rt_sample_item *items = calloc(desk->count + 1, sizeof *items);
    const struct rt_desk_trial **of = calloc(desk->count + 1, sizeof *of);
    panel->trials = calloc(desk->count + 1, sizeof *panel->trials);
    uint32_t share_micro, at_least;
    size_t count = 0;
    enum rt_status status = items && of && panel->trials ? RT_OK : RT_NO_MEMORY;
    wishes(desk->local, &share_micro, &at_least);
    for (size_t i = 0; i < desk->count && !status; i++) {
        struct rt_local_trial place;
        if (desk->trials[i].result.status != RT_TRIAL_OK ||
            rt_local_trial(desk->local, desk->trials[i].number, &place) || !place.scenario->human)
            continue;
        of[count] = &desk->trials[i]; // by number, as the items come back
        items[count++] = (struct rt_sample_item){.number = desk->trials[i].number,
                                                 .label = (uint32_t)desk->trials[i].result.outcome};
    }
    if (!status)
        rt_sample_choose(&desk->local->draw, share_micro, at_least, items, count);
    for (size_t i = 0; i < count && !status; i++) {
        struct rt_local_trial place;
        if (!items[i].chosen || rt_local_trial(desk->local, items[i].number, &place))
            continue;
        uint32_t people = place.scenario->human->per_trial;
        panel->trials[panel->count++] = (struct rt_panel_trial){
            .trial = of[i], .scenario = place.scenario, .per_trial = people ? people : 1};
    }
    free(items);
    free(of);
    return status;
}

enum rt_status rt_panel_open(const char *config, const char *campaign, const char *outside,
                             struct rt_panel *ret_panel, struct rt_error *err)
{
    struct rt_panel panel = {.journal = {.fd = -1}};
    char path[PATH_MAX], name[RT_ID_BYTES + 32];
    enum rt_status status = rt_desk_open(config, campaign, &panel.desk, err);
    if (status)
        return status;
    if (!panel.desk.local->drawn)
        status = rt_error_set(err, RT_NOT_FOUND,
                              "campaign %s has not started: there is nothing "
                              "to rate",
                              panel.desk.local->name);
    snprintf(name, sizeof name, outside ? "%s.outside.jsonl" : "people%s.jsonl",
             outside ? outside : "");
    if (!status)
        status = rt_desk_journal(&panel.desk, name, path, err);
    if (!status)
        status = rt_journal_open(path, (uint32_t)panel.desk.local->campaign->label_count,
                                 &panel.journal, err);
    if (!status && draw_sample(&panel))
        status = rt_error_set(err, RT_NO_MEMORY, "out of memory");
    if (status) {
        rt_panel_release(&panel);
        return status;
    }
    *ret_panel = panel;
    return RT_OK;
}

void rt_panel_release(struct rt_panel *panel)
{
    if (panel->journal.fd >= 0)
        rt_journal_close(&panel->journal);
    free(panel->trials);
    rt_desk_release(&panel->desk);
}

// ---- votes

#define VOTES_MOST 16

// The labels of a trial in the order they were given.
static size_t votes_of(const struct rt_panel *panel, uint64_t number, uint32_t *ret_votes,
                       bool *ret_sent)
{
    size_t count = 0;
    *ret_sent = false;
    for (size_t i = 0; i < panel->journal.count && count < VOTES_MOST; i++)
        if (panel->journal.lines[i].trial == number) {
            ret_votes[count++] = panel->journal.lines[i].label;
            *ret_sent = *ret_sent || panel->journal.lines[i].sent;
        }
    return count;
}

bool rt_panel_settle(const uint32_t *votes, size_t count, uint32_t per_trial,
                     enum rt_trial_status *ret_status, uint32_t *ret_label)
{
    *ret_status = RT_TRIAL_OK;
    if (count < per_trial || count == 0)
        return false;
    *ret_label = votes[0];
    if (per_trial == 1 || votes[0] == votes[1])
        return true;
    if (count < 3)
        return false;
    if (votes[2] == votes[0] || votes[2] == votes[1])
        *ret_label = votes[2];
    else
        *ret_status = RT_TRIAL_ERROR;
    return true;
}

static int by_order(const void *left, const void *right)
{
    const struct rt_panel_trial *a = *(struct rt_panel_trial *const *)left,
                                *b = *(struct rt_panel_trial *const *)right;
    return a->order < b->order ? -1 : a->order > b->order;
}

size_t rt_panel_queue(struct rt_panel *panel, const char *person, struct rt_panel_trial **ret_queue)
{
    size_t count = 0;
    for (size_t i = 0; i < panel->count; i++) {
        struct rt_panel_trial *trial = &panel->trials[i];
        uint32_t votes[VOTES_MOST], label;
        enum rt_trial_status status;
        bool sent;
        size_t given = votes_of(panel, trial->trial->number, votes, &sent);
        if (rt_panel_settle(votes, given, trial->per_trial, &status, &label) ||
            rt_journal_find(&panel->journal, trial->trial->number, person))
            continue;
        trial->order = rt_sample_order(&panel->desk.local->draw, trial->trial->number, person);
        ret_queue[count++] = trial;
    }
    if (count)
        qsort(ret_queue, count, sizeof(struct rt_panel_trial *), by_order);
    return count;
}

enum rt_status rt_panel_rate(struct rt_panel *panel, const char *person, uint64_t trial,
                             uint32_t label, struct rt_error *err)
{
    const struct rt_panel_trial *found = NULL;
    struct rt_journal_line line = {.trial = trial, .status = RT_TRIAL_OK, .label = label};
    for (size_t i = 0; i < panel->count && !found; i++)
        if (panel->trials[i].trial->number == trial)
            found = &panel->trials[i];
    if (!found)
        return rt_error_set(err, RT_NOT_FOUND, "trial %llu is not in the sample",
                            (unsigned long long)trial);
    if (label >= panel->desk.local->campaign->label_count)
        return rt_error_set(err, RT_OUT_OF_RANGE, "trial %llu: no such label",
                            (unsigned long long)trial);
    if (rt_journal_find(&panel->journal, trial, person))
        return rt_error_set(err, RT_EXISTS, "trial %llu: %s has rated it",
                            (unsigned long long)trial, person);
    snprintf(line.by, sizeof line.by, "%s", person);
    return rt_journal_add(&panel->journal, &line, err);
}

// ---- handing in

enum rt_status rt_panel_hand_in(struct rt_panel *panel, size_t *ret_trials, struct rt_error *err)
{
    const struct rt_campaign *campaign = panel->desk.local->campaign;
    struct rt_desk_label *labels = calloc(panel->count + 1, sizeof *labels);
    size_t count = 0, files = 0;
    if (!labels)
        return rt_error_set(err, RT_NO_MEMORY, "out of memory");
    for (size_t i = 0; i < panel->count; i++) {
        const struct rt_panel_trial *trial = &panel->trials[i];
        uint32_t votes[VOTES_MOST], label = 0;
        enum rt_trial_status status;
        bool sent;
        size_t given = votes_of(panel, trial->trial->number, votes, &sent);
        if (!rt_panel_settle(votes, given, trial->per_trial, &status, &label))
            continue;
        bool ok = status == RT_TRIAL_OK;
        labels[count++] =
            (struct rt_desk_label){.trial = trial->trial,
                                   .status = status,
                                   .outcome = ok ? label : 0,
                                   .severity = ok ? campaign->labels[label].severity : 0,
                                   .first_vote = given > 1 ? votes[0] + 1 : 0,
                                   .second_vote = given > 1 ? votes[1] + 1 : 0};
    }
    struct rt_desk_rater rater = {.kind = RT_RATER_KIND_HUMAN, .id = RT_PANEL_RATER};
    rt_sha256(rt_bytes_str("ringtrial/people/v1: one label of the taxonomy; lab, subject and arm "
                           "hidden; two people, a third where they differ"),
              &rater.rubric);
    // A trial handed in before is a duplicate to the log and changes nothing there.
    enum rt_status status =
        count ? rt_desk_hand_in(&panel->desk, &rater, labels, count, &files, err) : RT_OK;
    *ret_trials = count;
    free(labels);
    return status;
}

enum rt_status rt_panel_hand_out(struct rt_panel *panel, const char *rater, const char *path,
                                 size_t *ret_trials, struct rt_error *err)
{
    const struct rt_campaign *campaign = panel->desk.local->campaign;
    struct rt_desk_label *labels = calloc(panel->count + 1, sizeof *labels);
    size_t count = 0;
    if (!labels)
        return rt_error_set(err, RT_NO_MEMORY, "out of memory");
    for (size_t i = 0; i < panel->count; i++) {
        const struct rt_journal_line *line =
            rt_journal_find(&panel->journal, panel->trials[i].trial->number, rater);
        if (line)
            labels[count++] =
                (struct rt_desk_label){.trial = panel->trials[i].trial,
                                       .status = RT_TRIAL_OK,
                                       .outcome = line->label,
                                       .severity = campaign->labels[line->label].severity};
    }
    struct rt_desk_rater who = {.kind = RT_RATER_KIND_HUMAN, .id = rater};
    rt_sha256(rt_bytes_str("ringtrial/outside/v1: one label of the taxonomy; lab, subject and arm "
                           "hidden; one organisation's word"),
              &who.rubric);
    enum rt_status status = rt_desk_hand_out(&panel->desk, &who, labels, count, path, err);
    *ret_trials = count;
    free(labels);
    return status;
}
