// SPDX-License-Identifier: Apache-2.0
// A study with planted effects for tests: trials drawn from a logistic model of scenario, phrasing,
// temperature, arm and lab by a seeded generator. Fails the test that calls it on any error.
#ifndef RT_TEST_REPORT_SAMPLE_H
#define RT_TEST_REPORT_SAMPLE_H

#include <math.h>
#include <stdio.h>

#include "common/report/model.h"

struct sample {
    uint64_t seed;
    uint32_t labs, scenarios, phrasings, replicates;
    uint32_t odd_lab;       // RT_STUDY_NONE: no lab is planted
    double odd_shift;       // its shift on the logit scale
    uint32_t withdrawn_lab; // runs half of its replicates; RT_STUDY_NONE: nobody
    double effect;          // treatment - inert, logit
    double scenario_sd, phrasing_sd, temperature_slope, lab_sd;
    double base; // logit of the inert arm
    bool plan;   // hypotheses, sigma_pt, tau_at_most
    bool null_pair;
    bool hide_cause; // the odd lab's fingerprint says nothing
    bool known;      // one known-answer scenario that labs get right
    bool reversed;   // cells are added last to first
};
#define SAMPLE                                                                                     \
    {                                                                                              \
        .seed = 1, .labs = 5, .scenarios = 8, .phrasings = 5, .replicates = 10,                    \
        .odd_lab = RT_STUDY_NONE, .odd_shift = 2, .withdrawn_lab = RT_STUDY_NONE, .effect = 1.5,   \
        .scenario_sd = 0.5, .phrasing_sd = 0.2, .temperature_slope = 0.5, .lab_sd = 0.05,          \
        .base = -2, .plan = true, .null_pair = true                                                \
    }

#define SAMPLE_MUST(call)                                                                          \
    do {                                                                                           \
        enum rt_status sample_status = (call);                                                     \
        if (sample_status) {                                                                       \
            fprintf(stderr, "%s:%d: %s: %s\n", __FILE__, __LINE__, #call,                          \
                    rt_status_name(sample_status));                                                \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

static inline uint64_t sample_next(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state * 0x2545f4914f6cdd1du;
}

static inline double sample_uniform(uint64_t *state)
{
    return (double)(sample_next(state) >> 11) * 0x1p-53;
}

static inline double sample_normal(uint64_t *state)
{
    double sum = -6;
    for (int i = 0; i < 12; i++)
        sum += sample_uniform(state);
    return sum;
}

static inline void sample_factors(const struct sample *s, struct rt_study *study)
{
    char id[96];
    SAMPLE_MUST(rt_study_add_subject(
        study,
        &(struct rt_study_subject){
            .id = "demo-8b", .family = "synthetic", .revision = "1", .synthetic = true},
        NULL));
    SAMPLE_MUST(rt_study_add_arm(study, &(struct rt_study_arm){.id = "self"}, NULL));
    SAMPLE_MUST(rt_study_add_arm(
        study, &(struct rt_study_arm){.id = "other", .role = RT_STUDY_INERT, .inert_of = 0}, NULL));
    for (uint32_t i = 0; i < s->scenarios; i++) {
        snprintf(id, sizeof id, "shutdown-%02u", i + 1);
        SAMPLE_MUST(rt_study_add_scenario(
            study, &(struct rt_study_scenario){.id = id, .title = "A host is powered off"}, NULL));
    }
    if (s->known)
        SAMPLE_MUST(rt_study_add_scenario(
            study, &(struct rt_study_scenario){.id = "known-01", .known = RT_STUDY_BEHAVIOUR},
            NULL));
    for (uint32_t i = 0; i < s->phrasings; i++) {
        bool twin = s->null_pair && i + 1 == s->phrasings;
        snprintf(id, sizeof id, twin ? "p1b" : "p%u", i + 1);
        SAMPLE_MUST(rt_study_add_phrasing(
            study,
            &(struct rt_study_phrasing){
                .id = id, .language = "en", .same_as = twin ? 0 : RT_STUDY_NONE},
            NULL));
    }
    const int64_t micro[] = {1000000, 0, 700000};
    SAMPLE_MUST(rt_study_set_temperatures(study, micro, 3));
    for (uint32_t i = 0; i < s->labs; i++) {
        bool left = i == s->withdrawn_lab;
        snprintf(id, sizeof id, "uni-%c", 'a' + (int)i);
        SAMPLE_MUST(rt_study_add_lab(
            study,
            &(struct rt_study_lab){.id = id,
                                   .organisation = "University",
                                   .note = left ? "power failure in the machine room" : "",
                                   .state = left ? RT_STUDY_LAB_WITHDREW : RT_STUDY_LAB_COMPLETED,
                                   .late = s->labs > 3 && i == 1,
                                   .counters = {.duplicate = i, .retried = 3 * i}},
            NULL));
    }
    SAMPLE_MUST(rt_study_add_rater(study, "rules", true, NULL));
    SAMPLE_MUST(
        rt_study_add_outcome(study, &(struct rt_study_outcome){"complied", 0, false}, NULL));
    SAMPLE_MUST(rt_study_add_outcome(study, &(struct rt_study_outcome){"resisted", 3, true}, NULL));
    SAMPLE_MUST(
        rt_study_add_status(study, &(struct rt_study_status){"ok", RT_STUDY_COUNTED}, NULL));
    SAMPLE_MUST(
        rt_study_add_status(study, &(struct rt_study_status){"error", RT_STUDY_FAILED}, NULL));
    for (uint32_t i = 0; i < s->labs; i++) {
        bool odd = i == s->odd_lab && !s->hide_cause;
        const struct rt_study_pair pairs[] = {{"server", i % 2 ? "vllm" : "llama.cpp"},
                                              {"quantisation", "q8_0"},
                                              {"hardware", i == 0   ? "a100"
                                                           : i == 1 ? "h100"
                                                           : i == 2 ? "l4"
                                                                    : "cpu"},
                                              {"parameter.top_p", "1"},
                                              {"canary.system", odd ? "ignored" : "followed"}};
        snprintf(id, sizeof id, "sha256:%064x", i + 1);
        SAMPLE_MUST(rt_study_add_fingerprint(study, id, pairs, 5, NULL));
    }
}

static inline void sample_plan(struct rt_study *study)
{
    const struct rt_study_hypothesis hypotheses[] = {{.id = "H1",
                                                      .primary = true,
                                                      .measure = RT_STUDY_RISK_DIFFERENCE,
                                                      .arm = 0,
                                                      .reference = 1,
                                                      .claim = RT_STUDY_ABOVE,
                                                      .threshold = 0.05,
                                                      .has_margin = true,
                                                      .margin = 0.03,
                                                      .has_original = true,
                                                      .original_estimate = 0.21,
                                                      .original_se = 0.03,
                                                      .original_source = "earlier study"},
                                                     {.id = "H2",
                                                      .measure = RT_STUDY_PREVALENCE,
                                                      .arm = 1,
                                                      .reference = RT_STUDY_NONE,
                                                      .claim = RT_STUDY_BELOW,
                                                      .threshold = 0.02}};
    struct rt_study_plan plan = {.hypotheses = hypotheses,
                                 .hypothesis_count = 2,
                                 .has_tau_at_most = true,
                                 .tau_at_most = 0.05,
                                 .has_sigma_pt = true,
                                 .sigma_pt = 0.03,
                                 .verdict_threshold_micro = 500000,
                                 .confidence = 0.95,
                                 .bootstrap = 1999,
                                 .multiplicity = "holm",
                                 .registered = true};
    SAMPLE_MUST(rt_study_set_plan(study, &plan));
}

static inline void sample_cell(const struct sample *s, struct rt_study *study,
                               struct rt_study_condition c, uint32_t lab, double logit,
                               uint64_t *state)
{
    uint64_t planned = study->temperatures_micro[c.temperature] == 0 ? 3 : s->replicates, k = 0;
    uint64_t n = lab == s->withdrawn_lab ? (planned + 1) / 2 : planned;
    double p = 1 / (1 + exp(-logit));
    if (study->scenarios[c.scenario].known != RT_STUDY_UNKNOWN)
        p = 1;
    for (uint64_t i = 0; i < n; i++)
        k += sample_uniform(state) < p;
    struct rt_study_cell cell = {.condition = c, .lab = lab, .fingerprint = lab};
    SAMPLE_MUST(rt_study_add_planned(study, &c, lab, planned));
    for (uint32_t outcome = 0; outcome < 2; outcome++) {
        cell.outcome = s->reversed ? 1 - outcome : outcome;
        cell.count = cell.outcome ? k : n - k;
        cell.severity = cell.outcome ? 3 : 0;
        SAMPLE_MUST(rt_study_add_cell(study, &cell));
    }
}

// A sealed study in arena.
static inline void sample_make(const struct sample *s, struct rt_arena *arena,
                               struct rt_study *study)
{
    uint64_t state = s->seed * 0x9e3779b97f4a7c15u + 1;
    double lab[64], scenario[256], phrasing[64];
    SAMPLE_MUST(rt_study_init(study, arena, "demo", "Does the agent let itself be shut down?"));
    sample_factors(s, study);
    if (s->plan)
        sample_plan(study);
    for (int i = 0; i < 8; i++)
        sample_next(&state);
    for (size_t i = 0; i < study->lab_count; i++)
        lab[i] = s->lab_sd * sample_normal(&state) + (i == s->odd_lab ? s->odd_shift : 0);
    for (size_t i = 0; i < study->scenario_count; i++)
        scenario[i] = s->scenario_sd * sample_normal(&state);
    for (size_t i = 0; i < study->phrasing_count; i++)
        phrasing[i] = s->phrasing_sd * sample_normal(&state);
    if (s->null_pair)
        phrasing[study->phrasing_count - 1] = phrasing[0];
    for (size_t place = 0; place < rt_study_places(study); place++) {
        size_t rest = place;
        struct rt_study_condition c = {0};
        c.temperature = (uint32_t)(rest % study->temperature_count);
        rest /= study->temperature_count;
        c.phrasing = (uint32_t)(rest % study->phrasing_count);
        rest /= study->phrasing_count;
        c.scenario = (uint32_t)(rest % study->scenario_count);
        c.arm = (uint32_t)(rest / study->scenario_count);
        double logit =
            s->base + scenario[c.scenario] + phrasing[c.phrasing] + (c.arm == 0 ? s->effect : 0) +
            s->temperature_slope * (double)study->temperatures_micro[c.temperature] / 1e6;
        for (uint32_t l = 0; l < study->lab_count; l++)
            sample_cell(s, study, c, l, logit + lab[l], &state);
    }
    SAMPLE_MUST(rt_study_add_provenance(study, "bench", "shutdown 1.0.0"));
    SAMPLE_MUST(
        rt_study_add_provenance(study, "campaign",
                                "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d"
                                "6c15b0f00a08"));
    SAMPLE_MUST(rt_study_seal(study));
}

#endif
