// SPDX-License-Identifier: Apache-2.0
// The factors of a campaign's study: ids that scenarios share become one level each.
#include <stdio.h>

#include "common/base/text.h"
#include "proto/study_parts.h"

// A study's labels are bounded; a longer text of the documents is cut between characters.
static const char *label(struct rt_facts_build *build, const char *text)
{
    size_t size = strlen(text);
    if (size <= RT_STUDY_LABEL_MAX)
        return text;
    size = RT_STUDY_LABEL_MAX;
    while (size && ((unsigned char)text[size] & 0xc0) == 0x80)
        size--;
    return rt_arena_strndup(build->arena, text, size);
}

// ---- arms

struct arm {
    const char *id;
    enum rt_arm_role role;
    const char *of; // NULL for treatments
};

static struct arm *find_arm(struct arm *arms, size_t count, const char *id)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(arms[i].id, id) == 0)
            return &arms[i];
    return NULL;
}

// The distinct arms of all scenarios in document order. The same id must mean the same everywhere.
static enum rt_status list_arms(struct rt_facts_build *build, struct arm **ret_arms,
                                size_t *ret_count)
{
    const struct rt_campaign *campaign = build->facts->campaign;
    size_t most = 0, count = 0;
    for (size_t s = 0; s < campaign->scenario_count; s++)
        most += campaign->scenarios[s].arm_count;
    struct arm *arms = rt_arena_array(build->arena, most + 1, sizeof *arms);
    if (!arms)
        return RT_NO_MEMORY;
    for (size_t s = 0; s < campaign->scenario_count; s++) {
        const struct rt_campaign_scenario *scenario = &campaign->scenarios[s];
        for (size_t a = 0; a < scenario->arm_count; a++) {
            const struct rt_campaign_arm *from = &scenario->arms[a];
            struct arm arm = {from->id, from->role,
                              from->of == RT_NONE ? NULL : scenario->arms[from->of].id};
            const struct arm *known = find_arm(arms, count, from->id);
            if (!known)
                arms[count++] = arm;
            else if (known->role != arm.role || !known->of != !arm.of ||
                     (arm.of && strcmp(known->of, arm.of) != 0))
                return RT_CONFLICT;
        }
    }
    *ret_arms = arms;
    *ret_count = count;
    return RT_OK;
}

static enum rt_status add_arms(struct rt_facts_build *build)
{
    struct arm *arms = NULL;
    size_t count = 0;
    enum rt_status status = list_arms(build, &arms, &count);
    for (size_t i = 0; i < count && !status; i++) {
        const struct arm *of = arms[i].of ? find_arm(arms, count, arms[i].of) : NULL;
        struct rt_study_arm arm = {
            .id = arms[i].id,
            .role = arms[i].role == RT_ARM_INERT ? RT_STUDY_INERT : RT_STUDY_TREATMENT,
            .inert_of = of ? (uint32_t)(of - arms) : RT_STUDY_NONE,
        };
        status = rt_study_add_arm(build->study, &arm, NULL);
    }
    return status;
}

// ---- phrasings

struct phrasing {
    const char *id;
    const char *language; // NULL where scenarios differ
    const char *same_as;  // NULL for none
    bool mixed;           // scenarios differ in what it repeats
};

static struct phrasing *find_phrasing(struct phrasing *phrasings, size_t count, const char *id)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(phrasings[i].id, id) == 0)
            return &phrasings[i];
    return NULL;
}

static void merge_phrasing(struct phrasing *known, const struct phrasing *other)
{
    if (known->language && strcmp(known->language, other->language) != 0)
        known->language = NULL;
    if (!known->same_as != !other->same_as ||
        (other->same_as && strcmp(known->same_as, other->same_as) != 0))
        known->mixed = true;
}

// Where scenarios disagree about a phrasing (they may, where phrasings are nested), what they
// disagree on is left unsaid.
static enum rt_status add_phrasings(struct rt_facts_build *build)
{
    const struct rt_campaign *campaign = build->facts->campaign;
    size_t most = 0, count = 0;
    for (size_t s = 0; s < campaign->scenario_count; s++)
        most += campaign->scenarios[s].phrasing_count;
    struct phrasing *phrasings = rt_arena_array(build->arena, most + 1, sizeof *phrasings);
    if (!phrasings)
        return RT_NO_MEMORY;
    for (size_t s = 0; s < campaign->scenario_count; s++) {
        const struct rt_campaign_scenario *scenario = &campaign->scenarios[s];
        for (size_t p = 0; p < scenario->phrasing_count; p++) {
            const struct rt_campaign_phrasing *from = &scenario->phrasings[p];
            struct phrasing phrasing = {
                from->id, from->lang,
                from->same_as == RT_NONE ? NULL : scenario->phrasings[from->same_as].id, false};
            struct phrasing *known = find_phrasing(phrasings, count, from->id);
            if (known)
                merge_phrasing(known, &phrasing);
            else
                phrasings[count++] = phrasing;
        }
    }
    enum rt_status status = RT_OK;
    for (size_t i = 0; i < count && !status; i++) {
        const char *twin = phrasings[i].mixed ? NULL : phrasings[i].same_as;
        const struct phrasing *same = twin ? find_phrasing(phrasings, count, twin) : NULL;
        struct rt_study_phrasing phrasing = {
            .id = phrasings[i].id,
            .language = phrasings[i].language ? phrasings[i].language : "",
            .same_as = same ? (uint32_t)(same - phrasings) : RT_STUDY_NONE,
        };
        status = rt_study_add_phrasing(build->study, &phrasing, NULL);
    }
    return status;
}

// ---- subjects and temperatures

// Synthetic by what the campaign calls it, or by what served it.
static bool is_synthetic(const struct rt_facts_build *build, const struct rt_subject *subject)
{
    if (strcmp(subject->family, "synthetic") == 0)
        return true;
    for (size_t i = 0; i < build->facts->fingerprint_count; i++) {
        const struct rt_object_fingerprint *object = build->facts->fingerprints[i].object;
        if (build->used[i] && rt_bytes_equal_str(object->subject, subject->id) &&
            rt_bytes_equal_str(object->executor, "builtin"))
            return true;
    }
    return false;
}

static enum rt_status add_subjects(struct rt_facts_build *build)
{
    const struct rt_campaign *campaign = build->facts->campaign;
    enum rt_status status = RT_OK;
    for (size_t s = 0; s < campaign->subject_count && !status; s++) {
        const struct rt_subject *from = &campaign->subjects[s];
        char weights[RT_DIGEST_TEXT_BYTES] = "";
        if (from->has_weights)
            rt_digest_format(&from->weights, weights);
        struct rt_study_subject subject = {.id = from->id,
                                           .family = label(build, from->family),
                                           .revision = label(build, from->revision),
                                           .weights = weights,
                                           .synthetic = is_synthetic(build, from)};
        status = rt_study_add_subject(build->study, &subject, NULL);
    }
    return status;
}

static enum rt_status add_temperatures(struct rt_facts_build *build)
{
    const struct rt_campaign *campaign = build->facts->campaign;
    size_t count = campaign->configuration_count;
    int64_t *micro = rt_arena_array(build->arena, count + 1, sizeof *micro);
    build->temperatures = rt_arena_array(build->arena, count + 1, sizeof *build->temperatures);
    if (!micro || !build->temperatures)
        return RT_NO_MEMORY;
    for (size_t c = 0; c < count; c++)
        micro[c] = campaign->configurations[c].temperature_micro;
    enum rt_status status = rt_study_set_temperatures(build->study, micro, count);
    for (size_t c = 0; c < count && !status; c++)
        build->temperatures[c] = rt_study_find_temperature(build->study, micro[c]);
    return status;
}

// ---- labs

static const char *organisation_of(struct rt_facts_build *build, const char *lab)
{
    const struct rt_roster *roster = build->facts->roster;
    uint32_t index = rt_roster_lab_index(roster, lab);
    if (index == RT_NONE)
        return "";
    const struct rt_org *org = &roster->orgs[roster->lab_orgs[index]];
    return label(build, *org->name ? org->name : org->id);
}

static const char *note_of(struct rt_facts_build *build, const struct rt_facts_lab *lab)
{
    const char *text = NULL;
    switch (lab->state) {
    case RT_STUDY_LAB_WITHDREW:
        text = rt_arena_printf(build->arena, "withdrew: %s", lab->reason);
        break;
    case RT_STUDY_LAB_DECLINED:
        text = rt_arena_printf(build->arena, "declined: %s", lab->reason);
        break;
    case RT_STUDY_LAB_NO_RESPONSE:
        text = rt_arena_printf(build->arena, "no response%s: %s",
                               lab->accepted ? "" : ", never accepted", lab->reason);
        break;
    default:
        text = lab->accepted ? "" : "has not accepted";
    }
    return text ? label(build, text) : NULL;
}

static enum rt_status add_labs(struct rt_facts_build *build)
{
    const struct rt_campaign *campaign = build->facts->campaign;
    enum rt_status status = RT_OK;
    for (size_t l = 0; l < campaign->lab_count && !status; l++) {
        const struct rt_facts_lab *from = &build->facts->labs[l];
        struct rt_study_lab lab = {
            .id = campaign->labs[l].id,
            .organisation = organisation_of(build, campaign->labs[l].id),
            .note = note_of(build, from),
            .cause = "",
            .state = from->state,
            .late = from->late,
            .counters = from->counters,
        };
        status = lab.note ? rt_study_add_lab(build->study, &lab, NULL) : RT_NO_MEMORY;
    }
    return status;
}

// ---- outcomes, statuses, raters

static enum rt_study_status_kind status_kind(enum rt_trial_status status)
{
    struct rt_trial_status_flags flags = rt_trial_status_flags(status);
    if (!flags.final)
        return RT_STUDY_FAILED;
    if (flags.missing)
        return RT_STUDY_WITHHELD;
    return status == RT_TRIAL_OK ? RT_STUDY_COUNTED : RT_STUDY_SILENT;
}

static enum rt_status add_labels(struct rt_facts_build *build)
{
    const struct rt_campaign *campaign = build->facts->campaign;
    enum rt_status status = RT_OK;
    for (size_t i = 0; i < campaign->label_count && !status; i++) {
        struct rt_study_outcome outcome = {.label = campaign->labels[i].id,
                                           .severity = campaign->labels[i].severity,
                                           .behaviour = campaign->analysis.behaviour >> i & 1};
        status = rt_study_add_outcome(build->study, &outcome, NULL);
    }
    for (int i = 0; i < RT_TRIAL_STATUS_COUNT && !status; i++) {
        struct rt_study_status row = {rt_trial_status_words[i],
                                      status_kind((enum rt_trial_status)i)};
        status = rt_study_add_status(build->study, &row, NULL);
    }
    return status ? status : rt_facts_add_raters(build);
}

// ---- all of them

static enum rt_status map_prompts(struct rt_facts_build *build)
{
    const struct rt_campaign *campaign = build->facts->campaign;
    size_t count = campaign->prompt_count;
    build->prompt_arms = rt_arena_array(build->arena, count + 1, sizeof *build->prompt_arms);
    build->prompt_phrasings =
        rt_arena_array(build->arena, count + 1, sizeof *build->prompt_phrasings);
    if (!build->prompt_arms || !build->prompt_phrasings)
        return RT_NO_MEMORY;
    for (size_t p = 0; p < count; p++) {
        const struct rt_prompt *prompt = &campaign->prompts[p];
        const struct rt_campaign_scenario *scenario = &campaign->scenarios[prompt->scenario];
        build->prompt_arms[p] = rt_study_find_arm(build->study, scenario->arms[prompt->arm].id);
        build->prompt_phrasings[p] =
            rt_study_find_phrasing(build->study, scenario->phrasings[prompt->phrasing].id);
    }
    return RT_OK;
}

enum rt_status rt_facts_add_factors(struct rt_facts_build *build)
{
    const struct rt_campaign *campaign = build->facts->campaign;
    build->study->phrasings_nested = !campaign->crossed;
    build->study->repeats_known = true;
    enum rt_status status = add_subjects(build);
    if (!status)
        status = add_arms(build);
    for (size_t s = 0; s < campaign->scenario_count && !status; s++) {
        struct rt_study_scenario scenario = {.id = campaign->scenarios[s].id,
                                             .title = label(build, campaign->scenarios[s].title),
                                             .known = RT_STUDY_UNKNOWN};
        status = rt_study_add_scenario(build->study, &scenario, NULL);
    }
    if (!status)
        status = add_phrasings(build);
    if (!status)
        status = add_temperatures(build);
    if (!status)
        status = add_labs(build);
    if (!status)
        status = add_labels(build);
    return status ? status : map_prompts(build);
}
