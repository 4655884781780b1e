// SPDX-License-Identifier: Apache-2.0
// What the two files that turn a campaign into a study share. Nothing else includes this.
#ifndef RT_PROTO_STUDY_PARTS_H
#define RT_PROTO_STUDY_PARTS_H

#include "proto/study.h"

struct rt_facts_build {
    const struct rt_facts *facts;
    struct rt_arena *arena;
    struct rt_study *study;
    uint32_t *prompt_arms;      // of each prompt, the study's arm
    uint32_t *prompt_phrasings; // and phrasing
    uint32_t *temperatures;     // of each configuration, the study's temperature
    bool *used;                 // of each of the facts' fingerprints: some counted trial has it
    uint32_t *raters;           // of each rater of the facts and the rules before them, the study's
    uint32_t *fingerprints;     // of each that is used, the study's
};

static inline struct rt_study_condition rt_facts_condition(const struct rt_facts_build *build,
                                                           uint32_t prompt, uint32_t configuration)
{
    const struct rt_campaign *campaign = build->facts->campaign;
    return (struct rt_study_condition){
        .subject = campaign->configurations[configuration].subject,
        .arm = build->prompt_arms[prompt],
        .scenario = campaign->prompts[prompt].scenario,
        .phrasing = build->prompt_phrasings[prompt],
        .temperature = build->temperatures[configuration],
    };
}

// Subjects, arms, scenarios, phrasings, temperatures, labs, the rater, outcomes and statuses.
enum rt_status rt_facts_add_factors(struct rt_facts_build *build) RT_WARN_UNUSED;
// The rules and every other rater (study_raters.c), and a joint cell of two of them.
enum rt_status rt_facts_add_raters(struct rt_facts_build *build) RT_WARN_UNUSED;
enum rt_status rt_facts_add_joint(struct rt_facts_build *build,
                                  const struct rt_facts_cell *from) RT_WARN_UNUSED;
// The preregistered analysis.
enum rt_status rt_facts_add_plan(struct rt_facts_build *build) RT_WARN_UNUSED;
enum rt_status rt_facts_add_fingerprint(struct rt_facts_build *build,
                                        const struct rt_facts_fingerprint *fingerprint,
                                        uint32_t *ret_index) RT_WARN_UNUSED;
// What the log notes beside the figures (study_incidents.c).
enum rt_status rt_facts_add_incidents(struct rt_facts_build *build) RT_WARN_UNUSED;
enum rt_status rt_facts_add_grants(struct rt_facts_build *build) RT_WARN_UNUSED;
// What each organisation has declared, as provenance.
enum rt_status rt_facts_add_interests(struct rt_facts_build *build) RT_WARN_UNUSED;

#endif
