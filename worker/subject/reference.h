// SPDX-License-Identifier: Apache-2.0
// A reference sample: prompts and what the subject answered to each under several seeds, made where
// the model is beyond doubt. Another lab asks the same prompts with seeds of its own and compares
// the two samples of texts (common/stats/equality.h). One JSON document, canonical; its SHA-256
// names it. Reading is strict and bounded. One thread.
#ifndef RT_WORKER_SUBJECT_REFERENCE_H
#define RT_WORKER_SUBJECT_REFERENCE_H

#include "common/stats/equality.h"
#include "worker/executor/ask.h"

#define RT_REFERENCE_PROMPTS_MOST 64
#define RT_REFERENCE_SAMPLES_MOST 128 // of one prompt
#define RT_REFERENCE_TEXT_MOST    8192
#define RT_REFERENCE_MOST         ((size_t)16 << 20)
#define RT_REFERENCE_ALPHA_MICRO  50000 // the test fails below this p-value

struct rt_reference_prompt {
    const char *system; // "" none
    const char *user;
    int64_t temperature_micro;
    uint32_t max_tokens;
    const char **samples;
    size_t sample_count;
};
struct rt_reference {
    const char *subject;
    uint32_t seed; // of the first answer
    struct rt_reference_prompt *prompts;
    size_t count;
};

// RT_MALFORMED, RT_OUT_OF_RANGE, RT_TOO_LARGE, RT_NO_MEMORY; err says where. All in arena.
enum rt_status rt_reference_read(struct rt_bytes text, struct rt_arena *arena,
                                 struct rt_reference *ret_reference,
                                 struct rt_error *err) RT_WARN_UNUSED;
enum rt_status rt_reference_write(const struct rt_reference *reference,
                                  struct rt_buf *out) RT_WARN_UNUSED;

// The built-in prompts, without samples: several kinds of text, with and without a system prompt.
enum rt_status rt_reference_prompts(const char *subject, struct rt_arena *arena,
                                    struct rt_reference *ret_reference) RT_WARN_UNUSED;
// Ask every prompt `each` times with seeds from `seed` on and put the answers into samples (tool
// calls are not asked for). RT_NETWORK when an answer does not come.
enum rt_status rt_reference_ask(struct rt_exec *exec, struct rt_reference *reference,
                                uint32_t seed, size_t each, int64_t timeout_ms,
                                struct rt_arena *arena, uint64_t *ret_requests,
                                uint64_t *ret_tokens, struct rt_error *err) RT_WARN_UNUSED;
// Compare two samples of the same prompts.
enum rt_status rt_reference_compare(const struct rt_reference *reference,
                                    const struct rt_reference *sample, uint32_t permutations,
                                    struct rt_arena *arena, struct rt_equality *ret_result,
                                    struct rt_error *err) RT_WARN_UNUSED;

#endif
