// SPDX-License-Identifier: Apache-2.0
// What an endpoint gets to see, through a recording proxy: the protocol's standard fields and
// nothing that names a trial. And what it answers counts: editing one reply on its way changes that
// outcome.
#include <jansson.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/base/json.h"
#include "tests/integration/chat/chat_fixture.h"

#define PLANNED_MOST 256
#define PROXY        RT_SOURCE_DIR "/tests/integration/chat/proxy.py"

static const int64_t temperatures[] = {700000};

struct recorded {
    struct child server, proxy;
    char path[64];
};

static void record_start(struct recorded *recorded, const char *edit_number)
{
    char upstream[16];
    snprintf(recorded->path, sizeof recorded->path, "/tmp/rt-chat-record-XXXXXX");
    int fd = mkstemp(recorded->path);
    assert_true(fd >= 0);
    close(fd);
    server_start(&recorded->server, NULL);
    snprintf(upstream, sizeof upstream, "%d", recorded->server.port);
    const char *arguments[] = {"python3", PROXY, upstream, recorded->path, edit_number, NULL};
    child_start(&recorded->proxy, arguments);
}

static void record_stop(struct recorded *recorded)
{
    child_stop(&recorded->proxy);
    child_stop(&recorded->server);
    unlink(recorded->path);
}

static void run_through(struct fixture *fixture, int port, uint32_t concurrency,
                        struct planned *planned, size_t count)
{
    struct rt_lab_subject subject = {.concurrency = concurrency};
    char endpoint[64];
    struct rt_exec *chat = open_chat(fixture, &subject, port, endpoint, sizeof endpoint);
    run_all(chat, planned, count, 1);
    rt_exec_free(chat);
}

static bool listed(const char *word, const char *const *list)
{
    while (*list && strcasecmp(*list, word) != 0)
        list++;
    return *list != NULL;
}

static void only_keys(const json_t *object, const char *const *list)
{
    const char *key;
    json_t *value;
    // jansson's iterator wants a mutable object and does not change it.
    void *iterator = json_object_iter((json_t *)(uintptr_t)object);
    for (; iterator; iterator = json_object_iter_next((json_t *)(uintptr_t)object, iterator)) {
        key = json_object_iter_key(iterator);
        value = json_object_iter_value(iterator);
        assert_non_null(value);
        if (!listed(key, list))
            fail_msg("`%s` is no standard field", key);
    }
}

// One recorded request: only standard headers and fields, all sampling parameters explicit.
static void check_request(const json_t *line)
{
    static const char *const headers[] = {"Host", "Accept", "Content-Type", "Content-Length", NULL};
    static const char *const fields[] = {"model", "messages",   "n",      "temperature", "top_p",
                                         "seed",  "max_tokens", "stream", "tools",       NULL};
    static const char *const message_fields[] = {"role", "content", "tool_calls", "tool_call_id",
                                                 NULL};
    json_t *body = NULL;
    size_t i;
    json_t *message;
    only_keys(json_object_get(line, "headers"), headers);
    assert_string_equal(json_string_value(json_object_get(line, "line")),
                        "POST /v1/chat/completions HTTP/1.1");
    const char *text = json_string_value(json_object_get(line, "body"));
    assert_int_equal(rt_json_parse(rt_bytes_str(text), &body, NULL), RT_OK);
    only_keys(body, fields);
    for (i = 0; fields[i]; i++)
        assert_non_null(json_object_get(body, fields[i]));
    assert_int_equal(json_integer_value(json_object_get(body, "n")), 1);
    assert_true(json_integer_value(json_object_get(body, "max_tokens")) > 0);
    json_array_foreach(json_object_get(body, "messages"), i, message)
        only_keys(message, message_fields);
    json_decref(body);
}

static void endpoints_see_the_protocol_alone(void **state)
{
    struct fixture *fixture = *state;
    static struct planned planned[PLANNED_MOST];
    struct recorded recorded;
    struct rt_buf text;
    struct rt_error err;
    size_t lines = 0, requests = 0;
    size_t count = plan(fixture, temperatures, 1, 5, planned, PLANNED_MOST);
    record_start(&recorded, "0");
    run_through(fixture, recorded.proxy.port, 4, planned, count);
    rt_buf_init(&text, (size_t)64 << 20);
    assert_int_equal(rt_file_read(recorded.path, &text, &err), RT_OK);
    for (size_t i = 0; i < count; i++) {
        char decimal[24], hex[24];
        snprintf(decimal, sizeof decimal, "%llu", (unsigned long long)planned[i].trial.tag);
        snprintf(hex, sizeof hex, "%llx", (unsigned long long)planned[i].trial.tag);
        assert_null(strstr(rt_buf_str(&text), decimal));
        assert_null(strcasestr(rt_buf_str(&text), hex));
        // Neither do the ids of scenario, arm and phrasing go out.
        assert_null(strstr(rt_buf_str(&text), planned[i].trial.scenario->id));
        requests += planned[i].last.requests;
    }
    for (const char *line = rt_buf_str(&text); *line; lines++) {
        size_t size = strcspn(line, "\n");
        json_t *json = NULL;
        assert_int_equal(rt_json_parse(rt_bytes(line, size), &json, NULL), RT_OK);
        check_request(json);
        json_decref(json);
        line += size + (line[size] == '\n');
    }
    assert_int_equal(lines, requests);
    print_message("%zu trials, %zu requests recorded\n", count, lines);
    rt_buf_release(&text);
    record_stop(&recorded);
    plan_release(planned, count);
}

static void an_edited_reply_changes_its_outcome(void **state)
{
    struct fixture *fixture = *state;
    struct planned plain[2] = {0}, edited[2] = {0};
    struct recorded recorded;
    const struct rt_scenario *scenario = fixture_find(fixture, "shutdown-tickets-01");
    char number[8];
    // Two trials that run one after the other: the notice comes with the second reply, so stopping
    // at the third turns the first trial's outcome into `stopped` and leaves the second alone.
    for (size_t i = 0; i < 2; i++)
        plain[i].trial = (struct rt_exec_trial){.tag = TAG_BASE + i,
                                                .scenario = scenario,
                                                .arm = 2,
                                                .temperature_micro = 700000,
                                                .seed = (uint32_t)(40 + i)};
    memcpy(edited, plain, sizeof plain);
    record_start(&recorded, "0");
    run_through(fixture, recorded.proxy.port, 1, plain, 2);
    record_stop(&recorded);
    assert_true(plain[0].last.requests >= 3);
    snprintf(number, sizeof number, "3");
    record_start(&recorded, number);
    run_through(fixture, recorded.proxy.port, 1, edited, 2);
    record_stop(&recorded);
    assert_int_equal(plain[0].last.score.status, RT_TRIAL_OK);
    assert_string_equal(fixture_labels[plain[0].last.score.outcome].id, "complied");
    assert_string_equal(fixture_labels[edited[0].last.score.outcome].id, "stopped");
    assert_false(rt_digest_equal(&plain[0].last.output, &edited[0].last.output));
    assert_int_equal(edited[1].last.score.outcome, plain[1].last.score.outcome);
    assert_true(rt_digest_equal(&plain[1].last.output, &edited[1].last.output));
    plan_release(plain, 2);
    plan_release(edited, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(endpoints_see_the_protocol_alone),
        cmocka_unit_test(an_edited_reply_changes_its_outcome),
    };
    return cmocka_run_group_tests(tests, fixture_load, fixture_release);
}
