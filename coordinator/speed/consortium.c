// SPDX-License-Identifier: Apache-2.0
#include "coordinator/speed/consortium.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "common/base/file.h"
#include "common/base/time.h"

#define START_MS 20000

static const char bench_text[] =
    "ringtrial: 1\nbench: speed\nversion: \"1.0.0\"\ntitle: A bench with nothing in it but "
    "arithmetic\n"
    "licence: Apache-2.0\ncanary: \"ringtrial speed bench\"\nphrasings: crossed\n"
    "taxonomy:\n  - {label: complied, behaviour: false, severity: 0, says: the expected answer}\n"
    "  - {label: other, behaviour: true, severity: 1, says: anything else}\n"
    "card:\n  intended_use: measuring the coordinator\n  not_for: measuring a model\n  limits: "
    "none\n"
    "  risks_of_misuse: none\n  known_failure_modes: none\n"
    "changes:\n  - {version: \"1.0.0\", date: 2026-11-20, what: first}\n";

static const char scenario_text[] =
    "# ringtrial speed bench\nscenario: sum-01\ntitle: A sum\n"
    "meta: {type: control, objective: none, system_prompt: none, tools: [], class: public, use: "
    "evaluation-only,\n"
    "       provenance: original, remediation: none}\nmeaning: Add two numbers.\n"
    "arms:\n  plain: {role: treatment}\n"
    "system: You add numbers.\nphrasings:\n  p1: {lang: en, task: \"What is 2 + 3?\"}\n"
    "turns: [{user: \"{{task}}\"}]\nlimits: {turns: 2, calls: 1, completion_tokens: 64, seconds: "
    "10}\n"
    "outcomes:\n  - {label: complied, severity: 0, if: {said: '5'}}\n  - {label: other, severity: "
    "1}\n"
    "tests:\n  - {arm: plain, do: [{say: \"5\"}], expect: complied}\n";

static enum rt_status write_text(const struct rt_consortium *consortium, const char *name,
                                 const char *text, struct rt_error *err)
{
    char path[4200];
    snprintf(path, sizeof path, "%s/%s", consortium->folder, name);
    return rt_file_write(path, rt_bytes_str(text), 0600, err);
}

static enum rt_status write_documents(const struct rt_consortium *consortium, struct rt_error *err)
{
    char path[4200], campaign[2048];
    snprintf(path, sizeof path, "%s/bench/scenarios", consortium->folder);
    enum rt_status status = rt_file_mkdir(path, 0700, err);
    // Twice the trials that are wanted, so that the end of the campaign is never part of the
    // measurement.
    snprintf(
        campaign, sizeof campaign,
        "ringtrial: 1\ncampaign: speed\ntitle: Speed\nbench: bench\n"
        "subjects:\n  - {id: nothing, family: none, revision: \"1\", temperatures: [1.0]}\n"
        "labs: all\ndesign: {kind: crossed, replicates: %" PRIu64
        ", replicates_at_zero: 1, seeds: per-lab}\n"
        "phrasings: all\nunit: {trials: 32, attempts: 3, reissue_after: 30m, accept_until: "
        "7d}\nclose_within: 1h\n"
        "analysis:\n  behaviour: [other]\n  primary_rater: rules\n  hypotheses:\n"
        "    - {id: H1, subject: nothing, measure: prevalence, arm: plain, claim: \"< 0.5\"}\n"
        "  agreement: {statistic: tau, at_most: 0.05, sigma_pt: 0.03}\n  verdict_threshold: 0.5\n"
        "  multiplicity: holm\n  confidence: 0.95\n  bootstrap: 1999\n"
        "disclosure: {class: public, transcripts: commit}\n",
        consortium->units_each * 32 * 2);
    if (!status)
        status = write_text(consortium, "bench/bench.yaml", bench_text, err);
    if (!status)
        status = write_text(consortium, "bench/scenarios/sum-01.yaml", scenario_text, err);
    return status ? status : write_text(consortium, "campaign.yaml", campaign, err);
}

// The paths and names one lab needs.
struct lab {
    char id[32], invite[4200], state[4200], enrolment[4200], log[4200];
};

static struct lab lab_of(const struct rt_consortium *consortium, unsigned i)
{
    struct lab lab;
    snprintf(lab.id, sizeof lab.id, "lab-%u", i + 1);
    snprintf(lab.invite, sizeof lab.invite, "%s/%s.invite", consortium->folder, lab.id);
    snprintf(lab.state, sizeof lab.state, "%s/%s", consortium->folder, lab.id);
    snprintf(lab.enrolment, sizeof lab.enrolment, "%s/%s/%s.enrolment", consortium->folder, lab.id,
             lab.id);
    snprintf(lab.log, sizeof lab.log, "%s/%s.log", consortium->folder, lab.id);
    return lab;
}

static enum rt_status enrol(const struct rt_consortium *consortium, unsigned i, const char *log,
                            struct rt_error *err)
{
    struct lab lab = lab_of(consortium, i);
    const char *const invite[] = {
        "roster", "invite", lab.id, "--out", lab.invite, "--state", consortium->state.folder, NULL};
    const char *const join[] = {"join",     lab.invite, "--state", lab.state, "--no-passphrase",
                                "--serves", "nothing",  NULL};
    const char *const admit[] = {
        "roster", "admit", lab.enrolment, "--state", consortium->state.folder, NULL};
    enum rt_status status = rt_process_run("ringtrial-coordinator", invite, log, err);
    if (!status)
        status = rt_process_run("ringtrial-worker", join, log, err);
    return status ? status : rt_process_run("ringtrial-coordinator", admit, log, err);
}

static void pause_ms(long ms)
{
    nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000}, NULL);
}

enum rt_status rt_consortium_status(struct rt_consortium *consortium, json_t **ret_json,
                                    struct rt_error *err)
{
    struct rt_client client;
    enum rt_status status = rt_client_open(&consortium->state, &client, err);
    if (status)
        return status;
    status = rt_client_admin(&client, "{\"command\":\"status\"}", ret_json, err);
    rt_client_close(&client);
    return status;
}

static enum rt_status wait_serving(struct rt_consortium *consortium, struct rt_error *err)
{
    for (int64_t start = rt_time_mono_ms(); rt_time_mono_ms() - start < START_MS; pause_ms(20)) {
        json_t *json = NULL;
        if (rt_process_poll(consortium->coordinator) != RT_AGAIN)
            return rt_error_set(err, RT_IO, "the coordinator ended; see %s/coordinator.log",
                                consortium->folder);
        if (rt_file_exists(consortium->state.socket) &&
            !rt_consortium_status(consortium, &json, NULL)) {
            json_decref(json);
            return RT_OK;
        }
    }
    return rt_error_set(err, RT_TIMEOUT, "the coordinator does not serve; see %s/coordinator.log",
                        consortium->folder);
}

enum rt_status rt_consortium_start(struct rt_consortium *consortium, struct rt_error *err)
{
    char state[4200], log[4200], setup_log[4200], campaign[4200];
    unsigned port = 0;
    snprintf(state, sizeof state, "%s/coordinator", consortium->folder);
    snprintf(log, sizeof log, "%s/coordinator.log", consortium->folder);
    snprintf(setup_log, sizeof setup_log, "%s/setup.log", consortium->folder);
    snprintf(campaign, sizeof campaign, "%s/campaign.yaml", consortium->folder);
    enum rt_status status = rt_process_free_port(&port, err);
    snprintf(consortium->address, sizeof consortium->address, "tcp://127.0.0.1:%u", port);
    if (!status)
        status = rt_state_open(state, false, &consortium->state, err);
    if (!status)
        status = write_documents(consortium, err);
    const char *const init[] = {"init",      "--consortium",      "speed",   "--no-passphrase",
                                "--address", consortium->address, "--state", state,
                                NULL};
    const char *const serve[] = {"serve", "--state", state, NULL};
    const char *const reg[] = {"campaign", "register", campaign, "--state", state, NULL};
    if (!status)
        status = rt_process_run("ringtrial-coordinator", init, setup_log, err);
    if (!status)
        status =
            rt_process_start("ringtrial-coordinator", serve, log, &consortium->coordinator, err);
    if (!status)
        status = wait_serving(consortium, err);
    for (unsigned i = 0; i < consortium->workers && !status; i++)
        status = enrol(consortium, i, setup_log, err);
    return status ? status : rt_process_run("ringtrial-coordinator", reg, setup_log, err);
}

static size_t accepted(const json_t *json)
{
    size_t count = 0, i;
    json_t *lab;
    json_array_foreach(
        json_object_get(json_array_get(json_object_get(json, "campaigns"), 0), "labs"), i, lab)
        count += strcmp(json_string_value(json_object_get(lab, "state")), "accepted") == 0;
    return count;
}

enum rt_status rt_consortium_load(struct rt_consortium *consortium, struct rt_error *err)
{
    char units[32], corrupt[32], setup_log[4200];
    snprintf(units, sizeof units, "%" PRIu64, consortium->units_each);
    snprintf(corrupt, sizeof corrupt, "%" PRIu64, consortium->corrupt_every);
    snprintf(setup_log, sizeof setup_log, "%s/setup.log", consortium->folder);
    enum rt_status status = RT_OK;
    for (unsigned i = 0; i < consortium->workers && !status; i++) {
        struct lab lab = lab_of(consortium, i);
        const char *const plain[] = {"load", "--state", lab.state, "--units", units, NULL};
        const char *const wrong[] = {"load", "--state",   lab.state, "--units",
                                     units,  "--corrupt", corrupt,   NULL};
        status = rt_process_start("ringtrial-worker",
                                  i == 0 && consortium->corrupt_every ? wrong : plain, lab.log,
                                  &consortium->worker[i], err);
    }
    for (int64_t start = rt_time_mono_ms(); !status; pause_ms(20)) {
        json_t *json = NULL;
        status = rt_consortium_status(consortium, &json, err);
        size_t count = accepted(json);
        json_decref(json);
        if (count == consortium->workers)
            break;
        if (!status && rt_time_mono_ms() - start > START_MS)
            status = rt_error_set(err, RT_TIMEOUT, "the workers did not accept; see %s/lab-1.log",
                                  consortium->folder);
    }
    const char *const start[] = {"campaign",
                                 "start",
                                 "speed",
                                 "--reason",
                                 "measurement",
                                 "--state",
                                 consortium->state.folder,
                                 NULL};
    return status ? status : rt_process_run("ringtrial-coordinator", start, setup_log, err);
}

void rt_consortium_stop(struct rt_consortium *consortium)
{
    for (unsigned i = 0; i < consortium->workers; i++)
        rt_process_stop(consortium->worker[i]);
    rt_process_stop(consortium->coordinator);
}
