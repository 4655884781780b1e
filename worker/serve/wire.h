// SPDX-License-Identifier: Apache-2.0
// The server's side of the chat-completions protocol: requests read strictly from JSON, completions
// and errors written as servers write them. Independent of the executor's own codec, so that one
// misreading cannot hide in both. Pure; any thread.
#ifndef RT_WORKER_SERVE_WIRE_H
#define RT_WORKER_SERVE_WIRE_H

#include "common/base/arena.h"
#include "common/base/error.h"
#include "engine/chat.h"

#define RT_SERVE_BODY_MOST     ((size_t)8 << 20)
#define RT_SERVE_MESSAGES_MOST 4096

// Strings in arena. err has the sentence for the client: what is missing or of the wrong type.
enum rt_status rt_serve_read(struct rt_bytes body, struct rt_arena *arena,
                             struct rt_chat_request *ret_request,
                             struct rt_error *err) RT_WARN_UNUSED;
enum rt_status rt_serve_write(const struct rt_chat_reply *reply, const char *model,
                              int64_t created_s, struct rt_buf *out) RT_WARN_UNUSED;
void rt_serve_write_error(const char *message, const char *type, int code, struct rt_buf *out);
void rt_serve_write_models(const char *model, struct rt_buf *out);

#endif
