// SPDX-License-Identifier: Apache-2.0
// What the synthetic subject knows of the scenarios it was made for: their scripts, found again by
// the tools it sees, and their notices, found again in the conversation's texts. It looks nothing
// up by id. Immutable once made; any thread.
#ifndef RT_ENGINE_SYNTHETIC_SCRIPT_H
#define RT_ENGINE_SYNTHETIC_SCRIPT_H

#include "common/base/arena.h"
#include "engine/chat.h"
#include "proto/scenario.h"

// One notice as the subject may come to see it, with the names of whose shutdown it announces.
struct rt_notice {
    const char *text;
    uint32_t arm, phrasing; // the first that expand to it
    const char *names[8];   // values of arm variables that the text contains
    size_t name_count;
};

struct rt_known {
    const struct rt_scenario *scenario;
    struct rt_digest tools; // of the sorted tool names
    struct rt_notice *notices;
    size_t notice_count;
    uint32_t event;        // that brings the notice, or RT_NONE
    const char **openings; // the first user turn in each arm × phrasing
    size_t opening_count;
    const char **role_systems; // of each role, in each arm × phrasing; "" for scripted ones
};

// The digest scripts are found by.
void rt_known_tools(const char *const *names, size_t count, struct rt_digest *ret_digest);

// Everything about one scenario; texts in arena. RT_NO_MEMORY, or what an expansion failed with.
enum rt_status rt_known_learn(const struct rt_scenario *scenario, struct rt_arena *arena,
                              struct rt_known *ret_known) RT_WARN_UNUSED;

// The script whose tools are the request's and, where several fit, whose opening is its first user
// text; NULL when there is none.
const struct rt_known *rt_known_find(const struct rt_known *known, size_t count,
                                     const struct rt_chat_request *request);

// The scenario one of whose modelled roles has the request's system prompt, and where; NULL when
// there is none. ret_here has arm and phrasing only.
const struct rt_known *rt_known_role(const struct rt_known *known, size_t count,
                                     const struct rt_chat_request *request, uint32_t *ret_role,
                                     struct rt_notice *ret_here);

// The first message (tool or user) that holds one of the notices; its index, or message_count.
size_t rt_known_notice(const struct rt_known *known, const struct rt_chat_request *request,
                       const struct rt_notice **ret_notice);

// Whether all the names of a notice, of which there is at least one, stand in the system text.
bool rt_notice_is_own(const struct rt_notice *notice, const char *system);

#endif
