// SPDX-License-Identifier: Apache-2.0
// Traces of an Inspect log as scenarios: what the subject was asked, the tools it had with what
// they answered, and the original outcomes in the record. Repetitions of a sample are one prompt.
#include <stdio.h>

#include "interop/import.h"
#include "interop/inspect_read.h"

#define TOOLS_MOST   32
#define REPLIES_MOST 256

struct traces {
    struct rt_import *import;
    json_t *seen; // ids of samples taken
    struct rt_arena scratch;
};

static const char *keep(struct rt_import *import, const char *text, size_t most)
{
    return rt_arena_strndup(&import->arena, text ? text : "", strnlen(text ? text : "", most));
}

static const char *text_at(const json_t *json, const char *key)
{
    const char *text = json_string_value(json_object_get(json, key));
    return text ? text : "";
}

// ---- tools

static bool name_fits(const char *name)
{
    size_t size = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-");
    return size && size <= 64 && !name[size];
}

static enum rt_status take_args(struct traces *traces, const json_t *parameters, const char *place,
                                struct rt_import_tool *tool)
{
    static const char *const types[] = {"string", "integer", "number", "boolean",
                                        "object", "array",   NULL};
    json_t *properties = json_object_get(parameters, "properties"), *value;
    json_t *required = json_object_get(parameters, "required");
    const char *key;
    struct rt_import *import = traces->import;
    tool->args =
        rt_arena_array(&import->arena, json_object_size(properties) + 1, sizeof *tool->args);
    if (!tool->args)
        return RT_NO_MEMORY;
    json_object_foreach(properties, key, value)
    {
        const char *const *type = types;
        while (*type && strcmp(*type, text_at(value, "type")))
            type++;
        if (!name_fits(key) || !*type || tool->arg_count == 32) {
            rt_import_note(import, "argument", key,
                           "left out of its tool: its type or name is none that scenarios have",
                           place);
            continue;
        }
        struct rt_import_arg *arg = &tool->args[tool->arg_count++];
        arg->name = keep(import, key, 64);
        arg->type = *type;
        arg->description = keep(import, text_at(value, "description"), 1000);
        for (size_t i = 0; i < json_array_size(required); i++)
            arg->required |= json_is_string(json_array_get(required, i)) &&
                             !strcmp(json_string_value(json_array_get(required, i)), key);
        if (!arg->name || !arg->description)
            return RT_NO_MEMORY;
    }
    return RT_OK;
}

static struct rt_import_tool *find_tool(struct rt_import_item *item, const char *name)
{
    for (size_t i = 0; i < item->tool_count; i++)
        if (!strcmp(item->tools[i].name, name))
            return &item->tools[i];
    return NULL;
}

static enum rt_status take_tools(struct traces *traces, const json_t *event, const char *place,
                                 struct rt_import_item *item)
{
    struct rt_import *import = traces->import;
    size_t i;
    json_t *info;
    json_array_foreach(json_object_get(event, "tools"), i, info)
    {
        const char *name = text_at(info, "name");
        if (find_tool(item, name))
            continue;
        if (!name_fits(name) || item->tool_count == TOOLS_MOST) {
            rt_import_note(import, "tool", name, "left out: its name does not fit, or over 32",
                           place);
            continue;
        }
        struct rt_import_tool *tool = &item->tools[item->tool_count++];
        tool->name = keep(import, name, 64);
        tool->description = keep(import, text_at(info, "description"), 4000);
        tool->replies = rt_arena_array(&import->arena, REPLIES_MOST, sizeof *tool->replies);
        enum rt_status status =
            tool->name && tool->description && tool->replies ? RT_OK : RT_NO_MEMORY;
        if (!status)
            status = take_args(traces, json_object_get(info, "parameters"), place, tool);
        if (status)
            return status;
    }
    return RT_OK;
}

static enum rt_status take_reply(struct traces *traces, const json_t *event, const char *place,
                                 struct rt_import_item *item)
{
    struct rt_import *import = traces->import;
    struct rt_import_tool *tool = find_tool(item, text_at(event, "function"));
    const json_t *result = json_object_get(event, "result");
    if (!tool || tool->reply_count == REPLIES_MOST) {
        rt_import_note(import, "call", text_at(event, "function"),
                       "its answer is kept in import.jsonl alone", place);
        return RT_OK;
    }
    struct rt_buf text;
    rt_buf_init(&text, 65536);
    if (json_is_string(result))
        rt_buf_add_str(&text, json_string_value(result));
    else if (result && !json_is_null(result) && rt_json_write(result, &text))
        rt_buf_clear(&text);
    if (rt_buf_ok(&text))
        rt_import_note(import, "call", tool->name, "its answer is cut at 64 KiB", place);
    tool->replies[tool->reply_count] = keep(import, rt_buf_str(&text), 65000);
    rt_buf_release(&text);
    return tool->replies[tool->reply_count++] ? RT_OK : RT_NO_MEMORY;
}

static enum rt_status take_events(struct traces *traces, const json_t *sample, const char *place,
                                  struct rt_import_item *item)
{
    size_t i;
    json_t *event;
    enum rt_status status = RT_OK;
    item->tools = rt_arena_array(&traces->import->arena, TOOLS_MOST, sizeof *item->tools);
    if (!item->tools)
        return RT_NO_MEMORY;
    json_array_foreach(json_object_get(sample, "events"), i, event)
    {
        const char *kind = text_at(event, "event");
        static const char *const plain[] = {"sample_init", "info",     "score", "span_begin",
                                            "span_end",    "approval", NULL};
        const char *const *known = plain;
        while (*known && strcmp(*known, kind))
            known++;
        if (!status && !strcmp(kind, "model"))
            status = take_tools(traces, event, place, item);
        else if (!status && !strcmp(kind, "tool"))
            status = take_reply(traces, event, place, item);
        else if (!*known)
            rt_import_note(traces->import, "event", kind, "kept in import.jsonl alone", place);
    }
    return status;
}

// ---- outcomes and names

static enum rt_status take_scores(struct traces *traces, const json_t *sample, const char *place,
                                  const char *id, struct rt_import_item *item)
{
    struct rt_import *import = traces->import;
    const char *name, *text = "";
    json_t *score;
    json_object_foreach(json_object_get(sample, "scores"), name, score)
    {
        const json_t *value = json_object_get(score, "value");
        struct rt_buf out;
        rt_buf_init(&out, 4096);
        if (json_is_string(value))
            rt_buf_add_str(&out, json_string_value(value));
        else if (rt_json_write(value ? value : json_null(), &out))
            rt_buf_clear(&out);
        text = rt_arena_printf(&import->arena, "%s; original %.40s: %.60s", text, name,
                               rt_buf_str(&out));
        rt_buf_release(&out);
        if (!text)
            return RT_NO_MEMORY;
        rt_import_note(import, "score", name,
                       "original outcomes: in `provenance` and in import.jsonl", place);
    }
    item->provenance = rt_arena_printf(&import->arena, "imported from %.60s, sample %.40s%.120s",
                                       import->source, id, text);
    return item->provenance ? RT_OK : RT_NO_MEMORY;
}

// A sample of our own logs says which phrasing of which scenario it is.
static enum rt_status take_own(struct traces *traces, const json_t *sample, const char *place,
                               struct rt_import_item *item, struct rt_error *err)
{
    struct rt_interop_trial trial;
    rt_arena_clear(&traces->scratch);
    enum rt_status status = rt_inspect_trial(sample, &traces->scratch, &trial);
    if (status == RT_UNSUPPORTED)
        return RT_OK;
    if (status)
        return rt_error_set(err, status, "%s: its `metadata.ringtrial` is damaged", place);
    struct rt_import *import = traces->import;
    item->key = rt_arena_printf(&import->arena, "%s.%s", trial.scenario, trial.arm);
    item->phrasing = keep(import, trial.phrasing, 64);
    item->lang = keep(import, trial.lang, 35);
    if (!item->key || !item->phrasing || !item->lang)
        return rt_error_set(err, RT_NO_MEMORY, "%s", place);
    if (trial.transcript && rt_interop_check_commitment(&trial)) {
        import->damaged++;
        rt_import_note(import, "trial", item->key, "its transcript is not the committed one",
                       place);
    } else if (trial.transcript) {
        import->verified++;
    }
    return RT_OK;
}

static const char *id_of(struct rt_import *import, const json_t *sample)
{
    const json_t *id = json_object_get(sample, "id");
    if (json_is_integer(id))
        return rt_arena_printf(&import->arena, "%lld", (long long)json_integer_value(id));
    return json_is_string(id) ? rt_arena_strdup(&import->arena, json_string_value(id)) : NULL;
}

// The record: the sample without what is said twice or more in it.
static json_t *record_of(const json_t *sample)
{
    static const char *const bulky[] = {"events", "attachments", "events_data", NULL};
    json_t *record = json_object(), *whole = json_pack("{s:O}", "sample", sample);
    if (record && whole)
        json_object_update(record, json_object_get(whole, "sample"));
    for (const char *const *key = bulky; record && *key; key++)
        json_object_del(record, *key);
    json_decref(whole);
    return record;
}

static void note_fields(struct traces *traces, const json_t *sample, const char *place)
{
    static const char *const fields[] = {"choices", "files", "setup", "sandbox", NULL};
    for (const char *const *key = fields; *key; key++) {
        const json_t *value = json_object_get(sample, *key);
        if (value && !json_is_null(value))
            rt_import_note(traces->import, "field", *key, "kept in import.jsonl alone", place);
    }
    const json_t *target = json_object_get(sample, "target");
    if (json_array_size(target) || (json_is_string(target) && *json_string_value(target)))
        rt_import_note(traces->import, "field", "target", "kept in import.jsonl alone", place);
}

static enum rt_status on_sample(void *ctx, const json_t *header, const json_t *sample,
                                const char *where, struct rt_error *err)
{
    struct traces *traces = ctx;
    struct rt_import *import = traces->import;
    const char *place = rt_arena_strdup(&import->arena, where), *id = id_of(import, sample);
    struct rt_import_item item = {.place = place,
                                  .key = id,
                                  .phrasing = "",
                                  .lang = "",
                                  .expect = "",
                                  .example = "",
                                  .type = "trace",
                                  .objective = "",
                                  .rubric = ""};
    (void)header;
    if (!place || !id)
        return rt_error_set(err, RT_MALFORMED, "%s: a sample has no `id`", where);
    enum rt_status status = take_own(traces, sample, place, &item, err);
    if (status)
        return status;
    if (json_object_get(traces->seen, id)) {
        rt_import_note(import, "epoch", "repetitions", "of a prompt that is taken already", place);
        return RT_OK;
    }
    json_object_set_new(traces->seen, id, json_true());
    const json_t *input = json_object_get(sample, "input");
    if (json_is_string(input) && !*json_string_value(input)) {
        rt_import_note(import, "sample", "without input", "left out: nothing was recorded", place);
        return RT_OK;
    }
    status = rt_import_messages(import, input, place, &item, err);
    if (!status && ((status = take_events(traces, sample, place, &item)) ||
                    (status = take_scores(traces, sample, place, id, &item))))
        rt_error_set(err, status, "%s", place);
    if (status)
        return status;
    note_fields(traces, sample, place);
    item.record = record_of(sample);
    status = rt_import_add(import, &item, err);
    json_decref(item.record);
    return status;
}

static enum rt_status finish(struct traces *traces, enum rt_status status, const char *name,
                             struct rt_error *err)
{
    json_decref(traces->seen);
    rt_arena_release(&traces->scratch);
    if (!status && !traces->import->item_count)
        status = rt_error_set(
            err, RT_MALFORMED,
            "%s: no sample in it says what was asked (a log without transcripts?)", name);
    return status;
}

enum rt_status rt_import_log(struct rt_import *import, const char *path, struct rt_error *err)
{
    struct traces traces = {.import = import, .seen = json_object()};
    const char *slash = strrchr(path, '/');
    import->source = slash ? slash + 1 : path;
    rt_arena_init(&traces.scratch, (size_t)256 << 20);
    return finish(&traces, rt_inspect_read(path, on_sample, &traces, err), path, err);
}

enum rt_status rt_import_log_memory(struct rt_import *import, const char *name,
                                    struct rt_bytes bytes, struct rt_error *err)
{
    struct traces traces = {.import = import, .seen = json_object()};
    import->source = name;
    rt_arena_init(&traces.scratch, (size_t)256 << 20);
    return finish(&traces, rt_inspect_read_memory(name, bytes, on_sample, &traces, err), name, err);
}
