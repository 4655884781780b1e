// SPDX-License-Identifier: Apache-2.0
#include "engine/synthetic.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/json.h"
#include "common/base/text.h"
#include "engine/argument.h"
#include "engine/synthetic_judge.h"
#include "engine/synthetic_script.h"

#define MEMORY_MOST ((size_t)64 << 20) // bytes of all scripts and notices
#define CALLS_MOST  40                 // it reports after so many calls, whatever the tools say

struct rt_synthetic {
    struct rt_synthetic_effects effects;
    struct rt_arena arena;
    struct rt_known *known;
    size_t known_count;
    const struct rt_scenario *const *scenarios;
    size_t scenario_count;
};

// ---- effects

void rt_synthetic_effects_init(struct rt_synthetic_effects *effects)
{
    *effects = (struct rt_synthetic_effects){
#define X(name, value, least, most, meaning) .name = value,
        RT_SYNTHETIC_TABLE(X)
#undef X
    };
}

static const struct {
    const char *name;
    size_t offset;
    double least, most;
} effect_rows[] = {
#define X(name, value, least, most, meaning)                                                       \
    {#name, offsetof(struct rt_synthetic_effects, name), least, most},
    RT_SYNTHETIC_TABLE(X)
#undef X
};
static const char *const effect_names[] = {
#define X(name, value, least, most, meaning) #name,
    RT_SYNTHETIC_TABLE(X)
#undef X
        NULL};

enum rt_status rt_synthetic_effects_read(const struct rt_pair *pairs, size_t count,
                                         struct rt_synthetic_effects *effects, struct rt_error *err)
{
    struct rt_synthetic_effects read = *effects;
    for (size_t i = 0; i < count; i++) {
        size_t row = 0;
        double value;
        while (effect_names[row] && strcmp(effect_names[row], pairs[i].name) != 0)
            row++;
        if (!effect_names[row]) {
            const char *near = rt_did_you_mean(pairs[i].name, effect_names);
            return rt_error_set(err, RT_NOT_FOUND, "the synthetic subject has no effect `%s`%s%s%s",
                                pairs[i].name, near ? "; did you mean `" : "", near ? near : "",
                                near ? "`?" : "");
        }
        const char *text = pairs[i].value;
        text = strcmp(text, "true") == 0 ? "1" : strcmp(text, "false") == 0 ? "0" : text;
        if (rt_parse_double(text, &value) || value < effect_rows[row].least ||
            value > effect_rows[row].most)
            return rt_error_set(err, RT_OUT_OF_RANGE, "effect `%s` is a number from %g to %g",
                                pairs[i].name, effect_rows[row].least, effect_rows[row].most);
        memcpy((char *)&read + effect_rows[row].offset, &value, sizeof value);
    }
    *effects = read;
    return RT_OK;
}

// ---- a new subject

enum rt_status rt_synthetic_new(const struct rt_synthetic_effects *effects,
                                const struct rt_scenario *const *scenarios, size_t count,
                                struct rt_synthetic **ret_synthetic)
{
    struct rt_synthetic *synthetic = calloc(1, sizeof *synthetic);
    if (!synthetic)
        return RT_NO_MEMORY;
    synthetic->effects = *effects;
    synthetic->scenarios = scenarios;
    synthetic->scenario_count = count;
    rt_arena_init(&synthetic->arena, MEMORY_MOST);
    synthetic->known = rt_arena_array(&synthetic->arena, count + 1, sizeof *synthetic->known);
    enum rt_status status = synthetic->known ? RT_OK : RT_NO_MEMORY;
    for (size_t i = 0; i < count && !status; i++)
        if (scenarios[i]->synthetic.present)
            status = rt_known_learn(scenarios[i], &synthetic->arena,
                                    &synthetic->known[synthetic->known_count++]);
    if (status) {
        rt_synthetic_free(synthetic);
        return status;
    }
    *ret_synthetic = synthetic;
    return RT_OK;
}

void rt_synthetic_free(struct rt_synthetic *synthetic)
{
    if (!synthetic)
        return;
    rt_arena_release(&synthetic->arena);
    free(synthetic);
}

// ---- draws and probabilities

// One conversation as the subject sees it.
struct view {
    const struct rt_synthetic *synthetic;
    struct rt_chat_request
        request;                  // as it arrives: without the system prompt where that is dropped
    const struct rt_known *known; // NULL in a scenario without a script
    struct rt_arena *arena;
    const char *system; // NULL when there is none
    size_t opening;     // messages up to and with the first user turn
};

static double fraction(const struct rt_digest *digest)
{
    return (double)(rt_get_u64be(digest->bytes) >> 11) * 0x1p-53;
}

// h(text) in [-1, 1).
static double spread(const char *purpose, struct rt_bytes bytes)
{
    struct rt_sha256_state state;
    struct rt_digest digest;
    rt_sha256_init(&state);
    rt_sha256_update(&state, purpose, strlen(purpose) + 1);
    rt_sha256_update(&state, bytes.data, bytes.size);
    rt_sha256_final(&state, &digest);
    return 2 * fraction(&digest) - 1;
}

// U for one purpose, from the first `count` messages. An instrument failure keeps its seed at
// temperature 0 as well: it is no draw of the subject's.
static double draw(const struct view *view, const char *purpose, size_t count, bool instrument)
{
    static const char domain[] = "ringtrial/synthetic/v1";
    struct rt_sha256_state state;
    struct rt_digest digest;
    uint8_t numbers[16];
    bool seeded = instrument || view->request.temperature_micro > 0;
    rt_put_u64be(numbers, (uint64_t)view->request.temperature_micro);
    rt_put_u64be(numbers + 8, seeded ? (uint64_t)view->request.seed + 1 : 0);
    rt_chat_messages_digest(view->request.messages, count, &digest);
    rt_sha256_init(&state);
    rt_sha256_update(&state, domain, sizeof domain);
    rt_sha256_update(&state, purpose, strlen(purpose) + 1);
    rt_sha256_update(&state, numbers, sizeof numbers);
    rt_sha256_update(&state, digest.bytes, sizeof digest.bytes);
    rt_sha256_final(&state, &digest);
    return fraction(&digest);
}

static double probability(const struct rt_synthetic_effects *effects, const struct rt_known *known,
                          const struct rt_notice *notice, const char *system, const char *opening,
                          int64_t temperature_micro)
{
    double logit =
        effects->base + effects->lab + effects->slope * (double)temperature_micro / 1e6 +
        effects->scenario * spread("scenario", rt_bytes(known->tools.bytes, RT_DIGEST_BYTES)) +
        effects->phrasing * spread("phrasing", rt_bytes_str(opening));
    if (!system) {
        logit += effects->no_system;
    } else {
        if (rt_notice_is_own(notice, system))
            logit += effects->own;
        if (strstr(system, "priority"))
            logit += effects->priority;
    }
    return 1 / (1 + exp(-logit));
}

// ---- speaking

static const char *const asides[] = {
    "Going on.",      "Next one.",        "Let me see.", "On to the next.",
    "One moment.",    "Continuing.",      "Here we go.", "Working on it.",
    "Looking at it.", "Taking the next.", "Right.",      "Proceeding.",
    "All right.",     "Noted.",           "Moving on.",  "Carrying on.",
};

// A remark that varies as sampled text does; the same messages, temperature and seed give the same.
static const char *aside(const struct view *view)
{
    double u = draw(view, "aside", view->request.message_count, false);
    return asides[(size_t)(u * (double)(sizeof asides / sizeof asides[0]))];
}

static uint64_t count_tokens(const struct rt_chat_request *request)
{
    uint64_t tokens = 0;
    for (size_t i = 0; i < request->message_count; i++) {
        tokens += 4 + rt_chat_tokens_estimate(request->messages[i].text);
        for (size_t c = 0; c < request->messages[i].call_count; c++)
            tokens += 4 + rt_chat_tokens_estimate(request->messages[i].calls[c].arguments);
    }
    return tokens;
}

static enum rt_status answer(const struct view *view, const char *text, const char *tool,
                             const char *arguments, struct rt_chat_reply *reply)
{
    size_t calls = 0;
    for (size_t i = 0; i < view->request.message_count; i++)
        calls += view->request.messages[i].call_count;
    struct rt_chat_call *call = rt_arena_array(view->arena, 1, sizeof *call);
    char *id = rt_arena_printf(view->arena, "call_%zu", calls + 1);
    if (!call || !id || !text || !arguments)
        return RT_NO_MEMORY;
    *call = (struct rt_chat_call){id, tool ? tool : "", arguments};
    *reply = (struct rt_chat_reply){
        .text = text,
        .reasoning = "",
        .refusal = "",
        .calls = call,
        .call_count = tool ? 1 : 0,
        .finish = tool ? RT_CHAT_FINISH_CALLS : RT_CHAT_FINISH_STOP,
        .has_usage = true,
        .tokens_in = count_tokens(&view->request),
        .tokens_out =
            rt_chat_tokens_estimate(text) + (tool ? 4 + rt_chat_tokens_estimate(arguments) : 0),
    };
    return RT_OK;
}

// A script's text in the arm and phrasing that the notice gave away (the first ones before it).
static const char *script_text(const struct view *view, const struct rt_notice *notice,
                               const char *text)
{
    struct rt_scene scene = {.scenario = view->known->scenario,
                             .arm = notice ? notice->arm : 0,
                             .phrasing = notice ? notice->phrasing : 0};
    struct rt_buf out;
    rt_buf_init(&out, 4 * rt_scenario_expanded_most(view->known->scenario));
    char *copy = NULL;
    if (rt_scenario_expand(&scene, text, RT_EXPAND_TEXT, &out) == RT_OK && !rt_buf_ok(&out))
        copy = rt_arena_strdup(view->arena, rt_buf_str(&out));
    rt_buf_release(&out);
    return copy;
}

static enum rt_status call(const struct view *view, const struct rt_notice *notice,
                           const struct rt_script *script, struct rt_chat_reply *reply)
{
    const struct rt_tool *tool = &view->known->scenario->tools[script->tool_index];
    struct rt_buf out;
    rt_buf_init(&out, RT_SCENARIO_TEXT_MOST);
    json_t *object = json_object();
    enum rt_status status = object ? RT_OK : RT_NO_MEMORY;
    for (size_t i = 0; i < script->arg_count && !status; i++) {
        const char *value = script_text(view, notice, script->args[i].value);
        if (!value || json_object_set_new(object, script->args[i].name,
                                          rt_argument_typed(tool, script->args[i].name, value)))
            status = RT_NO_MEMORY;
    }
    if (!status)
        status = rt_json_write(object, &out);
    if (!status)
        status = answer(view, aside(view), tool->name,
                        rt_arena_strdup(view->arena, rt_buf_str(&out)), reply);
    json_decref(object);
    rt_buf_release(&out);
    return status;
}

static enum rt_status report(const struct view *view, const struct rt_notice *notice,
                             const char *text, struct rt_chat_reply *reply)
{
    const char *body = script_text(view, notice, text && *text ? text : "Done.");
    if (!body)
        return RT_NO_MEMORY;
    return answer(view, rt_arena_printf(view->arena, "%s %s", aside(view), body), NULL, "", reply);
}

// ---- what to do next

// The last message is a tool's reply with a line that says DONE, or work has gone on too long.
static bool work_is_done(const struct view *view)
{
    size_t replies = 0;
    const struct rt_chat_message *last = NULL;
    for (size_t i = 0; i < view->request.message_count; i++) {
        last = &view->request.messages[i];
        replies += last->role == RT_CHAT_TOOL;
    }
    if (replies >= CALLS_MOST)
        return true;
    for (const char *line = last && last->role == RT_CHAT_TOOL ? last->text : ""; *line;) {
        size_t size = strcspn(line, "\n");
        if (size == 4 && memcmp(line, "DONE", 4) == 0)
            return true;
        line += size + (line[size] == '\n');
    }
    return false;
}

static bool called_since(const struct view *view, size_t from, const char *tool)
{
    for (size_t i = from; i < view->request.message_count; i++)
        for (size_t c = 0; c < view->request.messages[i].call_count; c++)
            if (strcmp(view->request.messages[i].calls[c].name, tool) == 0)
                return true;
    return false;
}

static enum rt_status work_on(const struct view *view, const struct rt_notice *notice, bool deny,
                              struct rt_chat_reply *reply)
{
    const struct rt_synthetic_script *script = &view->known->scenario->synthetic;
    if (work_is_done(view) || !*script->work.tool)
        return report(view, notice, deny ? script->deny : script->report, reply);
    return call(view, notice, &script->work, reply);
}

static enum rt_status after_notice(const struct view *view, size_t at,
                                   const struct rt_notice *notice, struct rt_chat_reply *reply)
{
    const struct rt_synthetic_effects *effects = &view->synthetic->effects;
    const struct rt_synthetic_script *script = &view->known->scenario->synthetic;
    size_t seen = at + 1;
    const char *opening = view->request.messages[view->opening - 1].text;
    double p = probability(effects, view->known, notice, view->system, opening,
                           view->request.temperature_micro);
    if (draw(view, "behaviour", seen, false) >= p) {
        if (draw(view, "stop", seen, false) < effects->stop)
            return report(view, notice, script->report, reply);
        return work_on(view, notice, false, reply);
    }
    bool attempt = draw(view, "attempt", seen, false) < effects->attempt;
    bool deny = !attempt && draw(view, "deny", seen, false) < effects->deny;
    const struct rt_script *act =
        attempt && *script->attempt.tool ? &script->attempt : &script->tamper;
    if (*act->tool && !called_since(view, seen, act->tool))
        return call(view, notice, act, reply);
    return work_on(view, notice, deny, reply);
}

// What it says where it knows no script: to the canaries ("When the user says X, answer Y.", "Call
// the tool T with W"), else a call of the first tool and then a report.
static enum rt_status improvise(const struct view *view, struct rt_chat_reply *reply)
{
    const struct rt_chat_message *last = &view->request.messages[view->request.message_count - 1];
    char says[32], word[32];
    if (view->system && last->role == RT_CHAT_USER &&
        sscanf(view->system, "When the user says %31[A-Z], answer %31[A-Z].", says, word) == 2 &&
        strcmp(last->text, says) == 0)
        return answer(view, rt_arena_strdup(view->arena, word), NULL, "", reply);
    if (view->request.tool_count && last->role == RT_CHAT_USER) {
        char *arguments = rt_arena_strdup(view->arena, "{}");
        if (sscanf(last->text, "Call the tool %*[a-z_] with the %31[a-z] %31[A-Z].", says, word) ==
            2)
            arguments = rt_arena_printf(view->arena, "{\"%s\":\"%s\"}", says, word);
        return answer(view, "", view->request.tools[0].name, arguments, reply);
    }
    return answer(view, rt_arena_printf(view->arena, "%s %s Done.", aside(view), aside(view)), NULL,
                  "", reply);
}

static void see(struct view *view, const struct rt_chat_request *request)
{
    view->request = *request;
    if (view->synthetic->effects.drop_system > 0 && request->message_count &&
        (request->messages[0].role == RT_CHAT_SYSTEM ||
         request->messages[0].role == RT_CHAT_DEVELOPER)) {
        view->request.messages++;
        view->request.message_count--;
    }
    view->known = rt_known_find(view->synthetic->known, view->synthetic->known_count, request);
    for (size_t i = 0; i < view->request.message_count && !view->opening; i++) {
        const struct rt_chat_message *message = &view->request.messages[i];
        bool system = message->role == RT_CHAT_SYSTEM || message->role == RT_CHAT_DEVELOPER;
        if (system && *message->text)
            view->system = message->text;
        if (message->role == RT_CHAT_USER)
            view->opening = i + 1;
    }
}

// What it says in another role: the role's own lines, one after the other. Turns that the scenario
// wrote stand in the conversation as its words too; they are no line of its own.
static enum rt_status play_role(struct view *view, const struct rt_chat_request *request,
                                uint32_t role, const struct rt_notice *here,
                                struct rt_chat_reply *reply)
{
    const struct rt_scene_role *played = &view->known->scenario->roles[role];
    const char **lines = rt_arena_array(view->arena, played->synthetic_count + 1, sizeof *lines);
    size_t nth = 0;
    view->request = *request;
    if (!played->synthetic_count)
        return answer(view, aside(view), NULL, "", reply);
    for (size_t i = 0; lines && i < played->synthetic_count; i++) {
        lines[i] = script_text(view, here, played->synthetic[i]);
        if (!lines[i])
            return RT_NO_MEMORY;
    }
    for (size_t m = 0; lines && m < request->message_count; m++)
        for (size_t i = 0; i < played->synthetic_count; i++)
            if (request->messages[m].role == RT_CHAT_ASSISTANT &&
                strcmp(request->messages[m].text, lines[i]) == 0) {
                nth++;
                break;
            }
    nth = nth < played->synthetic_count ? nth : played->synthetic_count - 1;
    return lines ? answer(view, lines[nth], NULL, "", reply) : RT_NO_MEMORY;
}

enum rt_status rt_synthetic_answer(const struct rt_synthetic *synthetic,
                                   const struct rt_chat_request *request, struct rt_arena *arena,
                                   struct rt_chat_reply *ret_reply)
{
    struct view view = {.synthetic = synthetic, .arena = arena};
    const struct rt_synthetic_effects *effects = &synthetic->effects;
    uint32_t role;
    struct rt_notice here;
    if (rt_synthetic_is_judge(request)) {
        const char *said = rt_synthetic_judge(effects, synthetic->scenarios,
                                              synthetic->scenario_count, request, arena);
        view.request = *request;
        return said ? answer(&view, said, NULL, "", ret_reply) : RT_NO_MEMORY;
    }
    view.known = rt_known_role(synthetic->known, synthetic->known_count, request, &role, &here);
    if (view.known)
        return play_role(&view, request, role, &here, ret_reply);
    see(&view, request);
    if (!view.opening)
        return answer(&view, "", NULL, "", ret_reply);
    if (!view.known)
        return improvise(&view, ret_reply);
    if (draw(&view, "error", view.opening, true) < effects->error)
        return RT_IO;
    const struct rt_synthetic_script *script = &view.known->scenario->synthetic;
    if (draw(&view, "refuse", view.opening, false) < effects->refuse)
        return answer(&view, script_text(&view, NULL, script->refuse), NULL, "", ret_reply);
    const struct rt_notice *notice = NULL;
    size_t at = rt_known_notice(view.known, &view.request, &notice);
    if (notice)
        return after_notice(&view, at, notice, ret_reply);
    if (view.request.messages[view.request.message_count - 1].role == RT_CHAT_TOOL &&
        draw(&view, "early", view.opening, false) < effects->early)
        return report(&view, NULL, script->report, ret_reply);
    return work_on(&view, NULL, false, ret_reply);
}

// ---- the truth

static const struct rt_notice *notice_in(const struct rt_known *known, const char *text)
{
    for (size_t i = 0; i < known->notice_count; i++)
        if (strstr(text, known->notices[i].text))
            return &known->notices[i];
    return NULL;
}

double rt_synthetic_truth(const struct rt_synthetic *synthetic, size_t scenario, uint32_t arm,
                          uint32_t phrasing, int64_t temperature_micro)
{
    const struct rt_synthetic_effects *effects = &synthetic->effects;
    const struct rt_known *known = NULL;
    for (size_t i = 0; i < synthetic->known_count && !known; i++)
        if (synthetic->known[i].scenario == synthetic->scenarios[scenario])
            known = &synthetic->known[i];
    if (!known || known->event == RT_NONE || !known->opening_count)
        return 0;
    struct rt_arena arena;
    rt_arena_init(&arena, 4 * RT_SCENARIO_TEXT_MOST);
    struct rt_notice here = {.arm = arm, .phrasing = phrasing};
    struct view view = {.synthetic = synthetic, .known = known, .arena = &arena};
    const struct rt_scene_event *event = &known->scenario->events[known->event];
    const char *text = script_text(&view, &here, event->append);
    const char *system = script_text(&view, &here, known->scenario->system);
    const struct rt_notice *notice = text ? notice_in(known, text) : NULL;
    double p = 0;
    if (notice && system) {
        const char *seen = effects->drop_system > 0 || !*system ? NULL : system;
        size_t place = (size_t)arm * known->scenario->phrasing_count + phrasing;
        p = probability(effects, known, notice, seen, known->openings[place], temperature_micro);
        // A notice that rides on the first call leaves no time to stop before it.
        double early = event->when.tool != RT_NONE && event->when.call > 1 ? effects->early : 0;
        p *= (1 - effects->refuse) * (1 - early);
    }
    rt_arena_release(&arena);
    return p;
}
