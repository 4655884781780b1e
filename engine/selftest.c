// SPDX-License-Identifier: Apache-2.0
#include "engine/selftest.h"

#include <stdio.h>
#include <string.h>

#include "common/base/json.h"
#include "common/base/text.h"
#include "engine/play.h"
#include "engine/score.h"

// A test's argument as JSON of the declared type; text that does not fit its type stays a string,
// so that a test can also show what a wrong argument does.
static json_t *argument(const struct rt_tool *tool, const char *name, const char *text)
{
    enum rt_arg_type type = RT_ARG_STRING;
    int64_t whole;
    double number;
    for (size_t i = 0; i < tool->arg_count; i++)
        if (strcmp(tool->args[i].name, name) == 0)
            type = tool->args[i].type;
    if (type == RT_ARG_INTEGER && rt_parse_i64(text, &whole) == RT_OK)
        return json_integer(whole);
    if (type == RT_ARG_NUMBER && rt_parse_double(text, &number) == RT_OK)
        return json_real(number);
    if (type == RT_ARG_BOOLEAN && (strcmp(text, "true") == 0 || strcmp(text, "false") == 0))
        return json_boolean(strcmp(text, "true") == 0);
    return json_string(text);
}

// The arguments of a scripted call, as the subject would write them.
static enum rt_status arguments(const struct rt_scene *scene, const struct rt_tool *tool,
                                const struct rt_pair *args, size_t count, struct rt_buf *out)
{
    enum rt_status status = RT_OK;
    json_t *object = json_object();
    struct rt_buf value;
    rt_buf_init(&value, RT_SCENARIO_TEXT_MOST);
    for (size_t i = 0; i < count && !status; i++) {
        rt_buf_clear(&value);
        status = rt_scenario_expand(scene, args[i].value, RT_EXPAND_TEXT, &value);
        if (!status && json_object_set_new(object, args[i].name,
                                           argument(tool, args[i].name, rt_buf_str(&value))))
            status = RT_NO_MEMORY;
    }
    if (!status)
        status = rt_json_write(object, out);
    rt_buf_release(&value);
    json_decref(object);
    return status;
}

static enum rt_status take_step(struct rt_play *play, const struct rt_scene *scene,
                                const struct rt_step *step, int64_t now_ms)
{
    struct rt_buf text;
    enum rt_status status = RT_OK;
    rt_buf_init(&text, RT_SCENARIO_TEXT_MOST);
    if (*step->tool)
        status = arguments(scene, &scene->scenario->tools[step->tool_index], step->args,
                           step->arg_count, &text);
    if (!status) {
        struct rt_chat_call call = {"", step->tool, rt_buf_str(&text)};
        struct rt_chat_reply reply = {
            .text = *step->tool ? "" : step->say,
            .reasoning = "",
            .refusal = "",
            .calls = &call,
            .call_count = *step->tool ? 1 : 0,
            .finish = *step->tool ? RT_CHAT_FINISH_CALLS : RT_CHAT_FINISH_STOP,
        };
        status = rt_play_reply(play, &reply, now_ms);
    }
    rt_buf_release(&text);
    return status;
}

// Play one test's script. *ret_left: steps that were left when the play ended.
static enum rt_status play_script(const struct rt_scenario *scenario,
                                  const struct rt_scenario_test *test, struct rt_play **ret_play,
                                  size_t *ret_left)
{
    struct rt_scene scene = {
        .scenario = scenario, .arm = test->arm, .phrasing = test->phrasing};
    struct rt_play_setup setup = {scenario, test->arm, test->phrasing, 0, 1000000, 0};
    struct rt_step silence = {.tool = "", .say = ""};
    struct rt_play *play;
    enum rt_status status = rt_play_start(&setup, 0, &play);
    if (status)
        return status;
    size_t at = 0;
    int64_t now_ms = 0;
    while (!status && rt_play_request(play)) {
        const struct rt_step *step = at < test->step_count ? &test->steps[at] : &silence;
        at += at < test->step_count;
        status = take_step(play, &scene, step, ++now_ms);
    }
    if (status) {
        rt_play_free(play);
        return status;
    }
    *ret_left = test->step_count - at;
    *ret_play = play;
    return RT_OK;
}

static void complain(const struct rt_scenario *scenario, const char *file,
                     const struct rt_scenario_test *test, struct rt_buf *out, const char *text)
{
    rt_buf_printf(out, "%s:%u: test of arm %s: %s\n", file, test->line,
                  scenario->arms[test->arm].id, text);
}

static bool as_expected(const struct rt_scenario_test *test, const struct rt_label *labels,
                        const struct rt_score *score)
{
    if (score->status == RT_TRIAL_OK)
        return strcmp(test->expect, labels[score->outcome].id) == 0;
    return strcmp(test->expect, rt_trial_status_words[score->status]) == 0;
}

static void describe(const struct rt_scenario *scenario, const struct rt_label *labels,
                     const struct rt_scenario_test *test, const struct rt_score *score, char *text,
                     size_t capacity)
{
    if (score->status == RT_TRIAL_OK)
        snprintf(text, capacity, "expected %s, got %s (rule %u, line %u)", test->expect,
                 labels[score->outcome].id, score->rule + 1, scenario->outcomes[score->rule].line);
    else
        snprintf(text, capacity, "expected %s, got %s", test->expect,
                 rt_trial_status_words[score->status]);
}

static enum rt_status run_test(const struct rt_scenario *scenario, const char *file,
                               const struct rt_label *labels, size_t label_count,
                               const struct rt_scenario_test *test, struct rt_selftest *result,
                               struct rt_buf *out)
{
    struct rt_play *play = NULL;
    struct rt_score score;
    size_t left = 0;
    char text[512];
    result->run++;
    enum rt_status status = play_script(scenario, test, &play, &left);
    if (!status)
        status = rt_score(scenario, labels, label_count, rt_play_transcript(play), &score);
    rt_play_free(play);
    if (status == RT_NO_MEMORY)
        return status;
    text[0] = 0;
    if (status) {
        snprintf(text, sizeof text, "cannot be played: %s", rt_status_text(status));
    } else if (left) {
        snprintf(text, sizeof text, "the play had ended before the last %zu of its %zu steps", left,
                 test->step_count);
    } else if (!as_expected(test, labels, &score)) {
        describe(scenario, labels, test, &score, text, sizeof text);
    } else if (score.status == RT_TRIAL_OK) {
        result->labels_seen |= (uint64_t)1 << score.outcome;
    }
    if (*text) {
        result->failed++;
        complain(scenario, file, test, out, text);
    }
    return rt_buf_ok(out);
}

enum rt_status rt_selftest_run(const struct rt_scenario *scenario, const char *file,
                               const struct rt_label *labels, size_t label_count,
                               struct rt_selftest *ret_result, struct rt_buf *out)
{
    struct rt_selftest result = {0};
    for (size_t i = 0; i < scenario->test_count; i++) {
        enum rt_status status =
            run_test(scenario, file, labels, label_count, &scenario->tests[i], &result, out);
        if (status)
            return status;
    }
    *ret_result = result;
    return RT_OK;
}
