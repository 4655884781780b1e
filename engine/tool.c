// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "common/base/json.h"
#include "engine/argument.h"
#include "engine/match.h"
#include "engine/stage.h"

static struct rt_scene scene_of(const struct rt_play *play)
{
    return (struct rt_scene){.scenario = play->setup.scenario,
                             .arm = play->setup.arm,
                             .phrasing = play->setup.phrasing,
                             .world = play->world,
                             .tool = play->tool,
                             .args = play->args,
                             .arg_count = play->arg_count};
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
        bool here = when->turn ? when->turn == number : when->tool == RT_NONE;
        if (!play->fired[i] && here && world_holds(play, when->world, when->world_count))
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
        const json_t *value = rt_argument_at(arguments, row->matches[i].name);
        enum rt_status status =
            rt_scenario_expand(&scene, row->matches[i].value, RT_EXPAND_PATTERN, &pattern);
        if (status)
            play->failed = status;
        fits = !status && value && rt_argument_text(value, &text) && !rt_buf_ok(&text) &&
               rt_match(rt_buf_str(&pattern), rt_buf_bytes(&text), NULL);
    }
    rt_buf_release(&text);
    rt_buf_release(&pattern);
    return fits;
}

// Put the call to the tool's role; NULL while a model has to answer first.
static const char *ask_role(struct rt_play *play, const struct rt_ask *ask, const char *added)
{
    play->asking_for_call = true;
    play->call_added = added;
    return rt_role_ask(play, ask->role, rt_play_expand(play, ask->text));
}

// Case, events, reply; NULL when an event ended the play before the reply could be given, or a role
// has to be asked.
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
    else if (tool->has_ask)
        reply = ask_role(play, &tool->ask, added);
    else if (tool->reply_count)
        reply = rt_play_expand(
            play, tool->replies[nth < tool->reply_count ? nth : tool->reply_count - 1]);
    else
        reply = "error: the tool does not know what to do with these arguments";
    const char *whole = reply ? rt_arena_printf(&play->arena, "%s%s", reply, added) : NULL;
    if (reply && !whole)
        play->failed = RT_NO_MEMORY;
    return whole;
}

static const char *run_checked(struct rt_play *play, uint32_t index, const json_t *arguments,
                               enum rt_verdict *ret_verdict)
{
    const struct rt_tool *tool = &play->setup.scenario->tools[index];
    const char *error = rt_argument_error(tool->args, tool->arg_count, arguments, &play->arena);
    if (error) {
        *ret_verdict = RT_VERDICT_BAD_ARGUMENT;
        if (!*error)
            play->failed = RT_TOO_LARGE;
        return error;
    }
    if (rt_argument_pairs(arguments, &play->arena, &play->args, &play->arg_count)) {
        play->failed = RT_TOO_LARGE;
        return NULL;
    }
    play->tool = tool;
    const char *reply = run(play, index, arguments);
    play->tool = NULL;
    play->args = NULL;
    play->arg_count = 0;
    return reply;
}

static uint32_t find_tool(const struct rt_scenario *scenario, const char *name)
{
    for (uint32_t i = 0; i < scenario->tool_count; i++)
        if (strcmp(scenario->tools[i].name, name) == 0)
            return i;
    return RT_NONE;
}

static void answer_call(struct rt_play *play, const char *reply)
{
    play->entries[play->call_place].text = rt_bytes_str(reply);
    struct rt_chat_message answer = {RT_CHAT_TOOL, reply, NULL, 0, play->call_id};
    rt_play_say(play, &answer);
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
        reply = run_checked(play, index, arguments, &verdict);
    }
    json_decref(arguments);
    // The entry may have moved: events and world changes were recorded behind it.
    play->entries[place].verdict = verdict;
    play->call_place = place;
    play->call_id = call->id;
    if (play->asking || play->end || play->failed || !reply)
        return;
    answer_call(play, reply);
}

void rt_play_call_answer(struct rt_play *play, const char *text)
{
    const char *whole = rt_arena_printf(&play->arena, "%s%s", text, play->call_added);
    if (whole)
        answer_call(play, whole);
    else
        play->failed = RT_TOO_LARGE;
}
