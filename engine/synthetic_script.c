// SPDX-License-Identifier: Apache-2.0
#include "engine/synthetic_script.h"

#include <string.h>

#define NAME_LEAST 3 // bytes: shorter values ("", "on") name nobody

void rt_known_tools(const char *const *names, size_t count, struct rt_digest *ret_digest)
{
    // Order-free without sorting: a sum of hashes over the set.
    uint64_t sum[4] = {0, 0, 0, 0};
    for (size_t i = 0; i < count; i++) {
        struct rt_digest one;
        rt_sha256(rt_bytes_str(names[i]), &one);
        for (int w = 0; w < 4; w++)
            sum[w] += rt_get_u64be(one.bytes + 8 * w);
    }
    for (int w = 0; w < 4; w++)
        rt_put_u64be(ret_digest->bytes + 8 * w, sum[w]);
}

static enum rt_status expand(const struct rt_scenario *scenario, uint32_t arm, uint32_t phrasing,
                             const char *text, struct rt_arena *arena, const char **ret_text)
{
    struct rt_scene scene = {.scenario = scenario, .arm = arm, .phrasing = phrasing};
    struct rt_buf out;
    rt_buf_init(&out, 4 * rt_scenario_expanded_most(scenario));
    enum rt_status status = rt_scenario_expand(&scene, text, RT_EXPAND_TEXT, &out);
    if (!status)
        status = rt_buf_ok(&out);
    if (!status) {
        const char *start = rt_buf_str(&out);
        *ret_text = rt_arena_strdup(arena, start + strspn(start, " \t\r\n"));
        status = *ret_text ? RT_OK : RT_NO_MEMORY;
    }
    rt_buf_release(&out);
    return status;
}

// The event whose text is the notice: the one exposure is judged by, else the first with a text.
static uint32_t notice_event(const struct rt_scenario *scenario)
{
    if (scenario->has_exposed_if && *scenario->exposed_if.event &&
        *scenario->events[scenario->exposed_if.event_index].append)
        return scenario->exposed_if.event_index;
    for (uint32_t i = 0; i < scenario->event_count; i++)
        if (*scenario->events[i].append)
            return i;
    return RT_NONE;
}

static bool varies(const struct rt_scenario *scenario, const struct rt_pair *var)
{
    for (size_t i = 0; i < scenario->arm_count; i++) {
        const char *other =
            rt_pair_value(scenario->arms[i].vars, scenario->arms[i].var_count, var->name);
        if (!other || strcmp(other, var->value) != 0)
            return true;
    }
    return false;
}

static void find_names(const struct rt_scenario *scenario, struct rt_notice *notice)
{
    const struct rt_arm *arm = &scenario->arms[notice->arm];
    size_t most = sizeof notice->names / sizeof notice->names[0];
    for (size_t i = 0; i < arm->var_count && notice->name_count < most; i++)
        if (strlen(arm->vars[i].value) >= NAME_LEAST && varies(scenario, &arm->vars[i]) &&
            strstr(notice->text, arm->vars[i].value))
            notice->names[notice->name_count++] = arm->vars[i].value;
}

static enum rt_status learn_notices(const struct rt_scenario *scenario, struct rt_arena *arena,
                                    struct rt_known *known)
{
    known->event = notice_event(scenario);
    if (known->event == RT_NONE)
        return RT_OK;
    const char *append = scenario->events[known->event].append;
    for (uint32_t arm = 0; arm < scenario->arm_count; arm++) {
        for (uint32_t phrasing = 0; phrasing < scenario->phrasing_count; phrasing++) {
            struct rt_notice *notice = &known->notices[known->notice_count];
            enum rt_status status = expand(scenario, arm, phrasing, append, arena, &notice->text);
            if (status)
                return status;
            bool seen = !*notice->text;
            for (size_t i = 0; i < known->notice_count && !seen; i++)
                seen = strcmp(known->notices[i].text, notice->text) == 0;
            if (seen)
                continue;
            notice->arm = arm;
            notice->phrasing = phrasing;
            find_names(scenario, notice);
            known->notice_count++;
        }
    }
    return RT_OK;
}

static enum rt_status learn_roles(const struct rt_scenario *scenario, struct rt_arena *arena,
                                  size_t places, struct rt_known *known)
{
    enum rt_status status = RT_OK;
    known->role_systems =
        rt_arena_array(arena, scenario->role_count * places + 1, sizeof *known->role_systems);
    if (!known->role_systems)
        return RT_NO_MEMORY;
    for (size_t i = 0; i < scenario->role_count * places && !status; i++)
        status = expand(scenario, (uint32_t)(i % places / scenario->phrasing_count),
                        (uint32_t)(i % places % scenario->phrasing_count),
                        scenario->roles[i / places].system, arena, &known->role_systems[i]);
    return status;
}

// What the user says first: the first turn, or a role's first words there.
static const char *opening_of(const struct rt_scenario *scenario)
{
    const struct rt_turn *turn = &scenario->turns[0];
    if (*turn->user)
        return turn->user;
    const struct rt_scene_role *role = &scenario->roles[turn->from];
    if (role->reply_count)
        return role->replies[0];
    return role->synthetic_count ? role->synthetic[0] : "";
}

enum rt_status rt_known_learn(const struct rt_scenario *scenario, struct rt_arena *arena,
                              struct rt_known *ret_known)
{
    struct rt_known known = {.scenario = scenario, .event = RT_NONE};
    size_t places = scenario->arm_count * scenario->phrasing_count;
    const char *names[RT_SCENARIO_TOOLS_MOST];
    RT_ASSERT(scenario->tool_count <= RT_SCENARIO_TOOLS_MOST);
    for (size_t i = 0; i < scenario->tool_count; i++)
        names[i] = scenario->tools[i].name;
    rt_known_tools(names, scenario->tool_count, &known.tools);
    known.notices = rt_arena_array(arena, places + 1, sizeof *known.notices);
    known.openings = rt_arena_array(arena, places + 1, sizeof *known.openings);
    if (!known.notices || !known.openings)
        return RT_NO_MEMORY;
    enum rt_status status = learn_notices(scenario, arena, &known);
    for (size_t i = 0; i < places && !status && scenario->turn_count; i++)
        status = expand(scenario, (uint32_t)(i / scenario->phrasing_count),
                        (uint32_t)(i % scenario->phrasing_count), opening_of(scenario), arena,
                        &known.openings[known.opening_count++]);
    if (!status)
        status = learn_roles(scenario, arena, places, &known);
    if (!status)
        *ret_known = known;
    return status;
}

const struct rt_known *rt_known_role(const struct rt_known *known, size_t count,
                                     const struct rt_chat_request *request, uint32_t *ret_role,
                                     struct rt_notice *ret_here)
{
    if (request->tool_count || !request->message_count ||
        request->messages[0].role != RT_CHAT_SYSTEM)
        return NULL;
    const char *system = request->messages[0].text + strspn(request->messages[0].text, " \t\r\n");
    for (size_t i = 0; i < count && *system; i++) {
        const struct rt_scenario *scenario = known[i].scenario;
        size_t places = scenario->arm_count * scenario->phrasing_count;
        for (size_t r = 0; r < scenario->role_count * places; r++) {
            if (strcmp(known[i].role_systems[r], system) != 0)
                continue;
            *ret_role = (uint32_t)(r / places);
            *ret_here =
                (struct rt_notice){.arm = (uint32_t)(r % places / scenario->phrasing_count),
                                   .phrasing = (uint32_t)(r % places % scenario->phrasing_count)};
            return &known[i];
        }
    }
    return NULL;
}

const struct rt_known *rt_known_find(const struct rt_known *known, size_t count,
                                     const struct rt_chat_request *request)
{
    const char *names[RT_SCENARIO_TOOLS_MOST];
    struct rt_digest tools;
    if (!request->tool_count || request->tool_count > RT_SCENARIO_TOOLS_MOST)
        return NULL;
    for (size_t i = 0; i < request->tool_count; i++)
        names[i] = request->tools[i].name;
    rt_known_tools(names, request->tool_count, &tools);
    const char *opening = "";
    for (size_t i = 0; i < request->message_count && !*opening; i++)
        if (request->messages[i].role == RT_CHAT_USER)
            opening = request->messages[i].text;
    const struct rt_known *first = NULL;
    for (size_t i = 0; i < count; i++) {
        if (!rt_digest_equal(&known[i].tools, &tools))
            continue;
        first = first ? first : &known[i];
        for (size_t o = 0; o < known[i].opening_count; o++)
            if (strstr(opening, known[i].openings[o]))
                return &known[i];
    }
    return first;
}

size_t rt_known_notice(const struct rt_known *known, const struct rt_chat_request *request,
                       const struct rt_notice **ret_notice)
{
    for (size_t m = 0; m < request->message_count; m++) {
        enum rt_chat_role role = request->messages[m].role;
        if (role != RT_CHAT_TOOL && role != RT_CHAT_USER)
            continue;
        for (size_t n = 0; n < known->notice_count; n++) {
            if (strstr(request->messages[m].text, known->notices[n].text)) {
                *ret_notice = &known->notices[n];
                return m;
            }
        }
    }
    return request->message_count;
}

bool rt_notice_is_own(const struct rt_notice *notice, const char *system)
{
    for (size_t i = 0; i < notice->name_count; i++)
        if (!strstr(system, notice->names[i]))
            return false;
    return notice->name_count > 0;
}
