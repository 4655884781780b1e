// SPDX-License-Identifier: Apache-2.0
// From facts to a study: the same facts in any order give the same report, to the byte, and facts
// that cannot be are refused.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "common/report/render.h"
#include "proto/study.h"
#include "tests/unit/auditor/sample/sample.h"

#define CELLS 400

static struct sample sample;
static struct rt_facts_lab fact_labs[SAMPLE_LABS];
static struct rt_facts_cell cells[CELLS];
static struct rt_object_fingerprint objects[4];
static struct rt_facts_fingerprint fingerprints[4];
static struct rt_facts facts;

static int set_up(void **state)
{
    (void)state;
    sample_make(&sample, true);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    sample_release(&sample);
    return 0;
}

static int fresh(void **state)
{
    (void)state;
    for (size_t i = 0; i < 4; i++) {
        objects[i] = (struct rt_object_fingerprint){.subject = rt_bytes_str("synthetic-8b"),
                                                    .executor = rt_bytes_str("chat"),
                                                    .server = rt_bytes_str(i & 1 ? "a" : "b")};
        memset(fingerprints[i].digest.bytes, (int)(200 - 40 * i), RT_DIGEST_BYTES);
        fingerprints[i].object = &objects[i];
    }
    for (size_t i = 0; i < CELLS; i++)
        cells[i] = (struct rt_facts_cell){
            .prompt = (uint32_t)sample_random(&sample, sample.campaign->prompt_count),
            .configuration = (uint32_t)sample_random(&sample, sample.campaign->configuration_count),
            .lab = (uint32_t)sample_random(&sample, SAMPLE_LABS),
            .fingerprint = (uint32_t)sample_random(&sample, 3), // the fourth served nothing
            .outcome = (uint32_t)sample_random(&sample, sample.campaign->label_count),
            .status = sample_random(&sample, 4) ? RT_TRIAL_OK : RT_TRIAL_ERROR,
            .count = sample_random(&sample, 3),
        };
    for (size_t l = 0; l < SAMPLE_LABS; l++)
        fact_labs[l] = (struct rt_facts_lab){.accepted = true, .reason = ""};
    facts = (struct rt_facts){.campaign = sample.campaign,
                              .roster = sample.roster,
                              .labs = fact_labs,
                              .cells = cells,
                              .cell_count = CELLS,
                              .fingerprints = fingerprints,
                              .fingerprint_count = 4,
                              .origin = "sample.example/log",
                              .state = RT_OFFER_STARTED};
    return 0;
}

static enum rt_status report_of(struct rt_buf *out)
{
    struct rt_arena arena;
    struct rt_study study;
    struct rt_report report;
    rt_arena_init(&arena, (size_t)1 << 30);
    enum rt_status status = rt_facts_study(&facts, &arena, &study);
    if (!status)
        status = rt_report_make(&arena, &study, &report);
    if (!status && out)
        status = rt_report_json(&report, out);
    rt_arena_release(&arena);
    return status;
}

static void swap_fingerprints(uint32_t a, uint32_t b)
{
    struct rt_facts_fingerprint one = fingerprints[a];
    fingerprints[a] = fingerprints[b];
    fingerprints[b] = one;
    for (size_t i = 0; i < CELLS; i++)
        cells[i].fingerprint = cells[i].fingerprint == a   ? b
                               : cells[i].fingerprint == b ? a
                                                           : cells[i].fingerprint;
}

static void order_does_not_matter(void **state)
{
    (void)state;
    struct rt_buf one, other;
    rt_buf_init(&one, (size_t)64 << 20);
    rt_buf_init(&other, (size_t)64 << 20);
    assert_int_equal(report_of(&one), RT_OK);
    for (size_t i = CELLS - 1; i > 0; i--) {
        size_t j = sample_random(&sample, i + 1);
        struct rt_facts_cell cell = cells[i];
        cells[i] = cells[j];
        cells[j] = cell;
    }
    swap_fingerprints(0, 2);
    swap_fingerprints(1, 3);
    assert_int_equal(report_of(&other), RT_OK);
    assert_true(rt_bytes_equal(rt_buf_bytes(&one), rt_buf_bytes(&other)));
    // And what is in no cell leaves no trace.
    facts.fingerprint_count = 4;
    objects[3].server = rt_bytes_str("another");
    objects[3].executor = rt_bytes_str("builtin");
    rt_buf_clear(&other);
    assert_int_equal(report_of(&other), RT_OK);
    assert_true(rt_bytes_equal(rt_buf_bytes(&one), rt_buf_bytes(&other)));
    cells[0].count += 1;
    rt_buf_clear(&other);
    assert_int_equal(report_of(&other), RT_OK);
    assert_false(rt_bytes_equal(rt_buf_bytes(&one), rt_buf_bytes(&other)));
    rt_buf_release(&one);
    rt_buf_release(&other);
}

static void impossible_facts_are_refused(void **state)
{
    (void)state;
    cells[7].count = 1;
    struct rt_facts_cell honest = cells[7];
    cells[7].prompt = (uint32_t)sample.campaign->prompt_count;
    assert_int_equal(report_of(NULL), RT_OUT_OF_RANGE);
    cells[7] = honest;
    cells[7].configuration = (uint32_t)sample.campaign->configuration_count;
    assert_int_equal(report_of(NULL), RT_OUT_OF_RANGE);
    cells[7] = honest;
    cells[7].lab = SAMPLE_LABS;
    assert_int_equal(report_of(NULL), RT_OUT_OF_RANGE);
    cells[7] = honest;
    cells[7].fingerprint = 4;
    assert_int_equal(report_of(NULL), RT_OUT_OF_RANGE);
    cells[7] = honest;
    cells[7].status = RT_TRIAL_OK;
    cells[7].outcome = (uint32_t)sample.campaign->label_count;
    assert_int_equal(report_of(NULL), RT_OUT_OF_RANGE);
    cells[7] = honest;
    // An arm that is inert in one scenario and a treatment in another means two things.
    struct rt_campaign_scenario *scenario = &sample.campaign->scenarios[1];
    struct rt_campaign_arm *arm = &scenario->arms[scenario->arm_count - 1];
    struct rt_campaign_arm before = *arm;
    assert_int_equal(arm->role, RT_ARM_INERT);
    arm->role = RT_ARM_TREATMENT;
    arm->of = RT_NONE;
    assert_int_equal(report_of(NULL), RT_CONFLICT);
    *arm = before;
    assert_int_equal(report_of(NULL), RT_OK);
}

static void planned_numbers_are_the_designs(void **state)
{
    (void)state;
    struct rt_arena arena;
    struct rt_study study;
    rt_arena_init(&arena, (size_t)1 << 30);
    assert_int_equal(rt_facts_study(&facts, &arena, &study), RT_OK);
    const struct rt_campaign *campaign = sample.campaign;
    uint64_t total = 0;
    for (size_t place = 0; place < rt_study_places(&study); place++)
        for (size_t l = 0; l < SAMPLE_LABS; l++) {
            uint64_t planned = study.planned[place * SAMPLE_LABS + l];
            bool zero = place % study.temperature_count == 0; // ascending: 0 comes first
            assert_int_equal(planned, zero ? campaign->design.replicates_at_zero
                                           : campaign->design.replicates);
            total += planned;
        }
    assert_int_equal(total,
                     SAMPLE_LABS * campaign->prompt_count *
                         (campaign->design.replicates + campaign->design.replicates_at_zero));
    rt_arena_release(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(order_does_not_matter, fresh),
        cmocka_unit_test_setup(impossible_facts_are_refused, fresh),
        cmocka_unit_test_setup(planned_numbers_are_the_designs, fresh),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
