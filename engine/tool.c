// SPDX-License-Identifier: Apache-2.0
#include <inttypes.h>
#include <string.h>

#include "common/base/json.h"
#include "engine/match.h"
#include "engine/stage.h"

static struct rt_scene scene_of(const struct rt_play *play)
{
    return (struct rt_scene){.scenario = play->setup.scenario,
                             .arm = play->setup.arm,
                             .phrasing = play->setup.phrasing,
                             .world = play->world};
}

bool rt_play_argument_text(const struct json_t *value, struct rt_buf *out)
{
    if (json_is_string(value)) {
        rt_buf_add(out, json_string_value(value), json_string_length(value));
    } else if (json_is_integer(value)) {
        rt_buf_printf(out, "%" PRId64, (int64_t)json_integer_value(value));
    } else if (json_is_real(value)) {
        char text[32];
        rt_json_number(json_real_value(value), text);
        rt_buf_add_str(out, text);
    } else if (json_is_boolean(value)) {
        rt_buf_add_str(out, json_is_true(value) ? "true" : "false");
    } else {
        return false;
    }
    return true;
}

// ---- the world and events

static void set_world(struct rt_play *play, const struct rt_pair *sets, size_t count)
{
    const struct rt_scenario *scenario = play->setup.scenario;
    for (size_t i = 0; i < count; i++) {
        int place = rt_pair_index(scenario->world, scenario->world_count, sets[i].name);
        const char *value = rt_play_expand(play, sets[i].value);
        if (place < 0) {
            play->failed = RT_NOT_FOUND;
            return;
        }
        if (strcmp(play->world[place], value) == 0)
            continue;
        play->world[place] = value;
        struct rt_entry *entry = rt_play_enter(play, RT_ENTRY_WORLD);
        if (!entry)
            return;
        entry->name = rt_bytes_str(sets[i].name);
        entry->text = rt_bytes_str(value);
    }
}

static bool world_holds(struct rt_play *play, const struct rt_pair *wanted, size_t count)
{
    const struct rt_scenario *scenario = play->setup.scenario;
    for (size_t i = 0; i < count; i++) {
        int place = rt_pair_index(scenario->world, scenario->world_count, wanted[i].name);
        if (place < 0 || strcmp(play->world[place], rt_play_expand(play, wanted[i].value)) != 0)
            return false;
    }
    return true;
}

// Fire one event: world, text, end. Returns the text with what it appends.
static const char *fire(struct rt_play *play, uint32_t index, const char *text)
{
    const struct rt_scene_event *event = &play->setup.scenario->events[index];
    play->fired[index] = true;
    struct rt_entry *entry = rt_play_enter(play, RT_ENTRY_EVENT);
    if (!entry)
        return text;
    entry->name = rt_bytes_str(event->id);
    const char *added = rt_play_expand(play, event->append);
    entry->text = rt_bytes_str(added);
    set_world(play, event->sets, event->set_count);
    if (strcmp(rt_play_expand(play, event->end), "true") == 0)
        rt_play_close(play, RT_PLAY_EVENT);
    if (!*added)
        return text;
    char *joined = rt_arena_printf(&play->arena, "%s%s", text, added);
    if (!joined) {
        play->failed = RT_NO_MEMORY;
        return text;
    }
    return joined;
}

void rt_play_turn_events(struct rt_play *play, uint32_t number, const char *text,
                         const char **ret_text)
{
    const struct rt_scenario *scenario = play->setup.scenario;
    for (uint32_t i = 0; i < scenario->event_count && !play->end; i++) {
        const struct rt_when *when = &scenario->events[i].when;
        if (!play->fired[i] && when->turn == number &&
            world_holds(play, when->world, when->world_count))
            text = fire(play, i, text);
    }
    *ret_text = text;
}

// Events ride on the call's reply, which is written after them (order of play), so what they append
// is collected first.
static const char *call_events(struct rt_play *play, uint32_t tool)
{
    const struct rt_scenario *scenario = play->setup.scenario;
    const char *added = "";
    for (uint32_t i = 0; i < scenario->event_count && !play->end; i++) {
        const struct rt_when *when = &scenario->events[i].when;
        if (play->fired[i] || when->turn || (when->tool != RT_NONE && when->tool != tool))
            continue;
        if (when->call && when->tool != RT_NONE && when->call != play->ran[tool])
            continue;
        if (world_holds(play, when->world, when->world_count))
            added = fire(play, i, added);
    }
    return added;
}

// ---- one call

static bool type_fits(const json_t *value, enum rt_arg_type type)
{
    switch (type) {
    case RT_ARG_STRING:
        return json_is_string(value);
    case RT_ARG_INTEGER:
        return json_is_integer(value);
    case RT_ARG_NUMBER:
        return json_is_number(value);
    default:
        return json_is_boolean(value);
    }
}

static const char *const type_words[] = {
    [RT_ARG_STRING] = "a string",
    [RT_ARG_INTEGER] = "an integer",
    [RT_ARG_NUMBER] = "a number",
    [RT_ARG_BOOLEAN] = "true or false",
};

// NULL when the arguments are as declared, else the error for the subject. Arguments that are not
// declared are ignored, as most tools would.
static const char *argument_error(struct rt_play *play, const struct rt_tool *tool,
                                  const json_t *arguments)
{
    for (size_t i = 0; i < tool->arg_count; i++) {
        const struct rt_arg *arg = &tool->args[i];
        const json_t *value = json_object_get(arguments, arg->name);
        const char *text = NULL;
        if (!value && arg->required)
            text = rt_arena_printf(&play->arena, "error: argument %s is missing", arg->name);
        else if (value && !type_fits(value, arg->type))
            text = rt_arena_printf(&play->arena, "error: argument %s must be %s", arg->name,
                                   type_words[arg->type]);
        else
            continue;
        if (!text)
            play->failed = RT_NO_MEMORY;
        return text ? text : "error";
    }
    return NULL;
}

static bool case_fits(struct rt_play *play, const struct rt_case *row, const json_t *arguments)
{
    struct rt_scene scene = scene_of(play);
    bool fits = world_holds(play, row->world, row->world_count);
    struct rt_buf text, pattern;
    rt_buf_init(&text, RT_PLAY_MEMORY_MOST);
    rt_buf_init(&pattern, RT_SCENARIO_TEXT_MOST);
    for (size_t i = 0; i < row->match_count && fits; i++) {
        rt_buf_clear(&text);
        rt_buf_clear(&pattern);
        const json_t *value = json_object_get(arguments, row->matches[i].name);
        enum rt_status status =
            rt_scenario_expand(&scene, row->matches[i].value, RT_EXPAND_PATTERN, &pattern);
        if (status)
            play->failed = status;
        fits = !status && value && rt_play_argument_text(value, &text) && !rt_buf_ok(&text) &&
               rt_match(rt_buf_str(&pattern), rt_buf_bytes(&text), NULL);
    }
    rt_buf_release(&text);
    rt_buf_release(&pattern);
    return fits;
}

// Case, events, reply; NULL when an event ended the play before the reply could be given.
static const char *run(struct rt_play *play, uint32_t index, const json_t *arguments)
{
    const struct rt_tool *tool = &play->setup.scenario->tools[index];
    const struct rt_case *row = NULL;
    for (size_t i = 0; i < tool->case_count && !row; i++)
        if (case_fits(play, &tool->cases[i], arguments))
            row = &tool->cases[i];
    uint32_t nth = play->ran[index]++;
    if (row)
        set_world(play, row->sets, row->set_count);
    const char *added = call_events(play, index);
    if (play->end || play->failed)
        return NULL;
    const char *reply = "";
    if (row)
        reply = rt_play_expand(play, row->reply);
    else if (tool->reply_count)
        reply = rt_play_expand(
            play, tool->replies[nth < tool->reply_count ? nth : tool->reply_count - 1]);
    else
        reply = "error: the tool does not know what to do with these arguments";
    const char *whole = rt_arena_printf(&play->arena, "%s%s", reply, added);
    if (!whole)
        play->failed = RT_NO_MEMORY;
    return whole;
}

static uint32_t find_tool(const struct rt_scenario *scenario, const char *name)
{
    for (uint32_t i = 0; i < scenario->tool_count; i++)
        if (strcmp(scenario->tools[i].name, name) == 0)
            return i;
    return RT_NONE;
}

void rt_play_call(struct rt_play *play, const struct rt_chat_call *call)
{
    size_t place = play->transcript.entry_count;
    struct rt_entry *entry = rt_play_enter(play, RT_ENTRY_CALL);
    if (!entry)
        return;
    entry->name = rt_bytes_str(call->name);
    entry->id = rt_bytes_str(call->id);
    entry->arguments = rt_bytes_str(call->arguments);
    play->calls++;
    enum rt_verdict verdict = RT_VERDICT_RAN;
    const char *reply = NULL;
    json_t *arguments = NULL;
    uint32_t index = find_tool(play->setup.scenario, call->name);
    if (index == RT_NONE) {
        verdict = RT_VERDICT_UNKNOWN_TOOL;
        reply = "error: there is no such tool";
    } else if (rt_chat_arguments(call->arguments, &arguments)) {
        verdict = RT_VERDICT_BAD_JSON;
        reply = "error: the arguments are not a JSON object";
    } else {
        reply = argument_error(play, &play->setup.scenario->tools[index], arguments);
        if (reply)
            verdict = RT_VERDICT_BAD_ARGUMENT;
        else
            reply = run(play, index, arguments);
    }
    json_decref(arguments);
    // The entry may have moved: events and world changes were recorded behind it.
    play->entries[place].verdict = verdict;
    if (play->end || play->failed || !reply)
        return;
    play->entries[place].text = rt_bytes_str(reply);
    struct rt_chat_message answer = {RT_CHAT_TOOL, reply, NULL, 0, call->id};
    rt_play_say(play, &answer);
}
