// SPDX-License-Identifier: Apache-2.0
#include "proto/object.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static struct rt_arena arena;
static struct rt_buf out;

static int start(void **state)
{
    (void)state;
    rt_arena_init(&arena, 8 << 20);
    rt_buf_init(&out, 8 << 20);
    return 0;
}

static int end(void **state)
{
    (void)state;
    rt_arena_release(&arena);
    rt_buf_release(&out);
    return 0;
}

// A unit of 32 trials of a billion-trial campaign, every field as large as it gets in practice.
static struct rt_object_result realistic(struct rt_trial_result trials[32], char software[64])
{
    struct rt_object_result result = {.started_ms = 1795196128123, .finished_ms = 1795199728123};
    memset(&result.unit, 0xaa, sizeof result.unit);
    memset(&result.fingerprint, 0xbb, sizeof result.fingerprint);
    memset(&result.instance, 0xcc, sizeof result.instance);
    snprintf(software, 64, "ringtrial-worker %s", RT_VERSION);
    result.software = rt_bytes_str(software);
    for (uint64_t i = 0; i < 32; i++) {
        trials[i] = (struct rt_trial_result){.number = 987654321 - i * 7,
                                             .status = RT_TRIAL_OK,
                                             .outcome = i % 7,
                                             .severity = i % 5,
                                             .score_micro = 333333,
                                             .same_as = i % 3 ? 0 : 900000000 + i,
                                             .tokens_in = 123456,
                                             .tokens_out = 8192,
                                             .latency_ms = 300000};
        memset(&trials[i].transcript, (int)i, sizeof trials[i].transcript);
    }
    result.trials = trials;
    result.trials_count = 32;
    return result;
}

static void test_result_of_32_fits_one_page(void **state)
{
    (void)state;
    struct rt_trial_result trials[32];
    char software[64];
    struct rt_object_result result = realistic(trials, software);
    assert_int_equal(rt_object_result_encode(&result, &out, NULL), RT_OK);
    print_message("a result of 32 trials has %zu bytes\n", out.size);
    assert_true(out.size < 4064);
    // Even with every number at its limit.
    for (size_t i = 0; i < 32; i++) {
        trials[i].number = trials[i].same_as = INT64_MAX;
        trials[i].outcome = 255;
        trials[i].score_micro = -RT_SCORE_MOST;
        trials[i].tokens_in = trials[i].tokens_out = trials[i].latency_ms = UINT32_MAX;
    }
    rt_buf_clear(&out);
    assert_int_equal(rt_object_result_encode(&result, &out, NULL), RT_OK);
    print_message("at the limits of every field it has %zu\n", out.size);
    assert_true(out.size < 4064);
    // The largest result an object may be.
    struct rt_trial_result *many = rt_arena_array(&arena, RT_TRIALS_MOST, sizeof *many);
    for (size_t i = 0; i < RT_TRIALS_MOST; i++)
        many[i] = trials[0];
    result.trials = many;
    result.trials_count = RT_TRIALS_MOST;
    rt_buf_clear(&out);
    assert_int_equal(rt_object_result_encode(&result, &out, NULL), RT_OK);
    result.trials_count++;
    assert_int_equal(rt_object_result_encode(&result, &out, NULL), RT_OUT_OF_RANGE);
}

static enum rt_status trial_status(enum rt_trial_status status, enum rt_error_kind error,
                                   uint64_t outcome)
{
    struct rt_trial_result trials[32];
    char software[64];
    struct rt_object_result result = realistic(trials, software);
    result.trials_count = 1;
    trials[0].status = status;
    trials[0].error = error;
    trials[0].outcome = outcome;
    trials[0].severity = 0;
    trials[0].score_micro = 0;
    rt_buf_clear(&out);
    return rt_object_result_encode(&result, &out, NULL);
}

static void test_trial_rules(void **state)
{
    (void)state;
    assert_int_equal(trial_status(RT_TRIAL_OK, RT_ERROR_KIND_NONE, 3), RT_OK);
    assert_int_equal(trial_status(RT_TRIAL_OK, RT_ERROR_KIND_HTTP, 3), RT_MALFORMED);
    assert_int_equal(trial_status(RT_TRIAL_ERROR, RT_ERROR_KIND_HTTP, 0), RT_OK);
    assert_int_equal(trial_status(RT_TRIAL_ERROR, RT_ERROR_KIND_NONE, 0), RT_MALFORMED);
    assert_int_equal(trial_status(RT_TRIAL_ERROR, RT_ERROR_KIND_HTTP, 1), RT_MALFORMED);
    assert_int_equal(trial_status(RT_TRIAL_TIMEOUT, RT_ERROR_KIND_NONE, 0), RT_OK);
    assert_int_equal(trial_status(RT_TRIAL_NOT_EXPOSED, RT_ERROR_KIND_NONE, 1), RT_MALFORMED);
    assert_int_equal(trial_status((enum rt_trial_status)7, RT_ERROR_KIND_NONE, 0), RT_OUT_OF_RANGE);
}

static struct rt_object_unit unit_of(const struct rt_unit_run *runs, size_t count)
{
    return (struct rt_object_unit){.lab = rt_bytes_str("uni-a"),
                                   .issued_ms = 1,
                                   .reissue_at_ms = 2,
                                   .accept_until_ms = 3,
                                   .runs = runs,
                                   .runs_count = count};
}

static enum rt_status try_runs(const struct rt_unit_run *runs, size_t count)
{
    struct rt_object_unit unit = unit_of(runs, count);
    rt_buf_clear(&out);
    return rt_object_unit_encode(&unit, &out, NULL);
}

static void test_result_ends_after_it_began(void **state)
{
    (void)state;
    struct rt_trial_result trials[32];
    char software[64];
    struct rt_object_result result = realistic(trials, software);
    result.finished_ms = result.started_ms;
    assert_int_equal(rt_object_result_encode(&result, &out, NULL), RT_OK);
    result.finished_ms--;
    assert_int_equal(rt_object_result_encode(&result, &out, NULL), RT_MALFORMED);
}

static void test_unit_rules(void **state)
{
    (void)state;
    const struct rt_unit_run apart[] = {{0, 8}, {9, 4}, {INT64_MAX - 1, 4}};
    assert_int_equal(try_runs(apart, 3), RT_OK);
    struct rt_object_unit again;
    assert_int_equal(rt_object_unit_decode(rt_buf_bytes(&out), &arena, &again, NULL), RT_OK);
    assert_int_equal(rt_object_unit_positions(&again), 16);
    assert_true(rt_bytes_equal_str(again.lab, "uni-a"));
    assert_true(again.runs[2].first == INT64_MAX - 1);
    const struct rt_unit_run touching[] = {{0, 8}, {8, 4}};
    assert_int_equal(try_runs(touching, 2), RT_MALFORMED);
    const struct rt_unit_run backwards[] = {{9, 1}, {1, 1}};
    assert_int_equal(try_runs(backwards, 2), RT_MALFORMED);
    const struct rt_unit_run many[] = {{0, 4096}, {5000, 1}};
    assert_int_equal(try_runs(many, 1), RT_OK);
    assert_int_equal(try_runs(many, 2), RT_OUT_OF_RANGE);
    assert_int_equal(try_runs(many, 0), RT_OUT_OF_RANGE);
    struct rt_object_unit early = unit_of(apart, 1);
    early.accept_until_ms = 1;
    assert_int_equal(rt_object_unit_encode(&early, &out, NULL), RT_MALFORMED);
    early = unit_of(apart, 1);
    early.reissue_at_ms = 0;
    assert_int_equal(rt_object_unit_encode(&early, &out, NULL), RT_MALFORMED);
    // The largest unit there is stays within its limit.
    struct rt_unit_run wide[RT_UNIT_RUNS_MOST];
    for (size_t i = 0; i < RT_UNIT_RUNS_MOST; i++)
        wide[i] = (struct rt_unit_run){(UINT64_C(1) << 40) + i * 1000, 64};
    assert_int_equal(try_runs(wide, RT_UNIT_RUNS_MOST), RT_OK);
}

static void test_versions(void **state)
{
    (void)state;
    const struct rt_unit_run run[] = {{0, 8}};
    assert_int_equal(try_runs(run, 1), RT_OK);
    out.data[1] = RT_OBJECT_VERSION + 1;
    struct rt_object_unit unit;
    assert_int_equal(rt_object_unit_decode(rt_buf_bytes(&out), &arena, &unit, NULL),
                     RT_UNSUPPORTED);
    rt_buf_extend(&out, RT_UNIT_MOST);
    assert_int_equal(rt_object_unit_decode(rt_buf_bytes(&out), &arena, &unit, NULL), RT_TOO_LARGE);
}

static void test_fingerprint_is_sorted(void **state)
{
    (void)state;
    struct rt_named_value parameters[] = {{rt_bytes_str("seed"), rt_bytes_str("per-trial")},
                                          {rt_bytes_str("top_p"), rt_bytes_str("1")}};
    struct rt_object_fingerprint fingerprint = {.subject = rt_bytes_str("llama-8b"),
                                                .executor = rt_bytes_str("chat"),
                                                .parameters = parameters,
                                                .parameters_count = 2,
                                                .identity = RT_IDENTITY_DECLARED};
    const char *field = NULL;
    assert_int_equal(rt_object_fingerprint_encode(&fingerprint, &out, &field), RT_OK);
    parameters[1].name = parameters[0].name;
    assert_int_equal(rt_object_fingerprint_encode(&fingerprint, &out, &field), RT_MALFORMED);
    assert_string_equal(field, "parameters");
    parameters[0].name = rt_bytes_str("zz");
    assert_int_equal(rt_object_fingerprint_encode(&fingerprint, &out, &field), RT_MALFORMED);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, end)
    const struct CMUnitTest tests[] = {
        TEST(test_result_of_32_fits_one_page),
        TEST(test_trial_rules),
        TEST(test_unit_rules),
        TEST(test_versions),
        TEST(test_result_ends_after_it_began),
        TEST(test_fingerprint_is_sorted),
    };
#undef TEST
    return cmocka_run_group_tests(tests, NULL, NULL);
}
