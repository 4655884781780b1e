// SPDX-License-Identifier: Apache-2.0
// The recipes of configs/labs for servers with an endpoint: each is a worker.yaml that is read
// without a word, and what it makes the worker send is what its README promises.
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/file.h"
#include "proto/doc/doc.h"
#include "worker/executor/chat_json.h"

static const char head[] = "lab: uni-a\nnetwork: {mode: direct}\npolicy: {classes: [public]}\n";

// The subject of a recipe; lives in arena.
static const struct rt_lab_subject *read_recipe(const char *folder, struct rt_arena *arena)
{
    char path[1024];
    struct rt_buf text, file;
    struct rt_error err;
    struct rt_labconfig *config = NULL;
    struct rt_notes notes;
    snprintf(path, sizeof path, RT_SOURCE_DIR "/configs/labs/%s/subject.yaml", folder);
    rt_notes_init(&notes);
    rt_buf_init(&text, 1 << 20);
    rt_buf_init(&file, 1 << 20);
    if (rt_file_read(path, &file, &err))
        fail_msg("%s", err.text);
    rt_buf_add_str(&text, head);
    rt_buf_add_bytes(&text, rt_buf_bytes(&file));
    if (rt_labconfig_read(rt_buf_bytes(&text), path, arena, &config, &notes, &err))
        fail_msg("%s", err.text);
    rt_buf_release(&text);
    rt_buf_release(&file);
    assert_int_equal(notes.count, 0); // every key is played
    rt_notes_release(&notes);
    assert_int_equal(config->subject_count, 1);
    assert_int_equal(config->subjects[0].executor, RT_EXECUTOR_CHAT);
    return &config->subjects[0];
}

static void check_body(const char *folder, const char *const *has, const char *const *has_not)
{
    struct rt_arena arena;
    struct rt_buf body;
    const struct rt_chat_message message = {RT_CHAT_USER, "x", NULL, 0, ""};
    const struct rt_chat_tool tool = {"look", "", "{\"type\":\"object\"}"};
    struct rt_chat_request request = {.messages = &message,
                                      .message_count = 1,
                                      .tools = &tool,
                                      .tool_count = 1,
                                      .temperature_micro = 700000,
                                      .top_p_micro = 1000000,
                                      .seed = 7,
                                      .max_tokens = 512};
    rt_arena_init(&arena, (size_t)8 << 20);
    rt_buf_init(&body, RT_CHAT_BODY_MOST);
    const struct rt_lab_subject *subject = read_recipe(folder, &arena);
    assert_int_equal(rt_chat_json_request(subject, &request, &body), RT_OK);
    for (; *has; has++)
        if (!strstr(rt_buf_str(&body), *has))
            fail_msg("%s: no %s in %s", folder, *has, rt_buf_str(&body));
    for (; *has_not; has_not++)
        if (strstr(rt_buf_str(&body), *has_not))
            fail_msg("%s: %s in %s", folder, *has_not, rt_buf_str(&body));
    rt_buf_release(&body);
    rt_arena_release(&arena);
}

static void llama_cpp(void **state)
{
    (void)state;
    check_body("llama-cpp",
               (const char *const[]){"\"cache_prompt\":false", "\"top_k\":0", "\"min_p\":0",
                                     "\"top_p\":1", "\"max_tokens\":512", "\"seed\":7",
                                     "\"temperature\":0.7", "\"n\":1",
                                     "\"parallel_tool_calls\":false", NULL},
               (const char *const[]){"max_completion_tokens", "tool_choice", NULL});
}

static void vllm(void **state)
{
    (void)state;
    check_body("vllm",
               (const char *const[]){"\"top_k\":-1", "\"min_p\":0", "\"repetition_penalty\":1",
                                     "\"max_completion_tokens\":512", "\"tool_choice\":\"auto\"",
                                     "\"seed\":7", NULL},
               (const char *const[]){"\"max_tokens\"", NULL});
}

static void ollama(void **state)
{
    (void)state;
    check_body("ollama", (const char *const[]){"\"max_tokens\":512", "\"top_p\":1", NULL},
               (const char *const[]){"max_completion_tokens", "tool_choice", "parallel_tool_calls",
                                     "num_ctx", NULL});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(llama_cpp),
        cmocka_unit_test(vllm),
        cmocka_unit_test(ollama),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
