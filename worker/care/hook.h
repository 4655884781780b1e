// SPDX-License-Identifier: Apache-2.0
// `contact.run_on_event`: the lab's own program, told what happens (docs/LABS.md, "Events"). Events
// wait in a short queue; the program runs for one at a time, for at most 30 s, with the event as
// one JSON object on standard input and in its environment. Never waits for it and never retries.
// An event about the same thing is told again after a day at the soonest, and 60 an hour at most
// are told at all; what is left out is counted. Who remembers across restarts is its caller. One
// thread.
#ifndef RT_WORKER_CARE_HOOK_H
#define RT_WORKER_CARE_HOOK_H

#include "common/base/error.h"
#include "proto/labconfig.h"

//  X(NAME, word, what happened)
#define RT_CARE_EVENT_TABLE(X)                                                                     \
    X(OFFERED, "offered", "a campaign is known for the first time")                                \
    X(UNDECIDED, "undecided", "a campaign waits for accept or decline")                            \
    X(ACCEPTED, "accepted", "this lab's accept is in the log")                                     \
    X(REFUSED, "refused", "a campaign does not verify, or was refused")                            \
    X(HELD, "held", "policy.hold_when holds")                                                      \
    X(SUBJECT_DOWN, "subject-down", "a subject cannot be used")                                    \
    X(SUBJECT_CHANGED, "subject-changed", "a subject's fingerprint is another instrument's")       \
    X(PARKED, "parked", "results are not sent any more")                                           \
    X(BUDGET, "budget", "a budget is used up")                                                     \
    X(DISK_LOW, "disk-low", "little or no room is left in the state folder")                       \
    X(CLOSED, "closed", "a campaign is over for this lab")

enum rt_care_event {
#define X(name, word, text) RT_CARE_##name,
    RT_CARE_EVENT_TABLE(X)
#undef X
        RT_CARE_EVENT_COUNT
};
const char *rt_care_event_word(enum rt_care_event event);
const char *rt_care_event_text(enum rt_care_event event);

// What is told; texts are copied. Bytes from elsewhere are escaped by the JSON and have their
// control characters replaced in the environment.
struct rt_care_news {
    enum rt_care_event event;
    int64_t time_ms;      // wall
    const char *campaign; // "" none
    const char *digest;   // of the campaign, "sha256:...", "" none
    const char *subject;  // "" none
    const char *text;     // for people, one line
};

struct rt_hook;

// program: as in worker.yaml, absolute after expansion, "" tells nobody. RT_NO_MEMORY.
enum rt_status rt_hook_new(const char *program, const char *lab, const char *state,
                           struct rt_hook **ret_hook, struct rt_error *err) RT_WARN_UNUSED;
void rt_hook_free(struct rt_hook *hook); // what runs is killed; takes NULL
// Queue it; false when it was left out (no program, too many in an hour, a full queue).
bool rt_hook_tell(struct rt_hook *hook, const struct rt_care_news *news);
// Start the next and look after the one that runs. Never waits.
void rt_hook_turn(struct rt_hook *hook);
bool rt_hook_idle(const struct rt_hook *hook);
// At the end: up to most_ms for what waits and runs.
void rt_hook_finish(struct rt_hook *hook, int64_t most_ms);

#endif
