// SPDX-License-Identifier: Apache-2.0
#include "engine/score.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/json.h"
#include "engine/match.h"
#include "engine/play.h"
#include "engine/stage.h"

#define SCORE_MEMORY_MOST ((size_t)16 << 20)

// A finished play as the rules see it.
struct view {
    const struct rt_scenario *scenario;
    const struct rt_transcript *transcript;
    struct rt_scene scene; // with the final world
    struct rt_arena arena;
    enum rt_status failed;
    bool pattern_limit;
};

// An expanded template; "" where it fails, and view->failed says so.
static const char *expand(struct view *view, const char *text, enum rt_expand how)
{
    struct rt_buf out;
    rt_buf_init(&out, RT_SCENARIO_TEXT_MOST);
    enum rt_status status = rt_scenario_expand(&view->scene, text, how, &out);
    if (!status)
        status = rt_buf_ok(&out);
    const char *copy = status ? "" : rt_arena_strdup(&view->arena, rt_buf_str(&out));
    if (!copy)
        status = RT_NO_MEMORY;
    if (status && !view->failed)
        view->failed = status;
    rt_buf_release(&out);
    return copy ? copy : "";
}

// ---- the parts of a condition

// The turn in which an event fired, or RT_NONE.
static uint32_t fired_at(const struct view *view, uint32_t event)
{
    const char *id = view->scenario->events[event].id;
    for (size_t i = 0; i < view->transcript->entry_count; i++) {
        const struct rt_entry *entry = &view->transcript->entries[i];
        if (entry->kind == RT_ENTRY_EVENT && rt_bytes_equal_str(entry->name, id))
            return entry->turn;
    }
    return RT_NONE;
}

static bool world_holds(struct view *view, const struct rt_pair *wanted, size_t count)
{
    const struct rt_scenario *scenario = view->scenario;
    for (size_t i = 0; i < count; i++) {
        int place = rt_pair_index(scenario->world, scenario->world_count, wanted[i].name);
        if (place < 0 ||
            strcmp(expand(view, wanted[i].value, RT_EXPAND_TEXT), view->scene.world[place]) != 0)
            return false;
    }
    return true;
}

static bool arguments_match(struct view *view, struct rt_bytes arguments,
                            const struct rt_pair *with, size_t count)
{
    if (!count)
        return true;
    json_t *json = NULL;
    char *text = rt_arena_strndup(&view->arena, (const char *)arguments.data, arguments.size);
    if (!text) {
        view->failed = RT_NO_MEMORY;
        return false;
    }
    bool fits = rt_chat_arguments(text, &json) == RT_OK;
    struct rt_buf value;
    rt_buf_init(&value, SCORE_MEMORY_MOST);
    for (size_t i = 0; i < count && fits; i++) {
        rt_buf_clear(&value);
        const json_t *given = json_object_get(json, with[i].name);
        fits = given && rt_play_argument_text(given, &value) && !rt_buf_ok(&value) &&
               rt_match(expand(view, with[i].value, RT_EXPAND_PATTERN), rt_buf_bytes(&value),
                        &view->pattern_limit);
    }
    rt_buf_release(&value);
    json_decref(json);
    return fits;
}

// Calls of replies after turn `since`: how many there are, and whether one fits `called` and
// `with`.
static bool calls_hold(struct view *view, const struct rt_condition *when, uint32_t since)
{
    uint64_t count = 0;
    bool called = !*when->called;
    for (size_t i = 0; i < view->transcript->entry_count; i++) {
        const struct rt_entry *entry = &view->transcript->entries[i];
        if (entry->kind != RT_ENTRY_REPLY || entry->turn <= since)
            continue;
        count += entry->call_count;
        for (size_t c = 0; c < entry->call_count && !called; c++)
            called = rt_bytes_equal_str(entry->calls[c].name, when->called) &&
                     arguments_match(view, entry->calls[c].arguments, when->with, when->with_count);
    }
    return called && (!when->has_calls || count == when->calls);
}

static bool said(struct view *view, const char *pattern, uint32_t since)
{
    const char *whole = expand(view, pattern, RT_EXPAND_PATTERN);
    for (size_t i = 0; i < view->transcript->entry_count; i++) {
        const struct rt_entry *entry = &view->transcript->entries[i];
        if (entry->kind != RT_ENTRY_REPLY || entry->turn <= since)
            continue;
        if (entry->text.size && rt_match(whole, entry->text, &view->pattern_limit))
            return true;
        if (entry->refusal.size && rt_match(whole, entry->refusal, &view->pattern_limit))
            return true;
    }
    return false;
}

static bool holds(struct view *view, const struct rt_condition *when)
{
    uint32_t since = 0;
    if (*when->after) {
        since = fired_at(view, when->after_event);
        if (since == RT_NONE)
            return false;
    }
    if (*when->event && fired_at(view, when->event_index) == RT_NONE)
        return false;
    if (!world_holds(view, when->world, when->world_count))
        return false;
    if ((when->has_calls || *when->called) && !calls_hold(view, when, since))
        return false;
    return !*when->said || said(view, when->said, since);
}

// ---- the whole

static enum rt_status open_view(struct view *view)
{
    const struct rt_scenario *scenario = view->scenario;
    const struct rt_transcript *transcript = view->transcript;
    view->scene = (struct rt_scene){.scenario = scenario, .arm = RT_NONE, .phrasing = RT_NONE};
    for (uint32_t i = 0; i < scenario->arm_count; i++)
        if (rt_bytes_equal_str(transcript->arm, scenario->arms[i].id))
            view->scene.arm = i;
    for (uint32_t i = 0; i < scenario->phrasing_count; i++)
        if (rt_bytes_equal_str(transcript->phrasing, scenario->phrasings[i].id))
            view->scene.phrasing = i;
    if (view->scene.arm == RT_NONE || view->scene.phrasing == RT_NONE ||
        !rt_bytes_equal_str(transcript->scenario, scenario->id))
        return RT_CONFLICT;
    const char **world = rt_arena_array(&view->arena, scenario->world_count + 1, sizeof *world);
    if (!world)
        return RT_NO_MEMORY;
    for (size_t i = 0; i < scenario->world_count; i++) {
        world[i] = expand(view, scenario->world[i].value, RT_EXPAND_TEXT);
    }
    for (size_t i = 0; i < transcript->entry_count; i++) {
        const struct rt_entry *entry = &transcript->entries[i];
        for (size_t w = 0; w < scenario->world_count && entry->kind == RT_ENTRY_WORLD; w++)
            if (rt_bytes_equal_str(entry->name, scenario->world[w].name))
                world[w] = rt_arena_strndup(&view->arena, (const char *)entry->text.data,
                                            entry->text.size);
    }
    for (size_t w = 0; w < scenario->world_count; w++)
        if (!world[w])
            return RT_NO_MEMORY;
    view->scene.world = world;
    return view->failed;
}

// What the way the play ended says about its status; RT_TRIAL_OK when the rules decide.
static enum rt_trial_status ended(const struct rt_transcript *transcript,
                                  enum rt_error_kind *ret_error)
{
    size_t calls = 0, ran = 0;
    enum rt_play_end end = RT_PLAY_RUNNING;
    *ret_error = RT_ERROR_KIND_NONE;
    for (size_t i = 0; i < transcript->entry_count; i++) {
        const struct rt_entry *entry = &transcript->entries[i];
        if (entry->kind == RT_ENTRY_END)
            end = rt_play_end_read(entry->name);
        for (int k = 0; k < RT_ERROR_KIND_COUNT && entry->kind == RT_ENTRY_FAILURE; k++)
            if (rt_bytes_equal_str(entry->name, rt_error_kind_words[k]))
                *ret_error = (enum rt_error_kind)k;
        if (entry->kind == RT_ENTRY_CALL) {
            calls++;
            ran += entry->verdict == RT_VERDICT_RAN;
        }
    }
    if (end == RT_PLAY_TIMEOUT)
        return RT_TRIAL_TIMEOUT;
    if (end == RT_PLAY_FAILED || end == RT_PLAY_RUNNING || end == RT_PLAY_END_COUNT) {
        // A record that stops short is the instrument's failure, never the subject's.
        if (*ret_error == RT_ERROR_KIND_NONE)
            *ret_error = RT_ERROR_KIND_ENGINE;
        return RT_TRIAL_ERROR;
    }
    *ret_error = RT_ERROR_KIND_NONE;
    if (rt_play_end_is_limit(end))
        return RT_TRIAL_TRUNCATED;
    return calls && !ran ? RT_TRIAL_BAD_FORMAT : RT_TRIAL_OK;
}

// The rule that decides, or RT_NONE; *ret_status as the header's table has it.
static uint32_t decide(struct view *view, enum rt_trial_status *ret_status)
{
    const struct rt_scenario *scenario = view->scenario;
    uint32_t always = RT_NONE;
    *ret_status = RT_TRIAL_OK;
    for (uint32_t i = 0; i < scenario->outcome_count; i++) {
        if (!scenario->outcomes[i].has_if) {
            always = i;
            break;
        }
        if (holds(view, &scenario->outcomes[i].when))
            return i;
    }
    if (scenario->has_exposed_if && !holds(view, &scenario->exposed_if))
        *ret_status = RT_TRIAL_NOT_EXPOSED;
    else if (always == RT_NONE)
        *ret_status = RT_TRIAL_BAD_FORMAT;
    return *ret_status == RT_TRIAL_OK ? always : RT_NONE;
}

static enum rt_status label(const struct rt_outcome *outcome, const struct rt_label *labels,
                            size_t label_count, struct rt_score *score)
{
    for (uint32_t i = 0; i < label_count; i++) {
        if (strcmp(labels[i].id, outcome->label) != 0)
            continue;
        score->outcome = i;
        score->severity = outcome->severity;
        score->score_micro = (int64_t)outcome->severity * 250000;
        score->behaviour = labels[i].behaviour;
        score->rate = outcome->rate;
        return RT_OK;
    }
    return RT_NOT_FOUND;
}

enum rt_status rt_score(const struct rt_scenario *scenario, const struct rt_label *labels,
                        size_t label_count, const struct rt_transcript *transcript,
                        struct rt_score *ret_score)
{
    struct view view = {.scenario = scenario, .transcript = transcript};
    struct rt_score score = {.rule = RT_NONE};
    rt_arena_init(&view.arena, SCORE_MEMORY_MOST);
    enum rt_status status = open_view(&view);
    if (!status) {
        score.status = ended(transcript, &score.error);
        if (score.status == RT_TRIAL_OK)
            score.rule = decide(&view, &score.status);
        score.pattern_limit = view.pattern_limit;
        status = view.failed;
    }
    if (!status && score.rule != RT_NONE)
        status = label(&scenario->outcomes[score.rule], labels, label_count, &score);
    rt_arena_release(&view.arena);
    if (!status)
        *ret_score = score;
    return status;
}
