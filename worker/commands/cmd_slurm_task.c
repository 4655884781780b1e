// SPDX-License-Identifier: Apache-2.0
// `slurm-task`: what an array job runs on a node. It plays its slice of the plan in the job's
// folder with the lab's command and leaves one file for each trial. It knows no campaign, lab or
// trial number, has no keys and talks to nobody; what it says is checked by the worker.
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/base/file.h"
#include "common/base/log.h"
#include "common/base/time.h"
#include "worker/commands/commands.h"
#include "worker/slurm/array_spool.h"

#define PROBE_MS    120000
#define POLL_MS     200
#define SETTLE_MS   1500 // Slurm's signal may reach the command before it reaches this program
#define DONE_A_POLL 16
#define MEMORY_MOST ((size_t)1 << 30)

struct settings {
    uint64_t task;
};

struct task {
    const char *folder;
    uint32_t first, end; // trials of the plan: [first, end)
    uint32_t written, failed;
    struct rt_array_work work;
    struct rt_exec *exec;
    struct rt_buf file;
};

// 1: begin nothing new (Slurm's warning signal); 2: end now.
static volatile sig_atomic_t told;

static void on_signal(int number)
{
    told = number == SIGTERM || told == 2 ? 2 : 1;
}

static bool stopping(void)
{
    return told != 0;
}

static void catch_signals(void)
{
    struct sigaction action = {.sa_handler = on_signal};
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGUSR1, &action, NULL);
    sigaction(SIGUSR2, &action, NULL);
    signal(SIGPIPE, SIG_IGN);
}

static enum rt_status path_of(const struct task *task, const char *head, uint32_t number,
                              char path[PATH_MAX], struct rt_error *err)
{
    int size = snprintf(path, PATH_MAX, "%s/%s%" PRIu32, task->folder, head, number);
    return size > 0 && size < PATH_MAX ? RT_OK
                                       : rt_error_set(err, RT_TOO_LARGE, "the path is too long");
}

static enum rt_status open_task(struct task *task, uint64_t number, struct rt_arena *arena,
                                struct rt_error *err)
{
    enum rt_status status = rt_array_folder_work(task->folder, arena, &task->work, err);
    if (status)
        return status;
    const struct rt_task_plan *plan = &task->work.plan;
    const struct rt_lab_subject *subject = &task->work.config->subjects[0];
    if (number >= rt_task_count(plan->count, plan->per_task))
        return rt_error_set(err, RT_OUT_OF_RANGE, "the plan has no task %" PRIu64, number);
    task->first = (uint32_t)number * plan->per_task;
    task->end = plan->count - task->first < plan->per_task ? plan->count
                                                           : task->first + plan->per_task;
    struct rt_exec_options options = {
        .subject = subject,
        .sandbox = rt_sandbox_word(subject->sandbox),
        .command_sandbox = subject->sandbox,
        .folder = plan->folder,
        .scenarios = (const struct rt_scenario *const *)(void *)task->work.scenarios,
        .scenario_count = plan->count,
        .unscored = true,
        .stopping = stopping,
    };
    return rt_exec_open(&options, &task->exec, err);
}

// A command that failed may have been ended with this task: then its trial did not happen.
static bool ended_with_us(const struct rt_exec_done *done)
{
    for (int waited_ms = 0; *done->detail && told < 2 && waited_ms < SETTLE_MS; waited_ms += 50)
        usleep(50000);
    return *done->detail && told == 2;
}

static enum rt_status write_done(struct task *task, const struct rt_exec_done *done,
                                 struct rt_error *err)
{
    char path[PATH_MAX];
    struct rt_digest digest;
    uint32_t index = (uint32_t)done->tag;
    enum rt_status status = path_of(task, "result-", index, path, err);
    if (status)
        return status;
    if (done->unrun || !done->transcript.size) {
        rt_log_warn("a trial has no transcript", "trial=%" PRIu32 " why=%s", index,
                    rt_log_quote(done->detail));
        task->failed++;
        return RT_OK;
    }
    rt_buf_clear(&task->file);
    rt_task_result_write(&task->work.plan.trials[index].key, done->requests,
                         rt_exec_fingerprint(task->exec, &digest),
                         rt_buf_bytes(&done->transcript), &task->file);
    status = rt_buf_ok(&task->file);
    if (status)
        return rt_error_set(err, status, "result %" PRIu32 ": %s", index, rt_status_text(status));
    task->written++;
    return rt_file_write(path, rt_buf_bytes(&task->file), 0600, err);
}

// The next trial of the slice that has no result yet (a requeued task goes on where it was); end
// when there is none.
static uint32_t next_open(const struct task *task, uint32_t from)
{
    char path[PATH_MAX];
    struct rt_error err;
    while (from < task->end &&
           !path_of(task, "result-", from, path, &err) && rt_file_exists(path))
        from++;
    return from;
}

static enum rt_status submit(struct task *task, uint32_t index, struct rt_error *err)
{
    const struct rt_task_trial *trial = &task->work.plan.trials[index];
    struct rt_exec_trial wanted = {.tag = index,
                                   .scenario = task->work.scenarios[index],
                                   .arm = trial->arm,
                                   .phrasing = trial->phrasing,
                                   .temperature_micro = trial->temperature_micro,
                                   .seed = trial->seed};
    return rt_exec_submit(task->exec, &wanted, err);
}

static enum rt_status play(struct task *task, struct rt_error *err)
{
    struct rt_exec_done done[DONE_A_POLL];
    uint32_t next = next_open(task, task->first);
    enum rt_status status = next < task->end ? rt_exec_probe(task->exec, PROBE_MS, err) : RT_OK;
    while (!status && told < 2 &&
           ((next < task->end && !told) || rt_exec_in_flight(task->exec))) {
        size_t count = 0;
        while (!status && !told && next < task->end && rt_exec_room(task->exec)) {
            status = submit(task, next, err);
            next = next_open(task, next + 1);
        }
        if (!status)
            status = rt_exec_poll(task->exec, POLL_MS, done, DONE_A_POLL, &count, err);
        for (size_t i = 0; i < count; i++) {
            if (!status && !ended_with_us(&done[i]))
                status = write_done(task, &done[i], err);
            rt_exec_done_release(&done[i]);
        }
    }
    if (!status && (told || task->failed))
        status = rt_error_set(err, RT_CANCELLED, told ? "told to end before all trials were played"
                                                      : "not every trial could be played");
    return status;
}

// The worker shows this to the lab's people; the task's log says more.
static void leave_word(const struct task *task, uint64_t number, const struct rt_error *err)
{
    char path[PATH_MAX], line[402];
    struct rt_error local;
    snprintf(line, sizeof line, "%.400s\n", err->text);
    if (!path_of(task, "failed-", (uint32_t)number, path, &local) &&
        rt_file_write(path, rt_bytes_str(line), 0600, &local))
        rt_log_warn("the reason could not be left", "why=%s", rt_log_quote(local.text));
}

static enum rt_status run(const void *place, const struct rt_text_list *operands,
                          struct rt_error *err)
{
    const struct settings *settings = place;
    struct task task = {.folder = operands->items[0]};
    struct rt_arena arena;
    int64_t start_ms = rt_time_mono_ms();
    rt_arena_init(&arena, MEMORY_MOST);
    rt_buf_init(&task.file, RT_TASK_RESULT_MOST);
    catch_signals();
    enum rt_status status = open_task(&task, settings->task, &arena, err);
    if (!status)
        status = play(&task, err);
    if (status)
        leave_word(&task, settings->task, err);
    rt_log_info("task over", "task=%" PRIu64 " trials=%" PRIu32 " written=%" PRIu32 " ms=%lld",
                settings->task, task.end - task.first, task.written,
                (long long)(rt_time_mono_ms() - start_ms));
    rt_exec_free(task.exec);
    rt_buf_release(&task.file);
    rt_arena_release(&arena);
    return status;
}

static const struct rt_option options[] = {
    {.name = "task",
     .letter = 't',
     .kind = RT_OPTION_COUNT,
     .offset = offsetof(struct settings, task),
     .value_name = "N",
     .help = "Which slice of the plan: Slurm's array index (default 0).",
     .most = RT_TASK_TRIALS_MOST},
    {.name = NULL},
};

const struct rt_command rt_command_slurm_task = {
    .name = "slurm-task",
    .summary = "play one task of an array job (run by Slurm, on a node)",
    .operands = "FOLDER",
    .operands_least = 1,
    .operands_most = 1,
    .options = options,
    .settings_size = sizeof(struct settings),
    .run = run,
    .example = "ringtrial-worker slurm-task --task 3 /spool/rt-uni-a-1f0c2a44-9b0e5c7d12aa0010",
    .about = "The worker writes FOLDER and submits the job; this plays the trials of one task with "
             "the lab's command and leaves a transcript of each there. SIGUSR1 (sbatch --signal) "
             "lets what is running finish and begins nothing new.",
};
