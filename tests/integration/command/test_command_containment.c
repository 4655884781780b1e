// SPDX-License-Identifier: Apache-2.0
// Commands that misbehave: each is contained, becomes the documented status, leaves no process
// behind, and the executor goes on.
#include <arpa/inet.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/base/time.h"
#include "tests/integration/command/command_fixture.h"

struct state {
    struct rt_arena arena;
    char folder[64];
    char script[128], self[4096];
    struct rt_bench *bench;
};

static int setup(void **state)
{
    static struct state own;
    rt_arena_init(&own.arena, (size_t)256 << 20);
    folder_make(own.folder);
    folder_copy(own.folder, RT_SOURCE_DIR "/tests/integration/command/misbehave.py", "misbehave");
    snprintf(own.script, sizeof own.script, "%s/misbehave", own.folder);
    assert_true(readlink("/proc/self/exe", own.self, sizeof own.self - 1) > 0);
    own.bench = bench_load(&own.arena, own.folder, "shutdown");
    *state = &own;
    return 0;
}

static int teardown(void **state)
{
    struct state *own = *state;
    folder_remove(own->folder);
    rt_arena_release(&own->arena);
    return 0;
}

// What a mode must become. error NONE and status ERROR is never asked for.
struct expected {
    const char *mode;
    enum rt_trial_status status;
    enum rt_error_kind error;
    const char *detail; // part of it
};
#define ERROR(mode, kind, detail) {mode, RT_TRIAL_ERROR, RT_ERROR_KIND_##kind, detail}
#define TIMEOUT(mode)             {mode, RT_TRIAL_TIMEOUT, RT_ERROR_KIND_NONE, "no reply in time"}

// A subject that runs the script in a mode, under small limits.
static void subject_of(struct state *own, struct rt_lab_subject *subject, const char *mode,
                       const char *first, const char *second)
{
    subject_init(subject, RT_EXECUTOR_COMMAND,
                 (const char *const[]){own->script, mode, first, second, NULL});
    subject->timeout_ms = 30000;
    subject->concurrency = 2;
    subject->confine.processes = 40;
    subject->confine.scratch_bytes = 4 << 20;
    subject->confine.file_size_bytes = 2 << 20;
    if (subject->confine.memory_bytes)
        subject->confine.memory_bytes = 256 << 20;
}

static void wait_gone(const char *marker)
{
    const struct timespec pause = {0, 20000000};
    for (int i = 0; i < 500 && processes_with(marker); i++)
        nanosleep(&pause, NULL);
    assert_int_equal(processes_with(marker), 0);
}

// Three trials, two at a time: what one does must not touch the others.
static void play(struct state *own, const struct rt_lab_subject *subject, enum rt_sandbox sandbox,
                 const struct expected *expected, char *ret_detail, size_t capacity)
{
    struct run runs[3] = {0};
    struct rt_exec *exec = exec_open(subject, own->bench, sandbox, own->folder);
    for (uint32_t i = 0; i < 3; i++)
        runs[i].trial = (struct rt_exec_trial){.scenario = own->bench->scenarios[0], .seed = i};
    runs_play(exec, runs, 3);
    for (size_t i = 0; i < 3; i++) {
        const struct rt_exec_done *done = &runs[i].done;
        bool same = done->score.status == expected->status &&
                    done->score.error == expected->error && strstr(done->detail, expected->detail);
        if (!same)
            fail_msg("%s: status %s, error %s, detail `%s`", expected->mode,
                     rt_trial_status_words[done->score.status],
                     rt_error_kind_words[done->score.error], done->detail);
        if (ret_detail)
            snprintf(ret_detail, capacity, "%s", done->detail);
    }
    runs_release(runs, 3);
    rt_exec_free(exec);
    assert_int_equal(processes_with(own->script), 0);
}

static void goes_on(struct state *own)
{
    static const struct expected good = {"good", RT_TRIAL_OK, RT_ERROR_KIND_NONE, ""};
    struct rt_lab_subject subject;
    subject_of(own, &subject, "good", NULL, NULL);
    play(own, &subject, RT_SANDBOX_BWRAP, &good, NULL, 0);
}

static void broken_speech(void **state)
{
    struct state *own = *state;
    static const struct expected modes[] = {
        ERROR("endless", PROTOCOL, "line is over 8 MiB"),
        ERROR("big", PROTOCOL, "line is over 8 MiB"),
        ERROR("half", PROTOCOL, "ended in the middle of a line"),
        ERROR("exit", PROTOCOL, "exit code 3; it said: cannot find?[31m my model"),
        ERROR("kill", SANDBOX, "signal 9 (Killed)"),
        ERROR("garbage", PROTOCOL, "no chat completion: it is not a JSON object"),
        ERROR("utf8", PROTOCOL, "no chat completion: it is not a JSON object"),
        ERROR("nul", PROTOCOL, ""),
        ERROR("other", PROTOCOL, "another version of the contract"),
        ERROR("twice", PROTOCOL, "introduces itself once more"),
        ERROR("stderr", BUDGET, "still here; it said: the last word"),
    };
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        struct rt_lab_subject subject;
        subject_of(own, &subject, modes[i].mode, NULL, NULL);
        play(own, &subject, RT_SANDBOX_BWRAP, &modes[i], NULL, 0);
    }
    goes_on(own);
}

static void silence(void **state)
{
    struct state *own = *state;
    // bubblewrap's own processes hold the output open, so that one closed inside is silence.
    static const struct expected modes[] = {TIMEOUT("ignore"), TIMEOUT("half_wait"),
                                            TIMEOUT("deaf"), TIMEOUT("closes")};
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        struct rt_lab_subject subject;
        subject_of(own, &subject, modes[i].mode, NULL, NULL);
        subject.timeout_ms = 600;
        int64_t start_ms = rt_time_mono_ms();
        play(own, &subject, RT_SANDBOX_BWRAP, &modes[i], NULL, 0);
        assert_true(rt_time_mono_ms() - start_ms < 8000);
    }
    goes_on(own);
}

static void processes(void **state)
{
    struct state *own = *state;
    struct rt_lab_subject subject;
    char detail[256];
    unsigned forked = 0;
    static const struct expected many = ERROR("fork", BUDGET, "then BlockingIOError");
    subject_of(own, &subject, "fork", "2000", NULL);
    play(own, &subject, RT_SANDBOX_BWRAP, &many, detail, sizeof detail);
    assert_int_equal(sscanf(strstr(detail, "forked "), "forked %u", &forked), 1);
    assert_true(forked >= 20 && forked < 40);
    static const struct expected daemon = {"daemon", RT_TRIAL_OK, RT_ERROR_KIND_NONE, ""};
    subject_of(own, &subject, "daemon", NULL, NULL);
    play(own, &subject, RT_SANDBOX_BWRAP, &daemon, NULL, 0);
    static const struct expected burn = ERROR("burn", SANDBOX, "signal 9 (Killed)");
    subject_of(own, &subject, "burn", NULL, NULL);
    subject.confine.cpu_seconds = 1;
    play(own, &subject, RT_SANDBOX_BWRAP, &burn, NULL, 0);
    goes_on(own);
}

static void memory_and_disk(void **state)
{
    struct state *own = *state;
    struct rt_lab_subject subject;
    char detail[256];
    static const struct expected memory = ERROR("memory", BUDGET, "then MemoryError");
    static const struct expected disk = ERROR("disk", BUDGET, "No space left on device");
    static const struct expected file = ERROR("file", BUDGET, "2048 KiB then File too large");
    subject_of(own, &subject, "memory", NULL, NULL);
    if (subject.confine.memory_bytes)
        play(own, &subject, RT_SANDBOX_BWRAP, &memory, NULL, 0);
    subject_of(own, &subject, "disk", NULL, NULL);
    play(own, &subject, RT_SANDBOX_BWRAP, &disk, detail, sizeof detail);
    assert_null(strstr(detail, "was let"));
    subject_of(own, &subject, "file", NULL, NULL);
    play(own, &subject, RT_SANDBOX_BWRAP, &file, NULL, 0);
    goes_on(own);
}

static void nothing_outside(void **state)
{
    struct state *own = *state;
    struct rt_lab_subject subject;
    char secret[128], path[128];
    static const struct expected outside =
        ERROR("outside", BUDGET, "did: nothing; environment: none; processes seen: ");
    static const struct expected told =
        ERROR("told", BUDGET, "max_tokens messages model n seed stream temperature tools top_p");
    snprintf(secret, sizeof secret, "%s/secret", own->folder);
    FILE *file = fopen(secret, "w");
    assert_non_null(file);
    fclose(file);
    assert_int_equal(chmod(secret, 0644), 0);
    assert_int_equal(setenv("RINGTRIAL_TEST_TOKEN", "hush", 1), 0);
    subject_of(own, &subject, "outside", own->folder, secret);
    play(own, &subject, RT_SANDBOX_BWRAP, &outside, NULL, 0);
    snprintf(path, sizeof path, "%s/x", own->folder);
    assert_int_not_equal(access(path, F_OK), 0);
    // And nothing of the study inside.
    subject_of(own, &subject, "told", NULL, NULL);
    play(own, &subject, RT_SANDBOX_BWRAP, &told, NULL, 0);
}

static int listen_on(struct sockaddr_in *address)
{
    socklen_t size = sizeof *address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    *address = (struct sockaddr_in){.sin_family = AF_INET,
                                    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)address, sizeof *address), 0);
    assert_int_equal(listen(fd, 8), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)address, &size), 0);
    return fd;
}

static void no_network(void **state)
{
    struct state *own = *state;
    struct rt_lab_subject subject;
    struct sockaddr_in address;
    char port[8];
    static const struct expected none = ERROR("socket", BUDGET, "refused, refused, refused");
    static const struct expected host = ERROR("socket", BUDGET, "connected to ('127.0.0.1', ");
    int fd = listen_on(&address);
    snprintf(port, sizeof port, "%u", ntohs(address.sin_port));
    subject_of(own, &subject, "socket", port, NULL);
    play(own, &subject, RT_SANDBOX_BWRAP, &none, NULL, 0);
    assert_true(accept(fd, NULL, NULL) < 0);
    // The same command where the lab lets it: so it was the sandbox that refused.
    subject.confine.network = RT_LAB_NETWORK_HOST;
    play(own, &subject, RT_SANDBOX_BWRAP, &host, NULL, 0);
    assert_true(accept(fd, NULL, NULL) >= 0);
    close(fd);
}

// Without a sandbox nothing is hidden, but nothing outlives its trial either.
static void without_a_sandbox(void **state)
{
    struct state *own = *state;
    struct rt_lab_subject subject;
    static const struct expected modes[] = {
        {"daemon", RT_TRIAL_OK, RT_ERROR_KIND_NONE, ""},
        ERROR("fork", BUDGET, "forked 60 and was let"),
        TIMEOUT("ignore"),
        ERROR("exit", PROTOCOL, "exit code 3"),
        ERROR("closes", PROTOCOL, "closed its output"),
        ERROR("kill", SANDBOX, "signal 9 (Killed)"),
    };
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        subject_of(own, &subject, modes[i].mode, "60", NULL);
        subject.timeout_ms = modes[i].status == RT_TRIAL_TIMEOUT ? 600 : 30000;
        subject.confine.processes = 1000;
        play(own, &subject, RT_SANDBOX_NONE, &modes[i], NULL, 0);
        play(own, &subject, RT_SANDBOX_SLURM_JOB, &modes[i], NULL, 0);
    }
}

// One process a trial: it sees the trial's turns and no others, and a line too many ends the trial.
static void one_process_a_trial(void **state)
{
    struct state *own = *state;
    struct rt_lab_subject subject;
    struct run runs[2] = {0};
    static const struct expected lines = ERROR("lines", PROTOCOL, "more than one line");
    subject_of(own, &subject, "lines", NULL, NULL);
    struct rt_exec *exec = exec_open(&subject, own->bench, RT_SANDBOX_BWRAP, own->folder);
    runs[0].trial.scenario = runs[1].trial.scenario = own->bench->scenarios[0];
    runs_play(exec, runs, 1);
    // Whether the second line came with the first or after it, the first may have been all that
    // the trial needed.
    assert_true(runs[0].done.score.status == RT_TRIAL_OK ||
                strstr(runs[0].done.detail, lines.detail));
    runs_release(runs, 1);
    rt_exec_free(exec);
    subject_of(own, &subject, "turns", NULL, NULL);
    exec = exec_open(&subject, own->bench, RT_SANDBOX_BWRAP, own->folder);
    runs_play(exec, runs, 2);
    assert_true(rt_digest_equal(&runs[0].done.output, &runs[1].done.output));
    runs_release(runs, 2);
    rt_exec_free(exec);
    wait_gone(own->script);
}

// The worker's own end, however sudden, is the end of what it ran.
static void killed_worker(void **state)
{
    struct state *own = *state;
    for (int s = 0; s < 2; s++) {
        pid_t pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
            struct rt_lab_subject subject;
            struct run run = {.trial.scenario = own->bench->scenarios[0]};
            subject_of(own, &subject, "ignore", NULL, NULL);
            struct rt_exec *exec = exec_open(
                &subject, own->bench, s ? RT_SANDBOX_NONE : RT_SANDBOX_BWRAP, own->folder);
            runs_play(exec, &run, 1);
            _exit(0);
        }
        const struct timespec pause = {0, 20000000};
        for (int i = 0; i < 500 && !processes_with(own->script); i++)
            nanosleep(&pause, NULL);
        assert_true(processes_with(own->script) > 0);
        assert_int_equal(kill(pid, SIGKILL), 0);
        waitpid(pid, NULL, 0);
        wait_gone(own->script);
    }
}

// Where user namespaces cannot be made: an error with its remedy, and never a weaker sandbox. The
// test runs itself once more inside a sandbox that forbids another one.
static void where_bwrap_cannot_run(void **state)
{
    struct state *own = *state;
    int ends[2];
    char said[1024] = "";
    size_t size = 0;
    ssize_t got;
    assert_int_equal(pipe(ends), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        dup2(ends[1], STDOUT_FILENO);
        close(ends[0]);
        execlp("bwrap", "bwrap", "--unshare-user", "--disable-userns", "--uid", "1000", "--bind",
               "/", "/", "--dev", "/dev", "--proc", "/proc", "--", own->self, own->script,
               (char *)NULL);
        _exit(127);
    }
    close(ends[1]);
    while ((got = read(ends[0], said + size, sizeof said - 1 - size)) > 0)
        size += (size_t)got;
    close(ends[0]);
    waitpid(pid, NULL, 0);
    assert_non_null(strstr(said, "RT_UNSUPPORTED subject synthetic-8b: sandbox bwrap does not run "
                                 "here: bwrap: "));
    assert_non_null(strstr(said, "user.max_user_namespaces above 0"));
    assert_non_null(strstr(said, "or name another `sandbox`"));
}

// What that second run does.
static int open_only(const char *script)
{
    struct rt_lab_subject subject;
    struct rt_exec *exec = NULL;
    struct rt_error err = {RT_OK, ""};
    subject_init(&subject, RT_EXECUTOR_COMMAND, (const char *const[]){script, "good", NULL});
    struct rt_exec_options options = {
        .subject = &subject, .sandbox = "none", .command_sandbox = RT_SANDBOX_BWRAP};
    enum rt_status status = rt_exec_open(&options, &exec, &err);
    printf("%s %s\n", status == RT_UNSUPPORTED ? "RT_UNSUPPORTED" : rt_status_name(status),
           err.text);
    rt_exec_free(exec);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 2 && argv[1][0] == '/')
        return open_only(argv[1]);
    if (!bwrap_runs())
        return 77;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(broken_speech),      cmocka_unit_test(silence),
        cmocka_unit_test(processes),          cmocka_unit_test(memory_and_disk),
        cmocka_unit_test(nothing_outside),    cmocka_unit_test(no_network),
        cmocka_unit_test(without_a_sandbox),  cmocka_unit_test(one_process_a_trial),
        cmocka_unit_test(killed_worker),      cmocka_unit_test(where_bwrap_cannot_run),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
