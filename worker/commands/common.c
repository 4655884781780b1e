// SPDX-License-Identifier: Apache-2.0
#include <limits.h>
#include <stdio.h>

#include "common/base/file.h"
#include "common/base/json.h"
#include "worker/commands/commands.h"
#include "worker/home.h"

enum rt_status rt_lab_config_path(const char *state, char *ret_path, struct rt_error *err)
{
    return rt_path_join(ret_path, PATH_MAX, state ? state : ".", RT_HOME_CONFIG)
               ? rt_error_set(err, RT_TOO_LARGE, "%s: path too long", state)
               : RT_OK;
}

enum rt_status rt_print_json(const json_t *json, struct rt_error *err)
{
    struct rt_buf text;
    rt_buf_init(&text, (size_t)64 << 20);
    enum rt_status status = json ? rt_json_write_pretty(json, &text) : RT_NO_MEMORY;
    if (!status)
        fputs(rt_buf_str(&text), stdout);
    rt_buf_release(&text);
    return status ? rt_error_set(err, status, "cannot write JSON") : RT_OK;
}
