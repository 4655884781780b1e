// SPDX-License-Identifier: Apache-2.0
// The compiled campaign: its rules, what derives from it, and its object.
#include "proto/campaign.h"

#include <inttypes.h>
#include <string.h>

#include "proto/doc/bench_doc.h"
#include "proto/doc/campaign_doc.h"

// ---- lookups

uint32_t rt_campaign_lab(const struct rt_campaign *campaign, const char *id)
{
    for (uint32_t i = 0; i < campaign->lab_count; i++)
        if (strcmp(campaign->labs[i].id, id) == 0)
            return i;
    return RT_NONE;
}

uint32_t rt_campaign_subject(const struct rt_campaign *campaign, const char *id)
{
    for (uint32_t i = 0; i < campaign->subject_count; i++)
        if (strcmp(campaign->subjects[i].id, id) == 0)
            return i;
    return RT_NONE;
}

uint32_t rt_campaign_label(const struct rt_campaign *campaign, const char *id)
{
    for (uint32_t i = 0; i < campaign->label_count; i++)
        if (strcmp(campaign->labels[i].id, id) == 0)
            return i;
    return RT_NONE;
}

// ---- rules

static enum rt_status check_scenario(struct rt_doc_reader *reader,
                                     const struct rt_campaign_scenario *scenario)
{
    for (size_t a = 0; a < scenario->arm_count; a++) {
        const struct rt_campaign_arm *arm = &scenario->arms[a];
        bool inert = arm->role == RT_ARM_INERT;
        bool right = inert ? arm->of < scenario->arm_count &&
                                 scenario->arms[arm->of].role == RT_ARM_TREATMENT
                           : arm->of == RT_NONE;
        for (size_t b = 0; b < a; b++)
            right = right && strcmp(scenario->arms[b].id, arm->id) != 0;
        if (!right)
            return rt_doc_fail(reader, RT_MALFORMED, 0, "scenario `%s`: arm `%s` is wrong",
                               scenario->id, arm->id);
    }
    for (size_t p = 0; p < scenario->phrasing_count; p++) {
        const struct rt_campaign_phrasing *phrasing = &scenario->phrasings[p];
        bool right = phrasing->same_as == RT_NONE ||
                     (phrasing->same_as < scenario->phrasing_count && phrasing->same_as != p &&
                      scenario->phrasings[phrasing->same_as].same_as == RT_NONE);
        for (size_t q = 0; q < p; q++)
            right = right && strcmp(scenario->phrasings[q].id, phrasing->id) != 0;
        if (!right)
            return rt_doc_fail(reader, RT_MALFORMED, 0, "scenario `%s`: phrasing `%s` is wrong",
                               scenario->id, phrasing->id);
    }
    return RT_OK;
}

static enum rt_status check_subjects(struct rt_doc_reader *reader,
                                     const struct rt_campaign *campaign)
{
    for (uint32_t s = 0; s < campaign->subject_count; s++) {
        const struct rt_subject *subject = &campaign->subjects[s];
        if (rt_campaign_subject(campaign, subject->id) != s)
            return rt_doc_fail(reader, RT_CONFLICT, 0, "subject `%s` is there twice", subject->id);
        for (size_t t = 0; t < subject->temperature_count; t++)
            for (size_t u = 0; u < t; u++)
                if (subject->temperatures_micro[t] == subject->temperatures_micro[u])
                    return rt_doc_fail(reader, RT_CONFLICT, 0,
                                       "subject `%s` has the same temperature twice", subject->id);
    }
    return RT_OK;
}

// Labs and subjects in one piece: from the first lab, every lab that shares a subject with those
// reached already.
static enum rt_status check_graph(struct rt_doc_reader *reader, const struct rt_campaign *campaign)
{
    uint64_t all =
        campaign->subject_count == 64 ? UINT64_MAX : ((uint64_t)1 << campaign->subject_count) - 1;
    uint64_t reached = campaign->labs[0].runs, run = 0;
    for (bool grown = true; grown;) {
        grown = false;
        for (size_t l = 0; l < campaign->lab_count; l++) {
            uint64_t runs = campaign->labs[l].runs;
            if (runs & reached && runs & ~reached) {
                reached |= runs;
                grown = true;
            }
        }
    }
    for (size_t l = 0; l < campaign->lab_count; l++) {
        run |= campaign->labs[l].runs;
        if (campaign->labs[l].runs & ~all || campaign->labs[l].runs == 0)
            return rt_doc_fail(reader, RT_OUT_OF_RANGE, 0, "lab `%s` runs no subject",
                               campaign->labs[l].id);
    }
    for (uint32_t s = 0; s < campaign->subject_count; s++)
        if (!(run >> s & 1))
            return rt_doc_fail(reader, RT_MALFORMED, 0,
                               "no lab runs subject `%s`; give it in `run` or remove it",
                               campaign->subjects[s].id);
    for (size_t l = 0; l < campaign->lab_count; l++)
        if (!(campaign->labs[l].runs & reached))
            return rt_doc_fail(reader, RT_MALFORMED, 0,
                               "lab `%s` shares no subject with lab `%s`, directly or through "
                               "others, so they cannot be compared; let one of them run a subject "
                               "of the other",
                               campaign->labs[l].id, campaign->labs[0].id);
    return RT_OK;
}

static enum rt_status check_hypotheses(struct rt_doc_reader *reader,
                                       const struct rt_campaign *campaign)
{
    const struct rt_analysis *analysis = &campaign->analysis;
    for (size_t h = 0; h < analysis->hypothesis_count; h++) {
        const struct rt_hypothesis *row = &analysis->hypotheses[h];
        bool difference = row->measure == RT_MEASURE_RISK_DIFFERENCE;
        bool right = row->subject < campaign->subject_count;
        right = right &&
                (difference ? *row->arm && *row->contrast && strcmp(row->arm, row->contrast) != 0
                            : !*row->contrast);
        right = right && (difference || row->threshold_micro >= 0) &&
                (row->claim != RT_CLAIM_WITHIN || row->threshold_micro > 0);
        for (size_t before = 0; before < h; before++)
            right = right && strcmp(analysis->hypotheses[before].id, row->id) != 0;
        if (!right)
            return rt_doc_fail(reader, RT_MALFORMED, 0, "hypothesis `%s` is wrong or there twice",
                               row->id);
        // Each arm is somewhere; for a difference both are in one scenario.
        bool found = !*row->arm;
        for (size_t s = 0; s < campaign->scenario_count && !found; s++) {
            const struct rt_campaign_scenario *scenario = &campaign->scenarios[s];
            bool arm = false, contrast = !difference;
            for (size_t a = 0; a < scenario->arm_count; a++) {
                arm = arm || strcmp(scenario->arms[a].id, row->arm) == 0;
                contrast = contrast || strcmp(scenario->arms[a].id, row->contrast) == 0;
            }
            found = arm && contrast;
        }
        if (!found)
            return rt_doc_fail(reader, RT_NOT_FOUND, 0,
                               "hypothesis `%s`: no scenario has the arms it names", row->id);
    }
    return RT_OK;
}

static enum rt_status check_size(struct rt_doc_reader *reader, const struct rt_campaign *campaign)
{
    uint64_t prompts = 0, configurations = 0, number;
    for (size_t s = 0; s < campaign->scenario_count; s++)
        prompts +=
            (uint64_t)campaign->scenarios[s].arm_count * campaign->scenarios[s].phrasing_count;
    for (size_t s = 0; s < campaign->subject_count; s++)
        configurations += campaign->subjects[s].temperature_count;
    if (prompts > RT_PROMPTS_MOST || configurations > RT_CONFIGURATIONS_MOST)
        return rt_doc_fail(reader, RT_TOO_LARGE, 0,
                           "%" PRIu64 " prompts and %" PRIu64 " configurations; at most %u and %d",
                           prompts, configurations, RT_PROMPTS_MOST, RT_CONFIGURATIONS_MOST);
    if (__builtin_mul_overflow(campaign->design.replicates, prompts * configurations, &number) ||
        number > INT64_MAX)
        return rt_doc_fail(reader, RT_TOO_LARGE, 0, "more trials than 63 bits can number");
    return RT_OK;
}

enum rt_status rt_campaign_check(struct rt_doc_reader *reader, const struct rt_campaign *campaign)
{
    enum rt_status status = rt_labels_check(reader, campaign->labels, campaign->label_count);
    for (size_t s = 0; s < campaign->scenario_count && !status; s++) {
        status = check_scenario(reader, &campaign->scenarios[s]);
        for (size_t t = 0; t < s && !status; t++)
            if (strcmp(campaign->scenarios[s].id, campaign->scenarios[t].id) == 0)
                status = rt_doc_fail(reader, RT_CONFLICT, 0, "scenario `%s` is there twice",
                                     campaign->scenarios[s].id);
    }
    for (size_t l = 1; l < campaign->lab_count && !status; l++)
        if (strcmp(campaign->labs[l - 1].id, campaign->labs[l].id) >= 0)
            status = rt_doc_fail(reader, RT_CONFLICT, 0, "lab `%s` is there twice or out of order",
                                 campaign->labs[l].id);
    if (!status)
        status = check_subjects(reader, campaign);
    if (!status)
        status = check_graph(reader, campaign);
    if (!status)
        status = check_hypotheses(reader, campaign);
    if (!status)
        status = check_size(reader, campaign);
    if (status)
        return status;
    if (campaign->design.kind != RT_DESIGN_CROSSED)
        return rt_doc_fail(reader, RT_UNSUPPORTED, 0, "only crossed designs are run");
    if (campaign->design.replicates_at_zero > campaign->design.replicates)
        return rt_doc_fail(reader, RT_OUT_OF_RANGE, 0,
                           "`replicates_at_zero` is above `replicates`");
    uint64_t labels =
        campaign->label_count == 64 ? UINT64_MAX : ((uint64_t)1 << campaign->label_count) - 1;
    if (campaign->analysis.behaviour & ~labels || campaign->analysis.behaviour == labels)
        return rt_doc_fail(reader, RT_OUT_OF_RANGE, 0,
                           "`behaviour` must be some of the taxonomy's labels and not all");
    const struct rt_unit_rule *unit = &campaign->unit;
    if (unit->reissue_after_ms <= 0 || unit->accept_until_ms < unit->reissue_after_ms ||
        unit->accept_until_ms > 366 * 86400000LL || campaign->close_within_ms <= 0 ||
        campaign->close_within_ms > 366 * 86400000LL)
        return rt_doc_fail(
            reader, RT_OUT_OF_RANGE, 0,
            "`reissue_after` must be above 0 and at most `accept_until`, and that and "
            "`close_within` at most 366d");
    return RT_OK;
}

// ---- what derives from it

enum rt_status rt_campaign_derive(struct rt_doc_reader *reader, struct rt_campaign *campaign)
{
    size_t prompts = 0, configurations = 0;
    for (size_t s = 0; s < campaign->scenario_count; s++)
        prompts += campaign->scenarios[s].arm_count * campaign->scenarios[s].phrasing_count;
    for (size_t s = 0; s < campaign->subject_count; s++)
        configurations += campaign->subjects[s].temperature_count;
    campaign->prompts = rt_arena_array(reader->arena, prompts, sizeof *campaign->prompts);
    campaign->configurations =
        rt_arena_array(reader->arena, configurations, sizeof *campaign->configurations);
    if (!campaign->prompts || !campaign->configurations)
        return rt_doc_no_memory(reader);
    campaign->prompt_count = campaign->configuration_count = 0;
    for (uint32_t s = 0; s < campaign->scenario_count; s++)
        for (uint16_t a = 0; a < campaign->scenarios[s].arm_count; a++)
            for (uint16_t p = 0; p < campaign->scenarios[s].phrasing_count; p++)
                campaign->prompts[campaign->prompt_count++] = (struct rt_prompt){s, a, p};
    for (uint32_t s = 0; s < campaign->subject_count; s++)
        for (uint32_t t = 0; t < campaign->subjects[s].temperature_count; t++)
            campaign->configurations[campaign->configuration_count++] =
                (struct rt_configuration){s, t, campaign->subjects[s].temperatures_micro[t]};
    return RT_OK;
}

// ---- the object

enum rt_status rt_campaign_encode(const struct rt_campaign *campaign, struct rt_buf *out)
{
    return rt_doc_encode(&rt_campaign_table, campaign, out);
}

enum rt_status rt_campaign_decode(struct rt_bytes object, struct rt_arena *arena,
                                  struct rt_campaign **ret_campaign)
{
    if (object.size > RT_CAMPAIGN_OBJECT_MOST)
        return RT_TOO_LARGE;
    struct rt_doc_reader reader = {.arena = arena};
    struct rt_campaign *campaign = rt_arena_alloc(arena, sizeof *campaign);
    if (!campaign)
        return RT_NO_MEMORY;
    enum rt_status status = rt_doc_decode(&rt_campaign_table, object, arena, campaign);
    if (!status)
        status = rt_campaign_check(&reader, campaign);
    if (!status)
        status = rt_doc_same(&rt_campaign_table, campaign, object);
    if (!status)
        status = rt_campaign_derive(&reader, campaign);
    if (status)
        return status;
    rt_sha256(object, &campaign->digest);
    *ret_campaign = campaign;
    return RT_OK;
}
