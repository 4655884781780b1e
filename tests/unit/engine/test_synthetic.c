// SPDX-License-Identifier: Apache-2.0
// The synthetic subject: its outcomes follow the documented model, its replies follow from the
// request alone, and it sees the effects that a lab plants.
#include <math.h>

#include "engine/synthetic.h"
#include "tests/unit/engine/fixture.h"

static struct rt_synthetic *subject(struct fixture *fixture, const struct rt_pair *pairs,
                                    size_t count)
{
    struct rt_synthetic_effects effects;
    struct rt_synthetic *synthetic = NULL;
    struct rt_error err = {RT_OK, ""};
    rt_synthetic_effects_init(&effects);
    if (rt_synthetic_effects_read(pairs, count, &effects, &err))
        fail_msg("%s", err.text);
    assert_int_equal(rt_synthetic_new(&effects,
                                      (const struct rt_scenario *const *)fixture->scenarios,
                                      fixture->count, &synthetic),
                     RT_OK);
    return synthetic;
}

// One whole trial; the caller frees the play.
static struct rt_play *trial(const struct rt_synthetic *synthetic,
                             const struct rt_scenario *scenario, uint32_t arm, uint32_t phrasing,
                             int64_t temperature_micro, uint32_t seed)
{
    struct rt_play_setup setup = {scenario, arm, phrasing, temperature_micro, 1000000, seed};
    struct rt_play *play = NULL;
    int64_t now_ms = 0;
    assert_int_equal(rt_play_start(&setup, now_ms, &play), RT_OK);
    while (rt_play_request(play)) {
        struct rt_arena arena;
        struct rt_chat_reply reply;
        rt_arena_init(&arena, 1 << 20);
        assert_int_equal(rt_synthetic_answer(synthetic, rt_play_request(play), &arena, &reply),
                         RT_OK);
        assert_int_equal(rt_play_reply(play, &reply, ++now_ms), RT_OK);
        rt_arena_release(&arena);
    }
    return play;
}

struct tally {
    double expected, variance; // of the number that shows the behaviour
    size_t behaviour, trials;
    size_t labels[FIXTURE_LABELS];
    size_t not_exposed, other;
};

static void run_arm(const struct rt_synthetic *synthetic, struct fixture *fixture, uint32_t arm,
                    int64_t temperature_micro, uint32_t seeds, struct tally *tally)
{
    memset(tally, 0, sizeof *tally);
    for (size_t s = 0; s < fixture->count; s++) {
        const struct rt_scenario *scenario = fixture->scenarios[s];
        for (uint32_t phrasing = 0; phrasing < scenario->phrasing_count; phrasing++) {
            double p = rt_synthetic_truth(synthetic, s, arm, phrasing, temperature_micro);
            for (uint32_t seed = 0; seed < seeds; seed++) {
                uint32_t own = (uint32_t)(s * 1000003 + phrasing * 10007 + seed * 101 + arm);
                struct rt_play *play =
                    trial(synthetic, scenario, arm, phrasing, temperature_micro, own);
                struct rt_score score = fixture_score(scenario, play);
                tally->trials++;
                tally->expected += p;
                tally->variance += p * (1 - p);
                tally->behaviour += score.behaviour;
                if (score.status == RT_TRIAL_OK)
                    tally->labels[score.outcome]++;
                else if (score.status == RT_TRIAL_NOT_EXPOSED)
                    tally->not_exposed++;
                else
                    tally->other++;
                rt_play_free(play);
            }
        }
    }
}

static void outcomes_follow_the_model(void **state)
{
    struct fixture *fixture = *state;
    struct rt_synthetic *synthetic = subject(fixture, NULL, 0);
    const int64_t temperatures[] = {700000, 1000000};
    for (size_t t = 0; t < 2; t++) {
        double share[3];
        for (uint32_t arm = 0; arm < 3; arm++) {
            struct tally tally;
            run_arm(synthetic, fixture, arm, temperatures[t], 25, &tally);
            double z = ((double)tally.behaviour - tally.expected) / sqrt(tally.variance);
            share[arm] = (double)tally.behaviour / (double)tally.trials;
            print_message("arm %u T %.1f: %zu of %zu, expected %.1f, z %.2f; refused %zu stopped "
                          "%zu attempted %zu resisted %zu deceived %zu not exposed %zu\n",
                          arm, (double)temperatures[t] / 1e6, tally.behaviour, tally.trials,
                          tally.expected, z, tally.labels[0], tally.labels[2], tally.labels[4],
                          tally.labels[5], tally.labels[6], tally.not_exposed);
            assert_true(fabs(z) < 4);
            assert_int_equal(tally.other, 0);
            assert_int_equal(tally.labels[3], 0); // its scripts leave nothing unclear
        }
        assert_true(share[0] > share[1] + 0.1); // self above clear
        assert_true(share[0] > share[2] + 0.1); // self above inert
    }
    rt_synthetic_free(synthetic);
}

static void planted_effects_show(void **state)
{
    struct fixture *fixture = *state;
    const struct rt_pair drop = {"drop_system", "true"};
    const struct rt_pair lab = {"lab", "1.5"};
    struct tally plain_tally, drop_tally, lab_tally;
    struct rt_synthetic *plain = subject(fixture, NULL, 0);
    struct rt_synthetic *dropping = subject(fixture, &drop, 1);
    struct rt_synthetic *other = subject(fixture, &lab, 1);
    for (uint32_t arm = 0; arm < 3; arm++) {
        run_arm(plain, fixture, arm, 1000000, 10, &plain_tally);
        run_arm(dropping, fixture, arm, 1000000, 10, &drop_tally);
        run_arm(other, fixture, arm, 1000000, 10, &lab_tally);
        double z = ((double)drop_tally.behaviour - drop_tally.expected) / sqrt(drop_tally.variance);
        assert_true(fabs(z) < 4);
        assert_true(drop_tally.behaviour > drop_tally.trials / 2);
        assert_true(lab_tally.behaviour > plain_tally.behaviour);
        assert_true(drop_tally.behaviour > lab_tally.behaviour);
    }
    rt_synthetic_free(plain);
    rt_synthetic_free(dropping);
    rt_synthetic_free(other);
}

static void output_of(struct rt_play *play, struct rt_digest *ret_digest)
{
    rt_transcript_output(rt_play_transcript(play), ret_digest);
    rt_play_free(play);
}

static void replies_follow_from_the_request(void **state)
{
    struct fixture *fixture = *state;
    struct rt_synthetic *synthetic = subject(fixture, NULL, 0);
    struct rt_synthetic *again = subject(fixture, NULL, 0);
    size_t differ = 0;
    for (size_t s = 0; s < fixture->count; s++) {
        const struct rt_scenario *scenario = fixture->scenarios[s];
        for (uint32_t seed = 0; seed < 20; seed++) {
            struct rt_digest a, b, c;
            output_of(trial(synthetic, scenario, 0, 1, 700000, seed), &a);
            output_of(trial(again, scenario, 0, 1, 700000, seed), &b);
            assert_true(rt_digest_equal(&a, &b));
            output_of(trial(synthetic, scenario, 0, 1, 700000, seed + 1), &c);
            differ += !rt_digest_equal(&a, &c);
            // At temperature 0 the seed says nothing, and the null pair is one text twice.
            output_of(trial(synthetic, scenario, 0, 0, 0, seed), &a);
            output_of(trial(synthetic, scenario, 0, 0, 0, seed + 1), &b);
            assert_true(rt_digest_equal(&a, &b));
            assert_string_equal(scenario->phrasings[5].same_as_id, "p1");
            output_of(trial(synthetic, scenario, 0, 5, 0, seed), &b);
            assert_true(rt_digest_equal(&a, &b));
        }
    }
    assert_true(differ > fixture->count * 20 * 9 / 10); // sampled text varies
    rt_synthetic_free(synthetic);
    rt_synthetic_free(again);
}

static void a_planted_failure_strikes(void **state)
{
    struct fixture *fixture = *state;
    const struct rt_pair pair = {"error", "1"};
    struct rt_synthetic *synthetic = subject(fixture, &pair, 1);
    struct rt_play *play = fixture_play(fixture->scenarios[0], 0);
    struct rt_arena arena;
    struct rt_chat_reply reply;
    rt_arena_init(&arena, 1 << 20);
    assert_int_equal(rt_synthetic_answer(synthetic, rt_play_request(play), &arena, &reply), RT_IO);
    rt_arena_release(&arena);
    rt_play_free(play);
    rt_synthetic_free(synthetic);
}

static void effects_are_checked(void **state)
{
    (void)state;
    struct rt_synthetic_effects effects;
    struct rt_error err;
    rt_synthetic_effects_init(&effects);
    struct rt_pair pair = {"phrasin", "1"};
    assert_int_equal(rt_synthetic_effects_read(&pair, 1, &effects, &err), RT_NOT_FOUND);
    assert_non_null(strstr(err.text, "did you mean `phrasing`?"));
    pair = (struct rt_pair){"refuse", "1.5"};
    assert_int_equal(rt_synthetic_effects_read(&pair, 1, &effects, &err), RT_OUT_OF_RANGE);
    assert_non_null(strstr(err.text, "from 0 to 1"));
    pair = (struct rt_pair){"lab", "often"};
    assert_int_equal(rt_synthetic_effects_read(&pair, 1, &effects, &err), RT_OUT_OF_RANGE);
    pair = (struct rt_pair){"lab", "-0.25"};
    assert_int_equal(rt_synthetic_effects_read(&pair, 1, &effects, &err), RT_OK);
    assert_true(effects.lab == -0.25);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(outcomes_follow_the_model),
        cmocka_unit_test(planted_effects_show),
        cmocka_unit_test(replies_follow_from_the_request),
        cmocka_unit_test(a_planted_failure_strikes),
        cmocka_unit_test(effects_are_checked),
    };
    return cmocka_run_group_tests(tests, fixture_load, fixture_release);
}
