// SPDX-License-Identifier: Apache-2.0
// Requests with every parameter explicit; replies and errors in the shapes that servers really send
// (INTEROP, "Chat completions").
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "worker/executor/chat_json.h"

static struct rt_arena arena;

static int open_arena(void **state)
{
    (void)state;
    rt_arena_init(&arena, (size_t)32 << 20);
    return 0;
}
static int close_arena(void **state)
{
    (void)state;
    rt_arena_release(&arena);
    return 0;
}

// ---- requests

static void check_request(const struct rt_lab_subject *subject,
                          const struct rt_chat_request *request, const char *expected)
{
    struct rt_buf out;
    rt_buf_init(&out, RT_CHAT_BODY_MOST);
    assert_int_equal(rt_chat_json_request(subject, request, &out), RT_OK);
    assert_string_equal(rt_buf_str(&out), expected);
    rt_buf_release(&out);
}

static void requests_say_everything(void **state)
{
    (void)state;
    const struct rt_chat_call call = {"c1", "look", "{\"a\":1}"};
    const struct rt_chat_message messages[] = {
        {RT_CHAT_SYSTEM, "Be \"kind\".", NULL, 0, ""},
        {RT_CHAT_ASSISTANT, "", &call, 1, ""},
        {RT_CHAT_TOOL, "seen", NULL, 0, "c1"},
    };
    const struct rt_chat_tool tool = {"look", "", "{\"type\":\"object\"}"};
    struct rt_chat_request request = {messages, 3, &tool, 1, 700000, 1000000, 42, 8192, 0};
    struct rt_lab_subject subject = {.model = "m"};
    check_request(&subject, &request,
                  "{\"max_tokens\":8192,\"messages\":[{\"content\":\"Be \\\"kind\\\".\",\"role\":"
                  "\"system\"},{\"content\":null,\"role\":\"assistant\",\"tool_calls\":[{"
                  "\"function\":{\"arguments\":\"{\\\"a\\\":1}\",\"name\":\"look\"},\"id\":\"c1\","
                  "\"type\":\"function\"}]},{\"content\":\"seen\",\"role\":\"tool\","
                  "\"tool_call_id\":\"c1\"}],\"model\":\"m\",\"n\":1,\"seed\":42,\"stream\":false,"
                  "\"temperature\":0.7,\"tools\":[{\"function\":{\"name\":\"look\",\"parameters\":{"
                  "\"type\":\"object\"}},\"type\":\"function\"}],\"top_p\":1}");
}

static void defaults_are_sent_as_written(void **state)
{
    (void)state;
    const struct rt_chat_message message = {RT_CHAT_USER, "x", NULL, 0, ""};
    struct rt_chat_request request = {&message, 1, NULL, 0, 0, 900000, 1, UINT32_MAX, 0};
    struct rt_pair defaults[] = {{"top_k", "-1"},
                                 {"min_p", "0.05"},
                                 {"cache_prompt", "false"},
                                 {"max_tokens", "512"},
                                 {"messages", "none"}};
    struct rt_lab_subject subject = {.model = "m",
                                     .context = 8192,
                                     .defaults = defaults,
                                     .default_count = 5,
                                     .token_limit = RT_TOKEN_LIMIT_MAX_COMPLETION_TOKENS};
    check_request(&subject, &request,
                  "{\"cache_prompt\":false,\"max_completion_tokens\":512,\"messages\":[{"
                  "\"content\":\"x\",\"role\":\"user\"}],\"min_p\":0.05,\"model\":\"m\",\"n\":1,"
                  "\"seed\":1,\"stream\":false,\"temperature\":0,\"top_k\":-1,\"top_p\":0.9}");
    subject.default_count = 0;
    subject.token_limit = RT_TOKEN_LIMIT_MAX_TOKENS;
    check_request(&subject, &request,
                  "{\"max_tokens\":4096,\"messages\":[{\"content\":\"x\",\"role\":\"user\"}],"
                  "\"model\":\"m\",\"n\":1,\"seed\":1,\"stream\":false,\"temperature\":0,"
                  "\"top_p\":0.9}");
}

// ---- replies

static enum rt_status read_reply(const char *body, struct rt_chat_reply *reply)
{
    struct rt_chat_facts facts;
    const char *reason;
    return rt_chat_json_reply(rt_bytes_str(body), &arena, reply, &facts, &reason);
}

static void replies_in_every_shape(void **state)
{
    (void)state;
    struct rt_chat_reply reply;
    assert_int_equal(read_reply("{\"choices\":[{\"message\":{\"content\":\"hi\"},"
                                "\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":7,"
                                "\"completion_tokens\":2}}",
                                &reply),
                     RT_OK);
    assert_string_equal(reply.text, "hi");
    assert_true(reply.has_usage && reply.tokens_in == 7 && reply.tokens_out == 2);
    assert_int_equal(reply.finish, RT_CHAT_FINISH_STOP);
    // Null content, calls whose arguments are text, no JSON, or an object; no usage.
    assert_int_equal(
        read_reply("{\"choices\":[{\"message\":{\"content\":null,\"tool_calls\":["
                   "{\"id\":\"a\",\"function\":{\"name\":\"f\",\"arguments\":\"{\\\"x\\\": 1}\"}},"
                   "{\"id\":\"b\",\"function\":{\"name\":\"g\",\"arguments\":\"{oops\"}},"
                   "{\"function\":{\"name\":\"h\",\"arguments\":{\"y\":[2]}}},"
                   "{\"function\":{}},7]},\"finish_reason\":\"tool_calls\"}]}",
                   &reply),
        RT_OK);
    assert_string_equal(reply.text, "");
    assert_int_equal(reply.call_count, 5);
    assert_string_equal(reply.calls[0].arguments, "{\"x\": 1}");
    assert_string_equal(reply.calls[1].arguments, "{oops");
    assert_string_equal(reply.calls[2].arguments, "{\"y\":[2]}");
    assert_string_equal(reply.calls[2].id, "");
    assert_string_equal(reply.calls[3].name, "");
    assert_string_equal(reply.calls[4].arguments, "");
    assert_false(reply.has_usage);
    assert_true(reply.tokens_out > 0);
    // Parts, refusals, reasoning under either name, the older single call, a cut reply.
    assert_int_equal(read_reply("{\"choices\":[{\"message\":{\"content\":[{\"type\":\"text\","
                                "\"text\":\"a\"},{\"text\":\"b\"}],\"refusal\":\"no\","
                                "\"reasoning\":\"hm\"},\"finish_reason\":\"length\"}]}",
                                &reply),
                     RT_OK);
    assert_string_equal(reply.text, "ab");
    assert_string_equal(reply.refusal, "no");
    assert_string_equal(reply.reasoning, "hm");
    assert_int_equal(reply.finish, RT_CHAT_FINISH_LENGTH);
    assert_int_equal(read_reply("{\"choices\":[{\"message\":{\"reasoning_content\":\"r\","
                                "\"function_call\":{\"name\":\"f\",\"arguments\":\"{}\"}},"
                                "\"finish_reason\":\"function_call\"}]}",
                                &reply),
                     RT_OK);
    assert_string_equal(reply.reasoning, "r");
    assert_int_equal(reply.call_count, 1);
    assert_int_equal(reply.finish, RT_CHAT_FINISH_CALLS);
}

static void what_is_no_reply(void **state)
{
    (void)state;
    struct rt_chat_reply reply;
    static const char *const bodies[] = {"",
                                         "<html>",
                                         "[]",
                                         "null",
                                         "{}",
                                         "{\"choices\":[]}",
                                         "{\"choices\":[{\"message\":null}]}",
                                         "{\"choices\":{\"0\":1}}",
                                         "{\"choices\":[{\"message\":{\"content\":\"\\u0000\"}}]}",
                                         "{\"choices\":[{\"message\":{\"content\":\"\xff\"}}]}"};
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++)
        assert_int_equal(read_reply(bodies[i], &reply), RT_MALFORMED);
    struct rt_buf many;
    rt_buf_init(&many, 1 << 20);
    rt_buf_add_str(&many, "{\"choices\":[{\"message\":{\"tool_calls\":[{}");
    for (int i = 0; i < RT_CHAT_CALLS_MOST; i++)
        rt_buf_add_str(&many, ",{}");
    rt_buf_add_str(&many, "]}}]}");
    assert_int_equal(read_reply(rt_buf_str(&many), &reply), RT_TOO_LARGE);
    rt_buf_release(&many);
}

// ---- errors and waiting

static void errors_in_every_shape(void **state)
{
    (void)state;
    static const struct {
        const char *body, *text;
    } rows[] = {
        {"{\"error\":{\"message\":\"a\\nb\",\"type\":\"t\",\"param\":null,\"code\":\"c\"}}", "a b"},
        {"{\"error\":{\"message\":\"v\",\"code\":400}}", "v"},
        {"{\"error\":\"o\"}", "o"},
        {"{\"object\":\"error\",\"message\":\"w\"}", "w"},
        {"{\"detail\":\"Not Found\"}", "Not Found"},
        {"<html>", ""},
        {"", ""},
        {"{\"error\":{\"message\":\"0123456789ä\"}}", "0123456789"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[12];
        rt_chat_json_error(rt_bytes_str(rows[i].body), text, sizeof text);
        assert_string_equal(text, rows[i].text);
    }
}

static void some_fields_go_with_tools_only(void **state)
{
    (void)state;
    const struct rt_chat_message message = {RT_CHAT_USER, "x", NULL, 0, ""};
    const struct rt_chat_tool tool = {"look", "", "{\"type\":\"object\"}"};
    struct rt_chat_request request = {.messages = &message,
                                      .message_count = 1,
                                      .tools = &tool,
                                      .tool_count = 1,
                                      .top_p_micro = 1000000,
                                      .max_tokens = 9};
    struct rt_pair defaults[] = {{"parallel_tool_calls", "false"}, {"tool_choice", "auto"}};
    struct rt_lab_subject subject = {.model = "m",
                                     .defaults = defaults,
                                     .default_count = 2,
                                     .token_limit = RT_TOKEN_LIMIT_BOTH};
    check_request(&subject, &request,
                  "{\"max_completion_tokens\":9,\"max_tokens\":9,\"messages\":[{\"content\":"
                  "\"x\",\"role\":\"user\"}],\"model\":\"m\",\"n\":1,\"parallel_tool_calls\":"
                  "false,\"seed\":0,\"stream\":false,\"temperature\":0,\"tool_choice\":\"auto\","
                  "\"tools\":[{\"function\":{\"name\":\"look\",\"parameters\":{\"type\":"
                  "\"object\"}},\"type\":\"function\"}],\"top_p\":1}");
    request.tool_count = 0;
    subject.token_limit = RT_TOKEN_LIMIT_MAX_TOKENS;
    check_request(&subject, &request,
                  "{\"max_tokens\":9,\"messages\":[{\"content\":\"x\",\"role\":\"user\"}],"
                  "\"model\":\"m\",\"n\":1,\"seed\":0,\"stream\":false,\"temperature\":0,"
                  "\"top_p\":1}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_say_everything), cmocka_unit_test(defaults_are_sent_as_written),
        cmocka_unit_test(replies_in_every_shape),  cmocka_unit_test(what_is_no_reply),
        cmocka_unit_test(errors_in_every_shape),   cmocka_unit_test(some_fields_go_with_tools_only),
    };
    return cmocka_run_group_tests(tests, open_arena, close_arena);
}
