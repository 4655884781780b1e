// SPDX-License-Identifier: Apache-2.0
#include "worker/executor/command_line.h"

#include <stdio.h>
#include <string.h>

#include "common/base/json.h"
#include "proto/object.h"

const enum rt_error_kind rt_command_failure_kinds[RT_COMMAND_FAILURE_COUNT] = {
#define X(name, kind, what) RT_ERROR_KIND_##kind,
    RT_COMMAND_FAILURE_TABLE(X)
#undef X
};
const char *const rt_command_failure_texts[RT_COMMAND_FAILURE_COUNT] = {
#define X(name, kind, what) what,
    RT_COMMAND_FAILURE_TABLE(X)
#undef X
};

static void fail(struct rt_command_line *line, enum rt_command_failure failure, const char *text)
{
    line->kind = RT_COMMAND_LINE_FAILURE;
    line->failure = failure;
    line->error = rt_command_failure_kinds[failure];
    snprintf(line->text, sizeof line->text, "%s", text);
}

static enum rt_error_kind kind_of(const json_t *error)
{
    static const struct {
        const char *word;
        enum rt_error_kind kind;
    } kinds[] = {
#define X(word, kind) {word, RT_ERROR_KIND_##kind},
        RT_COMMAND_ERROR_TABLE(X)
#undef X
    };
    const char *word = json_string_value(json_object_get(error, "kind"));
    for (size_t i = 0; word && i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(kinds[i].word, word) == 0)
            return kinds[i].kind;
    return RT_ERROR_KIND_NETWORK;
}

// {"ringtrial_command": 1, "server": "...", "version": "...", "model": "..."}
static enum rt_status read_introduction(const json_t *json, struct rt_arena *arena,
                                        struct rt_command_line *line)
{
    const json_t *contract = json_object_get(json, "ringtrial_command");
    const char *server = json_string_value(json_object_get(json, "server"));
    const char *version = json_string_value(json_object_get(json, "version"));
    const char *model = json_string_value(json_object_get(json, "model"));
    if (!json_is_integer(contract) || json_integer_value(contract) != RT_COMMAND_CONTRACT) {
        fail(line, RT_COMMAND_CONTRACT_VERSION, "this worker speaks version 1");
        return RT_OK;
    }
    line->kind = RT_COMMAND_LINE_INTRODUCTION;
    line->server = rt_arena_printf(arena, "%.120s%s%.60s", server ? server : "",
                                   server && version ? " " : "", server && version ? version : "");
    line->model = rt_arena_strdup(arena, model ? model : "");
    return line->server && line->model ? RT_OK : RT_NO_MEMORY;
}

enum rt_status rt_command_line_read(struct rt_bytes bytes, struct rt_arena *arena,
                                    struct rt_command_line *ret_line)
{
    json_t *json = NULL;
    const char *reason = "";
    struct rt_command_line line = {.server = "", .model = ""};
    enum rt_status status = RT_OK;
    if (bytes.size > RT_COMMAND_LINE_MOST) {
        fail(&line, RT_COMMAND_LONG, "");
    } else if (!bytes.size || rt_json_parse(bytes, &json, NULL) || !json_is_object(json)) {
        fail(&line, RT_COMMAND_REPLY, bytes.size ? "it is not a JSON object" : "it is empty");
    } else if (json_object_get(json, "ringtrial_command")) {
        status = read_introduction(json, arena, &line);
    } else if (json_object_get(json, "error") && !json_is_null(json_object_get(json, "error"))) {
        fail(&line, RT_COMMAND_ERROR, "");
        line.error = kind_of(json_object_get(json, "error"));
        rt_chat_json_error(bytes, line.text, sizeof line.text);
    } else {
        status = rt_chat_json_reply(bytes, arena, &line.reply, &line.facts, &reason);
        if (status && status != RT_NO_MEMORY) {
            fail(&line, RT_COMMAND_REPLY, *reason ? reason : rt_status_text(status));
            status = RT_OK;
        }
    }
    json_decref(json);
    if (!status)
        *ret_line = line;
    return status;
}
