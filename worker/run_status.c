// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/file.h"
#include "common/base/json.h"
#include "common/base/log.h"
#include "common/base/service.h"
#include "worker/inbox.h"
#include "worker/run_state.h"

#define INBOX_EVERY_MS  500
#define STATUS_EVERY_MS 1000
#define PAGE_BYTES      4096
#define IDLE_AFTER_MS   2000 // after WELCOME: OFFERs follow it at once

// ---- what people said while this process has the outbox

// "<n> requests, <m> tokens" of a probe, counted in the day's budgets.
static enum rt_status count_probe(struct rt_run *run, const char *text)
{
    uint64_t requests, tokens;
    int end = 0;
    if (sscanf(text, "%9" SCNu64 " requests, %12" SCNu64 " tokens%n", &requests, &tokens, &end) ==
            2 &&
        end && !text[end])
        rt_outbox_use(run->outbox, run_local_day(run->now_ms), 0, tokens, requests);
    return RT_OK;
}

static enum rt_status apply_request(void *ctx, const struct rt_inbox_request *request)
{
    struct rt_run *run = ctx;
    bool found = false;
    if (strcmp(request->action, "used") == 0)
        return count_probe(run, request->reason);
    if (strcmp(request->action, "purge") == 0) {
        run->purge_ms = 0;
        return RT_OK;
    }
    if (strcmp(request->action, "resend") == 0) {
        run_unpark(run);
        return RT_OK;
    }
    for (size_t i = 0; i < run->campaign_count; i++) {
        struct run_campaign *campaign = run->campaigns[i];
        char hex[RT_DIGEST_TEXT_BYTES];
        rt_digest_format(&campaign->digest, hex);
        if (strcmp(campaign->name, request->campaign) && strcmp(hex, request->campaign))
            continue;
        run_decide(run, campaign, request->action, request->reason);
        found = true;
    }
    // A word about a campaign that has not been offered yet waits for it.
    return found ? RT_OK : RT_NOT_FOUND;
}

void run_read_inbox(struct rt_run *run)
{
    if (run->mono_ms < run->inbox_ms)
        return;
    run->inbox_ms = run->mono_ms + INBOX_EVERY_MS;
    struct rt_error err;
    size_t applied = 0;
    if (rt_inbox_each(run->home->state, apply_request, run, &applied, &err))
        rt_log_warn("a request cannot be read", "why=%s", rt_log_quote(err.text));
    if (applied)
        run->progress = true;
}

// ---- what they see

// What serves the subjects, how it is known, and whether it changed.
static json_t *subjects_json(const struct run_campaign *campaign)
{
    json_t *list = json_array();
    for (size_t s = 0; campaign->execs && s < campaign->campaign->subject_count; s++) {
        const struct run_exec *slot = &campaign->execs[s];
        if (slot->has_identity)
            json_array_append_new(
                list, json_pack("{s:s, s:s, s:s}", "subject", campaign->campaign->subjects[s].id,
                                "identity", rt_identity_words[slot->level], "changed",
                                slot->changed));
    }
    return list;
}

static json_t *campaign_json(const struct run_campaign *campaign)
{
    char digest[RT_DIGEST_TEXT_BYTES];
    rt_digest_format(&campaign->digest, digest);
    return json_pack(
        "{s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o}", "campaign",
        campaign->name, "digest", digest, "state", rt_offer_state_words[campaign->state], "stage",
        rt_stage_words[campaign->stage], "held", campaign->held, "trials",
        (json_int_t)(campaign->planned ? campaign->plan.count : 0), "units",
        (json_int_t)campaign->units, "remaining", (json_int_t)campaign->remaining, "waiting",
        (json_int_t)campaign->outgoing, "receipted", (json_int_t)campaign->results, "done_here",
        (json_int_t)campaign->done, "errors_here", (json_int_t)campaign->errors, "subjects",
        subjects_json(campaign));
}

// Over what is there, which takes no room: for a disk that is full. The file is always whole pages
// long, so the new text fits if it is about as long as the old one.
static void overwrite(const char *path, struct rt_buf *text)
{
    struct stat info;
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    if (!fstat(fd, &info) && info.st_size < (off_t)1 << 20) {
        while (text->size < (size_t)info.st_size && !rt_buf_ok(text))
            rt_buf_add(text, "\n", 1);
        (void)!pwrite(fd, text->data, text->size, 0);
    }
    close(fd);
}

// Worth nothing after a crash, so nothing waits for the disk.
static void put_file(const struct rt_run *run, struct rt_buf *text)
{
    char path[PATH_MAX], temporary[PATH_MAX];
    if (rt_path_join(path, sizeof path, run->home->state, "status.json") ||
        rt_path_join(temporary, sizeof temporary, run->home->state, "status.json.new"))
        return;
    while (text->size % PAGE_BYTES && !rt_buf_ok(text))
        rt_buf_add(text, "\n", 1);
    FILE *file = fopen(temporary, "we");
    bool written = file && fwrite(text->data, text->size, 1, file) == 1;
    if (file && fclose(file))
        written = false;
    if (written && !rename(temporary, path))
        return;
    unlink(temporary);
    overwrite(path, text);
}

static json_t *status_json(struct rt_run *run)
{
    static const char *const links[] = {"waiting", "dialling", "up"};
    char jobs[200] = "";
    struct rt_permit permit = run_permit_unit(run, run_any_gpus(run), NULL);
    rt_buf_clear(&run->scratch);
    if (run->held && !run->hold_known)
        rt_buf_add_str(&run->scratch, "held: waiting for policy.hold_when's first answer");
    else
        rt_permit_explain(permit, &run->scratch);
    if (run->slurm)
        rt_slurm_describe(run->slurm, jobs, sizeof jobs);
    json_t *campaigns = json_array();
    for (size_t i = 0; i < run->campaign_count; i++)
        json_array_append_new(campaigns, campaign_json(run->campaigns[i]));
    return json_pack(
        "{s:I, s:I, s:s, s:b, s:s, s:s, s:I, s:f, s:s, s:s, s:s, s:o}", "pid",
        (json_int_t)getpid(), "time_ms", (json_int_t)run->now_ms, "link",
        links[rt_link_state(run->link)], "welcomed", (int)run->welcomed, "why",
        rt_link_why(run->link), "peer_error", run->peer_error, "running",
        (json_int_t)run->flying, "trials_per_second", run->rate, "policy",
        rt_buf_str(&run->scratch), "disk", run->stalled ? "full" : run->disk_low ? "low" : "",
        "jobs", jobs, "campaigns", campaigns);
}

void run_write_status(struct rt_run *run)
{
    if (run->mono_ms < run->status_ms)
        return;
    run->status_ms = run->mono_ms + STATUS_EVERY_MS;
    rt_service_notify("WATCHDOG=1");
    json_t *status = status_json(run);
    rt_buf_clear(&run->scratch);
    if (status && !rt_json_write_pretty(status, &run->scratch))
        put_file(run, &run->scratch);
    json_decref(status);
}

// ---- nothing left to do

bool run_idle(const struct rt_run *run)
{
    if (!run->welcomed || run->mono_ms - run->welcomed_ms < IDLE_AFTER_MS || run->unit_count ||
        run->flying || run->fetch.active || run->ratings_waiting || run_grade_waits(run))
        return false;
    for (size_t i = 0; i < run->out_count; i++)
        if (!run->outs[i].parked)
            return false;
    for (size_t i = 0; i < run->campaign_count; i++) {
        const struct run_campaign *campaign = run->campaigns[i];
        bool waits = campaign->stage >= RT_STAGE_ACCEPTING && campaign->stage < RT_STAGE_CLOSED;
        if (waits && campaign->offered)
            return false;
    }
    return true;
}
