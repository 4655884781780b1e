// SPDX-License-Identifier: Apache-2.0
// `speed`: how many units a second a coordinator takes end to end (zero-work workers in their own
// processes, CURVE, every unit and result signed, durable commits), beside what this machine's
// primitives cost in the same run.
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "common/base/file.h"
#include "common/base/json.h"
#include "common/base/time.h"
#include "coordinator/commands/commands.h"
#include "coordinator/speed/consortium.h"
#include "coordinator/speed/primitives.h"
#include "coordinator/speed/sizes.h"

struct settings {
    const char *dir;
    uint64_t units, workers;
    bool keep;
};

static const char *const threads[] = {"network", "verify", "writer", "ZMQbg/IO/0", NULL};
#define THREADS 4

// One look at the running coordinator.
struct sample {
    int64_t mono_us;
    uint64_t receipts, refused, batches;
    double cpu_us, thread_us[THREADS];
};

struct result {
    double units_per_s;
    uint64_t units;
    double seconds;
    uint64_t refused_signatures;
    double units_per_commit;
    double cpu_us, thread_us[THREADS]; // of the coordinator, a unit
    struct rt_unit_sizes sizes;
    struct rt_primitives primitives;
};

static enum rt_status look(struct rt_consortium *consortium, struct sample *ret,
                           struct rt_error *err)
{
    json_t *json = NULL;
    enum rt_status status = rt_consortium_status(consortium, &json, err);
    if (status)
        return status;
    const json_t *counters = json_object_get(json, "counters");
    ret->mono_us = rt_time_mono_us();
    ret->receipts = (uint64_t)json_integer_value(json_object_get(counters, "receipts_out"));
    ret->refused = (uint64_t)json_integer_value(json_object_get(counters, "refused_signature"));
    ret->batches = (uint64_t)json_integer_value(json_object_get(counters, "batches"));
    json_decref(json);
    ret->cpu_us = rt_process_cpu_us(consortium->coordinator, NULL);
    for (size_t i = 0; i < THREADS; i++)
        ret->thread_us[i] = rt_process_cpu_us(consortium->coordinator, threads[i]);
    return RT_OK;
}

// From the first tenth of the units to the last: warm-up and wind-down are left out.
static enum rt_status measure(struct rt_consortium *consortium, struct result *result,
                              struct rt_error *err)
{
    uint64_t total = consortium->units_each * consortium->workers;
    struct sample first = {0}, last = {0};
    bool started = false;
    int64_t begin_ms = rt_time_mono_ms();
    for (;;) {
        struct sample now;
        enum rt_status status = look(consortium, &now, err);
        if (status)
            return status;
        if (!started && now.receipts >= total / 10) {
            first = now;
            started = true;
        }
        if (now.receipts <= total * 9 / 10 || !started)
            last = now;
        else if (last.receipts <= first.receipts)
            last = now;
        if (started && now.receipts >= total * 9 / 10)
            break;
        if (rt_time_mono_ms() - begin_ms > 600000)
            return rt_error_set(err, RT_TIMEOUT,
                                "%" PRIu64 " of %" PRIu64 " units after ten minutes", now.receipts,
                                total);
        nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
    }
    result->units = last.receipts - first.receipts;
    result->seconds = (double)(last.mono_us - first.mono_us) / 1e6;
    if (result->units == 0)
        return rt_error_set(err, RT_USAGE,
                            "too few units to measure; give --units a larger number");
    result->units_per_s = (double)result->units / result->seconds;
    result->units_per_commit = (double)result->units / (double)(last.batches - first.batches);
    result->cpu_us = (last.cpu_us - first.cpu_us) / (double)result->units;
    for (size_t i = 0; i < THREADS; i++)
        result->thread_us[i] = (last.thread_us[i] - first.thread_us[i]) / (double)result->units;
    // The corrupted ones may come late; give them a moment after the window.
    nanosleep(&(struct timespec){.tv_sec = 1}, NULL);
    enum rt_status status = look(consortium, &last, err);
    result->refused_signatures = last.refused;
    return status;
}

static void print_text(const struct result *r)
{
    double total = rt_primitives_total_us(&r->primitives), limit = 1e6 / total;
    printf("end to end        %10.0f units/s  (%.0f trials/s; %" PRIu64
           " units in %.2f s, %.0f a commit)\n",
           r->units_per_s, 32 * r->units_per_s, r->units, r->seconds, r->units_per_commit);
    printf("one-core limit    %10.0f units/s  = 1 / (sign + verify + CURVE frames + hash + put)\n",
           limit);
    printf("ratio             %10.2f\n\n", r->units_per_s / limit);
    printf("this machine, the same run, microseconds a unit\n");
    printf("  sign %.1f  verify %.1f  CURVE frames %.1f  hash %.1f  put %.1f  = %.1f\n",
           r->primitives.sign_us, r->primitives.verify_us, r->primitives.curve_us,
           r->primitives.hash_us, r->primitives.put_us, total);
    printf("the coordinator's CPU time, microseconds a unit\n ");
    for (size_t i = 0; i < THREADS; i++)
        printf(" %s %.1f ", threads[i], r->thread_us[i]);
    printf(" = %.1f\n", r->cpu_us);
    printf("frames: UNIT %zu, RESULT %zu, RECEIPT %zu bytes\ncorrupted signatures refused while "
           "measuring: %" PRIu64 "\n",
           r->sizes.unit_frame, r->sizes.result_frame, r->sizes.receipt_frame,
           r->refused_signatures);
}

static enum rt_status print_json(const struct result *r, struct rt_error *err)
{
    double total = rt_primitives_total_us(&r->primitives);
    json_t *json = json_pack(
        "{s:s, s:f, s:f, s:f, s:f, s:I, s:{s:f, s:f, s:f, s:f, s:f, s:f}, s:f, s:I}", "schema",
        "ringtrial-speed/1", "units_per_s", r->units_per_s, "trials_per_s", 32 * r->units_per_s,
        "limit_units_per_s", 1e6 / total, "ratio", r->units_per_s * total / 1e6, "units",
        (json_int_t)r->units, "primitives_us", "sign", r->primitives.sign_us, "verify",
        r->primitives.verify_us, "curve", r->primitives.curve_us, "hash", r->primitives.hash_us,
        "put", r->primitives.put_us, "total", total, "cpu_us", r->cpu_us, "refused_signatures",
        (json_int_t)r->refused_signatures);
    struct rt_buf out;
    rt_buf_init(&out, 65536);
    enum rt_status status = json ? rt_json_write_pretty(json, &out) : RT_NO_MEMORY;
    if (!status)
        fputs(rt_buf_str(&out), stdout);
    json_decref(json);
    rt_buf_release(&out);
    return status ? rt_error_set(err, status, "writing JSON") : RT_OK;
}

static enum rt_status run_in(struct rt_consortium *consortium, struct result *result,
                             struct rt_error *err)
{
    enum rt_status status = rt_consortium_start(consortium, err);
    if (!status)
        status = rt_consortium_load(consortium, err);
    if (!status)
        status = measure(consortium, result, err);
    rt_consortium_stop(consortium);
    if (!status)
        status = rt_unit_sizes_read(consortium->state.store, &result->sizes, err);
    if (!status)
        status =
            rt_primitives_measure(consortium->folder, &result->sizes, &result->primitives, err);
    if (!status && consortium->corrupt_every && result->refused_signatures == 0)
        status = rt_error_set(
            err, RT_CHECK_FAILED,
            "a corrupted signature was sent and none was refused; these figures mean nothing");
    return status;
}

static enum rt_status run(const void *place, const struct rt_text_list *operands,
                          struct rt_error *err)
{
    (void)operands;
    const struct settings *settings = place;
    struct rt_consortium consortium = {
        .workers = (unsigned)settings->workers,
        .units_each = settings->units / settings->workers,
    };
    // Two of the first worker's results are corrupted: enough to see, too few to be cut off for.
    consortium.corrupt_every = consortium.units_each * 2 / 5;
    const char *base = settings->dir ? settings->dir : getenv("TMPDIR");
    snprintf(consortium.folder, sizeof consortium.folder, "%s/rt-speed.XXXXXX",
             base && *base ? base : "/var/tmp");
    if (!mkdtemp(consortium.folder))
        return rt_error_set(err, RT_IO, "cannot make a folder in %s; name one with --dir",
                            base ? base : "/var/tmp");
    struct result result = {0};
    enum rt_status status = run_in(&consortium, &result, err);
    if (!status) {
        if (rt_globals.json)
            status = print_json(&result, err);
        else
            print_text(&result);
    }
    if (settings->keep || status)
        fprintf(stderr, "kept: %s\n", consortium.folder);
    else
        rt_process_remove_folder(consortium.folder);
    return status;
}

static void defaults(void *place)
{
    struct settings *settings = place;
    settings->units = 40000;
    settings->workers = 2;
}

static const struct rt_option options[] = {
    {.name = "units",
     .letter = 'u',
     .kind = RT_OPTION_COUNT,
     .offset = offsetof(struct settings, units),
     .value_name = "N",
     .help = "Units to carry (default 40000).",
     .least = 1000,
     .most = 100000000},
    {.name = "workers",
     .letter = 'w',
     .kind = RT_OPTION_COUNT,
     .offset = offsetof(struct settings, workers),
     .value_name = "N",
     .help = "Worker processes (default 2).",
     .least = 1,
     .most = RT_SPEED_WORKERS_MOST},
    {.name = "dir",
     .letter = 'd',
     .kind = RT_OPTION_TEXT,
     .offset = offsetof(struct settings, dir),
     .value_name = "DIR",
     .help = "Where to work: the disk that is to be measured (default $TMPDIR or /var/tmp)."},
    {.name = "keep",
     .kind = RT_OPTION_FLAG,
     .offset = offsetof(struct settings, keep),
     .help = "Leave the folder with its logs."},
    {0}};

const struct rt_command rt_command_speed = {
    .name = "speed",
    .summary = "Measure intake end to end beside this machine's own limit.",
    .operands = "",
    .options = options,
    .settings_size = sizeof(struct settings),
    .defaults = defaults,
    .run = run,
    .example = "ringtrial-coordinator speed --units 100000",
    .about = "Makes a throw-away consortium on loopback, lets zero-work workers in their own "
             "processes hand in signed "
             "results of 32 trials as fast as the coordinator takes them, and prints units a "
             "second beside the limit "
             "of one core for the same primitives, measured in the same run. A corrupted signature "
             "is sent on the way "
             "and must be refused.",
};
