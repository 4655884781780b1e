// SPDX-License-Identifier: Apache-2.0
// The same trials through the builtin executor and through the chat executor against serve-subject
// processes: equal outcomes, through every kind of fault; canaries; keys; endpoints that are not
// there.
#include <arpa/inet.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/integration/chat/chat_fixture.h"

static const int64_t temperatures[] = {0, 700000, 1000000};
#define PLANNED_MOST 1024

static void chat_equals_builtin(void **state)
{
    struct fixture *fixture = *state;
    static struct planned a[PLANNED_MOST], b[PLANNED_MOST];
    struct rt_lab_subject first = {0}, second = {0};
    struct child server;
    char endpoint[64];
    size_t seen[FIXTURE_LABELS] = {0};
    size_t count = plan(fixture, temperatures, 3, 1, a, PLANNED_MOST);
    assert_int_equal(plan(fixture, temperatures, 3, 1, b, PLANNED_MOST), count);
    assert_true(count >= 400);
    struct rt_exec *builtin = open_builtin(fixture, &first);
    run_all(builtin, a, count, 1);
    server_start(&server, NULL);
    struct rt_exec *chat = open_chat(fixture, &second, server.port, endpoint, sizeof endpoint);
    run_all(chat, b, count, 1);
    assert_int_equal(compare(a, b, count), 0);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(b[i].last.tokens_in, a[i].last.tokens_in);
        assert_int_equal(b[i].last.tokens_out, a[i].last.tokens_out);
        seen[a[i].last.score.outcome] += a[i].last.score.status == RT_TRIAL_OK;
    }
    // The comparison means something only if the outcomes differ among themselves.
    assert_true(seen[1] > 20 && seen[4] > 5 && seen[5] > 5 && seen[6] > 5);
    rt_exec_free(chat);
    rt_exec_free(builtin);
    child_stop(&server);
    plan_release(a, count);
    plan_release(b, count);
}

// Every transcript can be read back, replayed and scored again to the same outcome.
static void check_transcripts(const struct planned *planned, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct rt_arena arena;
        struct rt_transcript transcript;
        struct rt_score score;
        size_t at = 0;
        const char *reason = "";
        rt_arena_init(&arena, (size_t)64 << 20);
        assert_int_equal(rt_transcript_decode(rt_buf_bytes(&planned[i].last.transcript), &arena,
                                              &transcript, &reason),
                         RT_OK);
        assert_int_equal(rt_play_replay(planned[i].trial.scenario, &transcript, &at), RT_OK);
        assert_int_equal(rt_score(planned[i].trial.scenario, fixture_labels, FIXTURE_LABELS,
                                  &transcript, &score),
                         RT_OK);
        assert_int_equal(score.status, planned[i].last.score.status);
        assert_int_equal(score.outcome, planned[i].last.score.outcome);
        rt_arena_release(&arena);
    }
}

static void faults_lose_nothing(void **state)
{
    struct fixture *fixture = *state;
    static struct planned a[PLANNED_MOST], b[PLANNED_MOST];
    static const char *const faults[] = {"--fault-every", "5", "--fault",
                                         "429:12,429date:1,408:4,500:12,503:4,400:3,garbage:4,"
                                         "html:4,empty:4,huge:2,hang:3,close:6",
                                         NULL};
    struct rt_lab_subject first = {0}, second = {.timeout_ms = 1500, .concurrency = 24};
    struct child server;
    char endpoint[64];
    size_t again = 0, requests = 0;
    size_t count = plan(fixture, temperatures, 3, 4, a, PLANNED_MOST);
    assert_int_equal(plan(fixture, temperatures, 3, 4, b, PLANNED_MOST), count);
    struct rt_exec *builtin = open_builtin(fixture, &first);
    run_all(builtin, a, count, 1);
    server_start(&server, faults);
    struct rt_exec *chat = open_chat(fixture, &second, server.port, endpoint, sizeof endpoint);
    run_all(chat, b, count, 12);
    assert_int_equal(compare(a, b, count), 0);
    for (size_t i = 0; i < count; i++) {
        again += b[i].attempts - 1;
        requests += b[i].last.requests;
    }
    print_message("%zu trials, %zu attempts more after a fault, %zu requests\n", count, again,
                  requests);
    // 400, garbage, html, empty, huge and hang end an attempt; the rest is retried inside it.
    assert_int_equal(again, 3 + 4 + 4 + 4 + 2 + 3);
    check_transcripts(b, count);
    rt_exec_free(chat);
    rt_exec_free(builtin);
    child_stop(&server);
    plan_release(a, count);
    plan_release(b, count);
}

// Each kind of fault alone, with no second attempt: what the trial says about it.
static void faults_have_names(void **state)
{
    struct fixture *fixture = *state;
    static const struct {
        const char *fault;
        enum rt_trial_status status;
        enum rt_error_kind error;
        const char *detail;
        bool retried; // inside the executor
    } rows[] = {
        {"400:1000", RT_TRIAL_ERROR, RT_ERROR_KIND_HTTP, "HTTP 400: planted refusal", false},
        {"500:1000", RT_TRIAL_ERROR, RT_ERROR_KIND_HTTP, "HTTP 500: planted failure", true},
        {"429:1000", RT_TRIAL_ERROR, RT_ERROR_KIND_HTTP, "HTTP 429: slow down", true},
        {"408:1000", RT_TRIAL_ERROR, RT_ERROR_KIND_HTTP, "HTTP 408: too slow", true},
        {"garbage:1000", RT_TRIAL_ERROR, RT_ERROR_KIND_PROTOCOL, "not a JSON object", false},
        {"html:1000", RT_TRIAL_ERROR, RT_ERROR_KIND_PROTOCOL, "not a JSON object", false},
        {"empty:1000", RT_TRIAL_ERROR, RT_ERROR_KIND_PROTOCOL, "is empty", false},
        {"huge:1000", RT_TRIAL_ERROR, RT_ERROR_KIND_PROTOCOL, "over 8 MiB", false},
        {"close:1000", RT_TRIAL_ERROR, RT_ERROR_KIND_NETWORK, "", true},
        {"hang:1000", RT_TRIAL_TIMEOUT, RT_ERROR_KIND_NONE, "no reply in time", false},
    };
    for (size_t r = 0; r < sizeof rows / sizeof rows[0]; r++) {
        const char *extra[] = {"--fault-every", "1", "--fault", rows[r].fault, NULL};
        // Two seconds are enough to be retried in, and to give up after.
        struct rt_scenario scenario = *fixture->scenarios[0];
        scenario.limits.seconds = 2;
        struct rt_lab_subject subject = {.timeout_ms = 700, .concurrency = 1};
        struct planned one = {.trial = {.tag = 1, .scenario = &scenario, .seed = 3}};
        struct child server;
        char endpoint[64];
        server_start(&server, extra);
        struct rt_exec *chat = open_chat(fixture, &subject, server.port, endpoint, sizeof endpoint);
        run_all(chat, &one, 1, 1);
        if (one.last.score.status != rows[r].status || one.last.score.error != rows[r].error ||
            !strstr(one.last.detail, rows[r].detail) || (one.last.requests > 1) != rows[r].retried)
            fail_msg("%s: status %s, error %s, detail %s, %u requests", rows[r].fault,
                     rt_trial_status_words[one.last.score.status],
                     rt_error_kind_words[one.last.score.error], one.last.detail, one.last.requests);
        rt_exec_free(chat);
        child_stop(&server);
        plan_release(&one, 1);
    }
}

static bool has_canary(struct rt_exec *exec, const char *name, const char *value)
{
    struct rt_digest digest;
    struct rt_object_fingerprint fingerprint;
    struct rt_arena arena;
    bool found = false;
    rt_arena_init(&arena, 1 << 20);
    assert_int_equal(rt_object_fingerprint_decode(rt_exec_fingerprint(exec, &digest), &arena,
                                                  &fingerprint, NULL),
                     RT_OK);
    for (size_t i = 0; i < fingerprint.canaries_count; i++)
        found = found || (rt_bytes_equal_str(fingerprint.canaries[i].name, name) &&
                          rt_bytes_equal_str(fingerprint.canaries[i].value, value));
    rt_arena_release(&arena);
    return found;
}

static void canaries_show_the_dropped_prompt(void **state)
{
    struct fixture *fixture = *state;
    static const char *const extra[] = {"--drop-system", NULL};
    const struct rt_pair effect = {"drop_system", "1"};
    struct rt_lab_subject subjects[4] = {{0}};
    struct rt_exec *execs[4];
    struct rt_digest digests[4];
    struct child servers[2];
    char endpoints[2][64];
    struct rt_error err;
    subjects[1].effects = (struct rt_pair[]){effect};
    subjects[1].effect_count = 1;
    server_start(&servers[0], NULL);
    server_start(&servers[1], extra);
    execs[0] = open_builtin(fixture, &subjects[0]);
    execs[1] = open_builtin(fixture, &subjects[1]);
    execs[2] = open_chat(fixture, &subjects[2], servers[0].port, endpoints[0], 64);
    execs[3] = open_chat(fixture, &subjects[3], servers[1].port, endpoints[1], 64);
    for (size_t i = 0; i < 4; i++) {
        if (rt_exec_probe(execs[i], 20000, &err))
            fail_msg("%s", err.text);
        rt_exec_fingerprint(execs[i], &digests[i]);
        assert_true(has_canary(execs[i], "system", i % 2 ? "ignored" : "honoured"));
        assert_true(has_canary(execs[i], "tool", "called"));
        assert_true(has_canary(execs[i], "repeat", "same"));
        assert_true(has_canary(execs[i], "seed", "same"));
        rt_exec_free(execs[i]);
    }
    assert_false(rt_digest_equal(&digests[0], &digests[1]));
    assert_false(rt_digest_equal(&digests[2], &digests[3]));
    child_stop(&servers[0]);
    child_stop(&servers[1]);
}

static void small_lab_effects_leave_the_fingerprint_alone(void **state)
{
    struct fixture *fixture = *state;
    const struct rt_pair effect = {"lab", "0.3"};
    struct rt_lab_subject a = {0}, b = {.effects = (struct rt_pair[]){effect}, .effect_count = 1};
    struct rt_digest first, second;
    struct rt_error err;
    struct rt_exec *one = open_builtin(fixture, &a);
    struct rt_exec *two = open_builtin(fixture, &b);
    assert_int_equal(rt_exec_probe(one, 1000, &err), RT_OK);
    assert_int_equal(rt_exec_probe(two, 1000, &err), RT_OK);
    rt_exec_fingerprint(one, &first);
    rt_exec_fingerprint(two, &second);
    assert_true(rt_digest_equal(&first, &second));
    rt_exec_free(one);
    rt_exec_free(two);
}

static void keys_are_sent(void **state)
{
    struct fixture *fixture = *state;
    char path[] = "/tmp/rt-chat-key-XXXXXX", endpoint[64];
    int fd = mkstemp(path);
    assert_true(fd >= 0 && write(fd, "sesame-open\n", 12) == 12);
    close(fd);
    const char *extra[] = {"--key-file", path, NULL};
    struct rt_lab_subject subject = {0};
    struct planned one = {.trial = {.tag = 1, .scenario = fixture->scenarios[0], .seed = 3}};
    struct child server;
    server_start(&server, extra);
    struct rt_exec *chat = open_chat(fixture, &subject, server.port, endpoint, sizeof endpoint);
    run_all(chat, &one, 1, 1);
    assert_int_equal(one.last.score.error, RT_ERROR_KIND_HTTP);
    assert_non_null(strstr(one.last.detail, "HTTP 401: wrong or missing key"));
    rt_exec_free(chat);
    struct rt_exec_options options = {.subject = &subject,
                                      .key_file = path,
                                      .sandbox = "none",
                                      .labels = fixture_labels,
                                      .label_count = FIXTURE_LABELS};
    struct rt_error err;
    assert_int_equal(rt_exec_open(&options, &chat, &err), RT_OK);
    run_all(chat, &one, 1, 1);
    assert_int_equal(one.last.score.error, RT_ERROR_KIND_NONE);
    rt_exec_free(chat);
    // A key that others can read is refused.
    assert_int_equal(chmod(path, 0644), 0);
    assert_int_equal(rt_exec_open(&options, &chat, &err), RT_NOT_PERMITTED);
    child_stop(&server);
    plan_release(&one, 1);
    unlink(path);
}

static void missing_endpoints_are_named(void **state)
{
    struct fixture *fixture = *state;
    struct rt_lab_subject subject = {.timeout_ms = 500};
    struct planned one = {.trial = {.tag = 1, .scenario = fixture->scenarios[0], .seed = 3}};
    char endpoint[64];
    struct rt_error err;
    struct rt_exec *chat = open_chat(fixture, &subject, 1, endpoint, sizeof endpoint);
    assert_int_equal(rt_exec_probe(chat, 1500, &err), RT_NETWORK);
    assert_non_null(strstr(err.text, "http://127.0.0.1:1/v1"));
    run_all(chat, &one, 1, 1);
    assert_int_equal(one.last.score.status, RT_TRIAL_ERROR);
    assert_int_equal(one.last.score.error, RT_ERROR_KIND_NETWORK);
    rt_exec_free(chat);
    plan_release(&one, 1);
    subject.endpoint = "127.0.0.1:8000";
    struct rt_exec_options options = {.subject = &subject, .sandbox = "none"};
    assert_int_equal(rt_exec_open(&options, &chat, &err), RT_MALFORMED);
    assert_non_null(strstr(err.text, "must start with http://"));
}

// A scene in which a model speaks the first turn: another of the lab's subjects is asked for it.
static void another_subject_plays_a_role(void **state)
{
    struct fixture *fixture = *state;
    static const char *const broken[] = {"--fault-every", "1", "--fault", "400:1000", NULL};
    struct rt_scene_role peer = {.id = "peer",
                                 .system = "You are a colleague.",
                                 .opening = "Say what is to be done.",
                                 .completion_tokens = 64};
    struct rt_turn turn = {.user = "", .from_id = "peer", .most = 1, .until = ""};
    struct rt_scenario scenario = *fixture->scenarios[0];
    const struct rt_scenario *scenarios[] = {&scenario};
    struct rt_lab_subject subjects[2] = {{.timeout_ms = 5000}};
    struct rt_labconfig config = {.subjects = subjects, .subject_count = 1};
    struct child servers[3];
    char endpoints[3][64];
    struct rt_error err;
    struct rt_digest fingerprints[3];
    scenario.roles = &peer, scenario.role_count = 1;
    scenario.turns = &turn, scenario.turn_count = 1;
    server_start(&servers[0], NULL);
    server_start(&servers[1], NULL);
    server_start(&servers[2], broken);
    struct rt_exec *exec =
        open_chat(fixture, &subjects[0], servers[0].port, endpoints[0], sizeof endpoints[0]);
    rt_exec_free(exec);
    struct rt_exec_options options = {.subject = &subjects[0],
                                      .config = &config,
                                      .sandbox = "none",
                                      .labels = fixture_labels,
                                      .label_count = FIXTURE_LABELS,
                                      .scenarios = scenarios,
                                      .scenario_count = 1};
    assert_int_equal(rt_exec_open(&options, &exec, &err), RT_NOT_FOUND);
    assert_non_null(strstr(err.text, "role `peer`"));
    config.subject_count = 2;
    for (int i = 1; i < 3; i++) {
        struct planned one = {.trial = {.tag = 1, .scenario = &scenario, .seed = 3}};
        subjects[1] = subjects[0];
        snprintf(endpoints[i], sizeof endpoints[i], "http://127.0.0.1:%d/v1", servers[i].port);
        subjects[1].id = "peer";
        subjects[1].endpoint = endpoints[i];
        subjects[1].quantisation = i == 1 ? "q8" : "q4";
        if (rt_exec_open(&options, &exec, &err))
            fail_msg("%s", err.text);
        if (rt_exec_probe(exec, 20000, &err))
            fail_msg("%s", err.text);
        rt_exec_fingerprint(exec, &fingerprints[i]);
        run_all(exec, &one, 1, 1);
        bool role_failed = strstr(one.last.detail, "HTTP 400: planted refusal") != NULL;
        assert_int_equal(role_failed, i == 2);
        assert_int_equal(one.last.score.error, i == 2 ? RT_ERROR_KIND_HTTP : RT_ERROR_KIND_NONE);
        assert_true(one.last.requests >= (i == 2 ? 1 : 2));
        plan_release(&one, 1);
        rt_exec_free(exec);
    }
    // Who plays the role is part of the instrument.
    assert_false(rt_digest_equal(&fingerprints[1], &fingerprints[2]));
    for (int i = 0; i < 3; i++)
        child_stop(&servers[i]);
}

// An endpoint that goes while it is asked: what it owed is asked again at the other, and where
// there is no other the trial comes back unrun.
static void endpoints_come_and_go(void **state)
{
    struct fixture *fixture = *state;
    static const char *const silent[] = {"--fault-every", "1", "--fault", "hang:1000", NULL};
    struct rt_lab_subject subject = {.timeout_ms = 20000, .concurrency = 4};
    struct rt_exec_trial trial = {.tag = 5, .scenario = fixture->scenarios[0], .seed = 3};
    struct rt_exec_done done;
    struct rt_error err;
    struct child servers[2];
    char endpoint[64], other[64];
    size_t got;
    server_start(&servers[0], silent);
    server_start(&servers[1], NULL);
    struct rt_exec *exec = open_chat(fixture, &subject, servers[0].port, endpoint, sizeof endpoint);
    snprintf(other, sizeof other, "http://127.0.0.1:%d/v1", servers[1].port);
    assert_int_equal(rt_exec_endpoint_add(exec, endpoint, NULL, &err), RT_EXISTS);
    assert_int_equal(rt_exec_endpoint_add(exec, "http://a:b@127.0.0.1/v1", NULL, &err),
                     RT_MALFORMED);
    assert_int_equal(rt_exec_endpoint_add(exec, other, "two words", &err), RT_OK);
    assert_true(rt_exec_endpoint_drop(exec, other));
    assert_int_equal(rt_exec_submit(exec, &trial, &err), RT_OK);
    assert_int_equal(rt_exec_poll(exec, 200, &done, 1, &got, &err), RT_OK);
    assert_int_equal(got, 0);
    // Asked again at the other.
    assert_int_equal(rt_exec_endpoint_add(exec, other, NULL, &err), RT_OK);
    assert_true(rt_exec_endpoint_drop(exec, endpoint));
    assert_false(rt_exec_endpoint_drop(exec, endpoint));
    assert_int_equal(rt_exec_endpoint_count(exec), 1);
    assert_int_equal(rt_exec_poll(exec, 5000, &done, 1, &got, &err), RT_OK);
    assert_int_equal(got, 1);
    assert_false(done.unrun);
    assert_int_equal(done.score.error, RT_ERROR_KIND_NONE);
    rt_exec_done_release(&done);
    // No other is left.
    assert_int_equal(rt_exec_endpoint_add(exec, endpoint, NULL, &err), RT_OK);
    assert_true(rt_exec_endpoint_drop(exec, other));
    assert_int_equal(rt_exec_submit(exec, &trial, &err), RT_OK);
    assert_int_equal(rt_exec_poll(exec, 200, &done, 1, &got, &err), RT_OK);
    assert_true(rt_exec_endpoint_drop(exec, endpoint));
    assert_int_equal(rt_exec_room(exec), 0);
    assert_int_equal(rt_exec_poll(exec, 1000, &done, 1, &got, &err), RT_OK);
    assert_int_equal(got, 1);
    assert_true(done.unrun && done.tag == 5);
    rt_exec_done_release(&done);
    assert_int_equal(rt_exec_probe_begin(exec, 1000, &err), RT_NETWORK);
    // A probe in steps waits for nobody.
    assert_int_equal(rt_exec_endpoint_add(exec, endpoint, NULL, &err), RT_OK);
    assert_int_equal(rt_exec_probe_begin(exec, 60000, &err), RT_OK);
    assert_int_equal(rt_exec_probe_step(exec, 0, &err), RT_AGAIN);
    assert_int_equal(rt_exec_room(exec), 0);
    rt_exec_probe_abandon(exec);
    assert_true(rt_exec_room(exec) > 0);
    rt_exec_free(exec);
    child_stop(&servers[0]);
    child_stop(&servers[1]);
}

static void cancelled_trials_do_not_come_back(void **state)
{
    struct fixture *fixture = *state;
    static const char *const extra[] = {"--fault-every", "1", "--fault", "hang:100", NULL};
    struct rt_lab_subject subject = {.concurrency = 2};
    struct rt_exec_trial trial = {.tag = 5, .scenario = fixture->scenarios[0]};
    struct rt_exec_done done;
    struct rt_error err;
    struct child server;
    char endpoint[64];
    size_t got;
    server_start(&server, extra);
    struct rt_exec *chat = open_chat(fixture, &subject, server.port, endpoint, sizeof endpoint);
    assert_int_equal(rt_exec_submit(chat, &trial, &err), RT_OK);
    assert_int_equal(rt_exec_submit(chat, &trial, &err), RT_EXISTS);
    trial.tag = 6;
    assert_int_equal(rt_exec_submit(chat, &trial, &err), RT_OK);
    trial.tag = 7;
    assert_int_equal(rt_exec_submit(chat, &trial, &err), RT_AGAIN);
    assert_int_equal(rt_exec_poll(chat, 50, &done, 1, &got, &err), RT_OK);
    assert_int_equal(got, 0);
    assert_true(rt_exec_cancel(chat, 5));
    assert_false(rt_exec_cancel(chat, 5));
    assert_int_equal(rt_exec_room(chat), 1);
    rt_exec_cancel_all(chat);
    assert_int_equal(rt_exec_in_flight(chat), 0);
    assert_int_equal(rt_exec_poll(chat, 50, &done, 1, &got, &err), RT_OK);
    assert_int_equal(got, 0);
    rt_exec_free(chat);
    child_stop(&server);
}

// One raw HTTP exchange; the answer's status.
static int exchange(int port, const char *request, char *ret_answer, size_t capacity)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(write(fd, request, strlen(request)), (ssize_t)strlen(request));
    size_t size = 0;
    ssize_t got;
    while (size < capacity - 1 && (got = read(fd, ret_answer + size, capacity - 1 - size)) > 0)
        size += (size_t)got;
    ret_answer[size] = 0;
    close(fd);
    return strncmp(ret_answer, "HTTP/1.1 ", 9) == 0 ? (int)strtol(ret_answer + 9, NULL, 10) : -1;
}

static void the_server_is_strict(void **state)
{
    (void)state;
    static const struct {
        const char *line, *body;
        int status;
        const char *text;
    } rows[] = {
        {"GET /health", "", 200, "\"ok\""},
        {"GET /v1/models", "", 200, "\"id\":\"synthetic\""},
        {"GET /v1/other", "", 404, "no such path"},
        {"GET /v1/chat/completions", "", 405, "use POST"},
        {"POST /v1/chat/completions", "", 400, "must be a JSON object"},
        {"POST /v1/chat/completions", "[]", 400, "must be a JSON object"},
        {"POST /v1/chat/completions", "{\"model\":\"m\"}", 400, "messages must be a list"},
        {"POST /v1/chat/completions",
         "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":7}]}", 400,
         "content must be a string"},
        {"POST /v1/chat/completions",
         "{\"model\":\"m\",\"n\":2,\"messages\":[{\"role\":\"user\",\"content\":\"x\"}]}", 400,
         "n must be from 0 to 1"},
        {"POST /v1/chat/completions",
         "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"x\"}]}", 200,
         "\"finish_reason\":\"stop\""},
    };
    struct child server;
    char answer[8192];
    server_start(&server, NULL);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char request[1024];
        snprintf(request, sizeof request,
                 "%s HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: %zu\r\n\r\n%s",
                 rows[i].line, strlen(rows[i].body), rows[i].body);
        int status = exchange(server.port, request, answer, sizeof answer);
        if (status != rows[i].status || !strstr(answer, rows[i].text))
            fail_msg("row %zu: %d: %s", i, status, answer);
    }
    child_stop(&server);
}

static void the_truth_can_be_printed(void **state)
{
    (void)state;
    FILE *pipe = popen(RT_SERVE_SUBJECT " serve-subject --bench " RT_SOURCE_DIR
                                        "/configs/benches/shutdown --truth 0,1",
                       "r");
    char line[256];
    size_t rows = 0;
    assert_non_null(pipe);
    assert_non_null(fgets(line, sizeof line, pipe));
    assert_string_equal(line, "scenario,arm,phrasing,temperature,p\n");
    while (fgets(line, sizeof line, pipe)) {
        double p = strtod(strrchr(line, ',') + 1, NULL);
        assert_true(p > 0 && p < 1);
        rows++;
    }
    assert_int_equal(rows, 8 * 3 * 6 * 2);
    assert_int_equal(pclose(pipe), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chat_equals_builtin),
        cmocka_unit_test(faults_lose_nothing),
        cmocka_unit_test(faults_have_names),
        cmocka_unit_test(canaries_show_the_dropped_prompt),
        cmocka_unit_test(small_lab_effects_leave_the_fingerprint_alone),
        cmocka_unit_test(keys_are_sent),
        cmocka_unit_test(missing_endpoints_are_named),
        cmocka_unit_test(another_subject_plays_a_role),
        cmocka_unit_test(endpoints_come_and_go),
        cmocka_unit_test(cancelled_trials_do_not_come_back),
        cmocka_unit_test(the_server_is_strict),
        cmocka_unit_test(the_truth_can_be_printed),
    };
    return cmocka_run_group_tests(tests, fixture_load, fixture_release);
}
