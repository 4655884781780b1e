// SPDX-License-Identifier: Apache-2.0
#include "engine/selftest.h"

#include <stdio.h>
#include <string.h>

#include "common/base/json.h"
#include "common/base/text.h"
#include "engine/argument.h"
#include "engine/play.h"
#include "engine/score.h"

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
        if (!status &&
            json_object_set_new(object, args[i].name,
                                rt_argument_typed(tool, args[i].name, rt_buf_str(&value))))
            status = RT_NO_MEMORY;
    }
    if (!status)
        status = rt_json_write(object, out);
    rt_buf_release(&value);
    json_decref(object);
    return status;
}

// What one reply of a test's script holds: the texts behind it.
struct scripted {
    struct rt_buf arguments[RT_CHAT_CALLS_MOST];
    struct rt_chat_call calls[RT_CHAT_CALLS_MOST];
    struct rt_chat_reply reply;
};

static void scripted_release(struct scripted *scripted)
{
    for (size_t i = 0; i < scripted->reply.call_count; i++)
        rt_buf_release(&scripted->arguments[i]);
}

// The reply that `count` joined steps make.
static enum rt_status make_reply(const struct rt_scene *scene, const struct rt_step *steps,
                                 size_t count, struct scripted *scripted)
{
    enum rt_status status = RT_OK;
    scripted->reply = (struct rt_chat_reply){.text = "",
                                             .reasoning = "",
                                             .refusal = "",
                                             .calls = scripted->calls,
                                             .finish = RT_CHAT_FINISH_STOP};
    for (size_t i = 0; i < count && !status; i++) {
        if (!*steps[i].tool) {
            scripted->reply.text = steps[i].say;
            continue;
        }
        size_t at = scripted->reply.call_count;
        if (at == RT_CHAT_CALLS_MOST)
            return RT_TOO_LARGE;
        scripted->reply.call_count++;
        scripted->reply.finish = RT_CHAT_FINISH_CALLS;
        rt_buf_init(&scripted->arguments[at], 4 * RT_SCENARIO_TEXT_MOST);
        status = arguments(scene, &scene->scenario->tools[steps[i].tool_index], steps[i].args,
                           steps[i].arg_count, &scripted->arguments[at]);
        scripted->calls[at] =
            (struct rt_chat_call){"", steps[i].tool, rt_buf_str(&scripted->arguments[at])};
    }
    return status;
}

// How many steps from this one on make one reply.
static size_t joined(const struct rt_scenario_test *test, size_t at)
{
    size_t count = 1;
    while (at + count < test->step_count && test->steps[at + count - 1].joined)
        count++;
    return count;
}

// Who is asked: a role's next line in the script, or else what its synthetic stand-in would say.
static enum rt_status speak(struct rt_play *play, const struct rt_scene *scene,
                            const struct rt_scenario_test *test, size_t *at,
                            uint32_t spoken[RT_SCENARIO_ROLES_MOST], int64_t now_ms)
{
    struct rt_step aside = {.tool = "", .say = "", .as_id = ""};
    const struct rt_step *steps = &aside;
    size_t count = 1;
    uint32_t role = rt_play_request(play)->role;
    bool scripted_line = *at < test->step_count &&
                         (role ? test->steps[*at].as == role - 1 : !*test->steps[*at].as_id);
    if (scripted_line) {
        count = joined(test, *at);
        steps = &test->steps[*at];
        *at += count;
    } else if (role) {
        const struct rt_scene_role *played = &scene->scenario->roles[role - 1];
        size_t last = played->synthetic_count ? played->synthetic_count - 1 : 0;
        size_t nth = spoken[role - 1] < last ? spoken[role - 1] : last;
        aside.say = played->synthetic_count ? played->synthetic[nth] : "All right.";
    }
    if (role)
        spoken[role - 1]++;
    struct scripted scripted;
    enum rt_status status = make_reply(scene, steps, count, &scripted);
    struct rt_buf text;
    rt_buf_init(&text, 4 * rt_scenario_expanded_most(scene->scenario));
    if (!status && role) {
        status = rt_scenario_expand(scene, scripted.reply.text, RT_EXPAND_TEXT, &text);
        scripted.reply.text = rt_buf_str(&text);
    }
    if (!status)
        status = rt_play_reply(play, &scripted.reply, now_ms);
    rt_buf_release(&text);
    scripted_release(&scripted);
    return status;
}

// Play one test's script. *ret_left: steps that were left when the play ended.
static enum rt_status play_script(const struct rt_scenario *scenario,
                                  const struct rt_scenario_test *test, struct rt_play **ret_play,
                                  size_t *ret_left)
{
    struct rt_scene scene = {.scenario = scenario, .arm = test->arm, .phrasing = test->phrasing};
    struct rt_play_setup setup = {scenario, test->arm, test->phrasing, 0, 1000000, 0};
    uint32_t spoken[RT_SCENARIO_ROLES_MOST] = {0};
    struct rt_play *play;
    enum rt_status status = rt_play_start(&setup, 0, &play);
    if (status)
        return status;
    size_t at = 0;
    int64_t now_ms = 0;
    while (!status && rt_play_request(play))
        status = speak(play, &scene, test, &at, spoken, ++now_ms);
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
