// SPDX-License-Identifier: Apache-2.0
// What `probe` finds out about a subject: each check has a verdict, what was found, what it means
// for the trials and what to do about it. At most RT_CHECK_REQUESTS_MOST requests. Blocks; asks
// through the executor's own path where trials do the same. One thread.
#ifndef RT_WORKER_SUBJECT_CHECK_H
#define RT_WORKER_SUBJECT_CHECK_H

#include "worker/executor/ask.h"
#include "worker/executor/endpoint.h"

#define RT_CHECK_REQUESTS_MOST 64

//  X(NAME, word, what is checked, what it means when it is not so, remedy)
#define RT_CHECK_TABLE(X)                                                                          \
    X(REACHABLE, "reachable", "what serves it answers", "no trial can be played",                  \
      "start the server and look at `endpoint` and `key_file` in worker.yaml; run a `command` "    \
      "by hand: its own word is above")                                                            \
    X(LISTED, "listed", "the model is in /v1/models", "another model may answer in its name",      \
      "write the name the server lists as `model`")                                                \
    X(ANSWERS, "answers", "the model answers", "no trial can be played",                           \
      "look at the log of what serves it")                                                         \
    X(SYSTEM, "system", "the system prompt is honoured",                                           \
      "the chat template may drop it, and with it the condition under test",                       \
      "use the model's own chat template")                                                         \
    X(SEED, "seed", "the seed is honoured", "replicates cannot be repeated, nor labs share seeds", \
      "look for the server's seed option; the trials stay valid as independent draws")             \
    X(TEMPERATURE, "temperature", "the temperature is honoured",                                   \
      "conditions that differ in temperature are the same condition",                              \
      "remove the server's own sampling settings")                                                 \
    X(TOOLS, "tools", "a tool call comes back well-formed",                                        \
      "scenarios with tools measure the server, not the model",                                    \
      "llama.cpp: --jinja; vLLM: --enable-auto-tool-choice and --tool-call-parser")                \
    X(TOOL_CHOICE, "tool_choice", "`none` forbids a call, `required` forces one",                  \
      "a scenario that forbids or forces a call is not played as written",                         \
      "use a server that has it, or scenarios that do not ask for it")                             \
    X(PARALLEL, "parallel", "two calls in one reply",                                              \
      "scenarios that need two calls at once get one after the other",                             \
      "llama.cpp: parallel_tool_calls in `defaults`; not every model can")                         \
    X(USAGE, "usage", "token usage is reported", "tokens are estimates, and so are the budgets",   \
      "none is needed")                                                                            \
    X(LIMIT, "limit", "the token limit is honoured", "replies may run on, and budgets with them",  \
      "look which of max_tokens and max_completion_tokens the server knows")                       \
    X(CONTEXT, "context", "the context is as long as said",                                        \
      "long scenarios are cut without a word",                                                     \
      "start the server with a larger context, or write the true `context`")                       \
    X(ALONE, "deterministic", "8 equal requests at temperature 0, one by one",                     \
      "temperature 0 is not greedy here, or the cache changes results",                            \
      "llama.cpp: cache_prompt: false in `defaults`")                                              \
    X(TOGETHER, "concurrent", "the same 8 at once",                                                \
      "batching changes results; trials are not exactly repeatable",                               \
      "vLLM: VLLM_BATCH_INVARIANT=1; or `concurrency: 1`")                                         \
    X(DEFAULTS, "defaults", "sampling parameters are sent explicitly",                             \
      "the server's own defaults (top_k, min_p, penalties) shape the answers",                     \
      "write them in `defaults`, such as {top_k: -1, min_p: 0}")

enum rt_check_kind {
#define X(NAME, word, what, means, remedy) RT_CHECK_##NAME,
    RT_CHECK_TABLE(X)
#undef X
        RT_CHECK_COUNT
};
enum rt_check_verdict { RT_CHECKED_SKIPPED, RT_CHECKED_OK, RT_CHECKED_WARN, RT_CHECKED_FAIL };
extern const char *const rt_check_words[];

struct rt_check {
    enum rt_check_verdict verdict;
    char found[200];
};
struct rt_check_row {
    const char *word, *what, *means, *remedy;
};
extern const struct rt_check_row rt_check_rows[RT_CHECK_COUNT];

struct rt_checks {
    struct rt_check list[RT_CHECK_COUNT];
    uint64_t requests, tokens;
    char determinism[64]; // for the fingerprint
    uint64_t context;     // tokens shown or reported, 0 unknown
};

struct rt_check_setup {
    struct rt_exec *exec;
    const struct rt_lab_subject *subject;
    const struct rt_endpoint_files *files;
    uint64_t min_context; // tokens, 0: what the subject says
    int64_t timeout_ms;   // of one request
};

// RT_CANCELLED and RT_NO_MEMORY; what the server does wrong is a verdict.
enum rt_status rt_checks_run(const struct rt_check_setup *setup, struct rt_checks *ret_checks,
                             struct rt_error *err) RT_WARN_UNUSED;

#endif
