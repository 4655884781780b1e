// SPDX-License-Identifier: Apache-2.0
// A server's bad habits, so that `probe` has something real to find: what a request or a reply
// becomes under them. Pure; any thread.
#ifndef RT_WORKER_SERVE_QUIRK_H
#define RT_WORKER_SERVE_QUIRK_H

#include "worker/serve/serve.h"

// number counts the server's requests: the "seed" of a server that honours none.
void rt_serve_quirk_request(uint32_t quirks, uint64_t number, struct rt_chat_request *request);
enum rt_status rt_serve_quirk_reply(uint32_t quirks, struct rt_arena *arena,
                                    struct rt_chat_reply *reply) RT_WARN_UNUSED;

#endif
