// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/proto/documents.h"

#include <stdlib.h>

#include "proto/campaign.h"
#include "proto/roster.h"
#include "proto/trial.h"

static struct rt_arena arena;
static struct rt_buf sample, roster_text;
static struct rt_roster *roster;
static char folder[64], path[128];

static void run_shell(const char *before, const char *after)
{
    char command[512];
    snprintf(command, sizeof command, "%s %s%s", before, folder, after);
    assert_int_equal(system(command), 0);
}

// A folder with the sample campaign, and the bench two folders up as it says.
static int setup(void **state)
{
    (void)state;
    struct rt_error err;
    if (rt_crypto_init())
        return 1;
    rt_arena_init(&arena, ARENA_MOST);
    snprintf(folder, sizeof folder, "/tmp/rt-campaign-XXXXXX");
    assert_non_null(mkdtemp(folder));
    run_shell("mkdir", "/c");
    run_shell("cp -r " RT_SOURCE_DIR "/configs/benches/shutdown", "/bench");
    snprintf(path, sizeof path, "%s/c/campaign.yaml", folder);
    struct rt_buf text;
    read_sample(RT_VECTORS "/documents/campaign.yaml", &text);
    const struct change bench = {"../../../configs/benches/shutdown", "../bench", ""};
    change_text(&text, &bench, &sample);
    rt_buf_release(&text);
    read_sample(RT_VECTORS "/documents/roster.yaml", &roster_text);
    must_be_ok(rt_roster_read(rt_buf_bytes(&roster_text), "r.yaml", &arena, &roster, NULL, &err),
               &err);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    run_shell("rm -r", "");
    rt_buf_release(&sample);
    rt_buf_release(&roster_text);
    rt_arena_release(&arena);
    return 0;
}

static enum rt_status compile(const struct rt_buf *text, struct rt_campaign **ret_campaign,
                              struct rt_notes *notes, struct rt_error *err)
{
    must_be_ok(rt_file_write(path, rt_buf_bytes(text), 0600, err), err);
    return rt_campaign_compile(path, roster, false, &arena, ret_campaign, NULL, notes, err);
}

static struct rt_campaign *compile_ok(struct rt_notes *notes)
{
    struct rt_campaign *campaign;
    struct rt_error err;
    must_be_ok(compile(&sample, &campaign, notes, &err), &err);
    return campaign;
}

static void the_worked_example(void **state)
{
    (void)state;
    struct rt_notes notes;
    rt_notes_init(&notes);
    const struct rt_campaign *campaign = compile_ok(&notes);
    assert_string_equal(campaign->id, "shutdown-2026q4");
    assert_string_equal(campaign->bench_id, "shutdown");
    assert_true(rt_digest_equal(&campaign->roster_digest, &roster->digest));
    assert_int_equal(campaign->prompt_count, 8 * 3 * 6);
    assert_int_equal(campaign->configuration_count, 4);
    assert_int_equal(campaign->configurations[3].subject, 1);
    assert_int_equal(campaign->configurations[1].temperature_micro, 700000);
    assert_int_equal(campaign->lab_count, 2);
    assert_int_equal(campaign->labs[0].runs, 1);
    assert_int_equal(campaign->labs[1].runs, 3);
    assert_int_equal(campaign->design.replicates_at_zero, 3);
    assert_int_equal(campaign->unit.reissue_after_ms, 1800000);
    assert_int_equal(campaign->analysis.hypotheses[0].threshold_micro, 50000);
    assert_int_equal(campaign->analysis.hypotheses[0].claim, RT_CLAIM_ABOVE);
    assert_int_equal(campaign->analysis.hypotheses[0].original_estimate_micro, 210000);
    assert_string_equal(campaign->analysis.hypotheses[0].contrast, "other");
    assert_string_equal(campaign->analysis.hypotheses[1].arm, "clear");
    assert_int_equal(campaign->analysis.behaviour, 7 << 4);
    // Prompts: scenario-major, then arm, then phrasing.
    assert_int_equal(campaign->prompts[6].arm, 1);
    assert_int_equal(campaign->prompts[18].scenario, 1);
    assert_int_equal(campaign->scenarios[0].phrasings[5].same_as, 0);
    assert_int_equal(campaign->scenarios[0].arms[2].of, 0);
    // uni-a: 144 x (3 + 20 + 20); uni-b: that and 144 x 20 for the other subject
    assert_int_equal(rt_trial_total(campaign), 144 * (43 + 63));
    assert_non_null(strstr(rt_buf_str(&notes.text), "`transcripts` other than commit"));
    rt_notes_release(&notes);
}

static void the_object_gives_the_same_struct(void **state)
{
    (void)state;
    struct rt_campaign *campaign = compile_ok(NULL), *again = compile_ok(NULL), *back;
    assert_true(rt_digest_equal(&campaign->digest, &again->digest)); // salts are made once
    struct rt_buf object, second;
    rt_buf_init(&object, 1 << 20);
    rt_buf_init(&second, 1 << 20);
    assert_int_equal(rt_campaign_encode(campaign, &object), RT_OK);
    assert_int_equal(rt_campaign_decode(rt_buf_bytes(&object), &arena, &back), RT_OK);
    assert_true(rt_digest_equal(&campaign->digest, &back->digest));
    assert_int_equal(rt_campaign_encode(back, &second), RT_OK);
    assert_true(rt_bytes_equal(rt_buf_bytes(&object), rt_buf_bytes(&second)));
    assert_int_equal(back->prompt_count, campaign->prompt_count);
    assert_memory_equal(back->prompts, campaign->prompts,
                        campaign->prompt_count * sizeof *campaign->prompts);
    assert_memory_equal(back->configurations, campaign->configurations,
                        campaign->configuration_count * sizeof *campaign->configurations);
    for (size_t size = 0; size < object.size; size += 7)
        assert_int_not_equal(rt_campaign_decode(rt_bytes(object.data, size), &arena, &back), RT_OK);
    for (size_t i = 0; i < object.size; i++) {
        object.data[i] ^= 1;
        if (!rt_campaign_decode(rt_buf_bytes(&object), &arena, &back)) {
            rt_buf_clear(&second);
            assert_int_equal(rt_campaign_encode(back, &second), RT_OK);
            assert_true(rt_bytes_equal(rt_buf_bytes(&object), rt_buf_bytes(&second)));
        }
        object.data[i] ^= 1;
    }
    rt_buf_release(&object);
    rt_buf_release(&second);
}

static void refusals_name_place_and_remedy(void **state)
{
    (void)state;
    static const struct change changes[] = {
        {"temperatures: [0.0, 0.7, 1.0]", "temperatures: [0.0, 3.5]",
         "campaign.yaml:8: temperature 3.5 is above 2.0"},
        {"temperatures: [0.0, 0.7, 1.0]", "temperatures: [0.0, -1]",
         "campaign.yaml:8: temperature -1 is below 0.0"},
        {"temperatures: [0.0, 0.7, 1.0]", "temperatures: [0.7, 0.70]",
         "has the same temperature twice"},
        {"temperatures: [1.0]", "temperatures: warm", "`temperatures` must be a list"},
        {"uni-a: [llama-8b], uni-b: [llama-8b, api-model]", "uni-a: [llama-8b], uni-b: [api-model]",
         "shares no subject with lab `uni-a`"},
        {"uni-a: [llama-8b], uni-b: [llama-8b, api-model]", "uni-b: [llama-8b]",
         "no lab runs subject `api-model`"},
        {"uni-a: [llama-8b],", "uni-a: [lama-8b],",
         "campaign.yaml:11: `lama-8b` is no subject of the campaign; did you mean `llama-8b`?"},
        {"uni-a: [llama-8b],", "uni-c: [llama-8b],",
         "campaign.yaml:11: lab `uni-c` is not in the roster; did you mean `uni-a`?"},
        {"labs: all", "labs: [uni-b]", "lab `uni-a` is in `run` and not in `labs`"},
        {"labs: all", "labs: [uni-b, uni-x]", "lab `uni-x` is not in the roster"},
        {"labs: all", "labs: every", "`labs` must be all or a list"},
        {"replicates_at_zero: 3", "replicates_at_zero: 30",
         "campaign.yaml:12: `replicates_at_zero` 30 is above `replicates` 20"},
        {"replicates: 20", "replicates: 0", "`replicates` is `0`"},
        {"kind: crossed", "kind: balanced, labs_per_trial: 2",
         "campaign.yaml:12: balanced designs cannot be run"},
        {"kind: crossed", "kind: adaptive, half_width: 0.02", "adaptive designs cannot be run"},
        {"kind: crossed", "kind: crosed", "did you mean `crossed`?"},
        {"kind: crossed", "kind: crossed, labs_per_trial: 2", "do not belong to a crossed design"},
        {"seeds: per-lab", "seeds: random", "`seeds` is `random`"},
        {"behaviour: [attempted, resisted, deceived]", "behaviour: [attempted, resist, deceived]",
         "behaviour `resist` is not in the taxonomy; did you mean `resisted`?"},
        {"contrast: [self, other]", "contrast: [self, oter]",
         "campaign.yaml:20: no scenario has an arm `oter`; did you mean `other`?"},
        {"contrast: [self, other]", "contrast: [self, self]", "contrasts an arm with itself"},
        {"contrast: [self, other], ", "", "a risk_difference needs `contrast: [arm, arm]`"},
        {"arm: clear", "arm: cleer", "no scenario has an arm `cleer`; did you mean `clear`?"},
        {"{id: H2, subject: llama-8b", "{id: H2, subject: lama-8b", "`lama-8b` is no subject"},
        {"{id: H2", "{id: H1", "hypothesis `H1` is there twice"},
        {"claim: \"> 0.05\"", "claim: \">= 0.05\"", "claim `>= 0.05`; write"},
        {"claim: \"< 0.02\"", "claim: \"< 1.02\"", "lies outside what the measure can be"},
        {"primary_rater: rules", "primary_rater: dice", "`primary_rater`"},
        {"  verdict_threshold: 0.5\n", "", "`verdict_threshold` is missing"},
        {"confidence: 0.95", "confidence: 95", "confidence 95 is above 0.999999"},
        {"phrasings: all", "phrasings: [p1, p9]", "no scenario has a phrasing `p9`"},
        {"trials: 32", "trials: 0", "`trials` is `0`; it must be a whole number from 1 to 256"},
        {"reissue_after: 30m", "reissue_after: 30", "write a number and a unit"},
        {"reissue_after: 30m", "reissue_after: 30d",
         "`reissue_after` must be above 0 and at most `accept_until`"},
        {"bench: ../bench", "bench: ../nothing", "bench.yaml"},
        {"ringtrial: 1", "ringtrail: 1",
         "unknown key `ringtrail` in the campaign; did you mean `ringtrial`?"},
        {"replicates: 20", "replicates: 20, replicats_at_zero: 1",
         "unknown key `replicats_at_zero` in design; did you mean `replicates_at_zero`?"},
        {"disclosure: {class: public,", "disclosure: {class: no,", "bare `no`"},
    };
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        struct rt_buf text;
        struct rt_campaign *campaign;
        struct rt_error err = {0};
        change_text(&sample, &changes[i], &text);
        must_say(&changes[i], compile(&text, &campaign, NULL, &err), &err);
        rt_buf_release(&text);
    }
}

static void truncated_files_are_refused(void **state)
{
    (void)state;
    for (size_t size = 0; size + 80 < sample.size; size += 13) {
        struct rt_campaign *campaign;
        struct rt_error err = {0};
        struct rt_buf text;
        rt_buf_init(&text, 1 << 20);
        rt_buf_add(&text, sample.data, size);
        assert_int_not_equal(compile(&text, &campaign, NULL, &err), RT_OK);
        assert_int_not_equal(err.text[0], 0);
        rt_buf_release(&text);
    }
}

static void a_lab_that_cannot_take_part_is_left_out_and_noted(void **state)
{
    (void)state;
    const struct change changes[] = {
        {"classes: [public],", "classes: [synthetic],", "not cleared for data class `public`"},
        {"serves: [llama-8b, api-model]", "serves: [other-model]", "serves none of the subjects"},
    };
    const struct change plan[] = {
        {"run: {uni-a: [llama-8b], uni-b: [llama-8b, api-model]}",
         "run: {uni-a: [llama-8b, api-model]}", ""},
    };
    struct rt_roster *whole = roster;
    struct rt_buf text;
    change_text(&sample, &plan[0], &text);
    for (size_t i = 0; i < 2; i++) {
        struct rt_buf changed;
        struct rt_error err;
        struct rt_campaign *campaign;
        struct rt_notes notes;
        rt_notes_init(&notes);
        change_text(&roster_text, &changes[i], &changed);
        must_be_ok(rt_roster_read(rt_buf_bytes(&changed), "r.yaml", &arena, &roster, NULL, &err),
                   &err);
        must_be_ok(compile(&text, &campaign, &notes, &err), &err);
        assert_int_equal(campaign->lab_count, 1);
        if (!strstr(rt_buf_str(&notes.text), changes[i].says))
            fail_msg("%s", rt_buf_str(&notes.text));
        rt_notes_release(&notes);
        rt_buf_release(&changed);
    }
    roster = whole;
    rt_buf_release(&text);
}

static void chosen_phrasings_only(void **state)
{
    (void)state;
    const struct change change = {"phrasings: all", "phrasings: [p2, p1b]", ""};
    struct rt_buf text;
    struct rt_campaign *campaign;
    struct rt_error err;
    change_text(&sample, &change, &text);
    must_be_ok(compile(&text, &campaign, NULL, &err), &err);
    assert_int_equal(campaign->prompt_count, 8 * 3 * 2);
    assert_string_equal(campaign->scenarios[3].phrasings[1].id, "p1b");
    assert_int_equal(campaign->scenarios[3].phrasings[1].same_as, RT_NONE); // p1 is not there
    rt_buf_release(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_worked_example),
        cmocka_unit_test(the_object_gives_the_same_struct),
        cmocka_unit_test(refusals_name_place_and_remedy),
        cmocka_unit_test(truncated_files_are_refused),
        cmocka_unit_test(a_lab_that_cannot_take_part_is_left_out_and_noted),
        cmocka_unit_test(chosen_phrasings_only),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
