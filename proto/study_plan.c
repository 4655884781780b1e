// SPDX-License-Identifier: Apache-2.0
// The preregistered analysis, serving fingerprints and declared interests, in a study's terms.
#include <stdio.h>

#include "proto/study_parts.h"

// ---- the plan

static double unit(int64_t micro)
{
    return (double)micro / 1000000;
}

static enum rt_study_claim claim_of(enum rt_claim claim)
{
    switch (claim) {
    case RT_CLAIM_ABOVE:
        return RT_STUDY_ABOVE;
    case RT_CLAIM_BELOW:
        return RT_STUDY_BELOW;
    case RT_CLAIM_WITHIN:
        return RT_STUDY_WITHIN;
    }
    return RT_STUDY_WITHIN;
}

static struct rt_study_hypothesis hypothesis_of(const struct rt_facts_build *build,
                                                const struct rt_hypothesis *from)
{
    bool difference = from->measure == RT_MEASURE_RISK_DIFFERENCE;
    return (struct rt_study_hypothesis){
        .id = from->id,
        .primary = from->primary,
        .subject = from->subject,
        .measure = difference ? RT_STUDY_RISK_DIFFERENCE : RT_STUDY_PREVALENCE,
        .arm = *from->arm ? rt_study_find_arm(build->study, from->arm) : RT_STUDY_NONE,
        .reference = difference ? rt_study_find_arm(build->study, from->contrast) : RT_STUDY_NONE,
        .claim = claim_of(from->claim),
        .threshold = unit(from->threshold_micro),
        .has_margin = from->margin_micro > 0,
        .margin = unit(from->margin_micro),
        .has_original = from->has_original,
        .original_estimate = unit(from->original_estimate_micro),
        .original_se = unit(from->original_se_micro),
        .original_source = from->original_source,
    };
}

// The draw is nobody's choice and is in the log before the first trial.
static uint64_t seed_of(const struct rt_facts *facts)
{
    uint64_t seed = 0;
    for (size_t i = 0; facts->started && i < sizeof seed; i++)
        seed = seed << 8 | facts->draw.bytes[i];
    return seed;
}

enum rt_status rt_facts_add_plan(struct rt_facts_build *build)
{
    static const char *const multiplicity[] = {"none", "holm", "bh"};
    const struct rt_analysis *analysis = &build->facts->campaign->analysis;
    struct rt_study_hypothesis *hypotheses =
        rt_arena_array(build->arena, analysis->hypothesis_count + 1, sizeof *hypotheses);
    if (!hypotheses)
        return RT_NO_MEMORY;
    for (size_t h = 0; h < analysis->hypothesis_count; h++)
        hypotheses[h] = hypothesis_of(build, &analysis->hypotheses[h]);
    struct rt_study_plan plan = {
        .hypotheses = hypotheses,
        .hypothesis_count = analysis->hypothesis_count,
        .has_tau_at_most = analysis->has_agreement && analysis->tau_at_most_micro > 0,
        .tau_at_most = unit(analysis->tau_at_most_micro),
        .has_sigma_pt = analysis->has_agreement && analysis->sigma_pt_micro > 0,
        .sigma_pt = unit(analysis->sigma_pt_micro),
        .verdict_threshold_micro = (uint32_t)analysis->verdict_threshold_micro,
        .confidence = unit(analysis->confidence_micro),
        .bootstrap = (uint32_t)analysis->bootstrap,
        .bootstrap_seed = seed_of(build->facts),
        .multiplicity = multiplicity[analysis->multiplicity],
        .registered = true,
    };
    return rt_study_set_plan(build->study, &plan);
}

// ---- fingerprints

static const char *text_of(struct rt_facts_build *build, struct rt_bytes text)
{
    return rt_arena_strndup(build->arena, (const char *)text.data, text.size);
}

static size_t add_named(struct rt_facts_build *build, const char *prefix,
                        const struct rt_named_value *values, size_t count,
                        struct rt_study_pair *pairs, size_t at)
{
    for (size_t i = 0; i < count; i++)
        pairs[at++] = (struct rt_study_pair){rt_arena_printf(build->arena, "%s.%.*s", prefix,
                                                             (int)values[i].name.size,
                                                             (const char *)values[i].name.data),
                                             text_of(build, values[i].value)};
    return at;
}

// A lab's word that its weights are hashed counts where the campaign names the same digest; where
// it does not, what is left is the reference test, or the lab's word alone.
static enum rt_identity identity_of(const struct rt_campaign *campaign,
                                    const struct rt_object_fingerprint *object)
{
    char weights[RT_DIGEST_TEXT_BYTES] = "";
    if (object->identity != RT_IDENTITY_HASHED || object->parts_count > 1 ||
        rt_bytes_equal_str(object->executor, "builtin"))
        return object->identity;
    for (size_t s = 0; s < campaign->subject_count; s++)
        if (rt_bytes_equal_str(object->subject, campaign->subjects[s].id) &&
            campaign->subjects[s].has_weights)
            rt_digest_format(&campaign->subjects[s].weights, weights);
    return *weights && rt_bytes_equal_str(object->model_digest, weights) ? RT_IDENTITY_HASHED
                                                                         : RT_IDENTITY_DECLARED;
}

enum rt_status rt_facts_add_fingerprint(struct rt_facts_build *build,
                                        const struct rt_facts_fingerprint *fingerprint,
                                        uint32_t *ret_index)
{
    const struct rt_object_fingerprint *object = fingerprint->object;
    const struct {
        const char *name;
        struct rt_bytes value;
    } plain[] = {
        {"subject", object->subject},
        {"executor", object->executor},
        {"server", object->server},
        {"server_version", object->server_version},
        {"model", object->model},
        {"model_reported", object->model_reported},
        {"model_digest", object->model_digest},
        {"chat_template", object->chat_template},
        {"quantisation", object->quantisation},
        {"hardware", object->hardware},
        {"batch", object->batch},
        {"sandbox", object->sandbox},
        {"determinism", object->determinism},
        {"reference", object->reference},
        {"identity", rt_bytes_str(rt_identity_words[identity_of(build->facts->campaign, object)])},
    };
    size_t count = sizeof plain / sizeof *plain, at = 0;
    struct rt_study_pair *pairs = rt_arena_array(
        build->arena, count + object->parameters_count + object->canaries_count, sizeof *pairs);
    if (!pairs)
        return RT_NO_MEMORY;
    for (; at < count; at++)
        pairs[at] = (struct rt_study_pair){plain[at].name, text_of(build, plain[at].value)};
    at = add_named(build, "parameter", object->parameters, object->parameters_count, pairs, at);
    at = add_named(build, "canary", object->canaries, object->canaries_count, pairs, at);
    for (size_t i = 0; i < at; i++)
        if (!pairs[i].name || !pairs[i].value)
            return RT_NO_MEMORY;
    char digest[RT_DIGEST_TEXT_BYTES];
    rt_digest_format(&fingerprint->digest, digest);
    return rt_study_add_fingerprint(build->study, digest, pairs, at, ret_index);
}

// ---- interests

static const char *interests_of(struct rt_facts_build *build, const struct rt_org *org)
{
    const char *text = "";
    for (size_t i = 0; i < org->interest_count && text; i++)
        for (size_t f = 0; f < org->interests[i].fact_count && text; f++)
            text =
                rt_arena_printf(build->arena, "%s%s%s: %s", text,
                                f   ? ", "
                                : i ? "; "
                                    : "",
                                org->interests[i].facts[f].name, org->interests[i].facts[f].value);
    return text && !*text ? "none declared" : text;
}

enum rt_status rt_facts_add_interests(struct rt_facts_build *build)
{
    const struct rt_roster *roster = build->facts->roster;
    enum rt_status status = RT_OK;
    for (size_t o = 0; o < roster->org_count && !status; o++) {
        const char *name = rt_arena_printf(build->arena, "interests of %s", roster->orgs[o].id);
        const char *text = interests_of(build, &roster->orgs[o]);
        status = name && text ? rt_study_add_provenance(build->study, name, text) : RT_NO_MEMORY;
    }
    return status;
}
