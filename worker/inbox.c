// SPDX-License-Identifier: Apache-2.0
#include "worker/inbox.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "common/base/file.h"
#include "common/base/json.h"
#include "common/base/text.h"
#include "common/base/time.h"

#define REQUESTS_MOST 4096
#define REQUEST_MOST  4096
#define REASON_MOST   200

static enum rt_status folder_of(const char *state, char *ret_path, struct rt_error *err)
{
    return rt_path_join(ret_path, PATH_MAX, state, "inbox")
               ? rt_error_set(err, RT_TOO_LARGE, "%s: path too long", state)
               : RT_OK;
}

static bool one_line(const char *text)
{
    size_t size = strlen(text);
    for (size_t i = 0; i < size; i++)
        if ((unsigned char)text[i] < ' ' || text[i] == 0x7f)
            return false;
    return size && size <= REASON_MOST && rt_utf8_valid(rt_bytes_str(text));
}

enum rt_status rt_inbox_put(const char *state, const struct rt_inbox_request *request,
                            struct rt_error *err)
{
    char folder[PATH_MAX], name[64], path[PATH_MAX];
    if (!one_line(request->reason))
        return rt_error_set(err, RT_USAGE, "--reason takes one line of 1 to %d bytes",
                            REASON_MOST);
    enum rt_status status = folder_of(state, folder, err);
    if (!status)
        status = rt_file_mkdir(folder, 0700, err);
    if (status)
        return status;
    snprintf(name, sizeof name, "%016" PRIx64 "-%ld.json", (uint64_t)rt_time_wall_ms(),
             (long)getpid());
    if (rt_path_join(path, sizeof path, folder, name))
        return rt_error_set(err, RT_TOO_LARGE, "%s: path too long", folder);
    json_t *json = json_pack("{s:s, s:s, s:s}", "campaign", request->campaign, "action",
                             request->action, "reason", request->reason);
    struct rt_buf text;
    rt_buf_init(&text, REQUEST_MOST);
    status = json ? rt_json_write_pretty(json, &text) : RT_NO_MEMORY;
    json_decref(json);
    status = status ? rt_error_set(err, status, "cannot write the request")
                    : rt_file_create(path, rt_buf_bytes(&text), 0600, err);
    rt_buf_release(&text);
    return status;
}

static enum rt_status read_request(const char *path, json_t **ret_json,
                                   struct rt_inbox_request *ret_request, struct rt_error *err)
{
    struct rt_buf text;
    rt_buf_init(&text, REQUEST_MOST);
    json_t *json = NULL;
    enum rt_status status = rt_file_read(path, &text, err);
    if (!status)
        status = rt_json_parse(rt_buf_bytes(&text), &json, err);
    rt_buf_release(&text);
    if (status)
        return status;
    struct rt_inbox_request request = {NULL, NULL, NULL};
    if (json_unpack(json, "{s:s, s:s, s:s !}", "campaign", &request.campaign, "action",
                    &request.action, "reason", &request.reason) ||
        !one_line(request.reason) ||
        (strcmp(request.action, "accept") && strcmp(request.action, "decline") &&
         strcmp(request.action, "used") && strcmp(request.action, "purge") &&
         strcmp(request.action, "resend") && strcmp(request.action, "leave"))) {
        json_decref(json);
        return rt_error_set(err, RT_MALFORMED, "%s is no request", path);
    }
    *ret_json = json;
    *ret_request = request;
    return RT_OK;
}

enum rt_status rt_inbox_each(const char *state, rt_inbox_visit_fn *visit, void *ctx,
                             size_t *ret_done, struct rt_error *err)
{
    char folder[PATH_MAX], path[PATH_MAX];
    char **names;
    size_t count;
    *ret_done = 0;
    enum rt_status status = folder_of(state, folder, err);
    if (status || access(folder, F_OK))
        return status;
    status = rt_file_list(folder, REQUESTS_MOST, &names, &count, err);
    if (status)
        return status;
    for (size_t i = 0; i < count; i++) {
        struct rt_inbox_request request;
        json_t *json = NULL;
        size_t size = strlen(names[i]);
        if (size < 5 || strcmp(names[i] + size - 5, ".json") ||
            rt_path_join(path, sizeof path, folder, names[i]))
            continue;
        enum rt_status read = read_request(path, &json, &request, err);
        enum rt_status done = read ? RT_OK : visit(ctx, &request);
        json_decref(json);
        if (read)
            status = read;
        else if (!done)
            (*ret_done)++;
        if (!done)
            unlink(path);
    }
    rt_file_list_free(names, count);
    return status;
}
