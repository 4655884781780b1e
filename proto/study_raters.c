// SPDX-License-Identifier: Apache-2.0
// The raters of a campaign's study, and how two of them labelled the same trials.
#include <stdlib.h>

#include "proto/study_parts.h"

struct named {
    const struct rt_facts_rater *rater;
    size_t place;
};

static int by_kind_and_id(const void *left, const void *right)
{
    const struct named *a = left, *b = right;
    if (a->rater->kind != b->rater->kind)
        return a->rater->kind < b->rater->kind ? -1 : 1;
    return strcmp(a->rater->id, b->rater->id);
}

static enum rt_rater_kind primary_kind(const struct rt_facts *facts)
{
    switch (facts->campaign->analysis.primary_rater) {
    case RT_RATER_JUDGE:
        return RT_RATER_KIND_JUDGE;
    case RT_RATER_HUMAN:
        return RT_RATER_KIND_HUMAN;
    default:
        return RT_RATER_KIND_RULES;
    }
}

// The rules come first, the others by kind and id, so that the order does not depend on the log.
// Which kind decides was registered; of several raters of that kind the first by id does.
enum rt_status rt_facts_add_raters(struct rt_facts_build *build)
{
    const struct rt_facts *facts = build->facts;
    enum rt_rater_kind primary = primary_kind(facts);
    bool decided = primary == RT_RATER_KIND_RULES;
    struct named *named = rt_arena_array(build->arena, facts->rater_count + 1, sizeof *named);
    build->raters = rt_arena_array(build->arena, facts->rater_count + 1, sizeof *build->raters);
    if (!named || !build->raters)
        return RT_NO_MEMORY;
    for (size_t i = 0; i < facts->rater_count; i++)
        named[i] = (struct named){&facts->raters[i], i};
    if (facts->rater_count)
        qsort(named, facts->rater_count, sizeof *named, by_kind_and_id);
    enum rt_status status = rt_study_add_rater(build->study, "rules", decided, NULL);
    for (size_t i = 0; i < facts->rater_count && !status; i++) {
        const struct rt_facts_rater *rater = named[i].rater;
        bool first = !decided && rater->kind == primary;
        const char *id =
            rt_arena_printf(build->arena, "%s:%s", rt_rater_kind_words[rater->kind], rater->id);
        decided = decided || first;
        status =
            id ? rt_study_add_rater(build->study, id, first, &build->raters[named[i].place + 1])
               : RT_NO_MEMORY;
        if (!status)
            build->study->raters[build->raters[named[i].place + 1]].kind =
                (enum rt_study_rater_kind)rater->kind;
    }
    // Registered, and nobody of that kind has rated yet.
    if (!status && !decided)
        status = rt_study_add_rater(build->study, rt_rater_kind_words[primary], true, NULL);
    return status;
}

enum rt_status rt_facts_add_joint(struct rt_facts_build *build, const struct rt_facts_cell *from)
{
    uint32_t beside = from->beside - 1;
    if (beside > build->facts->rater_count || beside > from->rater ||
        from->beside_label >> 8 >= RT_TRIAL_STATUS_COUNT)
        return RT_OUT_OF_RANGE;
    struct rt_study_joint joint = {
        .condition = rt_facts_condition(build, from->prompt, from->configuration),
        .lab = from->lab,
        .a = {build->raters[beside], from->beside_label >> 8, from->beside_label & 0xff},
        .b = {build->raters[from->rater], (uint32_t)from->status, from->outcome},
        .count = from->count,
    };
    if (joint.a.status != RT_TRIAL_OK)
        joint.a.outcome = RT_STUDY_NONE;
    if (joint.b.status != RT_TRIAL_OK)
        joint.b.outcome = RT_STUDY_NONE;
    return rt_study_add_joint(build->study, &joint);
}
