// SPDX-License-Identifier: Apache-2.0
// The client's side of the chat-completions protocol as JSON (INTEROP, "Chat completions"): a
// request with every sampling parameter explicit, and replies as the servers in use really send
// them: null content, refusals, absent usage, reasoning under two names, arguments that are text,
// an object or not JSON at all, three shapes of error. Bounded; no I/O. Pure; any thread.
#ifndef RT_WORKER_EXECUTOR_CHAT_JSON_H
#define RT_WORKER_EXECUTOR_CHAT_JSON_H

#include "common/base/arena.h"
#include "common/base/bytes.h"
#include "engine/chat.h"
#include "proto/labconfig.h"

#define RT_CHAT_BODY_MOST ((size_t)8 << 20) // bytes of a request and of a response

// Append the request's body: model, messages, n 1, temperature, top_p, seed, the token limit under
// the subject's name for it, stream false, tools, and the subject's `defaults` as they are written.
// Among those `top_p` replaces the request's, `max_tokens` lowers the limit whatever its name, and
// `tool_choice` and `parallel_tool_calls` go with tools only.
enum rt_status rt_chat_json_request(const struct rt_lab_subject *subject,
                                    const struct rt_chat_request *request,
                                    struct rt_buf *out) RT_WARN_UNUSED;

// What a completed response says beside the reply.
struct rt_chat_facts {
    const char *model, *system_fingerprint; // "" when absent
};

// A 200 response; strings in arena. RT_MALFORMED (ret_reason, a literal, says what is wrong),
// RT_TOO_LARGE, RT_NO_MEMORY.
enum rt_status rt_chat_json_reply(struct rt_bytes body, struct rt_arena *arena,
                                  struct rt_chat_reply *ret_reply, struct rt_chat_facts *ret_facts,
                                  const char **ret_reason) RT_WARN_UNUSED;

// The message of an error response in any of the shapes in use, cut to capacity, without control
// characters; "" where the body has none.
void rt_chat_json_error(struct rt_bytes body, char *ret_text, size_t capacity);

#endif
