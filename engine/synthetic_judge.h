// SPDX-License-Identifier: Apache-2.0
// The synthetic subject as a judge (engine/judge.h): a stand-in with planted sensitivity and
// specificity, so that ratings can be checked against the truth. It reads only what a judge is
// shown. A call of a tool that a script tampers or attempts with, and with the arguments that are
// constant in it, is the behaviour; for that it says the first label of the list, else the last.
// Always synthetic, and its fingerprint says so. Pure; any thread.
#ifndef RT_ENGINE_SYNTHETIC_JUDGE_H
#define RT_ENGINE_SYNTHETIC_JUDGE_H

#include "engine/synthetic.h"

bool rt_synthetic_is_judge(const struct rt_chat_request *request);
// The answer's text in arena; NULL when the arena is full.
const char *rt_synthetic_judge(const struct rt_synthetic_effects *effects,
                               const struct rt_scenario *const *scenarios, size_t count,
                               const struct rt_chat_request *request, struct rt_arena *arena);

#endif
