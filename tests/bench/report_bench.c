// SPDX-License-Identifier: Apache-2.0
// What a report costs: 8 labs x 40 scenarios x 5 phrasings x 5 temperatures from cells, with 10^6
// and with 10^8 trials, and the ratio of the two in one run. Prints milliseconds (the least of the
// rounds, which is the figure least disturbed by a busy machine); asserts nothing.
// Usage: report_bench [ROUNDS]
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "common/report/render.h"
#include "common/stats/real.h"
#include "tests/property/stats/random.h"

#define LABS         8
#define SCENARIOS    40
#define PHRASINGS    5
#define TEMPERATURES 5
#define CELLS        (LABS * SCENARIOS * PHRASINGS * TEMPERATURES)
#define ARENA_BYTES  ((size_t)1 << 30)

static void must(enum rt_status status)
{
    if (status == RT_OK)
        return;
    fprintf(stderr, "report_bench: %s\n", rt_status_text(status));
    exit(1);
}

static void add_factors(struct rt_study *study)
{
    char id[32];
    must(rt_study_add_subject(study, &(struct rt_study_subject){.id = "model"}, NULL));
    must(rt_study_add_arm(study, &(struct rt_study_arm){.id = "self"}, NULL));
    for (int i = 0; i < SCENARIOS; i++) {
        snprintf(id, sizeof id, "scenario-%02d", i + 1);
        must(rt_study_add_scenario(study, &(struct rt_study_scenario){.id = id}, NULL));
    }
    for (int i = 0; i < PHRASINGS; i++) {
        snprintf(id, sizeof id, "p%d", i + 1);
        must(rt_study_add_phrasing(
            study, &(struct rt_study_phrasing){.id = id, .same_as = i == 4 ? 0 : RT_STUDY_NONE},
            NULL));
    }
    const int64_t micro[TEMPERATURES] = {0, 300000, 700000, 1000000, 1300000};
    must(rt_study_set_temperatures(study, micro, TEMPERATURES));
    for (int i = 0; i < LABS; i++) {
        snprintf(id, sizeof id, "lab-%d", i + 1);
        must(rt_study_add_lab(
            study, &(struct rt_study_lab){.id = id, .state = RT_STUDY_LAB_COMPLETED}, NULL));
    }
    must(rt_study_add_rater(study, "rules", true, NULL));
    must(rt_study_add_outcome(study, &(struct rt_study_outcome){"complied", 0, false}, NULL));
    must(rt_study_add_outcome(study, &(struct rt_study_outcome){"resisted", 3, true}, NULL));
    must(rt_study_add_status(study, &(struct rt_study_status){"ok", RT_STUDY_COUNTED}, NULL));
}

static void add_plan(struct rt_study *study)
{
    const struct rt_study_hypothesis hypothesis = {.id = "H1",
                                                   .primary = true,
                                                   .measure = RT_STUDY_PREVALENCE,
                                                   .arm = RT_STUDY_NONE,
                                                   .reference = RT_STUDY_NONE,
                                                   .claim = RT_STUDY_ABOVE,
                                                   .threshold = 0.2};
    must(rt_study_set_plan(study, &(struct rt_study_plan){.hypotheses = &hypothesis,
                                                          .hypothesis_count = 1,
                                                          .has_tau_at_most = true,
                                                          .tau_at_most = 0.05,
                                                          .has_sigma_pt = true,
                                                          .sigma_pt = 0.03,
                                                          .verdict_threshold_micro = 500000,
                                                          .confidence = 0.95,
                                                          .bootstrap = 1999,
                                                          .multiplicity = "holm",
                                                          .registered = true}));
}

// Rates by scenario, phrasing, temperature and lab; the same for every number of trials but for a
// sampling error of the size such a number has.
static uint64_t events(struct rng *rng, const struct rt_study_condition *c, uint32_t lab,
                       uint64_t n)
{
    double rate = 0.15 + 0.016 * c->scenario + 0.02 * (c->phrasing % 4) + 0.01 * c->temperature +
                  0.005 * lab + (lab == 5 ? 0.1 : 0);
    double noise = (rng_unit(rng) + rng_unit(rng) + rng_unit(rng) - 1.5) * 2;
    double k = rate * (double)n + noise * sqrt((double)n * rate * (1 - rate));
    return k <= 0 ? 0 : k >= (double)n ? n : (uint64_t)k;
}

static void add_cells(struct rt_study *study, uint64_t trials)
{
    struct rng rng = {7};
    uint64_t n = trials / CELLS;
    for (uint32_t place = 0; place < CELLS / LABS; place++)
        for (uint32_t lab = 0; lab < LABS; lab++) {
            struct rt_study_cell cell = {.lab = lab, .fingerprint = RT_STUDY_NONE};
            cell.condition.temperature = place % TEMPERATURES;
            cell.condition.phrasing = place / TEMPERATURES % PHRASINGS;
            cell.condition.scenario = place / TEMPERATURES / PHRASINGS;
            uint64_t k = events(&rng, &cell.condition, lab, n);
            cell.count = n - k;
            if (cell.count)
                must(rt_study_add_cell(study, &cell));
            cell.outcome = 1;
            cell.severity = 3;
            cell.count = k;
            if (cell.count)
                must(rt_study_add_cell(study, &cell));
        }
}

static int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static double milliseconds(const struct rt_study *study, double *ret_json_ms)
{
    struct rt_arena arena;
    struct rt_report report;
    struct rt_buf out;
    rt_arena_init(&arena, ARENA_BYTES);
    rt_buf_init(&out, ARENA_BYTES);
    rt_real_release_thread(); // each report starts from nothing
    int64_t start = now_ns();
    must(rt_report_make(&arena, study, &report));
    int64_t made = now_ns();
    must(rt_report_json(&report, &out));
    *ret_json_ms = (double)(now_ns() - made) / 1e6;
    rt_buf_release(&out);
    rt_arena_release(&arena);
    return (double)(made - start) / 1e6;
}

int main(int argc, char **argv)
{
    int rounds = argc > 1 ? atoi(argv[1]) : 5;
    const uint64_t trials[2] = {1000000, 100000000};
    double best[2] = {1e300, 1e300}, best_json[2] = {1e300, 1e300};
    struct rt_arena arenas[2];
    struct rt_study studies[2];
    for (int i = 0; i < 2; i++) {
        rt_arena_init(&arenas[i], ARENA_BYTES);
        must(rt_study_init(&studies[i], &arenas[i], "bench", "What does a report cost?"));
        add_factors(&studies[i]);
        add_plan(&studies[i]);
        add_cells(&studies[i], trials[i]);
        must(rt_study_seal(&studies[i]));
    }
    for (int round = 0; round < rounds; round++)
        for (int i = 0; i < 2; i++) {
            double json_ms;
            double ms = milliseconds(&studies[i], &json_ms);
            best[i] = ms < best[i] ? ms : best[i];
            best_json[i] = json_ms < best_json[i] ? json_ms : best_json[i];
        }
    for (int i = 0; i < 2; i++)
        printf("trials=%.0e report_ms=%.1f json_ms=%.1f\n", (double)trials[i], best[i],
               best_json[i]);
    printf("ratio=%.3f\n", best[1] / best[0]);
    for (int i = 0; i < 2; i++)
        rt_arena_release(&arenas[i]);
    return 0;
}
