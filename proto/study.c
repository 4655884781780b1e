// SPDX-License-Identifier: Apache-2.0
#include "proto/study.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/time.h"
#include "proto/study_parts.h"
#include "proto/trial.h"

// ---- planned numbers

static enum rt_status add_planned_at(struct rt_facts_build *build, uint32_t lab,
                                     uint32_t configuration, uint64_t each)
{
    const struct rt_campaign *campaign = build->facts->campaign;
    enum rt_status status = RT_OK;
    for (uint32_t p = 0; p < campaign->prompt_count && each && !status; p++) {
        struct rt_study_condition condition = rt_facts_condition(build, p, configuration);
        status = rt_study_add_planned(build->study, &condition, lab, each);
    }
    return status;
}

// The lab's trials by its plan: a configuration at temperature 0 is in its first blocks alone.
static enum rt_status add_planned(struct rt_facts_build *build, uint32_t lab)
{
    const struct rt_campaign *campaign = build->facts->campaign;
    static const struct rt_digest no_draw; // how many there are does not depend on it
    struct rt_lab_plan plan;
    rt_lab_plan_init(&plan, campaign, lab, &no_draw);
    uint64_t total = 0;
    enum rt_status status = RT_OK;
    for (uint32_t c = 0; c < campaign->configuration_count && !status; c++) {
        uint64_t each = plan.full_rank[c] == UINT16_MAX ? 0 : plan.zero_blocks;
        if (plan.late_rank[c] != UINT16_MAX)
            each += plan.blocks - plan.zero_blocks;
        total += each * campaign->prompt_count;
        status = add_planned_at(build, lab, c, each);
    }
    return !status && total != plan.count ? RT_CORRUPT : status;
}

// ---- cells

static int by_digest(const void *left, const void *right)
{
    const struct rt_facts_fingerprint *a = *(const struct rt_facts_fingerprint *const *)left,
                                      *b = *(const struct rt_facts_fingerprint *const *)right;
    return rt_digest_compare(&a->digest, &b->digest);
}

static enum rt_status mark_used(struct rt_facts_build *build)
{
    const struct rt_facts *facts = build->facts;
    build->used = rt_arena_array(build->arena, facts->fingerprint_count + 1, sizeof *build->used);
    if (!build->used)
        return RT_NO_MEMORY;
    for (size_t i = 0; i < facts->cell_count; i++) {
        if (facts->cells[i].fingerprint >= facts->fingerprint_count)
            return RT_OUT_OF_RANGE;
        if (facts->cells[i].count)
            build->used[facts->cells[i].fingerprint] = true;
    }
    return RT_OK;
}

// Fingerprints that served a counted trial, in the order of their digests, so that numbering does
// not depend on who counted.
static enum rt_status add_fingerprints(struct rt_facts_build *build)
{
    const struct rt_facts *facts = build->facts;
    size_t most = facts->fingerprint_count + 1, count = 0;
    const struct rt_facts_fingerprint **sorted = rt_arena_array(build->arena, most, sizeof *sorted);
    build->fingerprints = rt_arena_array(build->arena, most, sizeof *build->fingerprints);
    if (!sorted || !build->fingerprints)
        return RT_NO_MEMORY;
    for (size_t i = 0; i < facts->fingerprint_count; i++)
        if (build->used[i])
            sorted[count++] = &facts->fingerprints[i];
    if (count)
        qsort(sorted, count, sizeof *sorted, by_digest);
    enum rt_status status = RT_OK;
    for (size_t i = 0; i < count && !status; i++)
        status = rt_facts_add_fingerprint(build, sorted[i],
                                          &build->fingerprints[sorted[i] - facts->fingerprints]);
    return status;
}

static enum rt_status add_cell(struct rt_facts_build *build, const struct rt_facts_cell *from)
{
    const struct rt_campaign *campaign = build->facts->campaign;
    if (from->prompt >= campaign->prompt_count ||
        from->configuration >= campaign->configuration_count || from->lab >= campaign->lab_count ||
        (unsigned)from->status >= RT_TRIAL_STATUS_COUNT || from->rater > build->facts->rater_count)
        return RT_OUT_OF_RANGE;
    if (from->beside)
        return rt_facts_add_joint(build, from);
    bool ok = from->status == RT_TRIAL_OK;
    struct rt_study_cell cell = {
        .condition = rt_facts_condition(build, from->prompt, from->configuration),
        .lab = from->lab,
        .rater = build->raters[from->rater],
        .fingerprint = build->fingerprints[from->fingerprint],
        .outcome = ok ? from->outcome : RT_STUDY_NONE,
        .severity = ok ? from->severity : 0,
        .status = (uint32_t)from->status,
        .count = from->count,
        .repeated = from->same_as,
        .score_sum_micro = from->score_micro,
    };
    return rt_study_add_cell(build->study, &cell);
}

// ---- provenance

static enum rt_status say(struct rt_facts_build *build, const char *name, const char *value)
{
    return value ? rt_study_add_provenance(build->study, name, value) : RT_NO_MEMORY;
}

static enum rt_status say_digest(struct rt_facts_build *build, const char *name,
                                 const struct rt_digest *digest)
{
    char text[RT_DIGEST_TEXT_BYTES];
    rt_digest_format(digest, text);
    return say(build, name, text);
}

static const char *leaf_text(struct rt_facts_build *build, uint64_t index, int64_t received_ms)
{
    char stamp[RT_STAMP_BYTES];
    rt_stamp_format(received_ms, stamp);
    return rt_arena_printf(build->arena, "log index %" PRIu64 ", received %s", index, stamp);
}

static enum rt_status add_documents(struct rt_facts_build *build)
{
    const struct rt_facts *facts = build->facts;
    const struct rt_campaign *campaign = facts->campaign;
    char digest[RT_DIGEST_TEXT_BYTES];
    enum rt_status status = say_digest(build, "campaign", &campaign->digest);
    rt_digest_format(&campaign->bench_digest, digest);
    if (!status)
        status = say(build, "bench",
                     rt_arena_printf(build->arena, "%s %s, %s", campaign->bench_id,
                                     campaign->bench_version, digest));
    rt_digest_format(&campaign->roster_digest, digest);
    if (!status)
        status = say(build, "roster",
                     rt_arena_printf(build->arena, "%s version %" PRIu64 ", %s", facts->roster->id,
                                     facts->roster->version, digest));
    if (!status)
        status =
            say(build, "registered", leaf_text(build, facts->campaign_index, facts->registered_ms));
    if (!status)
        status = say(build, "started",
                     facts->started ? leaf_text(build, facts->start_index, facts->started_ms)
                                    : "not yet");
    if (!status && facts->started)
        status = say_digest(build, "draw", &facts->draw);
    return status ? status : say(build, "state", rt_offer_state_words[facts->state]);
}

static enum rt_status add_log(struct rt_facts_build *build)
{
    const struct rt_facts *facts = build->facts;
    enum rt_status status = say(build, "log", facts->origin);
    if (!status)
        status = say(build, "log size", rt_arena_printf(build->arena, "%" PRIu64, facts->size));
    return status ? status : say_digest(build, "log root", &facts->root);
}

// ---- the whole

enum rt_status rt_facts_study(const struct rt_facts *facts, struct rt_arena *arena,
                              struct rt_study *ret_study)
{
    struct rt_facts_build build = {.facts = facts, .arena = arena, .study = ret_study};
    enum rt_status status =
        rt_study_init(ret_study, arena, facts->campaign->id, facts->campaign->title);
    if (!status)
        status = mark_used(&build);
    if (!status)
        status = rt_facts_add_factors(&build);
    if (!status)
        status = add_fingerprints(&build);
    if (!status)
        status = rt_facts_add_plan(&build);
    for (uint32_t l = 0; l < facts->campaign->lab_count && !status; l++)
        status = add_planned(&build, l);
    for (size_t i = 0; i < facts->cell_count && !status; i++)
        if (facts->cells[i].count)
            status = add_cell(&build, &facts->cells[i]);
    if (!status)
        status = add_documents(&build);
    if (!status)
        status = add_log(&build);
    if (!status)
        status = rt_facts_add_interests(&build);
    if (!status)
        status = rt_facts_add_grants(&build);
    if (!status)
        status = rt_facts_add_incidents(&build);
    return status ? status : rt_study_seal(ret_study);
}
