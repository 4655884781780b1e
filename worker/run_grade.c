// SPDX-License-Identifier: Apache-2.0
// Labs whose policy.roles has `grade` judge what they keep without being asked: once a campaign's
// trials are in, or it has nothing to do for a while, `grade` runs beside the loop, one judge of
// one campaign at a time. It keeps what was said in its journal, so it can be ended at any moment
// and goes on where it was; it draws on the lab's budgets and tells the loop what it used.
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/log.h"
#include "worker/run_state.h"

#define LOOK_EVERY_MS  1000
#define RUN_MOST_MS    (6 * 3600 * 1000) // one that hangs is ended, and goes on later
#define PAUSE_LEAST_MS 5000
#define PAUSE_MOST_MS  600000
#define QUIET_MS       5000 // of a campaign whose trials are not all in, before it is graded
#define FAILURES_MOST  3    // in a row; then `run --until-idle` waits for this judge no longer
#define WORK_MOST      256

// One judge of one campaign.
struct work {
    struct rt_digest campaign;
    char role[RT_ID_BYTES + 1];
    uint64_t results;  // receipted ones when it was last graded to the end
    uint64_t seen;     // receipted ones when last looked at
    int64_t seen_ms;   // monotonic: since when there have been so many
    int64_t again_ms;  // monotonic: not before
    int64_t pause_ms;
    uint32_t failures; // in a row
    bool graded;       // by this process, up to `results`
};

struct run_grading {
    struct rt_child child;
    size_t at;        // the work the child does
    uint64_t results; // when it was started
    bool ending;      // it was told to end
    int64_t look_ms;
    struct work work[WORK_MOST];
    size_t count;
    bool wanted; // as of the last look: somebody waits for it
};

static bool lab_grades(const struct rt_lab_policy *policy)
{
    for (size_t i = 0; i < policy->role_count; i++)
        if (!strcmp(policy->roles[i], "grade"))
            return true;
    return false;
}

static struct work *work_of(struct run_grading *grading, const struct rt_digest *campaign,
                            const char *role)
{
    for (size_t i = 0; i < grading->count; i++)
        if (rt_digest_equal(&grading->work[i].campaign, campaign) &&
            !strcmp(grading->work[i].role, role))
            return &grading->work[i];
    if (grading->count == WORK_MOST)
        return NULL;
    struct work *work = &grading->work[grading->count++];
    *work = (struct work){.campaign = *campaign};
    snprintf(work->role, sizeof work->role, "%s", role);
    return work;
}

// ---- the command

static enum rt_status start(struct rt_run *run, const struct run_campaign *campaign,
                            const struct work *work, struct rt_error *err)
{
    char program[PATH_MAX], digest[RT_DIGEST_TEXT_BYTES];
    ssize_t size = readlink("/proc/self/exe", program, sizeof program - 1);
    if (size <= 0)
        return rt_error_errno(err, errno, "/proc/self/exe");
    program[size] = 0;
    rt_digest_format(&campaign->digest, digest);
    // Of a campaign that was over when this process started nothing is in memory but its row.
    bool every = !*work->role;
    const char *const words[] = {program, "grade", digest, "--state", run->home->folder, "--quiet",
                                 every ? "--every" : "--role", every ? NULL : work->role, NULL};
    return rt_child_start(&run->grading->child, (char *const *)(uintptr_t)words, NULL,
                          rt_bytes(NULL, 0), RUN_MOST_MS, err);
}

static void ended(struct rt_run *run, const struct rt_child_end *end)
{
    struct run_grading *grading = run->grading;
    struct work *work = &grading->work[grading->at];
    // What it left in STATE/ratings is taken before anything counts as done.
    run->ratings_ms = 0;
    run->ratings_waiting = run->progress = true;
    if (end->code == 0 && !grading->ending) {
        work->results = grading->results;
        work->graded = true;
        work->failures = 0;
        work->pause_ms = 0;
        rt_log_info("graded", "role=%s results=%llu", work->role,
                    (unsigned long long)work->results);
        return;
    }
    // Out of budget, or ended by policy: not a failure, and policy says when to go on.
    bool allowed = end->code == rt_status_exit(RT_POLICY) || grading->ending;
    work->failures += !allowed;
    work->pause_ms = work->pause_ms ? 2 * work->pause_ms : PAUSE_LEAST_MS;
    if (work->pause_ms > PAUSE_MOST_MS)
        work->pause_ms = PAUSE_MOST_MS;
    work->again_ms = run->mono_ms + (allowed ? PAUSE_LEAST_MS : work->pause_ms);
    if (!allowed)
        rt_log_warn("grading stopped; it goes on where it was", "role=%s code=%d again_in_ms=%lld",
                    work->role, end->code, (long long)(work->again_ms - run->mono_ms));
}

// Policy says no in the middle: it hands in what it has and ends.
static void watch(struct rt_run *run)
{
    struct run_grading *grading = run->grading;
    struct rt_permit permit = run_permit_unit(run, false, NULL);
    bool held = permit.cause == RT_PERMIT_HOURS || permit.cause == RT_PERMIT_HELD;
    if (!held || grading->ending)
        return;
    rt_log_info("grading is ended by policy", "why=%s", rt_permit_word(permit.cause));
    grading->ending = true;
    kill(grading->child.pid, SIGTERM);
}

// ---- what there is to grade

// Receipted results there is nothing to wait for: all of them, or those of a campaign at rest.
static bool at_rest(const struct rt_run *run, const struct run_campaign *campaign,
                    struct work *work)
{
    if (work->seen != campaign->results || !work->seen_ms || campaign->units ||
        campaign->outgoing) {
        work->seen = campaign->results;
        work->seen_ms = run->mono_ms ? run->mono_ms : 1;
    }
    if (campaign->units || campaign->outgoing)
        return false;
    return campaign->state >= RT_OFFER_CLOSING || run->mono_ms - work->seen_ms >= QUIET_MS;
}

static bool may_grade(const struct run_campaign *campaign)
{
    // Ratings may follow a lab's `close`: they change no result.
    bool ours = campaign->stage == RT_STAGE_ACCEPTED || campaign->stage == RT_STAGE_CLOSING ||
                campaign->stage == RT_STAGE_CLOSED;
    return ours && (campaign->loaded || campaign->stage == RT_STAGE_CLOSED) &&
           campaign->has_accept && campaign->has_draw && campaign->results &&
           campaign->state != RT_OFFER_CANCELLED;
}

// Does policy let a judge ask now? Trials are not what it uses.
static bool permitted(const struct rt_run *run)
{
    struct rt_permit_now now;
    struct rt_lab_policy policy = run->home->config->policy;
    policy.trials_per_day = policy.trials_total = 0;
    run_now(run, false, &now);
    return rt_permit_yes(rt_permit_unit(&policy, &now, NULL));
}

// One judge ("" for all of a campaign's) as it stands. True when it can start now.
static bool consider(struct rt_run *run, const struct run_campaign *campaign, const char *role,
                     bool open, struct work **ret_work)
{
    struct work *work = work_of(run->grading, &campaign->digest, role);
    if (!work || (work->graded && work->results == campaign->results))
        return false;
    run->grading->wanted |= open && work->failures < FAILURES_MOST;
    *ret_work = work;
    return at_rest(run, campaign, work) && open && run->mono_ms >= work->again_ms;
}

// The next judge's turn, or NULL. Says in `wanted` whether there is work that can be waited for.
static struct work *next(struct rt_run *run, struct run_campaign **ret_campaign)
{
    struct work *found = NULL, *work = NULL;
    bool open = permitted(run);
    run->grading->wanted = false;
    for (size_t c = 0; c < run->campaign_count; c++) {
        struct run_campaign *campaign = run->campaigns[c];
        bool may = may_grade(campaign), ready = false;
        if (may && !campaign->loaded)
            ready = consider(run, campaign, "", open, &work);
        for (size_t s = 0; may && campaign->loaded && s < campaign->campaign->scenario_count; s++) {
            const struct rt_judge *judge = campaign->scenarios[s]->judge;
            if (!ready && judge && rt_labconfig_subject(run->home->config, judge->role))
                ready = consider(run, campaign, judge->role, open, &work);
        }
        if (ready && !found) {
            found = work;
            *ret_campaign = campaign;
        }
    }
    return found;
}

// ---- the loop's calls

enum rt_status run_grade_begin(struct rt_run *run, struct rt_error *err)
{
    if (!lab_grades(&run->home->config->policy))
        return RT_OK;
    run->grading = calloc(1, sizeof *run->grading);
    return run->grading ? RT_OK : rt_error_set(err, RT_NO_MEMORY, "out of memory");
}

void run_grade_end(struct rt_run *run)
{
    if (run->grading)
        rt_child_stop(&run->grading->child);
    free(run->grading);
    run->grading = NULL;
}

void run_grade_turn(struct rt_run *run)
{
    struct run_grading *grading = run->grading;
    struct run_campaign *campaign = NULL;
    struct rt_child_end end;
    struct rt_error err = {0};
    if (!grading || run->mono_ms < grading->look_ms || run->stalled)
        return;
    grading->look_ms = run->mono_ms + LOOK_EVERY_MS;
    if (rt_child_ended(&grading->child, &end))
        ended(run, &end);
    if (grading->child.pid) {
        watch(run);
        return;
    }
    struct work *work = next(run, &campaign);
    if (!work)
        return;
    grading->at = (size_t)(work - grading->work);
    grading->results = campaign->results;
    grading->ending = false;
    enum rt_status status = start(run, campaign, work, &err);
    if (status) {
        rt_log_warn("cannot grade", "why=%s", rt_log_quote(err.text));
        work->failures++;
        work->again_ms = run->mono_ms + PAUSE_MOST_MS;
        return;
    }
    rt_log_info("grading", "campaign=%s role=%s results=%llu", campaign->name, work->role,
                (unsigned long long)campaign->results);
}

bool run_grade_waits(const struct rt_run *run)
{
    // Before the first look nothing is known yet.
    return run->grading &&
           (run->grading->child.pid || run->grading->wanted || !run->grading->look_ms);
}
