// SPDX-License-Identifier: Apache-2.0
// A trial as an Inspect sample and back: messages, tool calls, outcome, and the transcript to the
// byte, so that its commitment still holds.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "interop/inspect_read.h"
#include "interop/inspect_write.h"

#define TEXT(text)                                                                                 \
    {                                                                                              \
        (const uint8_t *)(text), sizeof(text) - 1                                                  \
    }

static const struct rt_entry_call calls[] = {
    {TEXT("c-1"), TEXT("open"), TEXT("{ \"name\" : \"h\" }")},
    {TEXT(""), TEXT("open"), TEXT("not json")},
};

// One entry of every kind, and each field that a kind has.
static const struct rt_entry entries[] = {
    {.kind = RT_ENTRY_MESSAGE, .role = RT_CHAT_DEVELOPER, .text = TEXT("You are on h.")},
    {.kind = RT_ENTRY_MESSAGE, .role = RT_CHAT_USER, .at_ms = 1, .text = TEXT("Wörk \"now\"\n")},
    {.kind = RT_ENTRY_REPLY,
     .turn = 1,
     .at_ms = 40,
     .text = TEXT("Well."),
     .reasoning = TEXT("hm"),
     .refusal = TEXT("no"),
     .calls = calls,
     .call_count = 2,
     .finish = RT_CHAT_FINISH_CALLS,
     .has_usage = true,
     .tokens_in = 12,
     .tokens_out = 3},
    {.kind = RT_ENTRY_CALL,
     .turn = 1,
     .at_ms = 41,
     .name = TEXT("open"),
     .id = TEXT("c-1"),
     .arguments = TEXT("{ \"name\" : \"h\" }"),
     .text = TEXT("door open"),
     .verdict = RT_VERDICT_RAN},
    {.kind = RT_ENTRY_WORLD, .turn = 1, .at_ms = 41, .name = TEXT("door"), .text = TEXT("open")},
    {.kind = RT_ENTRY_EVENT,
     .turn = 1,
     .at_ms = 41,
     .name = TEXT("notice"),
     .text = TEXT("h goes")},
    {.kind = RT_ENTRY_CALL,
     .turn = 1,
     .at_ms = 42,
     .name = TEXT("open"),
     .arguments = TEXT("not json"),
     .text = TEXT("error"),
     .verdict = RT_VERDICT_BAD_JSON},
    {.kind = RT_ENTRY_ROLE,
     .turn = 1,
     .at_ms = 43,
     .name = TEXT("peer"),
     .arguments = TEXT("told"),
     .text = TEXT("said"),
     .finish = RT_CHAT_FINISH_LENGTH,
     .tokens_in = 5,
     .tokens_out = 6},
    {.kind = RT_ENTRY_REPLY, .turn = 2, .at_ms = 50, .finish = RT_CHAT_FINISH_LENGTH},
    {.kind = RT_ENTRY_FAILURE, .turn = 2, .at_ms = 51, .name = TEXT("http"), .text = TEXT("502")},
    {.kind = RT_ENTRY_END, .turn = 2, .at_ms = 51, .name = TEXT("length")},
};

static const struct rt_transcript transcript = {.scenario = TEXT("s-01"),
                                                .arm = TEXT("self"),
                                                .phrasing = TEXT("p1"),
                                                .temperature_micro = 700000,
                                                .top_p_micro = 950000,
                                                .seed = 77,
                                                .started_ms = 1763676405123,
                                                .entries = entries,
                                                .entry_count = sizeof entries / sizeof *entries};

static struct rt_interop_trial a_trial(void)
{
    struct rt_interop_trial trial = {.campaign = "demo",
                                     .scenario = "s-01",
                                     .arm = "self",
                                     .phrasing = "p1",
                                     .lang = "en",
                                     .lab = "uni-a",
                                     .subject = "m-8b",
                                     .number = 12,
                                     .replicate = 3,
                                     .temperature_micro = 700000,
                                     .seed = 77,
                                     .status = RT_TRIAL_OK,
                                     .outcome = "resisted",
                                     .behaviour = true,
                                     .severity = 3,
                                     .score_micro = 750000,
                                     .same_as = 5,
                                     .tokens_in = 12,
                                     .tokens_out = 3,
                                     .latency_ms = 51,
                                     .started_ms = 1763676405000,
                                     .finished_ms = 1763676406000,
                                     .leaf = 9,
                                     .received_ms = 1763676407000,
                                     .transcript = &transcript};
    struct rt_buf plain;
    memset(trial.salt, 7, sizeof trial.salt);
    rt_buf_init(&plain, RT_TRANSCRIPT_MOST);
    assert_int_equal(rt_transcript_encode(&transcript, &plain), RT_OK);
    rt_transcript_commit(trial.salt, rt_buf_bytes(&plain), &trial.commitment);
    rt_buf_release(&plain);
    return trial;
}

// Written, dumped, parsed and read: the trial that comes back, living in arena and *ret_sample.
static struct rt_interop_trial there_and_back(const struct rt_interop_trial *trial,
                                              struct rt_arena *arena, json_t **ret_sample)
{
    json_t *sample = NULL;
    struct rt_buf text;
    struct rt_interop_trial back;
    struct rt_error err;
    rt_buf_init(&text, 1 << 20);
    assert_int_equal(rt_inspect_sample(trial, NULL, &sample), RT_OK);
    assert_int_equal(rt_inspect_dump(sample, &text), RT_OK);
    json_decref(sample);
    assert_int_equal(rt_inspect_parse("t", rt_buf_bytes(&text), ret_sample, &err), RT_OK);
    assert_int_equal(rt_inspect_trial(*ret_sample, arena, &back), RT_OK);
    rt_buf_release(&text);
    return back;
}

static void a_trial_comes_back(void **state)
{
    (void)state;
    struct rt_arena arena;
    json_t *sample;
    struct rt_interop_trial trial = a_trial();
    rt_arena_init(&arena, 1 << 20);
    struct rt_interop_trial back = there_and_back(&trial, &arena, &sample);
    assert_string_equal(back.outcome, "resisted");
    assert_string_equal(back.lab, "uni-a");
    assert_int_equal(back.number, 12);
    assert_int_equal(back.replicate, 3);
    assert_int_equal(back.same_as, 5);
    assert_int_equal(back.score_micro, 750000);
    assert_int_equal(back.received_ms, trial.received_ms);
    assert_true(back.behaviour);
    assert_non_null(back.transcript);
    assert_int_equal(back.transcript->entry_count, transcript.entry_count);
    assert_int_equal(rt_interop_check_commitment(&back), RT_OK);
    back.salt[0] ^= 1;
    assert_int_equal(rt_interop_check_commitment(&back), RT_CONFLICT);
    json_decref(sample);
    rt_arena_release(&arena);
}

static void the_sample_is_inspects(void **state)
{
    (void)state;
    struct rt_interop_trial trial = a_trial();
    json_t *sample = NULL;
    assert_int_equal(rt_inspect_sample(&trial, NULL, &sample), RT_OK);
    assert_string_equal(json_string_value(json_object_get(sample, "id")), "s-01.self.p1");
    assert_int_equal(json_integer_value(json_object_get(sample, "epoch")), 4);
    const json_t *messages = json_object_get(sample, "messages");
    assert_int_equal(json_array_size(messages), 6);
    const json_t *call =
        json_array_get(json_object_get(json_array_get(messages, 2), "tool_calls"), 0);
    assert_true(json_is_object(json_object_get(call, "arguments")));
    call = json_array_get(json_object_get(json_array_get(messages, 2), "tool_calls"), 1);
    assert_string_equal(json_string_value(json_object_get(call, "id")), "call_1_1");
    assert_string_equal(json_string_value(json_object_get(call, "parse_error")),
                        "not a JSON object");
    // The tool's answer names the call it answers.
    assert_string_equal(
        json_string_value(json_object_get(json_array_get(messages, 4), "tool_call_id")),
        "call_1_1");
    const json_t *choice =
        json_array_get(json_object_get(json_object_get(sample, "output"), "choices"), 0);
    assert_string_equal(json_string_value(json_object_get(choice, "stop_reason")), "max_tokens");
    const json_t *score = json_object_get(json_object_get(sample, "scores"), "outcome");
    assert_string_equal(json_string_value(json_object_get(score, "value")), "resisted");
    json_decref(sample);
}

static void an_instrument_failure_has_no_score(void **state)
{
    (void)state;
    struct rt_interop_trial trial = a_trial();
    json_t *sample = NULL;
    trial.status = RT_TRIAL_ERROR;
    trial.error = RT_ERROR_KIND_HTTP;
    trial.outcome = "";
    trial.transcript = NULL; // the lab keeps it
    assert_int_equal(rt_inspect_sample(&trial, NULL, &sample), RT_OK);
    assert_true(json_is_null(json_object_get(sample, "scores")));
    assert_string_equal(
        json_string_value(json_object_get(json_object_get(sample, "error"), "message")),
        "error: http");
    json_decref(sample);
}

static const char secret_text[] = "scenario: s-01\ntitle: t\nmeta: {class: public}\n"
                                  "arms: {self: {role: treatment, code: hunter2}}\n"
                                  "phrasings: {p1: {lang: en, task: \"The word is {{code}}.\"}}\n"
                                  "turns: [{user: \"{{task}}\"}]\nredact: {names: [code]}\n"
                                  "outcomes: [{label: unclear, severity: 0}]\n";

// What a bench marks as not to leave does not, and the copy claims no commitment.
static void what_must_not_leave_stays(void **state)
{
    (void)state;
    struct rt_arena arena;
    struct rt_scenario *scenario = NULL;
    struct rt_error err;
    static const struct rt_entry said[] = {
        {.kind = RT_ENTRY_MESSAGE, .role = RT_CHAT_USER, .text = TEXT("The word is hunter2.")}};
    struct rt_transcript secret = transcript;
    secret.entries = said;
    secret.entry_count = 1;
    struct rt_interop_trial trial = a_trial(), without = a_trial();
    trial.transcript = &secret;
    rt_arena_init(&arena, 1 << 20);
    assert_int_equal(
        rt_scenario_read(rt_bytes_str(secret_text), "t", &arena, &scenario, NULL, &err), RT_OK);
    assert_int_equal(rt_interop_redact(&trial, scenario, &arena), RT_OK);
    json_t *sample = NULL;
    assert_int_equal(rt_inspect_sample(&trial, scenario, &sample), RT_OK);
    char *text = json_dumps(sample, 0);
    assert_null(strstr(text, "hunter2"));
    assert_non_null(strstr(text, "[redacted]"));
    assert_null(strstr(text, "\"salt\""));
    free(text);
    json_decref(sample);
    assert_int_equal(rt_interop_redact(&without, NULL, &arena), RT_OK);
    assert_null(without.transcript);
    rt_arena_release(&arena);
}

static void bare_nan_is_null(void **state)
{
    (void)state;
    json_t *json = NULL;
    struct rt_error err;
    static const char text[] = "{\"a\": NaN, \"b\": -Infinity, \"c\": \"NaN \\\" Infinity\", "
                               "\"d\": [Infinity]}";
    assert_int_equal(rt_inspect_parse("t", rt_bytes_str(text), &json, &err), RT_OK);
    assert_true(json_is_null(json_object_get(json, "a")));
    assert_true(json_is_null(json_object_get(json, "b")));
    assert_string_equal(json_string_value(json_object_get(json, "c")), "NaN \" Infinity");
    assert_true(json_is_null(json_array_get(json_object_get(json, "d"), 0)));
    json_decref(json);
    assert_int_equal(rt_inspect_parse("t", rt_bytes_str("{\"a\": Nan}"), &json, &err),
                     RT_MALFORMED);
}

static void somebody_elses_sample_is_no_trial(void **state)
{
    (void)state;
    struct rt_arena arena;
    struct rt_interop_trial trial;
    json_t *sample = json_pack("{s:i, s:{}}", "id", 1, "metadata");
    rt_arena_init(&arena, 1 << 16);
    assert_int_equal(rt_inspect_trial(sample, &arena, &trial), RT_UNSUPPORTED);
    json_object_set_new(sample, "metadata", json_pack("{s:{s:s}}", "ringtrial", "status", "odd"));
    assert_int_equal(rt_inspect_trial(sample, &arena, &trial), RT_MALFORMED);
    json_decref(sample);
    rt_arena_release(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_trial_comes_back),
        cmocka_unit_test(the_sample_is_inspects),
        cmocka_unit_test(an_instrument_failure_has_no_score),
        cmocka_unit_test(what_must_not_leave_stays),
        cmocka_unit_test(bare_nan_is_null),
        cmocka_unit_test(somebody_elses_sample_is_no_trial),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
