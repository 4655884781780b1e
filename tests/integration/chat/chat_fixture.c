// SPDX-License-Identifier: Apache-2.0
#include "tests/integration/chat/chat_fixture.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

void child_start(struct child *child, const char *const *arguments)
{
    int ends[2];
    char line[256];
    size_t size = 0;
    assert_int_equal(pipe(ends), 0);
    child->pid = fork();
    assert_true(child->pid >= 0);
    if (child->pid == 0) {
        char *copies[32];
        size_t count = 0;
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        dup2(ends[1], STDOUT_FILENO);
        close(ends[0]);
        close(ends[1]);
        while (arguments[count] && count < 31) {
            copies[count] = strdup(arguments[count]);
            count++;
        }
        copies[count] = NULL;
        execvp(copies[0], copies);
        _exit(127);
    }
    close(ends[1]);
    while (size < sizeof line - 1 && read(ends[0], line + size, 1) == 1 && line[size] != '\n')
        size++;
    line[size] = 0;
    // The read end stays open: the child may go on writing.
    const char *place = strstr(line, "127.0.0.1:");
    if (!place)
        fail_msg("%s did not start: %s", arguments[0], line);
    child->port = (int)strtol(place + 10, NULL, 10);
}

void child_stop(struct child *child)
{
    kill(child->pid, SIGTERM);
    waitpid(child->pid, NULL, 0);
}

void server_start(struct child *child, const char *const *extra)
{
    const char *arguments[24] = {RT_SERVE_SUBJECT, "serve-subject", "--bench",
                                 RT_SOURCE_DIR "/configs/benches/shutdown", "--quiet"};
    size_t count = 5;
    for (size_t i = 0; extra && extra[i] && count < 23; i++)
        arguments[count++] = extra[i];
    child_start(child, arguments);
}

size_t plan(struct fixture *fixture, const int64_t *temperatures_micro, size_t temperature_count,
            size_t every, struct planned *ret_planned, size_t capacity)
{
    size_t number = 0, count = 0;
    for (size_t s = 0; s < fixture->count; s++) {
        const struct rt_scenario *scenario = fixture->scenarios[s];
        for (size_t p = 0; p < scenario->arm_count * scenario->phrasing_count; p++) {
            for (size_t t = 0; t < temperature_count; t++, number++) {
                if (number % every)
                    continue;
                assert_true(count < capacity);
                ret_planned[count] =
                    (struct planned){.trial = {.tag = TAG_BASE + number * 7919,
                                               .scenario = scenario,
                                               .arm = (uint32_t)(p / scenario->phrasing_count),
                                               .phrasing = (uint32_t)(p % scenario->phrasing_count),
                                               .temperature_micro = temperatures_micro[t],
                                               .seed = (uint32_t)(number * 2654435761u) >> 1}};
                count++;
            }
        }
    }
    return count;
}

void plan_release(struct planned *planned, size_t count)
{
    for (size_t i = 0; i < count; i++)
        rt_exec_done_release(&planned[i].last);
}

static struct rt_exec *open_exec(struct fixture *fixture, struct rt_lab_subject *subject)
{
    struct rt_exec *exec = NULL;
    struct rt_error err = {RT_OK, ""};
    struct rt_exec_options options = {
        .subject = subject,
        .sandbox = "none",
        .labels = fixture_labels,
        .label_count = FIXTURE_LABELS,
        .scenarios = (const struct rt_scenario *const *)fixture->scenarios,
        .scenario_count = fixture->count,
    };
    if (rt_exec_open(&options, &exec, &err))
        fail_msg("%s", err.text);
    return exec;
}

static void set_subject(struct rt_lab_subject *subject)
{
    subject->id = "synthetic-8b";
    subject->endpoint = subject->key_file = subject->model = subject->weights_dir = "";
    subject->server = subject->server_version = subject->quantisation = "";
    subject->hardware = subject->batch = "";
    if (!subject->concurrency)
        subject->concurrency = 16;
}

struct rt_exec *open_builtin(struct fixture *fixture, struct rt_lab_subject *subject)
{
    set_subject(subject);
    subject->executor = RT_EXECUTOR_BUILTIN;
    return open_exec(fixture, subject);
}

struct rt_exec *open_chat(struct fixture *fixture, struct rt_lab_subject *subject, int port,
                          char *endpoint, size_t capacity)
{
    set_subject(subject);
    snprintf(endpoint, capacity, "http://127.0.0.1:%d/v1", port);
    subject->executor = RT_EXECUTOR_CHAT;
    subject->endpoint = endpoint;
    subject->model = "synthetic";
    return open_exec(fixture, subject);
}

static struct planned *find(struct planned *planned, size_t count, uint64_t tag)
{
    for (size_t i = 0; i < count; i++)
        if (planned[i].trial.tag == tag)
            return &planned[i];
    fail_msg("a trial came back that was never submitted");
    return NULL;
}

void run_all(struct rt_exec *exec, struct planned *planned, size_t count, uint32_t attempts)
{
    size_t next = 0, over = 0;
    size_t *again = calloc(count + 1, sizeof *again); // to be run once more
    size_t again_count = 0;
    struct rt_error err = {RT_OK, ""};
    while (over < count) {
        struct rt_exec_done done[8];
        size_t got = 0;
        while (rt_exec_room(exec) && (next < count || again_count)) {
            struct planned *one = again_count ? &planned[again[--again_count]] : &planned[next++];
            one->attempts++;
            if (rt_exec_submit(exec, &one->trial, &err))
                fail_msg("%s", err.text);
        }
        assert_int_equal(rt_exec_poll(exec, 1000, done, 8, &got, &err), RT_OK);
        for (size_t i = 0; i < got; i++) {
            struct planned *one = find(planned, count, done[i].tag);
            rt_exec_done_release(&one->last);
            one->last = done[i];
            if (rt_trial_status_flags(done[i].score.status).retry && one->attempts < attempts)
                again[again_count++] = (size_t)(one - planned);
            else
                over++;
        }
    }
    assert_int_equal(rt_exec_in_flight(exec), 0);
    free(again);
}

size_t compare(const struct planned *a, const struct planned *b, size_t count)
{
    size_t differ = 0;
    for (size_t i = 0; i < count; i++) {
        const struct rt_exec_done *x = &a[i].last, *y = &b[i].last;
        bool same =
            x->score.status == y->score.status && x->score.error == y->score.error &&
            x->score.outcome == y->score.outcome && x->score.severity == y->score.severity &&
            x->score.score_micro == y->score.score_micro && rt_digest_equal(&x->output, &y->output);
        if (!same && !differ++)
            print_message("trial %zu (%s) differs: %s/%s outcome %u/%u %s%s\n", i,
                          a[i].trial.scenario->id, rt_trial_status_words[x->score.status],
                          rt_trial_status_words[y->score.status], x->score.outcome,
                          y->score.outcome, x->detail, y->detail);
    }
    return differ;
}
