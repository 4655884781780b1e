// SPDX-License-Identifier: Apache-2.0
// Over many random designs: every trial of the design is in each lab's run order exactly as often
// as the design says (once, or never), positions and numbers are inverse, and nothing else is
// accepted.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "proto/trial.h"

#define DESIGNS 400

// xorshift64*: repeatable from the seed that a failing run prints.
static uint64_t random_state;
static uint64_t random_below(uint64_t bound)
{
    random_state ^= random_state >> 12;
    random_state ^= random_state << 25;
    random_state ^= random_state >> 27;
    return (random_state * UINT64_C(2685821657736338717) >> 11) % bound;
}

struct study {
    struct rt_campaign campaign;
    struct rt_configuration configurations[64];
    struct rt_campaign_lab labs[8];
};
static const char *const lab_ids[] = {"a", "b", "c", "d", "e", "f", "g", "h"};

static void study_random(struct study *study, uint64_t seed)
{
    random_state = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
    struct rt_campaign *campaign = &study->campaign;
    *campaign = (struct rt_campaign){.configurations = study->configurations, .labs = study->labs};
    campaign->prompt_count = 1 + random_below(40);
    size_t subjects = 1 + random_below(5);
    for (uint32_t s = 0; s < subjects; s++)
        for (uint32_t t = 0, count = 1 + (uint32_t)random_below(4); t < count; t++)
            study->configurations[campaign->configuration_count++] =
                (struct rt_configuration){.subject = s,
                                          .temperature = t,
                                          .temperature_micro = (int64_t)random_below(3) * 500000};
    campaign->lab_count = 1 + random_below(8);
    for (size_t l = 0; l < campaign->lab_count; l++)
        study->labs[l] =
            (struct rt_campaign_lab){lab_ids[l], random_below((uint64_t)1 << subjects)};
    campaign->design.replicates = 1 + random_below(6);
    campaign->design.replicates_at_zero = random_below(campaign->design.replicates + 1);
}

// How often the design wants this trial at this lab, said without any of the code under test.
static unsigned wanted(const struct study *study, size_t lab, uint64_t replicate, size_t c)
{
    const struct rt_configuration *configuration = &study->configurations[c];
    bool runs = study->labs[lab].runs & (uint64_t)1 << configuration->subject;
    uint64_t most = configuration->temperature_micro ? study->campaign.design.replicates
                                                     : study->campaign.design.replicates_at_zero;
    return runs && replicate < most;
}

static void check_lab(const struct study *study, size_t lab, const struct rt_digest *draw)
{
    const struct rt_campaign *campaign = &study->campaign;
    struct rt_lab_plan plan;
    struct rt_lab_order order = {0}, other = {0};
    rt_lab_plan_init(&plan, campaign, (uint32_t)lab, draw);
    uint64_t bound = rt_trial_bound(campaign), last_replicate = 0;
    unsigned *seen = calloc(bound, sizeof *seen);
    assert_non_null(seen);
    for (uint64_t position = 0; position < plan.count; position++) {
        uint64_t number, back;
        struct rt_trial trial;
        assert_int_equal(rt_lab_trial(&plan, &order, position, &number), RT_OK);
        assert_true(number < bound);
        seen[number]++;
        assert_int_equal(rt_lab_position(&plan, &other, number, &back), RT_OK);
        assert_int_equal(back, position);
        assert_int_equal(rt_trial_of(campaign, number, &trial), RT_OK);
        assert_int_equal(rt_trial_number(campaign, trial), number);
        assert_true(trial.replicate >= last_replicate); // blocks come one after the other
        last_replicate = trial.replicate;
    }
    uint64_t number = 0, ignored;
    for (uint64_t r = 0; r < campaign->design.replicates; r++)
        for (size_t p = 0; p < campaign->prompt_count; p++)
            for (size_t c = 0; c < campaign->configuration_count; c++, number++) {
                assert_int_equal(seen[number], wanted(study, lab, r, c));
                if (!seen[number])
                    assert_int_equal(rt_lab_position(&plan, &order, number, &ignored),
                                     RT_OUT_OF_RANGE);
            }
    assert_int_equal(rt_lab_trial(&plan, &order, plan.count, &ignored), RT_OUT_OF_RANGE);
    assert_int_equal(rt_lab_position(&plan, &order, bound, &ignored), RT_OUT_OF_RANGE);
    free(seen);
}

static void every_trial_as_often_as_designed(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= DESIGNS; seed++) {
        struct study study;
        study_random(&study, seed);
        struct rt_digest draw;
        rt_sha256(rt_bytes(&seed, sizeof seed), &draw);
        uint64_t total = 0;
        for (size_t l = 0; l < study.campaign.lab_count; l++) {
            check_lab(&study, l, &draw);
            struct rt_lab_plan plan;
            rt_lab_plan_init(&plan, &study.campaign, (uint32_t)l, &draw);
            total += plan.count;
        }
        assert_int_equal(rt_trial_total(&study.campaign), total);
    }
}

static void order_differs_by_lab_block_and_draw(void **state)
{
    (void)state;
    struct study study;
    study_random(&study, 1);
    study.campaign.prompt_count = 40;
    study.campaign.design = (struct rt_campaign_design){.replicates = 2, .replicates_at_zero = 2};
    study.campaign.lab_count = 2;
    study.labs[0] = (struct rt_campaign_lab){"a", ~(uint64_t)0};
    study.labs[1] = (struct rt_campaign_lab){"b", ~(uint64_t)0};
    struct rt_digest draws[2];
    rt_sha256(rt_bytes_str("one"), &draws[0]);
    rt_sha256(rt_bytes_str("two"), &draws[1]);
    struct rt_lab_plan plans[3];
    rt_lab_plan_init(&plans[0], &study.campaign, 0, &draws[0]);
    rt_lab_plan_init(&plans[1], &study.campaign, 1, &draws[0]);
    rt_lab_plan_init(&plans[2], &study.campaign, 0, &draws[1]);
    unsigned same[3] = {0};
    uint64_t block = plans[0].full_size;
    for (uint64_t i = 0; i < block; i++) {
        uint64_t numbers[4];
        struct rt_lab_order orders[3] = {0};
        for (unsigned k = 0; k < 3; k++)
            assert_int_equal(rt_lab_trial(&plans[k], &orders[k], i, &numbers[k]), RT_OK);
        assert_int_equal(rt_lab_trial(&plans[0], &orders[0], block + i, &numbers[3]), RT_OK);
        same[0] += numbers[0] == numbers[1];
        same[1] += numbers[0] == numbers[2];
        same[2] += numbers[0] + block == numbers[3];
    }
    // A random permutation agrees with another in about one place, whatever its size.
    for (unsigned k = 0; k < 3; k++)
        assert_true(same[k] < 12 && same[k] < block / 2);
}

static void large_campaigns_stay_exact(void **state)
{
    (void)state;
    struct study study;
    study_random(&study, 7);
    study.campaign.prompt_count = RT_PROMPTS_MOST;
    study.campaign.lab_count = 1;
    study.labs[0] = (struct rt_campaign_lab){"a", ~(uint64_t)0};
    study.campaign.design = (struct rt_campaign_design){.replicates = (uint64_t)1 << 30,
                                                        .replicates_at_zero = (uint64_t)1 << 29};
    struct rt_digest draw;
    rt_sha256(rt_bytes_str("large"), &draw);
    struct rt_lab_plan plan;
    struct rt_lab_order order = {0};
    rt_lab_plan_init(&plan, &study.campaign, 0, &draw);
    assert_int_equal(plan.count, rt_trial_total(&study.campaign));
    random_state = 99;
    for (int i = 0; i < 20000; i++) {
        uint64_t position = random_below(plan.count), number, back;
        struct rt_trial trial;
        assert_int_equal(rt_lab_trial(&plan, &order, position, &number), RT_OK);
        assert_int_equal(rt_trial_of(&study.campaign, number, &trial), RT_OK);
        assert_int_equal(rt_trial_number(&study.campaign, trial), number);
        assert_int_equal(rt_lab_position(&plan, &order, number, &back), RT_OK);
        assert_int_equal(back, position);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_trial_as_often_as_designed),
        cmocka_unit_test(order_differs_by_lab_block_and_draw),
        cmocka_unit_test(large_campaigns_stay_exact),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
