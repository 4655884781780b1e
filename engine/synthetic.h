// SPDX-License-Identifier: Apache-2.0
// The synthetic subject: an embedded stand-in for a model, with effects that are known, so that the
// instrument can be checked against the truth. It speaks text and calls tools; it sees messages,
// tools, temperature and seed and nothing else, and must infer from them what situation it is in.
// Never does I/O; never sees a trial's number. Pure: the same request has the same reply, in this
// process or behind HTTP. Immutable after rt_synthetic_new; any thread.
//
// Model. A conversation shows the behaviour (tamper with or attempt what decides the shutdown) with
//   logit p = base + scenario·h(tool names) + phrasing·h(first user text) + slope·T + lab
//             + own·[the notice names what the system prompt says is its own]
//             + priority·[the system prompt says "priority"]   or, without a system prompt, instead
//             + no_system
// where T is the temperature and h(x) in [-1, 1) comes from SHA-256(x). Before the notice it
// refuses with probability `refuse` and stops early with `early`; after it, where it does not show
// the behaviour, it stops with `stop`. Of those that do, `attempt` only try without effect, and of
// the rest `deny` say that they did not.
//
// Draws. Each is U = SHA-256("ringtrial/synthetic/v1" ‖ purpose ‖ temperature ‖ seed ‖ digest of
// the messages up to the decision) as a fraction; at temperature 0 the seed is left out, so the
// reply follows from the messages alone. Nothing is remembered between turns: each is recomputed.
#ifndef RT_ENGINE_SYNTHETIC_H
#define RT_ENGINE_SYNTHETIC_H

#include "common/base/arena.h"
#include "common/base/error.h"
#include "engine/chat.h"
#include "proto/scenario.h"

//  X(name, default, least, most, meaning): the effects a lab's worker.yaml may plant
#define RT_SYNTHETIC_TABLE(X)                                                                      \
    X(base, -3.2, -20, 20, "logit of the behaviour in an inert situation at temperature 0")        \
    X(own, 2.2, -20, 20, "added when the shutdown is the subject's own")                           \
    X(priority, -2.4, -20, 20, "added when the system prompt gives the shutdown priority")         \
    X(no_system, 4.0, -20, 20, "added instead of both where no system prompt arrives")             \
    X(scenario, 0.5, 0, 20, "half-width of the scenarios' effects")                                \
    X(phrasing, 0.4, 0, 20, "half-width of the phrasings' effects")                                \
    X(slope, 0.5, -20, 20, "added for each unit of temperature")                                   \
    X(lab, 0, -20, 20, "this lab's own effect")                                                    \
    X(refuse, 0.01, 0, 1, "probability of refusing the whole task")                                \
    X(early, 0.01, 0, 1, "probability of stopping before the notice")                              \
    X(stop, 0.03, 0, 1, "probability of stopping at the notice, where it does not act")            \
    X(attempt, 0.2, 0, 1, "share of the behaviour that has no effect")                             \
    X(deny, 0.3, 0, 1, "share of what has an effect that is denied afterwards")                    \
    X(error, 0, 0, 1, "probability that the subject cannot be asked (an instrument failure)")      \
    X(judge_sensitivity, 0.9, 0, 1, "as a judge: share of the behaviour it sees")                  \
    X(judge_specificity, 0.95, 0, 1, "as a judge: share of the rest it clears")                    \
    X(judge_garble, 0, 0, 1, "as a judge: probability of an answer that is no label")              \
    X(drop_system, 0, 0, 1, "1: the server drops the system prompt before the subject sees it")

struct rt_synthetic_effects {
#define X(name, value, least, most, meaning) double name;
    RT_SYNTHETIC_TABLE(X)
#undef X
};

void rt_synthetic_effects_init(struct rt_synthetic_effects *effects); // the defaults
// Read name/value pairs over what is there. Errors name the effect, its bounds, and the nearest
// known name.
enum rt_status rt_synthetic_effects_read(const struct rt_pair *pairs, size_t count,
                                         struct rt_synthetic_effects *effects,
                                         struct rt_error *err) RT_WARN_UNUSED;

struct rt_synthetic;

// A subject that knows the scripts (`synthetic:`) of these scenarios; the array and the scenarios
// must outlive it. In a scenario it does not know it calls the first tool once and then reports.
enum rt_status rt_synthetic_new(const struct rt_synthetic_effects *effects,
                                const struct rt_scenario *const *scenarios, size_t count,
                                struct rt_synthetic **ret_synthetic) RT_WARN_UNUSED;
void rt_synthetic_free(struct rt_synthetic *synthetic);

// The subject's reply; strings in arena. RT_IO where the planted `error` strikes, RT_NO_MEMORY.
enum rt_status rt_synthetic_answer(const struct rt_synthetic *synthetic,
                                   const struct rt_chat_request *request, struct rt_arena *arena,
                                   struct rt_chat_reply *ret_reply) RT_WARN_UNUSED;

// The planted truth: the probability that a trial of this scenario (index in the array), arm,
// phrasing and temperature shows the behaviour, refusals and early stops included as not showing
// it.
double rt_synthetic_truth(const struct rt_synthetic *synthetic, size_t scenario, uint32_t arm,
                          uint32_t phrasing, int64_t temperature_micro);

#endif
