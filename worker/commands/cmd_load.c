// SPDX-License-Identifier: Apache-2.0
// `load`: the zero-work lab behind `ringtrial-coordinator speed`; not listed in the help.
#include <limits.h>
#include <stdio.h>

#include "common/base/json.h"
#include "worker/commands/commands.h"
#include "worker/load.h"

struct settings {
    const char *state;
    uint64_t units, corrupt, window;
};

static void defaults(void *place)
{
    struct settings *settings = place;
    settings->window = 256;
}

static enum rt_status run(const void *place, const struct rt_text_list *operands,
                          struct rt_error *err)
{
    const struct settings *settings = place;
    char path[PATH_MAX];
    struct rt_load_result result;
    (void)operands;
    enum rt_status status = rt_lab_config_path(settings->state, path, err);
    struct rt_load_settings load = {path, settings->units, settings->corrupt,
                                    (uint32_t)settings->window};
    if (!status)
        status = rt_load(&load, &result, err);
    if (status)
        return status;
    double seconds = (double)result.elapsed_us / 1e6;
    json_t *json = json_pack("{s:I, s:I, s:f, s:f}", "receipted", (json_int_t)result.receipted,
                             "refused", (json_int_t)result.refused, "seconds", seconds,
                             "units_per_second",
                             seconds > 0 ? (double)result.receipted / seconds : 0.0);
    status = rt_print_json(json, err);
    json_decref(json);
    return status;
}

static const struct rt_option options[] = {
    RT_LAB_OPTION(struct settings),
    {.name = "units",
     .kind = RT_OPTION_COUNT,
     .offset = offsetof(struct settings, units),
     .value_name = "N",
     .help = "Results to deliver.",
     .least = 1,
     .most = 1000000000,
     .required = true},
    {.name = "corrupt",
     .kind = RT_OPTION_COUNT,
     .offset = offsetof(struct settings, corrupt),
     .value_name = "K",
     .help = "Break the signature of every K-th result first."},
    {.name = "window",
     .kind = RT_OPTION_COUNT,
     .offset = offsetof(struct settings, window),
     .value_name = "N",
     .help = "Units wanted at once (default 256).",
     .least = 1,
     .most = 1024},
    {.name = NULL},
};

const struct rt_command rt_command_load = {
    .name = "load",
    .operands = "",
    .options = options,
    .settings_size = sizeof(struct settings),
    .defaults = defaults,
    .run = run,
    .example = "ringtrial-worker load --state FOLDER --units 10000",
    .about = "Signs made-up results for real units. For `ringtrial-coordinator speed` alone.",
};
