// SPDX-License-Identifier: Apache-2.0
// What the lab's people are told by `contact.run_on_event`, and the transcripts that are no longer
// kept. Events are levels: every second the state is looked at, and what is so and was not told is
// told. The times at which things were told are in the outbox, so that a worker started by cron
// does not tell them again.
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/statvfs.h>

#include "common/base/log.h"
#include "worker/care/retention.h"
#include "worker/care/vault_key.h"
#include "worker/run_state.h"

#define LOOK_MS     1000
#define DISK_MS     10000
#define DISK_LOW    ((uint64_t)512 << 20) // bytes, or a fiftieth of the disk where that is less
#define PURGE_MOST  3600000 // between two looks for what is to go; a quarter of `keep` if less
#define PURGE_LEAST 1000
#define ROTATE_PART 20 // of `keep`: a pack takes records for so long, that it can grow old
#define REMIND_MS   86400000 // while it lasts
#define AGAIN_MS    3600000  // when it had ended and has come back
#define FINISH_MS   3000
#define TOLD_MOST   4096
#define PREFIX      "told/"
#define HASH_BYTES  16

// Something that can be so, and when it was last told.
struct run_told {
    uint8_t hash[HASH_BYTES];
    int64_t wall_ms; // 0 never
    bool on;
};

// ---- remembering

static struct rt_key told_key(const uint8_t hash[HASH_BYTES])
{
    struct rt_key key = {.size = sizeof PREFIX - 1 + HASH_BYTES};
    memcpy(key.bytes, PREFIX, sizeof PREFIX - 1);
    memcpy(key.bytes + sizeof PREFIX - 1, hash, HASH_BYTES);
    return key;
}

static struct run_told *told_of(struct rt_run *run, const uint8_t hash[HASH_BYTES])
{
    for (size_t i = 0; i < run->told_count; i++)
        if (!memcmp(run->told[i].hash, hash, HASH_BYTES))
            return &run->told[i];
    if (run->told_count == TOLD_MOST)
        return NULL;
    struct run_told *grown = realloc(run->told, (run->told_count + 1) * sizeof *grown);
    if (!grown)
        return NULL;
    run->told = grown;
    struct run_told *told = &grown[run->told_count++];
    struct rt_buf value;
    struct rt_key key = told_key(hash);
    *told = (struct run_told){0};
    memcpy(told->hash, hash, HASH_BYTES);
    rt_buf_init(&value, 64);
    if (!rt_ledger_get(run->outbox->ledger, RT_TABLE_META, rt_key_bytes(&key), &value) &&
        value.size == 8)
        told->wall_ms = (int64_t)rt_get_u64be(value.data);
    rt_buf_release(&value);
    return told;
}

static void remember(struct rt_run *run, struct run_told *told)
{
    uint8_t bytes[8];
    struct rt_key key = told_key(told->hash);
    told->wall_ms = run->now_ms;
    if (run->stalled) // there is no room for it; it is told again after a restart
        return;
    rt_put_u64be(bytes, (uint64_t)run->now_ms);
    rt_ledger_put(run->outbox->ledger, RT_TABLE_META, rt_key_bytes(&key),
                  rt_bytes(bytes, sizeof bytes));
}

// ---- telling

struct fact {
    enum rt_care_event event;
    const struct run_campaign *campaign; // NULL none
    const char *subject;                 // "" none
    const char *apart; // what else tells this fact from others like it
    const char *text;
    bool once; // never again
};

static void hash_fact(const struct fact *fact, uint8_t hash[HASH_BYTES])
{
    struct rt_sha256_state state;
    struct rt_digest digest;
    const char *word = rt_care_event_word(fact->event);
    rt_sha256_init(&state);
    rt_sha256_update(&state, word, strlen(word) + 1);
    if (fact->campaign)
        rt_sha256_update(&state, fact->campaign->digest.bytes, RT_DIGEST_BYTES);
    rt_sha256_update(&state, fact->subject, strlen(fact->subject) + 1);
    rt_sha256_update(&state, fact->apart, strlen(fact->apart) + 1);
    rt_sha256_final(&state, &digest);
    memcpy(hash, digest.bytes, HASH_BYTES);
}

// Something is so, or is not; tell it when it is due.
static void level(struct rt_run *run, const struct fact *fact, bool on)
{
    uint8_t hash[HASH_BYTES];
    hash_fact(fact, hash);
    struct run_told *told = told_of(run, hash);
    if (!told)
        return;
    bool rose = on && !told->on;
    int64_t age_ms = told->wall_ms ? run->now_ms - told->wall_ms : INT64_MAX;
    told->on = on;
    bool due = !told->wall_ms || (!fact->once && (age_ms >= REMIND_MS || age_ms < 0 ||
                                                  (rose && age_ms >= AGAIN_MS)));
    if (!on || !due)
        return;
    char digest[RT_DIGEST_TEXT_BYTES] = "";
    if (fact->campaign)
        rt_digest_format(&fact->campaign->digest, digest);
    struct rt_care_news news = {
        .event = fact->event,
        .time_ms = run->now_ms,
        .campaign = fact->campaign ? fact->campaign->name : "",
        .digest = digest,
        .subject = fact->subject,
        .text = fact->text,
    };
    rt_hook_tell(run->hook, &news);
    remember(run, told);
}

// ---- what is so

static void look_at_subjects(struct rt_run *run, const struct run_campaign *campaign)
{
    for (uint32_t s = 0; campaign->execs && s < campaign->campaign->subject_count; s++) {
        const struct run_exec *slot = &campaign->execs[s];
        const char *id = campaign->campaign->subjects[s].id;
        bool down = !slot->ready && (slot->failed || slot->pause_ms > 0 ||
                                     (slot->exec && slot->fingerprint.bytes[0] &&
                                      slot->retry_ms > run->mono_ms));
        level(run,
              &(struct fact){RT_CARE_SUBJECT_DOWN, NULL, id, "",
                             slot->failed ? "it cannot be played as worker.yaml has it; the log "
                                            "says why"
                                          : "it does not answer its probe; the log says why",
                             false},
              down);
        if (*slot->changed)
            level(run,
                  &(struct fact){RT_CARE_SUBJECT_CHANGED, campaign, id, slot->changed,
                                 slot->changed, true},
                  true);
    }
}

static void look_at_campaign(struct rt_run *run, const struct run_campaign *campaign)
{
    enum rt_stage stage = campaign->stage;
    const char *title = campaign->campaign ? campaign->campaign->title : campaign->name;
    bool refused = stage == RT_STAGE_REFUSED;
    if (!campaign->loaded && !refused && stage < RT_STAGE_CLOSED)
        return; // its name is not known yet
    if (stage <= RT_STAGE_ACCEPTED)
        level(run, &(struct fact){RT_CARE_OFFERED, campaign, "", "", title, true}, true);
    bool waits = stage == RT_STAGE_OFFERED && campaign->decision == RT_DECISION_NONE &&
                 *campaign->held && campaign->state <= RT_OFFER_PAUSED;
    level(run, &(struct fact){RT_CARE_UNDECIDED, campaign, "", "", campaign->held, false}, waits);
    level(run, &(struct fact){RT_CARE_REFUSED, campaign, "", "", campaign->held, false}, refused);
    level(run,
          &(struct fact){RT_CARE_ACCEPTED, campaign, "", "",
                         *campaign->reason ? campaign->reason : "as policy has it", true},
          stage == RT_STAGE_ACCEPTED);
    level(run,
          &(struct fact){RT_CARE_CLOSED, campaign, "", "",
                         stage == RT_STAGE_CLOSED      ? "closed, and its close is in the log"
                         : stage == RT_STAGE_WITHDRAWN ? "this lab has withdrawn"
                                                       : "over without this lab",
                         true},
          stage >= RT_STAGE_CLOSED);
    look_at_subjects(run, campaign);
}

static void look_at_budget(struct rt_run *run)
{
    char day[32];
    struct rt_permit permit = run_permit_unit(run, run_any_gpus(run), NULL);
    enum rt_budget budget = rt_permit_budget(permit.cause);
    if (budget == RT_BUDGET_NONE)
        return;
    snprintf(day, sizeof day, "%s %lld", rt_permit_word(permit.cause),
             budget == RT_BUDGET_DAY ? (long long)run_local_day(run->now_ms) : 0LL);
    level(run,
          &(struct fact){RT_CARE_BUDGET, NULL, "", day, rt_permit_text(permit.cause), true}, true);
}

static void measure_disk(struct rt_run *run)
{
    struct statvfs info;
    if (run->mono_ms < run->disk_ms || statvfs(run->home->state, &info))
        return;
    uint64_t free_bytes = (uint64_t)info.f_bavail * info.f_frsize;
    uint64_t all = (uint64_t)info.f_blocks * info.f_frsize;
    uint64_t least = all / 50 < DISK_LOW ? all / 50 : DISK_LOW;
    run->disk_ms = run->mono_ms + DISK_MS;
    run->disk_low = free_bytes < least;
}

static void look_at_disk(struct rt_run *run)
{
    char text[200];
    snprintf(text, sizeof text, "%s", run->stalled
                                          ? "the disk is full: nothing is taken or run until "
                                            "there is room"
                                          : "less than 512 MiB or 2 % of the disk are free");
    level(run,
          &(struct fact){RT_CARE_DISK_LOW, NULL, "", run->stalled ? "full" : "", text, false},
          run->stalled || run->disk_low);
}

void run_care_look(struct rt_run *run)
{
    size_t parked = 0;
    char text[80];
    if (!*run->home->config->run_on_event)
        return;
    for (size_t i = 0; i < run->campaign_count; i++)
        look_at_campaign(run, run->campaigns[i]);
    for (size_t i = 0; i < run->out_count; i++)
        parked += run->outs[i].parked;
    snprintf(text, sizeof text, "%zu; `ringtrial-worker status` says why", parked);
    level(run, &(struct fact){RT_CARE_PARKED, NULL, "", "", text, false}, parked > 0);
    level(run,
          &(struct fact){RT_CARE_HELD, NULL, "", "", run->home->config->policy.hold_when, false},
          run->held && run->hold_known);
    look_at_budget(run);
    look_at_disk(run);
}

// ---- the turn

// Packs go as a whole, and so one must not be written to for ever.
static void rotate(struct rt_run *run, int64_t keep_ms)
{
    if (run->mono_ms < run->rotate_ms)
        return;
    if (run->rotate_ms)
        rt_vault_rotate(rt_ledger_vault(run->outbox->ledger));
    run->rotate_ms = run->mono_ms + keep_ms / ROTATE_PART + PURGE_LEAST;
}

static void purge(struct rt_run *run)
{
    int64_t keep_ms = run->home->config->policy.keep_ms;
    struct rt_retention_settings settings = {
        .state = run->home->state, .keep_ms = keep_ms, .now_ms = run->now_ms};
    struct rt_retention *plan = NULL;
    struct rt_error err;
    if (!keep_ms || run->stalled || run->mono_ms < run->purge_ms)
        return;
    rotate(run, keep_ms);
    int64_t pause_ms = keep_ms / 4 < PURGE_MOST ? keep_ms / 4 : PURGE_MOST;
    run->purge_ms = run->mono_ms + (pause_ms > PURGE_LEAST ? pause_ms : PURGE_LEAST);
    enum rt_status status = rt_retention_plan(run->outbox, &settings, &plan, &err);
    if (!status && plan->purge_count) {
        status = rt_retention_purge(run->outbox, plan, &settings, &err);
        if (!rt_ledger_pending(run->outbox->ledger))
            run_settled(run); // its commit took along what this turn had gathered
    }
    if (status)
        rt_log_warn("transcripts could not be purged", "why=%s", rt_log_quote(err.text));
    rt_retention_free(plan);
}

enum rt_status run_care_begin(struct rt_run *run, struct rt_error *err)
{
    char program[PATH_MAX] = "";
    const char *wanted = run->home->config->run_on_event;
    enum rt_status status = RT_OK;
    if (wanted && *wanted)
        status = rt_home_path(run->home->folder, wanted, program, err);
    if (!status)
        status = rt_hook_new(program, run->home->config->lab, run->home->state, &run->hook, err);
    if (!status)
        status = rt_vault_key_use(run->home, run->outbox, true, err);
    run_usage_begin(run);
    return status;
}

void run_care_turn(struct rt_run *run)
{
    rt_hook_turn(run->hook);
    if (run->mono_ms < run->care_ms)
        return;
    run->care_ms = run->mono_ms + LOOK_MS;
    measure_disk(run);
    run_care_look(run);
    purge(run);
}

void run_care_end(struct rt_run *run)
{
    rt_child_stop(&run->hold);
    if (run->hook)
        rt_hook_finish(run->hook, FINISH_MS);
    rt_hook_free(run->hook);
    run->hook = NULL;
    free(run->told);
}
